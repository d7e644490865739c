// The pure parts of the panels: candles, the story of a price, latency, traffic, words.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Candles, Recorder, SIZES } from '../../web/dashboard/candles.js';
import { figures, grouped, spread } from '../../web/dashboard/figures.js';
import { resultWords, runWords } from '../../web/dashboard/jobs.js';
import { steps } from '../../web/dashboard/latency.js';
import { Model } from '../../web/dashboard/model.js';
import { because, did, providerName } from '../../web/dashboard/providers.js';
import { reliabilityOf, stateOf } from '../../web/dashboard/sources.js';
import { chain, headline, stateWords } from '../../web/dashboard/story.js';
import { clock, moment, span } from '../../web/dashboard/times.js';
import { Traffic } from '../../web/dashboard/traffic.js';

const NOON = new Date(2026, 0, 5, 12, 0, 0).getTime(); // in whatever zone this runs
const at = (seconds) => NOON + 1000 * seconds;

// --- candles ---

test('candles: open, high, low, close of each slot; what is late changes the newest only', () => {
  const candles = new Candles(10, 240);
  for (const [s, price] of [[0, 5], [3, 7], [9.9, 4], [10, 6], [40, 8], [39, 9]]) candles.add(1000 * s, price);
  assert.deepEqual(candles.list(), [
    { time: 0, open: 5, high: 7, low: 4, close: 4 },
    { time: 10, open: 6, high: 6, low: 6, close: 6 },
    { time: 40, open: 8, high: 9, low: 8, close: 9 },
  ]);
});

test('candles: the newest are kept, in their order, however many came', () => {
  for (const kept of [16, 20, 240]) {
    const candles = new Candles(1, kept);
    for (let n = 0; n < 1000; n++) {
      candles.add(1000 * n, n);
      candles.add(1000 * n + 500, n + 0.5);
      assert.equal(candles.length, Math.min(n + 1, kept));
      assert.equal(candles.get(candles.length - 1).close, n + 0.5);
    }
    const times = candles.list().map(({ time }) => time);
    assert.deepEqual(times, Array.from({ length: kept }, (_, i) => 1000 - kept + i));
    assert.deepEqual(candles.list().map(({ open }) => open), times);
  }
});

test('the recorder follows each price by the market\'s time, and no status', () => {
  const model = new Model();
  const recorder = new Recorder(model, () => NOON);
  const quote = (price, ts) => model.apply({ type: 'quote', data: [{ symbol: 'coffee', price, ts, state: 'live' }] }, NOON);
  quote('2.94', String(at(-600)));
  quote('2.96', String(at(-599)));
  model.apply({ type: 'status', data: [{ symbol: 'coffee', state: 'stale' }] }, NOON);
  quote('2.95', String(at(-599)));
  quote('2.90', String(at(-700))); // older: not taken
  model.apply({ type: 'observation', data: [{ symbol: 'rain', value: '-1.5', state: 'live' }] }, NOON);
  model.apply({ type: 'observation', data: [{ symbol: 'report', text: 'words', state: 'live' }] }, NOON);
  assert.deepEqual(recorder.course('coffee').candles(1).list().map(({ time, open, close }) => [time, open, close]), [
    [at(-600) / 1000, 2.94, 2.94], [at(-599) / 1000, 2.96, 2.95],
  ]);
  for (const [seconds] of SIZES) assert.ok(recorder.course('coffee').candles(seconds).length >= 1);
  assert.equal(recorder.course('rain').candles(1).get(0).close, -1.5, 'without a ts: when it was heard');
  assert.equal(recorder.course('report'), undefined);
});

// --- the story ---

const source = (provider, symbol, more) => ({ provider, symbol, state: 'closed', retry_at: null, answered: null, failure: null, skipped: null, ...more });
const refused = { error: 'rate_limited', status: 429, at: at(-120), since: at(-180), times: 3 };
const row = (more, item = {}) => ({
  symbol: 'coffee', kind: 'quote', state: 'live', reason: '', reasonSource: '', ...more,
  item: item && { symbol: 'coffee', price: '2.94', source: 'yahoo', source_symbol: 'KC=F', fallback: true, ts: String(at(-5)), recv: String(at(-5)), state: 'live', ...item },
});
const fallback = {
  source: 'yahoo', source_symbol: 'KC=F', since: at(-119),
  sources: [
    source('twelvedata', 'KC1', { state: 'open', retry_at: at(300), answered: at(-600), failure: refused, skipped: { error: 'breaker_open', since: at(-100) } }),
    source('yahoo', 'KC=F', { answered: at(-5) }),
    source('ico', 'I-CIP'),
  ],
};

