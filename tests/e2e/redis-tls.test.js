// rediss://: a real redis-server with TLS. Where the program was built without it (hiredis before 1.0),
// that it says so.

import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { runCommand, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, testCerts } from '../support/scene.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';

const NOT_BUILT = /redis\.url: rediss:\/\/ needs hiredis 1\.0 or later, .*built with [0-9.]+: use .*(stunnel).*unix:\/\//;
const first = await runCommand(['check'], { env: { REDIS_URL: 'rediss://localhost' } });
const built = !NOT_BUILT.test(first.stderr);
const certs = testCerts();
const { elsewhere, expired } = certs.wrong();

/** The files of a pair {cert, key}, in a folder that goes with the test. */
function filesOf(t, pair) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const files = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
  for (const name of ['cert', 'key']) writeFileSync(files[name], pair[name]);
  return files;
}

/** A Redis with TLS on redis.port, and the test's own connection by its socket. */
async function secured(t, { cert, key } = certs, { ask = 'no' } = {}) {
  const port = await freePort();
  const redis = await startRedis({
    args: ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key,
      '--tls-ca-cert-file', certs.ca, '--tls-auth-clients', ask],
  });
  t.after(() => redis.stop());
  return Object.assign(redis, { port });
}

async function gatewayTo(t, url, tls = { ca: certs.ca }) {
  const gateway = await startGateway({
    redis: { url, tls },
    instruments: [external('tea'), { symbol: 'a', poll_ms: 100, sources: [{ provider: 'sim', symbol: 'a' }] }],
  });
  t.after(() => gateway.stop());
  return gateway;
}

/** Prices pass both ways. */
async function works(gateway, redis) {
  await gateway.log('bus_up');
  const own = await redis.subscribe('a:price:stream');
  await own.next();
  own.close();
  const price = (Math.random() + 1).toFixed(9);
  const text = `{"symbol":"tea","price":${price},"ts":${Date.now()},"recv":${Date.now()}}`;
  await redis.command('PUBLISH', 'tea:price:stream', text);
  await until(async () => (await gateway.get('/api/v1/quotes/tea')).body.includes(price), "the other program's price");
}

test('a program without TLS to Redis says so, and names the way out', { skip: built && 'this one has it' }, async () => {
  assert.equal(first.code, 1);
  await assert.rejects(startGateway({ redis: { url: 'rediss://127.0.0.1:1' }, instruments: [] }),
    (error) => NOT_BUILT.test(error.message));
});

