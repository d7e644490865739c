// A connection byte for byte: what no HTTP or WebSocket library would send.
//
//   const line = await dial({ port: gateway.port });      tls: true, ca: for a TLS one
//   line.send('GET / HTTP/1.1\r\n...');  await line.ended();  line.text
//   line.send(frame(0x81, '{"action":"ping"}'));  await line.frame((f) => f.opcode === 8)

import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

import { within } from './wait.js';

/** A masked frame; first: FIN, RSV and opcode as on the wire. The mask is zero: the payload stays
 *  readable. */
export function frame(first, payload = '') {
  const bytes = Buffer.from(payload);
  let head;
  if (bytes.length < 126) {
    head = Buffer.from([first, 0x80 | bytes.length]);
  } else if (bytes.length < 65536) {
    head = Buffer.from([first, 0xfe, bytes.length >> 8, bytes.length & 255]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = 0xff;
    head.writeBigUInt64BE(BigInt(bytes.length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

/** The frames in these bytes: [{opcode, payload}]; the last may be missing its end. */
export function frames(bytes) {
  const list = [];
  for (let at = 0; bytes.length - at >= 2; ) {
    let [length, head] = [bytes[at + 1] & 127, 2];
    if (length === 126 && bytes.length - at >= 4) [length, head] = [bytes.readUInt16BE(at + 2), 4];
    else if (length === 127 && bytes.length - at >= 10) [length, head] = [Number(bytes.readBigUInt64BE(at + 2)), 10];
    if (bytes.length - at < head + length) break;
    list.push({ opcode: bytes[at] & 15, payload: bytes.subarray(at + head, at + head + length) });
    at += head + length;
  }
  return list;
}

class Line {
  constructor(socket) {
    this.socket = socket;
    this.parts = [];
    this.isClosed = false;
    this.news = new Set(); // called when something has come, or the end
    socket.on('data', (bytes) => {
      this.parts.push(bytes);
      for (const look of [...this.news]) look();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      for (const look of [...this.news]) look();
    });
  }

  /** Waits until check() says something true; the end without it is a failure, too. */
  async when(check, what, ms = 10_000) {
    let look;
    const found = new Promise((resolve, reject) => {
      look = () => {
        const value = check();
        if (value) resolve(value);
        else if (this.isClosed) reject(new Error(`${what}: the connection has ended`));
      };
      this.news.add(look);
      look();
    });
    try {
      return await within(found, what, ms);
    } catch (error) {
      throw new Error(`${error.message}; so far: ${JSON.stringify(this.text.slice(0, 200))}`);
    } finally {
      this.news.delete(look);
    }
  }

  get bytes() {
    if (this.parts.length > 1) this.parts = [Buffer.concat(this.parts)];
    return this.parts[0] ?? Buffer.alloc(0);
  }

  get text() {
    return this.bytes.toString('latin1');
  }

  /** The statuses of the answers so far; it is enough that no body looks like one. */
  get statuses() {
    return [...this.text.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map((m) => Number(m[1]));
  }

  /** What stands behind the head of the first answer. */
  get behind() {
    const end = this.bytes.indexOf('\r\n\r\n');
    return end < 0 ? Buffer.alloc(0) : this.bytes.subarray(end + 4);
  }

  send(bytes) {
    if (!this.isClosed) this.socket.write(bytes);
  }

  answered(n = 1, ms = 10_000) {
    return this.when(() => this.statuses.length >= n, `answer ${n}`, ms);
  }

  ended(ms = 15_000) {
    return this.when(() => this.isClosed, 'the end', ms);
  }

  /** The first frame behind a handshake that matches. */
  frame(matches, what = 'a frame', ms = 10_000) {
    return this.when(() => frames(this.behind).find(matches), what, ms);
  }

  /** The code of the close frame. */
  async closeCode(ms) {
    return (await this.frame((f) => f.opcode === 8, 'a close frame', ms)).payload.readUInt16BE(0);
  }

  destroy() {
    this.socket.destroy();
  }
}

/** Connected; with tls: after its handshake, unless handshake: false (then it is a bare socket). */
export async function dial({ port, tls: secure = false, handshake = true, ca, alpn }) {
  const encrypted = secure && handshake;
  const socket = encrypted
    ? tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: alpn })
    : net.connect(port, '127.0.0.1');
  const line = new Line(socket);
  await within(once(socket, encrypted ? 'secureConnect' : 'connect'), 'the connection');
  socket.setNoDelay?.(true);
  return line;
}

export const handshake = (port, more = '', path = '/ws') =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

/** A line that is a WebSocket and was welcomed. */
export async function upgraded(where, more) {
  const line = await dial(where);
  line.send(handshake(where.port, more));
  await line.frame((f) => f.opcode === 1, 'the welcome');
  return line;
}
