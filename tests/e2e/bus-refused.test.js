// A Redis that answers, but refuses: what it still allows goes on, readiness and log say the rest, and
// when it gives way everything is made good without a restart.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { busScene } from '../support/bus_scene.js';
import { startGateway } from '../support/gateway.js';
import { startProxy } from '../support/proxy.js';
import { startRedis } from '../support/redis.js';
import { external, instrument } from '../support/scene.js';
import { ok, unknown } from '../support/upstream.js';
import { until } from '../support/wait.js';

const long = !!process.env.LONG;
const commands = (redis, list) => Promise.all(list.map((words) => redis.command(...words.split(' '))));

// --- while it is connected: one command is refused, the rest works ---

const REFUSALS = [
  { name: 'a read-only replica', off: ['REPLICAOF 127.0.0.1 1'], on: ['REPLICAOF NO ONE'], why: 'READONLY' },
  {
    name: 'maxmemory reached, nothing evicted',
    off: ['CONFIG SET maxmemory-policy noeviction', 'CONFIG SET maxmemory 1'],
    on: ['CONFIG SET maxmemory 0'],
    why: 'OOM',
  },
  { name: 'no right to SET', off: ['ACL SETUSER default -set'], on: ['ACL SETUSER default +set'], why: 'NOPERM' },
];

test('Redis refuses to store', { concurrency: true }, (t) =>
  Promise.all(
    REFUSALS.map(({ name, off, on, why }) =>
      t.test(name, async (t) => {
        const redis = await startRedis();
        t.after(() => redis.stop());
        const s = await busScene(t, { redis });
        const heard = await redis.subscribe('coffee:price:stream');
        await commands(redis, off);
        const stored = JSON.parse(await redis.command('GET', 'coffee:price:latest'));
        await s.noticed(name);
        assert.equal(await s.gateway.metric('pricegate_bus_up'), 1); // it is there, after all
        await s.goesOn();
        await heard.next((m) => JSON.parse(m.text).price > stored.price); // published still
        await s.hears(); // read still
        assert.ok((await s.gateway.metric('pricegate_bus_refused_total')) > 0);
        for (const end = Date.now() + (long ? 25_000 : 0); Date.now() < end; ) await s.goesOn();
        assert.ok(await s.degraded());
        const since = Date.now();
        await commands(redis, on);
        await s.recovered(name, since);
        const lines = s.lines('bus_refused');
        assert.ok(lines.length >= (long ? 2 : 1));
        assert.ok(lines[0].why.includes(why) && lines[0].advice, JSON.stringify(lines[0]));
        assert.equal(s.lines('bus_down').length, 0);
        s.calm();
      }),
    ),
  ),
);

// --- it does not let us in ---

const connections = async (redis) =>
  Number(/total_connections_received:(\d+)/.exec(await redis.command('INFO', 'stats'))[1]);

const LOCKED = [
  { name: 'a password is wanted', off: ['CONFIG SET requirepass x'], on: ['CONFIG SET requirepass '], why: 'NOAUTH' },
  {
    name: 'channels are denied',
    off: ['ACL SETUSER default resetchannels'],
    on: ['ACL SETUSER default allchannels'],
    why: 'NOPERM',
  },
  {
    name: 'a replica without its primary, which answers nothing',
    off: ['CONFIG SET replica-serve-stale-data no', 'REPLICAOF 127.0.0.1 1'],
    on: ['REPLICAOF NO ONE'],
    why: 'MASTERDOWN',
  },
  { name: 'maxclients reached', off: ['CONFIG SET maxclients 1'], on: ['CONFIG SET maxclients 100'], why: 'max number' },
];

