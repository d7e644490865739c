// Every message of the WebSocket protocol, by the letter; the upgrade; the ways to be closed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { html, ok } from '../support/upstream.js';
import { until, within } from '../support/wait.js';
import { WsClient, connectWs } from '../support/wsclient.js';

const symbols = ['coffee', 'AAPL', 'EUR/USD', 'EUR/GBP', 'BTC/USD'];

/** A gateway fed through Redis, with a price for each symbol but the last. */
async function quiet(t, config = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const publish = async (symbol, price, ts = Date.now()) => {
    const text = `{"symbol":"${symbol}","price":${price},"ts":${ts},"recv":${Date.now()},"state":"live"}`;
    await redis.command('SET', `${symbol}:price:latest`, text, 'EX', 120);
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
  };
  for (const [i, symbol] of symbols.slice(0, 4).entries()) await publish(symbol, `${i + 1}.50`);
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: symbols.map((s) => external(s)),
    ...config,
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
  const options = { headers: { Authorization: 'Bearer good-token' } };
  await until(
    async () => (await gateway.get('/api/v1/quotes/EUR/GBP', config.auth ? options : {})).status === 200,
    'prices',
  );
  const connect = async (options) => {
    const client = await connectWs(gateway.wsUrl, options);
    t.after(() => client.terminate());
    return client;
  };
  return { redis, gateway, publish, connect };
}

const key = (name, role, token) => ({
  name,
  role,
  sha256: createHash('sha256').update(token).digest('hex'),
});

async function snapshotOf(client) {
  const frame = await client.nextType('quote');
  assert.equal(frame.snapshot, true);
  return frame.data.map((q) => q.symbol).sort();
}

test('welcome comes first and says what holds', async (t) => {
  const { connect } = await quiet(t, {
    fanout: { heartbeat_ms: 15_000 },
    limits: { symbols_per_connection: 7, commands_per_minute: 99, message_bytes: 9000 },
  });
  const client = await connect();
  const { welcome } = client;
  assert.equal(client.messages[0], welcome);
  assert.equal(welcome.version, 1);
  assert.equal(typeof welcome.session, 'string');
  assert.ok(welcome.session.length > 0);
  assert.ok(Math.abs(welcome.ts - Date.now()) < 5000);
  assert.equal(welcome.heartbeat_ms, 15_000);
  assert.deepEqual(welcome.limits, { symbols: 7, message_bytes: 9000, commands_per_minute: 99 });
  assert.notEqual((await connect()).welcome.session, welcome.session);
});

test('subscribe: ack, snapshot, updates; only what is new is in the snapshot', async (t) => {
  const { connect, publish } = await quiet(t);
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee', 'FOO', 'BTC/USD'], id: 1 });
  const ack = await client.next();
  assert.equal(ack.type, 'subscribed');
  assert.equal(ack.id, 1);
  assert.deepEqual([...ack.symbols].sort(), ['BTC/USD', 'coffee']);
  assert.equal(ack.rejected.length, 1);
  assert.equal(ack.rejected[0].symbol, 'FOO');
  assert.equal(ack.rejected[0].error, 'unknown_symbol');
  assert.equal(typeof ack.rejected[0].message, 'string');
  assert.deepEqual([...ack.active].sort(), ['BTC/USD', 'coffee']);
  assert.deepEqual(await snapshotOf(client), ['coffee']);
  // Never a price: named by one status after the snapshot.
  const status = await client.next();
  assert.equal(status.type, 'status');
  assert.deepEqual(status.data.map((s) => [s.symbol, s.state]), [['BTC/USD', 'unavailable']]);

  client.send({ action: 'subscribe', symbols: ['coffee', 'AAPL'], id: 'two' });
  const second = await client.nextType('subscribed');
  assert.equal(second.id, 'two');
  assert.deepEqual([...second.active].sort(), ['AAPL', 'BTC/USD', 'coffee']);
  assert.deepEqual(await snapshotOf(client), ['AAPL']);

  await publish('coffee', '7.50');
  const update = await client.nextType('quote');
  assert.equal(update.snapshot, undefined);
  assert.deepEqual(update.data.map((q) => [q.symbol, q.price]), [['coffee', 7.5]]);
  await publish('EUR/USD', '9.00');
  await publish('AAPL', '9.50');
  await client.nextQuote('AAPL', (q) => q.price === 9.5);
  assert.ok(!client.messages.some((m) => m.type === 'quote' && m.data.some((q) => q.symbol === 'EUR/USD')));
});

