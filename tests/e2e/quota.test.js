// Credits: who gets them when there are few, and that a restart does not spend them again.

import assert from 'node:assert/strict';
import test from 'node:test';
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
