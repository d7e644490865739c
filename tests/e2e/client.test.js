// The client library in Node against the real program: killed, frozen, restarted, with tokens that
// end, and with WebSockets forbidden on the way. What was published judges what arrived.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import WebSocket from 'ws';

import { PriceFeed } from '../../web/client/index.js';
import { startGate, watch } from '../support/feed.js';
import { startGateway } from '../support/gateway.js';
import { startProxy } from '../support/proxy.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';

const ways = ['ws', 'sse'];

/** A program fed by this test: publish(n) is the price n of coffee, whose version is n. */
async function market(t, config = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const complete = {
    redis: { url: redis.url },
    fanout: { flush_ms: 0, heartbeat_ms: 200 },
    instruments: ['coffee', 'tea', 'EUR/USD', 'EUR/GBP'].map((symbol) => external(symbol)),
    drain_s: 0,
    ...config,
  };
  const start = async (port = 0) => {
    const gateway = await startGateway(complete, { port });
    t.after(() => gateway.stop());
    await until(async () => !(await gateway.get('/readyz')).json.degraded.includes('bus'), 'the bus is whole');
    return gateway;
  };
  const publish = async (n, symbol = 'coffee') => {
    const text = JSON.stringify({ symbol, price: n, ts: Date.now(), seq: `a0:${n}`, state: 'live', bid: n - 1 });
    await redis.command('SET', `${symbol}:price:latest`, text, 'EX', 600);
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
  };
  return { redis, start, publish, gateway: await start() };
}

const open = (t, gateway, options) => watch(t, new PriceFeed(gateway.url, { WebSocket, graceMs: 50, ...options }));

/** Ever newer, so nothing came twice. */
function rising(numbers) {
  for (let i = 1; i < numbers.length; i++) {
    assert.ok(numbers[i] > numbers[i - 1], `${numbers[i]} came after ${numbers[i - 1]}`);
  }
}

for (const transport of ways) {
  test(`${transport}: killed in the middle of a stream and started again: nothing missed, nothing twice`, async (t) => {
    const { start, publish, gateway } = await market(t);
    const feed = open(t, gateway, { transport });
    const heard = [];
    const looped = [];
    feed.subscribe(['coffee'], { onQuote: (q) => heard.push(q.price) });
    const sub = feed.subscribe('*');
    (async () => {
      for await (const q of sub) looped.push(q.price);
    })();
    await feed.is('live');
    let n = 0;
    const live = async (upTo) => {
      while (n < upTo) {
        await publish(++n);
        await feed.has('coffee', n);
      }
    };
    await live(40);
    let now = gateway;
    for (let round = 1; round <= 3; round++) {
      // Somebody goes on publishing while the program dies, is away and comes back.
      let going = true;
      const publishing = (async () => {
        while (going) await publish(++n);
      })();
      await now.kill();
      await feed.is('reconnecting');
      now = await start(gateway.port);
      await feed.is('live');
      going = false;
      await publishing;
      await feed.has('coffee', n);
      await live(n + 20);
    }
    await until(() => looped.at(-1) === n, 'the loop has the last one');
    rising(heard);
    rising(looped);
    assert.deepEqual(heard.slice(0, 40), Array.from({ length: 40 }, (_, i) => i + 1));
    assert.deepEqual(heard.slice(-20), Array.from({ length: 20 }, (_, i) => n - 19 + i));
    assert.deepEqual(feed.errors, []);
  });

  test(`${transport}: a program started anew counts anew, and what it says is taken`, async (t) => {
    const script = (u) => u.set('twelvedata', 'KC1', ok({ price: '2.10' }));
    const { upstream, gateway } = await scene(t, {
      script,
      config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']])], drain_s: 0 },
    });
    const feed = open(t, gateway, { transport });
    feed.subscribe('coffee');
    await feed.has('coffee', 2.1);
    const [epoch] = feed.quote('coffee').seq.split(':');
    await gateway.stop();
    await feed.is('reconnecting');
    upstream.set('twelvedata', 'KC1', ok({ price: '2.20' }));
    const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
    t.after(() => again.stop());
    await feed.has('coffee', 2.2);
    assert.notEqual(feed.quote('coffee').seq.split(':')[0], epoch);
    assert.equal(new Set(feed.quotes.map((q) => q.seq)).size, feed.quotes.length, 'no version twice');
    rising(feed.quotes.map((q) => q.recv));
    assert.deepEqual(feed.errors, []);
  });
}

