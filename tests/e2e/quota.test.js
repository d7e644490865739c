// Credits: who gets them when there are few, and that a restart does not spend them again.

import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from '../support/redis.js';
import { instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';

const asked = (upstream, symbol, from = 0) =>
  upstream.requests('yahoo').slice(from).filter((r) => r.symbols.includes(symbol)).length;
const sources = async (gateway) => (await gateway.get('/data-health/sources')).json.sources;

test('few credits: those who are watched are asked for more often', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (u) => ['AA', 'BB'].forEach((name) => u.set('yahoo', name, ok({ price: '10.5' }))),
    providers: { yahoo: { credits_per_second: 5 } },
    config: { instruments: [instrument('a', [['yahoo', 'AA']], { poll_ms: 100 }), instrument('b', [['yahoo', 'BB']], { poll_ms: 100 })] },
  });
  await until(() => upstream.requests('yahoo').length >= 14, 'some polls that nobody watches');
  const before = [asked(upstream, 'AA'), asked(upstream, 'BB')];
  assert.ok(Math.min(...before) * 1.5 >= Math.max(...before) - 1, `alike: ${before}`);

  const client = await follow(['a']);
  await until(async () => asked(upstream, 'AA') > before[0] + 3, 'the gateway to know of the client');
  const from = upstream.requests('yahoo').length;
  await until(() => asked(upstream, 'AA', from) >= 12, 'a dozen polls of the watched one');
  const [watched, other] = [asked(upstream, 'AA', from), asked(upstream, 'BB', from)];
  assert.ok(other >= 1, 'the other one is not forgotten');
  assert.ok(watched >= 2.4 * other, `watched ${watched}, not watched ${other}`);
  assert.equal((await sources(gateway)).yahoo.state, 'closed');
  const { state } = (await gateway.get('/api/v1/quotes/b')).json;
  assert.ok(['live', 'delayed'].includes(state), `nothing is stale because nobody watches: ${state}`);
});

test('the hour outlives a restart', async (t) => {
  const names = ['AA', 'BB', 'CC', 'DD'];
  const setting = {
    script: (u) => names.forEach((name) => u.set('yahoo', name, ok({ price: '10.5' }))),
    providers: { yahoo: { credits_per_hour: 5 } },
    config: { instruments: names.map((name) => instrument(name, [['yahoo', name]])) },
  };
  const first = await scene(t, { ...setting, redis: true });
  await until(() => first.upstream.requests('yahoo').length === 4, 'each of them once');
  await until(async () => (await sources(first.gateway)).yahoo.credits_left === 1, 'one credit left');
  await first.gateway.stop();

  const second = await scene(t, { ...setting, redis: { url: first.redis.url, stop() {} } });
  await until(() => second.upstream.requests('yahoo').length === 1, 'the fifth');
  await until(async () => (await sources(second.gateway)).yahoo.credits_left === 0, 'none left');
  const { json } = await second.gateway.post('/data-health/refresh-all');
  assert.match(JSON.stringify(json.errors), /no credits left for this hour/);
  assert.equal(second.upstream.requests('yahoo').length, 1);
});

// Spent five minutes ago: three of five. Whoever begins without knowing that would spend five more.
const spentHour = () => {
  const minute = Math.floor(Date.now() / 60_000) - 5;
  return JSON.stringify({ day: Math.floor(Date.now() / 86_400_000), spent: 3, hour: [[minute, 3]] });
};
const hourly = {
  script: (u) => ['AA', 'BB', 'CC', 'DD', 'EE', 'FF'].forEach((name) => u.set('yahoo', name, ok({ price: '10.5' }))),
  providers: { yahoo: { credits_per_hour: 5 } },
};

test('a refresh that comes with the start waits for what was spent before', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await redis.command('SET', 'pricegate:budget:yahoo', spentHour());
  redis.pause(); // connected to, but silent: nothing is known yet
  const setting = { ...hourly, redis: { url: redis.url, stop() {} } };
  const config = {
    instruments: ['AA', 'BB', 'CC', 'DD', 'EE', 'FF'].map((name) => instrument(name, [['yahoo', name]], { poll_ms: 3600_000 })),
  };
  const { upstream, gateway } = await scene(t, { ...setting, config });
  const answer = gateway.post('/data-health/refresh-market');
  await gateway.get('/healthz'); // behind the refresh
  redis.resume();
  const { json } = await answer;
  assert.match(JSON.stringify(json.errors), /no credits left for this hour/);
  assert.equal(upstream.requests('yahoo').length, 2);
});

test('a gateway that is there before Redis does not forget what was spent', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await redis.command('SET', 'pricegate:budget:yahoo', spentHour());
  await redis.command('SAVE');
  await redis.kill();
  const setting = { ...hourly, redis: { url: redis.url, stop() {} } };
  const config = { instruments: [instrument('AA', [['yahoo', 'AA']], { poll_ms: 3600_000 })] };
  const { upstream, gateway } = await scene(t, { ...setting, config });
  await until(() => upstream.requests('yahoo').length === 1, 'the poll without Redis');
  await redis.start();
  await until(async () => (await sources(gateway)).yahoo.credits_left === 1, 'all four to be known');
  const hour = async () => JSON.parse(await redis.command('GET', 'pricegate:budget:yahoo')).hour;
  const sum = (slots) => slots.reduce((n, [, credits]) => n + credits, 0);
  await until(async () => sum(await hour()) === 4, 'all four to be written');
});
