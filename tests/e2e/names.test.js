// A name from outside is looked up among the configured ones and, when it is none of them, goes
// nowhere: not into a URL, not to Redis, not to a host of its choice.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';

import { external, instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';

test('a name that is not configured asks nobody', async (t) => {
  const bait = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  t.after(() => bait.close());
  await once(bait, 'listening');
  let bitten = 0;
  bait.on('connection', () => { bitten += 1; });
  const port = bait.address().port;
  const { upstream, redis, gateway, connect } = await scene(t, {
    redis: true,
    script: (u) => u.set('yahoo', 'KC=F', ok({ price: '294.10' })),
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']]), external('tea')] },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');

  const names = [
    'KC=F', 'coffee&apikey=x#', 'coffee?interval=1d', 'coffee/../../v7/quote', '../../etc/passwd', 'coffee%2f..', `http://127.0.0.1:${port}/x`,
    `127.0.0.1:${port}`, `@127.0.0.1:${port}`, `file:///etc/passwd`, 'coffee\r\nX-Evil: 1', 'x\r\nFLUSHALL\r\n', 'a b', '%s%n', "'; --",
    'coffee:price:latest', 'pricegate:budget:yahoo', '*:price:latest', '[a-z]offee', 'c?ffee', 'Coffee', 'coffee\0x', '\u212aC=F', 'x'.repeat(33),
  ];
  const client = await connect();
  for (const action of ['subscribe', 'refresh', 'unsubscribe']) {
    for (const name of names.filter((n) => !n.includes('\0'))) { // that is no message
      client.send({ action, symbols: [name], id: 1 });
      const answer = await client.next((m) => m.id === 1);
      assert.deepEqual(answer.active ?? [], [], `${action} ${name}`);
      assert.ok(answer.rejected?.length || answer.type === 'error' || action === 'unsubscribe', answer.text);
    }
  }
  for (const name of names) {
    const text = encodeURIComponent(name);
    const paths = [`/api/v1/quotes/${text}`, `/api/v1/quotes?symbols=${text}`, `/api/v1/observations?names=${text}`, `/api/v1/stream?symbols=${text}`];
    // The parser hangs up on a NUL, and refuses a line break, before there is a name.
    for (const path of paths) {
      const { status } = await gateway.get(path).catch(() => ({ status: 0 }));
      assert.ok([0, 400, 404, 431, 505].includes(status), `${path}: ${status}`);
    }
    const reset = await gateway.post(`/data-health/reset-circuit/${text}`).catch(() => ({ status: 0 }));
    assert.ok([0, 400, 404, 505].includes(reset.status), `reset ${name}: ${reset.status}`);
  }
  client.send({ action: 'ping', id: 'last' });
  await client.next((m) => m.id === 'last');

  assert.deepEqual([...new Set(upstream.requests().map((r) => r.path.split('?')[0]))], ['/v8/finance/chart/KC%3DF']);
  assert.equal(bitten, 0);
  const keys = await redis.command('KEYS', '*');
  assert.ok(keys.includes('coffee:price:latest'));
  for (const key of keys) assert.match(key, /^(coffee:price:latest|pricegate:[a-z]+(:[a-z]+)?)$/);
  const channels = (await redis.command('PUBSUB', 'CHANNELS')).sort();
  assert.deepEqual(channels.filter((c) => !c.startsWith('pricegate:')), [
    'coffee:price:status', 'coffee:price:stream', 'tea:price:status', 'tea:price:stream',
  ]);
  assert.equal(await redis.command('PUBSUB', 'NUMPAT'), 0);
});
