// What must not be said: tokens, keys and passwords to nobody, in no log and no answer; where the
// parts of the machine are, to nobody who may only read prices.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';

import { runCommand } from '../support/gateway.js';
import { external, instrument, scene } from '../support/scene.js';
import { KEY, ok, status } from '../support/upstream.js';
import { until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const JWT_SECRET = 'jwtsecret-3f9a17c2-of-thirty-two-bytes';
const REDIS_PASSWORD = 'redispassword-77aa';
const API_KEY = 'apikeyofeia-51d0';
const CONFIGURED = [JWT_SECRET, REDIS_PASSWORD, API_KEY, KEY];

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function jwt(claims, secret = JWT_SECRET) {
  const text = `${b64({ alg: 'HS256' })}.${b64(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const soon = () => Math.floor(Date.now() / 1000) + 600;
const keyed = (secret, role) => ({ name: role, role, sha256: createHash('sha256').update(secret).digest('hex') });
const ADMIN = 'admintoken-90bb12';
const VIEWER = 'viewertoken-90bb12';

/** Every source fails in its own way, and Redis is away. dead: a port at which nobody listens. */
async function troubled(t) {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const dead = probe.address().port;
  await new Promise((resolve) => probe.close(resolve));
  const echo = status(401, JSON.stringify({ code: 401, message: `apikey ${KEY} at https://inner.example/quote?apikey=${KEY} is wrong` }), {
    'content-type': 'application/json',
  });
  return { dead, ...(await scene(t, {
    args: ['--log-level', 'debug'],
    env: { JWT_SECRET, REDIS_URL: `redis://user:${REDIS_PASSWORD}@127.0.0.1:${dead}/0` },
    script: (u) => {
      u.set('twelvedata', 'KC1', echo);
      u.set('fred', 'DEXUSEU', ok({ value: '1.0845' }));
    },
    providers: {
      yahoo: { base_url: `https://127.0.0.1:${dead}` },
      eia: { api_key: API_KEY, base_url: `https://127.0.0.1:${dead}` },
    },
    config: {
      redis: { url: '$REDIS_URL' },
      auth: { anonymous_role: null, jwt: { alg: 'HS256', secret: '$JWT_SECRET' }, keys: [keyed(ADMIN, 'admin'), keyed(VIEWER, 'viewer')] },
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']]),
        instrument('oil', [['eia', 'RWTC']]),
        instrument('EUR/USD', [['fred', 'DEXUSEU']]),
        external('tea'),
      ],
    },
  })) };
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** All that the gateway says to raw bytes, until it has said something and ended or paused. */
async function raw(gateway, text) {
  const socket = net.connect(gateway.port, '127.0.0.1');
  socket.on('error', () => {});
  let seen = '';
  socket.on('data', (bytes) => { seen += bytes; });
  socket.write(text);
  await until(() => seen.includes('\r\n\r\n'), `an answer to ${text.slice(0, 50)}`);
  socket.destroy();
  return seen;
}

/** Every way to hand over a token, right ones and wrong ones; all that was answered. */
async function tryToken(gateway, token) {
  const said = [];
  const get = async (path, options) => {
    const answer = await gateway.get(path, options);
    said.push(JSON.stringify(answer.headers), answer.body);
  };
  const many = Array.from({ length: 20 }, (_, i) => `a${i}=1`).join('&');
  for (const path of ['/api/v1/quotes', '/api/v1/quotes/nothing', '/nothing', '/data-health/status', '/ws', '/api/v1/quotes?symbols=x,y']) {
    await get(path, { headers: bearer(token) });
    await get(`${path}${path.includes('?') ? '&' : '?'}token=${token}`);
    await get(`${path}${path.includes('?') ? '&' : '?'}token=${token}&${many}`); // 431
    await get(path, { headers: { authorization: `Basic ${token}` } });
    await get(path, { headers: { authorization: token } });
    await get(path, { method: 'DELETE', headers: bearer(token) });
  }
  const head = (line, more) => `${line} HTTP/1.1\r\nHost: localhost:${gateway.port}\r\n${more}\r\n`;
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  const authorization = `Authorization: Bearer ${token}\r\n`;
  for (const text of [
    head(`FOO /?token=${token}`, authorization),
    head(`GET http://${token}/?token=${token}`, authorization),
    head(`POST /data-health/refresh-all?token=${token}`, 'Transfer-Encoding: chunked\r\n'),
    head(`POST /data-health/refresh-all?token=${token}`, 'Content-Length: 99999\r\n'),
    head('GET /', `${authorization}Host: ${token} x\r\n`),
    head(`GET /ws?token=${token}`, `${upgrade}Sec-WebSocket-Version: 99\r\n`),
    head('GET /ws', `${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${token}\r\n`),
    head(`GET /ws?token=${token}`, `${upgrade}Sec-WebSocket-Version: 13\r\nOrigin: https://evil.example\r\n`),
    head('GET /ws', `${upgrade}Sec-WebSocket-Version: 13\r\n${authorization.replace('Bearer', 'Basic')}`),
  ]) said.push(await raw(gateway, text));

  const client = await connectWs(gateway.wsUrl);
  const messages = [
    JSON.stringify({ action: 'auth', token, id: 1 }),
    JSON.stringify({ action: 'auth', token: [token] }),
    JSON.stringify({ action: 'auth', tokem: token }),
    JSON.stringify({ action: 'auth', token: `${token}x` }),
    JSON.stringify({ action: 'auth', token: `${token}\u0007` }),
    `{"action":"auth","token":"${token}","token":"${token}"}`,
    `{"action":"auth","token":"${token}`,
    `{"action":"auth","token":${token}}`,
    token,
  ];
  for (const message of messages) client.send(message);
  client.send({ action: 'ping', id: 'last' });
  await client.next((m) => m.id === 'last');
  said.push(...client.messages.map((m) => m.text));
  await client.close(1000, 'bye');
  for (const path of [`?token=${token}`, '']) {
    const other = await connectWs(`${gateway.wsUrl}${path}`, { headers: path ? {} : bearer(token), welcome: false }).catch((e) => e);
    if (other instanceof Error) {
      said.push(other.message);
      continue;
    }
    other.send({ action: 'subscribe', symbols: ['*'], id: 1 });
    await other.next((m) => m.id === 1);
    said.push(...other.messages.map((m) => m.text));
    await other.close();
  }
  return said.join('\n');
}