test('patterns: *, EUR/*; active names the symbols; unsubscribe takes them back', async (t) => {
  const { connect, publish } = await quiet(t);
  const client = await connect();
  const euro = ['EUR/GBP', 'EUR/USD'];
  client.send({ action: 'subscribe', symbols: ['EUR/*'], id: 1 });
  const first = await client.nextType('subscribed');
  assert.deepEqual([...first.symbols].sort(), euro);
  assert.deepEqual([...first.active].sort(), euro);
  assert.deepEqual(await snapshotOf(client), euro);
  client.send({ action: 'subscribe', symbols: ['*'], id: 2 });
  assert.deepEqual([...(await client.nextType('subscribed')).active].sort(), [...symbols].sort());
  assert.deepEqual(await snapshotOf(client), ['AAPL', 'coffee']);
  // Instruments that a pattern matches may come later: none now is no mistake.
  client.send({ action: 'subscribe', symbols: ['XAU/*'], id: 3 });
  const none = await client.nextType('subscribed');
  assert.deepEqual([none.symbols, none.rejected], [[], []]);

  client.send({ action: 'unsubscribe', symbols: ['coffee', 'A*', 'B*'], id: 4 });
  const gone = await client.nextType('unsubscribed');
  assert.equal(gone.id, 4);
  assert.deepEqual([...gone.symbols].sort(), ['AAPL', 'BTC/USD', 'coffee']);
  assert.deepEqual([...gone.active].sort(), euro);
  await publish('coffee', '8.00');
  await publish('EUR/USD', '8.50');
  await client.nextQuote('EUR/USD', (q) => q.price === 8.5);
  const at = client.messages.indexOf(gone);
  assert.ok(!client.messages.slice(at).some((m) => m.type === 'quote' && m.data.some((q) => q.symbol === 'coffee')));
});

test('snapshot:false; an empty snapshot is still a frame', async (t) => {
  const { connect } = await quiet(t);
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee'], snapshot: false, id: 1 });
  await client.nextType('subscribed');
  client.send({ action: 'ping', id: 2 });
  const next = await client.next();
  assert.equal(next.type, 'pong');
  assert.ok(Math.abs(next.ts - Date.now()) < 5000);
  client.send({ action: 'subscribe', symbols: ['BTC/USD'], id: 3 });
  await client.nextType('subscribed');
  assert.deepEqual(await snapshotOf(client), []);
});

