// Redis between the halves: what other programs publish, and Redis killed under load. What else can
// happen to it: bus-lost.test.js, bus-refused.test.js, bus-partition.test.js.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { sleep, until } from '../support/wait.js';

const rounds = process.env.LONG ? 20 : 3;

async function publish(redis, symbol, text, ttl = 120) {
  await redis.command('SET', `${symbol}:price:latest`, text, 'EX', ttl);
  await redis.command('PUBLISH', `${symbol}:price:stream`, text);
}

const item = (symbol, price, more = '') =>
  `{"symbol":"${symbol}","price":${price},"ts":${Date.now()},"recv":${Date.now()}${more}}`;

test("another program's message reaches the client byte for byte", async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee', { unit: 'USD/lb' }), external('EUR/USD')] },
  });
  const client = await follow();
  const odd = [
    `{"symbol":"coffee","price":150.10,"x_mine":{"deep":[1,2.50,"\\u00e9é"]},"ts":${Date.now()}, "recv" : ${Date.now()} }`,
    item('coffee', '0.00000001', ',"seq":"1:1","unknown":null'),
    '{"symbol":"coffee","price":1.2e3}',
  ];
  for (const text of odd) {
    await publish(redis, 'coffee', text);
    await client.next((m) => m.type === 'quote' && m.text.includes(text), 5000, text);
  }
  const text = item('EUR/USD', '1.08450');
  await publish(redis, 'EUR/USD', text);
  await client.next((m) => m.text.includes(text));
  const rest = await gateway.get('/api/v1/quotes/EUR/USD');
  assert.match(rest.body, /"price":1\.08450[,}]/);
  // A message without ts and recv counts from its arrival.
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.state, 'live');
});

test('what is read again after a loss neither goes back in time nor makes an old price live', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee', { stale_after_ms: 500 })] },
  });
  const now = async () => (await gateway.get('/api/v1/quotes/coffee')).json;
  await gateway.log((l) => l.event === 'bus_up'); // a PUBLISH before that is heard by nobody
  await redis.command('SET', 'coffee:price:latest', '{"symbol":"coffee","price":1}', 'EX', 600);
  await redis.command('PUBLISH', 'coffee:price:stream', '{"symbol":"coffee","price":2}');
  await until(async () => (await now())?.state === 'stale', 'stale');
  const ups = gateway.logs.filter((l) => l.event === 'bus_up').length;
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(() => gateway.logs.filter((l) => l.event === 'bus_up').length > ups, 'the bus is back');
  const after = await now();
  assert.equal(after.price, 2);
  assert.equal(after.state, 'stale');
});

test('what is not a valid item is dropped and counted', async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee')] },
  });
  const client = await follow();
  const good = item('coffee', '2.90');
  await publish(redis, 'coffee', good);
  await client.nextQuote('coffee');
  const ahead = Date.now() + 60_000;
  const bad = [
    '',
    'nonsense',
    '[]',
    '7',
    '{"symbol":"coffee"}',
    '{"symbol":"coffee","price":"2.9"}',
    '{"symbol":"coffee","price":0}',
    '{"symbol":"coffee","price":-1}',
    '{"symbol":"coffee","price":1e999}',
    '{"symbol":"tea","price":2.9}',
    '{"price":2.9}',
    '{"symbol":"coffee","price":2.9,"price":3}',
    `{"symbol":"coffee","price":2.9,"ts":${ahead}}`,
    '{"symbol":"coffee","price":2.9,"ts":"now"}',
    `{"symbol":"coffee","price":2.9,"pad":"${'x'.repeat(4096)}"}`,
    `{"symbol":"coffee","price":2.9,"deep":${'['.repeat(17)}${']'.repeat(17)}}`,
    Buffer.from('7b2273796d626f6c223a22636f66666565222c227072696365223a322e392c2278223a22ff227d', 'hex'),
  ];
  const before = await gateway.metric('pricegate_bus_invalid_total');
  for (const text of bad) await redis.command('PUBLISH', 'coffee:price:stream', text);
  await until(
    async () => (await gateway.metric('pricegate_bus_invalid_total')) === before + bad.length,
    'every bad message is counted',
  );
  const last = item('coffee', '2.95');
  await publish(redis, 'coffee', last);
  await client.next((m) => m.text.includes(last));
  const prices = client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data.map((q) => q.price));
  assert.deepEqual(prices, [2.9, 2.95]);
});

