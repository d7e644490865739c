// What one reader wants, and what all readers together ask the gateway for. On a connection each
// symbol has one set of options, so the wishes are merged: a symbol comes as often as the most eager
// of its readers wants, with the members that any of them wants. Patterns either contain one another
// or have nothing in common; asked for from broad to narrow, each symbol ends up with its own options.

const NAME = /^(?:[^*]+|[A-Za-z0-9^][\w.=^!:/-]*\*|\*)$/;

export const covers = (pattern, name) =>
  pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1));

/** A reader's own error is the reader's: nobody else misses anything for it. */
function call(f, value) {
  try {
    f?.(value);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

export class Subscription {
  #options;
  #hooks;
  #readers = new Set();

  constructor(symbols, options = {}, hooks) {
    this.symbols = [...new Set([symbols].flat())];
    for (const name of this.symbols) {
      if (typeof name === 'string' && NAME.test(name)) continue;
      throw new TypeError(`${JSON.stringify(name)} is no symbol: write "coffee", "EUR/*" or "*"`);
    }
    this.#options = options;
    this.#hooks = hooks;
    this.interval_ms = options.interval_ms ?? 0;
    this.fields = options.fields ?? null;
    this.closed = false;
  }

  wants(symbol) {
    return this.symbols.some((name) => name === symbol || covers(name, symbol));
  }

  /** kind: quote or observation. */
  take(kind, item) {
    call(this.#options[kind === 'quote' ? 'onQuote' : 'onObservation'], item);
    for (const reader of this.#readers) {
      reader.waiting.set(item.symbol, item);
      reader.wake?.();
    }
  }

  takeStatus(status) {
    call(this.#options.onStatus, status);
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    for (const reader of this.#readers) reader.wake?.();
    this.#hooks.onClose(this);
  }

  /** The newest item of each symbol that the loop has not seen yet: who is slow misses what was in
   *  between, and nothing piles up. Ends with close(). */
  async *[Symbol.asyncIterator]() {
    const reader = { waiting: new Map(), wake: null };
    for (const item of this.#hooks.held(this)) reader.waiting.set(item.symbol, item);
    this.#readers.add(reader);
    try {
      while (!this.closed) {
        const [first] = reader.waiting;
        if (first) {
          reader.waiting.delete(first[0]);
          yield first[1];
        } else {
          await new Promise((wake) => (reader.wake = wake));
        }
      }
    } finally {
      this.#readers.delete(reader);
    }
  }
}

/** [{name, interval_ms, fields}], broad before narrow. */
export function plan(subscriptions) {
  const wishes = [...subscriptions];
  const breadth = (name) => (name.endsWith('*') ? name.length : Infinity);
  return [...new Set(wishes.flatMap((w) => w.symbols))]
    .sort((a, b) => (breadth(a) === breadth(b) ? 0 : breadth(a) - breadth(b)))
    .map((name) => {
      const asking = wishes.filter((w) => w.wants(name));
      // The rules of time and state need ts and state, whatever else is wanted.
      const fields = asking.every((w) => w.fields)
        ? [...new Set(['ts', 'state', ...asking.flatMap((w) => w.fields)])]
        : undefined;
      return { name, interval_ms: Math.min(...asking.map((w) => w.interval_ms)), fields };
    });
}
