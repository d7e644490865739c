// permessage-deflate with the real program: what is agreed upon, what comes out, what goes in.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, testCerts } from '../support/scene.js';
import { until, within } from '../support/wait.js';
import { WsClient } from '../support/wsclient.js';

const SYMBOLS = Array.from({ length: 200 }, (_, i) => `S${i}`);
let redis;
let gateway;

const itemText = (symbol, n) =>
  JSON.stringify({ symbol, price: 100 + n / 4, ts: Date.now(), source: 'test', note: `the ${n}th of ${symbol}` });
const publish = (symbol, n) => redis.command('PUBLISH', `${symbol}:price:stream`, itemText(symbol, n));

before(async () => {
  redis = await startRedis();
  gateway = await startGateway({
    redis: { url: redis.url },
    fanout: { compression: true },
    instruments: SYMBOLS.map((symbol) => external(symbol)),
  });
  await until(async () => (await gateway.get('/readyz')).json.ready, 'ready');
  for (const [n, symbol] of SYMBOLS.entries()) await publish(symbol, n);
  await until(async () => (await gateway.get('/api/v1/quotes/S199')).status === 200, 'the last price');
});
after(async () => {
  await gateway?.stop();
  await redis?.stop();
});

/** A client with this offer; client.agreed is the answer's header. */
async function connect(t, perMessageDeflate = true, { to = gateway, ...options } = {}) {
  const client = new WsClient(to.wsUrl, { perMessageDeflate, ...options });
  t.after(() => client.terminate());
  client.socket.on('upgrade', (answer) => (client.agreed = answer.headers['sec-websocket-extensions'] ?? ''));
  await within(client.opened, 'the WebSocket opens');
  await client.nextType('welcome');
  return client;
}

async function subscribe(client, more = {}) {
  client.send({ action: 'subscribe', symbols: ['*'], ...more });
  await client.nextType('subscribed');
  const seen = new Map();
  while (seen.size < SYMBOLS.length) {
    const frame = await client.nextType('quote');
    for (const item of frame.data) seen.set(item.symbol, item);
  }
  return seen;
}

test('a client that offers it gets the same for fewer bytes', async (t) => {
  const [plain, packed] = [await connect(t, false), await connect(t, true)];
  assert.equal(plain.agreed, '');
  assert.equal(packed.agreed, 'permessage-deflate');
  const bytes = (client) => client.socket._socket.bytesRead;
  const had = [bytes(plain), bytes(packed)];
  const [a, b] = [await subscribe(plain), await subscribe(packed)];
  assert.deepEqual(b, a);
  const ratio = (bytes(packed) - had[1]) / (bytes(plain) - had[0]);
  assert.ok(ratio < 0.6, `${ratio} of the bytes`);
  // Updates are shared and each stands on its own; small ones come as they are.
  for (let n = 1000; n < 1010; n++) {
    await publish('S7', n);
    for (const client of [plain, packed]) {
      assert.equal((await client.nextQuote('S7')).note, `the ${n}th of S7`);
    }
  }
});

test('what is offered and what is answered', async (t) => {
  const rows = [
    [{ serverNoContextTakeover: true }, 'permessage-deflate; server_no_context_takeover'],
    [{ clientNoContextTakeover: true }, 'permessage-deflate; client_no_context_takeover'],
    [{ serverMaxWindowBits: 12 }, 'permessage-deflate; server_max_window_bits=12'],
    [{ serverMaxWindowBits: 11 }, ''],
    [{ serverMaxWindowBits: 14, serverNoContextTakeover: true, clientMaxWindowBits: 10 },
      'permessage-deflate; server_no_context_takeover; server_max_window_bits=14'],
  ];
  for (const [offer, answer] of rows) {
    const client = await connect(t, { threshold: 0, ...offer });
    assert.deepEqual(client.agreed.split('; ').sort(), answer.split('; ').sort(), JSON.stringify(offer));
    // Several messages in both directions, those of the client compressed.
    assert.equal((await subscribe(client)).size, SYMBOLS.length);
    for (let id = 1; id <= 5; id++) {
      client.send({ action: 'ping', id });
      await client.next((m) => m.type === 'pong' && m.id === id, 5000, `pong ${id}`);
    }
  }
});

test('a peer that remembers what it said is understood', async (t) => {
  const client = await connect(t, { threshold: 0 });
  const sent = () => client.socket._socket.bytesWritten;
  const costs = [];
  for (let id = 1; id <= 60; id++) {
    const before = sent();
    client.send({ action: 'ping', id: 1000 + id });
    await client.next((m) => m.type === 'pong' && m.id === 1000 + id, 5000, 'pong');
    costs.push(sent() - before);
    // Between them, what is too long for a window of 32 KB all together.
    if (id % 10 === 0) {
      const rubbish = randomBytes(4000).toString('hex');
      client.send({ action: 'unsubscribe', symbols: [rubbish.slice(0, 30)], rubbish, id });
      await client.next((m) => m.id === id, 5000, 'an answer');
    }
  }
  assert.ok(costs[54] < costs[0], 'later ones did refer to earlier ones');
});

