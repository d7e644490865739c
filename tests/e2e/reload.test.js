// Another configuration while everything goes on: SIGHUP and POST /admin/reload.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { makeCerts } from '../support/certs.js';
import { sanitized, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const sim = (symbol, more = {}) => ({ symbol, poll_ms: 1000, sources: [{ provider: 'sim', symbol }], ...more });
const base = (instruments, more = {}) => ({ instruments, providers: { sim: { enabled: true } }, ...more });

const write = (gateway, config) => writeFileSync(gateway.file, JSON.stringify(config));
async function reload(gateway, config, options) {
  write(gateway, config);
  return gateway.post('/admin/reload', options);
}

async function start(t, config, options) {
  const gateway = await startGateway(config, options);
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).status === 200, 'ready');
  return gateway;
}

async function subscriber(t, gateway, symbols, more = {}, url = gateway.wsUrl) {
  const client = await connectWs(url);
  t.after(() => client.close());
  client.send({ action: 'subscribe', symbols, id: 1, ...more });
  await client.next((m) => m.id === 1);
  return client;
}

test('instruments come and go, and clients are told what concerns them', async (t) => {
  const gateway = await start(t, base([sim('coffee'), sim('EUR/USD'), sim('cocoa')]));
  const all = await subscriber(t, gateway, ['*']);
  const two = await subscriber(t, gateway, ['coffee', 'cocoa']);
  const one = await subscriber(t, gateway, ['coffee']);
  for (const c of [all, two, one]) await c.nextQuote('coffee');
  const before = (await gateway.get('/api/v1/quotes/coffee')).json.seq;
  assert.match((await gateway.get('/metrics')).body, /cocoa/);

  const { status, json } = await reload(gateway, base([sim('EUR/GBP'), sim('coffee', { name: 'Kaffee' }), sim('EUR/USD')]));
  assert.equal(status, 200);
  assert.deepEqual(
    { ...json, config: undefined },
    {
      reloaded: true,
      config: undefined,
      instruments: 3,
      added: ['EUR/GBP'],
      removed: ['cocoa'],
      changed: ['coffee'],
      needs_restart: [],
      warnings: [],
      certificate: null,
    },
  );

  assert.deepEqual(
    await two.next((m) => m.type === 'unsubscribed'),
    { type: 'unsubscribed', symbols: ['cocoa'], active: ['coffee'] },
  );
  const gone = await all.next((m) => m.type === 'unsubscribed');
  assert.deepEqual(gone.symbols, ['cocoa']);
  const joined = await all.next((m) => m.type === 'subscribed');
  assert.deepEqual(joined, { type: 'subscribed', symbols: ['EUR/GBP'], rejected: [], active: ['EUR/GBP', 'coffee', 'EUR/USD'] });
  await all.nextQuote('EUR/GBP', (q) => q.price > 0);
  const epoch = (seq) => parseInt(seq.split(':')[0], 16);
  for (const c of [all, two, one]) await c.nextQuote('coffee', (q) => epoch(q.seq) > epoch(before));
  assert.equal(one.messages.filter((m) => /subscribed/.test(m.type) && !m.id).length, 0, 'who has lost nothing is told nothing');

  assert.deepEqual((await gateway.get('/api/v1/instruments')).json.data.map((i) => i.symbol), ['EUR/GBP', 'coffee', 'EUR/USD']);
  assert.equal((await gateway.get('/api/v1/quotes/cocoa')).status, 404);
  assert.doesNotMatch((await gateway.get('/metrics')).body, /cocoa/);
  one.send({ action: 'subscribe', symbols: ['EUR/GBP', 'cocoa'], id: 2 });
  const ack = await one.next((m) => m.id === 2);
  assert.deepEqual(ack.active, ['EUR/GBP', 'coffee']);
  assert.deepEqual(ack.rejected.map((r) => [r.symbol, r.error]), [['cocoa', 'unknown_symbol']]);
});

