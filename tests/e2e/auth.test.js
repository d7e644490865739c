// Who may do what, with the real program: keys, signed tokens of each algorithm, the whole matrix of
// routes and roles, what a token limits, and when it ends.

import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startGateway } from '../support/gateway.js';
import { temporaryFolder, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const SECRET = 'thirty-two bytes of secret, or more';
const b64 = (value) => Buffer.from(value).toString('base64url');
const soon = () => Math.floor(Date.now() / 1000) + 600;

function hs256(claims, { secret = SECRET, header = { alg: 'HS256', typ: 'JWT' } } = {}) {
  const text = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(claims))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const instruments = ['coffee', 'cocoa', 'EUR/USD'].map((symbol) => ({
  symbol,
  poll_ms: 200,
  sources: [{ provider: 'sim', symbol }],
}));
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

const call = (gateway, method, path, token) =>
  gateway[method.toLowerCase()](path, token ? bearer(token) : {});

// Route and method, and the least role that may: PROTOCOL 6.
const matrix = [
  ['GET', '/', null],
  ['GET', '/healthz', null],
  ['GET', '/readyz', null],
  ['GET', '/metrics', 'viewer'], // from loopback for everybody
  ['GET', '/api/v1/instruments', 'viewer'],
  ['GET', '/api/v1/observations', 'viewer'],
  ['GET', '/api/v1/quotes', 'viewer'],
  ['GET', '/api/v1/quotes/coffee', 'viewer'],
  ['GET', '/data-health/status', 'analyst'],
  ['GET', '/data-health/sources', 'analyst'],
  ['POST', '/data-health/refresh-all', 'analyst'],
  ['POST', '/data-health/refresh-market', 'analyst'],
  ['POST', '/data-health/refresh-intelligence', 'analyst'],
  ['POST', '/data-health/reset-circuit/yahoo', 'admin'],
  ['GET', '/admin/clients', 'admin'],
];
const ranks = [null, 'viewer', 'analyst', 'admin'];

async function gatewayWithTokens(t, more = {}) {
  const gateway = await startGateway({
    auth: { anonymous_role: null, jwt: { alg: 'HS256', secret: '$SECRET' }, ...more },
    instruments,
  }, { env: { SECRET } });
  t.after(() => gateway.stop());
  return gateway;
}

test('every route with every role', async (t) => {
  const gateway = await gatewayWithTokens(t);
  await until(async () => (await gateway.get('/api/v1/quotes/coffee', bearer(hs256({})))).status === 200, 'a price');
  for (const [method, path, least] of matrix) {
    for (const role of ranks) {
      const token = role && hs256({ role, exp: soon() });
      const got = await call(gateway, method, path, token);
      const may = ranks.indexOf(role) >= ranks.indexOf(least) || path === '/metrics';
      const what = `${method} ${path} as ${role}: ${got.status}`;
      assert.equal(got.status, may ? 200 : role ? 403 : 401, what);
      if (got.status === 401) assert.match(got.headers['www-authenticate'], /^Bearer /, what);
      const bad = await call(gateway, method, path, 'wrong');
      assert.equal(bad.status, least ? 401 : 200, `${method} ${path} with a bad token: ${bad.status}`);
    }
  }
  for (const path of ['/API/v1/quotes', '/api/v1/quotes/', '/data-health/status/', '/admin', '/data-health'])
    assert.equal((await gateway.get(path, bearer(hs256({ role: 'admin' })))).status, 404, path);
});

test('tokens that must not pass', async (t) => {
  const gateway = await gatewayWithTokens(t, { jwt: { alg: 'HS256', secret: SECRET, issuer: 'desk', audience: 'pg' } });
  const good = { iss: 'desk', aud: 'pg', role: 'admin', exp: soon() };
  const status = async (token) => (await gateway.get('/data-health/status', bearer(token))).status;
  assert.equal(await status(hs256(good)), 200);
  const none = `${b64('{"alg":"none"}')}.${b64(JSON.stringify(good))}.`;
  const tokens = [
    none,
    `${none}AAAA`,
    hs256(good, { secret: 'another' }),
    hs256(good, { header: { alg: 'HS512' } }),
    hs256({ ...good, exp: Math.floor(Date.now() / 1000) - 1 }),
    hs256({ ...good, nbf: soon() }),
    hs256({ ...good, iss: 'else' }),
    hs256({ ...good, aud: ['else'] }),
    hs256({ ...good, role: 'root' }),
    hs256({ ...good, symbols: 'coffee' }),
    hs256({ ...good, pad: 'x'.repeat(5000) }),
    `${hs256(good)}x`,
    '..',
  ];
  for (const token of tokens) assert.equal(await status(token), 401, token.slice(0, 60));
  assert.ok(!gateway.logText().includes(hs256(good)), 'no token in the log');
});

test('ES256 and RS256 by a public key', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const pairs = {
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  for (const [alg, { publicKey, privateKey }] of Object.entries(pairs)) {
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const file = join(folder.path, `${alg}.pem`);
    writeFileSync(file, pem);
    const gateway = await startGateway({
      auth: { anonymous_role: null, jwt: { alg, public_key_file: file } },
      instruments,
    });
    try {
      const text = `${b64(JSON.stringify({ alg }))}.${b64(JSON.stringify({ role: 'viewer', exp: soon() }))}`;
      const key = alg === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey;
      const token = `${text}.${signWith('sha256', Buffer.from(text), key).toString('base64url')}`;
      assert.equal((await gateway.get('/api/v1/instruments', bearer(token))).status, 200, alg);
      // Everybody may have the public key: it is no secret to sign with.
      const forged = hs256({ role: 'admin' }, { secret: pem });
      assert.equal((await gateway.get('/api/v1/instruments', bearer(forged))).status, 401, alg);
    } finally {
      await gateway.stop();
    }
  }
});

test('a token for some symbols sees no others', async (t) => {
  const gateway = await gatewayWithTokens(t);
  const token = hs256({ symbols: ['coffee', 'EUR/*'], exp: soon() });
  const get = (path) => gateway.get(path, bearer(token));
  await until(async () => (await get('/api/v1/quotes/coffee')).status === 200, 'a price');
  assert.deepEqual((await get('/api/v1/instruments')).json.data.map((i) => i.symbol), ['coffee', 'EUR/USD']);
  assert.deepEqual((await get('/api/v1/quotes')).json.data.map((q) => q.symbol), ['coffee', 'EUR/USD']);
  const refused = await get('/api/v1/quotes?symbols=coffee,cocoa');
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /: cocoa$/);
  assert.equal((await get('/api/v1/quotes/cocoa')).status, 403);
  assert.equal((await get('/api/v1/stream?symbols=cocoa')).status, 403);

  const analyst = hs256({ role: 'analyst', symbols: ['coffee', 'EUR/*'], exp: soon() });
  const { categories } = (await gateway.get('/data-health/status', bearer(analyst))).json;
  assert.deepEqual(Object.values(categories).flatMap((c) => Object.keys(c)).sort(), ['EUR/USD', 'coffee']);

  // What is about all symbols is not for somebody who may see some.
  const some = (role) => bearer(hs256({ role, symbols: ['coffee'], exp: soon() }));
  for (const [method, path, role] of [
    ['GET', '/data-health/jobs', 'analyst'],
    ['POST', '/data-health/refresh-all', 'analyst'],
    ['POST', '/data-health/refresh-market', 'analyst'],
    ['POST', '/data-health/refresh-intelligence', 'analyst'],
    ['POST', '/data-health/reset-circuit/yahoo', 'admin'],
    ['GET', '/admin/clients', 'admin'],
    ['POST', '/admin/clients/abc/close', 'admin'],
  ]) {
    const refused = await gateway[method.toLowerCase()](path, some(role));
    assert.equal(refused.status, 403, path);
    assert.match(refused.json.detail, /for some symbols/);
  }
  const proxied = { headers: { ...some('analyst').headers, 'x-forwarded-for': '192.0.2.1' } };
  assert.equal((await gateway.get('/metrics', proxied)).status, 403);
  proxied.headers.authorization = `Bearer ${hs256({ role: 'analyst', exp: soon() })}`;
  assert.equal((await gateway.get('/metrics', proxied)).status, 200);

  const client = await connectWs(`${gateway.wsUrl}?token=${token}`);
  t.after(() => client.close());
  client.send({ action: 'subscribe', symbols: ['*', 'cocoa'], id: 1 });
  const ack = await client.next((m) => m.type === 'subscribed');
  assert.deepEqual(ack.active, ['coffee', 'EUR/USD']);
  assert.deepEqual(ack.rejected.map((r) => [r.symbol, r.error]), [['cocoa', 'forbidden']]);
});

