// Who may do what, with the real program: keys, signed tokens of each algorithm, the whole matrix of
// routes and roles, what a token limits, and when it ends.

import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
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

// Route and method, the least role that may, and what an administrator is answered: PROTOCOL 6. The test
// below holds this against the program's own table, so that no row is missing here. Last: what a bad token is
// answered where none is needed, if not the same.
const matrix = [
  ['GET', '/', null, 200],
  ['GET', '/healthz', null, 200],
  ['GET', '/readyz', null, 200],
  ['GET', '/dashboard/app.js', null, 200],
  ['GET', '/ws', null, 426],
  ['GET', '/openapi.json', null, 200],
  ['GET', '/asyncapi.json', null, 200],
  ['GET', '/docs', null, 200],
  ['GET', '/docs/', null, 308],
  ['GET', '/metrics', 'viewer', 200], // from loopback for everybody
  ['GET', '/api/v1/instruments', 'viewer', 200],
  ['GET', '/api/v1/observations', 'viewer', 200],
  ['GET', '/api/v1/observations/none', 'viewer', 404],
  ['GET', '/api/v1/provenance/coffee', 'viewer', 200],
  ['GET', '/api/v1/quotes', 'viewer', 200],
  ['GET', '/api/v1/quotes/coffee', 'viewer', 200],
  ['GET', '/api/v1/stream?symbols=', 'viewer', 400],
  ['GET', '/whoami', null, 200, 401],
  ['GET', '/data-health/status', 'analyst', 200],
  ['GET', '/data-health/sources', 'analyst', 200],
  ['GET', '/data-health/jobs', 'analyst', 200],
  ['POST', '/data-health/refresh-all', 'analyst', 200],
  ['POST', '/data-health/refresh-market', 'analyst', 200],
  ['POST', '/data-health/refresh-intelligence', 'analyst', 200],
  ['POST', '/data-health/reset-circuit/yahoo', 'admin', 200],
  ['GET', '/admin/clients', 'admin', 200],
  ['POST', '/admin/clients/none/close', 'admin', 404],
  ['POST', '/admin/reload', 'admin', 200],
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

/** The rows of the program's table: [method, path, is it a beginning?, least role]. */
function tableOfTheProgram() {
  const text = readFileSync(new URL('../../gateway/server/routes.c', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/\{"(\/[^"]*)",\s*METHOD_(\w+),\s*ROLE_(\w+),([^{}]*)\}/g)];
  return rows.map(([, path, method, role, rest]) =>
    [method, path, rest.includes('ROUTE_PREFIX'), role === 'NONE' ? null : role.toLowerCase()]);
}

test('the matrix has every row of the program\'s table', () => {
  const rows = tableOfTheProgram();
  assert.ok(rows.length >= matrix.length);
  for (const [method, path, beginning, role] of rows) {
    const here = matrix.find(([m, p]) => {
      const plain = p.split('?')[0];
      return m === method && (beginning ? plain.startsWith(path) && plain !== path : plain === path);
    });
    assert.ok(here, `${method} ${path} is not in the matrix`);
    if (path !== '/metrics') assert.equal(here[2], role, path);
  }
});

test('every route with every role', async (t) => {
  const gateway = await gatewayWithTokens(t);
  await until(async () => (await gateway.get('/api/v1/quotes/coffee', bearer(hs256({})))).status === 200, 'a price');
  for (const [method, path, least, good, toBad] of matrix) {
    for (const role of ranks) {
      const token = role && hs256({ role, exp: soon() });
      const got = await call(gateway, method, path, token);
      const may = ranks.indexOf(role) >= ranks.indexOf(least) || path === '/metrics';
      const what = `${method} ${path} as ${role}: ${got.status}`;
      assert.equal(got.status, may ? good : role ? 403 : 401, what);
      if (got.status === 401) assert.match(got.headers['www-authenticate'], /^Bearer /, what);
      const bad = await call(gateway, method, path, 'wrong');
      assert.equal(bad.status, least ? 401 : (toBad ?? good), `${method} ${path} with a bad token: ${bad.status}`);
    }
  }
});

// Nothing but the exact path and method is the route, whoever asks: another form of a path must not
// be a way around its row.
test('other methods and other forms of a path, with every role', async (t) => {
  const gateway = await gatewayWithTokens(t);
  const tokens = ranks.map((role) => role && hs256({ role, exp: soon() }));
  const ask = async (method, path, token, wanted) => {
    const got = await gateway.get(path, { method, ...(token ? bearer(token) : {}) });
    const what = `${method} ${path} as ${ranks[tokens.indexOf(token)]}: ${got.status}`;
    assert.ok([wanted].flat().includes(got.status), what);
    return got;
  };
  for (const [method, full, least, good] of matrix) {
    const path = full.split('?')[0];
    const stream = ['/ws', '/api/v1/stream'].includes(path);
    const allow = method === 'POST' ? 'POST' : stream ? 'GET' : 'GET, HEAD';
    for (const [i, token] of tokens.entries()) {
      const may = i >= ranks.indexOf(least) || path === '/metrics';
      const refused = token ? 403 : 401;
      if (allow === 'GET, HEAD') {
        const head = await ask('HEAD', path, token, may ? good : refused);
        assert.equal(head.body, '');
      }
      for (const other of ['OPTIONS', 'PUT', 'PATCH', 'DELETE', method === 'POST' ? 'GET' : 'POST', ...(allow.includes('HEAD') ? [] : ['HEAD'])]) {
        const got = await ask(other, path, token, 405);
        assert.equal(got.headers.allow, allow, `${other} ${path}`);
      }
      for (const unknown of ['TRACE', 'PROPFIND']) await ask(unknown, path, token, 403); // by the library
      if (path === '/' || path === '/docs/') continue;
      const isSymbol = /^\/api\/v1\/(quotes|observations|provenance)\/./.test(path); // there a role is asked for first
      const isBeginning = isSymbol || /^\/(admin\/clients|data-health\/reset-circuit)\/./.test(path);
      const absent = isBeginning ? [404, ...(may ? [] : [refused])] : 404;
      // /docs/ is a route of its own: people type it.
      for (const form of [
        ...(path === '/docs' ? [] : [`${path}/`]), path.toUpperCase(), path.replace(/[a-z](?=[^a-z]*$)/, (c) => c.toUpperCase()), `${path}%20`,
        `${path};a=b`, `${path}.`, `/x${path}`,
      ]) await ask(method, form, token, absent);
      // What the library tidies up is the same path, under the same rule.
      for (const form of [`/.${path}`, `/x/..${path}`, `/x%2f..${path}`, `/x/..%2f..${path}`, `/%2e${path}`, `/${path}`, path.replace(/.$/, (c) => `%${c.charCodeAt(0).toString(16)}`)]) {
        await ask(method, form, token, [may ? good : refused, 404]);
      }
    }
  }
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
  const answers = new Set();
  for (const token of tokens) {
    assert.equal(await status(token), 401, token.slice(0, 60));
    const { headers, body } = await gateway.get('/data-health/status', bearer(token));
    answers.add(JSON.stringify([headers['www-authenticate'], body]));
  }
  assert.equal(answers.size, 1, 'nobody is told what was wrong with it');
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
    ['POST', '/admin/reload', 'admin'],
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
  assert.deepEqual(await symbols('part \t'), ['cocoa'], 'blanks behind a header are no part of it');
});

test('who says nothing of himself is closed, who does in time stays', async (t) => {
  const gateway = await startGateway({
    auth: { anonymous_role: null, jwt: { alg: 'HS256', secret: SECRET } },
    limits: { auth_ms: 1500 },
    instruments,
  });
  t.after(() => gateway.stop());
  const [silent, busy, known] = await Promise.all([1, 2, 3].map(() => connectWs(gateway.wsUrl)));
  known.send({ action: 'auth', token: hs256({}), id: 1 });
  assert.equal((await known.next((m) => m.id === 1)).type, 'authenticated');
  busy.send({ action: 'auth', token: 'wrong' }); // tries, and other commands, win no time
  busy.send({ action: 'ping' });
  const ends = await Promise.all([within(silent.closed, 'the end'), within(busy.closed, 'the end')]);
  for (const end of ends) assert.deepEqual(end, { code: 4001, reason: 'auth' });
  known.send({ action: 'list', id: 2 });
  assert.equal((await known.next((m) => m.id === 2)).type, 'subscriptions');
  await known.close();
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
