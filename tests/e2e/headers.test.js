// What every answer tells a browser, whatever the answer is and whoever makes it: our handlers, the
// checks before them, or the library's parser. And who may read answers from another page.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { gunzipSync } from 'node:zlib';

import { request, startGateway } from '../support/gateway.js';
import { external, instrument, testCerts } from '../support/scene.js';
import { temporaryFolder, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const EVERYWHERE = [
  ['content-security-policy', POLICY],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
];
const HSTS = ['strict-transport-security', 'max-age=31536000'];

/** Sends text as it is; the first answer's {status, headers, rest}, headers as [name, value] in their order. */
async function raw(gateway, text) {
  const secure = gateway.url.startsWith('https');
  const to = { port: gateway.port, host: '127.0.0.1', ca: testCerts().pem.ca, servername: 'localhost' };
  const socket = secure ? tls.connect(to) : net.connect(to);
  socket.on('error', () => {});
  await once(socket, secure ? 'secureConnect' : 'connect');
  let seen = '';
  socket.on('data', (bytes) => { seen += bytes.toString('latin1'); });
  socket.write(text);
  await until(() => seen.includes('\r\n\r\n'), `an answer to ${text.slice(0, 60)}`);
  socket.destroy();
  const [head, rest] = seen.split('\r\n\r\n', 2);
  const [first, ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  });
  return { status: Number(first.split(' ')[1]), headers, rest };
}

function check({ status, headers, rest }, wanted, what, secure) {
  assert.equal(status, wanted, what);
  const expected = new Map([...EVERYWHERE, ...(secure ? [HSTS] : [])]);
  for (const [name, value] of expected) {
    assert.deepEqual(headers.filter(([n]) => n === name).map(([, v]) => v), [value], `${name} of ${what}`);
  }
  if (!secure) assert.ok(!headers.some(([n]) => n === HSTS[0]), what);
  for (const [name] of headers) assert.ok(!/^(server|x-powered-by|via)$/.test(name), `${name} in ${what}`);
  const said = `${headers.join('\n')}\n${rest}`;
  assert.doesNotMatch(said, /libwebsockets|lws|openssl|pricegate\/\d/i, what);
}

const KEY = 'a key of the desk';
const keyed = { name: 'desk', role: 'analyst', sha256: createHash('sha256').update(KEY).digest('hex') };

