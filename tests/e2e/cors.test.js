// What a page of another origin needs from the gateway, header by header: prices, the stream, the
// client's modules, and errors it can read. (Which origins are listed, and which are not, is in
// headers.test.js and hygiene.test.js; the same in a real browser in browser/embedding.test.js.)

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { external } from '../support/scene.js';
import { until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const LISTED = 'https://desk.example';
const FOREIGN = 'https://evil.example';
const KEY = 'a key of a viewer';
const SHA256 = 'c8bf965b5716dc78cb8228a8e00a159feee1c44abc40e43e09b8d5814571f83e';

const granted = (answer) => answer.headers['access-control-allow-origin'];
const corsOf = (answer) => Object.keys(answer.headers).filter((h) => h.startsWith('access-control-'));

async function embedded(t, config = {}) {
  const gateway = await startGateway({ origins: [LISTED], instruments: [external('coffee'), external('EUR/USD')], ...config });
  t.after(() => gateway.stop());
  const ask = (path, headers = {}, method = 'GET', origin = LISTED) =>
    gateway.get(path, { method, headers: { origin, ...headers } });
  return { gateway, ask };
}

test('a listed page may read what it asks for: prices, modules, unchanged answers, every error', async (t) => {
  const { ask } = await embedded(t, { auth: { keys: [{ name: 'desk', role: 'viewer', sha256: SHA256 }] } });
  const first = await ask('/api/v1/quotes');
  assert.match(first.headers.etag, /^"[0-9a-f]{16}"$/);
  const cases = [
    [200, await ask('/api/v1/quotes?symbols=coffee,EUR/USD')],
    [200, await ask('/api/v1/quotes', {}, 'HEAD')],
    [304, await ask('/api/v1/quotes', { 'if-none-match': first.headers.etag })],
    [503, await ask('/api/v1/quotes/coffee')],
    [404, await ask('/api/v1/quotes/FOO')],
    [401, await ask('/api/v1/quotes', { authorization: `Bearer not ${KEY}` })],
    [400, await ask('/api/v1/stream')],
    [405, await ask('/api/v1/quotes', {}, 'POST')],
    [426, await ask('/ws')],
    [200, await ask('/client/index.js')],
    [200, await ask('/client/price-ticker.js')],
  ];
  for (const [status, answer] of cases) {
    assert.equal(answer.status, status, answer.body);
    assert.equal(granted(answer), LISTED, `${status}`);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined, 'there are no cookies to send along');
    assert.equal(answer.headers['access-control-expose-headers'], 'ETag, Retry-After');
    assert.match(answer.headers.vary, /\bOrigin\b/);
  }
  assert.match((await ask('/client/index.js')).headers['content-type'], /^text\/javascript/, 'or a browser runs no module');
});

test('a preflight allows what the routes have and what the client sends, and may be remembered', async (t) => {
  const { ask } = await embedded(t);
  const preflight = (path, method, headers, origin = LISTED) =>
    ask(path, { 'access-control-request-method': method, 'access-control-request-headers': headers }, 'OPTIONS', origin);
  const cases = [
    ['/api/v1/quotes', 'GET', 'authorization,if-none-match', 'GET, HEAD'],
    ['/api/v1/stream?symbols=coffee', 'GET', 'authorization,last-event-id', 'GET'],
    ['/data-health/refresh-market', 'POST', 'authorization,content-type', 'POST'],
  ];
  for (const [path, method, headers, methods] of cases) {
    const answer = await preflight(path, method, headers);
    assert.equal(answer.status, 204, path);
    assert.equal(answer.body, '');
    assert.equal(granted(answer), LISTED);
    assert.match(answer.headers.vary, /\bOrigin\b/);
    assert.equal(answer.headers['access-control-allow-methods'], methods, path);
    const allowed = answer.headers['access-control-allow-headers'].toLowerCase().split(', ');
    for (const name of headers.split(',')) assert.ok(allowed.includes(name), `${name} of ${allowed}`);
    assert.ok(Number(answer.headers['access-control-max-age']) > 0);
    const foreign = await preflight(path, method, headers, FOREIGN);
    assert.equal(foreign.status, 405);
    assert.deepEqual(corsOf(foreign), []);
  }
});

test('the stream of events carries the same headers', async (t) => {
  const { gateway } = await embedded(t);
  for (const [origin, want] of [[LISTED, LISTED], [FOREIGN, undefined]]) {
    const path = `${gateway.url}/api/v1/stream?symbols=coffee`;
    const stream = await within(
      new Promise((resolve, reject) => {
        http.get(path, { agent: false, headers: { origin } }, resolve).on('error', reject);
      }),
      'the head of the stream',
    );
    t.after(() => stream.destroy());
    assert.equal(stream.statusCode, 200);
    assert.equal(granted(stream), want);
    assert.equal(stream.headers.vary, 'Origin');
  }
});

test('who is kept away finds in the log why, and what to do', async (t) => {
  const { gateway, ask } = await embedded(t);
  const started = Date.now();
  const refused = () => gateway.logs.filter((l) => l.event === 'origin_refused');
  await ask('/api/v1/quotes');
  await ask('/api/v1/quotes', {}, 'GET', gateway.url); // its own page
  assert.equal((await ask('/api/v1/quotes', {}, 'GET', FOREIGN)).status, 200, 'to read it is what the browser refuses');
  const [line] = await until(() => refused().length > 0 && refused(), 'a line');
  assert.equal(line.origin, FOREIGN);
  assert.match(line.advice, /list it under origins/);
  for (let i = 0; i < 20; i++) await ask('/', {}, 'GET', `${FOREIGN}:${i + 1}`);
  assert.ok(refused().length <= 1 + (Date.now() - started) / 10_000, 'a stranger fills no log');

  const other = await embedded(t, { origins: [] });
  await assert.rejects(connectWs(other.gateway.wsUrl, { headers: { origin: FOREIGN } }), /403/);
  await other.gateway.log((l) => l.event === 'origin_refused' && l.origin === FOREIGN);
  const page = { host: `127.0.0.1:${other.gateway.port}`, connection: 'Upgrade', upgrade: 'websocket', origin: FOREIGN };
  const answer = await other.gateway.get('/ws', { headers: { ...page, 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });
  assert.equal(answer.status, 403);
  assert.match(answer.json.detail, /may not connect: .*`origins` do not list it/);
  const change = await other.ask('/data-health/refresh-market', {}, 'POST', FOREIGN);
  assert.equal(change.status, 403);
  assert.match(change.json.detail, /`origins` do not list it/);
});
