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

async function gatewayWithKeys(t) {
  const gateway = await startGateway({
    auth: { anonymous_role: null, keys: [key('ops', 'admin'), key('desk', 'analyst'), key('page', 'viewer')] },
    instruments: ['coffee', 'cocoa'].map((symbol) => ({ symbol, poll_ms: 100, sources: [{ provider: 'sim', symbol }] })),
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

test('each action is written down, without a token', async (t) => {
  const gateway = await gatewayWithKeys(t);
  await gateway.post('/data-health/reset-circuit/yahoo', as('ops'));
  await gateway.post('/data-health/reset-circuit/nobody', as('ops'));
  await gateway.post('/data-health/refresh-market', as('desk'));
  await gateway.post('/admin/clients/abc/close', as('ops'));
  await gateway.log((l) => l.event === 'audit' && l.action === 'close_client');
  const lines = gateway.logs.filter((l) => l.event === 'audit');
  assert.deepEqual(
    lines.map((l) => [l.action, l.what, l.result, l.who, l.role, l.address]),
    [
      ['reset_circuit', 'yahoo', 'ok', 'ops', 'admin', '127.0.0.1'],
      ['reset_circuit', 'nobody', 'not_found', 'ops', 'admin', '127.0.0.1'],
      ['refresh', 'market', 'started', 'desk', 'analyst', '127.0.0.1'],
      ['close_client', 'abc', 'not_found', 'ops', 'admin', '127.0.0.1'],
    ],
  );
  assert.ok(!gateway.logText().includes('secret'));
});
