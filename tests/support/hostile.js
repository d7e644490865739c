// Clients that mean harm, each kind without end: who is thrown out comes back at once.
//
//   const hostiles = startHostiles({ port, kinds: { commands: 10, slowloris: 5 }, tls: false });
//   hostiles.counts    per kind: connections made, closed by the server, bytes sent
//   hostiles.stop();
//
// What they send, they send as fast as the server reads it; nothing is waited for. As a program it
// does the same until it is told to end, and prints the counts:  node hostile.js PORT JSON-OF-KINDS

import net from 'node:net';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

import { frame } from './raw.js';

const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const BATCH_BYTES = 32_768;
const BACK_AFTER_MS = 20;

/** As many of them as fill a write. */
const many = (...frames) => {
  const round = Buffer.concat(frames);
  return Buffer.concat(Array.from({ length: Math.max(1, Math.floor(BATCH_BYTES / round.length)) }, () => round));
};

/** Upgrades, and calls then() at the first byte of the answer. What comes later is read and forgotten:
 *  a close frame too. */
function upgraded(socket, then) {
  socket.once('data', then);
  socket.on('data', () => {});
  socket.write(UPGRADE);
}

/** The same bytes again and again, as fast as they are taken; one write per turn of our loop, or nobody
 *  else here would ever get one while the kernel has room. */
const flood = (bytes) => (socket, sent) => upgraded(socket, () => {
  const on = () => {
    if (socket.destroyed) return;
    sent(bytes.length);
    socket.write(bytes, () => setImmediate(on));
  };
  on();
});

/** These bytes, once; the server has to end it. */
const once = (bytes) => (socket, sent) => upgraded(socket, () => {
  socket.write(bytes);
  sent(bytes.length);
});

/** A piece of the text now and then. */
const drip = (text, everyMs, size = 1) => (socket, sent) => {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text.slice(at, at + size));
    sent(size);
    at = (at + size) % text.length;
  }, everyMs);
  socket.on('data', () => {});
  socket.on('close', () => clearInterval(timer));
};

const badFrames = [
  frame(0xc1, 'compressed, but that was not agreed'),
  frame(0x83, 'an opcode that there is not'),
  frame(0x8b, 'another one'),
  Buffer.from([0x81, 5, ...Buffer.from('naked')]), // no mask
  frame(0x09, 'a ping in pieces'),
  frame(0x89, 'x'.repeat(126)), // a ping that is too long
  frame(0x80, 'the end of nothing'),
  Buffer.concat([frame(0x01, 'one'), frame(0x81, 'two')]), // a message within a message
  frame(0x82, 'binary'),
  frame(0x81, Buffer.from([0xff, 0xfe, 0xc0, 0x80])), // no UTF-8
  Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), // 2^64 bytes
  frame(0x88, Buffer.from([0x03])), // half a close code
  frame(0x88, Buffer.from([0xff, 0xff])), // one that must not be
  frame(0x81, 'x'.repeat(70_000)), // too big
  Buffer.concat(Array.from({ length: 40 }, (_, i) => frame(i === 0 ? 0x01 : 0x00, ' '))), // too many pieces
];
const badTexts = ['{', '[]', '7', '{"action":7}', '{"action":"subscribe"}', '{"action":"subscribe","symbols":7}',
  '{"action":"no such"}', `{"a":${'['.repeat(60)}${']'.repeat(60)}}`, '{"action":"subscribe","action":"reset"}'];

let turn = 0;
const next = (list) => list[turn++ % list.length];

