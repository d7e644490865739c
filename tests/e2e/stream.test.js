// Server-Sent Events of the whole program, read byte for byte.

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

/** Opens the stream: {status, headers, events, comments, ended, request}. */
async function listen(gateway, query, headers = {}) {
  const stream = { events: [], comments: 0, retries: [], ended: false, rest: '' };
  const response = await new Promise((resolve, reject) => {
    stream.request = http.get(`${gateway.url}/api/v1/stream?${query}`, { agent: false, headers }, resolve);
    stream.request.on('error', reject);
  });
  stream.status = response.statusCode;
  stream.headers = response.headers;
  response.setEncoding('utf8');
  response.on('data', (text) => {
    const blocks = (stream.rest + text).split('\n\n');
    stream.rest = blocks.pop();
    for (const block of blocks) take(stream, block);
  });
  response.on('error', () => {});
  response.on('close', () => (stream.ended = true));
  return stream;
}

function take(stream, block) {
  if (block === ':') {
    stream.comments++;
    return;
  }
  const retry = /^retry: (\d+)$/.exec(block);
  if (retry) {
    stream.retries.push(Number(retry[1]));
    return;
  }
  const [, id, event, data] = /^id: ([0-9a-f]+:\d+)\nevent: (quote|status)\ndata: (.*)$/.exec(block) ?? assert.fail(block);
  stream.events.push({ id, event, data });
}

const number = (event) => Number(event.id.split(':')[1]);
const quotes = (stream) => stream.events.filter((e) => e.event === 'quote');
const statuses = (stream) => stream.events.filter((e) => e.event === 'status').map((e) => JSON.parse(e.data));

async function market(t, config = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: [external('coffee'), external('EUR/USD'), external('EUR/GBP'), external('tea')],
    ...config,
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
  const publish = async (symbol, price, more = '') => {
    const text = `{"symbol":"${symbol}","price":${price},"ts":${Date.now()},"state":"live","market":"open"${more}}`;
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
    return text;
  };
  /** Published, and in the program. */
  const hold = async (symbol, price) => {
    const text = await publish(symbol, price);
    await until(async () => (await gateway.get(`/api/v1/quotes/${symbol}`)).json.price === Number(price), 'held');
    return text;
  };
  return { gateway, redis, publish, hold };
}

test('a snapshot, statuses, then each update, byte for byte', async (t) => {
  const { gateway, publish, hold } = await market(t);
  const coffee = await hold('coffee', '2.9430');
  const stream = await listen(gateway, `symbols=${encodeURIComponent('coffee,tea,EUR/*')}`);
  t.after(() => stream.request.destroy());
  assert.equal(stream.status, 200);
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  assert.equal(stream.headers['cache-control'], 'no-store');
  assert.equal(stream.headers['content-length'], undefined);
  assert.equal(stream.headers['x-content-type-options'], 'nosniff');
  await until(() => stream.events.length === 4, 'one quote and three statuses');
  assert.equal(stream.events[0].event, 'quote');
  assert.equal(stream.events[0].data, coffee);
  assert.deepEqual(statuses(stream).map((s) => s.symbol).sort(), ['EUR/GBP', 'EUR/USD', 'tea']);
  for (const s of statuses(stream)) assert.equal(s.state, 'unavailable');

  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  client.send({ action: 'subscribe', symbols: ['EUR/USD'], snapshot: false });
  await client.nextType('subscribed');
  const euro = await publish('EUR/USD', '1.08450', ',"x-own":[1, 2 ,"\\u00e4"]');
  await until(() => stream.events.length === 5, 'the update');
  assert.equal(stream.events[4].data, euro);
  assert.deepEqual((await client.nextType('quote')).data, [JSON.parse(euro)]);
  const numbers = stream.events.map(number);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), 'ids grow');
  assert.equal(new Set(stream.events.map((e) => e.id.split(':')[0])).size, 1, 'of one process');
});

