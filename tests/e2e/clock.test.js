// The machine's wall clock is set while the program runs: a day ahead, a day back, a few seconds.
// Ages, waiting times and what was spent are none the wiser; what is checked by the clock follows it.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';

import { fakeClock, noFakeClock } from '../support/fake_clock.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

const DAY = 86_400;
const options = { skip: noFakeClock, timeout: 120_000 };
// All offsets are tried with LONG=1.
const some = (all, few) => (process.env.LONG ? all : few);
const seconds = () => Math.floor(Date.now() / 1000);

/** A scene whose gateway has a clock of its own. set(offset) waits until it has noticed. */
async function withClock(t, setting, start = 0) {
  const clock = fakeClock(start);
  t.after(() => clock.remove());
  const made = await scene(t, { ...setting, env: { ...setting.env, ...clock.env } });
  const steps = () => made.gateway.logs.filter((line) => line.event === 'clock_set');
  const set = async (offset) => {
    const before = steps().length;
    clock.set(offset);
    await until(() => steps().length > before, `the clock is seen to be ${offset} s ahead`);
    return steps().at(-1).by_ms;
  };
  return { ...made, clock, set, steps };
}

// They mostly wait for a second to pass: all at once.
describe('the wall clock', { concurrency: 4 }, () => {
  test('a day ahead and a day back: no price turns stale or fresh by it', options, async (t) => {
    const { upstream, gateway, redis, clock, set, steps, follow } = await withClock(t, {
      redis: true,
      script: (u) => ['AA', 'BB'].forEach((name) => u.set('yahoo', name, ok({ price: '10.5' }))),
      config: {
        fanout: { heartbeat_ms: 1000 },
        auth: { delay_s: { analyst: 1 } },
        instruments: [
          instrument('AA', [['yahoo', 'AA']]),
          instrument('BB', [['yahoo', 'BB']], { stale_after_ms: 1000, ttl_s: 600 }),
          external('CC'),
        ],
      },
    });
    const state = async (symbol) => (await gateway.get(`/api/v1/quotes/${symbol}`)).json.state;
    await until(async () => (await state('AA')) === 'live' && (await state('BB')) === 'live', 'two prices');
    await redis.command('PUBLISH', 'CC:price:stream', `{"symbol":"CC","price":1,"ts":${Date.now()}}`);
    await until(async () => (await state('CC')) === 'live', 'the third');
    upstream.set('yahoo', '*', status(503, 'down'));
    upstream.set('yahoo', 'AA', status(503, 'down'));
    upstream.set('yahoo', 'BB', status(503, 'down'));
    await until(async () => (await state('BB')) === 'stale', 'one of them gets stale');
    const client = await follow();
    const row = await client.nextStatus('BB', 'stale');
    const from = client.messages.length;

    for (const offset of some([DAY, 0, -DAY, 0, -30, 400 * DAY, 0], [DAY, -DAY, 0])) {
      const asked = upstream.requests('yahoo').length;
      const by_ms = await set(offset);
      assert.ok(Math.abs(by_ms) >= 29_000, `set by ${by_ms} ms`);
      assert.deepEqual([await state('AA'), await state('BB'), await state('CC')], ['live', 'stale', 'live'], `${offset} s`);
      const age = await gateway.metric('pricegate_quote_age_seconds{symbol="AA"}');
      assert.ok(age >= 0 && age < 110, `${age} s old at ${offset} s`);
      // What is timed goes on: polls, heartbeats; what says the time says the new one.
      await until(() => upstream.requests('yahoo').length > asked + 2, 'more polls');
      const beat = await client.nextType('heartbeat', 10_000);
      client.send({ action: 'ping', id: 1 });
      const pong = await client.nextType('pong');
      assert.ok(Math.abs(pong.ts - clock.now()) < 30_000, `${pong.ts} at ${offset} s`);
      assert.ok(pong.ts >= beat.ts - 5);
      const { sources } = (await gateway.get('/data-health/sources')).json;
      const ago = clock.now() - Date.parse(sources.yahoo.last_success);
      assert.ok(ago >= 0 && ago < 110_000, `the last success was ${ago} ms ago`);
    }
    assert.equal(await gateway.metric('pricegate_clock_set_total'), steps().length);
    const told = client.messages.slice(from).filter((m) => m.type === 'status');
    assert.deepEqual(told, [], 'nobody was told of any state');
    assert.ok(Math.abs(row.since - Date.now()) < 60_000);

    upstream.set('yahoo', 'BB', ok({ price: '10.6' }));
    const back = await client.nextQuote('BB');
    assert.equal(back.state, 'live');
    assert.equal(back.price, 10.6);
  });

  test('a clock that was ahead and is set right keeps no newer price out', options, async (t) => {
    const { gateway, redis, set, follow } = await withClock(t, {
      redis: true,
      script: (u) => u.set('yahoo', 'AA', () => ok({ price: '10.5' })),
      config: { instruments: [instrument('AA', [['yahoo', 'AA']]), external('CC')] },
    }, DAY);
    await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
    const client = await follow();
    // Without a time of its own: the arrival counts, which is tomorrow.
    const say = (price) => redis.command('PUBLISH', 'CC:price:stream', `{"symbol":"CC","price":${price}}`);
    await say(1);
    await client.nextQuote('CC', (q) => q.price === 1);
    assert.ok((await set(0)) < -80_000_000);
    await say(2);
    await client.nextQuote('CC', (q) => q.price === 2);
    await client.nextQuote('AA', (q) => q.state === 'live'); // by the right clock it is not late
  });

  test('what has to be waited for is waited for; what is spent is spent', options, async (t) => {
    const names = ['AA', 'BB', 'CC', 'DD', 'EE', 'FF', 'GG'];
    const { upstream, gateway, set, connect } = await withClock(t, {
      redis: true,
      script: (u) => {
        u.set('twelvedata', '*', status(429, 'later', { 'retry-after': '3000' }));
        for (const name of names) u.set('yahoo', name, ok({ price: '10.5' }));
        u.set('eia', 'RWTC', ok({ value: '70.1' }));
      },
      providers: { yahoo: { credits_per_hour: 3 }, eia: { credits_per_day: 10 } },
      config: {
        instruments: [
          instrument('limited', [['twelvedata', 'TD']]),
          ...names.map((name) => instrument(name, [['yahoo', name]])),
        ],
        observations: [{ name: 'oil', poll_ms: 200, sources: [{ provider: 'eia', symbol: 'RWTC' }] }],
      },
    });
    const client = await connect();
    const asked = (provider) => upstream.requests(provider).length;
    const left = async (provider) => (await gateway.get('/data-health/sources')).json.sources[provider].credits_left;
    let id = 0;
    const refresh = async (symbol) => {
      client.send({ action: 'refresh', symbols: [symbol], id: ++id });
      const answer = await client.next((m) => m.type === 'refreshed' && m.id === id, 20_000);
      return answer.rejected[0]?.message ?? 'refreshed';
    };
    await until(() => asked('twelvedata') === 1 && asked('yahoo') === 3, 'all is asked for');
    await until(async () => (await left('eia')) <= 9, 'a credit of the day');
    let day = await left('eia');
    for (const offset of some([DAY, 0, -DAY, 2 * DAY, 0], [DAY, 0])) {
      await set(offset);
      assert.match(await refresh(names[id % names.length]), /no credits left for this hour/);
      assert.match(await refresh('limited'), /not asked before/);
      assert.equal(asked('yahoo'), 3, `${offset} s`);
      assert.equal(asked('twelvedata'), 1, `${offset} s`);
      const now = await left('eia');
      assert.ok(now <= day, `${now} credits of the day are left at ${offset} s, ${day} were before`);
      day = now;
    }
  });

  test('a token is judged by the clock as it is, with some seconds for its maker\'s', options, async (t) => {
    const secret = 'thirty-two bytes of secret, or more';
    const { gateway, set } = await withClock(t, {
      env: { SECRET: secret },
      config: {
        auth: { anonymous_role: null, jwt: { alg: 'HS256', secret: '$SECRET' } },
        instruments: [external('CC')],
      },
    });
    const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${b64({ alg: 'HS256', typ: 'JWT' })}.${b64({ nbf: seconds(), exp: seconds() + 3600 })}`;
    const token = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    const answer = async () =>
      (await gateway.get('/api/v1/instruments', { headers: { authorization: `Bearer ${token}` } })).status;
    assert.equal(await answer(), 200);
    for (const [offset, wanted] of [[-3, 200], [-600, 401], [DAY, 401], [0, 200]]) {
      await set(offset);
      assert.equal(await answer(), wanted, `${offset} s`);
    }
  });
});