test('tokens and configured secrets are in no answer and no line of the log', async (t) => {
  const { gateway } = await troubled(t);
  const tokens = [
    VIEWER, ADMIN, 'wrongtoken-4455aa', jwt({ role: 'analyst', exp: soon() }), jwt({ role: 'admin', exp: 1 }),
    jwt({ role: 'admin' }, 'another'), `${jwt({ role: 'viewer' })}x`,
  ];
  let said = '';
  for (const token of tokens) said += await tryToken(gateway, token);
  const admin = { headers: bearer(ADMIN) };
  const failures = async () => (await gateway.get('/data-health/sources', admin)).json.sources;
  await until(async () => {
    const all = await failures();
    return ['twelvedata', 'yahoo', 'eia'].every((p) => all[p].last_error) && all;
  }, 'every source has failed');
  await gateway.post('/data-health/refresh-all', admin);
  for (const path of ['/data-health/status', '/data-health/sources', '/data-health/jobs', '/admin/clients', '/metrics'])
    said += (await gateway.get(path, admin)).body;
  for (const args of [['check'], ['plan'], ['fetch', 'coffee'], ['fetch', '--all'], ['status', '--url', gateway.url, '--token', ADMIN]]) {
    const config = args[0] === 'status' ? [] : ['--config', gateway.file];
    const { stdout, stderr } = await runCommand([...args, ...config], { env: gateway.env });
    assert.ok(stdout.length + stderr.length > 0, args.join(' '));
    said += stdout + stderr;
  }

  const log = gateway.logText();
  assert.ok(gateway.logs.some((l) => l.level === 'debug'), 'the log is at level debug');
  assert.ok(said.includes('the token is not valid') && said.includes('bad_message'));
  // What could be told of a signed token: itself, or the part that makes it one.
  const hidden = tokens.flatMap((token) => [token, ...token.split('.').slice(2)]);
  for (const secret of [...hidden, ...CONFIGURED]) {
    assert.ok(!log.includes(secret), `${secret} in ${log.split('\n').find((line) => line.includes(secret))}`);
    const at = said.indexOf(secret);
    assert.equal(at, -1, `${secret} in ${said.slice(Math.max(0, at - 200), at + 100)}`);
  }
});

test('who may read prices is not told where anything is', async (t) => {
  const { gateway, upstream, dead } = await troubled(t);
  const said = [];
  const get = async (path, options = {}) => {
    const answer = await gateway.get(path, { ...options, headers: bearer(VIEWER) });
    said.push(JSON.stringify({ ...answer.headers, date: '' }), answer.body);
    return answer;
  };
  await until(async () => (await get('/api/v1/quotes/EUR%2FUSD')).status === 200, 'a price');
  const client = await connectWs(gateway.wsUrl, { headers: bearer(VIEWER) });
  t.after(() => client.terminate());
  client.send({ action: 'subscribe', symbols: ['*'], id: 1 });
  upstream.set('fred', 'DEXUSEU', status(500, 'a stack: at https://inner.example/x.js:12'));
  await until(() => client.messages.some((m) => m.type === 'status' && m.text.includes('"reason":"connect"')), 'a reason');
  for (const action of ['refresh', 'auth', 'nothing']) client.send({ action, symbols: ['coffee'] });
  client.send({ action: 'ping', id: 'last' });
  await client.next((m) => m.id === 'last');
  for (const path of [
    '/api/v1/instruments', '/api/v1/quotes', '/api/v1/quotes/coffee', '/api/v1/quotes/oil', '/api/v1/observations', '/readyz', '/healthz',
    '/api/v1/quotes/x', '/nothing', '/data-health/status', '/data-health/sources', '/admin/clients', '/ws',
  ]) await get(path);
  await get('/api/v1/quotes', { method: 'PUT' });
  said.push(...client.messages.map((m) => m.text));

  const text = said.join('\n');
  const where = [
    String(dead), new URL(upstream.url).port, '127.0.0.1', 'localhost', '://', 'inner.example', '/tmp', '.c:', 'redis', ...CONFIGURED,
    keyed(VIEWER, 'viewer').sha256,
  ];
  for (const word of where) {
    const at = text.indexOf(word);
    assert.equal(at, -1, `${word} in ${text.slice(Math.max(0, at - 200), at + 100)}`);
  }
});