test('a configuration that is wrong anywhere changes nothing', async (t) => {
  const gateway = await start(t, base([sim('coffee')]));
  const client = await subscriber(t, gateway, ['*']);
  const wrong = base([sim('cocoa'), sim('a', { symbol: 'a b' }), { ...sim('sugar'), poll_ms: 'soon' }]);
  const { status, json } = await reload(gateway, wrong);
  assert.equal(status, 422);
  assert.equal(json.problems.length, 2, json.problems.join('\n'));
  assert.match(json.problems[0], /^instruments\[1\]\.symbol: /);
  assert.match(json.problems[1], /^instruments\[2\]\.poll_ms: must be a whole number/);

  gateway.signal('SIGHUP');
  await until(() => gateway.logs.filter((l) => l.event === 'reload_failed').length === 4, 'the log says so, too');
  writeFileSync(gateway.file, '{"instruments": [');
  assert.match((await gateway.post('/admin/reload')).json.problems[0], /^.*line 1/);
  // A problem that is told cut within a character is told all the same.
  const cut = await reload(gateway, base([sim('coffee')], { ['\u00e4'.repeat(300)]: 1 }));
  assert.deepEqual(cut.json.problems.map((p) => /^\u00e4+\ufffd: unknown key/.test(p)), [true], JSON.stringify(cut.json));
  const told = (l) => l.event === 'reload_failed' && JSON.stringify(l).includes('\u00e4\u00e4');
  await until(() => gateway.logs.filter(told).length === 1, 'the log says it');
  execFileSync('rm', [gateway.file]);
  assert.match((await gateway.post('/admin/reload')).json.problems[0], /No such file/);

  const key = { name: 'k', role: 'viewer', sha256: sha256('k') };
  write(gateway, base([sim('coffee')], { auth: { keys: [key], jwt: { alg: 'RS256', public_key_file: '/nowhere.pem' } } }));
  const files = await gateway.post('/admin/reload');
  assert.equal(files.status, 422, 'what only shows when it is built counts as well');
  assert.match(files.json.problems[0], /nowhere\.pem: No such file/);

  assert.deepEqual((await gateway.get('/api/v1/instruments')).json.data.map((i) => i.symbol), ['coffee']);
  for (let i = 0; i < 2; i++) await client.nextQuote('coffee');
  assert.equal((await reload(gateway, base([sim('cocoa')]))).status, 200, 'and the next one is as good as ever');
  await client.nextQuote('cocoa');
});

test('SIGHUP does the same, and before the start is over it waits for that', async (t) => {
  const gateway = await startGateway(base([sim('coffee')]));
  t.after(() => gateway.stop());
  write(gateway, base([sim('coffee'), sim('cocoa')]));
  gateway.signal('SIGHUP');
  const line = await gateway.log('reloaded');
  assert.equal(line.instruments, 2);
  assert.equal((await gateway.get('/api/v1/quotes/cocoa')).status, 200);
});

