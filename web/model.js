// What the page knows: instruments and observations, the newest item of each, their states. Fed
// with messages whose numbers are text (quote.js); tells which symbols changed. Pure; no DOM.

import { number, plain } from './quote.js';

const STATES = ['live', 'delayed', 'stale', 'closed', 'unavailable'];
const DEFAULT_CATEGORY = { quote: 'prices', observation: 'observations' };

export class Model {
  #rows = new Map(); // symbol -> row
  #dirty = new Set();
  #clockOffsetMs = 0; // the gateway's clock minus ours: ages do not suffer from a wrong one here
  snapshotSeen = false;

  /** The answer of /api/v1/instruments, numbers as text or not. Rows keep their items. */
  setInstruments(instruments, observations = []) {
    const known = new Map();
    const add = (entry, kind) => {
      if (!plain(entry?.symbol)) return;
      const old = this.#rows.get(entry.symbol);
      known.set(entry.symbol, {
        ...(old?.kind === kind ? old : emptyRow(entry.symbol, kind)),
        name: plain(kind === 'observation' ? entry.title : entry.name) || entry.symbol,
        category: plain(entry.category) || DEFAULT_CATEGORY[kind],
        unit: plain(entry.unit),
        sources: Array.isArray(entry.sources) ? entry.sources : [],
      });
    };
    for (const entry of instruments) add(entry, 'quote');
    for (const entry of Array.isArray(observations) ? observations : []) add(entry, 'observation');
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
    if (message.type === 'observation') {
      for (const item of list) this.#applyObservation(item);
      if (message.snapshot === true) this.snapshotSeen = true;
      return true;
    }
    if (message.type === 'status') {
      for (const status of list) this.#applyStatus(status);
      return true;
    }
    return false;
  }

  #row(symbol, kind) {
    let row = this.#rows.get(symbol);
    if (!row || (kind && row.kind !== kind)) {
      // Configured after this page asked for the list: shown at once, named when we ask again. A
      // status does not say what it is of.
      row = emptyRow(symbol, kind ?? 'quote');
      this.#rows.set(symbol, row);
    }
    return row;
  }

  #applyQuote(item) {
    const symbol = plain(item?.symbol);
    const price = number(item?.price);
    if (!symbol || price === null) return;
    const row = this.#row(symbol, 'quote');
    const held = row.item;
    if (!this.#take(row, item)) return;
    row.direction = held ? Math.sign(price - number(held.price)) : 0;
  }

  #applyObservation(item) {
    const symbol = plain(item?.symbol);
    if (!symbol || observed(item).length + plain(item.text).length === 0) return;
    const row = this.#row(symbol, 'observation');
    if (!this.#take(row, item)) return;
    if (plain(item.category)) row.category = item.category;
  }

  /** False: it is older than what is held. */
  #take(row, item) {
    // Time never runs back; the gateway keeps to that too, but a page may see two gateways.
    if (row.item && (number(item.ts) ?? 0) < (number(row.item.ts) ?? 0)) return false;
    row.item = item;
    row.state = STATES.includes(item.state) ? item.state : 'live';
    row.reason = '';
    row.reasonSource = '';
    this.#dirty.add(row.symbol);
    return true;
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

  /** [[category, [row, ...]], ...] of rows of one kind, in the gateway's order. */
  categories(kind = 'quote') {
    const groups = new Map();
    for (const row of this.#rows.values()) {
      if (row.kind !== kind) continue;
      if (!groups.has(row.category)) groups.set(row.category, []);
      groups.get(row.category).push(row);
    }
    return [...groups];
  }

  rows() {
    return [...this.#rows.values()];
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
    const rows = this.rows().filter((row) => row.kind === 'quote');
    if (!this.snapshotSeen || rows.length === 0) return null;
    if (rows.some((row) => row.item && row.state !== 'unavailable')) return null;
    const reasons = new Set(rows.map(reasonText).filter(Boolean));
    return { reasons: [...reasons].sort() };
  }
}

function emptyRow(symbol, kind) {
  return {
    symbol,
    kind,
    name: symbol,
    category: DEFAULT_CATEGORY[kind],
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

/** The figures of an observation, [{name, value, unit}]; the name of a single one is ''. */
export function observed(item) {
  if (number(item.value) !== null) return [{ name: '', value: item.value, unit: plain(item.unit) }];
  const { values, units } = item;
  if (typeof values !== 'object' || values === null) return [];
  return Object.entries(values)
    .filter(([, value]) => number(value) !== null)
    .map(([name, value]) => ({ name, value, unit: plain(units?.[name]) }));
}

/** Why there is no newer price: "timeout"; why there is none at all: "twelvedata: disabled". While a
 *  price is held the source of a status is who gave that price, not who failed. */
export function reasonText(row) {
  if (!row.reason || row.item || !row.reasonSource) return row.reason;
  return `${row.reasonSource}: ${row.reason}`;
}
