// Requests and handshakes that no library would send, byte for byte against the real program, plain
// and over TLS. (Plain mistakes are in rest.test.js and protocol.test.js, limits in limits.test.js.)

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { dial, handshake } from '../support/raw.js';
import { external, testCerts } from '../support/scene.js';
import { temporaryFolder, until } from '../support/wait.js';

const SECRET = 'a secret that no path leads to';
const RESET = '/data-health/reset-circuit/yahoo';

let where; // {plain, tls}: each {gateway, port, tls, ca}
const folder = temporaryFolder();

/** A folder of assets; beside it a secret, and inside links to it with suffixes that are served. */
function makeAssets() {
  const root = join(folder.path, 'web');
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<p>the page</p>');
  writeFileSync(join(root, 'sub', 'a.css'), 'p {}');
  writeFileSync(join(root, '.env'), SECRET);
  writeFileSync(join(root, '.hidden.html'), SECRET);
  writeFileSync(join(folder.path, 'secret.html'), SECRET);
  symlinkSync(join(folder.path, 'secret.html'), join(root, 'link.html'));
  symlinkSync(folder.path, join(root, 'up'));
  return root;
}

before(async () => {
  const certs = testCerts();
  const config = {
    instruments: [external('coffee'), external('EUR/USD')],
    origins: ['https://desk.example', 'https://other.example:8443'],
    limits: { headers_ms: 2000 },
    drain_s: 0,
  };
  const root = makeAssets();
  const plain = await startGateway({ ...config, listen: { web_root: root } });
  const tls = await startGateway({ ...config, listen: { tls: { cert: certs.cert, key: certs.key } } });
  where = {
    plain: { gateway: plain, port: plain.port },
    tls: { gateway: tls, port: tls.port, tls: true, ca: certs.pem.ca },
  };
});

after(async () => {
  await Promise.all(Object.values(where ?? {}).map((w) => w.gateway.stop()));
  folder.remove();
});

const both = () => [where.plain, where.tls];
const host = (w) => `Host: 127.0.0.1:${w.port}\r\n`;
const request = (w, line, headers = '') => `${line} HTTP/1.1\r\n${host(w)}${headers}\r\n`;

/** Sends it and waits until the connection has ended; the line. */
async function untilEnd(w, text) {
  const line = await dial(w);
  line.send(text);
  await line.ended();
  return line;
}

/** The status of the one answer that comes; 0: the connection was closed without one. */
async function statusOf(w, text) {
  const line = await dial(w);
  line.send(text);
  await line.when(() => line.statuses.length > 0 || line.isClosed, `an answer or the end: ${text.slice(0, 80)}`);
  line.destroy();
  return line.statuses[0] ?? 0;
}

const isWell = async (w) => assert.equal(await statusOf(w, request(w, 'GET /healthz')), 200);
const counted = (w, reason) => w.gateway.metric(`pricegate_rejected_total{reason="${reason}"}`, { ca: w.ca });

test('Sec-WebSocket-Version: only 13, and the answer says so', async () => {
  for (const w of both()) {
    for (const version of ['99', '12', '8', '0', '013', '13 13', '13, 99', '-13', '', 'x'.repeat(300)]) {
      const text = handshake(w.port).replace('Version: 13', `Version: ${version}`);
      const line = await untilEnd(w, text);
      assert.deepEqual(line.statuses, [426], version);
      assert.match(line.text, /^Sec-WebSocket-Version: 13\r$/m, version);
    }
    assert.equal(await statusOf(w, handshake(w.port)), 101);
    assert.ok((await counted(w, 'bad_version')) >= 10);
  }
});