test('what only a restart can change is named, and stays', async (t) => {
  const gateway = await start(t, base([sim('coffee')]));
  const more = {
    listen: { host: '127.0.0.2', metrics_port: 0, tls: { cert: 'a.pem', key: 'b.pem' } },
    redis: { url: 'redis://127.0.0.1:1', prefix: 'x:' },
    fanout: { compression: true, flush_ms: 20 },
  };
  const { status, json } = await reload(gateway, base([sim('coffee')], more));
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(json.needs_restart.sort(), [
    'fanout.compression', 'listen.host', 'listen.metrics_port', 'listen.tls', 'redis.prefix', 'redis.url',
  ]);
  assert.equal((await gateway.log((l) => l.event === 'needs_restart' && l.setting === 'redis.url')).level, 'warn');
  assert.doesNotMatch(gateway.logText(), /127\.0\.0\.1:1"/, 'values are not told');
  const client = await connectWs(gateway.wsUrl, { perMessageDeflate: true });
  t.after(() => client.close());
  assert.equal(client.socket.extensions, '');
});

test('keys: who has lost his is told, others notice nothing', async (t) => {
  const key = (name, more = {}) => ({ name, role: 'viewer', sha256: sha256(name), ...more });
  const limits = { auth_ms: 300 };
  const config = (keys) => base([sim('coffee'), sim('cocoa')], { auth: { anonymous_role: null, keys }, limits });
  const gateway = await start(t, config([key('root', { role: 'admin' }), key('keeps'), key('loses'), key('less')]));
  const as = (name) => ({ headers: { authorization: `Bearer ${name}` } });
  const [keeps, loses, less] = await Promise.all(
    ['keeps', 'loses', 'less'].map((k) => subscriber(t, gateway, ['*'], {}, `${gateway.wsUrl}?token=${k}`)),
  );
  const keys = [key('root', { role: 'admin' }), key('keeps', { role: 'analyst' }), key('less', { symbols: ['co*', 'cocoa'] })];
  keys[2].symbols = ['cocoa'];
  assert.equal((await reload(gateway, config(keys), as('loses'))).status, 403);
  assert.equal((await reload(gateway, config(keys), as('root'))).status, 200);

  assert.equal((await loses.next((m) => m.type === 'error')).code, 401);
  assert.equal((await loses.closed).code, 4001);
  assert.deepEqual((await less.next((m) => m.type === 'unsubscribed')).active, ['cocoa']);
  assert.equal((await gateway.get('/api/v1/quotes', as('loses'))).status, 401);
  await keeps.nextQuote('coffee');
  keeps.send({ action: 'refresh', symbols: ['coffee'], id: 9 });
  assert.equal((await keeps.next((m) => m.id === 9)).type, 'refreshed', 'the role is the new one');
  const audit = await gateway.log((l) => l.event === 'audit' && l.action === 'reload' && l.result === 'ok');
  assert.equal(audit.who, 'root');
  assert.ok(gateway.logs.some((l) => l.event === 'audit' && l.action === 'reload' && l.who === 'loses'), 'refused ones are written down, too');
});

test('whose key is gone gets nothing new, and is not taken for anybody by the next reload', async (t) => {
  const key = (name, more = {}) => ({ name, role: 'viewer', sha256: sha256(name), ...more });
  const root = key('root', { role: 'admin' });
  const config = (keys, ...symbols) => base(symbols.map((s) => sim(s)), { auth: { keys }, limits: { auth_ms: 1500 } });
  const gateway = await start(t, config([root, key('coffee', { symbols: ['coffee'] })], 'coffee'));
  const as = { headers: { authorization: 'Bearer root' } };
  const client = await subscriber(t, gateway, ['*'], {}, `${gateway.wsUrl}?token=coffee`);
  assert.equal((await reload(gateway, config([root], 'coffee', 'cocoa'), as)).status, 200);
  assert.equal((await client.next((m) => m.type === 'error')).code, 401);
  assert.equal((await reload(gateway, config([root], 'coffee', 'cocoa', 'gold'), as)).status, 200);
  client.send({ action: 'list', id: 2 });
  assert.equal((await client.next((m) => m.id === 2)).code, 401);
  assert.equal((await client.closed).code, 4001);
  assert.deepEqual(client.messages.filter((m) => /cocoa|gold/.test(m.text)), []);
});

test('a request whose body comes behind the reload is for the key of then', async (t) => {
  const key = (name) => ({ name, role: 'admin', sha256: sha256(name) });
  const config = (...names) => base([sim('coffee')], { auth: { keys: names.map(key) } });
  const gateway = await start(t, config('root', 'loses'));
  const ask = (name) => {
    const headers = { authorization: `Bearer ${name}`, 'content-length': 2 };
    const request = http.request(`${gateway.url}/data-health/reset-circuit/sim`, { method: 'POST', headers });
    const status = new Promise((resolve, reject) => request.on('response', (r) => resolve(r.resume().statusCode)).on('error', reject));
    const sent = new Promise((resolve) => request.write('{', resolve));
    return { status, sent, finish: () => request.end('}') };
  };
  const requests = [ask('root'), ask('loses')];
  await Promise.all(requests.map((r) => r.sent));
  await until(async () => (await gateway.get('/readyz')).status === 200, 'both are read');
  assert.equal((await reload(gateway, config('root'), { headers: { authorization: 'Bearer root' } })).status, 200);
  for (const r of requests) r.finish();
  assert.deepEqual(await Promise.all(requests.map((r) => r.status)), [200, 401]);
});

test('jobs that ran have run, with Redis away, too', async (t) => {
  const { gateway, upstream } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.9', prev_close: '2.8', currency: 'USD' })),
    config: {
      redis: { url: 'redis://127.0.0.1:1' },
      jobs: { market: { every: 'hourly' } },
      instruments: [instrument('coffee', [['twelvedata', 'KC1']], { poll_ms: 3600000 })],
    },
  });
  const runs = async () => (await gateway.get('/data-health/jobs')).json.jobs.length;
  await until(async () => (await runs()) === 1, 'the job runs');
  const asked = upstream.requests().length;
  assert.equal((await gateway.post('/admin/reload')).status, 200);
  assert.equal(await runs(), 1);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(await runs(), 1);
  assert.equal(upstream.requests().length, asked);
});