test('Last-Event-ID brings only what is newer; a foreign one everything', async (t) => {
  const { gateway, hold } = await market(t);
  const [coffee, euro] = [await hold('coffee', '1.10'), await hold('EUR/USD', '2.20')];
  const first = await listen(gateway, 'symbols=coffee,EUR/USD');
  await until(() => first.events.length === 2, 'the snapshot');
  assert.deepEqual(first.events.map((e) => e.data), [coffee, euro]);
  const [seenOne, seenBoth] = first.events.map((e) => e.id);
  first.request.destroy();
  await until(async () => (await gateway.metric('pricegate_connections')) === 0, 'gone');

  const newer = await hold('coffee', '1.11');
  // What must not come would come before what must.
  const cases = [
    [seenBoth, [newer]],
    [seenOne, [euro, newer]],
    ['1:1', [euro, newer]],
    ['nonsense', [euro, newer]],
  ];
  for (const [id, want] of cases) {
    const again = await listen(gateway, 'symbols=coffee,EUR/USD', { 'Last-Event-ID': id });
    await until(() => again.events.length === want.length, `resumed from ${id}`);
    assert.deepEqual(again.events.map((e) => e.data), want);
    again.request.destroy();
    const asked = await listen(gateway, `symbols=coffee,EUR/USD&last_event_id=${id}`);
    await until(() => asked.events.length === want.length, `resumed from ?last_event_id=${id}`);
    assert.deepEqual(asked.events.map((e) => e.data), want);
    asked.request.destroy();
  }
});

test('an idle stream hears comments, and ends when the program drains', async (t) => {
  const { gateway } = await market(t, { fanout: { heartbeat_ms: 1000 } });
  const stream = await listen(gateway, 'symbols=*');
  await until(() => stream.comments >= 2, 'two comments');
  assert.equal(stream.events.length, 4);
  const stopped = gateway.stop();
  await until(() => stream.ended, 'the end');
  await stopped;
});

test('requests that are no stream', async (t) => {
  const { gateway } = await market(t, { limits: { symbols_per_connection: 2 } });
  const get = (query, options) => gateway.get(`/api/v1/stream${query}`, options);
  const unknown = await get('?symbols=coffee,no%2Fsuch,nor');
  assert.equal(unknown.status, 404);
  assert.match(unknown.headers['content-type'], /^application\/problem\+json/);
  assert.deepEqual(unknown.json.symbols, ['no/such', 'nor']);
  for (const query of ['', '?symbols=', '?symbols=co*e', '?symbols=*']) {
    const answer = await get(query);
    assert.equal(answer.status, 400, query);
    assert.equal(typeof answer.json.detail, 'string');
  }
  for (const method of ['HEAD', 'POST']) {
    const answer = await get('?symbols=coffee', { method });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET');
  }
  assert.equal(await gateway.metric('pricegate_connections'), 0);
});

test('a reader that does not read is conflated, and catches up with the newest', { timeout: 60_000 }, async (t) => {
  const { gateway, publish } = await market(t, { fanout: { sndbuf_bytes: 8192, flush_ms: 0 } });
  const socket = net.connect(gateway.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (part) => (text += part));
  socket.write(`GET /api/v1/stream?symbols=coffee HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await until(() => text.includes('event: status'), 'the stream');
  socket.pause();
  const pad = `,"pad":"${'x'.repeat(3000)}"`;
  let n = 0;
  await until(async () => {
    for (let i = 0; i < 200; i++) await publish('coffee', `${++n}.5`, pad);
    return (await gateway.metric('pricegate_conflated_total{cause="slow"}')) > 0;
  }, 'conflation', 40_000);
  const last = await publish('coffee', `${++n}.5`, pad);
  socket.resume();
  await until(() => text.includes(last), 'the newest');
  const seen = [...text.matchAll(/"price":(\d+)\.5,/g)].map((m) => Number(m[1]));
  assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b), 'in order, nothing twice');
  assert.ok(seen.length < n, 'and not all of them');
  assert.match(text, /^HTTP\/1\.1 200 /);
});
