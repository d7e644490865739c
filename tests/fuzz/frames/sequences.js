// What is sent over an established WebSocket: frames and runs of frames, most of them wrong in one
// way. Each maker takes chance and gives bytes. `sent` collects the payloads that a pong may have, and
// whether the peer may by now see other frames than were meant (`astray`).

import { noJson, rightMessages, wrongMembers } from '../../support/client-messages.js';
import { FIN, OP, RSV1, RSV2, RSV3, close, deflated, frame, text } from '../../support/frames.js';

const CODES = [
  0, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1100, 2000,
  2999, 3000, 3999, 4000, 4001, 4008, 4999, 5000, 32767, 65535,
];
const BAD_UTF8 = [[0x80], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82]].map((b) => Buffer.from(b));
const VALUES = ['null', 'true', '0', '-1', '1e400', '""', '"*"', '[]', '[[]]', '{}', '"\\u0000"', '9223372036854775808', '[null]', '"\\ud800"'];
const LENGTHS = [0n, 1n, 125n, 126n, 65535n, 65536n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];

function message(random) {
  const base = random.weighted([
    [8, () => random.pick(rightMessages)],
    [3, () => random.pick(wrongMembers)],
    [1, () => random.pick(noJson)],
  ])();
  if (random.one(3)) return Buffer.from(base);
  const at = base.length > 1000 ? [] : [...base.matchAll(/:("[^"]*"|-?\d+|true|false|\[[^\]]*\])/g)];
  if (at.length > 0 && random.one(2)) {
    const m = random.pick(at);
    return Buffer.from(`${base.slice(0, m.index + 1)}${random.pick(VALUES)}${base.slice(m.index + m[0].length)}`);
  }
  return random.one(3) ? random.damaged(Buffer.from(base)) : Buffer.from(base);
}

const mask = (random) => random.weighted([[8, random.bytes(4)], [2, Buffer.alloc(4)], [1, null]]);

/** The payload in so many frames, control frames in between. */
function inPieces(random, opcode, payload, sent) {
  const parts = random.weighted([[8, random.int(2, 5)], [1, 16], [1, 17], [1, random.int(18, 40)]]);
  const size = Math.ceil(payload.length / parts);
  const out = [];
  for (let i = 0; i < parts; i++) {
    const last = i === parts - 1 && !random.one(12);
    const first = (i === 0 ? opcode : OP.CONTINUATION) | (last ? FIN : 0);
    out.push(frame(random.one(60) ? first ^ RSV1 : first, payload.subarray(i * size, (i + 1) * size), { mask: mask(random) }));
    if (random.one(3)) out.push(control(random, sent));
    if (random.one(40)) out.push(text('{"action":"ping"}'));
  }
  return Buffer.concat(out);
}

function control(random, sent) {
  const payload = random.bytes(random.weighted([[6, random.int(0, 20)], [2, 125], [1, 126], [1, 0]]));
  const opcode = random.one(3) ? OP.PONG : OP.PING;
  if (opcode === OP.PING) sent.pings.add(payload.toString('hex'));
  return frame(FIN | opcode | (random.one(30) ? random.pick([RSV1, RSV2, RSV3]) : 0), payload, { mask: mask(random) });
}

function closing(random) {
  const reason = random.weighted([[3, Buffer.alloc(0)], [3, Buffer.from('bye')], [2, random.pick(BAD_UTF8)], [1, Buffer.alloc(123, 0x61)], [1, Buffer.alloc(124, 0x61)]]);
  return random.weighted([
    [10, () => close(random.pick(CODES), reason, { mask: mask(random) })],
    [2, () => close(random.int(0, 65535), reason)],
    [2, () => close(null)],
    [2, () => frame(FIN | OP.CLOSE, Buffer.from([3]))],
    [1, () => frame(OP.CLOSE, Buffer.from([3, 232]))],
  ])();
}

/** A compressed message: right, broken, cut off, or one that swells. */
function compressed(random, sent) {
  const said = message(random);
  const stored = () => deflated(said, { level: 0 });
  const payload = random.weighted([
    [8, () => deflated(said)],
    [2, stored],
    [2, () => random.damaged(deflated(said))],
    [1, () => deflated(said).subarray(0, random.int(0, 20))],
    [1, () => deflated(Buffer.alloc(random.pick([5000, 65_536, 70_000, 4_000_000])))],
    [1, () => deflated(Buffer.from(`{"action":"ping","x":"${'x'.repeat(random.int(1, 64_000))}"}`))],
    [1, () => Buffer.concat(Array.from({ length: random.int(2, 9) }, () => deflated('{"action":')))],
    [1, () => Buffer.from([0x03, 0x00])], // an empty last block
    [1, () => random.bytes(random.length(300))],
  ])();
  const opcode = OP.TEXT | RSV1;
  return random.one(3) ? inPieces(random, opcode, payload, sent) : frame(FIN | opcode, payload, { mask: mask(random) });
}

/** A header that claims what does not follow, or in a form that it does not need. */
function lying(random, sent) {
  sent.astray = true;
  const payload = random.bytes(random.length(300));
  const opcode = random.pick([OP.TEXT, OP.BINARY, OP.CONTINUATION, OP.PING, OP.PONG, OP.CLOSE]);
  return random.pick([
    () => frame(FIN | opcode, payload, { form: 2 }),
    () => frame(FIN | opcode, payload, { form: 8 }),
    () => frame(FIN | opcode, payload, { form: 8, length: random.pick(LENGTHS), mask: mask(random) }),
    () => frame(FIN | opcode, payload, { form: 2, length: random.int(0, 65535), mask: mask(random) }),
    () => frame(FIN | opcode, '', { form: random.pick([2, 8]), length: 0, mask: null }),
  ])();
}

function anything(random, sent) {
  sent.astray = true;
  return frame(random.int(0, 255), random.bytes(random.length(70_000)), { mask: mask(random), form: random.pick([undefined, undefined, 2, 8]) });
}

function noise(random, sent) {
  sent.astray = true;
  return random.bytes(random.length(400));
}

/** Many small ones at once. */
function burst(random, sent) {
  const one = random.pick([
    () => frame(FIN | OP.PING, 'hey'),
    () => frame(FIN | OP.PONG, ''),
    () => frame(FIN | OP.PONG, 'hey'),
    () => text('{"action":"ping","id":1}'),
    () => text('{"action":"list"}'),
    () => frame(OP.CONTINUATION, ''),
    () => text('x'),
    () => frame(FIN | OP.TEXT, ''),
  ])();
  sent.pings.add(Buffer.from('hey').toString('hex'));
  return Buffer.concat(Array.from({ length: random.pick([2, 20, 100, 260, 500]) }, () => one));
}

/** Commands with answers that no socket takes at once. */
function greedy(random) {
  const symbols = Array.from({ length: random.int(100, 1500) }, (_, i) => `none-${i}`.padEnd(32, '-'));
  const one = text(JSON.stringify({ action: 'subscribe', id: 1, symbols }), { mask: Buffer.alloc(4) });
  return Buffer.concat(Array.from({ length: random.int(2, 30) }, () => one));
}

const MAKERS = [
  [10, (random) => frame(FIN | OP.TEXT, message(random), { mask: mask(random) })],
  [5, (random, sent) => inPieces(random, random.one(8) ? OP.BINARY : OP.TEXT, message(random), sent)],
  [4, control],
  [3, closing],
  [6, compressed],
  [3, lying],
  [2, anything],
  [2, burst],
  [1, greedy],
  [1, noise],
  [1, (random) => frame(FIN | OP.TEXT, Buffer.concat([Buffer.from('{"action":"'), random.pick(BAD_UTF8)]))],
];

/** Something after which the connection goes on. */
function good(random, sent) {
  const said = Buffer.from(random.pick(rightMessages));
  const masked = { mask: random.bytes(4) };
  return random.pick([
    () => frame(FIN | OP.TEXT, said, masked),
    () => Buffer.concat([frame(OP.TEXT, said.subarray(0, 5), masked), control(random, sent), frame(FIN | OP.CONTINUATION, said.subarray(5), masked)]),
    () => frame(FIN | OP.PONG, 'unasked', masked),
    () => frame(FIN | OP.TEXT, random.pick(wrongMembers), masked),
  ])();
}

/** {parts, pings, astray}: the frames, one buffer each. Most sequences begin well. */
export function frames(random) {
  const sent = { pings: new Set(), astray: false };
  const count = random.weighted([[6, random.int(1, 6)], [2, random.int(7, 30)]]);
  const well = random.one(4) ? 0 : random.int(0, count - 1);
  const parts = Array.from({ length: count }, (_, i) =>
    i < well && !random.one(6) ? good(random, sent) : random.weighted(MAKERS)(random, sent),
  );
  if (!random.one(8)) return { parts, ...sent };
  return { parts: [random.damaged(Buffer.concat(parts), 8)], ...sent, astray: true };
}
