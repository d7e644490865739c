// Prices that some may only see later: exactly so much later, and saying so.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const DELAY_S = 3;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const as = (name) => ({ headers: { authorization: `Bearer ${name}` } });

async function market(t, auth = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const config = {
    redis: { url: redis.url },
    auth: {
      anonymous_role: null,
      keys: [
        { name: 'now', role: 'viewer', sha256: sha256('now') },
        { name: 'late', role: 'viewer', sha256: sha256('late'), delay_s: DELAY_S },
      ],
      ...auth,
    },
    instruments: [{ symbol: 'coffee', sources: [] }],
  };
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  await gateway.log('bus_up');
  let n = 0;
  const say = async (price) => {
    const ts = Date.now();
    const item = JSON.stringify({ symbol: 'coffee', price, ts, recv: ts, seq: `1:${++n}`, state: 'live', extra: 'kept' });
    await redis.command('SET', 'coffee:price:latest', item, 'EX', '120');
    await redis.command('PUBLISH', 'coffee:price:stream', item);
    return ts;
  };
  return { redis, gateway, say, config };
}

test('a delayed key sees each price, that much later, on every way', async (t) => {
  const { gateway, say } = await market(t);
  const [now, late] = await Promise.all(['now', 'late'].map((k) => connectWs(`${gateway.wsUrl}?token=${k}`)));
  t.after(() => Promise.all([now.close(), late.close()]));
  for (const client of [now, late]) {
    client.send({ action: 'subscribe', symbols: ['coffee'], id: 1 });
    await client.next((m) => m.id === 1);
  }
  const came = []; // [price, when]; those that are due together may be merged into the last
  late.socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (message.type === 'quote') came.push(...message.data.map((q) => [q, Date.now()]));
  });
  const said = new Map();
  for (const price of [2.5, 2.6, 2.7]) {
    said.set(price, await say(price));
    await now.nextQuote('coffee', (q) => q.price === price);
  }
  assert.equal((await gateway.get('/api/v1/quotes/coffee', as('now'))).json.price, 2.7);
  const early = (await gateway.get('/api/v1/quotes/coffee', as('late'))).status;
  if (Date.now() - said.get(2.5) < DELAY_S * 1000) assert.equal(early, 503); // else the machine was slow
  await late.nextQuote('coffee', (q) => q.price === 2.7);
  for (const [quote, when] of came) {
    assert.ok(when - said.get(quote.price) >= DELAY_S * 1000, `${quote.price} after ${when - said.get(quote.price)} ms`);
    assert.equal(quote.delayed_s, DELAY_S);
    assert.equal(quote.state, 'delayed');
    assert.equal(quote.extra, 'kept');
    assert.equal(quote.ts, said.get(quote.price));
  }
  const rest = (await gateway.get('/api/v1/quotes/coffee', as('late'))).json;
  assert.equal(rest.price, 2.7);
  assert.equal(rest.state, 'delayed');
});

test('after a restart the late see what is old enough, and no more', async (t) => {
  const { gateway, say, config } = await market(t);
  const said = await say(3.1);
  await until(async () => (await gateway.get('/api/v1/quotes/coffee', as('now'))).json.price === 3.1, 'the price');
  await gateway.stop();
  const second = await startGateway(config);
  t.after(() => second.stop());
  await until(async () => (await second.get('/api/v1/quotes/coffee', as('now'))).status === 200, 'the price again');
  const seen = await until(async () => {
    const answer = await second.get('/api/v1/quotes/coffee', as('late'));
    return answer.status === 200 ? Date.now() : null;
  }, 'the late price');
  assert.ok(seen - said >= DELAY_S * 1000, `after ${seen - said} ms`);
});

test('a role may be late, and a first message moves the client', async (t) => {
  const { gateway, say } = await market(t, { delay_s: { viewer: DELAY_S } });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.close());
  client.send({ action: 'auth', token: 'now', id: 1 }); // its role is late, and it says nothing else
  await client.next((m) => m.id === 1);
  client.send({ action: 'subscribe', symbols: ['*'], id: 2 });
  await client.next((m) => m.id === 2);
  const said = await say(4.2);
  const quote = await client.nextQuote('coffee', (q) => q.price === 4.2);
  assert.ok(Date.now() - said >= DELAY_S * 1000);
  assert.equal(quote.delayed_s, DELAY_S);
});

test('who comes without a token sees as late as the role that he has', async (t) => {
  const { gateway, say } = await market(t, { anonymous_role: 'viewer', delay_s: { viewer: DELAY_S } });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.close());
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 1 });
  await client.next((m) => m.id === 1);
  const said = await say(2.5);
  const quote = await client.nextQuote('coffee', (q) => q.price === 2.5);
  assert.ok(Date.now() - said >= DELAY_S * 1000 - 5);
  assert.equal(quote.delayed_s, DELAY_S);
});

test('a delayed key is not told of a price that was held back just now', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => u.set('yahoo', 'AAPL', ok({ price: '150.10' })),
    config: {
      auth: {
        anonymous_role: null,
        keys: [
          { name: 'now', role: 'analyst', sha256: sha256('now') },
          { name: 'late', role: 'analyst', sha256: sha256('late'), delay_s: DELAY_S },
        ],
      },
      instruments: [instrument('AAPL', [['yahoo', 'AAPL']], { category: 'equities' })],
    },
  });
  const seen = async (key) => (await gateway.get('/data-health/status', as(key))).json.categories.equities.AAPL;
  await until(async () => (await seen('now')).status === 'fresh', 'a price');
  upstream.set('yahoo', 'AAPL', ok({ price: '15010' }));
  await until(async () => (await seen('now')).suspect, 'it is held back');
  assert.equal((await seen('late')).suspect, undefined);
});
