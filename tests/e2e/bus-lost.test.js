// Redis dies, hangs, comes back empty, throws us out, or is slow. Whatever it does, clients are served
// from memory, readiness says so, and nothing has to be restarted. LONG=1: as often and as long as it
// takes to be sure.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { busScene } from '../support/bus_scene.js';
import { sanitized } from '../support/gateway.js';
import { startProxy } from '../support/proxy.js';
import { absentRedis, startRedis } from '../support/redis.js';
import { external, instrument } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { sleep, until } from '../support/wait.js';

process.setMaxListeners(0); // each of many servers at once has one that ends it with the test
const long = !!process.env.LONG;
const rounds = long ? 20 : 2;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function started(t, options) {
  const redis = await startRedis(options);
  t.after(() => redis.stop());
  return redis;
}

async function proxyTo(t, redis) {
  const proxy = await startProxy({ path: redis.socket });
  t.after(() => proxy.stop());
  return { proxy, via: `redis://127.0.0.1:${proxy.port}/0` };
}

const CROWD = Array.from({ length: 60 }, (_, i) => `S${i}`);

/** Sixty symbols of our own, ten times a second together, beside coffee: a load. */
function load() {
  let cents = 100_00;
  return {
    script: (u) => u.set('twelvedata', '*', () => ok({ price: (cents++ / 100).toFixed(2) })),
    instruments: CROWD.map((name) => instrument(name, [['twelvedata', name]], { poll_ms: 100 })),
  };
}

const faults = [];
const fault = (name, run) => faults.push([name, run]);

fault('killed while idle', async (t) => {
  const redis = await started(t);
  const s = await busScene(t, { redis, config: { instruments: [external('coffee'), external('tea')] } });
  for (let i = 0; i < rounds; i++) {
    await redis.kill();
    await s.noticed(`round ${i}`);
    await redis.start();
    await until(async () => !(await s.degraded()), `round ${i}: back`, 11_000);
    await s.hears();
  }
  assert.equal(await s.gateway.metric('pricegate_bus_reconnects_total'), rounds);
  s.calm();
});

fault('killed in the middle of SUBSCRIBE', async (t) => {
  const redis = await started(t);
  const { proxy, via } = await proxyTo(t, redis);
  // 300 symbols: five SUBSCRIBEs of 128 channels, some 20 KB of confirmations.
  const more = Array.from({ length: 300 }, (_, i) => external(`E${i}`));
  const s = await busScene(t, { redis, via, instruments: more });
  for (let i = 0; i < rounds; i++) {
    let killed = null;
    proxy.seen = async (toServer, bytes) => {
      if (toServer || killed || !bytes.includes('subscribe')) return;
      await (killed = redis.kill());
    };
    proxy.reset();
    await until(() => killed !== null, `round ${i}: it subscribes again`, 11_000);
    await killed;
    await s.noticed(`round ${i}`);
    await s.goesOn();
    proxy.seen = null;
    const since = Date.now();
    await redis.start();
    await s.recovered(`round ${i}`, since);
  }
  s.calm();
});

fault('stopped, not closed', async (t) => {
  const redis = await started(t);
  const s = await busScene(t, { redis, ...load() });
  const keys = CROWD.map((name) => `${name}:price:latest`);
  const values = async () => (await redis.command('MGET', ...keys)).map((text) => JSON.parse(text));
  await until(async () => (await values()).every(Boolean), 'the load has begun');
  const before = await values();
  redis.pause();
  try {
    await s.noticed('stopped');
    const rss = s.rssKb();
    const end = Date.now() + (long ? 30_000 : 1500);
    do await s.goesOn();
    while (Date.now() < end);
    if (!sanitized) assert.ok(s.rssKb() - rss < 2048, `${rss} KiB became ${s.rssKb()}`);
  } finally {
    redis.resume();
  }
  // Nothing that was under way when it stopped may make a key older than it is, not even for a moment.
  const since = Date.now();
  let last = before;
  const look = async () => {
    const now = await values();
    now.forEach((q, i) => assert.ok(q.price >= last[i].price, `${keys[i]}: ${last[i].price} became ${q.price}`));
    last = now;
  };
  await until(async () => (await look(), !(await s.degraded())), 'it is used again', 11_000, 5);
  t.diagnostic(`back after ${Date.now() - since} ms`);
  for (const end = Date.now() + 1500; Date.now() < end; await sleep(5)) await look(); // the second look
  last.forEach((q, i) => assert.ok(q.price > before[i].price && q.ts > before[i].ts - 1000));
  await s.recovered('stopped');
  s.calm();
});

