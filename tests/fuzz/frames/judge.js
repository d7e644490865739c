// Reads what the program answers to one attack, and throws on what it must never say, whatever it
// was told: half an HTTP head, an answer behind "Connection: close", more answers than requests, a
// frame that no server may send, a text that is no message of the protocol.

import { createHash } from 'node:crypto';

import { FrameReader, OP } from '../../support/frames.js';

const STATUSES = new Set([200, 204, 304, 308, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 422, 426, 429, 431, 501, 503, 505]);
const TYPES = new Set([
  'welcome', 'subscribed', 'unsubscribed', 'subscriptions', 'quote', 'observation', 'status', 'pong', 'authenticated', 'refreshed',
  'heartbeat', 'flow', 'error', 'goaway', 'reloaded', 'instruments',
]);
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_MAX = 16384;

export const acceptOf = (key) => createHash('sha1').update(key + GUID).digest('base64');

/** Is it a close frame of the library ("rsv bits", "bad opc" and so on) with something of the client's
 *  written over it? It has one buffer for both that and pings, and in the middle of a frame that it
 *  has refused it may read on before it writes. Told to somebody who broke the protocol: let it pass. */
const isGarbled = (payload) => payload.length === 9 || payload.length === 10;

function parseHead(text) {
  const [first, ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3}) [\x20-\x7e]*$/.exec(first);
  if (!status) throw new Error(`a status line ${JSON.stringify(first.slice(0, 200))}`);
  const headers = {};
  for (const line of lines) {
    const header = /^([A-Za-z0-9-]+): ?([\x20-\x7e\t]*)$/.exec(line);
    if (!header) throw new Error(`a header ${JSON.stringify(line.slice(0, 200))}`);
    headers[header[1].toLowerCase()] = header[2].trim();
  }
  return { status: Number(status[1]), headers };
}

export class Judge {
  constructor(attack) {
    this.attack = attack;
    this.pending = Buffer.alloc(0);
    this.answers = 0;
    this.body = 0; // bytes of it that are still to come
    this.mode = 'http'; // then 'frames' or 'events', or 'over': nothing may come
    this.seen = []; // statuses, and types of messages: for the statistics
  }

  push(bytes) {
    if (this.mode === 'frames') return this.#frames(bytes);
    if (this.mode === 'events') return this.#events(bytes);
    this.pending = Buffer.concat([this.pending, bytes]);
    while (this.mode === 'http' && this.#http());
    if (this.mode === 'over' && this.pending.length) throw new Error(`${this.pending.length} bytes behind the last answer`);
    return undefined;
  }

  /** Takes one step through what is pending; false: more is needed. */
  #http() {
    if (this.body > 0) {
      const taken = Math.min(this.body, this.pending.length);
      this.pending = this.pending.subarray(taken);
      this.body -= taken;
      if (this.body === 0 && this.last) this.mode = 'over';
      return taken > 0;
    }
    if (this.attack.kind === 'noise' && this.pending[0] === 0x15) return this.#alert();
    const start = this.pending.toString('latin1', 0, 5);
    if (!'HTTP/'.startsWith(start)) throw new Error(`what is no HTTP: ${JSON.stringify(this.pending.toString('latin1', 0, 100))}`);
    const end = this.pending.indexOf('\r\n\r\n');
    if (end > HEAD_MAX || (end < 0 && this.pending.length > HEAD_MAX)) throw new Error('an endless head');
    if (end < 0) return false;
    const head = parseHead(this.pending.toString('latin1', 0, end));
    this.pending = this.pending.subarray(end + 4);
    this.#answer(head);
    return this.pending.length > 0;
  }

