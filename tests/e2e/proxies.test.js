// docker/nginx and docker/haproxy: the examples as they are, in Debian's nginx and HAProxy, in front of two real
// gateways that share a Redis.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import https from 'node:https';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import WebSocket from 'ws';

import { PriceFeed } from '../../web/client/index.js';
import { missing, startBalancer } from '../support/balancers.js';
import { watch } from '../support/feed.js';
import { request, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, testCerts } from '../support/scene.js';
import { freePort, temporaryFolder, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const KEY = 'key-of-the-operators';
const key = { name: 'ops', role: 'admin', sha256: createHash('sha256').update(KEY).digest('hex') };
const bearer = { authorization: `Bearer ${KEY}` };
const CLIENT = '127.0.0.2'; // where clients come from, so that they can be told from the proxy

/** Two gateways behind the proxy of that name, one Redis; publish(n) is the price n of coffee. */
async function behind(t, name, { keys = [key], secure = false, unix = false } = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const sockets = temporaryFolder();
  t.after(() => sockets.remove());
  const socket = unix ? join(sockets.path, 'a.sock') : undefined;
  const start = async (ports = {}) => {
    const metricsPort = ports.metricsPort ?? (await freePort());
    const gateway = await startGateway({
      listen: {
        metrics_port: metricsPort,
        ...(unix ? { host: `unix:${socket}`, trusted_proxies: ['unix:'] } : { trusted_proxies: ['127.0.0.1/32'] }),
        ...(secure ? { tls: { cert: testCerts().cert, key: testCerts().key } } : {}),
      },
      redis: { url: redis.url }, auth: { keys }, fanout: { flush_ms: 0 }, drain_s: 2,
      instruments: [external('coffee')],
    }, { port: ports.port });
    t.after(() => gateway.stop());
    const ready = () => request(`http://127.0.0.1:${metricsPort}/readyz`);
    await until(async () => !(await ready()).json.degraded.includes('bus'), 'the bus is whole');
    const ask = (path) => gateway.get(path, { headers: bearer, ca: testCerts().pem.ca });
    return Object.assign(gateway, {
      metricsPort, socket,
      clients: async () => (await ask('/admin/clients')).json.clients,
    });
  };
  const gateways = unix ? [await start()] : [await start(), await start()];
  const proxy = await startBalancer(t, name, gateways, { secure });
  const publish = async (n) => {
    const text = JSON.stringify({ symbol: 'coffee', price: n, ts: Date.now(), seq: `a0:${n}`, state: 'live' });
    await redis.command('SET', 'coffee:price:latest', text, 'EX', 600);
    await redis.command('PUBLISH', 'coffee:price:stream', text);
  };
  const connect = async (options) => {
    const client = await connectWs(`${proxy.wsUrl}?token=${KEY}`, { ca: proxy.ca, localAddress: CLIENT, family: 4, origin: new URL(proxy.url).origin, ...options });
    t.after(() => client.terminate());
    return client;
  };
  return { gateways, proxy, publish, connect, start };
}

const forged = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };

/** A page follows prices through the proxy, and the gateway knows where it comes from. */
async function followed({ gateways, publish, connect }) {
  // The last one comes from where the proxy is: of a list, its own claim would be believed.
  for (const [i, [localAddress, headers]] of [[CLIENT, {}], [CLIENT, forged], ['127.0.0.1', forged]].entries()) {
    const client = await connect({ headers, localAddress });
    client.send({ action: 'subscribe', symbols: ['*'], id: 1 });
    await client.nextType('subscribed');
    await publish(i + 1);
    await client.nextQuote('coffee', (q) => q.price === i + 1);
    const all = (await Promise.all(gateways.map((g) => g.clients()))).flat();
    assert.deepEqual(all.map((c) => [c.kind, c.address, c.key]), [['websocket', localAddress, 'ops']]);
    await client.close();
    await until(async () => (await Promise.all(gateways.map((g) => g.clients()))).flat().length === 0, 'it is gone');
  }
}

/** An event stream: take() returns the next price, which must not wait for others to come. */
async function events(t, proxy) {
  const { hostname, port } = new URL(proxy.url);
  const response = await within(new Promise((resolve, reject) => {
    const options = { hostname, port, path: '/api/v1/stream?symbols=coffee', ca: proxy.ca, headers: bearer, agent: false };
    const asked = https.get(options, resolve).on('error', reject);
    t.after(() => asked.destroy());
  }), 'the stream begins');
  assert.equal(response.statusCode, 200);
  assert.match(response.headers['content-type'], /^text\/event-stream/);
  let text = '';
  response.on('data', (part) => (text += part));
  response.on('error', () => {});
  return { has: (n) => until(() => text.includes(`"price":${n},`), `price ${n} by the event stream`) };
}

