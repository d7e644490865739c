// What a price has done since the page was opened, as candles of several sizes, in bounded memory:
// of each size the newest few hundred are kept. Pure; no DOM.
//
//     model.watch ─► Recorder: symbol ─► Course: size ─► Candles: open, high, low, close per slot
//
// The time of a candle is the market's own (`ts`), which never runs back for a symbol: a source
// that is ten minutes late draws its line ten minutes ago, where it belongs. A slot in which
// nothing was said has no candle. Numbers lie in typed arrays that grow up to their bound and are
// then written in a ring: 500 symbols are 21 MB after a day, and nothing is left to collect.

import { number } from '../quote.js';

/** [seconds, how many are kept]: 5 min of seconds, 40 min, 4 h, a day. */
export const SIZES = [[1, 300], [10, 240], [60, 240], [300, 288]];

const FIRST = 16;

export class Candles {
  #seconds;
  #kept;
  #slot = new Float64Array(FIRST);
  #ohlc = new Float64Array(4 * FIRST);
  #start = 0; // where the oldest is
  length = 0;

  constructor(seconds, kept) {
    this.#seconds = seconds;
    this.#kept = kept;
  }

  #at(i) {
    return (this.#start + i) % this.#slot.length;
  }

  #grow() {
    const more = Math.min(this.#kept, 2 * this.length);
    const slot = new Float64Array(more);
    const ohlc = new Float64Array(4 * more);
    slot.set(this.#slot);
    ohlc.set(this.#ohlc);
    this.#slot = slot;
    this.#ohlc = ohlc;
  }

  add(atMs, price) {
    const slot = Math.floor(atMs / 1000 / this.#seconds);
    const last = this.length > 0 ? this.#at(this.length - 1) : -1;
    if (last >= 0 && slot <= this.#slot[last]) {
      const o = 4 * last;
      if (price > this.#ohlc[o + 1]) this.#ohlc[o + 1] = price;
      if (price < this.#ohlc[o + 2]) this.#ohlc[o + 2] = price;
      this.#ohlc[o + 3] = price;
      return;
    }
    // It grows before it has turned once, so the oldest is still at the beginning.
    if (this.length === this.#slot.length && this.length < this.#kept) this.#grow();
    if (this.length === this.#kept) this.#start = (this.#start + 1) % this.#kept;
    else this.length++;
    const next = this.#at(this.length - 1);
    this.#slot[next] = slot;
    this.#ohlc.fill(price, 4 * next, 4 * next + 4);
  }

  /** Oldest first: {time (s since the epoch), open, high, low, close}. */
  get(i) {
    const at = this.#at(i);
    const [open, high, low, close] = this.#ohlc.subarray(4 * at, 4 * at + 4);
    return { time: this.#slot[at] * this.#seconds, open, high, low, close };
  }

  list() {
    return Array.from({ length: this.length }, (_, i) => this.get(i));
  }
}

/** One symbol in all sizes. */
export class Course {
  #sizes = new Map(SIZES.map(([seconds, kept]) => [seconds, new Candles(seconds, kept)]));

  add(atMs, price) {
    for (const candles of this.#sizes.values()) candles.add(atMs, price);
  }

  candles(seconds) {
    return this.#sizes.get(seconds);
  }
}

/** Follows the model from the start of the page, so that a chart that is opened later is not empty. */
export class Recorder {
  #courses = new Map();

  constructor(model, now = Date.now) {
    model.watch((row, before) => {
      if (row.item && row.item !== before.item) this.add(row, now() + model.clockOffsetMs);
    });
  }

  /** heardMs: its time where the item does not tell one. */
  add({ symbol, item }, heardMs) {
    const figure = number(item.price) ?? number(item.value);
    if (figure === null) return;
    let course = this.#courses.get(symbol);
    if (!course) {
      course = new Course();
      this.#courses.set(symbol, course);
    }
    course.add(number(item.ts) ?? heardMs, figure);
  }

  /** undefined: nothing was heard of it. */
  course(symbol) {
    return this.#courses.get(symbol);
  }
}