test('Redis turns us away', { concurrency: true }, (t) =>
  Promise.all(
    LOCKED.map(({ name, off, on, why }) =>
      t.test(name, async (t) => {
        const redis = await startRedis();
        t.after(() => redis.stop());
        const s = await busScene(t, { redis });
        await commands(redis, off);
        // Those who are in stay in; so it shows when the connections are lost.
        await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await s.noticed(name);
        await s.goesOn();
        // Another one, which has never been let in, says why at once.
        const second = await startGateway({ redis: { url: redis.url }, instruments: [external('tea')] });
        t.after(() => second.stop());
        const line = await second.log('bus_down');
        assert.ok(line.why.includes(why) && line.advice, JSON.stringify(line));
        const before = await connections(redis);
        const about = Date.now();
        await s.goesOn();
        await s.goesOn();
        // Two gateways, each with two links at most 10 times a second at first.
        const attempts = (await connections(redis)) - before;
        assert.ok(attempts <= 10 + (Date.now() - about) / 25, `${attempts} attempts in ${Date.now() - about} ms`);
        const since = Date.now();
        await commands(redis, on);
        await s.recovered(name, since);
        await second.log('bus_up', 11_000);
        s.calm();
      }),
    ),
  ),
);

test('Redis is loading its data', async (t) => {
  // 1,500 keys, a millisecond each.
  const redis = await startRedis({
    args: ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'],
  });
  t.after(() => redis.stop());
  const s = await busScene(t, { redis });
  for (let i = 0; i < 1500; i += 100) {
    const pairs = Array.from({ length: 100 }, (_, k) => [`filler-${i + k}`, 'x'.repeat(40)]).flat();
    await redis.command('MSET', ...pairs);
  }
  await redis.command('SAVE');
  await redis.kill();
  await s.noticed('loading');
  await redis.start();
  await assert.rejects(redis.command('GET', 'filler-1'), /LOADING/);
  await s.goesOn();
  const second = await startGateway({ redis: { url: redis.url }, instruments: [external('tea')] });
  t.after(() => second.stop());
  const line = await second.log('bus_down');
  assert.match(line.why, /LOADING/);
  assert.ok(line.advice);
  await until(() => redis.command('GET', 'filler-1').catch(() => null), 'it has loaded', 30_000);
  await s.recovered('loading');
  s.calm();
});

// --- the smallest rights ---

test("the rights that README gives pricegate's user are enough, and no more", async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const line = /^ACL SETUSER pricegate (?:[^\\\n]|\\\n)*/m.exec(readme)?.[0];
  assert.ok(line, 'README has no ACL');
  const words = line.replace(/\\\n/g, ' ').trim().split(/\s+/).map((w) => (w === '>PASSWORD' ? '>s3cret' : w));
  const redis = await startRedis();
  t.after(() => redis.stop());
  await redis.command(...words);
  await redis.command('ACL', 'LOG', 'RESET');
  const proxy = await startProxy({ path: redis.socket });
  t.after(() => proxy.stop());
  const s = await busScene(t, {
    redis,
    via: `redis://pricegate:s3cret@127.0.0.1:${proxy.port}/0`,
    script: (upstream) => {
      upstream.set('openmeteo', '*', ok({ values: { temperature_2m: '21.4' }, units: { temperature_2m: '°C' } }));
      upstream.set('twelvedata', '*', unknown());
    },
    instruments: [instrument('AAPL', [['twelvedata', 'AAPL']])],
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']]),
        external('tea'),
      ],
      observations: [
        { name: 'weather/minas', category: 'weather', poll_ms: 1000, sources: [{ provider: 'openmeteo', symbol: '-21.55,-45.43' }] },
      ],
      breaker: { threshold: 1, timeout_s: 1 },
    },
  });
  assert.equal((await s.gateway.post('/data-health/refresh-all')).status, 200);
  const wanted = [
    'coffee:price:latest', 'weather/minas:observation:latest', 'pricegate:budget:twelvedata',
    'pricegate:reliability:yahoo', 'pricegate:jobs',
  ];
  for (const key of wanted) await until(() => redis.command('EXISTS', key), `the key ${key}`);
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'); // and the way back in
  await s.recovered('rights');
  assert.deepEqual(await redis.command('ACL', 'LOG'), []);
  assert.equal(s.lines('bus_refused').length, 0);
  for (const more of ['FLUSHALL', 'GET other', 'SET coffee:price x', 'PUBLISH other x', 'KEYS *', 'CONFIG GET *']) {
    assert.match(await redis.command('ACL', 'DRYRUN', 'pricegate', ...more.split(' ')), /no permissions/, more);
  }
});
