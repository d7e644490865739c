// What a client may send by mistake or in anger: each is answered as PROTOCOL.md says, the
// connection goes on serving, and others do not notice. (The plain mistakes are in
// protocol.test.js, the plain wrong options in options.test.js.)

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import { noJson, wrongMembers } from '../support/client-messages.js';
import { FIN, OP, close, frame } from '../support/frames.js';
import { sanitized, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, testCerts } from '../support/scene.js';
import { until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const symbols = ['coffee', 'AAPL', 'EUR/USD'];
const LIST_EXTRA = 1024; // a list may be that much longer than limits.symbols_per_connection

/** Three symbols with the prices 1, 2, 3 and the versions a0:1, a0:2, a0:3. */
async function fed(t, config = {}) {
  const ca = config.listen?.tls ? { ca: testCerts().pem.ca } : {};
  const redis = await startRedis();
  t.after(() => redis.stop());
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: symbols.map((s) => external(s)),
    ...config,
    limits: { commands_per_minute: 1_000_000, ...config.limits },
  });
  t.after(() => gateway.stop());
  await until(async () => (await gateway.metric('pricegate_bus_up', ca)) === 1, 'the bus is up');
  let n = 0;
  const publish = async (symbol, price) => {
    const now = Date.now();
    const text = `{"symbol":"${symbol}","price":${price},"ts":${now},"recv":${now},"seq":"a0:${++n}","state":"live"}`;
    await redis.command('PUBLISH', `${symbol}:price:stream`, text);
  };
  for (const [i, symbol] of symbols.entries()) await publish(symbol, i + 1);
  await until(async () => (await gateway.get('/api/v1/quotes/EUR%2FUSD', ca)).status === 200, 'prices');
  const connect = async (options) => {
    const client = await connectWs(gateway.wsUrl, { ...ca, ...options });
    t.after(() => client.terminate());
    return client;
  };

  let price = 1000;
  /** The connection is as good as new: it subscribes, hears a new price, and unsubscribes. */
  const serves = async (client, what) => {
    client.send({ action: 'subscribe', symbols: ['coffee'], snapshot: false, id: what.slice(0, 60) });
    const ack = await client.nextType('subscribed');
    assert.equal(ack.id, what.slice(0, 60));
    assert.deepEqual(ack.active, ['coffee'], what);
    const wanted = ++price;
    await publish('coffee', wanted);
    await client.nextQuote('coffee', (q) => q.price === wanted);
    client.send({ action: 'reset' });
    assert.deepEqual((await client.nextType('unsubscribed')).active, [], what);
  };
  return { gateway, publish, connect, serves };
}

const shown = (text) => (text.length > 90 ? `${text.slice(0, 80)}... (${text.length})` : text);

/** The next message is the answer to what was sent last: nothing else is owed to the client. */
async function refused(client, text, id) {
  client.send(text);
  const error = await client.next();
  assert.deepEqual(
    [error.type, error.code, error.error, error.id],
    ['error', 400, 'bad_message', id],
    `${shown(text)}: ${shown(error.text)}`,
  );
  assert.ok(typeof error.message === 'string' && error.message.length > 0);
  assert.ok(error.text.length < 1000, 'the answer to a mistake is short, whatever its length');
}

const subscribe = (more) => `{"action":"subscribe","id":1,"symbols":["coffee"],${more}}`;

test('what is no JSON, or too deep, is refused with 400; the connection goes on', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  for (const text of noJson) {
    await refused(client, text, undefined);
    await serves(client, JSON.stringify(shown(text)));
  }
});

test('wrong members of a command are refused with 400 and its id; nothing is applied', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  for (const text of wrongMembers) await refused(client, text, 1);
  client.send({ action: 'list', id: 'after' });
  assert.deepEqual((await client.nextType('subscriptions')).active, []);
  await serves(client, 'all of them');
});

test('a number beyond 64 bits is refused before its id is known', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  for (const n of ['9223372036854775808', '-9223372036854775809', '1e400', '-1e400', '1'.repeat(50_000)]) {
    for (const member of [`"interval_ms":${n}`, `"since":{"coffee":${n}}`, `"fields":[${n}]`]) {
      await refused(client, subscribe(member), undefined);
    }
    await refused(client, `{"action":"ping","id":${n}}`, undefined);
  }
  await serves(client, 'all of them');
});

