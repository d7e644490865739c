// The fuzzing of the real program over sockets (tests/fuzz/frames), a few seconds of it: attacks that
// are the same each time, and new ones. `./dev fuzz --frames SECONDS` goes on for as long as one likes.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';

import { attack } from '../fuzz/frames/attacks.js';
import { Campaign } from '../fuzz/frames/campaign.js';
import { Judge, acceptOf } from '../fuzz/frames/judge.js';
import { Random } from '../fuzz/frames/random.js';
import { FIN, FrameReader, OP, RSV1, close, deflated, frame, text } from '../support/frames.js';

const ROUNDS = process.env.LONG ? 20 : 2;

for (const seed of [7, randomInt(2 ** 31)]) {
  test(`whatever strangers send, the others are served (seed ${seed})`, { timeout: 180_000 + ROUNDS * 20_000 }, async (t) => {
    const campaign = await Campaign.start({ seed });
    let stopped = false;
    t.after(() => stopped || campaign.stop());
    for (let round = 0; round < ROUNDS; round++) await campaign.round(round);
    t.diagnostic(campaign.summary());
    for (const wanted of [101, 200, 'welcome']) assert.ok(campaign.seen.get(wanted) > 0, `nobody was answered with ${wanted}`);
    stopped = true;
    await campaign.stopUnderAttack(ROUNDS); // exit code 0, no leak
  });
}

test('the same seed is the same attacks', () => {
  const bytes = (seed, i) => {
    const made = attack(new Random(seed, 3, i));
    return Buffer.concat(made.steps.map((s) => s.write ?? Buffer.from('?'))).toString('hex') + made.end + made.deaf;
  };
  for (let i = 0; i < 50; i++) assert.equal(bytes(9, i), bytes(9, i));
  assert.notEqual(bytes(9, 0), bytes(10, 0));
});

// --- the judge misses nothing ---

const unmasked = { mask: null };
const welcome = text('{"type":"welcome"}', unmasked);

test('frames that no server may send are noticed', () => {
  const compressed = (payload) => frame(FIN | RSV1 | OP.TEXT, payload, unmasked);
  const wrong = {
    masked: text('{}'),
    'a reserved bit': frame(FIN | 0x20 | OP.TEXT, '{}', unmasked),
    'RSV1 of a continuation': Buffer.concat([frame(OP.TEXT, '{', unmasked), frame(FIN | RSV1, '}', unmasked)]),
    'an unknown opcode': frame(FIN | 3, '', unmasked),
    'a ping in pieces': frame(OP.PING, '', unmasked),
    'a long ping': frame(FIN | OP.PING, 'x'.repeat(126), unmasked),
    'a length in too long a form': text('{}', { mask: null, form: 2 }),
    'a length of 64 bits': text('{}', { mask: null, form: 8 }),
    'a text within a text': Buffer.concat([frame(OP.TEXT, '{', unmasked), text('{}', unmasked)]),
    'a continuation of nothing': frame(FIN, '{}', unmasked),
    'bad UTF-8': text(Buffer.from([0x22, 0xff, 0x22]), unmasked),
    'bad UTF-8 in a close': close(1000, Buffer.from([0xff]), unmasked),
    'half a close code': frame(FIN | OP.CLOSE, Buffer.from([3]), unmasked),
    'a close code of none': close(1005, '', unmasked),
    'a close code of 999': close(999, '', unmasked),
    'a text behind a close': Buffer.concat([close(1000, '', unmasked), welcome]),
    'a second close': Buffer.concat([close(1000, '', unmasked), close(1000, '', unmasked)]),
    'what does not inflate': compressed(Buffer.from('{"a":1}')),
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    assert.throws(() => new FrameReader({ compressed: true }).push(bytes), /the server sent/, what);
  }
  assert.throws(() => new FrameReader().push(compressed(deflated('{}'))), /RSV1/);
  const right = Buffer.concat([
    welcome, frame(OP.TEXT, '{"a', unmasked), frame(FIN | OP.PONG, 'x', unmasked), frame(FIN, '":1}', unmasked),
    compressed(deflated('{"b":"\u00e9"}')), text('x'.repeat(126), unmasked), text('x'.repeat(65536), unmasked), close(4008, 'enough', unmasked),
  ]);
  const reader = new FrameReader({ compressed: true });
  const read = [];
  for (let at = 0, size; at < right.length; at += size) {
    size = at < 300 ? 1 : 4096;
    read.push(...reader.push(right.subarray(at, at + size)));
  }
  const texts = read.filter((f) => f.text).map((f) => f.text.slice(0, 10));
  assert.deepEqual(texts, ['{"type":"w', '{"a":1}', '{"b":"\u00e9"}', 'xxxxxxxxxx', 'xxxxxxxxxx']);
  assert.deepEqual(reader.closed, { code: 4008, reason: 'enough' });
});

test('answers that nobody may give are noticed', () => {
  const said = (bytes) => bytes.toString('latin1');
  const get = { method: 'GET', plain: true };
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  const shake = { key, plain: true, bytes: Buffer.from('GET /ws') };
  const upgrade = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
  assert.equal(acceptOf(key), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const rows = [
    [{ requests: [get] }, 'nonsense'],
    [{ requests: [get] }, 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'],
    [{ requests: [get] }, 'HTTP/1.1 200 OK\r\n\r\n'],
    [{ requests: [get] }, 'HTTP/1.1 200 OK\r\nbad header\r\n\r\n'],
    [{ requests: [get] }, ok + ok],
    [{ requests: [get, get] }, ok.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') + ok],
    [{ requests: [get] }, upgrade],
    [{ requests: [], handshake: { ...shake, key: 'another' } }, upgrade],
    [{ requests: [], handshake: shake }, upgrade.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n')],
    [{ requests: [], handshake: shake }, upgrade + said(text('{"type":"quote"}', unmasked))],
    [{ requests: [], handshake: shake }, upgrade + said(welcome) + said(welcome)],
    [{ requests: [], handshake: shake }, upgrade + said(welcome) + said(text('{"type":"dance"}', unmasked))],
    [{ requests: [], handshake: shake, pings: new Set(['aa']) }, upgrade + said(welcome) + said(frame(FIN | OP.PONG, 'b', unmasked))],
  ];
  for (const [made, answer] of rows) {
    assert.throws(() => new Judge({ handshake: null, pings: new Set(), ...made }).push(Buffer.from(answer, 'latin1')), Error, answer);
  }
  const judge = new Judge({ handshake: shake, requests: [get, { method: 'HEAD', plain: true }], pings: new Set(['62']) });
  const all = ok + ok.slice(0, -2) + upgrade + said(welcome) + said(frame(FIN | OP.PONG, 'b', unmasked));
  for (const byte of Buffer.from(all, 'latin1')) judge.push(Buffer.from([byte]));
  assert.deepEqual(judge.seen, [200, 200, 101, 'welcome', 'PONG']);
});
