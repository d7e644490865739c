// The program ends, is killed, is begun again, while many look on.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gather } from '../support/crowd.js';
import { sanitized, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { after, ok, providersAt, startUpstream } from '../support/upstream.js';
import { sleep, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const long = Boolean(process.env.LONG);
const MB = 1024 * 1024;

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const seqOf = (q) => q.seq.split(':').map((part, i) => parseInt(part, i ? 10 : 16));
const newer = (a, b) => seqOf(a)[0] - seqOf(b)[0] || seqOf(a)[1] - seqOf(b)[1];

test('SIGTERM with 1,000 clients: goaway, then closed one after the other; exit 0', { timeout: 120_000 }, async (t) => {
  const drain_s = long ? 5 : 2;
  const gateway = await startGateway({ drain_s, instruments: [external('tea')] });
  t.after(() => gateway.stop());
  const crowd = await gather(gateway.port, 1000, 1);
  t.after(() => crowd.leave());
  const began = Date.now();
  gateway.signal('SIGTERM');
  const how = await within(gateway.exited, 'the end', 10_000 + drain_s * 1000);
  t.diagnostic(`ended after ${Date.now() - began} ms`);
  assert.deepEqual(how, { code: 0, signal: null });
  await until(() => crowd.closed() === 1000, 'all are closed');
  const { members } = crowd;
  assert.equal(members.filter((m) => m.code !== 1001).length, 0, 'each with 1001');
  const waits = members.map((m) => m.reconnectMs);
  assert.ok(waits.every((ms) => ms >= 500 && ms <= 500 + drain_s * 1000), 'each was told before, and when to come back');
  assert.ok(new Set(waits).size > 300, `${new Set(waits).size} different times to come back`);
  // Paced: over most of the time, never many at a moment.
  const times = members.map((m) => m.closedAt - began).sort((a, b) => a - b);
  assert.ok(times.at(-1) - times[0] >= drain_s * 500, `closed from ${times[0]} to ${times.at(-1)} ms`);
  const tenths = new Set(times.map((ms) => Math.floor(ms / (drain_s * 100))));
  assert.ok(tenths.size >= 4, `in ${tenths.size} tenths of the time`);
});

test('SIGTERM at any moment, again and again: exit 0', { timeout: 60_000 }, async (t) => {
  for (let round = 0; round < (long ? 40 : 4); round++) {
    const gateway = await startGateway({ instruments: [external('tea')] });
    t.after(() => gateway.stop());
    let gone = false;
    gateway.exited.then(() => (gone = true));
    gateway.signal('SIGTERM');
    await gateway.log('draining');
    await sleep(18 + (round % 10)); // by then it takes itself down, or has not begun to
    while (!gone) {
      gateway.signal(round % 2 ? 'SIGTERM' : 'SIGINT');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
  }
});

/** A gateway on a Redis, polling an upstream whose price only rises, fed with another symbol. */
async function rising(t) {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  let price = 10;
  const next = () => ok({ price: String((price += 0.01).toFixed(2)) });
  let held = null; // while it is: no answer
  upstream.set('yahoo', 'UP', () => (held ? after(held, next()) : next()));
  const hold = () => {
    let release;
    held = new Promise((resolve) => (release = resolve));
    return () => {
      held = null;
      release();
    };
  };
  const redis = await startRedis();
  t.after(() => redis.stop());
  let port = 0;
  const start = async (more = {}) => {
    const gateway = await startGateway({
      providers: providersAt(upstream),
      redis: { url: redis.url },
      breaker: { threshold: 1000, timeout_s: 1 },
      instruments: [instrument('up', [['yahoo', 'UP']]), external('fed')],
      ...more.config,
    }, { env: { SSL_CERT_FILE: testCerts().ca }, port, ...more });
    if (!more.beside) port = gateway.port;
    t.after(() => (gateway.dead ? gateway.kill() : gateway.stop()));
    return gateway;
  };
  let fed = 0;
  const feed = () => {
    fed++;
    const item = `{"symbol":"fed","price":${fed},"ts":${Date.now()},"seq":"a0:${fed}"}`;
    return Promise.all([
      redis.command('SET', 'fed:price:latest', item, 'EX', 600),
      redis.command('PUBLISH', 'fed:price:stream', item),
    ]);
  };
  return { upstream, redis, start, feed, hold, fed: () => fed };
}

test('SIGKILL under load, and begun again', { timeout: 600_000 }, async (t) => {
  const rounds = long ? 50 : 5;
  const { redis, start, feed, hold, fed } = await rising(t);
  let gateway = await start();
  let feeding = true;
  const feeder = (async () => {
    for (; feeding; await sleep(2)) await feed();
  })();
  t.after(() => (feeding = false));
  const took = [];
  let held = null; // the newest that a client has seen of `up`
  let epoch = 0;
  let fedBefore = 0;
  for (let round = 0; round < rounds; round++) {
    const client = await connectWs(gateway.wsUrl);
    client.send({ action: 'subscribe', symbols: ['*'], ...(held ? { since: { up: held.seq } } : {}) });
    const items = (symbol) => client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data.filter((q) => q.symbol === symbol));
    // A few of this life's own prices, and of the other program's.
    const mine = () => items('up').filter((q) => seqOf(q)[0] > epoch);
    await until(() => mine().length >= 2 && items('fed').length >= 10, 'prices of both', 30_000);
    gateway.dead = true;
    await gateway.kill();
    client.terminate();
    for (const q of items('up')) {
      assert.ok(!held || (newer(q, held) >= 0 && q.price >= held.price && q.ts >= held.ts), `${q.seq} ${q.price} after ${held?.seq} ${held?.price}`);
      held = q;
    }
    assert.deepEqual(items('fed').map((q) => q.price), items('fed').map((q) => q.price).sort((a, b) => a - b));
    assert.ok(items('fed')[0].price >= fedBefore, 'nothing older than before the last end');
    fedBefore = items('fed').at(-1).price;
    epoch = Math.max(...mine().map((q) => seqOf(q)[0]));
    // What is left behind can be read.
    for (const key of await redis.command('KEYS', '*')) JSON.parse(await redis.command('GET', key));
    const stored = JSON.parse(await redis.command('GET', 'up:price:latest'));
    assert.ok(newer(stored, held) >= 0, 'Redis knows what clients know');

    const release = hold();
    const began = Date.now();
    gateway = await start();
    took.push(Date.now() - began);
    // Warm: what was known is known before any provider has answered.
    const rest = (await until(async () => {
      const answer = await gateway.get('/api/v1/quotes/up');
      return answer.status === 200 && answer;
    }, 'the price of before')).json;
    assert.ok(newer(rest, stored) >= 0 && rest.price >= stored.price, `${rest.seq} after ${stored.seq}`);
    release();
  }
  feeding = false;
  await feeder;
  await until(async () => (await gateway.get('/api/v1/quotes/fed')).json.price === fed(), 'the last of all');
  t.diagnostic(`SIGKILL to listening, with the start of a process: median ${median(took)} ms, most ${Math.max(...took)} ms of ${rounds}`);
  assert.ok(median(took) < 5000, 'a start takes no seconds');
});

test('one after the other: by seq a client knows what is old', { timeout: 120_000 }, async (t) => {
  const { start, redis } = await rising(t);
  const first = await start();
  const follow = async (gateway, since) => {
    const client = await connectWs(gateway.wsUrl);
    t.after(() => client.terminate());
    client.send({ action: 'subscribe', symbols: ['up'], ...(since ? { since: { up: since } } : {}) });
    await client.nextType('subscribed');
    return client;
  };
  const a = await follow(first);
  await a.nextQuote('up', (q, m) => !m.snapshot);
  const second = await start({ beside: true, port: 0 });
  const b = await follow(second);
  // Both poll; each hears of the other's prices. A client of both takes what is newer by seq.
  const of = (client) => client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data);
  const owners = (client) => new Set(of(client).map((q) => seqOf(q)[0])).size;
  await until(() => owners(a) === 2 && owners(b) === 2, 'each client sees prices of both', 30_000);
  const ofA = of(a);
  const last = ofA.at(-1);
  const stray = JSON.stringify({ ...ofA[0], price: 0.01, ts: ofA[0].ts - 60_000, seq: '1:1' });
  await redis.command('PUBLISH', 'up:price:stream', stray);
  await b.nextQuote('up', (q) => q.price > last.price);
  first.signal('SIGTERM');
  assert.equal((await a.nextType('goaway')).reason, 'shutdown');
  const c = await follow(second, last.seq);
  const next = await c.nextQuote('up', (q) => newer(q, last) > 0 || q.ts > last.ts);
  assert.ok(next.ts >= last.ts && next.price >= last.price, 'time goes on');
  for (const client of [a, b, c]) {
    const all = of(client);
    for (let i = 1; i < all.length; i++) assert.ok(all[i].ts >= all[i - 1].ts, 'never back');
    const own = (owner) => all.filter((q) => seqOf(q)[0] === owner).map((q) => seqOf(q)[1]);
    for (const owner of new Set(all.map((q) => seqOf(q)[0]))) assert.deepEqual(own(owner), [...own(owner)].sort((x, y) => x - y));
  }
});

const HERD = long ? 5000 : 600;

test(`${HERD} clients come back at once`, { timeout: 300_000 }, async (t) => {
  const { upstream, redis, gateway, connect } = await scene(t, {
    redis: true,
    script: (u) => u.set('yahoo', 'A', ok({ price: '10.5' })),
    config: { instruments: [instrument('a', [['yahoo', 'A']], { poll_ms: 3_600_000 }), external('b')] },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/a')).status === 200, 'the one poll');
  const survivors = await Promise.all(Array.from({ length: 20 }, () => connect()));
  for (const client of survivors) {
    client.send({ action: 'subscribe', symbols: ['*'] });
    await client.nextType('subscribed');
  }
  let n = 0;
  let feeding = true;
  const feeder = (async () => {
    for (; feeding; await sleep(20))
      await redis.command('PUBLISH', 'b:price:stream', `{"symbol":"b","price":${++n},"ts":${Date.now()}}`);
  })();
  t.after(() => (feeding = false));
  const clients = (count) => until(async () => (await gateway.metric('pricegate_connections')) === count, `${count} clients`, 60_000);
  const size = () => gateway.metric('process_resident_memory_bytes');
  const before = await size();
  let came, most;
  for (let round = 0; round < (long ? 3 : 1); round++) {
    const began = Date.now();
    const crowd = await gather(gateway.port, HERD, 1, HERD);
    t.after(() => crowd.leave());
    await until(() => crowd.members.every((m) => m.snapshots > 0), 'each has its snapshot', 60_000);
    came = Date.now() - began;
    await clients(HERD + survivors.length);
    most = await size();
    crowd.leave();
    await clients(survivors.length);
  }
  const last = n + 1;
  await Promise.all(survivors.map((client) => client.nextQuote('b', (q) => q.price >= last)));
  for (const client of survivors) {
    assert.equal(client.socket.readyState, 1);
    const prices = client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data.filter((q) => q.symbol === 'b').map((q) => q.price));
    assert.ok(prices.length >= Math.min(10, n / 4), `${prices.length} of ${n} prices`);
  }
  feeding = false;
  await feeder;
  assert.equal(upstream.requests().length, 1, 'nobody upstream was asked because of it');
  if (!sanitized) await until(async () => (await size()) < 1.1 * before + MB, 'the memory is given back', 20_000);
  const [a, b, c] = [before, most, await size()].map((bytes) => (bytes / MB).toFixed(1));
  t.diagnostic(`served in ${came} ms; memory before, with them and after: ${a}, ${b}, ${c} MB`);
});