for (const transport of ways) {
  test(`${transport}: frozen, so silent: noticed, all prices stale; on again: all as it was`, async (t) => {
    const { publish, gateway } = await market(t);
    t.after(() => gateway.signal('SIGCONT'));
    const gate = await startGate(gateway.port);
    t.after(() => gate.stop());
    await publish(1);
    await until(async () => (await gateway.get('/api/v1/quotes/coffee')).json.price === 1, 'held');
    const feed = watch(t, new PriceFeed(gate.url, { WebSocket, graceMs: 50 }));
    const states = [];
    feed.subscribe('coffee', { onStatus: (s) => states.push(s.state) });
    await feed.has('coffee', 1);
    await feed.is('live', 'ws');
    if (transport === 'sse') {
      // The rhythm of the heartbeat is told in the greeting of a WebSocket; without one, 20 s count.
      gate.closed = true;
      gate.cut();
      await feed.is('live', 'sse');
      await until(() => feed.status('coffee').state === 'live', 'live again');
      states.length = 0;
    }
    gateway.signal('SIGSTOP');
    await feed.is('reconnecting');
    assert.match(feed.state.reason, /nothing heard/);
    await until(() => feed.status('coffee').state === 'stale', 'stale');
    assert.equal(feed.status('coffee').reason, 'disconnected');
    await publish(2);
    gateway.signal('SIGCONT');
    await feed.is('live');
    await feed.has('coffee', 2);
    await until(() => feed.status('coffee').state === 'live', 'live again');
    assert.deepEqual(states, ['stale', 'live']);
    assert.deepEqual(feed.quotes.map((q) => q.price), [1, 2]);
  });
}

test('a goaway is obeyed: back at the moment that it names', async (t) => {
  const { start, gateway } = await market(t, { drain_s: 1 });
  const feed = open(t, gateway);
  feed.subscribe('*');
  await feed.is('live');
  const stopped = gateway.stop();
  await feed.is('reconnecting');
  const { reconnect_ms: named } = feed.messages.find((m) => m.type === 'goaway');
  const { retryMs, reason } = feed.states.find((s) => s.state === 'reconnecting');
  assert.equal(retryMs, named);
  assert.equal(reason, 'closed by the gateway');
  await stopped;
  await start(gateway.port);
  await feed.is('live');
});

// --- tokens ---

const SECRET = 'a secret of more than 32 bytes, yes';

function sign(seconds) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ann', role: 'viewer', iat: now, exp: now + seconds })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

for (const transport of ways) {
  test(`${transport}: a token that ends is followed by the next one, and the stream goes on`, async (t) => {
    const { publish, gateway } = await market(t, {
      auth: { anonymous_role: null, jwt: { alg: 'HS256', secret: SECRET } },
    });
    let asked = 0;
    const feed = open(t, gateway, { transport, getToken: async () => sign(asked++ < 2 ? 3 : 600) });
    feed.subscribe('coffee');
    await feed.is('live');
    let n = 0;
    while (asked < 3) {
      await publish(++n);
      await feed.has('coffee', n);
    }
    await publish(++n);
    await feed.has('coffee', n);
    assert.deepEqual(feed.quotes.map((q) => q.price), Array.from({ length: n }, (_, i) => i + 1));
    assert.ok(!feed.states.some((s) => s.state === 'reconnecting'), JSON.stringify(feed.states));
    assert.deepEqual(feed.errors, []);
  });

  test(`${transport}: without a good token a sentence says what to do, and setToken() does it`, async (t) => {
    const sha256 = createHash('sha256').update('good').digest('hex');
    const { publish, gateway } = await market(t, {
      auth: { anonymous_role: null, keys: [{ name: 'desk', role: 'viewer', sha256 }] },
    });
    const feed = open(t, gateway, { transport, token: 'bad' });
    feed.subscribe('coffee');
    await feed.is('offline');
    assert.match(feed.state.reason, /a valid token is needed: use token, getToken or setToken/);
    assert.ok(feed.state.retryMs >= 30_000, 'it does not hammer');
    feed.setToken('good');
    await feed.is('live');
    await publish(1);
    await feed.has('coffee', 1);
  });
}

