// One attack is one connection: what is written, how it is cut, how it ends. All of it comes from
// chance with a seed, none of it from what the program answers, so that it can be had again.
//
//   {kind, steps, handshake, requests, pings, astray, deaf, end, chop}
//
// steps: {write: bytes} or {answer: true}, which waits for the head of an answer, but not for long.

import { frames } from './sequences.js';
import { handshake, request } from './requests.js';

/** The parts as they are handed to the socket, a write each. */
function cut(random, parts) {
  const all = Buffer.concat(parts);
  return random.weighted([
    [4, () => parts],
    [4, () => [all]],
    [2, () => pieces(all, () => 1, 400)],
    [2, () => pieces(all, () => random.int(1, 30), 400)],
    [1, () => pieces(all, () => random.length(4096) + 1, 400)],
  ])();
}

/** The first bytes in pieces, what is left at once. */
function pieces(all, size, most) {
  const out = [];
  let at = 0;
  while (at < all.length && out.length < most) {
    const end = at + size();
    out.push(all.subarray(at, end));
    at = end;
  }
  if (at < all.length) out.push(all.subarray(at));
  return out;
}

const writes = (list) => list.filter((bytes) => bytes.length > 0).map((write) => ({ write }));

function webSocket(random, before = []) {
  const shake = handshake(random);
  const { parts, pings, astray } = frames(random);
  const opening = [...before.map((r) => r.bytes), shake.bytes];
  // One that does not wait for the 101 breaks RFC 6455 (4.1): the library writes the 101 into the buffer
  // from which it has yet to read the frames, so nobody knows what they say then.
  const eager = random.one(4);
  const steps = eager
    ? writes(cut(random, [...opening, ...parts]))
    : [...writes(cut(random, opening)), { answer: true }, ...writes(cut(random, parts))];
  return { kind: 'websocket', steps, handshake: shake, requests: before, pings, astray: astray || eager };
}

function http(random) {
  const requests = Array.from({ length: random.weighted([[5, 1], [3, random.int(2, 6)], [1, random.int(7, 40)]]) }, () => request(random));
  return { kind: 'http', requests, steps: writes(cut(random, requests.map((r) => r.bytes))) };
}

function events(random) {
  const bytes = Buffer.from(`GET /api/v1/stream?symbols=${random.pick(['*', 'coffee', 'EUR/*,AAPL'])} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const more = random.pick([() => [], () => [random.bytes(random.length(5000))], () => [request(random).bytes, handshake(random).bytes]])();
  return {
    kind: 'events',
    requests: [{ bytes, method: 'GET', plain: false }],
    steps: [...writes(cut(random, [bytes])), { answer: true }, ...writes(cut(random, more))],
  };
}

/** No HTTP at all, or only its beginning. */
function noise(random) {
  const bytes = random.pick([
    () => random.bytes(random.length(5000)),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1'),
    () => Buffer.from('*1\r\n$4\r\nPING\r\n'),
    () => Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), random.bytes(random.length(600))]),
    () => handshake(random).bytes.subarray(0, random.int(0, 120)),
    () => random.damaged(request(random).bytes, 10),
    () => Buffer.from(`GET ${'/'.repeat(random.length(20_000))}`),
  ])();
  return { kind: 'noise', steps: writes(cut(random, [bytes])), unknown: true };
}

function stop(random) {
  return random.weighted([[3, 'wait'], [3, 'reset'], [2, 'finish'], [2, 'half'], [2, 'drop']]);
}

export function attack(random) {
  const made = random.weighted([
    [12, () => webSocket(random)],
    [2, () => webSocket(random, [request(random)])],
    [5, () => http(random)],
    [2, () => events(random)],
    [2, () => noise(random)],
  ])();
  return {
    handshake: null,
    requests: [],
    pings: new Set(),
    astray: false,
    ...made,
    deaf: random.weighted([[8, 'never'], [1, 'always'], [1, 'at first']]),
    end: stop(random),
    // Over TLS the records, too, can be cut and damaged.
    chop: random.one(6) ? { size: random.pick([1, 3, 100]), damageAt: random.one(3) ? random.int(0, 3000) : -1 } : null,
  };
}
