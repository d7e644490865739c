// RFC 6455 row by row, over plain sockets and TLS: sections 5.2-5.5 (frames), 7.4 (close codes) and
// 8.1 (UTF-8). After what is allowed the connection is served, anything else ends it with the code
// that the RFC names. (Compression is in compression.test.js, what is in the messages in
// protocol.test.js and bad-input.test.js.)
//
// Where the program is kinder or more taciturn than the RFC, all of it the library's doing, the rows
// say so: frames that are not masked and lengths in a longer form than needed are read; of several
// pings at once only the first is sure of its pong; a control frame that claims more than 125 bytes,
// and a length of 2^63 and more, end the connection without a close frame; the codes 1012-1014,
// younger than the RFC, are answered with 1002.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import net from 'node:net';
import tls from 'node:tls';

import { FIN, FrameReader, OP, RSV1, RSV2, RSV3, close, frame, text } from '../support/frames.js';
import { startGateway } from '../support/gateway.js';
import { external, testCerts } from '../support/scene.js';
import { until, within } from '../support/wait.js';

const gateways = {};
before(async () => {
  const certs = testCerts();
  const config = { instruments: [external('coffee')] };
  gateways.plain = await startGateway(config);
  gateways.TLS = await startGateway({ ...config, listen: { tls: { cert: certs.cert, key: certs.key } } });
});
after(async () => {
  for (const gateway of Object.values(gateways)) await gateway.stop();
});