test('who was local is not, once there are keys', async (t) => {
  const gateway = await start(t, base([sim('coffee')]));
  const client = await subscriber(t, gateway, ['coffee']);
  const auth = { anonymous_role: 'viewer', keys: [{ name: 'k', role: 'admin', sha256: sha256('k') }] };
  assert.equal((await reload(gateway, base([sim('coffee')], { auth }))).status, 200);
  client.send({ action: 'refresh', symbols: ['coffee'], id: 2 });
  assert.equal((await client.next((m) => m.id === 2)).code, 403);
  await client.nextQuote('coffee');
  assert.equal((await gateway.post('/admin/reload')).status, 401);
});

test('limits, origins and the log are the new ones, for who is there already, too', async (t) => {
  const gateway = await start(t, base([sim('coffee'), sim('cocoa')]));
  const client = await subscriber(t, gateway, ['coffee']);
  const origin = { headers: { origin: 'https://app.example.com' } };
  const allowed = async () => (await gateway.get('/api/v1/quotes', origin)).headers['access-control-allow-origin'];
  assert.equal(await allowed(), undefined);
  const more = {
    origins: ['https://app.example.com'],
    limits: { symbols_per_connection: 1, connections_per_ip: 1, commands_per_minute: 1000 },
    log: { level: 'debug' },
  };
  assert.equal((await reload(gateway, base([sim('coffee'), sim('cocoa')], more))).status, 200);
  assert.equal(await allowed(), 'https://app.example.com');
  client.send({ action: 'subscribe', symbols: ['cocoa'], id: 2 });
  assert.deepEqual((await client.next((m) => m.id === 2)).rejected.map((r) => r.error), ['symbol_limit']);
  await assert.rejects(connectWs(gateway.wsUrl), /refused with 429/, 'who came before is counted');
  await gateway.log((l) => l.level === 'debug');
  await client.close();
  await until(() => connectWs(gateway.wsUrl).then((c) => c.close().then(() => true), () => false), 'there is room again');
});

