// Subscription options of the real program: interval_ms, fields, since; by the messages alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

/** Three symbols, fed through Redis; publish(symbol, price) counts the seq up. */
async function fed(t) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: ['coffee', 'AAPL', 'EUR/USD'].map((s) => external(s)),
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
  let n = 0;
  const publish = async (symbol, price) => {
    const now = Date.now();
    const text = `{"symbol":"${symbol}","price":${price},"ts":${now},"recv":${now},"seq":"a0:${++n}","state":"live"}`;
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
    return `a0:${n}`;
  };
  const known = (symbol, seq) =>
    until(async () => (await gateway.get(`/api/v1/quotes/${symbol}`)).json.seq === seq, `${symbol} has arrived`);
  const connect = async () => {
    const client = await connectWs(gateway.wsUrl);
    t.after(() => client.terminate());
    return client;
  };
  return { gateway, publish, known, connect };
}

const quotesOf = (client, symbol) =>
  client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data.filter((q) => q.symbol === symbol));

test('interval_ms: one delivery per interval, the last value always', async (t) => {
  const { gateway, publish, known, connect } = await fed(t);
  await known('coffee', await publish('coffee', 1));
  const [paced, plain] = [await connect(), await connect()];
  plain.send({ action: 'subscribe', symbols: ['coffee'] });
  await plain.nextQuote('coffee');
  const asked = Date.now();
  paced.send({ action: 'subscribe', symbols: ['coffee', 'AAPL'], interval_ms: 500 });
  await paced.nextQuote('coffee', (q) => q.price === 1);
  let price = 1;
  while (Date.now() - asked < 1700) {
    await publish('coffee', ++price);
    await plain.nextQuote('coffee', (q) => q.price === price);
  }
  await paced.nextQuote('coffee', (q) => q.price === price);
  const windows = Math.floor((Date.now() - asked) / 500) + 1;
  const got = quotesOf(paced, 'coffee').length;
  assert.ok(got >= 3 && got <= windows, `${got} deliveries in ${windows} windows`);
  assert.ok(quotesOf(plain, 'coffee').length > 3 * got, 'the other is not held back');
  assert.equal(await gateway.metric('pricegate_conflated_total{cause="interval"}'), price - got);
});

test('fields: symbol and seq stay, bytes and order are the item\'s', async (t) => {
  const { publish, known, connect } = await fed(t);
  await known('coffee', await publish('coffee', '1.50'));
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee'], fields: ['state', 'price', 'nothing'], id: 1 });
  const snapshot = await client.nextType('quote');
  assert.equal(
    snapshot.text,
    '{"type":"quote","snapshot":true,"data":[{"symbol":"coffee","price":1.50,"seq":"a0:1","state":"live"}]}',
  );
  await publish('coffee', '2.50');
  const update = await client.nextType('quote');
  assert.equal(update.text, '{"type":"quote","data":[{"symbol":"coffee","price":2.50,"seq":"a0:2","state":"live"}]}');
  // The same again is no change; other options are one, and bring a snapshot of their own.
  client.send({ action: 'subscribe', symbols: ['coffee'], fields: ['price', 'nothing', 'state'] });
  assert.deepEqual((await client.nextType('quote')).data, []);
  client.send({ action: 'subscribe', symbols: ['coffee'] });
  assert.ok((await client.nextType('quote')).data[0].ts > 0);
});

test('since: only what is newer, or of another epoch', async (t) => {
  const { publish, known, connect } = await fed(t);
  const seqs = { coffee: await publish('coffee', 1), AAPL: await publish('AAPL', 2), 'EUR/USD': await publish('EUR/USD', 3) };
  await known('EUR/USD', seqs['EUR/USD']);
  const snapshot = async (since) => {
    const client = await connect();
    client.send({ action: 'subscribe', symbols: ['*'], since });
    const frame = await client.nextType('quote');
    assert.equal(frame.snapshot, true);
    return frame.data.map((q) => q.symbol);
  };
  assert.deepEqual(await snapshot(seqs), []);
  assert.deepEqual(await snapshot({ ...seqs, AAPL: 'a0:1' }), ['AAPL']);
  assert.deepEqual(await snapshot({ ...seqs, AAPL: '9f:9' }), ['AAPL']);
  assert.deepEqual(await snapshot({ ...seqs, coffee: 'rubbish', nothing: 'a0:1' }), ['coffee']);
});

test('wrong options are refused, and nothing is applied', async (t) => {
  const { connect } = await fed(t);
  const client = await connect();
  const wrong = [
    { interval_ms: -1 },
    { interval_ms: 1e12 },
    { interval_ms: '1000' },
    { fields: 'price' },
    { fields: [1] },
    { fields: Array.from({ length: 33 }, (_, i) => `f${i}`) },
    { since: ['coffee'] },
    { since: { coffee: 5 } },
  ];
  for (const [id, options] of wrong.entries()) {
    client.send({ action: 'subscribe', symbols: ['coffee'], id, ...options });
    const error = await client.nextType('error');
    assert.deepEqual([error.id, error.code, error.error], [id, 400, 'bad_message'], JSON.stringify(options));
  }
  client.send({ action: 'list', id: 'after' });
  assert.deepEqual((await client.nextType('subscriptions')).active, []);
});