test('the hundredth bad message within a minute closes with 4008, not the ninety-ninth', async (t) => {
  const { gateway, connect, serves } = await fed(t);
  const [client, other] = [await connect(), await connect()];
  for (let i = 0; i < 99; i++) await refused(client, 'nonsense', undefined);
  await serves(client, 'ninety-nine');
  client.send('nonsense');
  assert.equal((await within(client.closed, 'the close')).code, 4008);
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'command_rate');
  await serves(other, 'the other');
});

// --- odd, but no mistake ---

test('odd values that are allowed do what they say', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  const names = async (text) => {
    client.send(text);
    await client.nextType('subscribed');
    const { data } = await client.nextType('quote');
    client.send({ action: 'reset' });
    await client.nextType('unsubscribed');
    return data.map((q) => Object.keys(q));
  };
  const all = ['symbol', 'price', 'ts', 'recv', 'seq', 'state'];
  for (const more of ['"interval_ms":0', '"interval_ms":-0', '"interval_ms":1', '"x":null', '"since":{}']) {
    assert.deepEqual(await names(subscribe(more)), [all], more);
  }
  for (const fields of ['[]', '[""]', '["nothing"]', '["symbol","symbol","seq"]', '["__proto__","constructor","PRICE"]']) {
    assert.deepEqual(await names(subscribe(`"fields":${fields}`)), [['symbol', 'seq']], fields);
  }
  const pair = { action: 'subscribe', symbols: ['\u{1f600}', 'coffee', '', '../..', 'a\nb', 'x'.repeat(40_000)] };
  client.send(pair);
  const ack = await client.nextType('subscribed');
  assert.deepEqual(ack.rejected.map((r) => [r.symbol, r.error]), pair.symbols.filter((s) => s !== 'coffee').map((s) => [s, 'unknown_symbol']));
  assert.deepEqual(ack.active, ['coffee']);
  client.send({ action: 'reset' });
  await client.nextType('unsubscribed');
  client.send({ action: 'subscribe', symbols: [] });
  assert.deepEqual((await client.nextType('subscribed')).active, []);
  await serves(client, 'all of them');
});

test('since: only the very version, or a later one of its epoch, spares the snapshot', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  const isSent = async (version) => {
    client.send({ action: 'subscribe', symbols: ['coffee'], since: { coffee: version, 'not here': version } });
    await client.nextType('subscribed');
    const { snapshot, data } = await client.nextType('quote');
    assert.equal(snapshot, true);
    client.send({ action: 'reset' });
    await client.nextType('unsubscribed');
    return data.length === 1;
  };
  // coffee stands at a0:1
  for (const spared of ['a0:1', 'a0:2', 'a0:18446744073709551615']) assert.equal(await isSent(spared), false, spared);
  const resent = [
    'a0:0', 'a1:1', 'a1:9', '9f:1', 'ffffffffffffffff:1', '0:1',
    'a0:-1', '-a0:1', '+a0:1', 'a0:+1', ' a0:1', 'a0: 1', 'a0:1 ', 'a0:1:1', 'a0:1x', 'a0:1.0', '0xa0:1',
    'a0:18446744073709551616', 'a0:9'.padEnd(5000, '9'), '100000000000000a0:1', 'a0', 'a0:', ':1', ':', '', '*', 'null',
  ];
  for (const version of resent) assert.equal(await isSent(version), true, version);
  await serves(client, 'all of them');
});