describe('with TLS to Redis', { skip: !built && 'this program was built without', concurrency: 2 }, () => {
  for (const host of ['localhost', '127.0.0.1']) {
    test(`prices pass, ${host} is in the certificate, and it comes back`, async (t) => {
      const redis = await secured(t);
      const admit = () => redis.command('ACL', 'SETUSER', 'desk', 'on', '>sesame', '~*', '&*', '+@all');
      await admit();
      const gateway = await gatewayTo(t, `rediss://desk:sesame@${host}:${redis.port}/3`);
      await works(gateway, redis);
      const clients = await redis.command('CLIENT', 'LIST');
      assert.equal(clients.split('\n').filter((l) => l.includes('user=desk')).length, 2, clients);
      await redis.kill();
      await gateway.log('bus_down');
      await redis.start();
      await admit();
      gateway.logs.length = 0;
      await works(gateway, redis);
    });
  }

  // Redis 8.0 may end a TLS connection whose socket is full ("SSL routines::bad length" in its log): then
  // the last one is read after the return.
  test('8 MB at once: the last of it arrives', async (t) => {
    const redis = await secured(t);
    const gateway = await gatewayTo(t, `rediss://localhost:${redis.port}`);
    await works(gateway, redis);
    const pad = 'x'.repeat(3900);
    for (let i = 1; i <= 2000; i++) {
      const text = `{"symbol":"tea","price":${i},"ts":${Date.now()},"recv":${Date.now()},"seq":"ffffffffffff:${i.toString(16)}","pad":"${pad}"}`;
      redis.command('SET', 'tea:price:latest', text, 'EX', 600);
      redis.command('PUBLISH', 'tea:price:stream', text);
    }
    await until(async () => (await gateway.get('/api/v1/quotes/tea')).json.price === 2000, 'the last of it', 30_000);
  });

  const cases = [
    ['nobody knows who signed its certificate', { tls: null }, /certificate is not accepted/, /redis\.tls\.ca/],
    ['it is another host\'s', { pair: elsewhere }, /not accepted: hostname mismatch/, /another name/],
    ['it is another address\'s', { pair: elsewhere, host: '127.0.0.1' }, /not accepted: IP address mismatch/, /for a name/],
    ['it has expired', { pair: expired }, /not accepted: certificate has expired/, /renew/],
    ['Redis wants a certificate', { ask: 'yes' }, /certificate required|over TLS/, /redis\.tls\.cert/],
    ['the certificate is none that Redis knows', { ask: 'yes', foreign: true }, /unknown ca|over TLS/, /redis\.tls\.cert/],
    ['that port speaks TLS', { scheme: 'redis' }, /Protocol error|closed the connection|reset/, /rediss:/],
  ];
  for (const [what, { pair, host = 'localhost', ask, tls = { ca: certs.ca }, scheme = 'rediss', foreign }, why, advice] of cases) {
    test(`refused: ${what}`, async (t) => {
      const redis = await secured(t, pair && filesOf(t, pair), { ask });
      const more = foreign ? filesOf(t, certs.wrong().unknown) : {};
      const gateway = await gatewayTo(t, `${scheme}://${host}:${redis.port}`, scheme === 'redis' ? null : tls && { ...tls, ...more });
      const line = await gateway.log('bus_down');
      assert.match(line.why, why);
      assert.match(line.advice, advice);
      assert.ok((await gateway.get('/readyz')).json.degraded.includes('bus'));
      assert.equal(gateway.logs.filter((l) => l.event === 'bus_up').length, 0);
    });
  }

  test('refused: that port speaks no TLS', async (t) => {
    const port = await freePort();
    const redis = await startRedis({ args: ['--port', String(port)] });
    t.after(() => redis.stop());
    const gateway = await gatewayTo(t, `rediss://localhost:${port}`);
    const line = await gateway.log('bus_down');
    assert.match(line.why, /wrong version number|packet length too long|no answer|closed/);
    assert.match(line.advice, /redis:\/\//);
  });

  test('Redis may ask for a certificate; renewed files count from the next connection on', async (t) => {
    const redis = await secured(t, certs, { ask: 'yes' });
    const { cert, key } = filesOf(t, certs.wrong().unknown);
    const gateway = await gatewayTo(t, `rediss://localhost:${redis.port}`, { ca: certs.ca, cert, key });
    await gateway.log('bus_down');
    copyFileSync(certs.key, key);
    copyFileSync(certs.cert, cert);
    await works(gateway, redis);
  });

  test('check reads the files', async (t) => {
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    const file = join(folder.path, 'c.json');
    const nothing = join(folder.path, 'nothing.pem');
    writeFileSync(nothing, 'nothing\n');
    for (const [tls, sentence] of [
      [{ ca: '/nowhere/ca.pem' }, /redis\.tls\.ca: \/nowhere\/ca\.pem: No such file or directory/],
      [{ ca: nothing }, /redis\.tls\.ca: .*nothing\.pem: no certificate/],
      [{ cert: nothing, key: certs.key }, /redis\.tls\.cert: .*nothing\.pem: /],
      [{ cert: certs.cert, key: nothing }, /redis\.tls\.key: .*nothing\.pem: /],
      [{ cert: certs.cert, key: filesOf(t, elsewhere).key }, /redis\.tls\.key: .*: this is not the key of the certificate in /],
    ]) {
      writeFileSync(file, JSON.stringify({ redis: { url: 'rediss://localhost', tls }, instruments: [] }));
      const { code, stderr } = await runCommand(['check', '--config', file]);
      assert.equal(code, 1);
      assert.match(stderr, sentence);
    }
    writeFileSync(file, JSON.stringify({ redis: { url: 'rediss://localhost', tls: certs.tls }, instruments: [] }));
    assert.equal((await runCommand(['check', '--config', file])).code, 0);
  });
});
