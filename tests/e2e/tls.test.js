// What is spoken on the TLS port, asked by a client that would take anything: only TLS 1.2 and 1.3,
// only key exchange with forward secrecy, only authenticated ciphers. The long run asks the two
// scanners that others will ask.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';

import { makeCerts } from '../support/certs.js';
import { startGateway } from '../support/gateway.js';
import { temporaryFolder, until, within } from '../support/wait.js';

const run = promisify(execFile);
const certs = makeCerts({ rsa: true }); // RSA key exchange is possible with such a key only
let gateway;

before(async () => {
  gateway = await startGateway({
    listen: { tls: { cert: certs.cert, key: certs.key } },
    instruments: [{ symbol: 'coffee', sources: [] }],
  });
});
after(async () => {
  await gateway?.stop();
  certs.remove();
});

/** A connection that is up and verified, or null where the handshake is refused. */
function connect(t, options = {}) {
  return new Promise((resolve) => {
    const socket = tls.connect({
      port: gateway.port,
      host: '127.0.0.1',
      ca: certs.pem.ca,
      minVersion: 'TLSv1',
      ...options,
      ciphers: `${options.ciphers ?? 'ALL:eNULL'}:@SECLEVEL=0`, // what is refused is refused by the server
    });
    t.after(() => socket.destroy());
    socket.on('session', (session) => { socket.ticket = session; });
    socket.on('secureConnect', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}

test('versions: 1.2 and 1.3, nothing older', async (t) => {
  for (const [options, version] of [
    [{}, 'TLSv1.3'],
    [{ maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
    [{ maxVersion: 'TLSv1.1' }, undefined],
    [{ maxVersion: 'TLSv1' }, undefined],
  ]) {
    const socket = await connect(t, options);
    assert.equal(socket?.getProtocol(), version, JSON.stringify(options));
  }
});

test('ciphers of 1.2: each one that OpenSSL has is refused, but for ECDHE with AEAD', async (t) => {
  const taken = [];
  const all = tls.getCiphers().map((c) => c.toUpperCase()).filter((c) => !c.startsWith('TLS_'));
  assert.ok(all.includes('AES128-GCM-SHA256') && all.includes('ECDHE-RSA-AES128-SHA256'));
  for (const ciphers of all) {
    const socket = await connect(t, { ciphers, maxVersion: 'TLSv1.2' });
    if (socket) taken.push(ciphers);
    socket?.destroy();
  }
  assert.deepEqual(taken.sort(), [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ]);
});

test('no renegotiation, no compression; tickets resume a session', async (t) => {
  const socket = await connect(t, { maxVersion: 'TLSv1.2' });
  assert.equal(socket.getEphemeralKeyInfo().type, 'ECDH');
  const asked = new Promise((resolve) => {
    socket.removeAllListeners('error');
    socket.on('error', resolve);
    socket.renegotiate({}, (error) => resolve(error));
  });
  assert.match(String(await within(asked, 'the answer to a renegotiation')), /no.renegotiation/i);

  const told = execFileSync('openssl', ['s_client', '-connect', `127.0.0.1:${gateway.port}`, '-tls1_2', '-comp'], {
    input: 'Q\n',
    stdio: ['pipe', 'pipe', 'ignore'],
  }).toString();
  assert.match(told, /^Compression: NONE$/m);

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const first = await connect(t, { maxVersion });
    first.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'); // those of 1.3 come with what is read
    const session = await until(() => first.ticket, `a ticket of ${maxVersion}`);
    const again = await connect(t, { maxVersion, session });
    assert.ok(again.isSessionReused(), maxVersion);
  }
});

const installed = (name) => process.env.PATH.split(':').some((folder) => existsSync(join(folder, name)));
const long = (tool) =>
  !process.env.LONG ? 'only with LONG=1' : installed(tool) ? false : `${tool} is not installed`;

test('sslscan finds nothing else', { skip: long('sslscan') }, async () => {
  const { stdout } = await run('sslscan', ['--no-colour', '--xml=-', `127.0.0.1:${gateway.port}`]);
  const rows = (name) => [...stdout.matchAll(new RegExp(`<${name} ([^>]*)/>`, 'g'))].map(([, text]) =>
    Object.fromEntries([...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, k, v]) => [k, v])));
  const versions = rows('protocol').filter((p) => p.enabled === '1').map((p) => `${p.type} ${p.version}`);
  assert.deepEqual(versions, ['tls 1.2', 'tls 1.3']);
  assert.deepEqual(rows('renegotiation').map((r) => r.supported), ['0']);
  assert.ok(rows('heartbleed').every((h) => h.vulnerable === '0'));
  const ciphers = rows('cipher');
  assert.ok(ciphers.length >= 6);
  for (const c of ciphers) {
    assert.match(c.cipher, /^(TLS_(AES|CHACHA20)|ECDHE-RSA-(AES(128|256)-GCM|CHACHA20))/, c.cipher);
    assert.ok(['strong', 'acceptable'].includes(c.strength), `${c.cipher} is ${c.strength}`);
  }
});

// The certificate, its chain and its name are the owner's; the rest of a scan is ours.
const OF_THE_OWNER = /^(cert_|DNS_CAArecord$)|^engine_problem$/;

test('testssl.sh has nothing to complain about', { skip: long('testssl') }, async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'found.json');
  const options = ['--warnings', 'off', '--quiet', '--color', '0', '--nodns', 'none', '--jsonfile', file];
  const scan = spawn('testssl', [...options, `127.0.0.1:${gateway.port}`], { stdio: 'ignore', cwd: folder.path });
  await within(new Promise((resolve) => scan.on('exit', resolve)), 'the scan', 900_000);
  const found = JSON.parse(readFileSync(file, 'utf8'));
  const of = (id) => found.find((f) => f.id === id)?.finding;
  assert.ok(found.length > 100, `${found.length} findings: the scan was broken off`);
  assert.match(of('TLS1_3'), /^offered/);
  assert.match(of('HSTS_time'), /31536000/);
  const bad = found.filter((f) => !['OK', 'INFO'].includes(f.severity) && !OF_THE_OWNER.test(f.id));
  assert.deepEqual(bad.map((f) => `${f.severity} ${f.id}: ${f.finding}`), []);
});