/** Each: (socket, sent) => void, with a connected socket. */
const kinds = {
  commands: flood(many(frame(0x81, '{"action":"ping"}'))),
  texts: flood(many(...badTexts.map((text) => frame(0x81, text)))),
  pings: flood(many(frame(0x89, 'x'))),
  pongs: flood(many(frame(0x8a, 'x'))),
  fragments: flood(Buffer.concat([frame(0x01, ' '), many(frame(0x00, ' '))])),
  subscriptions: flood(many(frame(0x81, '{"action":"subscribe","symbols":["*"]}'), frame(0x81, '{"action":"reset"}'))),
  requests: (socket, sent) => {
    const bytes = Buffer.from('GET /api/v1/quotes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const on = () => {
      sent(bytes.length);
      socket.write(bytes);
    };
    socket.on('data', on);
    on();
  },
  frames: (socket, sent) => once(next(badFrames))(socket, sent),
  silent: (socket) => socket.on('data', () => {}),
  headers: drip('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Drip: and so on and so on and so on\r\n', 200),
  head: drip('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n', 300, 40),
  body: (socket, sent) => {
    socket.write('POST /data-health/refresh-all HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n');
    drip(' ', 300)(socket, sent);
  },
  upgrade: (socket, sent) => {
    socket.write(UPGRADE.slice(0, -2));
    drip('X-More: 1\r\n', 300, 4)(socket, sent);
  },
  // Follows everything and reads nothing.
  deaf: (socket, sent) => upgraded(socket, () => {
    const wish = frame(0x81, '{"action":"subscribe","symbols":["*"]}');
    socket.pause();
    socket.write(wish);
    sent(wish.length);
  }),
  // In and out.
  knocks: (socket) => setTimeout(() => socket.resetAndDestroy?.() ?? socket.destroy(), 5),
  // Bytes that are no HTTP (and, to a server with TLS, no TLS).
  garbage: (socket, sent) => {
    socket.on('data', () => {});
    const bytes = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 7919 + turn++) & 255));
    socket.write(bytes);
    sent(bytes.length);
  },
};

/** A reasonable mixture of n, in the kinds' order: floods, slowloris, bad frames, and so on. */
export function mixture(n, names = Object.keys(kinds)) {
  const counts = Object.fromEntries(names.map((name) => [name, 0]));
  for (let i = 0; i < n; i += 1) counts[names[i % names.length]] += 1;
  return counts;
}

export const FLOODS = ['commands', 'texts', 'pings', 'pongs', 'fragments', 'subscriptions'];
export const SLOWLORIS = ['silent', 'headers', 'head', 'body', 'upgrade'];
export const BAD = ['frames', 'garbage', 'knocks'];
const BELOW_TLS = ['garbage', 'knocks', 'silent']; // come as bare bytes to a server with TLS too

export function startHostiles({ port, kinds: wanted, secure = false }) {
  const counts = Object.fromEntries(Object.keys(wanted).map((name) => [name, { connections: 0, closed: 0, bytes: 0 }]));
  const sockets = new Set();
  const timers = new Set();
  let on = true;

  function attack(name, i) {
    if (!on) return;
    const count = counts[name];
    const address = { port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (i % 200)}`, family: 4 };
    const bare = !secure || BELOW_TLS.includes(name);
    const socket = bare ? net.connect(address) : tls.connect({ ...address, rejectUnauthorized: false });
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once(bare ? 'connect' : 'secureConnect', () => {
      count.connections += 1;
      kinds[name](socket, (n) => (count.bytes += n));
    });
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      count.closed += 1;
      sockets.delete(socket);
      const timer = setTimeout(() => {
        timers.delete(timer);
        attack(name, i);
      }, BACK_AFTER_MS);
      timers.add(timer);
    });
  }

  let i = 0;
  for (const [name, n] of Object.entries(wanted)) {
    for (let k = 0; k < n; k += 1) attack(name, i++);
  }
  return {
    counts,
    stop() {
      on = false;
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hostiles = startHostiles({ port: Number(process.argv[2]), kinds: JSON.parse(process.argv[3]) });
  process.on('SIGTERM', () => {
    hostiles.stop();
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ counts: hostiles.counts, cpu_s: (user + system) / 1e6 })}\n`, () => process.exit(0));
  });
}