test('a key that goes with a reload: another one is asked for, on the same line', async (t) => {
  const key = (text) => ({ name: text, role: 'viewer', sha256: createHash('sha256').update(text).digest('hex') });
  const { publish, gateway } = await market(t, { auth: { anonymous_role: null, keys: [key('one'), key('two')] } });
  const feed = open(t, gateway, { getToken: () => (feed.state.state === 'live' ? 'two' : 'one') });
  feed.subscribe('*');
  await feed.is('live');
  await publish(1);
  await feed.has('coffee', 1);
  writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, auth: { anonymous_role: null, keys: [key('two')] } }));
  gateway.signal('SIGHUP');
  await until(() => feed.messages.filter((m) => m.type === 'authenticated').length === 2, 'authenticated again');
  await publish(2);
  await feed.has('coffee', 2);
  assert.deepEqual(feed.quotes.map((q) => q.price), [1, 2]);
  assert.deepEqual(feed.states.map((s) => s.state), ['connecting', 'live']);
});

// --- ways ---

test('WebSockets forbidden on the way: events take over; allowed again: back', async (t) => {
  const { publish, gateway } = await market(t);
  const gate = await startGate(gateway.port);
  t.after(() => gate.stop());
  gate.closed = true;
  const feed = watch(t, new PriceFeed(gate.url, { WebSocket }));
  feed.subscribe('coffee');
  await feed.is('live', 'sse');
  let n = 0;
  const some = async () => {
    for (let i = 0; i < 10; i++) {
      await publish(++n);
      await feed.has('coffee', n);
    }
  };
  await some();
  assert.ok(gate.refused >= 2);
  gate.closed = false;
  await feed.is('live', 'ws', 60_000);
  await some();
  assert.deepEqual(feed.quotes.map((q) => q.price), Array.from({ length: n }, (_, i) => i + 1));
  assert.equal(await gateway.metric('pricegate_connections'), 1, 'the stream is closed');
  assert.deepEqual(feed.errors, []);
});

test('no WebSocket at all, as in Node 18: events by fetch', async (t) => {
  const { publish, gateway } = await market(t);
  const feed = open(t, gateway, { WebSocket: undefined });
  await publish(1);
  feed.subscribe(['coffee', 'nothing']);
  await feed.is('live', 'sse');
  await feed.has('coffee', 1);
  assert.equal(feed.status('nothing').reason, 'unknown_symbol');
  assert.match(feed.errors[0].message, /not configured: nothing/);
  feed.subscribe('tea');
  await publish(7, 'tea');
  await feed.has('tea', 7);
  assert.deepEqual(feed.quotes.map((q) => q.price), [1, 7]);
  await assert.rejects(feed.refresh('coffee'), /needs a live WebSocket/);
});

// --- subscriptions ---

test('readers with different options on one line each get what they asked for', async (t) => {
  const { publish, gateway } = await market(t);
  await publish(1);
  await publish(1, 'EUR/USD');
  const feed = open(t, gateway);
  const thin = [];
  const full = [];
  feed.subscribe('*', { fields: ['price'], onQuote: (q) => thin.push(q) });
  await feed.has('coffee', 1);
  await feed.has('EUR/USD', 1);
  assert.deepEqual(Object.keys(thin[0]).sort(), ['price', 'seq', 'state', 'symbol', 'ts']);
  const second = feed.subscribe('EUR/*', { onQuote: (q) => full.push(q) });
  await until(() => full.some((q) => q.bid === 0), 'the whole of it, without waiting for the next price');
  assert.equal(thin.length, 2, 'and nothing again for who has it');
  await publish(2, 'EUR/USD');
  await publish(2);
  await feed.has('coffee', 2);
  await feed.has('EUR/USD', 2);
  assert.equal(full.at(-1).bid, 1);
  assert.equal(feed.quote('coffee').bid, undefined);
  second.close();
  await publish(3, 'EUR/USD');
  await feed.has('EUR/USD', 3);
  assert.equal(full.at(-1).price, 2, 'nothing after close()');
  assert.equal(thin.at(-1).price, 3);
  await until(async () => (await gateway.metric('pricegate_subscriptions')) === 4, 'four symbols');
  const late = [];
  const sub = feed.subscribe('coffee', { onQuote: (q) => late.push(q) });
  await until(() => late.length, 'what is held, at once');
  assert.equal(late[0].price, 2);
  await until(() => late.length === 2, 'and its other members, soon');
  assert.equal(late[1].bid, 1);
  sub.close();
  assert.equal(feed.quote('coffee').price, 2, 'another reader wants it still');
  assert.deepEqual(feed.errors, []);
});

