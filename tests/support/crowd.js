// A thousand WebSocket clients in one process: bare sockets that subscribe to everything and note
// which numbered quotes ("n":17) each of them received. No JSON, no events per message: the load
// generator must not be what is slow.

import { once } from 'node:events';
import net from 'node:net';

import { until } from './wait.js';

/** A masked frame; the mask is zero, so the payload stays readable. */
function clientFrame(opcode, payload) {
  const bytes = Buffer.from(payload);
  if (bytes.length > 125) throw new Error('short messages only');
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

const NUMBER = /"n":(\d+)/g;

class Member {
  constructor(port, quotes) {
    this.seen = new Uint8Array(quotes);
    this.count = 0;
    this.twice = 0;
    this.rest = Buffer.alloc(0);
    this.upgraded = false;
    this.subscribed = false;
    this.snapshots = 0;
    this.closed = false; // closedAt: when; code: of the close frame; reconnectMs: what goaway said
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
      this.closedAt ??= Date.now();
    });
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
  }

  #take(bytes) {
    let data = this.rest.length ? Buffer.concat([this.rest, bytes]) : bytes;
    if (!this.upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.rest = data;
        return;
      }
      if (!data.toString('latin1', 0, 12).endsWith('101')) throw new Error('not upgraded');
      this.upgraded = true;
      data = data.subarray(end + 4);
      this.socket.write(clientFrame(1, '{"action":"subscribe","symbols":["*"]}'));
    }
    let at = 0;
    while (data.length - at >= 2) {
      let length = data[at + 1];
      let head = 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = Number(data.readBigUInt64BE(at + 2));
        head = 10;
      }
      if (data.length - at < head + length) break;
      if ((data[at] & 15) === 1) this.#message(data.toString('latin1', at + head, at + head + length));
      else if ((data[at] & 15) === 9) this.socket.write(clientFrame(10, data.subarray(at + head, at + head + length)));
      else if ((data[at] & 15) === 8) this.#close(data.readUInt16BE(at + head));
      at += head + length;
    }
    this.rest = at === data.length ? Buffer.alloc(0) : Buffer.from(data.subarray(at));
  }

  #close(code) {
    this.code = code;
    this.closedAt = Date.now();
    this.socket.end(clientFrame(8, [code >> 8, code & 255]));
  }

  #message(text) {
    if (text.startsWith('{"type":"quote"')) {
      if (text.startsWith('"snapshot":true', 16)) this.snapshots++;
      for (const match of text.matchAll(NUMBER)) {
        const n = Number(match[1]);
        if (this.seen[n]) this.twice++;
        else this.count++;
        this.seen[n] = 1;
      }
    } else if (text.includes('"type":"subscribed"')) {
      this.subscribed = true;
    } else if (text.startsWith('{"type":"goaway"')) {
      this.reconnectMs = JSON.parse(text).reconnect_ms;
    }
  }
}

/** size clients, connected and subscribed, ready for quotes numbered 0 .. quotes - 1. They come
 *  so many at a time: a hundred, where the backlog of the listener is not what is tried. */
export async function gather(port, size, quotes, together = 100) {
  const members = [];
  while (members.length < size) {
    const some = Array.from({ length: Math.min(together, size - members.length) }, () => new Member(port, quotes));
    members.push(...some);
    await Promise.all(some.map((m) => once(m.socket, 'connect')));
    await until(() => some.every((m) => m.subscribed), `${some.length} clients are subscribed`, 15_000 + 5 * together);
  }
  return {
    members,
    fewest: () => members.reduce((least, m) => Math.min(least, m.count), quotes),
    closed: () => members.filter((m) => m.closed).length,
    twice: () => members.reduce((sum, m) => sum + m.twice, 0),
    leave: () => members.forEach((m) => m.socket.destroy()),
  };
}
