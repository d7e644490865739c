// limits.connection_age_s: connections are told to move, and closed, each at its own moment; whoever
// listens to that misses nothing.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { describe, test } from 'node:test';

import WebSocket from 'ws';

import { parseExact } from '../../web/client/exact.js';
import { PriceFeed } from '../../web/client/index.js';
import { watch } from '../support/feed.js';
import { request, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { freePort, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const AGE_S = 2; // the least that leaves room for everything: told after 0.5 to 1.5 s, closed after 1 to 2

/** A program fed by this test: publish(n) is the price n of coffee, whose version is n. */
async function market(t, config = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const complete = {
    redis: { url: redis.url },
    fanout: { flush_ms: 0 },
    instruments: [external('coffee'), external('tea')],
    limits: { connection_age_s: AGE_S },
    drain_s: 0,
    ...config,
  };
  const start = async (options) => {
    const gateway = await startGateway(complete, options);
    t.after(() => gateway.stop());
    await until(async () => !(await gateway.get('/readyz')).json.degraded.includes('bus'), 'the bus is whole');
    return gateway;
  };
  const publish = async (n) => {
    const text = JSON.stringify({ symbol: 'coffee', price: n, ts: Date.now(), seq: `a0:${n}`, state: 'live' });
    await redis.command('SET', 'coffee:price:latest', text, 'EX', 600);
    await redis.command('PUBLISH', 'coffee:price:stream', text);
  };
  return { start, publish };
}

const closedByAge = (gateway) => gateway.metric('pricegate_disconnects_total{reason="age"}');

// Most of it is waiting: side by side.
describe('limits.connection_age_s', { concurrency: true }, () => {
  // That each has a moment of its own, and when: tests/unit/fanout/test_age.c, where time is in the test's hands.
  test('goaway, then 1001; counted and logged by its reason', async (t) => {
    const { start } = await market(t);
    const gateway = await start();
    await Promise.all(Array.from({ length: 12 }, async () => {
      const client = await connectWs(gateway.wsUrl);
      t.after(() => client.terminate());
      const goaway = await client.nextType('goaway', 20_000);
      assert.equal(goaway.reason, 'age');
      assert.ok(goaway.reconnect_ms >= 0 && goaway.reconnect_ms <= (AGE_S * 1000) / 16, goaway.text);
      assert.deepEqual(await within(client.closed, 'the close', 20_000), { code: 1001, reason: 'age' });
    }));
    await until(async () => (await closedByAge(gateway)) === 12, 'counted');
    assert.ok(gateway.logs.some((l) => l.event === 'client_closed' && l.reason === 'age'));
  });

  test('an event stream is told when to come back, and goes on from its last id', async (t) => {
    const { start, publish } = await market(t);
    const gateway = await start();
    await publish(1);
    const stream = async (id) => {
      const headers = id ? { 'Last-Event-ID': id } : {};
      const response = await new Promise((resolve, reject) => {
        http.get(`${gateway.url}/api/v1/stream?symbols=coffee`, { headers, agent: false }, resolve).on('error', reject);
      });
      let text = '';
      response.setEncoding('utf8').on('data', (more) => (text += more)).on('error', () => {});
      await within(new Promise((resolve) => response.on('close', resolve)), 'the end', 20_000);
      return { retries: [...text.matchAll(/^retry: (\d+)$/gm)].map((m) => Number(m[1])), ids: [...text.matchAll(/^id: (.*)$/gm)].map((m) => m[1]), text };
    };
    await until(async () => (await gateway.get('/api/v1/quotes/coffee')).json.price === 1, 'held');
    const first = await stream();
    assert.ok(first.retries[0] >= 2000 && first.retries[0] <= 4000, 'for an end without a word');
    assert.ok(first.retries[1] <= (AGE_S * 1000) / 16, 'for this one');
    assert.equal(first.retries.length, 2);
    assert.match(first.text, /"price":1,/);
    assert.equal(await closedByAge(gateway), 1);
    const second = stream(first.ids.at(-1));
    await until(async () => (await gateway.metric('pricegate_connections')) === 1, 'back');
    await publish(2);
    const { text } = await second;
    assert.match(text, /"price":2,/);
    assert.doesNotMatch(text, /"price":1,/);
  });

  for (const [transport, parse] of [['ws'], ['ws', parseExact], ['sse']]) {
    test(`${transport}${parse ? ', exact' : ''}: the client library moves again and again; nothing is missed, nothing comes twice`, async (t) => {
      const { start, publish } = await market(t);
      const gateway = await start();
      const feed = watch(t, new PriceFeed(gateway.url, { WebSocket, transport, graceMs: 60_000, ...(parse && { parse }) }));
      const heard = [];
      feed.subscribe('coffee', { onQuote: (q) => heard.push(Number(q.price)) });
      await feed.is('live');
      let n = 0;
      let longest = 0;
      while ((await closedByAge(gateway)) < 3) {
        const began = performance.now();
        await publish(++n);
        await feed.has('coffee', n);
        longest = Math.max(longest, performance.now() - began);
      }
      assert.deepEqual(heard, Array.from({ length: n }, (_, i) => i + 1));
      assert.ok(!feed.statuses.some((s) => s.reason === 'disconnected'), 'no price was doubted');
      assert.deepEqual(feed.errors, []);
      // As a rule the next WebSocket is there before the old one is given up (client-life.test.js); on a busy machine
      // half a second may be too short for it.
      const gaps = feed.states.filter((s) => s.state === 'reconnecting').length;
      t.diagnostic(`${n} prices over 4 connections, ${gaps} gaps, the longest from Redis to the reader ${Math.round(longest)} ms`);
    });
  }

  test('a reload takes another age at once, for those who are there', async (t) => {
    const { start } = await market(t, { limits: {} });
    const gateway = await start();
    const client = await connectWs(gateway.wsUrl);
    t.after(() => client.terminate());
    writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, limits: { connection_age_s: AGE_S } }));
    const { json } = await gateway.post('/admin/reload');
    assert.deepEqual(json.needs_restart, []);
    assert.equal((await client.nextType('goaway', 20_000)).reason, 'age');
    assert.equal((await within(client.closed, 'the close', 20_000)).code, 1001);
  });

  test('load moves to a new process on the port', async (t) => {
    const port = await freePort();
    const { start } = await market(t, { listen: { share: true, metrics_port: 0 } });
    const old = await start({ port });
    const feeds = Array.from({ length: 24 }, () => watch(t, new PriceFeed(old.url, { WebSocket, graceMs: 60_000 })));
    for (const feed of feeds) {
      feed.subscribe('*');
      await feed.is('live');
    }
    const fresh = await start({ port });
    const { metrics_port } = await fresh.log('listening');
    const at = async () => {
      const { body } = await request(`http://127.0.0.1:${metrics_port}`, { path: '/metrics' });
      return Number(/^pricegate_connections (\d+)$/m.exec(body)[1]);
    };
    await until(async () => (await at()) >= 4, 'the new one has its share', 30_000);
    assert.ok(!feeds.some((feed) => feed.statuses.some((s) => s.reason === 'disconnected')));
  });
});