test('a slow loop gets the newest of each symbol, and no heap of old ones', { timeout: 60_000 }, async (t) => {
  const { publish, gateway } = await market(t);
  const feed = open(t, gateway);
  const sub = feed.subscribe(['coffee', 'tea']);
  const loop = sub[Symbol.asyncIterator]();
  await feed.is('live');
  await publish(1);
  assert.equal((await loop.next()).value.price, 1);
  for (let n = 2; n <= 50; n++) await publish(n);
  await publish(7, 'tea');
  await feed.has('coffee', 50);
  await feed.has('tea', 7);
  const rest = [(await loop.next()).value, (await loop.next()).value];
  assert.deepEqual(rest.map((q) => [q.symbol, q.price]), [['coffee', 50], ['tea', 7]]);
  const waits = loop.next();
  sub.close();
  assert.deepEqual(await waits, { value: undefined, done: true });
});

test('what is refused says why; what a reload removes is said to be gone', async (t) => {
  const { publish, gateway } = await market(t, { limits: { symbols_per_connection: 2 } });
  const feed = open(t, gateway);
  const told = [];
  feed.subscribe(['coffee', 'nothing', 'tea', 'EUR/USD'], { onStatus: (s) => told.push([s.symbol, s.reason]) });
  await feed.is('live');
  await publish(1);
  await feed.has('coffee', 1);
  assert.deepEqual(feed.errors.map((e) => e.error).sort(), ['symbol_limit', 'unknown_symbol']);
  for (const e of feed.errors) assert.match(e.message, new RegExp(`^${e.symbol}: \\w+`));
  assert.ok(told.some(([symbol, reason]) => symbol === 'EUR/USD' && reason === 'symbol_limit'));
  writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, instruments: [external('tea')] }));
  gateway.signal('SIGHUP');
  await until(() => told.some(([symbol, reason]) => symbol === 'coffee' && reason === 'removed'), 'removed');
  assert.equal(feed.quote('coffee'), undefined);
  assert.throws(() => feed.subscribe('a*b'), /"a\*b" is no symbol: write "coffee", "EUR\/\*" or "\*"/);
  assert.throws(() => new PriceFeed('nowhere'), /"nowhere" is no address: write https:/);
  await assert.rejects(feed.refresh('nothing'), /./);
});

// --- a thousand times ---

test('1,000 reconnects leave nothing behind', { timeout: 300_000 }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const { publish, gateway } = await market(t, { limits: { accept_per_s: 100_000, connections_per_ip: 1000 } });
  const proxy = await startProxy({ port: gateway.port, host: '127.0.0.1' });
  t.after(() => proxy.stop());
  const random = Math.random;
  Math.random = () => 0; // no wait between them
  t.after(() => (Math.random = random));
  let sockets = 0;
  class Counted extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets++;
      this.on('close', () => sockets--);
    }
  }
  const feed = new PriceFeed(`http://127.0.0.1:${proxy.port}/`, { WebSocket: Counted, transport: 'ws' });
  t.after(() => feed.close());
  let quotes = 0;
  let lives = 0;
  const sub = feed.subscribe('*', { onQuote: () => quotes++ });
  feed.addEventListener('state', (event) => {
    if (event.detail.state !== 'live') return;
    lives++;
    proxy.reset();
  });
  const at = async (n) => {
    await until(() => lives >= n, `${n} lives`, 120_000, 5);
    collect();
    return { heap: process.memoryUsage().heapUsed, open: process.getActiveResourcesInfo().length };
  };
  await publish(1);
  const early = await at(100);
  const late = await at(1000);
  const grown = late.heap - early.heap;
  console.log(`900 reconnects: heap ${Math.round(grown / 1024)} KiB more, ${late.open} handles, were ${early.open}`);
  assert.ok(grown < 1024 * 1024, `${grown} bytes more`);
  assert.ok(late.open <= early.open + 10, `${late.open} handles, were ${early.open}`);
  assert.ok(sockets <= 3, `${sockets} sockets`);
  assert.equal(quotes, 1, 'and what was known came no second time');
  sub.close();
  feed.close();
  await until(() => sockets === 0, 'the last socket is gone');
});