test('intervals, fields, patterns, event streams and their ids go on', async (t) => {
  const gateway = await start(t, base([sim('zinc'), sim('coffee'), sim('cocoa')], { fanout: { heartbeat_ms: 1000 } }));
  const fields = await subscriber(t, gateway, ['coffee'], { fields: ['price'] });
  const slow = await subscriber(t, gateway, ['cocoa'], { interval_ms: 3000 });
  const pattern = await subscriber(t, gateway, ['*'], { fields: ['price'], interval_ms: 500 });
  const events = [];
  const request = http.get(`${gateway.url}/api/v1/stream?symbols=coffee,zinc`, (response) => {
    response.setEncoding('utf8');
    response.on('data', (text) => events.push(...text.split('\n\n').filter((e) => /event: quote/.test(e))));
  });
  t.after(() => request.destroy());
  await until(() => events.length >= 2, 'events');
  await slow.nextQuote('cocoa');

  assert.equal((await reload(gateway, base([sim('coffee'), sim('cocoa'), sim('gold')], { fanout: { heartbeat_ms: 1000 } }))).status, 200);
  const seen = events.length;
  const mark = slow.messages.length;
  await until(() => events.length >= seen + 4, 'the event stream goes on');
  const ids = events.map((e) => /id: ([0-9a-f]+):(\d+)/.exec(e)).map((m) => [m[1], Number(m[2])]);
  for (let i = 1; i < ids.length; i++) {
    assert.equal(ids[i][0], ids[0][0], 'ids are of the same process');
    assert.ok(ids[i][1] > ids[i - 1][1], 'and grow');
  }
  assert.ok(events.slice(seen).every((e) => /"symbol":"coffee"/.test(e)));
  for (let i = 0; i < 2; i++) {
    const { data } = await fields.next((m) => m.type === 'quote' && !m.snapshot);
    assert.deepEqual(Object.keys(data[0]).sort(), ['price', 'seq', 'symbol']);
  }
  const joined = await pattern.nextQuote('gold', (q) => q.price > 0);
  assert.deepEqual(Object.keys(joined).sort(), ['price', 'seq', 'symbol'], 'what joins is cut like the rest of its pattern');
  const times = slow.messages.slice(mark).filter((m) => m.type === 'quote').length;
  assert.ok(times <= 3, `${times} quotes in about 4 s at one per 3 s`);
  await slow.nextQuote('cocoa');

  const response = await new Promise((resolve) => {
    const again = http.get(`${gateway.url}/api/v1/stream?symbols=coffee`, { headers: { 'last-event-id': `${ids.at(-1)[0]}:${ids.at(-1)[1]}` } }, resolve);
    t.after(() => again.destroy());
  });
  let text = '';
  response.on('data', (d) => (text += d));
  const [, first] = await until(() => /^id: [0-9a-f]+:(\d+)\n/m.exec(text), 'an event');
  const id = Number(first);
  assert.ok(id > ids.at(-1)[1], 'an id from before is understood');
});

test('a reload costs no request: what was asked is not asked again', async (t) => {
  const { gateway, upstream } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.9', prev_close: '2.8', currency: 'USD' })),
    config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']], { poll_ms: 3600000 })] },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).json.state === 'live', 'a price');
  const asked = upstream.requests().length;
  const before = (await gateway.get('/data-health/sources')).json.sources.twelvedata;
  for (let i = 0; i < 5; i++) {
    gateway.signal('SIGHUP');
    await until(() => gateway.logs.filter((l) => l.event === 'reloaded').length === i + 1, 'reloaded');
  }
  const after = (await gateway.get('/data-health/sources')).json.sources.twelvedata;
  assert.equal(upstream.requests().length, asked);
  assert.equal(after.credits_left, before.credits_left);
  assert.equal(after.last_success, before.last_success);
});