/** A masked frame. first: the first byte. */
function frame(first, payload) {
  const mask = randomBytes(4);
  const length = payload.length < 126
    ? Buffer.from([0x80 | payload.length])
    : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]));
  return Buffer.concat([Buffer.from([first]), length, mask, masked]);
}
const deflated = (text) => {
  const all = zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  return all.subarray(0, all.length - 4);
};
const COMPRESSED = 0x40;
const [CONTINUATION, TEXT, LAST] = [0, 1, 0x80];

test('fragments of a compressed message', async (t) => {
  const client = await connect(t, true);
  const payload = deflated(JSON.stringify({ action: 'ping', id: 5, long: 'x'.repeat(500) }));
  const [a, b, c] = [payload.subarray(0, 5), payload.subarray(5, 9), payload.subarray(9)];
  client.socket._socket.write(Buffer.concat([
    frame(TEXT | COMPRESSED, a), frame(LAST | 9, Buffer.from('hey')), frame(CONTINUATION, b),
    frame(LAST | CONTINUATION, c),
    frame(LAST | TEXT, Buffer.from('{"action":"ping","id":6}')),
  ]));
  await client.next((m) => m.type === 'pong' && m.id === 5, 5000, 'pong 5');
  await client.next((m) => m.type === 'pong' && m.id === 6, 5000, 'pong 6');
});

test('what is refused, and with which code', async (t) => {
  const bomb = deflated(Buffer.alloc(4_000_000));
  assert.ok(bomb.length < 4096);
  const broken = deflated('{"action":"ping"}').subarray(0, 10);
  const rows = [
    ['a bomb', 1009, frame(LAST | TEXT | COMPRESSED, bomb)],
    ['a message over the limit', 1009, frame(LAST | TEXT | COMPRESSED, deflated(`"${randomBytes(40_000).toString('hex')}"`))],
    ['cut off', 1002, frame(LAST | TEXT | COMPRESSED, broken)],
    ['not compressed at all', 1002, frame(LAST | TEXT | COMPRESSED, Buffer.from('{"action":"ping"}'))],
    ['marked in a continuation', 1002, Buffer.concat([
      frame(TEXT | COMPRESSED, deflated('{}').subarray(0, 2)), frame(LAST | CONTINUATION | COMPRESSED, deflated('{}').subarray(2)),
    ])],
    ['another reserved bit', 1002, frame(LAST | TEXT | 0x20, Buffer.from('{}'))],
    ['a hundred bytes that would be 60,000', 1009,
      frame(LAST | TEXT | COMPRESSED, deflated(`{"action":"ping","x":"${'x'.repeat(60_000)}"}`))],
    ['a reserved bit on a pong', 1002, frame(LAST | COMPRESSED | 10, Buffer.from('x'))],
    ['a close that is not UTF-8', 1007, frame(LAST | 8, Buffer.from([3, 232, 0xff, 0xfe]))],
    ['not UTF-8 inside', 1007, frame(LAST | TEXT | COMPRESSED, deflated(Buffer.from('{"action":"\xff"}', 'latin1')))],
    ['not UTF-8, not compressed', 1007, frame(LAST | TEXT, Buffer.from('{"action":"\xff"}', 'latin1'))],
  ];
  for (const [what, code, bytes] of rows) {
    const client = await connect(t, true);
    client.socket._socket.write(bytes);
    assert.equal((await within(client.closed, `${what} closes`)).code, code, what);
  }
  const declined = await connect(t, { serverMaxWindowBits: 9 });
  declined.socket._socket.write(frame(LAST | TEXT | COMPRESSED, deflated('{"action":"ping"}')));
  assert.equal((await within(declined.closed, 'not agreed upon closes')).code, 1002);
});

// What inflates must not depend on where it fills a buffer: each message is answered.
test('messages that inflate to every length around a buffer', { timeout: 60_000 }, async (t) => {
  const other = await startGateway({
    fanout: { compression: true },
    limits: { commands_per_minute: 100_000 },
    instruments: [external('coffee')],
  });
  t.after(() => other.stop());
  const client = await connect(t, { threshold: 0 }, { to: other });
  for (let length = 1; length < 4100; length += 11) {
    client.send(`{"action":"ping","id":${length}${' '.repeat(length)}}`);
    await client.next((m) => m.type === 'pong' && m.id === length, 5000, `the answer to one of ${length}`);
  }
});

test('over TLS', async (t) => {
  const certs = testCerts();
  const secure = await startGateway({
    listen: { tls: { cert: certs.cert, key: certs.key } },
    redis: { url: redis.url },
    fanout: { compression: true },
    instruments: SYMBOLS.map((symbol) => external(symbol)),
  });
  t.after(() => secure.stop());
  const client = await connect(t, { threshold: 0 }, { to: secure, ca: certs.pem.ca });
  assert.equal(client.agreed, 'permessage-deflate');
  await until(async () => (await secure.get('/readyz', { ca: certs.pem.ca })).json.ready, 'ready');
  client.send({ action: 'subscribe', symbols: ['*'] });
  await client.nextType('subscribed');
  await publish('S3', 5000);
  assert.equal((await client.nextQuote('S3', (q) => q.price === 1350)).note, 'the 5000th of S3');
});

test('without the setting nothing is agreed upon', async (t) => {
  const other = await startGateway({ redis: { url: redis.url }, instruments: [external('coffee')] });
  t.after(() => other.stop());
  assert.equal((await connect(t, true, { to: other })).agreed, '');
});