for (const secure of [false, true]) {
  test(`every answer carries the security headers, ${secure ? 'over TLS' : 'plain'}`, async (t) => {
    const gateway = await startGateway({
      listen: secure ? { tls: { cert: testCerts().cert, key: testCerts().key } } : {},
      auth: { anonymous_role: null, keys: [keyed] },
      origins: ['https://listed.example'],
      limits: { connections: 1 },
      instruments: [instrument('coffee', [['sim', 'coffee']]), external('tea')],
    });
    t.after(() => gateway.stop());
    const ca = { ca: testCerts().pem.ca };
    const bearer = `Authorization: Bearer ${KEY}\r\n`;
    const quote = await until(async () => {
      const answer = await gateway.get('/api/v1/quotes/coffee', { ...ca, headers: { authorization: `Bearer ${KEY}` } });
      return answer.status === 200 && answer;
    }, 'a price');
    check({ status: 200, headers: Object.entries(quote.headers), rest: quote.body }, 200, 'a quote', secure);
    const { etag } = (await gateway.get('/', ca)).headers;

    const head = (line, more = '') => `${line} HTTP/1.1\r\nHost: localhost:${gateway.port}\r\n${more}\r\n`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    const version = 'Sec-WebSocket-Version: 13\r\n';
    const cases = [
      [200, head('GET /')],
      [200, head('HEAD /')],
      [200, head('GET /dashboard/app.js')],
      [304, head('GET /', `If-None-Match: ${etag}\r\n`)],
      [200, head('GET /readyz')],
      [200, head('GET /data-health/status', bearer)],
      [204, head('OPTIONS /api/v1/quotes', 'Origin: https://listed.example\r\nAccess-Control-Request-Method: GET\r\n')],
      [401, head('GET /api/v1/quotes')],
      [401, head('GET /api/v1/quotes', 'Authorization: Bearer wrong\r\n')],
      [403, head('POST /data-health/reset-circuit/sim', `${bearer}Content-Length: 0\r\n`)],
      [403, head('POST /data-health/refresh-all', `${bearer}Content-Length: 0\r\nOrigin: null\r\n`)],
      [404, head('GET /nothing')],
      [404, head('GET /api/v1/quotes/nothing', bearer)],
      [405, head('DELETE /')],
      [400, head('GET /', 'Host: other\r\n')],
      [400, 'GET / HTTP/1.1\r\n\r\n'],
      [400, head('POST /data-health/refresh-all', 'Transfer-Encoding: chunked\r\n')],
      [413, head('POST /data-health/refresh-all', `${bearer}Content-Length: 70000\r\n`)],
      [431, head(`GET /?${Array.from({ length: 20 }, (_, i) => `a${i}=1`).join('&')}`)],
      [503, head('GET /api/v1/quotes/tea', bearer)],
      [426, head('GET /ws', bearer)],
      [426, head('GET /ws', `${upgrade}Sec-WebSocket-Version: 99\r\n`)],
      [400, head('GET /ws', version + upgrade.replace('AA==', 'A'))],
      [403, head('GET /ws', `${upgrade}${version}Origin: https://evil.example\r\n`)],
      [404, head('GET /other', `${upgrade}${version}`)],
      // What the library's parser refuses by itself.
      [403, head('TRACE /')],
      [403, head('FOO /')],
      [403, 'GET http://other/ HTTP/1.1\r\n\r\n'],
      [200, head('GET /api/v1/stream?symbols=*', bearer)],
    ];
    for (const [wanted, text] of cases) check(await raw(gateway, text), wanted, text.slice(0, 90), secure);

    await until(async () => (await gateway.metric('pricegate_connections', { ...ca, headers: { authorization: `Bearer ${KEY}` } })) === 0, 'the stream is gone');
    const only = await connectWs(gateway.wsUrl, { ...ca, headers: { authorization: `Bearer ${KEY}` } });
    t.after(() => only.terminate());
    check(await raw(gateway, head('GET /ws', `${upgrade}${version}${bearer}`)), 503, 'one connection too many', secure);
  });
}