test('HTTP/2 is not spoken: not by upgrade, not by its preface, not by ALPN', async () => {
  const settings = 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
  for (const w of both()) {
    const served = await untilEnd(w, request(w, 'GET /healthz', settings));
    assert.deepEqual(served.statuses, [200]);
    assert.doesNotMatch(served.text, / 101 |HTTP\/2/);
    assert.equal(await statusOf(w, request(w, `POST ${RESET}`, `${settings}Content-Length: 0\r\n`)), 400);
    const preface = await untilEnd(w, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00');
    assert.ok(preface.statuses.every((s) => s >= 400), preface.text);
  }
  const { tls } = where;
  const offered = await dial({ ...tls, alpn: ['h2', 'http/1.1'] });
  assert.equal(offered.socket.alpnProtocol, 'http/1.1');
  offered.send(request(tls, 'GET /healthz', 'Connection: close\r\n'));
  await offered.ended();
  assert.match(offered.text, /^HTTP\/1\.1 200 /);
  const only = await dial({ ...tls, alpn: ['h2'] }).catch(() => null); // refusing is fine, too
  if (only) assert.notEqual(only.socket.alpnProtocol, 'h2');
  only?.destroy();
});

test('Origin: exact, whatever its length, number, case or port; for /ws and for changes alike', async () => {
  for (const w of both()) {
    const own = `${w.tls ? 'https' : 'http'}://127.0.0.1:${w.port}`;
    const good = ['', `Origin: ${own}\r\n`, `Origin: ${own.toUpperCase()}\r\n`, 'Origin: https://desk.example\r\n',
      'Origin: https://DESK.example:443\r\n', 'Origin: https://other.example:8443\r\n'];
    const bad = [
      'null', 'NULL', '', '*', 'desk.example', '//desk.example', 'https:desk.example', 'https://',
      'https://evil.example', 'http://desk.example', 'wss://desk.example', 'https://desk.example:8443', 'https://other.example',
      'https://desk.example.evil.example', 'https://evil-desk.example', 'https://desk.example@evil.example',
      'https://evil.example@desk.example', 'https://desk.example/', 'https://desk.example#',
      'https://desk.example:', 'https://desk.example, https://evil.example', 'https://desk.example https://evil.example',
      'https://desk.example\x00.evil.example', 'https://desk%2Eexample', own.replace('127.0.0.1', 'localhost'),
      own.replace(/:\d+$/, ''), `${own}0`, `${own}.`, own.replace(/^\w+/, w.tls ? 'http' : 'ftp'), // https before a plain port may be a proxy's
      `https://desk.example${'a'.repeat(300)}`, `https://${'a'.repeat(300)}.example`, `https://${'a'.repeat(3000)}`,
    ].map((o) => `Origin: ${o}\r\n`);
    bad.push(`Origin: ${own}\r\nOrigin: ${own}\r\n`, `Origin: ${own}\r\nOrigin: https://evil.example\r\n`);
    const change = (o) => request(w, `POST ${RESET}`, `${o}Content-Length: 0\r\n`);
    for (const o of good) {
      assert.equal(await statusOf(w, handshake(w.port, o)), 101, o);
      assert.equal(await statusOf(w, change(o)), 200, o);
    }
    const refused = (status) => [0, 400, 403, 431].includes(status); // 0: not even parsed (a NUL)
    for (const o of bad) {
      assert.ok(refused(await statusOf(w, handshake(w.port, o))), `/ws: ${o}`);
      assert.ok(refused(await statusOf(w, change(o))), `POST: ${o}`);
    }
    assert.ok((await counted(w, 'bad_origin')) >= 2 * (bad.length - 3));
  }
});

test('Transfer-Encoding, and lengths that are no plain number: one 400, the end, nothing behind it', async () => {
  for (const w of both()) {
    const behind = request(w, 'GET /healthz');
    const framings = [
      'Transfer-Encoding: chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding:',
      'TRANSFER-ENCODING: chunked', 'transfer-encoding:\tchunked', 'Transfer-Encoding: xchunked',
      'Transfer-Encoding : chunked', 'Transfer-Encoding\t: chunked', 'Content-Length : 5', 'Content-Length\t: 5',
      'Transfer-Encoding: chunked\r\nContent-Length: 5', 'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
      'Content-Length: 5\r\nContent-Length: 5', 'Content-Length: 5\r\nContent-Length: 6', 'Content-Length: 5, 5',
      ...['-1', '-0', '+5', '0x5', '5x', '5.0', '1e1', '5 5', '', '\u0665', '0'.repeat(200), '18446744073709551616',
        '18446744073709551621', '9223372036854775808', '4294967296000', '1'.repeat(500)].map((n) => `Content-Length: ${n}`),
    ];
    const before = await counted(w, 'bad_length');
    for (const framing of framings) {
      for (const line of [`POST ${RESET}`, 'GET /healthz']) {
        const got = await untilEnd(w, `${request(w, line, `${framing}\r\n`)}5\r\nhello\r\n0\r\n\r\n${behind}`);
        assert.deepEqual(got.statuses, [400], `${line} ${framing}`);
      }
    }
    assert.equal((await counted(w, 'bad_length')) - before, 2 * framings.length);
    await isWell(w);
  }
});

test('what is sent along with a POST is not run, and the POST once', async () => {
  const { plain } = where; // of TLS, requests in one record are another path
  for (const w of [plain, where.tls]) {
    const audits = () => w.gateway.logs.filter((l) => l.event === 'audit').length;
    const first = (length, body) => `${request(w, `POST ${RESET}`, `Content-Length: ${length}\r\n`)}${body}`;
    const post = first(0, '');
    for (const text of [post + post, post + request(w, 'GET /healthz'), first(2, '{}') + post, first(2, '{}') + first(2, '{}'),
      request(w, `POST ${RESET}`) + post, post.repeat(10)]) {
      const before = audits();
      const line = await untilEnd(w, text);
      assert.deepEqual(line.statuses, [200]);
      assert.match(line.text, /^Connection: close\r$/im);
      // What was done is written down before it is answered; one more look at the same log.
      await w.gateway.post(RESET, { ca: w.ca });
      await until(() => audits() >= before + 2, 'both audit lines');
      assert.equal(audits(), before + 2);
    }
  }
});

test('Host: one, and a host; HTTP/1.0 may leave it out', async () => {
  for (const w of both()) {
    const get = (headers) => `GET /healthz HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
    for (const headers of ['', 'Host:\r\n', 'Host: a b\r\n', 'Host: a/b\r\n', 'Host: a@b\r\n', 'Host: a,b\r\n', 'Host: :80\r\n',
      'Host: a:\r\n', 'Host: a:99999\r\n', 'Host: [::1\r\n', 'Host: a\r\nHost: a\r\n', 'Host: a\r\nHost: b\r\n', `Host: ${'a'.repeat(3000)}\r\n`]) {
      assert.equal(await statusOf(w, get(headers)), 400, headers);
    }
    assert.equal(await statusOf(w, handshake(w.port).replace(/Host: .*\r\n/, '')), 400);
    assert.equal(await statusOf(w, get('Host: anything.example\r\n')), 200);
    assert.equal(await statusOf(w, 'GET /healthz HTTP/1.0\r\n\r\n'), 200);
    for (const version of ['HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/3', 'http/1.1', 'HTTP/1.1 ', 'HTTPS/1.1', 'FTP/1.1', '']) {
      assert.ok([0, 403, 505].includes(await statusOf(w, get(host(w)).replace('HTTP/1.1', version))), version);
    }
  }
});

test('a connection that is to be kept is, behind an answer larger than its socket, too', async () => {
  for (const w of both()) {
    const library = w.tls ? https : http;
    const agent = new library.Agent({ keepAlive: true, maxSockets: 1 });
    const get = (path) =>
      new Promise((resolve, reject) => {
        const req = library.get({ host: '127.0.0.1', port: w.port, path, agent, ca: w.ca }, (res) => {
          const from = res.socket.localPort;
          res.resume();
          res.on('end', () => resolve(from));
        });
        req.on('error', reject);
      });
    const ports = new Set();
    for (let i = 0; i < 10; i++) for (const path of ['/openapi.json', '/healthz']) ports.add(await get(path));
    agent.destroy();
    assert.equal(ports.size, 1);
  }
});

test('CONNECT and targets that are no path open nothing', async () => {
  const check = async (w) => {
    const targets = ['CONNECT a:1', `CONNECT 127.0.0.1:${w.port}`, 'CONNECT /', 'GET http://evil.example/', 'GET healthz',
      `GET http://127.0.0.1:${w.port}/healthz`, 'GET *', 'OPTIONS *', 'GET ?', 'GET'];
    // By headers_ms, where the parser waits for more.
    const lines = await Promise.all(targets.map((target) => untilEnd(w, request(w, target))));
    for (const [i, line] of lines.entries()) {
      assert.ok(line.statuses.every((s) => s >= 400), `${targets[i]}: ${line.text}`);
    }
    await isWell(w);
  };
  await Promise.all(both().map(check));
});

test('headers without end: answered or closed, and never more memory than their limit', async () => {
  const many = (n) => Array.from({ length: n }, (_, i) => `X-${i}: y\r\n`).join('');
  for (const w of both()) {
    const uri = `/${'a'.repeat(9 * 1024)}`;
    assert.equal(await statusOf(w, request(w, `GET ${uri}`)), 404);
    assert.equal(await statusOf(w, request(w, `GET /healthz?${'a'.repeat(9 * 1024)}`)), 200);
    for (const text of [
      request(w, `GET /${'a'.repeat(20_000)}`), request(w, `GET /healthz?${'a&'.repeat(500)}`), request(w, 'GET /healthz', many(2000)), request(w, 'GET /healthz', 'X: y\r\n'.repeat(2000)),
      request(w, 'GET /healthz', `X: ${'y'.repeat(20_000)}\r\n`), request(w, 'GET /healthz', `${'X'.repeat(20_000)}: y\r\n`),
      request(w, 'GET /healthz', 'Cookie: a\r\n'.repeat(2000)), handshake(w.port, many(2000)), 'A'.repeat(200_000),
      `GET /healthz HTTP/1.1\r\n${many(100_000)}`,
    ]) {
      const status = await statusOf(w, text);
      assert.ok(status === 0 || status >= 400, `${text.slice(0, 60)}: ${status}`);
      await isWell(w);
    }
  }
});

test('Upgrade to anything else is refused, on a kept connection too', async () => {
  for (const w of both()) {
    for (const value of ['foo', 'websocket, foo', 'foo, websocket', 'websocket/13', 'TLS/1.0', 'h2', 'x'.repeat(5000), 'websocke', '\x7f']) {
      for (const path of ['/ws', '/healthz', '/api/v1/stream?symbols=*']) {
        const text = handshake(w.port, '', path).replace('Upgrade: websocket', `Upgrade: ${value}`);
        assert.ok((await statusOf(w, text)) >= 400, `${path} ${value.slice(0, 20)}`);
        const kept = await dial(w);
        kept.send(request(w, 'GET /healthz'));
        await kept.answered();
        kept.send(text + request(w, 'GET /healthz'));
        await kept.ended();
        // What came with it is thrown away with the connection, sometimes with the answer before it.
        assert.ok(kept.statuses.slice(1).every((s) => s >= 400), `${path} ${value.slice(0, 20)}: ${kept.statuses}`);
      }
    }
    // No upgrade at all; and the right one at the wrong place.
    assert.equal(await statusOf(w, handshake(w.port).replace(/Upgrade: .*\r\n/, '')), 426);
    for (const path of ['/', '/ws/', '/WS', '/ws%20', '/ws/x', '/healthz', '/api/v1/stream?symbols=*']) {
      assert.equal(await statusOf(w, handshake(w.port, '', path)), 404, path);
    }
    await isWell(w);
  }
});

test('methods and paths are what the table says, in whatever spelling', async () => {
  for (const w of both()) {
    const ask = (line) => statusOf(w, request(w, line, 'Connection: close\r\n'));
    for (const method of ['TRACE', 'BREW', 'PROPFIND', 'GETX', 'GET,POST', 'G\x00ET', 'X'.repeat(5000), '']) {
      const status = await ask(`${method} /healthz`);
      assert.ok(status === 0 || status === 400 || status === 403, `${method.slice(0, 20)}: ${status}`);
    }
    for (const path of ['/healthz', '/api/v1/quotes', '/api/v1/instruments', '/data-health/status', '/admin/clients', '/metrics']) {
      assert.equal(await ask(`GET ${path}`), 200, path);
      assert.equal(await ask(`HEAD ${path}`), 200, path);
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) assert.equal(await ask(`${method} ${path}`), 405, `${method} ${path}`);
      for (const other of [`${path}/`, path.toUpperCase(), `${path}%20`, `${path}%2f`, `${path};a`, `${path}.`, `${path}/.`, `${path}%00x`, `/x${path}`]) {
        const status = await ask(`GET ${other}`);
        // Closed at the NUL by the parser, or another name.
        assert.ok(status === 404 || (other.includes('%00') && [0, 200, 400, 404].includes(status)), `${other}: ${status}`);
      }
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) assert.equal(await ask(`${method} ${RESET}`), 405, method);
  }
});

