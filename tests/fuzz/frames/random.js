// Chance with a seed: the same seed gives the same numbers on every machine.

/** Any number of numbers and strings, mixed to one of 32 bits (FNV-1a). */
export function mix(...parts) {
  let h = 0x811c9dc5;
  for (const c of parts.join('/')) h = Math.imul(h ^ c.codePointAt(0), 0x01000193);
  return h >>> 0;
}

export class Random {
  /** sfc32, begun with the seed. */
  constructor(...seed) {
    this.state = [mix(...seed, 'a'), mix(...seed, 'b'), mix(...seed, 'c'), 1];
    for (let i = 0; i < 12; i++) this.next();
  }

  /** 0 .. 2^32-1 */
  next() {
    const s = this.state;
    const t = (((s[0] + s[1]) | 0) + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = (((s[2] << 21) | (s[2] >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** from .. to, both may come. */
  int(from, to) {
    return from + (this.next() % (to - from + 1));
  }

  /** True once in `times`. */
  one(times) {
    return this.next() % times === 0;
  }

  pick(list) {
    return list[this.next() % list.length];
  }

  /** rows: [weight, value]; the value of one of them. */
  weighted(rows) {
    let at = this.next() % rows.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of rows) if ((at -= weight) < 0) return value;
    return undefined;
  }

  /** Lengths: mostly short, sometimes at an edge, sometimes long. */
  length(most) {
    const edges = [0, 1, 125, 126, 127, 255, 256, 257, 511, 512, 4096, 16384, 65535, 65536].filter((n) => n <= most);
    return this.weighted([[6, this.int(0, Math.min(most, 40))], [3, this.pick(edges)], [1, this.int(0, most)]]);
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.next() & 255));
  }

  /** The bytes with a few of them changed, taken out, doubled or put in. */
  damaged(bytes, most = 4) {
    let out = Buffer.from(bytes);
    for (let n = this.int(1, most); n > 0 && out.length > 0; n--) {
      const at = this.int(0, out.length - 1);
      const end = Math.min(out.length, at + this.int(1, 8));
      const [head, middle, tail] = [out.subarray(0, at), out.subarray(at, end), out.subarray(end)];
      out = this.pick([
        () => Buffer.concat([head, this.bytes(1), out.subarray(at + 1)]),
        () => Buffer.concat([head, Buffer.from([out[at] ^ (1 << this.int(0, 7))]), out.subarray(at + 1)]),
        () => Buffer.concat([head, tail]),
        () => Buffer.concat([head, middle, middle, tail]),
        () => Buffer.concat([head, this.bytes(this.int(1, 6)), out.subarray(at)]),
        () => head,
      ])();
    }
    return out;
  }
}