test('keys: several of a name, and for some symbols', async (t) => {
  const key = (secret, role, symbols) => ({
    name: 'desk',
    role,
    sha256: createHash('sha256').update(secret).digest('hex'),
    ...(symbols ? { symbols } : {}),
  });
  const gateway = await gatewayWithTokens(t, {
    keys: [key('old', 'viewer'), key('new', 'viewer'), key('part', 'viewer', ['cocoa'])],
  });
  const symbols = async (secret) =>
    (await gateway.get('/api/v1/instruments', bearer(secret))).json.data.map((i) => i.symbol);
  assert.equal((await symbols('old')).length, 3);
  assert.equal((await symbols('new')).length, 3);
  assert.deepEqual(await symbols('part'), ['cocoa']);
});

test('a token that ends is told, renewed, or closed', async (t) => {
  const gateway = await gatewayWithTokens(t);
  const short = () => hs256({ exp: Math.floor(Date.now() / 1000) + 2 });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.close());
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 1 });
  assert.equal((await client.next((m) => m.id === 1)).code, 401);
  client.send({ action: 'auth', token: 'wrong', id: 2 });
  assert.equal((await client.next((m) => m.id === 2)).code, 402);
  client.send({ action: 'auth', token: short(), id: 3 });
  assert.equal((await client.next((m) => m.id === 3)).role, 'viewer');
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 4 });
  await client.next((m) => m.id === 4);
  assert.equal((await client.next((m) => m.type === 'error')).code, 401);
  client.send({ action: 'auth', token: hs256({ exp: soon() }), id: 5 });
  assert.equal((await client.next((m) => m.id === 5)).type, 'authenticated');
  await client.next((m) => m.type === 'quote' && !m.snapshot);

  const other = await connectWs(`${gateway.wsUrl}?token=${short()}`);
  assert.equal((await other.next((m) => m.type === 'error')).code, 401);
  assert.equal((await within(other.closed, 'the close', 15_000)).code, 4001);
});