test('the story of a fallback: who failed how and when, who since, how late', () => {
  assert.equal(headline(row({}, { delayed_s: '600' }), fallback, NOON),
    'Twelve Data said 429 (too many requests) at 11:58:00, the last of 3 failures since 11:57:00; Yahoo answers since 11:58:01, delayed 10\u00a0min.');
  const once = { ...fallback, sources: [{ ...fallback.sources[0], failure: { ...refused, times: 1 } }, fallback.sources[1]] };
  assert.equal(headline(row({}, { delayed_s: '600' }), once, NOON), 'Twelve Data said 429 (too many requests) at 11:58:00, Yahoo since, delayed 10\u00a0min.');
  assert.deepEqual(chain(row(), fallback, NOON).map(({ role, text }) => [role, text]), [
    ['fails', 'said 429 (too many requests) at 11:58:00, the last of 3 failures since 11:57:00; it last answered at 11:50:00; asked again from 12:05:00'],
    ['answers', 'answers since 11:58:01, last at 11:59:55'],
    ['spare', 'not needed so far'],
  ]);
});

test('the story of a first source: since when, what was before, in which of two places', () => {
  const back = { source: 'twelvedata', source_symbol: 'KC1', since: at(-60), sources: [
    source('twelvedata', 'KC1', { answered: at(-1), failure: refused }), source('yahoo', 'KC=F', { answered: at(-70) }),
  ] };
  const item = { source: 'twelvedata', source_symbol: 'KC1', fallback: false };
  assert.equal(headline(row({}, item), back, NOON), 'Twelve Data, the first source, answers since 11:59:00.');
  assert.deepEqual(chain(row({}, item), back, NOON).map(({ text }) => text), [
    'answers since 11:59:00, last at 11:59:59; it said 429 (too many requests) at 11:58:00',
    'last answered at 11:58:50, not needed now',
  ]);
  const silent = { ...back, sources: [{ ...back.sources[0], failure: { ...refused, error: 'timeout', status: null, at: at(-0.5) } }, back.sources[1]] };
  assert.equal(headline(row({}, item), silent, NOON), 'Twelve Data did not answer in time at 11:59:59, the last of 3 failures since 11:57:00; this is its answer of 11:59:59.');
  const twice = { source: 'sim', source_symbol: 'b', since: at(-9), sources: [
    source('sim', 'a', { failure: { ...refused, error: 'bad_schema', status: 200 } }), source('sim', 'b', { answered: at(-1) }),
  ] };
  const second = row({}, { source: 'sim', source_symbol: 'b' });
  assert.equal(headline(second, twice, NOON), 'Simulator (a) gave an answer that was not believed at 11:58:00, the last of 3 failures since 11:57:00; Simulator (b) answers since 11:59:51.');
  assert.deepEqual(chain(second, twice, NOON).map(({ role }) => role), ['fails', 'answers']);
});

test('the story where less is known: no answer of the gateway, other programs, no price', () => {
  assert.equal(headline(row(), null, NOON), 'Yahoo, not the first source, says this.');
  assert.deepEqual(chain(row(), null, NOON), []);
  assert.match(headline(row({}, { source: 'desk' }), fallback, NOON), /^desk published this itself, through Redis; none/);
  assert.match(headline(row({}, { source: 'desk' }), { ...fallback, sources: [] }, NOON), /^desk publishes this through Redis/);
  assert.match(headline(row({}, { source: undefined }), { sources: [] }, NOON), /^Another program publishes/);
  assert.equal(headline(row({ reason: 'timeout', reasonSource: 'yahoo' }, null), null, NOON), 'There is no price yet: Yahoo did not answer in time.');
  assert.match(headline(row({}, null), null, NOON), /^There is no price yet: no source has answered/);
  const off = { ...fallback, sources: [source('twelvedata', 'KC1', { state: 'disabled', skipped: { error: 'disabled', since: at(-9) } }), fallback.sources[1]] };
  assert.equal(headline(row(), off, NOON), 'Twelve Data is not asked (switched off, or without its key), Yahoo since.');
  assert.equal(headline(row({}, { ts: String(at(-605)), state: 'delayed' }), null, NOON), 'Yahoo, not the first source, says this, 10\u00a0min late.');
  assert.match(stateWords(row({ state: 'stale', reason: 'timeout' }), NOON), /^No answer came since 11:59:55 \(the last source asked did not answer in time\)/);
  assert.match(stateWords(row({ state: 'closed' }), NOON), /market is closed/);
  assert.match(stateWords(row({}, { derived: true }), NOON), /computed/);
  assert.equal(stateWords(row(), NOON), '');
});

