// Where the program listens: both families of addresses, unix sockets, the port for metrics, and one
// port for several processes. Who counts as local, as one address, as a trusted proxy on each.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { request, runCommand, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, testCerts } from '../support/scene.js';
import { freePort, temporaryFolder, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const v6 = Object.values(networkInterfaces()).flat().some((a) => a.address === '::1') ? false : 'this machine has no ::1';
const curl = existsSync('/usr/bin/curl') ? false : 'curl is not installed';

const market = { instruments: [external('coffee'), external('tea')], drain_s: 1 };
const key = (text, role) => ({ name: text, role, sha256: createHash('sha256').update(text).digest('hex') });
const bearer = (text) => ({ headers: { Authorization: `Bearer ${text}` } });

async function start(t, config, options) {
  const gateway = await startGateway({ ...market, ...config }, options);
  t.after(() => gateway.stop());
  return gateway;
}

async function connect(t, url, options) {
  const client = await connectWs(url, options);
  t.after(() => client.terminate());
  return client;
}

const statusOf = (url, options) =>
  connectWs(url, options).then(
    (client) => (client.terminate(), 101),
    (error) => error.status,
  );

const addresses = async (gateway, options) =>
  (await gateway.get('/admin/clients', options)).json.clients.map((c) => c.address).sort();

// --- addresses ---

test('`::` is both families on one port; each caller is who it is', { skip: v6 }, async (t) => {
  const limits = { connections_per_ip: 1 };
  const gateway = await start(t, { listen: { host: '::', trusted_proxies: ['127.0.0.2/32'] }, limits });
  assert.equal(gateway.url, `http://[::]:${gateway.port}`);
  const [four, six] = [`127.0.0.1:${gateway.port}`, `[::1]:${gateway.port}`];
  for (const at of [four, six]) {
    // IPv4 comes as ::ffff:127.0.0.1: it is loopback all the same.
    assert.equal((await request(`http://${at}/whoami`)).json.by, 'local', at);
    assert.equal((await request(`http://${at}/metrics`)).status, 200, at);
    await connect(t, `ws://${at}/ws`);
    assert.equal(await statusOf(`ws://${at}/ws`), 429, `a second one from ${at}`);
  }
  const origin = { headers: { Origin: `http://${six}` } };
  assert.equal((await request(`http://${six}/whoami`, origin)).json.by, 'local');
  // A proxy that is named by its IPv4 range is trusted though it comes to a socket of IPv6.
  const forwarded = { localAddress: '127.0.0.2', headers: { 'X-Forwarded-For': '2001:db8::7' } };
  await connect(t, `ws://${four}/ws`, forwarded);
  assert.equal(await statusOf(`ws://${four}/ws`, { ...forwarded, headers: { 'X-Forwarded-For': '2001:db8::8' } }), 429, 'the same /64');
  await connect(t, `ws://${four}/ws`, { ...forwarded, headers: { 'X-Forwarded-For': '2001:db8:0:1::7' } });
  assert.deepEqual(await addresses({ get: (path) => request(`http://${six}`, { path }) }), ['127.0.0.1', '2001:db8:0:1::7', '2001:db8::7', '::1']);
});

test('status and watch over IPv6, over TLS only to whom the certificate is for', { skip: v6 }, async (t) => {
  const certs = testCerts();
  const run = { env: { SSL_CERT_FILE: certs.ca }, ms: 10_000 };
  const plain = await start(t, { listen: { host: '::1' } });
  const secure = await start(t, { listen: { host: '[::1]', tls: { cert: certs.cert, key: certs.key } } });
  assert.equal(plain.url, `http://[::1]:${plain.port}`);
  assert.equal(secure.url, `https://[::1]:${secure.port}`);
  for (const gateway of [plain, secure]) {
    const status = await runCommand(['status', '--url', gateway.url], run);
    assert.equal(status.code, 0, status.stderr);
    // Refused by the gateway: it was reached, and the Host header was one.
    const watch = await runCommand(['watch', 'nothing', '--url', gateway.url], run);
    assert.match(watch.stderr, /nothing: unknown_symbol/);
  }
  const { elsewhere } = certs.wrong();
  const file = (name, text) => {
    const path = join(plain.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const other = await start(t, { listen: { host: '::1', tls: { cert: file('c', elsewhere.cert), key: file('k', elsewhere.key) } } });
  const watch = await runCommand(['watch', 'coffee', '--url', other.url], run);
  assert.equal(watch.code, 1);
  assert.doesNotMatch(watch.stderr, /HTTP status/, 'not one byte of a request is sent');
  assert.equal(await other.log((l) => l.event === 'listening').then((l) => l.addresses), `[::1]:${other.port}`);
});

// --- unix sockets ---

const atSocket = (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  return join(folder.path, 'http.sock');
};

test('a unix socket: HTTP, WebSocket, events, curl; nobody on it is local', async (t) => {
  const path = atSocket(t);
  const gateway = await start(t, { listen: { host: `unix:${path}` } });
  assert.equal(gateway.url, `unix:${path}`);
  assert.equal(statSync(path).mode & 0o7777, 0o660);
  assert.equal((await gateway.get('/healthz')).status, 200);
  // Whoever writes "localhost" there may be anybody whom a proxy lets through.
  assert.equal((await gateway.get('/whoami')).json.by, 'anonymous');
  assert.equal((await gateway.get('/metrics')).status, 401);
  assert.equal((await gateway.post('/data-health/refresh-all')).status, 401);
  const client = await connect(t, gateway.wsUrl);
  client.send({ action: 'subscribe', symbols: ['*'] });
  assert.deepEqual((await client.nextType('subscribed')).active, ['coffee', 'tea']);
  const events = await new Promise((resolve, reject) => {
    http.get({ socketPath: path, path: '/api/v1/stream?symbols=*' }, resolve).on('error', reject);
  });
  assert.equal(events.headers['content-type'], 'text/event-stream');
  events.destroy();
  const page = await gateway.get('/');
  assert.match(page.body, /<title>/);
});

test('curl --unix-socket', { skip: curl }, async (t) => {
  const path = atSocket(t);
  await start(t, { listen: { host: `unix:${path}` } });
  const { stdout } = await promisify(execFile)('curl', ['-s', '--unix-socket', path, 'http://localhost/readyz']);
  assert.equal(JSON.parse(stdout).ready, true);
});

test('a proxy at the unix socket: believed where it is trusted, and only there', async (t) => {
  const path = atSocket(t);
  const auth = { keys: [key('ops', 'admin')] };
  const limits = { connections_per_ip: 1 };
  const forwarded = (address) => ({ headers: { 'X-Forwarded-For': address } });
  const trusting = await start(t, { listen: { host: `unix:${path}`, trusted_proxies: ['unix:'] }, auth, limits });
  await connect(t, trusting.wsUrl, forwarded('192.0.2.7'));
  await connect(t, trusting.wsUrl, forwarded('192.0.2.8, unix:')); // nginx behind nginx
  assert.equal(await statusOf(trusting.wsUrl, forwarded('192.0.2.7')), 429);
  assert.deepEqual(await addresses(trusting, bearer('ops')), ['192.0.2.7', '192.0.2.8']);
  await trusting.post('/admin/reload', forwarded('192.0.2.9'));
  assert.equal((await trusting.log((l) => l.event === 'audit' && l.result === 'auth_required')).address, '192.0.2.9');
  await trusting.stop();

  const wary = await start(t, { listen: { host: `unix:${path}`, trusted_proxies: ['0.0.0.0/0', '::/0'] }, auth, limits });
  await connect(t, wary.wsUrl, forwarded('192.0.2.7'));
  assert.equal(await statusOf(wary.wsUrl, forwarded('192.0.2.8')), 429, 'all on the socket are one');
  assert.deepEqual(await addresses(wary, bearer('ops')), ['unix:']);
});

test('the socket is removed at the end, replaced after a violent one, and never taken from the living', async (t) => {
  const path = atSocket(t);
  const config = { listen: { host: `unix:${path}` } };
  const first = await start(t, config);
  const second = await runCommand(['run', '--config', first.file], { ms: 10_000 });
  assert.equal(second.code, 1);
  assert.equal(second.stderr.trim(), `pricegate: unix:${path}: address in use: another process listens there`);
  assert.equal((await first.get('/healthz')).status, 200, 'the first is not disturbed');
  await first.kill();
  assert.ok(existsSync(path), 'what a killed process leaves');
  const third = await start(t, config);
  assert.equal((await third.get('/healthz')).status, 200);
  await third.stop();
  assert.ok(!existsSync(path));
});

test('status and watch over a unix socket, by --url and by the configuration', async (t) => {
  const path = atSocket(t);
  const gateway = await start(t, { listen: { host: `unix:${path}` }, auth: { keys: [key('ops', 'analyst')] } });
  for (const where of [['--url', gateway.url], ['--config', gateway.file]]) {
    const status = await runCommand(['status', ...where, '--token', 'ops']);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /coffee/);
    const watch = await runCommand(['watch', 'nothing', ...where]);
    assert.match(watch.stderr, /nothing: unknown_symbol/);
  }
  const none = await runCommand(['status', '--url', `unix:${path}.not`]);
  assert.deepEqual([none.code, none.stderr.trim()], [1, `pricegate: unix:${path}.not/data-health/status: nobody listens there, or it may not be written to`]);
  const nobody = await runCommand(['watch', 'coffee', '--url', `unix:${path}.not`]);
  assert.deepEqual([nobody.code, nobody.stderr.trim()], [1, `pricegate: unix:${path}.not: no connection: No such file or directory`]);
});

test('one that does not read on a unix socket is merged for, and gets the last value', async (t) => {
  const path = atSocket(t);
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await start(t, {
    listen: { host: `unix:${path}`, metrics_port: 0 },
    redis: { url: redis.url },
    fanout: { flush_ms: 0, sndbuf_bytes: 4096 },
  });
  const { metrics_port } = await gateway.log('listening');
  const merged = async () => {
    const { body } = await request(`http://127.0.0.1:${metrics_port}/metrics`);
    return Number(/^pricegate_conflated_total\{cause="slow"\} (\d+)/m.exec(body)[1]);
  };
  const client = await connect(t, gateway.wsUrl);
  client.send({ action: 'subscribe', symbols: ['coffee'] });
  await client.nextType('quote');
  client.socket.pause();
  let n = 0;
  const pad = 'x'.repeat(2000);
  await until(async () => {
    for (let i = 0; i < 50; i++) {
      const text = JSON.stringify({ symbol: 'coffee', price: ++n, ts: Date.now(), seq: `a0:${n}`, pad });
      await redis.command('PUBLISH', 'coffee:price:stream', text);
    }
    return (await merged()) > 0;
  }, 'merged', 30_000);
  client.socket.resume();
  await client.next((m) => m.type === 'quote' && m.data.at(-1).price === n, 10_000, 'the last');
  await client.nextType('flow');
});

// --- listen.metrics_port ---

test('the port for metrics: three routes for anybody, plain, where listen.metrics_host says', async (t) => {
  const certs = testCerts();
  const path = atSocket(t);
  const auth = { anonymous_role: null, keys: [key('ops', 'admin')] };
  const cases = [
    [{ host: '127.0.0.1' }, '127.0.0.1'],
    [{ host: '127.0.0.1', tls: { cert: certs.cert, key: certs.key } }, '127.0.0.1'],
    [{ host: '127.0.0.1', metrics_host: '127.0.0.2' }, '127.0.0.2', '127.0.0.1'],
    [{ host: `unix:${path}` }, '127.0.0.1', '127.0.0.2'],
    ...(v6 ? [] : [[{ host: '::1' }, '[::1]', '127.0.0.1']]),
  ];
  for (const [listen, at, not] of cases) {
    const gateway = await start(t, { listen: { ...listen, metrics_port: 0 }, auth });
    const { metrics_port } = await gateway.log('listening');
    const what = JSON.stringify(listen);
    const url = `http://${at}:${metrics_port}`;
    for (const route of ['/metrics', '/healthz', '/readyz']) {
      assert.equal((await request(url, { path: route })).status, 200, `${what} ${route}`);
    }
    for (const route of ['/', '/api/v1/quotes', '/admin/clients', '/data-health/status', '/docs', '/whoami']) {
      assert.equal((await request(url, { path: route, ...bearer('ops') })).status, 404, `${what} ${route}`);
    }
    assert.equal((await request(url, { method: 'POST', path: '/admin/reload', ...bearer('ops') })).status, 404, what);
    assert.equal(await statusOf(`ws://${at}:${metrics_port}/ws`, bearer('ops')), 404, what);
    if (not) await assert.rejects(request(`http://${not}:${metrics_port}`), /ECONNREFUSED/, what);
    await gateway.stop();
  }
});

// --- listen.share ---

/** Two processes on one port; each told apart by its own port for metrics. */
async function two(t, config) {
  const port = await freePort();
  const shared = { listen: { share: true, metrics_port: 0 }, ...config };
  const both = [await start(t, shared, { port }), await start(t, shared, { port })];
  for (const gateway of both) {
    const { metrics_port } = await gateway.log('listening');
    gateway.clients = async () => {
      const { body } = await request(`http://127.0.0.1:${metrics_port}/metrics`);
      return Number(/^pricegate_connections (\d+)/m.exec(body)[1]);
    };
  }
  return both;
}

test('listen.share: both serve; when one goes, the other has everybody', async (t) => {
  const [a, b] = await two(t);
  assert.equal(a.port, b.port);
  const crowd = await Promise.all(Array.from({ length: 64 }, () => connect(t, a.wsUrl)));
  const [atA, atB] = [await a.clients(), await b.clients()];
  assert.equal(atA + atB, 64);
  assert.ok(atA > 0 && atB > 0, `${atA} and ${atB}: the kernel spreads them`);
  const closes = crowd.map((client) => client.closed);
  const stopped = a.stop();
  await until(async () => {
    const client = await connectWs(b.wsUrl).catch(() => null);
    client?.terminate();
    return client && (await b.clients()) >= atB;
  }, 'new ones are let in');
  assert.deepEqual(await stopped, { code: 0, signal: null });
  const gone = [];
  closes.forEach((closed, i) => closed.then(({ code }) => gone.push({ i, code })));
  await until(() => gone.length === atA, 'those of the one that went');
  assert.deepEqual([...new Set(gone.map((g) => g.code))], [1001]);
  const more = await Promise.all(Array.from({ length: atA }, () => connect(t, b.wsUrl)));
  assert.equal(more.length, atA);
  await until(async () => (await b.clients()) === 64, 'all are at the other');
});

// Each process has a queue of its own, and to whom is in it, he is connected.
test('listen.share: who waits in the queue of the one that goes is answered', async (t) => {
  const [a] = await two(t, { drain_s: 100 });
  a.signal('SIGSTOP');
  t.after(() => a.signal('SIGCONT'));
  const asked = Array.from({ length: 400 }, (_, i) => {
    const socket = net.connect(a.port, '127.0.0.1');
    const answer = new Promise((resolve) => {
      socket.on('data', (bytes) => resolve(bytes.toString('latin1', 0, 12)));
      socket.on('error', (error) => resolve(error.code));
      socket.on('close', () => resolve('closed without a word'));
    });
    const connected = new Promise((resolve) => socket.on('connect', resolve).on('error', resolve));
    const ask = () => socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    if (i % 2) ask();
    return { answer, connected, ask };
  });
  await within(Promise.all(asked.map((x) => x.connected)), 'all are connected');
  a.signal('SIGTERM');
  a.signal('SIGCONT');
  // The others say what they want only now.
  await a.log('draining');
  asked.filter((_, i) => i % 2 === 0).forEach((x) => x.ask());
  const answers = await within(Promise.all(asked.map((x) => x.answer)), 'all answers');
  assert.deepEqual([...new Set(answers)], ['HTTP/1.1 200']);
  assert.deepEqual(await within(a.exited, 'the end'), { code: 0, signal: null });
});

test('a port that is taken: one sentence, from the second process as from one that would share', async (t) => {
  const first = await start(t, {});
  const sentence = (port, setting) =>
    `pricegate: 127.0.0.1:${port}: address in use: another process listens there; stop it, or choose another ${setting}`;
  for (const share of ['false', 'true']) {
    const second = await runCommand(['run', '--config', first.file, '--port', String(first.port)], { env: { PRICEGATE_LISTEN_SHARE: share } });
    assert.deepEqual([second.code, second.stderr.trim()], [1, sentence(first.port, 'listen.port')]);
  }
  // The one for metrics is not shared: an answer from now this process, now that one, is of no use.
  const [a] = await two(t);
  const { metrics_port } = await a.log('listening');
  const third = await runCommand(['run', '--config', a.file, '--port', String(a.port)], { env: { PRICEGATE_LISTEN_METRICS_PORT: String(metrics_port) } });
  assert.deepEqual([third.code, third.stderr.trim()], [1, sentence(metrics_port, 'listen.metrics_port')]);
});