test('Redis: a new instrument has its value at once, others are heard on', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const external = (symbol) => ({ symbol, sources: [] });
  const config = (...symbols) => ({ redis: { url: redis.url }, instruments: symbols.map(external) });
  const gateway = await start(t, config('coffee', 'cocoa'));
  await gateway.log('bus_up');
  let n = 0;
  const say = async (symbol, price) => {
    const ts = Date.now();
    const item = JSON.stringify({ symbol, price, ts, recv: ts, seq: `1:${++n}`, state: 'live' });
    await redis.command('SET', `${symbol}:price:latest`, item, 'EX', '120');
    await redis.command('PUBLISH', `${symbol}:price:stream`, item);
  };
  const client = await subscriber(t, gateway, ['*']);
  await say('gold', 1900);
  await say('coffee', 2);
  await client.nextQuote('coffee', (q) => q.price === 2);
  assert.equal((await reload(gateway, config('gold', 'coffee'))).status, 200);
  await client.nextQuote('gold', (q) => q.price === 1900);
  await say('cocoa', 1);
  await say('coffee', 3);
  await client.nextQuote('coffee', (q) => q.price === 3);
  await say('gold', 1901);
  await client.nextQuote('gold', (q) => q.price === 1901);
  assert.equal((await reload(gateway, config('cocoa', 'gold', 'coffee'))).status, 200, 'one that was there before');
  await client.nextQuote('cocoa', (q) => q.price === 1);
  await say('cocoa', 4);
  await client.nextQuote('cocoa', (q) => q.price === 4);
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(() => gateway.logs.filter((l) => l.event === 'bus_up').length === 2, 'the connection is renewed');
  for (const symbol of ['cocoa', 'gold', 'coffee']) {
    await say(symbol, 7);
    await client.nextQuote(symbol, (q) => q.price === 7);
  }
  assert.equal(client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data).filter((q) => q.symbol === 'coffee' && q.price === 3).length, 1, 'nothing twice');
});

test('Redis: with no instrument left both connections stay', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const limits = { redis_ping_ms: 500 };
  const gateway = await start(t, base([sim('coffee')], { redis: { url: redis.url }, limits }));
  const connections = async () => (await redis.command('CLIENT', 'LIST')).match(/^id=\d+/gm).sort();
  const pings = async () => Number(/cmdstat_ping:calls=(\d+)/.exec(await redis.command('INFO', 'commandstats'))?.[1] ?? 0);
  const before = await connections();
  assert.equal((await reload(gateway, base([], { redis: { url: redis.url }, limits }))).status, 200);
  const asked = await pings();
  await until(async () => (await pings()) >= asked + 4, 'it was looked after them several times');
  assert.deepEqual(await connections(), before, JSON.stringify(gateway.logs.filter((l) => l.event === 'bus_down')));
});

test('the certificate: another one is served, of another kind, too; a wrong pair changes nothing', async (t) => {
  const certs = makeCerts();
  t.after(() => certs.remove());
  const gateway = await startGateway(
    base([sim('coffee')], { listen: { tls: { cert: certs.cert, key: certs.key } } }),
  );
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz', { ca: certs.pem.ca })).status === 200, 'ready');
  const served = () =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        const { serialNumber, modulus } = socket.getPeerCertificate();
        socket.destroy();
        resolve({ serial: serialNumber, rsa: !!modulus });
      });
      socket.on('error', reject);
    });
  const open = await connectWs(gateway.wsUrl, { ca: certs.pem.ca });
  t.after(() => open.close());
  open.send({ action: 'subscribe', symbols: ['coffee'] });
  const first = await served();
  assert.equal(first.rsa, false);

  const at = (name) => join(gateway.folder, name);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('rsa.key'), '-out', at('rsa.pem'),
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  copyFileSync(at('rsa.pem'), certs.cert);
  const half = await gateway.post('/admin/reload', { ca: certs.pem.ca });
  assert.equal(half.status, 422, 'the key is still that of the old one');
  assert.match(half.json.problems[0], /^listen\.tls\.key: .*: this is not the key of the certificate in /);
  assert.deepEqual(await served(), first);

  copyFileSync(at('rsa.key'), certs.key);
  const whole = await gateway.post('/admin/reload', { ca: certs.pem.ca });
  assert.equal(whole.status, 200);
  const second = await served();
  assert.equal(second.rsa, true);
  assert.equal(whole.json.certificate, second.serial);
  assert.equal((await gateway.log('certificate')).serial, second.serial);
  await open.nextQuote('coffee');

  const other = base([sim('coffee')], { listen: { tls: { cert: at('rsa.pem'), key: at('rsa.key') } } });
  assert.equal((await reload(gateway, other, { ca: readFileSync(at('rsa.pem')) })).status, 200, 'other paths');
  writeFileSync(certs.cert, 'no certificate');
  assert.equal((await gateway.post('/admin/reload', { ca: readFileSync(at('rsa.pem')) })).status, 200, 'the old file is not read');
});