test('list, reset, heartbeat', async (t) => {
  const { connect, publish } = await quiet(t);
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee', 'EUR/*'], id: 1 });
  await client.nextType('subscribed');
  client.send({ action: 'list', id: 2 });
  const list = await client.nextType('subscriptions');
  assert.equal(list.id, 2);
  const all = ['EUR/GBP', 'EUR/USD', 'coffee'];
  assert.deepEqual([...list.active].sort(), all);
  client.send({ action: 'reset', id: 3 });
  const gone = await client.nextType('unsubscribed');
  assert.equal(gone.id, 3);
  assert.deepEqual([...gone.symbols].sort(), all);
  assert.deepEqual(gone.active, []);
  client.send({ action: 'heartbeat' });
  await publish('coffee', '5.00');
  client.send({ action: 'ping' });
  const pong = await client.next((m) => m.type !== 'heartbeat');
  assert.equal(pong.type, 'pong');
  assert.ok(!('id' in pong), 'no id, no echo');
});

test('unsubscribing what is not subscribed changes nothing', async (t) => {
  const { connect } = await quiet(t);
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee'] });
  await client.nextType('subscribed');
  client.send({ action: 'unsubscribe', symbols: ['AAPL', 'FOO'], id: 2 });
  assert.deepEqual((await client.nextType('unsubscribed')).active, ['coffee']);
});

test('over the limit of symbols: the first are taken, the rest rejected', async (t) => {
  const { connect } = await quiet(t, { limits: { symbols_per_connection: 2 } });
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee', 'AAPL', 'EUR/USD', 'BTC/USD'], id: 1 });
  const ack = await client.nextType('subscribed');
  assert.deepEqual(ack.symbols, ['coffee', 'AAPL']);
  assert.deepEqual(ack.rejected.map((r) => [r.symbol, r.error]), [
    ['EUR/USD', 'symbol_limit'],
    ['BTC/USD', 'symbol_limit'],
  ]);
  assert.deepEqual(ack.active, ['coffee', 'AAPL']);
});

test('a bad message is answered with its reason, and the connection stays', async (t) => {
  const { connect } = await quiet(t);
  const client = await connect();
  const bad = [
    'nonsense',
    '',
    '[]',
    'null',
    '7',
    '{',
    '{"action":7}',
    '{}',
    '{"action":"dance"}',
    '{"action":"subscribe"}',
    '{"action":"subscribe","symbols":"coffee"}',
    '{"action":"subscribe","symbols":[7]}',
    '{"action":"subscribe","symbols":["coffee",null]}',
    '{"action":"subscribe","symbols":["coffee","E*R"]}',
    '{"action":"subscribe","symbols":["coffee"],"snapshot":"no"}',
    '{"action":"unsubscribe"}',
    '{"action":"auth"}',
    '{"action":"ping","action":"ping"}',
    `{"action":"ping","deep":${'['.repeat(20)}${']'.repeat(20)}}`,
  ];
  for (const text of bad) {
    client.send(text);
    const error = await client.nextType('error');
    assert.equal(error.code, 400, text);
    assert.equal(error.error, 'bad_message', text);
    assert.equal(typeof error.message, 'string');
  }
  client.send({ action: 'dance', id: 'x' });
  assert.equal((await client.nextType('error')).id, 'x');
  client.send({ action: 'list', id: 99 });
  const list = await client.nextType('subscriptions');
  assert.deepEqual(list.active, [], 'nothing of a malformed list was applied');
});

test('ids: integers and short strings are echoed, others refused', async (t) => {
  const { connect } = await quiet(t);
  const client = await connect();
  for (const id of [0, -5, 9007199254740991, '', 'a"\\\u00e9', 'x'.repeat(64)]) {
    client.send({ action: 'ping', id });
    assert.deepEqual((await client.nextType('pong')).id, id);
  }
  for (const id of ['x'.repeat(65), 1.5, {}, [], true]) {
    client.send({ action: 'ping', id });
    assert.equal((await client.nextType('error')).code, 400, JSON.stringify(id));
  }
});

test('unknown members are ignored', async (t) => {
  const { connect } = await quiet(t);
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['coffee'], colour: 'blue', id: 1 });
  assert.deepEqual((await client.nextType('subscribed')).active, ['coffee']);
});

test('updates of one symbol are merged; a symbol is at most once in a frame', async (t) => {
  const { redis, gateway, connect } = await quiet(t, { fanout: { flush_ms: 200 } });
  const client = await connect();
  client.send({ action: 'subscribe', symbols: ['*'], snapshot: false });
  await client.nextType('subscribed');
  const writes = [];
  for (let i = 1; i <= 100; i++) {
    const text = `{"symbol":"coffee","price":${i}.25,"ts":${Date.now()}}`;
    writes.push(redis.command('PUBLISH', 'coffee:price:stream', text));
  }
  await Promise.all(writes);
  await client.nextQuote('coffee', (q) => q.price === 100.25);
  const frames = client.messages.filter((m) => m.type === 'quote');
  assert.ok(frames.length <= 10, `${frames.length} frames for 100 updates`);
  for (const frame of frames) assert.equal(new Set(frame.data.map((q) => q.symbol)).size, frame.data.length);
  assert.ok((await gateway.metric('pricegate_conflated_total{cause="flush"}')) >= 90);
});

test('heartbeat when nothing else goes out, with a protocol ping', async (t) => {
  const { connect } = await quiet(t, { fanout: { heartbeat_ms: 300 } });
  const client = await connect();
  const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
  const beat = await client.nextType('heartbeat', 3000);
  assert.ok(Math.abs(beat.ts - Date.now()) < 5000);
  await within(pinged, 'a ping', 3000);
});

test('refresh: analysts only, answers with what was refreshed', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' })),
    config: {
      instruments: [instrument('coffee', [['yahoo', 'KC=F']], { poll_ms: 600_000 }), external('tea')],
    },
  });
  const client = await follow(['coffee']);
  await client.nextQuote('coffee');
  const asked = upstream.requests().length;
  await until(async () => {
    client.send({ action: 'refresh', symbols: ['coffee'], id: 6 });
    const reply = await client.nextType('refreshed');
    assert.equal(reply.id, 6);
    assert.deepEqual(reply.symbols, ['coffee']);
    assert.deepEqual(reply.rejected, []);
    return upstream.requests().length > asked;
  }, 'the provider was asked again', 10_000, 1000);
  client.send({ action: 'refresh', symbols: ['FOO'], id: 7 });
  const error = await client.nextType('error');
  assert.equal(error.id, 7);
  assert.equal(error.code, 404);
  assert.equal(error.error, 'unknown_symbol');

  // Another machine's browser, as far as the headers tell: a viewer.
  const viewer = await connectWs(gateway.wsUrl, { headers: { 'X-Forwarded-For': '192.0.2.1' } });
  t.after(() => viewer.terminate());
  viewer.send({ action: 'refresh', symbols: ['coffee'], id: 8 });
  const refused = await viewer.nextType('error');
  assert.equal(refused.code, 403);
  assert.equal(refused.error, 'forbidden');
});

test('a refresh that fails names the symbol and the reason', async (t) => {
  const { follow } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'KC=F', html()),
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']], { poll_ms: 600_000 })] },
  });
  const client = await follow();
  client.send({ action: 'refresh', symbols: ['coffee'], id: 1 });
  const reply = await client.nextType('refreshed', 15_000);
  assert.deepEqual(reply.symbols, []);
  assert.equal(reply.rejected[0].symbol, 'coffee');
  assert.match(reply.rejected[0].error, /^(blocked|breaker_open)$/);
});

// --- being closed ---

test('binary is closed with 1003, bad UTF-8 with 1007, too much with 1009', async (t) => {
  const { connect } = await quiet(t);
  const binary = await connect();
  binary.send(Buffer.from([1, 2, 3]));
  assert.equal((await within(binary.closed, 'a close')).code, 1003);

  const utf8 = await connect();
  utf8.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
  assert.equal((await within(utf8.closed, 'a close')).code, 1007);

  const big = await connect();
  big.send(JSON.stringify({ action: 'ping', pad: 'x'.repeat(70_000) }));
  assert.equal((await within(big.closed, 'a close')).code, 1009);
});

test('a broken frame is closed with 1002', async (t) => {
  const { gateway } = await quiet(t);
  const socket = net.connect(gateway.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const got = [];
  socket.on('data', (bytes) => got.push(bytes));
  socket.on('error', () => {});
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  const bytes = () => Buffer.concat(got);
  await until(() => bytes().includes('"type":"welcome"'), 'welcome');
  const before = bytes().length;
  socket.write(Buffer.from([0x83, 0x80, 1, 2, 3, 4])); // opcode 3 does not exist
  await until(() => bytes().length >= before + 4, 'a close frame');
  const frame = bytes().subarray(before);
  assert.equal(frame[0], 0x88);
  assert.equal(frame.readUInt16BE(2), 1002);
});

test('too many commands: 429 each, the hundredth closes with 4008', async (t) => {
  const { gateway, connect } = await quiet(t, { limits: { commands_per_minute: 10 } });
  const client = await connect();
  for (let i = 0; i < 160; i++) client.send({ action: 'ping', id: i });
  assert.equal((await within(client.closed, 'the close')).code, 4008);
  const pongs = client.messages.filter((m) => m.type === 'pong').length;
  const refused = client.messages.filter((m) => m.type === 'error' && m.code === 429);
  assert.ok(pongs >= 10 && pongs <= 12, `${pongs} pongs`);
  assert.ok(refused.length >= 99 && refused.length <= 100, `${refused.length} refused`);
  assert.equal(refused[0].error, 'rate_limited');
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'command_rate');
});

test('a client that comes and goes leaves nothing behind', async (t) => {
  const { gateway, connect } = await quiet(t);
  for (let i = 0; i < 20; i++) {
    const client = await connect();
    client.send({ action: 'subscribe', symbols: ['*'] });
    await client.nextType('subscribed');
    if (i % 2) await client.close(1000);
    else client.terminate();
  }
  await until(async () => (await gateway.metric('pricegate_connections')) === 0, 'no connections');
  assert.equal(await gateway.metric('pricegate_subscriptions'), 0);
});

// --- the upgrade ---

test('origins: own host, none, listed; all others are refused with 403', async (t) => {
  const { gateway } = await quiet(t, { origins: ['https://desk.example'] });
  const own = `http://127.0.0.1:${gateway.port}`;
  for (const origin of [undefined, own, 'https://desk.example']) {
    const client = await connectWs(gateway.wsUrl, { origin });
    await client.close();
  }
  const long = `http://${'a'.repeat(300)}.example`;
  const bad = ['https://evil.example', 'null', `${own}.evil.example`, 'http://desk.example', long, `${own}0`];
  for (const origin of bad) {
    await assert.rejects(connectWs(gateway.wsUrl, { origin }), (e) => e.status === 403, origin);
  }
});

test('no subprotocol is needed, pricegate.v1 is accepted', async (t) => {
  const { gateway } = await quiet(t);
  const plain = await connectWs(gateway.wsUrl);
  assert.equal(plain.socket.protocol, '');
  await plain.close();
  const named = await connectWs(gateway.wsUrl, { protocols: ['pricegate.v1'] });
  assert.equal(named.socket.protocol, 'pricegate.v1');
  await named.close();
});

test('over limits.connections: 503 with Retry-After before the upgrade', async (t) => {
  const { gateway, connect } = await quiet(t, { limits: { connections: 2 } });
  await connect();
  const second = await connect();
  await assert.rejects(connectWs(gateway.wsUrl), (e) => e.status === 503 && 'retry-after' in e.headers);
  await second.close();
  await until(async () => (await gateway.metric('pricegate_connections')) === 1, 'a free place');
  await (await connectWs(gateway.wsUrl)).close();
});

test('TLS: the same over wss', async (t) => {
  const certs = testCerts();
  const gateway = await startGateway({
    listen: { tls: { cert: certs.cert, key: certs.key } },
    instruments: [external('coffee')],
  });
  t.after(() => gateway.stop());
  assert.match(gateway.url, /^https:/);
  const client = await connectWs(gateway.wsUrl, { ca: certs.pem.ca });
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 1 });
  await client.nextType('subscribed');
  await client.close();
  const page = await gateway.get('/healthz', { ca: certs.pem.ca });
  assert.equal(page.status, 200);
});

// --- who is who ---

test('keys: by header, by query, by message; a bad one is refused, never anonymous', async (t) => {
  const { gateway } = await quiet(t, {
    auth: { keys: [key('desk', 'analyst', 'good-token'), key('desk', 'analyst', 'next-token')] },
  });
  const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
  for (const token of ['good-token', 'next-token']) {
    await (await connectWs(gateway.wsUrl, bearer(token))).close();
    await (await connectWs(`${gateway.wsUrl}?token=${token}`)).close();
  }
  await assert.rejects(connectWs(gateway.wsUrl, bearer('bad')), (e) => e.status === 401);
  await assert.rejects(connectWs(`${gateway.wsUrl}?token=bad`), (e) => e.status === 401);

  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  client.send({ action: 'refresh', symbols: ['coffee'], id: 1 });
  assert.equal((await client.nextType('error')).code, 403, 'with keys configured nobody is local');
  client.send({ action: 'auth', token: 'good-token', id: 2 });
  const yes = await client.nextType('authenticated');
  assert.equal(yes.id, 2);
  assert.equal(yes.role, 'analyst');
  client.send({ action: 'auth', token: 'bad', id: 3 });
  const no = await client.nextType('error');
  assert.equal(no.id, 3);
  assert.equal(no.code, 402);
  assert.equal(no.error, 'auth_failed');
  assert.ok(!gateway.logText().includes('good-token'));
});

test('no anonymous role: auth first, else 401 for commands and 4001 after ten seconds', async (t) => {
  const { gateway } = await quiet(t, {
    auth: { anonymous_role: null, keys: [key('desk', 'viewer', 'good-token')] },
  });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  const silent = new WsClient(gateway.wsUrl);
  t.after(() => silent.terminate());
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 1 });
  const refused = await client.nextType('error');
  assert.equal(refused.id, 1);
  assert.equal(refused.code, 401);
  assert.equal(refused.error, 'auth_required');
  client.send({ action: 'auth', token: 'good-token', id: 2 });
  assert.equal((await client.nextType('authenticated')).role, 'viewer');
  client.send({ action: 'subscribe', symbols: ['coffee'], id: 3 });
  assert.deepEqual((await client.nextType('subscribed')).active, ['coffee']);
  assert.equal((await within(silent.closed, 'the silent one is closed', 15_000)).code, 4001);
  assert.equal(client.socket.readyState, 1);
});
