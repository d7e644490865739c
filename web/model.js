// What the page knows: instruments, the newest quote of each, their states. Fed with messages whose
// numbers are text (quote.js); tells which symbols changed. Pure; no DOM.

import { number, plain } from './quote.js';

const STATES = ['live', 'delayed', 'stale', 'closed', 'unavailable'];

export class Model {
  #rows = new Map(); // symbol -> row
  #dirty = new Set();
  #clockOffsetMs = 0; // the gateway's clock minus ours: ages do not suffer from a wrong one here
  snapshotSeen = false;

  /** The answer of /api/v1/instruments, numbers as text or not. Rows keep their prices. */
  setInstruments(list) {
    const known = new Map();
    for (const entry of list) {
      if (!plain(entry?.symbol)) continue;
      const old = this.#rows.get(entry.symbol);
      known.set(entry.symbol, {
        ...(old ?? emptyRow(entry.symbol)),
        name: plain(entry.name) || entry.symbol,
        category: plain(entry.category) || 'prices',
        unit: plain(entry.unit),
        sources: Array.isArray(entry.sources) ? entry.sources : [],
      });
    }
    this.#rows = known;
  }

  /** Takes any message of the gateway; returns true when something to show has changed. */
  apply(message, nowMs) {
    const serverMs = number(message.ts);
    if (serverMs !== null && (message.type === 'welcome' || message.type === 'heartbeat')) {
      this.#clockOffsetMs = serverMs - nowMs;
    }
    const list = Array.isArray(message.data) ? message.data : [];
    if (message.type === 'quote') {
      for (const item of list) this.#applyQuote(item);
      if (message.snapshot === true) this.snapshotSeen = true;
      return true;
    }
    if (message.type === 'status') {
      for (const status of list) this.#applyStatus(status);
      return true;
    }
    return false;
  }

  #row(symbol) {
    let row = this.#rows.get(symbol);
    if (!row) {
      // Configured after this page asked for the list: shown at once, named when we ask again.
      row = { ...emptyRow(symbol), name: symbol, category: 'prices' };
      this.#rows.set(symbol, row);
    }
    return row;
  }

  #applyQuote(item) {
    const symbol = plain(item?.symbol);
    const price = number(item?.price);
    if (!symbol || price === null) return;
    const row = this.#row(symbol);
    const held = row.item;
    // Time never runs back; the gateway keeps to that too, but a page may see two gateways.
    if (held && (number(item.ts) ?? 0) < (number(held.ts) ?? 0)) return;
    row.direction = held ? Math.sign(price - number(held.price)) : 0;
    row.item = item;
    row.state = STATES.includes(item.state) ? item.state : 'live';
    row.reason = '';
    row.reasonSource = '';
    this.#dirty.add(symbol);
  }

  #applyStatus(status) {
    const symbol = plain(status?.symbol);
    if (!symbol || !STATES.includes(status.state)) return;
    const row = this.#row(symbol);
    row.state = status.state;
    row.reason = plain(status.reason);
    row.reasonSource = plain(status.source);
    row.market = plain(status.market);
    row.direction = 0;
    this.#dirty.add(symbol);
  }

  /** [[category, [row, ...]], ...] in the gateway's order. */
  categories() {
    const groups = new Map();
    for (const row of this.#rows.values()) {
      if (!groups.has(row.category)) groups.set(row.category, []);
      groups.get(row.category).push(row);
    }
    return [...groups];
  }

  get size() {
    return this.#rows.size;
  }

  /** The rows that changed since the last call. */
  takeDirty() {
    const rows = [...this.#dirty].map((symbol) => this.#rows.get(symbol)).filter(Boolean);
    this.#dirty.clear();
    return rows;
  }

  /** Milliseconds since the gateway last got an answer for it; null without a price. */
  ageMs(row, nowMs) {
    const recv = number(row.item?.recv) ?? number(row.item?.ts);
    return recv === null ? null : nowMs + this.#clockOffsetMs - recv;
  }

  counts() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const row of this.#rows.values()) counts[row.state]++;
    return counts;
  }

  /** Why nothing has a price: null while something has one, or before the snapshot is here. */
  outage() {
    if (!this.snapshotSeen || this.size === 0) return null;
    const rows = [...this.#rows.values()];
    if (rows.some((row) => row.item && row.state !== 'unavailable')) return null;
    const reasons = new Set(rows.map(reasonText).filter(Boolean));
    return { reasons: [...reasons].sort() };
  }
}

function emptyRow(symbol) {
  return {
    symbol,
    name: symbol,
    category: 'prices',
    unit: '',
    sources: [],
    item: null,
    state: 'unavailable',
    reason: '',
    reasonSource: '',
    market: '',
    direction: 0,
  };
}

/** Why there is no newer price: "timeout"; why there is none at all: "twelvedata: disabled". While a
 *  price is held the source of a status is who gave that price, not who failed. */
export function reasonText(row) {
  if (!row.reason || row.item || !row.reasonSource) return row.reason;
  return `${row.reasonSource}: ${row.reason}`;
}
