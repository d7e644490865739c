// For those who look after a gateway: who is connected, how to end one of them, and what is written
// down of it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { startGateway } from '../support/gateway.js';
import { until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const key = (name, role) => ({
  name,
  role,
  sha256: createHash('sha256').update(`${name}-secret`).digest('hex'),
});
const as = (name) => ({ headers: { authorization: `Bearer ${name}-secret` } });

async function gatewayWithKeys(t, more = {}) {
  const part = { ...key('part', 'analyst'), symbols: ['cocoa'] };
  const gateway = await startGateway({
    auth: { anonymous_role: null, keys: [key('ops', 'admin'), key('desk', 'analyst'), key('page', 'viewer'), part] },
    instruments: ['coffee', 'cocoa'].map((symbol) => ({ symbol, poll_ms: 100, sources: [{ provider: 'sim', symbol }] })),
    ...more,
  });
  t.after(() => gateway.stop());
  return gateway;
}

function stream(gateway, path, headers) {
  return new Promise((resolve, reject) => {
    const req = http.get(`${gateway.url}${path}`, { headers, agent: false }, (res) => {
      res.resume();
      resolve({ ended: new Promise((done) => res.on('close', done)), req });
    });
    req.on('error', reject);
  });
}

test('the clients, and closing one', async (t) => {
  const gateway = await gatewayWithKeys(t);
  const clients = async () => (await gateway.get('/admin/clients', as('ops'))).json.clients;
  assert.deepEqual(await clients(), []);

  const watcher = await connectWs(`${gateway.wsUrl}?token=page-secret`);
  const { session } = watcher.welcome;
  watcher.send({ action: 'subscribe', symbols: ['coffee', 'cocoa'], id: 1 });
  await watcher.next((m) => m.id === 1);
  const late = await connectWs(gateway.wsUrl);
  const other = late.welcome.session;
  const events = await stream(gateway, '/api/v1/stream?symbols=coffee', as('desk').headers);

  const list = await until(async () => ((await clients()).length === 3 ? clients() : null), 'three clients');
  const of = (id) => list.find((c) => c.session === id);
  assert.ok(of(session).age_s >= 0 && of(session).age_s < 60);
  delete of(session).age_s;
  assert.deepEqual(of(session), {
    session,
    kind: 'websocket',
    address: '127.0.0.1',
    key: 'page',
    role: 'viewer',
    symbols: 2,
    slow: false,
    tls: false,
  });
  assert.equal(of(other).key, null);
  assert.equal(of(other).role, 'none');
  const sse = list.find((c) => c.kind === 'events');
  assert.equal(sse.key, 'desk');
  assert.equal(sse.symbols, 1);

  late.send({ action: 'auth', token: 'desk-secret', id: 2 }); // known by its first message
  await late.next((m) => m.id === 2);
  assert.equal((await clients()).find((c) => c.session === other).key, 'desk');

  const closed = await gateway.post(`/admin/clients/${session}/close`, as('ops'));
  assert.deepEqual(closed.json, { session, closed: true });
  const end = await within(watcher.closed, 'the close');
  assert.deepEqual(end, { code: 1008, reason: 'admin' });
  assert.equal((await gateway.post(`/admin/clients/${sse.session}/close`, as('ops'))).status, 200);
  await within(events.ended, 'the end of the stream');
  await until(async () => (await clients()).length === 1, 'one client');
  assert.equal(await gateway.metric('pricegate_disconnects_total{reason="admin"}'), 2);
  await late.close();
});

test('only for administrators, and only what there is', async (t) => {
  const gateway = await gatewayWithKeys(t);
  for (const name of ['desk', 'page']) {
    assert.equal((await gateway.get('/admin/clients', as(name))).status, 403);
    assert.equal((await gateway.post('/admin/clients/x/close', as(name))).status, 403);
  }
  assert.equal((await gateway.get('/admin/clients')).status, 401);
  for (const path of ['0000000000000000/close', 'close', '/close', 'x/clos', 'x/close/', '%2e%2e/close'])
    assert.equal((await gateway.post(`/admin/clients/${path}`, as('ops'))).status, 404, path);
  const wrong = await gateway.get('/admin/clients/x/close', as('ops'));
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.allow, 'POST');
  const foreign = await gateway.post('/admin/clients/x/close', {
    headers: { ...as('ops').headers, origin: 'https://evil.example' },
  });
  assert.equal(foreign.status, 403);
});

// Who is refused writes no more than this at once (audit.c).
const REFUSED_AT_ONCE = 100;