fault('absent at the start', async (t) => {
  const redis = await absentRedis();
  t.after(() => redis.stop());
  const s = await busScene(t, { redis, absent: true });
  assert.ok(await s.degraded());
  await s.goesOn();
  assert.equal(s.lines('bus_down').length, 1);
  const since = Date.now();
  await redis.start();
  t.diagnostic(`back after ${await s.recovered('absent', since)} ms`);
  s.calm();
});

fault('what others feed gets old while it is away', async (t) => {
  const redis = await started(t);
  const s = await busScene(t, { redis, instruments: [external('wool', { stale_after_ms: 600, ttl_s: 1 })] });
  const client = await s.follow(['wool']);
  const feed = (price) =>
    redis.command('PUBLISH', 'wool:price:stream', `{"symbol":"wool","price":${price},"ts":${Date.now()}}`);
  await feed(1.5);
  assert.equal((await client.nextQuote('wool')).price, 1.5);
  await redis.kill();
  await client.nextStatus('wool', 'stale');
  await client.nextStatus('wool', 'unavailable');
  const held = (await s.gateway.get('/api/v1/quotes/wool')).json;
  assert.deepEqual([held.price, held.state], [1.5, 'unavailable']); // as it is, never as a live one
  await redis.start();
  await s.recovered('started');
  assert.equal((await s.gateway.get('/api/v1/quotes/wool')).json.state, 'unavailable');
  await feed(1.6);
  await client.nextQuote('wool', (q) => q.price === 1.6);
  assert.equal((await s.gateway.get('/api/v1/quotes/wool')).json.state, 'live');
});

fault('restarted empty', async (t) => {
  const redis = await started(t);
  const runId = async () => /run_id:(\w+)/.exec(await redis.command('INFO', 'server'))[1];
  let cents = 100_00;
  const s = await busScene(t, {
    redis,
    script: (u) => u.set('twelvedata', '*', () => ok({ price: (cents++ / 100).toFixed(2) })),
    // Asked for once, so that nothing but the bus can bring their keys back.
    instruments: CROWD.map((name) => instrument(name, [['twelvedata', name]], { poll_ms: 600_000 })),
  });
  const keys = CROWD.map((name) => `${name}:price:latest`);
  const values = () => redis.command('MGET', ...keys);
  await until(async () => (await values()).every(Boolean), 'all keys');
  await until(() => redis.command('EXISTS', 'pricegate:budget:twelvedata'), 'a shared document');
  const [before, id] = [await values(), await runId()];
  const asked = s.upstream.requests('twelvedata').length;
  await redis.kill();
  await s.noticed('killed');
  await redis.start();
  assert.notEqual(await runId(), id);
  await s.recovered('restarted');
  assert.deepEqual(await values(), before); // seq and all: its epoch is the owner's start
  for (const key of keys) assert.ok((await redis.command('TTL', key)) > 100, key);
  await until(() => redis.command('EXISTS', 'pricegate:budget:twelvedata'), 'the shared document is back');
  assert.equal(s.upstream.requests('twelvedata').length, asked);
  const seqs = s.client.messages
    .filter((m) => m.type === 'quote')
    .flatMap((m) => m.data.filter((q) => q.symbol === 'coffee').map((q) => q.seq));
  assert.equal(new Set(seqs).size, seqs.length, 'nothing comes twice');
  assert.equal(new Set(seqs.map((seq) => seq.split(':')[0])).size, 1, 'one epoch');
  s.calm();
});