/** An open WebSocket, welcomed: {send(...pieces), frames, reader, ended}. */
async function open(t, way) {
  const { port } = gateways[way];
  const socket = way === 'TLS'
    ? tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: testCerts().pem.ca })
    : net.connect({ port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  const peer = { frames: [], reader: new FrameReader(), fault: null };
  let head = Buffer.alloc(0);
  peer.ended = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    try {
      if (head === null) return peer.frames.push(...peer.reader.push(bytes));
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      assert.match(head.toString('latin1', 0, end), /^HTTP\/1\.1 101 /);
      const rest = head.subarray(end + 4);
      head = null;
      return peer.frames.push(...peer.reader.push(rest));
    } catch (error) {
      peer.fault = error;
      return socket.destroy();
    }
  });
  peer.send = async (...pieces) => {
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  peer.finish = () => socket.end();
  await peer.send(
    'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await until(() => peer.frames.length > 0, 'the welcome', 10_000, 5);
  peer.frames.length = 0;
  return peer;
}

/** Runs every row over both ways, some at once. check(peer, row) */
async function each(t, rows, check) {
  const jobs = Object.keys(gateways).flatMap((way) => rows.map((row) => [way, row]));
  const worker = async () => {
    for (let job; (job = jobs.shift()); ) {
      const [way, row] = job;
      const peer = await open(t, way);
      try {
        await check(peer, row);
        assert.ifError(peer.fault);
      } catch (error) {
        error.message = `${row[0]}, ${way}: ${peer.fault?.message ?? error.message}; it said ${peer.frames.map((f) => f.text ?? `${f.opcode} ${f.payload.toString('hex')}`).join(' | ').slice(0, 400)}`;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

const ping = (id) => `{"action":"ping","id":${id}}`;
const isPong = (id) => (f) => f.text !== undefined && JSON.parse(f.text).type === 'pong' && JSON.parse(f.text).id === id;
const answered = (peer, id) => until(() => peer.fault || peer.frames.some(isPong(id)), `the answer to ${id}`, 10_000, 5);

/** Each command of `ids` is answered, in this order, and the connection is served after that. */
async function served(peer, [, pieces, ids = []]) {
  await peer.send(...[pieces].flat());
  await peer.send(text(ping(999)));
  await answered(peer, 999);
  const got = peer.frames.filter((f) => f.text !== undefined).map((f) => JSON.parse(f.text)).filter((m) => m.type !== 'heartbeat');
  assert.deepEqual(got.map((m) => [m.type, m.id]), [...ids, 999].map((id) => ['pong', id]));
  assert.equal(peer.reader.closed, null);
}

/** code: of the close frame; null: it has none; undefined: the connection ends without one. */
async function ends(peer, [, pieces, code]) {
  await peer.send(...[pieces].flat());
  if (code === undefined) {
    await within(peer.ended, 'the end');
    assert.equal(peer.reader.closed, null);
    return;
  }
  await until(() => peer.fault || peer.reader.closed, 'a close frame', 10_000, 5);
  assert.ifError(peer.fault);
  assert.equal(peer.reader.closed.code, code);
  await peer.send(close(1000));
  peer.finish(); // behind some errors the library reads no close frame any more, only waits 5 s for the end
  await within(peer.ended, 'the end');
  assert.ok(!peer.frames.some(isPong(1)), 'what came behind was not answered');
}

/** A command of this length. */
const long = (id, length) => ping(id).padEnd(length);
const control = (opcode, payload = '', options) => frame(FIN | opcode, payload, options);
const bytewise = (bytes) => [...bytes].map((byte) => Buffer.from([byte]));

test('5.2: lengths, and how the bytes arrive', async (t) => {
  await each(t, [
    ...[30, 125, 126, 127, 128, 255, 256, 257, 65535, 65536].map((n) => [`a message of ${n} bytes`, text(long(1, n)), [1]]),
    ['byte by byte, 7 bits of length', bytewise(text(ping(1))), [1]],
    ['byte by byte, 16 bits', bytewise(text(long(1, 300))), [1]],
    ['byte by byte, 64 bits', bytewise(text(long(1, 300), { form: 8 })), [1]],
    ['many in one piece', Buffer.concat([1, 2, 3, 4, 5].map((id) => text(ping(id)))), [1, 2, 3, 4, 5]],
    ['cut within the second', [Buffer.concat([text(ping(1)), text(ping(2)).subarray(0, 3)]), text(ping(2)).subarray(3)], [1, 2]],
    ['16 bits for a short one (kinder)', text(ping(1), { form: 2 }), [1]],
    ['64 bits for a short one (kinder)', text(ping(1), { form: 8 }), [1]],
  ], served);
});

test('5.2: reserved bits, reserved opcodes, lengths of nobody', async (t) => {
  const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
  const bits = [RSV1, RSV2, RSV3, RSV1 | RSV2 | RSV3];
  await each(t, [
    ...reserved.map((opcode) => [`opcode ${opcode}`, [frame(FIN | opcode, 'x'), text(ping(1))], 1002]),
    ...reserved.map((opcode) => [`opcode ${opcode}, empty`, frame(FIN | opcode), 1002]),
    ...reserved.map((opcode) => [`opcode ${opcode}, without FIN`, frame(opcode, ''), 1002]),
    ...bits.map((rsv) => [`reserved bits ${rsv} of a text`, [frame(FIN | rsv | OP.TEXT, ping(1)), text(ping(1))], 1002]),
    ...bits.map((rsv) => [`reserved bits ${rsv} of a ping`, control(rsv | OP.PING, 'x'), 1002]),
    ...bits.map((rsv) => [`reserved bits ${rsv} of a close`, control(rsv | OP.CLOSE, Buffer.from([3, 232])), 1002]),
    ['2^63 bytes (taciturn)', frame(FIN | OP.TEXT, 'x', { form: 8, length: 1n << 63n }), undefined],
    ['2^63 - 1 bytes', frame(FIN | OP.TEXT, 'x', { form: 8, length: (1n << 63n) - 1n }), 1009],
    ['4 GiB', frame(FIN | OP.TEXT, 'x', { form: 8, length: 1n << 32n }), 1009],
    ['65,537 bytes', text(long(1, 65_537)), 1009],
  ], ends);
});

test('5.3: every mask', async (t) => {
  const masks = ['00000000', 'ffffffff', '00000001', '01000000', '80808080', '7b7b7b7b'];
  await each(t, [
    ...masks.map((mask) => [`mask ${mask}`, text(ping(1), { mask: Buffer.from(mask, 'hex') }), [1]]),
    ['a mask per fragment', [
      frame(OP.TEXT, ping(1).slice(0, 7), { mask: Buffer.from('01020304', 'hex') }),
      frame(OP.CONTINUATION, ping(1).slice(7, 9), { mask: Buffer.from('00000000', 'hex') }),
      frame(FIN, ping(1).slice(9), { mask: Buffer.from('a0b0c0d0', 'hex') }),
    ], [1]],
    ['none (kinder)', text(ping(1), { mask: null }), [1]],
  ], served);
});

/** The text in so many frames. */
function inPieces(message, count) {
  const size = Math.ceil(message.length / count);
  return Array.from({ length: count }, (_, i) =>
    frame((i === 0 ? OP.TEXT : OP.CONTINUATION) | (i === count - 1 ? FIN : 0), message.slice(i * size, (i + 1) * size)));
}

test('5.4: fragments', async (t) => {
  const [a, b] = [ping(1).slice(0, 9), ping(1).slice(9)];
  await each(t, [
    ...[2, 3, 16].map((n) => [`${n} fragments`, inPieces(ping(1), n), [1]]),
    ['all in one piece', Buffer.concat(inPieces(long(1, 400), 8)), [1]],
    ['byte by byte', inPieces(long(1, 300), 3).flatMap(bytewise), [1]],
    ['an empty first one', [frame(OP.TEXT), frame(FIN, ping(1))], [1]],
    ['empty ones between', [frame(OP.TEXT, a), frame(0), frame(0), frame(FIN, b)], [1]],
    ['an empty last one', [frame(OP.TEXT, ping(1)), frame(FIN)], [1]],
    ['pongs between', [frame(OP.TEXT, a), control(OP.PONG), control(OP.PONG, 'x'.repeat(125)), frame(FIN, b)], [1]],
    ['one after the other', [...inPieces(ping(1), 2), ...inPieces(ping(2), 3), text(ping(3))], [1, 2, 3]],
  ], served);
  await each(t, [
    ['a continuation of nothing', [frame(FIN, ping(1)), text(ping(1))], 1002],
    ['and one that goes on', frame(0, 'x'), 1002],
    ['a continuation of a whole message', [text(ping(2)), frame(FIN, 'x')], 1002],
    ['a text within a text', [frame(OP.TEXT, a), text(ping(1))], 1002],
    ['the beginning of a text within a text', [frame(OP.TEXT, a), frame(OP.TEXT, b)], 1002],
    ['a binary message within a text', [frame(OP.TEXT, a), frame(FIN | OP.BINARY, b)], 1002],
    ['a binary message in pieces', [frame(OP.BINARY, a), frame(FIN, b)], 1003],
    ['an empty binary message', frame(FIN | OP.BINARY), 1003],
    ...[OP.PING, OP.PONG, OP.CLOSE].map((opcode) => [`half of a control frame (${opcode})`, frame(opcode, ''), 1002]),
    ['half of a ping within a text', [frame(OP.TEXT, a), frame(OP.PING, ''), frame(FIN, b)], 1002],
    ['17 fragments', inPieces(long(1, 400), 18), 1009],
    ['fragments that are too long together', [frame(OP.TEXT, 'x'.repeat(40_000)), frame(FIN, 'x'.repeat(30_000))], 1009],
    ['a close within a text', [frame(OP.TEXT, a), close(1000), frame(FIN, b)], 1000],
  ], ends);
});

test('5.5: pings are answered with what they said, pongs ignored', async (t) => {
  const payloads = ['', 'x', 'hello', Buffer.from([0, 255, 128, 10, 13]), 'y'.repeat(124), 'z'.repeat(125)];
  const pongs = (peer) => peer.frames.filter((f) => f.opcode === OP.PONG).map((f) => f.payload.toString('hex'));
  const hex = (payload) => Buffer.from(payload).toString('hex');
  const check = async (peer, [, pieces, wanted]) => {
    await peer.send(...[pieces].flat());
    await until(() => peer.fault || pongs(peer).length >= wanted.length, 'a pong', 10_000, 5);
    await peer.send(text(ping(1)));
    await answered(peer, 1);
    assert.deepEqual(pongs(peer), wanted.map(hex));
    assert.equal(peer.reader.closed, null);
  };
  await each(t, [
    ...payloads.map((p) => [`a ping of ${p.length} bytes`, control(OP.PING, p), [p]]),
    ['a ping byte by byte', bytewise(control(OP.PING, 'hello')), ['hello']],
    ['a ping within a text', [frame(OP.TEXT, '{"act'), control(OP.PING, 'now'), frame(FIN, 'ion":"heartbeat"}')], ['now']],
    ['pongs that nobody asked for', [control(OP.PONG), control(OP.PONG, 'x'), control(OP.PONG, 'x'.repeat(125))], []],
  ], check);
  await each(t, [
    ['several pings at once: the first, perhaps others (taciturn)', Buffer.concat(['a', 'b', 'c'].map((p) => control(OP.PING, p)))],
  ], async (peer, [, bytes]) => {
    await peer.send(bytes);
    await until(() => peer.fault || pongs(peer).length > 0, 'a pong', 10_000, 5);
    await peer.send(text(ping(1)));
    await answered(peer, 1);
    assert.ok([hex('a'), hex('b'), hex('c')].join().startsWith(pongs(peer)[0]));
  });
  await each(t, [
    ...[OP.PING, OP.PONG, OP.CLOSE].map((opcode) => [`126 bytes in a control frame (${opcode}; taciturn)`, control(opcode, 'x'.repeat(126)), undefined]),
    ...[OP.PING, OP.PONG].map((opcode) => [`64 bits of length in a control frame (${opcode}; taciturn)`, control(opcode, 'x', { form: 8 }), undefined]),
  ], ends);
});

test('5.5.1, 7.1: a close is answered once, and nothing behind it', async (t) => {
  await each(t, [
    ['a close without a body', [close(null), text(ping(1))], null],
    ['a close with a code', [close(1000), text(ping(1))], 1000],
    ['two closes', [Buffer.concat([close(4000), close(4001)])], 4000],
    ['a reason of 123 bytes', close(1000, 'r'.repeat(123)), 1000],
    ['a reason with a character of four bytes', close(1000, '\u{1f600}'), 1000],
    ['a command and a close in one piece', Buffer.concat([text(ping(2)), close(1000)]), 1000],
    ['byte by byte', bytewise(close(3000, 'why')), 3000],
    ['half a code', control(OP.CLOSE, Buffer.from([3])), 1002],
    ...[[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]].map((b) => [`a reason that is not UTF-8 (${b})`, close(1000, Buffer.from(b)), 1007]),
  ], ends);
});

test('7.1.1: when both have said it, the server ends the connection', async (t) => {
  await each(t, [
    ['the client first', close(1000), 1000],
    ['the server first', frame(FIN | OP.BINARY, 'x'), 1003],
    ['both at once', Buffer.concat([frame(FIN | OP.BINARY, 'x'), close(1000)]), 1003],
  ], async (peer, [, bytes, code]) => {
    await peer.send(bytes);
    await until(() => peer.fault || peer.reader.closed, 'a close frame', 10_000, 5);
    assert.ifError(peer.fault);
    assert.equal(peer.reader.closed.code, code);
    await peer.send(close(code));
    await within(peer.ended, 'the end');
  });
});

test('after our close frame, no other, whatever comes', async (t) => {
  const behind = [
    ['a reserved opcode', frame(FIN | 3, 'x')],
    ['a continuation of nothing', frame(FIN, 'x')],
    ['reserved bits', frame(FIN | RSV2 | OP.TEXT, 'x')],
    ['half of a ping', frame(OP.PING, '')],
    ['a long ping', control(OP.PING, 'x'.repeat(126))],
    ['a ping', control(OP.PING, 'x')],
    ['a command', text(ping(1))],
    ['another close', close(4999)],
  ];
  const rows = behind.flatMap(([what, bytes]) => [
    [`${what}, at once`, [Buffer.concat([frame(FIN | OP.BINARY, 'x'), bytes])]],
    [`${what}, then`, [frame(FIN | OP.BINARY, 'x'), bytes]],
  ]);
  await each(t, rows, async (peer, [, pieces]) => {
    for (const piece of pieces) {
      await peer.send(piece);
      await until(() => peer.fault || peer.reader.closed, 'a close frame', 10_000, 5);
    }
    assert.ifError(peer.fault);
    assert.equal(peer.reader.closed.code, 1003);
    await peer.send(close(1000));
    peer.finish();
    await within(peer.ended, 'the end');
  });
});

test('7.4: codes that may be sent come back, others are an error', async (t) => {
  const right = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4001, 4008, 4999];
  const wrong = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32767, 32768, 65535];
  await each(t, [
    ...right.map((code) => [`code ${code}`, close(code), code]),
    ...right.map((code) => [`code ${code} with a reason`, close(code, 'bye'), code]),
    ...wrong.map((code) => [`code ${code}`, close(code), 1002]),
    ...wrong.map((code) => [`code ${code} with a reason`, close(code, 'bye'), 1002]),
    ...[1012, 1013, 1014].map((code) => [`code ${code} (taciturn)`, close(code), 1002]),
  ], ends);
});

test('8.1: texts are UTF-8 as a whole, whatever their fragments', async (t) => {
  const right = ['\u0080\u07ff', '\u0800\uffff', '\ud7ff\ue000\ufffe', '\u{10000}\u{10ffff}', '\u03ba\u1f79\u03c3\u03bc\u03b5'];
  const whole = (s) => Buffer.from(`{"action":"ping","id":1,"x":"${s}"}`);
  const at = whole('').length - 2;
  const bad = [[0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0xaf], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff]];
  const cut = (bytes, i) => [frame(OP.TEXT, bytes.subarray(0, i)), frame(FIN, bytes.subarray(i))];
  const inside = (bytes) => Buffer.concat([whole('').subarray(0, at), Buffer.from(bytes), whole('').subarray(at)]);
  await each(t, right.flatMap((s) => {
    const bytes = whole(s);
    return Array.from({ length: bytes.length - at - 1 }, (_, i) => [`${JSON.stringify(s)} cut at ${i}`, cut(bytes, at + i), [1]]);
  }), served);
  await each(t, [
    ...bad.flatMap((b) => Array.from({ length: b.length + 1 }, (_, i) => [`${b} cut at ${i}`, cut(inside(b), at + i), 1007])),
    ['it ends within a character', text(Buffer.from([0x22, 0xe2, 0x82])), 1007],
    ['its last fragment ends within a character', [frame(OP.TEXT, '"'), frame(FIN, Buffer.from([0xe2, 0x82]))], 1007],
  ], ends);
});
