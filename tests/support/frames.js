// WebSocket frames by hand (RFC 6455, 5.2): made as wrong as one likes, read without mercy.

import zlib from 'node:zlib';

export const FIN = 0x80;
export const [RSV1, RSV2, RSV3] = [0x40, 0x20, 0x10];
export const OP = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };
const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** The length as 7, 16 or 64 bits: form 0, 2 or 8 (how many bytes follow); the shortest by default. */
function lengthBytes(length, form = length < 126 ? 0 : length < 65536 ? 2 : 8) {
  const bytes = Buffer.alloc(1 + form);
  bytes[0] = form === 0 ? length & 0x7f : form === 2 ? 126 : 127;
  if (form === 2) bytes.writeUInt16BE(Number(length) & 0xffff, 1);
  if (form === 8) bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(length)), 1);
  return bytes;
}

/** first: the whole first byte. mask: 4 bytes, null = not masked. length: what is claimed, whatever
 *  the payload has; form: how that is written. */
export function frame(first, payload = '', { mask = MASK, length, form } = {}) {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const head = lengthBytes(length ?? bytes.length, form);
  if (!mask) return Buffer.concat([Buffer.from([first]), head, bytes]);
  head[0] |= 0x80;
  return Buffer.concat([Buffer.from([first]), head, mask, Buffer.from(bytes.map((byte, i) => byte ^ mask[i & 3]))]);
}

export const text = (message, options) => frame(FIN | OP.TEXT, message, options);

/** A close frame; code null: without a body. */
export function close(code, reason = '', options) {
  const body = Buffer.from(code === null ? [] : [code >> 8, code & 255]);
  return frame(FIN | OP.CLOSE, Buffer.concat([body, Buffer.from(reason)]), options);
}

/** A message as the first frame of a compressed one carries it. */
export function deflated(message, options = {}) {
  const all = zlib.deflateRawSync(message, { finishFlush: zlib.constants.Z_SYNC_FLUSH, ...options });
  return all.subarray(0, all.length - 4);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
/** May a server send this code? (RFC 6455, 7.4; those of others, 1012-1014, are not ours.) */
const serverMaySend = (code) => (code >= 1000 && code <= 1011 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** What a server sends, frame by frame. push() returns the frames that are complete now and throws
 *  on whatever RFC 6455 (with `compressed`: RFC 7692) does not let a server send. */
export class FrameReader {
  constructor({ compressed = false, excused = () => false } = {}) {
    this.compressed = compressed;
    this.excused = excused; // (payload of a wrong close frame) => let it pass
    this.pending = Buffer.alloc(0);
    this.message = null; // of which fragments are awaited: {opcode, compressed, parts}
    this.closed = null; // {code, reason}
  }

  push(bytes) {
    this.pending = this.pending.length ? Buffer.concat([this.pending, bytes]) : bytes;
    const frames = [];
    for (let one; (one = this.#next()); ) frames.push(one);
    return frames;
  }

  #wrong(what) {
    throw new Error(`the server sent ${what}: ${this.pending.subarray(0, 40).toString('hex')}`);
  }

  #next() {
    const b = this.pending;
    if (b.length < 2) return null;
    const opcode = b[0] & 15;
    if (this.closed && opcode !== OP.PONG) this.#wrong('something behind its close frame');
    const control = opcode >= 8;
    if (!Object.values(OP).includes(opcode)) this.#wrong(`opcode ${opcode}`);
    if (b[1] & 0x80) this.#wrong('a masked frame');
    if (b[0] & (RSV2 | RSV3)) this.#wrong('a reserved bit');
    if (b[0] & RSV1 && (!this.compressed || control || opcode === OP.CONTINUATION)) this.#wrong('RSV1');
    if (control && (!(b[0] & FIN) || (b[1] & 0x7f) > 125)) this.#wrong('a control frame in pieces, or too long');
    const form = { 126: 2, 127: 8 }[b[1] & 0x7f] ?? 0;
    const at = 2 + form;
    if (b.length < at) return null;
    const length = form === 0 ? b[1] & 0x7f : form === 2 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));
    if ((form === 2 && length < 126) || (form === 8 && length < 65536)) this.#wrong('a length in a longer form than it needs');
    if (length > 1 << 28) this.#wrong(`a frame of ${length} bytes`);
    if (b.length < at + length) return null;
    const payload = b.subarray(at, at + length);
    const complete = control ? this.#control(opcode, payload) : this.#data(b[0], opcode, payload);
    this.pending = b.subarray(at + length);
    return complete;
  }

  #control(opcode, payload) {
    if (opcode === OP.CLOSE) this.closed = this.#closing(payload);
    return { opcode, payload: Buffer.from(payload), ...this.closed };
  }

  #closing(payload) {
    try {
      if (payload.length === 1) this.#wrong('a close frame of one byte');
      const code = payload.length ? payload.readUInt16BE(0) : null;
      if (code !== null && !serverMaySend(code)) this.#wrong(`close code ${code}`);
      return { code, reason: this.#utf8(payload.subarray(2)) };
    } catch (error) {
      if (this.excused(payload)) return { code: 'garbled', reason: '' };
      throw error;
    }
  }

  #data(first, opcode, payload) {
    if ((opcode === OP.CONTINUATION) !== (this.message !== null)) this.#wrong('a fragment out of its order');
    this.message ??= { opcode, compressed: Boolean(first & RSV1), parts: [] };
    this.message.parts.push(Buffer.from(payload));
    if (!(first & FIN)) return { opcode: null, payload };
    const whole = Buffer.concat(this.message.parts);
    const { opcode: kind, compressed } = this.message;
    this.message = null;
    const body = compressed ? this.#inflated(whole) : whole;
    return { opcode: kind, payload: body, ...(kind === OP.TEXT ? { text: this.#utf8(body) } : {}) };
  }

  #inflated(bytes) {
    try {
      return zlib.inflateRawSync(Buffer.concat([bytes, TAIL]), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    } catch (error) {
      return this.#wrong(`what does not inflate (${error.message})`);
    }
  }

  #utf8(bytes) {
    try {
      return strict.decode(bytes);
    } catch {
      return this.#wrong('what is not UTF-8');
    }
  }
}