test('no path leads out of the assets, compiled in or in a folder', async () => {
  const up = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '.%2e/', '....//', '..\\', '..%5c', '..%00/', '%252e%252e%252f', '..;/', '..%c0%af', '.../'];
  const paths = [
    ...up.flatMap((u) => [u, u.repeat(2), u.repeat(12)].flatMap((n) => [`/${n}secret.html`, `/sub/${n}secret.html`, `/${n}etc/passwd`])),
    '//etc/passwd', '/sub/../../secret.html', '/%00', '/index.html%00.png', '/%00/../secret.html', '/.env', '/%2eenv', '/.hidden.html',
    '/link.html', '/up/secret.html', '/sub/', '/sub', '/sub/.', '/.', '/..', '/file:///etc/passwd', '/C:\\secret.html', '/sub//../../secret.html',
    `${folder.path}/secret.html`, `/${folder.path}/secret.html`,
  ];
  for (const w of both()) {
    for (const path of paths) {
      const line = await untilEnd(w, request(w, `GET ${path}`, 'Connection: close\r\n'));
      assert.ok(line.statuses.length <= 1, path);
      assert.doesNotMatch(line.text, new RegExp(`${SECRET}|root:`), path);
      if (line.statuses[0] === 200) assert.match(line.text, /text\/html/, path); // "/" by another name
    }
    const page = await untilEnd(w, request(w, 'GET /', 'Connection: close\r\n'));
    assert.deepEqual(page.statuses, [200]);
  }
  const css = await untilEnd(where.plain, request(where.plain, 'GET /sub/../sub/a.css', 'Connection: close\r\n'));
  assert.deepEqual(css.statuses, [200]); // the folder is served, so that nothing above was vacuous
});