test('patterns of everything and of nothing, however often', async (t) => {
  const { gateway, connect, serves } = await fed(t, { limits: { symbols_per_connection: 100 } });
  const client = await connect();
  const ask = async (list, action = 'subscribe') => {
    client.send({ action, symbols: list });
    return client.nextType(`${action}d`);
  };
  const many = 100 + LIST_EXTRA;
  const everything = await ask(Array(many).fill('*'));
  assert.deepEqual([everything.symbols, everything.rejected], [symbols, []]);
  assert.deepEqual((await ask(Array(many).fill('*'), 'unsubscribe')).active, []);
  // As many patterns as symbols are kept; what they match today does not count.
  const nothing = await ask(Array.from({ length: many }, (_, i) => `Z${i}*`));
  assert.deepEqual([nothing.symbols, nothing.active], [[], []]);
  assert.equal(nothing.rejected.length, many - 100);
  assert.ok(nothing.rejected.every((r) => r.error === 'symbol_limit'));
  client.send({ action: 'subscribe', id: 1, symbols: Array(many + 1).fill('coffee') });
  const error = await client.nextType('error');
  assert.deepEqual([error.id, error.code, error.error], [1, 400, 'bad_message']);
  assert.equal(await gateway.metric('pricegate_subscriptions'), 0);
  client.send({ action: 'reset' });
  await client.nextType('unsubscribed');
  await serves(client, 'all of them');
});

// --- what closes ---

test('bytes that are no UTF-8 close with 1007, each kind, and only that connection', async (t) => {
  const { connect, serves } = await fed(t);
  const other = await connect();
  const kinds = {
    'a continuation alone': [0x80],
    'an overlong slash': [0xc0, 0xaf],
    'an overlong NUL': [0xe0, 0x80, 0x80],
    'a surrogate': [0xed, 0xa0, 0x80],
    'beyond U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
    'no such lead byte': [0xf8, 0x88, 0x80, 0x80, 0x80],
    'half a character': [0xe2, 0x82],
  };
  for (const [kind, bytes] of Object.entries(kinds)) {
    const client = await connect();
    const frame = Buffer.concat([Buffer.from('{"action":"ping","id":"'), Buffer.from(bytes), Buffer.from('"}')]);
    client.socket.send(frame, { binary: false });
    assert.equal((await within(client.closed, `${kind}: a close`)).code, 1007, kind);
    assert.ok(!client.messages.some((m) => m.type === 'pong'), kind);
  }
  await serves(other, 'the other');
});

test('100,000 symbols in one message are too big: 1009', async (t) => {
  const { gateway, connect, serves } = await fed(t);
  const [client, other] = [await connect(), await connect()];
  client.send({ action: 'subscribe', symbols: Array.from({ length: 100_000 }, (_, i) => `s${i}`) });
  assert.equal((await within(client.closed, 'the close')).code, 1009);
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'too_big');
  await serves(other, 'the other');
});

// --- requests behind requests ---

