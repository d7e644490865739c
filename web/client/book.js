// The newest item of each symbol, and how far to trust it. What is older than the held item, or the
// same once more, stops here. A new line is told only what changed while there was none, and of the
// states only those that are not in the items: so what it has not mentioned after a moment is in the
// state of its item.

import { covers } from './plan.js';

/** Not older than what is held, and not the same. again: it may be the very item, sent once more. */
export function isNews(item, held, again) {
  if (!held) return true;
  const later = item.ts - held.ts; // not a number where somebody left ts out
  if (later < 0 || later > 0) return later > 0;
  const [epoch, count] = `${item.seq ?? ''}`.split(':');
  const [heldEpoch, heldCount] = `${held.seq}`.split(':');
  if (epoch && epoch === heldEpoch) return count - heldCount > 0;
  return !(again && JSON.stringify(item) === JSON.stringify(held));
}

export class Book {
  #entries = new Map(); // symbol -> {kind, item, status, unsure}
  #readers = new Map(); // symbol -> those who want it
  #find;
  #emit;

  /** find(symbol): its readers. emit(type, detail). */
  constructor(find, emit) {
    this.#find = find;
    this.#emit = emit;
  }

  get(symbol) {
    return this.#entries.get(symbol) ?? {};
  }

  of(reader) {
    return [...this.#entries].filter(([symbol]) => reader.wants(symbol)).map(([, entry]) => entry);
  }

  /** The readers are others than before: what nobody wants any more is forgotten. */
  prune() {
    this.#readers.clear();
    for (const symbol of this.#entries.keys()) if (!this.#readersOf(symbol).length) this.#entries.delete(symbol);
  }

  #readersOf(symbol) {
    if (!this.#readers.has(symbol)) this.#readers.set(symbol, this.#find(symbol));
    return this.#readers.get(symbol);
  }

  take(kind, item, snapshot) {
    const { symbol, state = 'live' } = item;
    const readers = this.#readersOf(symbol);
    const { item: held, status, unsure } = this.get(symbol);
    const news = isNews(item, held, snapshot || unsure);
    // The same in a fuller form is news for those who asked for that.
    const fuller = !news && item.seq && item.seq === held.seq && Object.keys(item).length > Object.keys(held).length;
    if (!readers.length || !(news || fuller)) return;
    this.#entries.set(symbol, { kind, item, status: status ?? { symbol, state } });
    for (const reader of readers) {
      if (news || !reader.fields || reader.fields.some((f) => f in item && !(f in held))) reader.take(kind, item);
    }
    if (news) this.#emit(kind, item);
    if (news && status) this.takeStatus({ symbol, state });
  }

  takeStatus(status) {
    const { symbol, state, reason } = status;
    const readers = this.#readersOf(symbol);
    if (!readers.length) return;
    const entry = this.get(symbol);
    const old = entry.status;
    this.#entries.set(symbol, { ...entry, status, unsure: false });
    if (old?.state === state && old.reason === reason) return;
    for (const reader of readers) reader.takeStatus(status);
    this.#emit('status', status);
    if (state === 'stale' || state === 'unavailable') this.#emit('stale', status);
  }

  forget(symbol) {
    this.takeStatus({ symbol, state: 'unavailable', reason: 'removed' });
    this.#entries.delete(symbol);
  }

  /** Nobody vouches for any of it. */
  distrust() {
    for (const [symbol, { item }] of this.#entries) {
      if (item) this.takeStatus({ symbol, state: 'stale', reason: 'disconnected' });
    }
  }

  /** There is a new line: what will it say? */
  doubt() {
    for (const entry of this.#entries.values()) entry.unsure = true;
  }

  /** What it has not mentioned by now is in the state of its item. */
  settle() {
    for (const [symbol, { item, unsure }] of this.#entries) {
      if (unsure && item) this.takeStatus({ symbol, state: item.state ?? 'live' });
    }
  }

  /** symbol -> seq of what is held. */
  since(names) {
    const since = {};
    for (const [symbol, { item }] of this.#entries) {
      if (item?.seq && names.some((name) => covers(name, symbol))) since[symbol] = item.seq;
    }
    return since;
  }
}
