// An upgrade without a gap, as README has it: the new program begins beside the old one, on the same port
// (listen.share); when it is ready, the old one drains. Whoever knocks meanwhile gets an answer, and no client misses
// a price: each symbol here is priced only once in the whole time.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { PriceFeed } from '../../web/client/index.js';
import { watch } from '../support/feed.js';
import { request, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { freePort, sleep, until, within } from '../support/wait.js';

const SYMBOLS = 200;
const CLIENTS = 10;

test('from one process to the next: nobody is turned away, no price is missed', { timeout: 120_000 }, async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const port = await freePort();
  const symbols = Array.from({ length: SYMBOLS }, (_, i) => `S${i}`);
  const config = {
    listen: { share: true, metrics_port: 0 }, redis: { url: redis.url }, drain_s: 2, instruments: symbols.map((s) => external(s)),
  };
  const start = async () => {
    const gateway = await startGateway(config, { port });
    t.after(() => gateway.stop());
    const { metrics_port } = await gateway.log('listening');
    await until(async () => (await request(`http://127.0.0.1:${metrics_port}`, { path: '/readyz' })).status === 200, 'ready');
    gateway.clients = async () => Number(/^pricegate_connections (\d+)$/m.exec((await request(`http://127.0.0.1:${metrics_port}`, { path: '/metrics' })).body)[1]);
    return gateway;
  };
  const before = await start();
  const feeds = Array.from({ length: CLIENTS }, () => watch(t, new PriceFeed(`http://127.0.0.1:${port}/`, { WebSocket })));
  for (const feed of feeds) feed.subscribe('*');
  for (const feed of feeds) await feed.is('live');
  assert.equal(await before.clients(), CLIENTS);

  let on = true;
  t.after(() => (on = false));
  const knocks = { answered: 0, failed: [] };
  const knocking = (async () => {
    for (; on; await sleep(2)) {
      await request(`http://127.0.0.1:${port}/healthz`).then((r) => (assert.equal(r.status, 200), knocks.answered++), (error) => knocks.failed.push(error.message));
    }
  })();
  let priced = 0;
  let moved = false;
  const pricing = (async () => {
    for (const symbol of symbols) {
      const item = `{"symbol":"${symbol}","price":${++priced},"ts":${Date.now()}}`;
      await redis.command('SET', `${symbol}:price:latest`, item, 'EX', 600);
      await redis.command('PUBLISH', `${symbol}:price:stream`, item);
      // Some are left for afterwards, however long it takes.
      if (!moved && priced < SYMBOLS - 20) await sleep(25);
      else await until(() => moved, 'the change', 60_000);
    }
  })();
  await until(() => priced > 20, 'prices come');
  const began = Date.now();
  const after = await start();
  before.signal('SIGTERM');
  assert.deepEqual(await within(before.exited, 'the old one has drained', 20_000), { code: 0, signal: null });
  t.diagnostic(`the old one has gone after ${Date.now() - began} ms; ${priced} of ${SYMBOLS} prices by then`);
  await until(async () => (await after.clients()) === CLIENTS, 'all are at the new one', 20_000);
  t.diagnostic(`everybody has come over after ${Date.now() - began} ms; ${priced} prices by then`);
  moved = true;
  await pricing;
  for (const feed of feeds) {
    await until(() => symbols.every((s, i) => Number(feed.quote(s)?.price) === i + 1), `all prices; missing: ${symbols.filter((s) => !feed.quote(s))}`);
    const told = feed.quotes.map((q) => q.symbol ?? q.item?.symbol);
    assert.equal(new Set(told).size, SYMBOLS, 'each was told of');
  }
  on = false;
  await knocking;
  t.diagnostic(`${knocks.answered} knocked meanwhile, ${knocks.failed.length} in vain`);
  assert.deepEqual(knocks.failed, []);
  assert.ok(knocks.answered > 20);
});