const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const post = (body) => `POST /data-health/refresh-all HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('a POST behind another request does not hold up the others', async (t) => {
  const gateway = await startGateway({ instruments: [external('coffee')] });
  t.after(() => gateway.stop());
  for (const bytes of [get + post('x'.repeat(300)), get + post('x') + get, get + post('') + get, get + get + post('x'.repeat(2000)) + get]) {
    const socket = net.connect(gateway.port, '127.0.0.1');
    t.after(() => socket.destroy());
    let heard = '';
    socket.on('data', (part) => (heard += part));
    socket.on('error', () => {});
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.write(bytes);
    await within(ended, 'the end of the connection');
    assert.match(heard, /^HTTP\/1\.1 200 /);
    assert.equal((await gateway.get('/healthz')).status, 200);
  }
});

// --- bombs that are within the limits ---

test('100,000 symbols in pieces: each piece is answered in full', async (t) => {
  const { gateway, connect, serves } = await fed(t);
  const [client, other] = [await connect(), await connect()];
  const piece = (n, length) => Array.from({ length }, (_, i) => `none-${n}-${i}`.padEnd(38, '-'));
  let sent = 0;
  for (let n = 0; sent < 100_000; n++) {
    client.send({ action: 'subscribe', id: n, symbols: piece(n, 1500) });
    other.send({ action: 'ping', id: n });
    sent += 1500;
    const ack = await client.nextType('subscribed', 30_000);
    assert.equal(ack.id, n);
    assert.equal(ack.rejected.length, 1500);
    assert.equal((await other.nextType('pong', 30_000)).id, n);
  }
  // Shorter names are more of them: more than any list may have.
  client.send({ action: 'subscribe', id: 'list', symbols: Array.from({ length: 8000 }, (_, i) => `s${i}`.slice(0, 4)) });
  const error = await client.nextType('error');
  assert.deepEqual([error.id, error.code, error.error], ['list', 400, 'bad_message']);
  assert.equal(await gateway.metric('pricegate_subscriptions'), 0);
  await serves(client, 'the bomber');
  await serves(other, 'the other');
});

test('commands in a row with long answers: whoever reads gets them all', async (t) => {
  const { connect, serves } = await fed(t);
  const client = await connect();
  const list = Array.from({ length: 1000 }, (_, i) => `none-${i}`.padEnd(32, '-'));
  // Some 10 MB of answers, asked for at once: more than any buffer on the way.
  const commands = 100;
  for (let id = 0; id < commands; id++) client.send({ action: 'subscribe', id, symbols: list });
  for (let id = 0; id < commands; id++) {
    const ack = await client.nextType('subscribed', 30_000);
    assert.equal(ack.id, id);
    assert.equal(ack.rejected.length, list.length);
  }
  await serves(client, 'the impatient one');
});

test('one that asks for long answers and reads none is not read either; the others stay', async (t) => {
  const { gateway, connect, serves } = await fed(t);
  const [client, other] = [await connect(), await connect()];
  const before = await gateway.metric('process_resident_memory_bytes');
  client.socket.pause();
  const list = Array.from({ length: 1500 }, (_, i) => `none-${i}`.padEnd(38, '-'));
  // Each answer is some 200 kB: 100 MB altogether. Its commands fill its own side of the line.
  for (let id = 0; id < 500; id++) client.send({ action: 'subscribe', id, symbols: list });
  await serves(other, 'the other, meanwhile');
  await until(() => client.socket.bufferedAmount > 0, 'its commands pile up with it');
  const grown = (await gateway.metric('process_resident_memory_bytes')) - before;
  // A sanitizer keeps what was freed.
  assert.ok(grown < (sanitized ? 200e6 : 10e6), `${grown} bytes more`);
  await serves(other, 'the other');
  if (!process.env.LONG) return; // half a minute without progress, and it is out
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'slow', 60_000);
  assert.equal(await gateway.metric('pricegate_connections'), 1);
});

test('long messages that are complete at the same moment: others are served in between', async (t) => {
  for (const tls of [undefined, testCerts()]) {
    const { gateway, connect, serves } = await fed(t, tls ? { listen: { tls: { cert: tls.cert, key: tls.key } } } : {});
    const crowd = await Promise.all(Array.from({ length: 100 }, () => connect()));
    const other = await connect();
    const pad = Array(8000).fill({});
    const time = async (client, id) => {
      const pong = await client.nextType('pong', 30_000);
      assert.equal(pong.id, id);
      return pong.ts;
    };
    // All of it is there when it goes on. On plain sockets a little is read of each in a turn of the loop, so that the
    // crowd is through in the same turn, and the other one has something to say in all of them.
    gateway.signal('SIGSTOP');
    for (const id of [0, 'next']) for (const client of crowd) client.send({ action: 'ping', id, pad });
    const pings = 2000;
    for (let id = 0; id < pings; id++) other.send({ action: 'ping', id });
    await until(() => [other, ...crowd].every((c) => c.socket.bufferedAmount === 0), 'it has left');
    gateway.signal('SIGCONT');
    const times = [];
    for (const client of crowd) times.push(await time(client, 0));
    for (const client of crowd) await time(client, 'next');
    const heard = [];
    for (let id = 0; id < pings; id++) heard.push(await time(other, id));
    const between = heard.filter((ts) => ts > Math.min(...times) && ts < Math.max(...times)).length;
    assert.ok(tls || between > 20, `${between} pongs in between, of ${heard.filter((ts) => ts > Math.max(...times)).length} and more`);

    // In their order, whatever waits; over TLS a message waits until there is another one behind it.
    const some = crowd.slice(0, 30);
    for (const id of [1, 2])
      for (const client of some) {
        client.send({ action: 'ping', id, pad });
        client.send({ action: 'ping', id: -id });
      }
    for (const client of some) for (const id of [1, -1, 2, -2]) await time(client, id);
    await serves(crowd[0], 'one of the crowd');
    await serves(other, 'the other');
  }
});

// The library must not be told to stop reading in the middle of a record of TLS: it would go round
// for ever.
test('the same over TLS, many commands in one record', async (t) => {
  const certs = testCerts();
  const { gateway, connect, serves } = await fed(t, {
    listen: { tls: { cert: certs.cert, key: certs.key } },
  });
  const [client, other] = [await connect(), await connect()];
  client.socket.pause();
  const list = Array.from({ length: 1500 }, (_, i) => `none-${i}`.padEnd(32, '-'));
  for (let id = 0; id < 40; id++) client.send({ action: 'subscribe', id, symbols: list });
  const ping = Buffer.from([0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4]);
  const command = Buffer.from('{"action":"ping"}');
  const text = Buffer.concat([Buffer.from([0x81, 0x80 | command.length, 0, 0, 0, 0]), command]);
  client.socket._socket.write(Buffer.concat(Array.from({ length: 200 }, (_, i) => (i % 2 ? ping : text))));
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'slow', 20_000);
  await serves(other, 'the other');
});

// Found by tests/fuzz/frames: the library went round for ever in the rest of the record. The last
// Host is how one over TLS was given the small buffers of listen.metrics_port.
test('one that reads nothing and breaks the framing does not hold up the others', async (t) => {
  const certs = testCerts();
  const names = Array.from({ length: 1500 }, (_, i) => `none-${i}`.padEnd(32, '-'));
  const greedy = JSON.stringify({ action: 'subscribe', id: 1, symbols: names });
  const broken = {
    'an unknown opcode': frame(FIN | 3, 'x'),
    'a long ping': frame(FIN | OP.PING, 'x'.repeat(126)),
    '2^63 bytes': frame(FIN | OP.TEXT, '', { form: 8, length: 1n << 63n }),
    'a close': close(1000),
  };
  const rest = Buffer.alloc(20_000, 0x61);
  const tls = { cert: certs.cert, key: certs.key };
  for (const [listen, headers] of [[{}], [{ tls }], [{ tls, metrics_port: 0 }, { Host: 'plain' }]]) {
    const { gateway, connect, serves } = await fed(t, { listen });
    const other = await connect();
    for (const [what, bytes] of Object.entries(broken)) {
      for (const commands of [1, 2, 4]) {
        const client = await connect({ headers });
        client.socket.pause();
        for (let i = 0; i < commands; i++) client.send(greedy);
        // What is sent in one piece is in one record, or in a few.
        client.socket._socket.write(Buffer.concat([bytes, rest]));
        await serves(other, `${what}, ${commands}, ${listen.tls ? 'TLS' : 'plain'}`);
        client.terminate();
      }
    }
    await until(async () => (await gateway.metric('pricegate_connections', listen.tls ? { ca: certs.pem.ca } : {})) === 1, 'they have gone', 20_000);
  }
});

test('a since of 100,000 entries, many at once: others are served in between', async (t) => {
  const { connect, serves } = await fed(t, { limits: { message_bytes: 1_048_576 } });
  const [client, other] = [await connect(), await connect()];
  const entries = Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":""`).join();
  const deep = `{"action":"ping","x":${'{"a":['.repeat(80_000)}`;
  const bombs = 30;
  for (let id = 0; id < bombs; id++) {
    client.send(`{"action":"subscribe","id":${id},"symbols":["*"],"since":{${entries}}}`);
    client.send(deep);
  }
  // Not after the bombs, but while they go off: the time a pong may take depends on the machine,
  // what it may have to wait behind does not.
  let pongs = 0;
  const done = () => client.messages.filter((m) => m.type === 'subscribed').length;
  while (done() < bombs) {
    other.send({ action: 'ping', id: pongs });
    assert.equal((await other.nextType('pong', 60_000)).id, pongs++);
    assert.equal(client.socket.readyState, 1);
  }
  assert.ok(pongs >= bombs, `${pongs} pongs while ${bombs} bombs went off`);
  await until(() => client.messages.filter((m) => m.type === 'error').length === bombs, 'the deep ones are refused');
  const errors = client.messages.filter((m) => m.type === 'error');
  assert.ok(errors.every((e) => e.code === 400 && e.error === 'bad_message'));
  client.send({ action: 'reset', id: 'end' });
  await client.next((m) => m.type === 'unsubscribed' && m.id === 'end');
  await serves(client, 'the bomber');
  await serves(other, 'the other');
});
