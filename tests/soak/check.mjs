// What one connection has seen, and whether that can be true: prices right, in order, nothing left out,
// no old price called live. Pure: messages and the time go in, complaints into the ledger.
//
//   const check = new Check({ ledger, gateway: 'plain', who: 'ws 17', redisAway });
//   check.message(decode(bytes), Date.now());
//
// A gap is a number of a symbol's `seq` that was passed over. It is judged when the connection ends or
// is asked (settle()), since the `flow` message that tells of it comes after the values.

import { POLL_MS, rightPrice, STALE_MS } from './market.mjs';

const SHOWN_LATE_MS = 3000; // for the state to change, be sent and be read, on a busy machine

/** An item with what every check needs, worked out once for all who get the same bytes. */
export function judged(item) {
  const [epoch, counter] = (item.seq ?? '').split(':');
  item.epoch = parseInt(epoch, 16);
  item.counter = Number(counter);
  item.right = Math.abs(item.price - rightPrice(item)) < 1e-9;
  return item;
}

// Those who follow the same get the same bytes: parsed once. Only the last few are worth keeping.
const RECENT = 16;
const recent = [];

export function decode(bytes) {
  const known = recent.find((r) => r.bytes.length === bytes.length && r.bytes.equals(bytes));
  if (known) return known.message;
  const message = JSON.parse(bytes.toString());
  if (message.type === 'quote') message.data.forEach(judged);
  recent.unshift({ bytes, message });
  recent.length = Math.min(recent.length, RECENT);
  return message;
}

export class Check {
  /** redisAway(symbol): does the symbol reach this gateway through a Redis that is away, or was a
   *  moment ago? every: each value is owed (no interval_ms); states: items say theirs (no fields). */
  constructor({ ledger, gateway, who, redisAway, every = true, states = true }) {
    Object.assign(this, { ledger, gateway, who, redisAway, every, states });
    this.views = new Map(); // symbol -> {epoch, counter, ts, recv, state, at}
    this.pending = []; // passed over: "symbol seq"
    this.forgotten = new Set(); // unsubscribed: nothing may come
  }

  #complain(kind, sentence) {
    this.ledger.complain(kind, `${this.gateway} ${this.who}: ${sentence}`);
  }

  message(message, now) {
    this.ledger.messages += 1;
    if (message.type === 'quote') for (const item of message.data) this.item(item, message.snapshot === true, now);
    else if (message.type === 'status') for (const row of message.data) this.status(row);
    else if (message.type === 'flow') this.#told(message.merged);
    else if (message.type === 'error') this.#complain('error', JSON.stringify(message));
  }

  item(item, snapshot, now) {
    this.ledger.values += 1;
    const view = this.views.get(item.symbol);
    if (!item.right) this.#complain('wrong price', `${item.symbol} ${item.price} of ${item.ts}, seq ${item.seq}; right is ${rightPrice(item)}`);
    if (this.forgotten.has(item.symbol)) this.#complain('unasked', `${item.symbol} after its unsubscribed`);
    if (item.ts > now + 1500) this.#complain('future', `${item.symbol} of ${item.ts}, ${item.ts - now} ms from now`);
    if (view) this.#compare(view, item, snapshot);
    this.views.set(item.symbol, {
      epoch: item.epoch, counter: item.counter, ts: item.ts, recv: item.recv, state: item.state ?? 'live', at: now,
    });
  }

  #compare(view, item, snapshot) {
    const say = () => `${item.symbol} seq ${item.seq} of ${item.ts} after ${view.epoch.toString(16)}:${view.counter} of ${view.ts}`;
    if (item.ts < view.ts) this.#complain('disorder', say());
    if (item.epoch !== view.epoch) return;
    const step = item.counter - view.counter;
    if (step < 0 || (step === 0 && !snapshot)) this.#complain(step < 0 ? 'disorder' : 'twice', say());
    if (step > 1 && this.every && !snapshot) this.#passedOver(item, view, step);
  }

  #passedOver(item, view, step) {
    if (this.redisAway(item.symbol)) {
      this.ledger.excused += step - 1;
      return;
    }
    for (let i = 1; i < step; i += 1) this.pending.push(`${item.symbol} ${item.epoch.toString(16)}:${view.counter + i}`);
  }

  #told(merged) {
    this.ledger.told += Math.min(merged, this.pending.length);
    this.pending.splice(0, merged);
  }

  status({ symbol, state }) {
    if (this.forgotten.has(symbol)) this.#complain('unasked', `status of ${symbol} after its unsubscribed`);
    const view = this.views.get(symbol);
    if (view) view.state = state;
    else this.views.set(symbol, { epoch: NaN, counter: NaN, ts: 0, recv: 0, state, at: 0 });
  }

  forget(symbols) {
    for (const symbol of symbols) {
      this.views.delete(symbol);
      this.forgotten.add(symbol);
    }
  }

  /** Hands the gaps over. */
  settle() {
    this.ledger.miss(this.gateway, this.pending);
    this.pending = [];
  }

  /** Is an old price still called live here? late: ms that we ourselves may have been late in reading. */
  lookForOldOnes(now, late) {
    if (!this.states) return;
    for (const [symbol, view] of this.views) {
      const age = now - view.recv;
      if (view.state !== 'live' || age <= STALE_MS + SHOWN_LATE_MS + POLL_MS + late) continue;
      this.#complain('old price called live', `${symbol}, ${age} ms old`);
      view.recv = now; // said once
    }
  }

  /** Of these symbols, those that are not known to be in that state with a value heard since. */
  notIn(state, symbols, since = 0) {
    return symbols.filter((symbol) => {
      const view = this.views.get(symbol);
      return !view || view.state !== state || view.recv < since;
    });
  }
}