test('a delayed tier stays late over a reload, and one that becomes late loses what it had', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const key = (name, more = {}) => ({ name, role: 'viewer', sha256: sha256(name), ...more });
  const config = (soon) => ({
    redis: { url: redis.url },
    auth: { anonymous_role: null, keys: [key('root', { role: 'admin' }), key('late', { delay_s: 3 }), key('soon', soon)] },
    instruments: [{ symbol: 'cocoa', sources: [] }, { symbol: 'coffee', sources: [] }].slice(soon.delay_s ? 1 : 0),
  });
  const gateway = await start(t, config({}));
  await gateway.log('bus_up');
  const say = async (price) => {
    const ts = Date.now();
    const item = JSON.stringify({ symbol: 'coffee', price, ts, recv: ts, seq: `1:${price}`, state: 'live' });
    await redis.command('PUBLISH', 'coffee:price:stream', item);
    return ts;
  };
  const as = (name) => subscriber(t, gateway, ['coffee'], {}, `${gateway.wsUrl}?token=${name}`);
  const [late, soon] = [await as('late'), await as('soon')];
  const said = await say(1);
  await soon.nextQuote('coffee', (q) => q.price === 1);
  const { status } = await reload(gateway, config({ delay_s: 3 }), { headers: { authorization: 'Bearer root' } });
  assert.equal(status, 200);
  assert.deepEqual((await soon.next((m) => m.type === 'unsubscribed')).active, []);
  const quote = await late.nextQuote('coffee', (q) => q.price === 1);
  assert.ok(Date.now() - said >= 3000 - 5, 'not a moment earlier');
  assert.equal(quote.delayed_s, 3);
  soon.send({ action: 'subscribe', symbols: ['coffee'], id: 2 });
  await soon.next((m) => m.id === 2);
  const then = await say(2);
  await soon.nextQuote('coffee', (q) => q.price === 2);
  assert.ok(Date.now() - then >= 3000 - 5);
});

test('again and again under load: nobody loses a quote or the connection, nothing leaks', async (t) => {
  const rounds = process.env.LONG ? 200 : 20;
  const redis = await startRedis();
  t.after(() => redis.stop());
  const names = Array.from({ length: 60 }, (_, i) => `S${i}`);
  const config = (from) => ({ redis: { url: redis.url }, instruments: names.slice(from).concat('keep').map((symbol) => ({ symbol, sources: [] })) });
  const gateway = await start(t, config(0));
  await gateway.log('bus_up');
  const clients = await Promise.all(Array.from({ length: 50 }, (_, i) => subscriber(t, gateway, i % 2 ? ['*'] : ['keep', 'S5'])));
  let n = 0;
  let stop = false;
  const publishing = (async () => {
    while (!stop) {
      const ts = Date.now();
      await redis.command('PUBLISH', 'keep:price:stream', JSON.stringify({ symbol: 'keep', price: ++n, ts, recv: ts, seq: `1:${n}` }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const resources = () => ({
    fds: readdirSync(`/proc/${gateway.pid}/fd`).length,
    kb: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))[1]),
  });
  let warm;
  for (let i = 0; i < rounds; i++) {
    assert.equal((await reload(gateway, config(i % 3))).status, 200);
    if (i === Math.floor(rounds / 2)) warm = resources();
  }
  stop = true;
  await publishing;
  for (const c of clients) {
    await c.nextQuote('keep', (q) => q.price === n);
    const prices = c.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data).filter((q) => q.symbol === 'keep').map((q) => q.price);
    for (let i = 1; i < prices.length; i++) assert.ok(prices[i] > prices[i - 1], 'in order, nothing twice');
    assert.equal(c.socket.readyState, 1);
  }
  await until(() => resources().fds <= warm.fds, 'no file is left open');
  if (!sanitized) assert.ok(resources().kb < warm.kb * 1.2 + 4096, `${warm.kb} KB half-way, ${resources().kb} KB at the end`);
});
