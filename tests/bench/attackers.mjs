// What one attacker does, by name: `attacks`. As a program it is that attacker:
//
//   node tests/bench/attackers.mjs NAME '{"port":8080,"seconds":10,"tls":false}'
//
// and tells at its end, as one line of JSON, what it has spent. attacks.mjs starts it and watches what
// it costs others. It keeps to one core and one process; what it sends is made beforehand, so that
// its own cost is little more than that of its system calls. Every connection that ends is opened
// again at once.

import net from 'node:net';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';

import { frame, handshake } from '../support/raw.js';

const MANY = 2000; // connections of those who only hold them
const text = (message) => frame(0x81, typeof message === 'string' ? message : JSON.stringify(message));
/** At least 64 KB of it, so that a write is worth its call. */
const plenty = (bytes) => Buffer.concat(Array(Math.ceil(65536 / bytes.length)).fill(bytes));
const unknown = Array.from({ length: 1500 }, (_, i) => `none-${i}`.padEnd(32, '-'));
const everything = text({ action: 'subscribe', symbols: ['*'] });

const get = (path, headers = '') => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
const post = (path, length, headers = '') =>
  Buffer.from(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n${headers}\r\n`);

/** A permessage-deflate message of at most 64 KiB that inflates to 60 MB. */
function bomb() {
  const squeezed = deflateRawSync(Buffer.alloc(60_000_000), { finishFlush: 2 });
  const bytes = frame(0xc1, squeezed.subarray(0, Math.min(squeezed.length, 65_000)));
  return bytes;
}

/** What looks like a token with a signature, and is none. */
const token = ['{"alg":"RS256","typ":"JWT"}', `{"role":"admin","exp":9999999999,"pad":"${'x'.repeat(2000)}"}`, 'x'.repeat(256)]
  .map((part) => Buffer.from(part).toString('base64url')).join('.');

class Attacker {
  constructor({ port, secure }) {
    Object.assign(this, { port, secure });
    this.on = true;
    this.sockets = new Set();
    this.spent = { connections: 0, most_open: 0, bytes_sent: 0, bytes_received: 0 };
  }

  /** n connections at any time; begin(socket) when one stands. */
  keep(n, begin, options = {}) {
    for (let i = 0; i < n; i++) this.#open(begin, options);
  }

  #open(begin, options) {
    const where = { port: this.port, host: '127.0.0.1' };
    const secure = this.secure && !options.bare;
    const wire = net.connect(where); // whose bytes count
    const socket = secure ? tls.connect({ socket: wire, rejectUnauthorized: false }) : wire;
    this.sockets.add(wire);
    wire.on('error', () => {});
    socket.on('error', () => {});
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      this.spent.connections += 1;
      this.spent.most_open = Math.max(this.spent.most_open, this.sockets.size);
      begin(socket);
    });
    wire.on('close', () => {
      this.#count(wire);
      this.sockets.delete(wire);
      if (this.on) setImmediate(() => this.on && this.#open(begin, options));
    });
  }

  #count(socket) {
    this.spent.bytes_sent += socket.bytesWritten - socket.writableLength;
    this.spent.bytes_received += socket.bytesRead;
  }

  stop() {
    this.on = false;
    for (const socket of this.sockets) this.#count(socket);
    return this.spent;
  }
}

/** As much of these bytes as the other side takes. */
function flood(socket, bytes) {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes)) if (socket.writableLength > 262_144) break;
  };
  socket.on('drain', more);
  more();
}

const reads = (socket) => socket.on('data', () => {});
const deaf = (socket) => socket.pause();

/** begin() behind the upgrade; more: further header lines. */
const websocket = (port, begin, { more = '', listens = reads } = {}) => (socket) => {
  socket.write(handshake(port, more));
  socket.once('data', () => {
    listens(socket);
    begin(socket);
  });
};

const floods = (bytes, n = 1, options) => (a) => a.keep(n, websocket(a.port, (s) => flood(s, bytes), options));
const asks = (bytes, n = 1, listens = reads) => (a) =>
  a.keep(n, (socket) => {
    listens(socket);
    flood(socket, bytes);
  });
/** Does it and goes away; the next one comes. */
const visits = (bytes, n = 16) => (a) =>
  a.keep(n, (socket) => {
    socket.once('data', () => socket.destroy());
    socket.write(bytes);
  });

/** say: for the report. config: what differs from the gateway of the others. */
export const attacks = {
  none: { say: 'nobody attacks', run: () => {} },

  // before there is a request
  silent: { say: `${MANY} connections without a word`, run: (a) => a.keep(MANY, reads) },
  headers: {
    say: `${MANY} connections that drip headers, a byte a second`,
    run: (a) => a.keep(MANY, (socket) => {
      socket.write('GET / HTTP/1.1\r\nX-Slow: ');
      const timer = setInterval(() => socket.write('a'), 1000);
      socket.on('close', () => clearInterval(timer));
    }),
  },
  'tls-silent': {
    say: `${MANY} connections with half a ClientHello`, tls: true,
    run: (a) => a.keep(MANY, (socket) => socket.write(Buffer.from('16030100a5010000a10303', 'hex')), { bare: true }),
  },
  'tls-handshakes': { say: 'TLS handshakes, one after the other', tls: true, run: (a) => a.keep(8, (socket) => socket.destroy()) },
  churn: { say: 'connects, and resets', run: (a) => a.keep(16, (socket) => socket.resetAndDestroy?.() ?? socket.destroy()) },
  'headers-huge': { say: '20 KB of headers without end', run: (a) => a.keep(4, (s) => flood(reads(s), Buffer.from(`X: ${'y'.repeat(20_000)}`))) },

  // requests
  requests: { say: 'requests for all quotes, pipelined', run: asks(plenty(get('/api/v1/quotes'))) },
  'requests-deaf': { say: 'the same by 50 who do not read the answers', run: asks(plenty(get('/api/v1/quotes')), 50, deaf) },
  assets: { say: 'requests for the dashboard, pipelined', run: asks(plenty(get('/'))) },
  'not-found': { say: 'requests for nothing, pipelined', run: asks(plenty(get('/nothing'))) },
  tokens: { say: 'requests with 2 KB tokens that are none', run: asks(plenty(get('/api/v1/quotes', `Authorization: Bearer ${token}\r\n`))) },
  bodies: {
    say: 'POST of 64 KiB each',
    run: (a) => a.keep(16, (socket) => reads(socket).write(Buffer.concat([post('/data-health/reset-circuit/yahoo', 65_536), Buffer.alloc(65_536, 'x')]))),
  },
  'bodies-huge': { say: 'POST of 1 GB', run: (a) => a.keep(16, (s) => flood(reads(s), Buffer.concat([post('/data-health/reset-circuit/yahoo', 1e9), Buffer.alloc(65_536, 'x')]))) },
  refresh: { say: 'POST /data-health/refresh-all without the role', run: visits(post('/data-health/refresh-all', 0)) },
  'sse-churn': { say: 'event streams of everything, opened and left', run: visits(get('/api/v1/stream?symbols=*')) },
  'sse-deaf': { say: '500 event streams of everything that do not read', run: (a) => a.keep(500, (s) => deaf(s).write(get('/api/v1/stream?symbols=*'))) },

  'sse-patterns': { say: 'event streams of 4,000 patterns', run: visits(get(`/api/v1/stream?symbols=${'Z*,'.repeat(4000)}Z*`), 4) },
  'quotes-list': { say: 'requests for 2,000 quotes by name, each several times', run: visits(get(`/api/v1/quotes?symbols=${Array.from({ length: 2000 }, (_, i) => `S0${i % 500 < 10 ? '00' : i % 500 < 100 ? '0' : ''}${i % 500}`).join()}`), 4) },

  // WebSockets
  'ws-churn': { say: 'WebSockets opened and left', run: (a) => a.keep(16, websocket(a.port, (s) => s.destroy())) },
  unauthenticated: {
    say: `${MANY} WebSockets that show no token where one is needed`, config: { auth: { anonymous_role: null } },
    run: (a) => a.keep(MANY, websocket(a.port, () => {})),
  },
  'never-read': { say: '500 followers of everything that do not read', run: (a) => a.keep(500, websocket(a.port, (s) => s.write(everything), { listens: deaf })) },
  commands: { say: 'commands, more than allowed', run: floods(plenty(text({ action: 'ping' })), 8) },
  nonsense: { say: 'what is no JSON', run: floods(plenty(text('x')), 8) },
  subscribe: {
    say: 'subscribes to everything, and leaves again',
    run: floods(plenty(Buffer.concat([everything, text({ action: 'reset' })])), 8),
  },
  symbols: { say: 'subscribes to 1,500 symbols that there are not', run: floods(text({ action: 'subscribe', symbols: unknown }), 8) },
  'patterns-allowed': {
    say: 'the same by 50, no faster than allowed',
    run: (a) => a.keep(50, websocket(a.port, (s) => {
      const bytes = text({ action: 'subscribe', symbols: unknown.map((name) => `${name.slice(0, 12)}*`) });
      const timer = setInterval(() => s.write(bytes), 260);
      s.on('close', () => clearInterval(timer));
    })),
  },
  patterns: { say: 'subscribes to 1,500 patterns', run: floods(text({ action: 'subscribe', symbols: unknown.map((name) => `${name.slice(0, 12)}*`) }), 8) },
  'json-wide': { say: '64 KB of JSON with 9,000 names', run: floods(text(`{${Array.from({ length: 9000 }, (_, i) => `"${i.toString(36)}":`).join('0,')}0}`), 8) },
  'json-deep': { say: '64 KB of brackets', run: floods(text('['.repeat(65_000)), 8) },
  'json-broken': { say: '64 KB of JSON that breaks off at its end', run: floods(text(`[${'1,'.repeat(32_000)}1`), 8) },
  fragments: { say: 'fragments of a byte', run: floods(plenty(Buffer.concat([frame(0x01, 'a'), ...Array(500).fill(frame(0x00, 'a'))])), 8) },
  'fragments-allowed': {
    say: 'messages of 16 fragments of a byte',
    run: floods(plenty(Buffer.concat([frame(0x01, '{'), ...Array(14).fill(frame(0x00, ' ')), frame(0x80, '}')])), 8),
  },
  oversize: { say: 'messages that announce 2^63 bytes', run: floods(Buffer.concat([Buffer.from([0x81, 0xff, 0x7f, ...Array(7).fill(255), 0, 0, 0, 0]), Buffer.alloc(65_536, 'x')]), 8) },
  pings: { say: 'protocol pings', run: floods(plenty(frame(0x89, 'x'.repeat(100)))) },
  'pings-deaf': { say: 'protocol pings by 50 who do not read', run: floods(plenty(frame(0x89, 'x'.repeat(100))), 50, { listens: deaf }) },
  pongs: { say: 'protocol pongs that nobody asked for', run: floods(plenty(frame(0x8a, 'x')), 8) },
  'pongs-empty': { say: 'empty ones, which the library does not report', run: floods(plenty(frame(0x8a, '')), 8) },
  inflate: {
    say: '64 KB that inflate to 60 MB', config: { fanout: { compression: true } },
    run: floods(bomb(), 8, { more: 'Sec-WebSocket-Extensions: permessage-deflate\r\n' }),
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, options] = [process.argv[2], JSON.parse(process.argv[3])];
  const attacker = new Attacker({ port: options.port, secure: Boolean(attacks[name].tls) });
  process.on('uncaughtException', (error) => {
    if (error.code !== 'EMFILE') throw error;
  });
  const before = process.cpuUsage();
  attacks[name].run(attacker);
  setTimeout(() => {
    const spent = attacker.stop();
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(`${JSON.stringify({ ...spent, cpu_s: (user + system) / 1e6 })}\n`, () => process.exit(0));
  }, 1000 * options.seconds);
}
