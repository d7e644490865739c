// What the page knows: instruments and observations, the newest item of each, their states, and the
// course of each price since the page was opened. Fed with messages whose numbers are text
// (quote.js). Pure; no DOM.
//
// Two ways to hear of changes. takeDirty() gives the rows that changed since the last call, each
// once: what a frame has to draw. watch(listener) tells of every single change, as it happens: for
// who has to see each price (a chart) or each change of source (the story of a price). A listener
// is called thousands of times a second, and must be quick.

import { number, plain } from '../quote.js';
import { Track } from './track.js';

const STATES = ['live', 'delayed', 'stale', 'closed', 'unavailable'];
const DEFAULT_CATEGORY = { quote: 'prices', observation: 'observations' };

export class Model {
  #rows = new Map(); // symbol -> row
  #dirty = new Set();
  #listeners = new Set();
  #clockOffsetMs = 0; // the gateway's clock minus ours: ages do not suffer from a wrong one here
  snapshotSeen = false;

  /** listener(row, before): after each accepted item and each status. `before` is what the row held:
   *  {item, state, reason}. Returns a function that ends it. */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The answer of /api/v1/instruments, numbers as text or not. Rows keep their items. */
  setInstruments(instruments, observations = []) {
    const known = new Map();
    const add = (entry, kind) => {
      if (!plain(entry?.symbol)) return;
      const old = this.#rows.get(entry.symbol);
      known.set(entry.symbol, {
        ...(old?.kind === kind ? old : { ...emptyRow(entry.symbol, kind), ...(old && !old.item && said(old)) }),
        name: plain(kind === 'observation' ? entry.title : entry.name) || entry.symbol,
        category: plain(entry.category) || DEFAULT_CATEGORY[kind],
        unit: plain(entry.unit),
        exchange: plain(entry.exchange),
        sources: Array.isArray(entry.sources) ? entry.sources : [],
        listed: true,
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
      for (const item of list) this.#applyQuote(item, nowMs);
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

  /** What the connection itself says of a state, while there is no gateway to say it: of what is known
   *  here only, for it may remember what the gateway no longer has. */
  applyOwn(status) {
    return this.#rows.has(status.symbol) && this.apply({ type: 'status', data: [status] }, 0);
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

  #applyQuote(item, nowMs) {
    const symbol = plain(item?.symbol);
    const price = number(item?.price);
    if (!symbol || price === null) return;
    const row = this.#row(symbol, 'quote');
    const before = held(row);
    if (!this.#take(row, item)) return;
    row.direction = before.item ? Math.sign(price - row.price) : 0;
    row.price = price;
    row.track.add(nowMs, price);
    this.#tell(row, before);
  }

  #applyObservation(item) {
    const symbol = plain(item?.symbol);
    if (!symbol || observed(item).length + plain(item.text).length === 0) return;
    const row = this.#row(symbol, 'observation');
    const before = held(row);
    if (!this.#take(row, item)) return;
    if (plain(item.category)) row.category = item.category;
    this.#tell(row, before);
  }

  #tell(row, before) {
    for (const listener of this.#listeners) listener(row, before);
  }

  /** False: it is older than what is held. */
  #take(row, item) {
    // Time never runs back; the gateway keeps to that too, but a page may see two gateways.
    if (row.item && (number(item.ts) ?? 0) < (number(row.item.ts) ?? 0)) return false;
    row.item = item;
    row.heard = true;
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
    const before = held(row);
    row.state = status.state;
    row.heard = true;
    row.reason = plain(status.reason);
    row.reasonSource = plain(status.source);
    row.market = plain(status.market);
    row.direction = 0;
    this.#dirty.add(symbol);
    this.#tell(row, before);
  }

  row(symbol) {
    return this.#rows.get(symbol);
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

  /** The gateway's clock minus ours, as of its last greeting or heartbeat. */
  get clockOffsetMs() {
    return this.#clockOffsetMs;
  }

  /** Milliseconds since the gateway last got an answer for it; null without a price. */
  ageMs(row, nowMs) {
    const recv = number(row.item?.recv) ?? number(row.item?.ts);
    return recv === null ? null : nowMs + this.#clockOffsetMs - recv;
  }

  counts() {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const row of this.#rows.values()) if (row.heard) counts[row.state]++;
    return counts;
  }

  /** How many the gateway does not send because the connection has as many as it may have. */
  refused() {
    return this.rows().filter((row) => row.reason === 'symbol_limit').length;
  }

  /** Why no provider answers: null while one does, or before the snapshot is here. `held`: there are
   *  prices, and they are the last known ones; `asked`: there are providers to ask. What other programs
   *  feed proves nothing about providers, so it counts only where there is nothing else. */
  outage() {
    const quotes = this.rows().filter((row) => row.kind === 'quote');
    const asked = quotes.filter((row) => row.sources.length > 0);
    const rows = asked.length > 0 ? asked : quotes;
    if (!this.snapshotSeen || rows.length === 0) return null;
    if (rows.some((row) => row.item && row.state !== 'unavailable' && row.state !== 'stale')) return null;
    const reasons = new Set(rows.map(reasonText).filter(Boolean));
    return { held: rows.some((row) => row.item), asked: asked.length > 0, reasons: [...reasons].sort() };
  }
}

/** What a status has told: it may come before the list, and does not say what it is of. */
const said = ({ heard, state, reason, reasonSource, market }) => ({ heard, state, reason, reasonSource, market });

const held = ({ item, state, reason }) => ({ item, state, reason });

function emptyRow(symbol, kind) {
  return {
    symbol,
    kind,
    name: symbol,
    category: DEFAULT_CATEGORY[kind],
    unit: '',
    exchange: '',
    sources: [],
    listed: false, // in the gateway's list of instruments
    item: null,
    price: null, // the item's, as a number
    track: kind === 'quote' ? new Track() : null,
    heard: false, // anything at all
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
