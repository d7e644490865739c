// The network between the program and Redis is cut, in two ways, or loses packets; both ends live.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { busScene } from '../support/bus_scene.js';
import { sanitized } from '../support/gateway.js';
import { makeNetwork } from '../support/network.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/wait.js';

const PARTITION_MS = 30_000;

const CUTS = [
  { name: 'packets vanish', cut: (network) => network.drop(), why: /no (answer|connection)/ },
  { name: 'a reset answers', cut: (network) => network.reset(), why: /reset|refused/i },
];

/** A Redis at the other end of the cable. The test's own connection goes by its socket, past the cut. */
async function distant(t) {
  const network = makeNetwork();
  if (network.missing) {
    t.skip(network.missing);
    return null;
  }
  t.after(() => network.remove());
  const redis = await startRedis({
    wrap: network.wrap,
    args: ['--port', '6379', '--bind', network.address, '--protected-mode', 'no'],
  });
  t.after(() => redis.stop());
  const s = await busScene(t, { redis, via: `redis://${network.address}:6379/0` });
  return { network, redis, s };
}

test(
  'Redis is out of reach',
  { concurrency: true, skip: process.env.LONG ? false : 'half a minute: LONG=1' },
  (t) =>
    Promise.all([
      ...CUTS.map(({ name, cut, why }) =>
        t.test(name, async (t) => {
          const scene = await distant(t);
          if (!scene) return;
          const { network, redis, s } = scene;
          await s.goesOn();
          const start = Date.now();
          cut(network);
          t.diagnostic(`noticed after ${await s.noticed(name, start)} ms`);
          const rss = s.rssKb();
          // What another program says meanwhile is not heard, but read afterwards.
          const missed = `{"symbol":"tea","price":0.5,"ts":${Date.now()},"recv":${Date.now()}}`;
          await redis.command('SET', 'tea:price:latest', missed, 'EX', 600);
          while (Date.now() - start < PARTITION_MS) await s.goesOn();
          assert.ok(await s.degraded());
          if (!sanitized) assert.ok(s.rssKb() - rss < 2048, `${rss} KiB became ${s.rssKb()}`);
          assert.match(s.lines('bus_down')[0].why, why);
          const healed = Date.now();
          network.heal();
          t.diagnostic(`back after ${await s.recovered(name, healed)} ms`);
          assert.ok(s.client.messages.some((m) => m.text.includes(missed)));
          s.calm();
        }),
      ),
      t.test('three of ten packets are lost', async (t) => {
        const scene = await distant(t);
        if (!scene) return;
        const { network, s } = scene;
        const start = Date.now();
        network.lose(0.3);
        while (Date.now() - start < PARTITION_MS) await s.goesOn();
        t.diagnostic(`lost ${await s.gateway.metric('pricegate_bus_reconnects_total')} times meanwhile`);
        network.heal();
        await s.recovered('loss');
        await until(async () => !(await s.degraded()), 'it stays');
        s.calm();
      }),
    ]),
);
