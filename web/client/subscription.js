// One reader: which symbols it wants, and in which ways it hears of them.

import { covers } from './plan.js';

const NAME = /^[^*]*\*?$/;

export class Subscription {
  #hooks;
  #loops = new Set();
  closed = false;

  /** options: interval_ms, fields, onQuote, onObservation, onStatus. hooks: items(), onClose(). */
  constructor(symbols, options, hooks) {
    Object.assign(this, options);
    this.symbols = [...new Set([symbols].flat())];
    this.#hooks = hooks;
    for (const name of this.symbols) {
      if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no symbol: write "coffee", "EUR/*" or "*"`);
    }
  }

  wants(symbol) {
    return this.symbols.some((name) => covers(name, symbol));
  }

  take(kind, item) {
    this.#tell(kind === 'quote' ? 'onQuote' : 'onObservation', item);
    for (const loop of this.#loops) {
      loop.waiting.set(item.symbol, item);
      loop.wake?.();
    }
  }

  takeStatus(status) {
    this.#tell('onStatus', status);
  }

  /** A reader's own error is the reader's: nobody else misses anything for it. */
  #tell(name, value) {
    try {
      if (!this.closed) this[name]?.(value);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    for (const loop of this.#loops) loop.wake?.();
    this.#hooks.onClose();
  }

  /** The newest item of each symbol that the loop has not seen yet: who is slow misses what was in
   *  between, and nothing piles up. Ends with close(). */
  async *[Symbol.asyncIterator]() {
    const waiting = new Map(this.#hooks.items().map((item) => [item.symbol, item]));
    const loop = { waiting };
    this.#loops.add(loop);
    try {
      while (!this.closed) {
        const [first] = waiting;
        if (first) {
          waiting.delete(first[0]);
          yield first[1];
        } else {
          await new Promise((wake) => (loop.wake = wake));
        }
      }
    } finally {
      this.#loops.delete(loop);
    }
  }
}