fault('throws us out as a slow subscriber', async (t) => {
  const redis = await started(t);
  const s = await busScene(t, { redis });
  await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1k 1k 1');
  s.gateway.signal('SIGSTOP');
  try {
    // More than the socket holds.
    const text = JSON.stringify({ symbol: 'tea', price: 1, ts: Date.now(), pad: 'x'.repeat(3000) });
    await until(async () => {
      for (let i = 0; i < 100; i++) await redis.command('PUBLISH', 'tea:price:stream', text);
      return !/sub=[1-9]/.test(await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub'));
    }, 'Redis has had enough');
    const latest = `{"symbol":"tea","price":7.5,"ts":${Date.now()}}`;
    await redis.command('SET', 'tea:price:latest', latest, 'EX', 100);
  } finally {
    s.gateway.signal('SIGCONT');
  }
  await s.client.nextQuote('tea', (q) => q.price === 7.5); // heard by nobody, read again
  await s.recovered('thrown out');
  s.calm();
});

fault('thrown out again and again', async (t) => {
  const redis = await started(t);
  const s = await busScene(t, { redis });
  const end = Date.now() + (long ? 25_000 : 2500);
  let kills = 0;
  while (Date.now() < end || kills < 2) {
    kills += await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await s.goesOn();
  }
  s.calm();
  assert.ok(s.lines('bus_up').length <= 1 + s.lines('bus_down').length);
  await s.recovered('at last');
});

fault('200 ms away', async (t) => {
  const redis = await started(t);
  const { proxy, via } = await proxyTo(t, redis);
  const s = await busScene(t, { redis, via });
  proxy.delayMs = 100; // each way
  // When Redis is told of a price, clients have had it for as long as the way there takes. Were they
  // told after Redis, they would hear of it 100 ms later.
  const told = new Map();
  proxy.seen = (toServer, bytes) => {
    if (!toServer) return;
    for (const m of bytes.toString().matchAll(/"symbol":"coffee","price":([\d.]+)/g)) told.set(Number(m[1]), Date.now());
  };
  const ahead = [];
  const since = Date.now();
  while (ahead.length < 10) {
    const { price } = await s.client.nextQuote('coffee', (q) => q.recv > since);
    const heard = Date.now();
    await until(() => told.has(price), `Redis is told of ${price}`);
    ahead.push(told.get(price) - heard);
  }
  assert.ok(median(ahead) > 0, `clients had it ${ahead} ms before Redis`);
  assert.equal(await s.degraded(), false);
  assert.equal(s.lines('bus_down').length, 0);
  await s.recovered('slow');
});

fault('so slow that it is given up', async (t) => {
  const redis = await started(t);
  const { proxy, via } = await proxyTo(t, redis);
  const s = await busScene(t, { redis, via });
  proxy.delayMs = 1500;
  await s.noticed('slow');
  await s.goesOn();
  proxy.delayMs = 0;
  await s.recovered('slow');
  assert.equal(s.lines('bus_down').length, 1);
  s.calm();
});

fault('every byte in a segment of its own', async (t) => {
  const redis = await started(t);
  const { proxy, via } = await proxyTo(t, redis);
  proxy.single = true;
  const s = await busScene(t, { redis, via });
  for (let i = 0; i < 20; i++) await s.hears();
  await s.goesOn();
  assert.equal(await s.gateway.metric('pricegate_bus_invalid_total'), 0);
  proxy.reset();
  await s.noticed('reset');
  await s.recovered('single bytes');
  assert.equal(s.lines('bus_refused').length, 0);
  s.calm();
});

test('Redis is lost', { concurrency: true, timeout: 600_000 }, (t) =>
  Promise.all(faults.map(([name, run]) => t.test(name, run))),
);