test('each action is written down, done or refused, without a token', async (t) => {
  const gateway = await gatewayWithKeys(t);
  const lines = () => gateway.logs.filter((l) => l.event === 'audit');
  const wrong = { headers: { authorization: 'Bearer wrong-secret' } };
  const foreign = { headers: { ...as('ops').headers, origin: 'https://evil.example' } };
  const reset = '/data-health/reset-circuit';
  const market = '/data-health/refresh-market';
  const close = '/admin/clients/abc/close';
  const requests = [
    ['POST', `${reset}/yahoo`, as('ops'), 200, ['reset_circuit', 'yahoo', 'ok', 'ops', 'admin']],
    ['POST', `${reset}/nobody`, as('ops'), 404, ['reset_circuit', 'nobody', 'not_found', 'ops', 'admin']],
    ['POST', market, as('desk'), 200, ['refresh', 'market', 'started', 'desk', 'analyst']],
    ['POST', close, as('ops'), 404, ['close_client', 'abc', 'not_found', 'ops', 'admin']],
    ['GET', '/admin/clients', as('ops'), 200, ['list_clients', null, 'ok', 'ops', 'admin']],
    ['POST', `${reset}/yahoo`, as('desk'), 403, ['reset_circuit', `${reset}/yahoo`, 'forbidden', 'desk', 'analyst']],
    ['POST', market, as('page'), 403, ['refresh', market, 'forbidden', 'page', 'viewer']],
    ['POST', market, as('part'), 403, ['refresh', market, 'forbidden', 'part', 'analyst']],
    ['POST', close, wrong, 401, ['close_client', close, 'bad_token', null, 'none']],
    ['POST', close, {}, 401, ['close_client', close, 'auth_required', null, 'none']],
    ['POST', close, foreign, 403, ['close_client', close, 'bad_origin', null, 'none']],
    ['GET', '/admin/clients', as('part'), 403, ['list_clients', '/admin/clients', 'forbidden', 'part', 'analyst']],
  ];
  for (const [i, [method, path, options, status, line]] of requests.entries()) {
    const answer = await gateway[method.toLowerCase()](path, options);
    assert.equal(answer.status, status, path);
    const written = await until(() => lines()[i], `a line for ${method} ${path}`);
    assert.deepEqual(
      [written.action, written.what, written.result, written.who, written.role, written.address, written.level],
      [...line, '127.0.0.1', 'info'],
    );
  }
  assert.equal(lines().length, requests.length);
  assert.ok(!gateway.logText().includes('secret'));
});

test('a refresh over the WebSocket is written down, too', async (t) => {
  const gateway = await gatewayWithKeys(t);
  const lines = () => gateway.logs.filter((l) => l.event === 'audit');
  const client = await connectWs(gateway.wsUrl);
  const ask = async (symbols) => {
    client.send({ action: 'refresh', symbols, id: 1 });
    await client.next((m) => m.id === 1);
  };
  const become = async (name) => {
    client.send({ action: 'auth', token: `${name}-secret`, id: 2 });
    await client.next((m) => m.type === 'authenticated');
  };
  await ask(['coffee']);
  await become('page');
  await ask(['coffee']);
  await become('desk');
  await ask(['coffee', 'cocoa', 'none']);
  await become('part');
  await ask(['*']);
  await ask(['coffee']); // not his: nothing is asked for
  await until(() => lines().length === 4, 'four lines');
  assert.deepEqual(
    lines().map((l) => [l.action, l.what, l.result, l.who, l.role, l.address]),
    [
      ['refresh', null, 'auth_required', null, 'none', '127.0.0.1'],
      ['refresh', null, 'forbidden', 'page', 'viewer', '127.0.0.1'],
      ['refresh', 'coffee,cocoa', 'started', 'desk', 'analyst', '127.0.0.1'],
      ['refresh', 'cocoa', 'started', 'part', 'analyst', '127.0.0.1'],
    ],
  );
  await client.close();
});

test('who is refused does not fill the log, nor hides what a key tries', async (t) => {
  const gateway = await gatewayWithKeys(t);
  const lines = () => gateway.logs.filter((l) => l.event === 'audit');
  const started = Date.now();
  let asked = 0;
  const told = await until(async () => {
    asked += 20;
    await Promise.all(Array.from({ length: 20 }, () => gateway.post('/data-health/refresh-all')));
    return lines().find((l) => l.suppressed > 0);
  }, 'a line that says how many are missing', 60_000, 0);
  const paid = Math.ceil((Date.now() - started) / 100);
  const strangers = lines().length;
  assert.ok(strangers <= REFUSED_AT_ONCE + paid, `${strangers} lines of ${asked}`);
  assert.ok(told.suppressed < asked);

  assert.equal((await gateway.post('/data-health/refresh-all', as('page'))).status, 403);
  await until(() => lines().find((l) => l.who === 'page'), 'the line of a known key');
});
