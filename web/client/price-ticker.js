// <price-ticker symbols="coffee,EUR/USD">: a row for each symbol with its price, the change, the
// source and the state, in words. All tickers of a page share one connection to each gateway.
//
// Whatever comes is put into the page as text. The style is a sheet made here, so a strict content
// security policy has nothing against it; the page's own style reaches the parts (::part) and a few
// properties. Only rows that changed are drawn, once per frame. Prices are no live region: nobody
// wants each of them read out; that the gateway is away is.

import { parseExact } from './exact.js';
import { PriceFeed } from './index.js';

const CLOSE_AFTER_MS = 1_000; // an element that is moved leaves the page for a moment
const STYLE = `
  :host { display: block; font-variant-numeric: tabular-nums; }
  :host([hidden]) { display: none; }
  ul { display: flex; flex-wrap: wrap; gap: 0.25em 1.5em; margin: 0; padding: 0; list-style: none; }
  li { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 0.5em; }
  .symbol, .price { font-weight: 600; }
  .unit, .state, .source { font-size: 0.85em; }
  .state { border: 1px solid currentColor; border-radius: 0.5em; padding: 0 0.4em; }
  p { margin: 0.25em 0 0; font-size: 0.85em; }
  p:empty, span:empty { display: none; }
  [data-direction='up'] .change { color: inherit; color: var(--price-ticker-up, light-dark(#08713a, #5fd38d)); }
  [data-direction='down'] .change { color: inherit; color: var(--price-ticker-down, light-dark(#b3261e, #ff9d94)); }
  [data-state='stale'] .price, [data-state='unavailable'] .price { font-style: italic; font-weight: 400; }
  @media (forced-colors: active) { .change { color: CanvasText; } }
`;

const feeds = new Map(); // address -> {feed, users, timer}

/** The page's one feed of that gateway. */
function lend(address) {
  let shared = feeds.get(address);
  if (!shared) {
    shared = { feed: new PriceFeed(address, { parse: parseExact }), users: 0 };
    feeds.set(address, shared);
  }
  clearTimeout(shared.timer);
  shared.users++;
  return shared.feed;
}

function giveBack(address) {
  const shared = feeds.get(address);
  if (--shared.users > 0) return;
  shared.timer = setTimeout(() => {
    feeds.delete(address);
    shared.feed.close();
  }, CLOSE_AFTER_MS);
}

const text = (value) => (typeof value === 'string' || typeof value === 'number' ? `${value}` : '');

/** "0.033" -> "▲ +0.033": colour is never the only sign. */
function signed(value) {
  const n = Number(value);
  if (text(value) === '' || Number.isNaN(n)) return '';
  if (n === 0) return `= ${value}`;
  return n > 0 ? `\u25b2 +${value}` : `\u25bc \u2212${`${value}`.replace('-', '')}`;
}

function changeText({ change, change_pct: percent }) {
  const share = Number(percent);
  const rounded = share.toFixed(2).replace('-', '\u2212');
  const tail = text(percent) === '' || Number.isNaN(share) ? '' : ` (${share > 0 ? '+' : ''}${rounded}\u00a0%)`;
  return signed(change) && `${signed(change)}${tail}`;
}

/** What is in its place: the row of one symbol, and how to fill it. */
class Row {
  constructor(symbol) {
    this.symbol = symbol;
    this.element = document.createElement('li');
    this.element.part = 'item';
    this.element.dataset.symbol = symbol;
    this.cells = {};
    for (const name of ['symbol', 'price', 'unit', 'change', 'source', 'state']) {
      const cell = document.createElement('span');
      cell.className = name;
      cell.part = name;
      this.cells[name] = cell;
      this.element.append(cell, ' ');
    }
    this.cells.symbol.textContent = symbol;
  }

  show(item, status) {
    const { cells, element } = this;
    const observed = item?.price ?? item?.value;
    const put = (name, value) => {
      if (cells[name].textContent !== value) cells[name].textContent = value;
    };
    const state = text(status?.state) || 'waiting';
    const change = Number(item?.change);
    put('price', text(observed) || '\u2013');
    put('unit', text(item?.unit) || text(item?.currency));
    put('change', item ? changeText(item) : '');
    put('source', text(item?.source) + (item?.fallback === true ? ' (fallback)' : ''));
    put('state', !item && status?.message ? text(status.message) : state + (status?.reason ? `: ${text(status.reason).replaceAll('_', ' ')}` : ''));
    element.dataset.state = state;
    element.dataset.direction = change > 0 ? 'up' : change < 0 ? 'down' : 'none';
  }
}

/** The symbols of an attribute: each once, without blanks around them. */
const listed = (value) => [...new Set((value ?? '').split(',').map((name) => name.trim()).filter(Boolean))];