for (const name of ['nginx', 'haproxy']) {
  describe(name, { skip: missing(name), concurrency: 2 }, () => {
    test('WebSockets, event streams, and where they come from', async (t) => {
      const scene = await behind(t, name);
      await followed(scene);

      const stream = await events(t, scene.proxy);
      for (const n of [4, 5, 6]) {
        await scene.publish(n);
        await stream.has(n);
      }

      assert.equal((await scene.proxy.get('/')).status, 200, 'the page');
      assert.equal((await scene.proxy.get('/')).headers['strict-transport-security'], 'max-age=31536000');
      assert.equal((await scene.proxy.post('/data-health/refresh-market', { headers: bearer })).json.status, 'success');
      const moved = await request(scene.proxy.plainUrl, { path: '/api/v1/quotes?symbols=coffee' });
      assert.deepEqual([moved.status, new URL(moved.headers.location).pathname, new URL(moved.headers.location).protocol], [301, '/api/v1/quotes', 'https:']);
      await assert.rejects(connectWs(scene.proxy.wsUrl, { ca: scene.proxy.ca, origin: 'https://evil.example' }), { status: 403 });
      await until(() => /\/ws/.test(scene.proxy.accessLog()), 'its access log');
      assert.doesNotMatch(scene.proxy.accessLog(), new RegExp(KEY), 'a token is written down');
    });

    test('nobody is local through it', async (t) => {
      const { gateways: [gateway], proxy } = await behind(t, name, { keys: [] });
      assert.equal((await gateway.get('/whoami')).json.role, 'admin', 'who sits at the machine');
      for (const headers of [{}, { host: 'localhost' }, { host: '127.0.0.1', ...forged }, { 'x-forwarded-for': '127.0.0.1' }]) {
        assert.equal((await proxy.get('/whoami', { headers })).json.role, 'viewer', JSON.stringify(headers));
        assert.equal((await proxy.get('/metrics', { headers })).status, 401);
        assert.equal((await proxy.post('/admin/reload', { headers })).status, 401);
      }
    });

    test('TLS to the gateways, too', async (t) => {
      await followed(await behind(t, name, { secure: true }));
    });

    test('a gateway at a unix socket', async (t) => {
      await followed(await behind(t, name, { unix: true }));
    });

    // HAProxy looks for it once a second.
    if (name === 'nginx') test('one is upgraded right after the other: no request fails', async (t) => {
      const { gateways: [a, b], proxy, publish, start } = await behind(t, name);
      await publish(1);
      const answers = async () => {
        const statuses = [];
        for (let i = 0; i < 10; i++) statuses.push((await proxy.get('/api/v1/quotes/coffee', { headers: bearer })).status);
        return statuses;
      };
      const all = Array.from({ length: 10 }, () => 200);
      await until(async () => (await proxy.get('/api/v1/quotes/coffee', { headers: bearer })).status === 200, 'the price');
      await a.stop();
      assert.deepEqual(await answers(), all);
      await start(a);
      await b.stop();
      assert.deepEqual(await answers(), all);
    });

    test('a gateway is stopped and started again: nobody misses a price, no request fails', async (t) => {
      const { gateways: [a, b], proxy, publish, start } = await behind(t, name);
      class Trusting extends WebSocket {
        constructor(url) {
          super(url, { ca: proxy.ca });
        }
      }
      const feeds = Array.from({ length: 12 }, () => watch(t, new PriceFeed(proxy.url, { WebSocket: Trusting, token: KEY })));
      for (const feed of feeds) {
        await feed.is('live');
        feed.subscribe(['coffee']);
      }
      // Each price waits until all have the last one: so whoever misses one can't have it from elsewhere.
      let n = 0;
      const next = async () => {
        await publish(++n);
        for (const feed of feeds) await feed.has('coffee', n);
      };
      for (let i = 0; i < 5; i++) await next();
      const shares = await Promise.all([a, b].map(async (g) => (await g.clients()).length));
      assert.deepEqual(shares, [6, 6]);

      a.signal('SIGTERM');
      let drained = false;
      a.exited.then(() => (drained = true));
      let asked = 0;
      const requests = (async () => {
        for (; !drained || asked < 30; asked++) assert.equal((await proxy.get('/api/v1/quotes/coffee', { headers: bearer })).status, 200);
      })();
      while (!drained) await next();
      await requests;
      for (let i = 0; i < 5; i++) await next();
      assert.equal((await b.clients()).length, 12);
      for (const feed of feeds) {
        const prices = feed.quotes.map((q) => Number(q.price));
        assert.deepEqual(prices, Array.from({ length: n }, (_, i) => i + 1));
      }
      t.diagnostic(`${n} prices to 12 clients, 6 of which moved; ${asked} requests meanwhile`);

      // It is found again, and gets those who come.
      const again = await start(a);
      await until(async () => {
        const client = await connectWs(`${proxy.wsUrl}?token=${KEY}`, { ca: proxy.ca });
        t.after(() => client.terminate());
        return (await again.clients()).length > 0;
      }, 'a client at the one that came back', 30_000, 500);
    });
  });
}