test('an older ts never replaces a newer one, whoever sends it', async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee')] },
  });
  const client = await follow();
  const ts = Date.now();
  const at = (price, time) => `{"symbol":"coffee","price":${price},"ts":${time}}`;
  await publish(redis, 'coffee', at('2.90', ts));
  await publish(redis, 'coffee', at('2.80', ts - 1));
  await publish(redis, 'coffee', at('2.91', ts));
  await client.nextQuote('coffee', (q) => q.price === 2.91);
  const prices = client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data.map((q) => q.price));
  assert.ok(!prices.includes(2.8), `${prices}`);
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.price, 2.91);
});

test('the latest value is there at the start; a prefix keeps two apart', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await redis.command('SET', 'pg-coffee:price:latest', item('coffee', '2.90'), 'EX', 120);
  await redis.command('SET', 'coffee:price:latest', item('coffee', '9.99'), 'EX', 120);
  const gateway = await startGateway({
    redis: { url: redis.url, prefix: 'pg-' },
    instruments: [external('coffee')],
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready === true, 'ready');
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.price, 2.9);
});

test('two gateways on one Redis: what one polls, both serve', async (t) => {
  const { upstream, redis, follow } = await scene(t, {
    redis: true,
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']])] },
  });
  const reader = await startGateway({ redis: { url: redis.url }, instruments: [external('coffee')] });
  t.after(() => reader.stop());
  upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' }));
  const client = await follow();
  await client.nextQuote('coffee');
  const found = await until(async () => {
    const answer = await reader.get('/api/v1/quotes/coffee');
    return answer.status === 200 && answer.json;
  }, 'the second gateway knows it');
  assert.equal(found.price, 2.943);
  assert.equal(found.source, 'yahoo');
});

test(`Redis killed and restarted ${rounds} times under load`, { timeout: 300_000 }, async (t) => {
  const symbols = Array.from({ length: 5 }, (_, i) => `S${i}`);
  const { upstream, redis, gateway, follow } = await scene(t, {
    redis: true,
    config: {
      instruments: [
        ...[...symbols, 'mark'].map((s) => external(s)),
        instrument('coffee', [['yahoo', 'KC=F']]),
      ],
    },
  });
  let cents = 29_000;
  upstream.set('yahoo', 'KC=F', () => ok({ price: (cents++ / 100).toFixed(2), currency: 'USX' }));
  const clients = await Promise.all(Array.from({ length: 10 }, () => follow()));

  // Another program publishes all the time; while Redis is away it fails, as the others do.
  let n = 0;
  let running = true;
  const load = (async () => {
    while (running) {
      const symbol = symbols[n++ % symbols.length];
      await publish(redis, symbol, item(symbol, (1 + n / 1000).toFixed(4))).catch(() => {});
      await sleep(5);
    }
  })();
  t.after(async () => {
    running = false;
    await load;
  });

  for (let round = 1; round <= rounds; round++) {
    await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, `round ${round}: up`, 8000);
    const polled = (await clients[0].nextQuote('coffee')).price;
    await redis.kill();
    // Meanwhile local polling goes on reaching local clients.
    await clients[0].nextQuote('coffee', (q) => q.price > polled);
    await redis.start();
    const restarted = Date.now();
    // Said once, before or after the gateway is back: it is heard, or found by reading again.
    const mark = item('mark', `${round}.50`);
    await publish(redis, 'mark', mark);
    for (const client of clients) {
      assert.equal(client.socket.readyState, 1, `round ${round}: a client was disconnected`);
      await client.next((m) => m.text.includes(mark), 5000, `round ${round}: the mark`);
    }
    await until(() => redis.command('GET', 'coffee:price:latest'), 'our own key is back', 5000);
    assert.ok(Date.now() - restarted < 8000);
  }
  assert.equal(await gateway.metric('pricegate_connections'), clients.length);
});