test('while it drains, too', async (t) => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const gateway = await startGateway({ listen: { metrics_port: port }, drain_s: 60, instruments: [external('coffee')] });
  t.after(() => gateway.kill());
  const client = net.connect(gateway.port, '127.0.0.1'); // answers no close: it keeps the drain going
  client.on('error', () => {});
  client.write(`GET /ws HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  await within(once(client, 'data'), 'the welcome');
  gateway.signal('SIGTERM');
  const plain = { ...gateway, url: `http://127.0.0.1:${port}`, port };
  await until(async () => (await request(plain.url, { path: '/readyz' })).status === 503, 'draining');
  check(await raw(plain, 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n'), 503, '/readyz', false);
  check(await raw(plain, 'GET /api/v1/quotes HTTP/1.1\r\nHost: localhost\r\n\r\n'), 404, 'not here', false);
  client.destroy();
});

test('pages of listed origins may read, errors too; nobody else, and never all', async (t) => {
  const gateway = await startGateway({
    origins: ['https://listed.example', 'http://second.example:8080'],
    instruments: [external('coffee')],
  });
  t.after(() => gateway.stop());
  const paths = ['/', '/api/v1/instruments', '/api/v1/quotes/coffee', '/api/v1/quotes/nothing', '/nothing', '/data-health/status'];
  const ask = (path, headers, method = 'GET') => gateway.get(path, { method, headers });
  const cors = (answer) => Object.keys(answer.headers).filter((h) => h.startsWith('access-control-'));
  for (const path of paths) {
    for (const origin of ['https://listed.example', 'http://second.example:8080']) {
      const { headers } = await ask(path, { origin });
      assert.equal(headers['access-control-allow-origin'], origin, path);
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.match(headers.vary, /\bOrigin\b/, path);
    }
    for (const origin of [
      'https://evil.example', 'null', '*', '', 'https://listed.example.evil.example', 'http://listed.example',
      'https://listed.example:444', 'https://listed.example, https://evil.example', 'https://user@listed.example',
      `https://${'a'.repeat(300)}.example`, gateway.url,
    ]) {
      const answer = await ask(path, { origin });
      assert.deepEqual(cors(answer), [], `${origin} at ${path}`);
      assert.match(answer.headers.vary, /\bOrigin\b/, path); // or a cache would give one origin's answer to another
    }
    assert.match((await ask(path, {})).headers.vary, /\bOrigin\b/);
  }

  const preflight = (origin, path = '/api/v1/quotes') =>
    ask(path, { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' }, 'OPTIONS');
  const yes = await preflight('https://listed.example');
  assert.equal(yes.status, 204);
  assert.equal(yes.headers['access-control-allow-origin'], 'https://listed.example');
  assert.equal(yes.headers['access-control-allow-methods'], 'GET, HEAD');
  assert.match(yes.headers['access-control-allow-headers'], /\bAuthorization\b/);
  assert.equal((await preflight('https://listed.example', '/admin/clients/x/close')).headers['access-control-allow-methods'], 'POST');
  for (const origin of ['https://evil.example', 'null']) {
    const no = await preflight(origin);
    assert.equal(no.status, 405);
    assert.deepEqual(cors(no), []);
  }
});

/** {status, headers, bytes}: as they are on the wire. */
function bytesOf(gateway, path, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get(new URL(path, gateway.url), { headers, agent: false }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, bytes: Buffer.concat(parts) }));
    }).on('error', reject);
  });
}

test('scripts and styles come compressed to whoever understands that, and each form has its own tag', async (t) => {
  const gateway = await startGateway({ instruments: [external('tea')] });
  t.after(() => gateway.stop());
  const packed = { 'accept-encoding': 'gzip, deflate, br' };
  const paths = ['/style.css', '/dashboard/app.js', '/client/index.js', '/vendor/lightweight-charts.js', '/openapi.json', '/icon.svg'];
  let before = 0;
  let after = 0;
  for (const path of paths) {
    const plain = await bytesOf(gateway, path);
    const short = await bytesOf(gateway, path, packed);
    assert.equal(plain.headers['content-encoding'], undefined, path);
    assert.equal(short.headers['content-encoding'], 'gzip', path);
    for (const { headers, bytes } of [plain, short]) {
      assert.match(headers.vary, /Accept-Encoding/, path);
      assert.equal(Number(headers['content-length']), bytes.length, path);
    }
    assert.deepEqual(gunzipSync(short.bytes), plain.bytes, path);
    assert.equal(short.headers['content-type'], plain.headers['content-type']);
    assert.notEqual(short.headers.etag, plain.headers.etag, path);
    const again = (etag) => bytesOf(gateway, path, { ...packed, 'if-none-match': etag });
    assert.equal((await again(short.headers.etag)).status, 304);
    assert.equal((await again(plain.headers.etag)).status, 200, 'a tag is of one form');
    before += plain.bytes.length;
    after += short.bytes.length;
  }
  assert.ok(after < before / 2, `${after} of ${before} bytes`);
  assert.equal((await bytesOf(gateway, '/style.css', { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined);
  for (const path of ['/', '/docs', '/api/v1/instruments'])
    assert.equal((await bytesOf(gateway, path, packed)).headers['content-encoding'], undefined, `${path}: no document, nothing that changes`);
});

test('what a folder of one\'s own holds is served as it is', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  writeFileSync(join(folder.path, 'index.html'), 'my own page '.repeat(100));
  const gateway = await startGateway({ listen: { web_root: folder.path }, instruments: [external('tea')] });
  t.after(() => gateway.stop());
  const { headers, bytes } = await bytesOf(gateway, '/', { 'accept-encoding': 'gzip' });
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(String(bytes), 'my own page '.repeat(100));
});
