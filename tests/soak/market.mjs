// The market of the soak: every price in it is a known function, so whoever gets one can tell whether
// it is right without asking anybody. A polled price is a function of the symbol and the second that
// the item names (`ts`); a fed one, which comes through Redis, of the symbol and its number (`seq`).
// Neighbours differ by up to a tenth, so a price that belongs to another symbol, second or number is
// not the expected one.

import { ok } from '../support/upstream.js';

export const POLL_MS = 1000;
export const STALE_MS = 3000;
export const FEED_EVERY_MS = 200;
const EXPIRING_TTL_S = 2;

const count = (n, make) => Array.from({ length: n }, (_, i) => make(String(i).padStart(2, '0')));

export const symbols = {
  primary: count(20, (i) => `P${i}`), // Twelve Data only
  chained: count(8, (i) => `F${i}`), // Twelve Data, then Yahoo
  second: count(2, (i) => `Y${i}`), // Yahoo only
  fed: count(20, (i) => `X${i}`), // through Redis, by us
  expiring: ['E00'], // as well; now and then its feeder falls silent and its key vanishes
};
export const polled = [...symbols.primary, ...symbols.chained, ...symbols.second];
export const throughRedis = [...symbols.fed, ...symbols.expiring];
export const all = [...polled, ...throughRedis];

const place = new Map(all.map((symbol, i) => [symbol, i]));
const isPolled = new Set(polled);

const polledCents = (symbol, second) => 100_000 + 1700 * place.get(symbol) + ((second * 7919 + place.get(symbol) * 104_729) % 10_007);
const fedCents = (symbol, n) => 50_000 + 1000 * place.get(symbol) + ((n * 7919) % 4001);

/** The only right price of an item; NaN where it names no symbol of ours. */
export function rightPrice({ symbol, ts, counter }) {
  if (!place.has(symbol)) return NaN;
  return (isPolled.has(symbol) ? polledCents(symbol, ts / 1000) : fedCents(symbol, counter)) / 100;
}

/** What a provider says about a symbol now. */
export function quoteNow(symbol) {
  const ts = Math.floor(Date.now() / 1000);
  return ok({ price: (polledCents(symbol, ts) / 100).toFixed(2), ts });
}

export const instruments = [
  ...symbols.primary.map((s) => [s, ['twelvedata']]),
  ...symbols.chained.map((s) => [s, ['twelvedata', 'yahoo']]),
  ...symbols.second.map((s) => [s, ['yahoo']]),
  ...throughRedis.map((s) => [s, []]),
].map(([symbol, providers]) => ({
  symbol,
  poll_ms: POLL_MS,
  stale_after_ms: STALE_MS,
  ttl_s: symbols.expiring.includes(symbol) ? EXPIRING_TTL_S : 60,
  range: [100, 5000],
  sources: providers.map((provider) => ({ provider, symbol })),
}));

/** Another program that feeds instruments through Redis: SET and PUBLISH of each, five times a second. */
export class Feeder {
  constructor(redis) {
    this.redis = redis;
    this.epoch = Date.now().toString(16);
    this.numbers = new Map(throughRedis.map((symbol) => [symbol, 0])); // the last one of each
    this.silent = new Set(); // symbols that are left out
    this.failed = 0;
    this.rounds = 0;
    this.busy = false;
    this.timer = setInterval(() => this.#round(), FEED_EVERY_MS);
  }

  #item(symbol) {
    const now = Date.now();
    const n = this.numbers.get(symbol) + 1;
    this.numbers.set(symbol, n);
    const price = (fedCents(symbol, n) / 100).toFixed(2);
    return `{"symbol":"${symbol}","price":${price},"ts":${now},"recv":${now},"seq":"${this.epoch}:${n}","source":"soak","state":"live","market":"open"}`;
  }

  // A round that Redis has not answered is waited for: a hung one gets no heap of late prices from us.
  async #round() {
    if (this.busy) return;
    this.busy = true;
    try {
      await Promise.all(throughRedis.filter((s) => !this.silent.has(s)).flatMap((symbol) => {
        const item = this.#item(symbol);
        const ttl = symbols.expiring.includes(symbol) ? EXPIRING_TTL_S : 60;
        return [
          this.redis.command('SET', `${symbol}:price:latest`, item, 'EX', ttl),
          this.redis.command('PUBLISH', `${symbol}:price:stream`, item),
        ];
      }));
      this.rounds += 1;
    } catch {
      this.failed += 1; // Redis is away; that is what is tried here
    }
    this.busy = false;
  }

  stop() {
    clearInterval(this.timer);
  }
}