test('failures in words: a code only where there was one, unknown names as they are', () => {
  assert.equal(did('rate_limited', 200), 'said \u201ctoo many requests\u201d', 'the refusal stood in the body');
  assert.equal(did('upstream_error', 503), 'said 503 (an error of its own)');
  assert.equal(did('upstream_error', null), 'failed');
  assert.equal(did('strange', 0), 'failed (strange)');
  assert.equal(did('constructor', 0), 'failed (constructor)');
  assert.equal(providerName('toString'), 'toString');
  assert.equal(because('disconnected'), 'the gateway is away');
});

// --- times ---

test('moments and spans', () => {
  assert.equal(clock(at(7), NOON), '12:00:07');
  assert.equal(clock(at(-86_400), NOON), '4 Jan, 12:00:00');
  assert.match(clock(at(-86_400 * 30), NOON), /^6 Dec 2025, /);
  for (const none of [null, NaN, Infinity]) assert.equal(clock(none, NOON), '');
  assert.deepEqual([0.2, 12.4, 3400, 96_000, 240_000].map(span), ['under 1\u00a0ms', '12\u00a0ms', '3.4\u00a0s', '96\u00a0s', '4\u00a0min']);
  assert.equal(moment('2026-01-05T11:00:00.013Z'), Date.UTC(2026, 0, 5, 11, 0, 0, 13));
  assert.equal(moment('never'), null);
  assert.equal(moment(null), null);
});

test('latency: each step by the right clock; what is not known is said to be', () => {
  const item = { ts: '1000', recv: '1400' };
  const heard = { item, snapshot: false, arrivedMs: 1010, shownMs: 1026 };
  const told = (...parts) => {
    const { list, total } = steps(...parts);
    return [...list, total].map(({ ms }) => ms);
  };
  assert.deepEqual(told(item, heard, 400), [400, 10, 16, 426]);
  assert.deepEqual(told(item, heard, 380), [400, 0, 16, 416], 'the travel time of the line made the clock look behind');
  assert.deepEqual(told(item, { ...heard, snapshot: true }, 400), [400, null, 16, null]);
  assert.deepEqual(told(item, { ...heard, shownMs: null }, 400), [400, 10, null, null]);
  assert.deepEqual(told(item, { ...heard, item: {} }, 400), [400, null, null, null], 'another item\'s times');
  assert.deepEqual(told({ recv: '1400' }, null, 0), [null, null, null, null]);
  assert.equal(steps({}, null, 0).total.text, 'not known');
});

// --- traffic ---

