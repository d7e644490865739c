// The soak's own judgement: what is flat, what grows, what a client was given wrong, what was missed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Check, judged } from '../soak/check.mjs';
import { judgeSeries, slopeOf, warmOnes } from '../soak/judge.mjs';
import { Ledger } from '../soak/ledger.mjs';
import { rightPrice } from '../soak/market.mjs';

// The same "random" numbers in each run.
function noise(seed) {
  let x = seed;
  return () => (x = (x * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;
}

const series = (n, hours, value) => Array.from({ length: n }, (_, i) => [(hours * i) / (n - 1), value(i / (n - 1))]);

test('what only trembles is flat, what grows is not, outliers or not', () => {
  const random = noise(7);
  const trembling = series(40, 1, () => 16_000 + 400 * random());
  assert.equal(judgeSeries(trembling, 1024).flat, true);

  // 1 KB for each of 20 connections a second, in a minute and a half.
  const leaking = series(16, 0.025, (x) => 16_000 + 1800 * x + 200 * random());
  const leak = judgeSeries(leaking, 1024);
  assert.equal(leak.flat, false);
  assert.ok(leak.low_per_hour < 72_000 && leak.high_per_hour > 72_000, JSON.stringify(leak));

  trembling[20][1] = 90_000;
  trembling[39][1] = 70_000;
  assert.equal(judgeSeries(trembling, 1024).flat, true);
  leaking[15][1] = 100;
  assert.equal(judgeSeries(leaking, 1024).flat, false);

  // A step that stays is a leak as well, if it is large enough; a falling series is none.
  assert.equal(judgeSeries(series(40, 1, (x) => (x < 0.5 ? 16_000 : 26_000)), 1024).flat, false);
  assert.equal(judgeSeries(series(40, 1, (x) => 16_000 - 5000 * x), 1024).flat, true);
  assert.equal(judgeSeries(series(40, 1, (x) => 60 + Math.floor(20 * x)), 4).flat, false, 'files');
});

test('too little to judge is not called flat', () => {
  assert.equal(slopeOf(series(3, 1, () => 1)), null);
  assert.equal(judgeSeries([], 1).flat, null);
  const rests = (n) => Array.from({ length: n }, (_, i) => ({ round: Math.floor(i / 5), hours: i / 10 }));
  assert.deepEqual(warmOnes(rests(8)), []);
  assert.equal(warmOnes(rests(20))[0].round, 1);
});

function reader({ away = () => false, ...more } = {}) {
  const ledger = new Ledger();
  const check = new Check({ ledger, gateway: 'plain', who: 'a reader', redisAway: away, ...more });
  const now = Math.floor(Date.now() / 1000) * 1000;
  const item = (counter, ts, wrong = {}) => {
    const bare = { symbol: 'P03', ts, recv: ts, seq: `abc:${counter}`, state: 'live', counter };
    return judged({ ...bare, price: rightPrice(bare), ...wrong });
  };
  const quote = (...items) => check.message({ type: 'quote', data: items }, now);
  const kinds = () => Object.fromEntries([...ledger.kinds].map(([kind, { count }]) => [kind, count]));
  return { ledger, check, item, quote, kinds, now };
}

test('a right sequence is no complaint', () => {
  const { ledger, item, quote, kinds, check, now } = reader();
  quote(item(1, now - 3000));
  quote(item(2, now - 2000));
  quote(item(3, now - 2000));
  check.message({ type: 'quote', snapshot: true, data: [item(3, now - 2000)] }, now);
  check.settle();
  assert.deepEqual(kinds(), {});
  assert.equal(ledger.values, 4);
  assert.equal(ledger.unaccounted({}), 0);
});

test('a cent too much, the price of another second, of another symbol: wrong', () => {
  const { item, quote, kinds, now } = reader();
  const right = item(1, now - 2000);
  quote(item(1, now - 2000, { price: right.price + 0.01 }));
  quote(item(2, now - 1000, { price: right.price }));
  quote(item(3, now - 1000, { symbol: 'P04' }));
  quote(item(4, now - 1000, { symbol: 'ZZZ' }));
  assert.equal(kinds()['wrong price'], 4);
});

test('out of order, twice, unasked, an old price called live', () => {
  const { item, quote, kinds, check, now } = reader();
  quote(item(5, now - 2000));
  quote(item(4, now - 3000)); // its number and its time
  assert.equal(kinds().disorder, 2);
  quote(item(4, now - 3000));
  assert.equal(kinds().twice, 1);
  check.lookForOldOnes(now + 60_000, 0);
  assert.equal(kinds()['old price called live'], 1);
  check.message({ type: 'status', data: [{ symbol: 'P03', state: 'stale' }] });
  check.lookForOldOnes(now + 120_000, 0);
  assert.equal(kinds()['old price called live'], 1, 'it is called stale now');
  check.forget(['P03']);
  quote(item(6, now));
  assert.equal(kinds().unasked, 1);
});

test('what never came is missed, unless the program said so', () => {
  const gap = (r) => {
    r.quote(r.item(1, r.now - 3000));
    r.quote(r.item(5, r.now - 1000));
  };
  const silent = reader();
  gap(silent);
  silent.check.settle();
  assert.equal(silent.ledger.unaccounted({ plain: 0 }), 3);
  assert.equal(silent.ledger.unaccounted({ plain: 2 }), 1, 'two were merged by a flush');

  const told = reader();
  gap(told);
  told.check.message({ type: 'flow', merged: 2, ms: 10 }, told.now);
  told.check.settle();
  assert.equal(told.ledger.unaccounted({}), 1);

  const away = reader({ away: () => true });
  gap(away);
  away.check.settle();
  assert.equal(away.ledger.unaccounted({}), 0);
  assert.equal(away.ledger.excused, 3);

  const slowed = reader({ every: false });
  gap(slowed);
  slowed.check.settle();
  assert.equal(slowed.ledger.unaccounted({}), 0, 'with interval_ms that is what was asked for');
});