export class PriceTicker extends HTMLElement {
  static observedAttributes = ['symbols', 'gateway', 'interval-ms'];
  static #sheet = null;
  #list = document.createElement('ul');
  #note = document.createElement('p');
  #rows = new Map();
  #changed = new Set();
  #feed = null; // the one in use
  #own = null; // the one that the page gave
  #address = null;
  #subscription = null;
  #begun = false;
  #showState = () => this.#say();

  constructor() {
    super();
    if (!PriceTicker.#sheet) {
      PriceTicker.#sheet = new CSSStyleSheet();
      PriceTicker.#sheet.replaceSync(STYLE);
    }
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [PriceTicker.#sheet];
    this.#list.part = 'list';
    this.#list.setAttribute('role', 'list'); // a list without bullets is none to some readers
    this.#note.part = 'note';
    this.#note.setAttribute('role', 'status');
    root.append(this.#list, this.#note);
  }

  /** A PriceFeed of the page's own: one with a token, for example. It is not closed from here. */
  get feed() {
    return this.#own ?? this.#feed;
  }

  set feed(feed) {
    this.#own = feed;
    this.#restart();
  }

  connectedCallback() {
    // Set before this element was defined: as if it were set now.
    if (Object.hasOwn(this, 'feed')) {
      const { feed } = this;
      delete this.feed;
      this.#own = feed;
    }
    this.#begin();
  }

  disconnectedCallback() {
    this.#end();
  }

  attributeChangedCallback(name, old, value) {
    if (old !== value) this.#restart();
  }

  #restart() {
    if (!this.#begun) return;
    this.#end();
    this.#begin();
  }

  #begin() {
    const symbols = listed(this.getAttribute('symbols'));
    this.#begun = true;
    this.#list.setAttribute('aria-label', this.getAttribute('aria-label') ?? 'Prices');
    this.#fill(symbols);
    if (!symbols.length) {
      this.#note.textContent = 'No symbols: write <price-ticker symbols="coffee,EUR/USD">.';
      return;
    }
    try {
      this.#subscribe(symbols);
    } catch (error) {
      this.#end();
      this.#begun = true; // with other symbols it may go on
      this.#fill([]);
      this.#note.textContent = error.message;
    }
  }

  #subscribe(symbols) {
    if (!this.#own) {
      // Without a name for it: where this module is from, if that is a gateway's /client/.
      const address = new URL(this.getAttribute('gateway') ?? '../', this.hasAttribute('gateway') ? document.baseURI : import.meta.url).href;
      this.#feed = lend(address);
      this.#address = address;
    } else {
      this.#feed = this.#own;
    }
    this.#feed.addEventListener('state', this.#showState);
    this.#say();
    const draw = ({ symbol }) => this.#draw(symbol);
    this.#subscription = this.#feed.subscribe(symbols, {
      interval_ms: Number(this.getAttribute('interval-ms')) || 0,
      onQuote: draw,
      onObservation: draw,
      onStatus: draw,
    });
  }

  #end() {
    this.#begun = false;
    this.#subscription?.close();
    this.#feed?.removeEventListener('state', this.#showState);
    if (this.#address !== null) giveBack(this.#address);
    this.#feed = this.#address = this.#subscription = null;
    this.#changed.clear(); // what the next frame would have drawn is of symbols that may be gone
  }

  #fill(symbols) {
    this.#rows.clear();
    // A pattern's rows come with its prices.
    for (const symbol of symbols.filter((name) => !name.endsWith('*'))) this.#row(symbol).show();
    this.#list.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
  }

  #row(symbol) {
    let row = this.#rows.get(symbol);
    if (!row) {
      row = new Row(symbol);
      this.#rows.set(symbol, row);
      this.#list.append(row.element);
    }
    return row;
  }

  #draw(symbol) {
    if (!this.#changed.size) {
      requestAnimationFrame(() => {
        for (const name of this.#changed) {
          const status = this.#feed?.status(name);
          // Another ticker has asked for what there is not: that is no row of a pattern here.
          if (!this.#feed || (status?.reason === 'unknown_symbol' && !this.#rows.has(name))) continue;
          this.#row(name).show(this.#feed.quote(name), status);
        }
        this.#changed.clear();
      });
    }
    this.#changed.add(symbol);
  }

  /** That there is no connection, why, and nothing else. */
  #say() {
    const { state, reason } = this.#feed.state;
    this.#note.textContent = state === 'live' || state === 'connecting' ? '' : `${state}${reason && `: ${reason}`}`;
  }
}

if (!customElements.get('price-ticker')) customElements.define('price-ticker', PriceTicker);