  /** TLS that was no TLS is answered with an alert. */
  #alert() {
    this.seen.push('alert');
    this.pending = Buffer.alloc(0);
    return false;
  }

  #answer({ status, headers }) {
    const { attack } = this;
    this.seen.push(status);
    if (status === 101) return this.#upgraded(headers);
    if (!STATUSES.has(status)) throw new Error(`status ${status}`);
    this.answers++;
    const asked = attack.requests.length + (attack.handshake ? 1 : 0);
    const known = !attack.unknown && (attack.handshake?.plain ?? true) && attack.requests.every((r) => r.plain);
    if (known && this.answers > asked) throw new Error(`${this.answers} answers to ${asked} requests`);
    if (headers['content-type']?.startsWith('text/event-stream')) return this.#streaming();
    if (!/^\d+$/.test(headers['content-length'] ?? '') && ![204, 304].includes(status)) throw new Error(`a ${status} without a length`);
    this.last = headers.connection?.toLowerCase() === 'close';
    this.body = this.#bodyOf(status, Number(headers['content-length'] ?? 0), known);
    if (this.body === 0 && this.last) this.mode = 'over';
    return undefined;
  }

  /** An answer to HEAD has none, but which request was it? Where nobody knows, the next bytes tell. */
  #bodyOf(status, length, known) {
    if ([204, 304].includes(status)) return 0;
    const method = known ? this.attack.requests[this.answers - 1]?.method : undefined;
    if (method) return method === 'HEAD' ? 0 : length;
    const mayBeHead = this.attack.unknown || this.attack.handshake?.plain === false || this.attack.requests.some((r) => r.method === 'HEAD');
    const next = this.pending.toString('latin1', 0, 9);
    return mayBeHead && (next === '' || next.startsWith('HTTP/1.1 ')) ? 0 : length;
  }

  #upgraded(headers) {
    const { handshake } = this.attack;
    if (!handshake && !this.attack.unknown && !this.attack.requests.some((r) => !r.plain)) throw new Error('101 to what was no handshake');
    if (handshake?.plain && headers['sec-websocket-accept'] !== acceptOf(handshake.key)) throw new Error('a wrong Sec-WebSocket-Accept');
    if (headers.upgrade?.toLowerCase() !== 'websocket' || headers.connection?.toLowerCase() !== 'upgrade') throw new Error('101 without its headers');
    const extensions = headers['sec-websocket-extensions'];
    const offered = handshake?.bytes.toString('latin1').includes('permessage-deflate') ?? true;
    if (extensions !== undefined && (!extensions.startsWith('permessage-deflate') || !offered)) throw new Error(`extensions ${extensions}`);
    this.reader = new FrameReader({ compressed: extensions !== undefined, excused: isGarbled });
    this.mode = 'frames';
    const rest = this.pending;
    this.pending = Buffer.alloc(0);
    return rest.length ? this.#frames(rest) : undefined;
  }

  #frames(bytes) {
    for (const frame of this.reader.push(bytes)) {
      if (frame.opcode === OP.BINARY) throw new Error('a binary message');
      if (frame.opcode === OP.PONG) this.#pong(frame.payload);
      if (frame.opcode === OP.CLOSE) this.seen.push(`close ${frame.code ?? 'without a code'}`);
      if (frame.opcode === OP.TEXT) this.#message(frame.text);
    }
  }

  #pong(payload) {
    this.seen.push('PONG');
    const { pings, astray } = this.attack;
    // Behind an error the library reads on in the middle of a frame.
    if (!astray && !this.reader.closed && !pings.has(payload.toString('hex'))) throw new Error(`a pong that answers no ping: ${payload.toString('hex')}`);
  }

  #message(text) {
    const { type } = JSON.parse(text);
    if (!TYPES.has(type)) throw new Error(`a message of type ${type}`);
    if ((type === 'welcome') !== !this.greeted) throw new Error(`${type} in place of the welcome, or a second one`);
    this.greeted = true;
    this.seen.push(type);
  }

  #streaming() {
    this.mode = 'events';
    this.seen.push('events');
    const rest = this.pending;
    this.pending = Buffer.alloc(0);
    return this.#events(rest);
  }

  #events(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    for (let end; (end = this.pending.indexOf('\n\n')) >= 0; this.pending = this.pending.subarray(end + 2)) {
      const block = this.pending.toString('utf8', 0, end);
      if (!block.split('\n').every((l) => l.startsWith(':') || /^(id|event|data|retry): /.test(l))) {
        throw new Error(`an event ${JSON.stringify(block.slice(0, 200))}`);
      }
    }
  }
}