test('traffic: rates, merged updates, losses, epochs', () => {
  const feed = new EventTarget();
  const send = (type, detail) => feed.dispatchEvent(Object.assign(new Event(type), { detail }));
  let now = 1_000_000;
  const frames = [];
  const traffic = new Traffic(feed, { now: () => now, frame: (f) => frames.push(f) });
  const quote = (...symbols) => send('message', { type: 'quote', data: symbols.map((symbol) => ({ symbol, seq: 'a:1' })) });
  send('state', { state: 'live', reason: '' });
  quote('coffee', 'tea');
  quote('coffee'); // before a frame was drawn
  assert.equal(frames.length, 1);
  frames.shift()();
  quote('coffee');
  assert.equal(traffic.mergedHere, 1);
  assert.equal(traffic.items, 4);
  now += 4000;
  assert.deepEqual(traffic.rates(), { messages: 0.75, items: 1 }, 'a young page');
  now += 60_000;
  assert.deepEqual(traffic.rates(), { messages: 0, items: 0 });
  send('message', { type: 'flow', merged: '431', ms: '8200' });
  send('message', { type: 'flow', merged: '9', ms: '10' });
  assert.deepEqual([traffic.mergedByGateway, traffic.slowSpells, traffic.slowestMs], [440, 2, 8200]);
  send('state', { state: 'reconnecting', reason: 'gone' });
  send('state', { state: 'reconnecting', reason: 'still' });
  send('state', { state: 'live', reason: '' });
  assert.equal(traffic.losses, 1);
  assert.deepEqual(traffic.lastLoss, { atMs: now, reason: 'gone' });
  send('message', { type: 'quote', data: [{ symbol: 'coffee', seq: 'b:1' }, null] });
  assert.deepEqual([traffic.epoch, traffic.epochs], ['b', 2]);
});

// --- words of the tables ---

test('figures: those that are there; the spread with the digits of its prices', () => {
  assert.equal(spread({ bid: '1.08450', ask: '1.08470' }), '0.00020 (0.018\u00a0%)');
  assert.equal(spread({ bid: '100', ask: '101.5' }), '1.5 (1.489\u00a0%)');
  assert.equal(spread({ bid: '1' }), '');
  assert.equal(grouped('1234567'), '1,234,567');
  assert.equal(grouped('12.5'), '12.5');
  const lines = figures({ unit: 'USD/lb', exchange: 'ICEUS', market: 'open', item: { prev_close: '2.91', volume: '27285486' } }, []);
  assert.deepEqual(lines, [['Previous close', '2.91'], ['Volume', '27,285,486'], ['Unit', 'USD/lb'], ['Exchange', 'ICEUS'], ['Market', 'open']]);
  assert.deepEqual(figures({ item: null }, []), []);
});

test('sources in words', () => {
  const time = (ms) => new Date(ms).toISOString();
  const closed = { provider: 'yahoo', state: 'closed', failures: 0, failure_threshold: 3, state_since: null, retry_at: null, reason: null, suspended: false };
  assert.equal(stateOf(closed, NOON), 'asked');
  assert.equal(stateOf({ ...closed, failures: 2 }, NOON), 'asked (2 of 3 failures in a row)');
  const open = { ...closed, state: 'open', state_since: time(at(-60)), retry_at: time(at(240)), reason: 'rate_limited' };
  assert.equal(stateOf(open, NOON), 'not asked since 11:59:00 (rate_limited), again from 12:04:00');
  assert.match(stateOf({ ...open, suspended: true }, NOON), /^suspended since 11:59:00/);
  assert.equal(stateOf({ ...closed, state: 'disabled', reason: '$KEY is not set' }, NOON), 'off: $KEY is not set');
  assert.equal(reliabilityOf({ reliability: 0.985, fetches_30d: 1204 }), '98.5\u00a0% of 1,204 in 30 days');
  assert.equal(reliabilityOf({ reliability: null, fetches_30d: 0 }), 'no fetch counted yet');
});

test('runs and orders in words', () => {
  const errors = [{ symbol: 'KC', error: 'timeout', source: 'yahoo' }];
  const run = { status: 'partial', trigger: 'schedule', updated: 3, unchanged: 1, failed: 1, duration_ms: 5310, errors };
  assert.equal(runWords(run), 'partial: 3 updated, 1 unchanged, 1 failed in 5.3\u00a0s, by the clock; KC: timeout (Yahoo)');
  const market = { status: 'partial', requested: 5, updated: 3, unchanged: 1, failed: 1 };
  assert.equal(resultWords({ status: 'partial', duration_seconds: 0.4, operations: { market }, errors }),
    'partial in 400\u00a0ms: 3 updated, 1 unchanged, 1 failed (KC: timeout (Yahoo)).');
  assert.match(resultWords({ status: 'partial', operations: { market: { status: 'running' } }, errors: [] }), /^still under way/);
  assert.equal(resultWords({ status: 'success', operations: { intelligence: { requested: 0 } }, errors: [] }), 'there is nothing to ask for.');
});
