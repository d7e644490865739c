// A thousand clients that want everything, fifty quotes a second: nothing is lost, nobody leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gather } from '../support/crowd.js';
import { sanitized, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { sleep, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const CLIENTS = sanitized ? 200 : 1000; // what a program serves that is ten times slower
const PER_SECOND = 50;
const SECONDS = process.env.LONG ? 30 : 5;

test(`${CLIENTS} clients on *, ${PER_SECOND} quotes a second`, { timeout: 300_000 }, async (t) => {
  const symbols = Array.from({ length: PER_SECOND }, (_, i) => `S${i}`);
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: symbols.map((s) => external(s)),
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');

  const quotes = PER_SECOND * SECONDS;
  const crowd = await gather(gateway.port, CLIENTS, quotes);
  t.after(() => crowd.leave());
  await until(async () => (await gateway.metric('pricegate_connections')) === CLIENTS, 'all are counted');

  // Each symbol once a second, and not before everybody has its last: not one update may be merged
  // away. On a machine that is busy with other things the pace drops.
  let due = Date.now();
  for (let n = 0; n < quotes; n++) {
    if (n % PER_SECOND === 0) await until(() => crowd.fewest() === n, `every client has ${n} quotes`, 60_000);
    await sleep(Math.max(0, due - Date.now()));
    due = Math.max(due, Date.now() - 10) + 1000 / PER_SECOND;
    const symbol = symbols[n % symbols.length];
    const text = `{"symbol":"${symbol}","price":${100 + n}.50,"ts":${Date.now()},"n":${n}}`;
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
  }
  await until(() => crowd.fewest() === quotes, 'every client has every quote', 60_000);
  assert.equal(crowd.closed(), 0);
  assert.equal(crowd.twice(), 0, 'nothing twice');
  assert.equal(await gateway.metric('pricegate_connections'), CLIENTS);
  assert.equal(await gateway.metric('pricegate_deliveries_total'), CLIENTS * quotes);
  const slow = await gateway.metric('pricegate_disconnects_total{reason="slow"}');
  assert.ok(Number.isNaN(slow) || slow === 0);
});

test('a client that does not read costs the others nothing, and catches up with the newest', { timeout: 60_000 }, async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await startGateway({
    redis: { url: redis.url },
    fanout: { sndbuf_bytes: 8192 },
    instruments: [external('coffee'), external('tea')],
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
  const [slow, quick] = await Promise.all([connectWs(gateway.wsUrl), connectWs(gateway.wsUrl)]);
  t.after(() => [slow, quick].forEach((c) => c.terminate()));
  for (const client of [slow, quick]) {
    client.send({ action: 'subscribe', symbols: ['*'] });
    await client.nextType('subscribed');
  }
  slow.socket.pause();
  // Enough to fill every buffer on the way.
  const pad = 'x'.repeat(3000);
  let n = 0;
  const publish = async () => {
    n++;
    const text = `{"symbol":"coffee","price":${n}.5,"ts":${Date.now()},"pad":"${pad}"}`;
    await redis.command('PUBLISH', 'coffee:price:stream', text);
  };
  await until(async () => {
    for (let i = 0; i < 200; i++) await publish();
    return (await gateway.metric('pricegate_conflated_total{cause="slow"}')) > 0;
  }, 'the slow client is conflated', 30_000, 0);
  await publish();
  const last = n + 0.5;
  await quick.nextQuote('coffee', (q) => q.price === last);
  slow.socket.resume();
  await slow.nextQuote('coffee', (q) => q.price === last);
  const flow = await slow.nextType('flow');
  assert.ok(flow.merged > 0);
  assert.ok(flow.ms >= 0);
  const got = slow.messages.filter((m) => m.type === 'quote').length;
  assert.ok(got < n, `${got} of ${n} frames: the rest was merged away`);
  assert.equal(slow.socket.readyState, 1);
});
