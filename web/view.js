// The page: a table of prices, one of observations, a badge, a notice. Everything that came from outside enters the page as
// textContent or as a title, never as markup. Changes are gathered and painted once per frame, and
// not at all while the page is hidden.

import { age, number, plain, signed, signedPercent } from './quote.js';
import { observed, reasonText } from './model.js';

const EXPLAIN = {
  quote: {
    live: 'live: the price is current',
    delayed: 'delayed: the source says or shows that its prices are late',
    stale: 'stale: no new answer for too long; this is the last known price',
    closed: 'closed: the market is closed; this is its last price',
    unavailable: 'unavailable: there is no price to go by',
  },
  observation: {
    live: 'live: confirmed recently, and current',
    delayed: 'delayed: it is about a time that lies further back',
    stale: 'stale: no new answer for too long; this is the last one',
    closed: 'closed',
    unavailable: 'unavailable: there is nothing to go by',
  },
};

// The columns behind the name: [class, title].
const COLUMNS = {
  quote: [
    ['name', 'Instrument'], ['price', 'Price'], ['change', 'Change'], ['percent', '%'],
    ['source', 'Source'], ['age', 'Age'], ['state', 'State'],
  ],
  observation: [
    ['name', 'Observation'], ['observed', 'Value'],
    ['source', 'Source'], ['age', 'Age'], ['state', 'State'],
  ],
};

const TIME_OF = { quote: 'time of the price', observation: 'time that it is about' };

const calm = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)') ?? { matches: false };

export class View {
  #cells = new Map(); // symbol -> the elements of its row
  #painting = false;

  constructor(document, model) {
    this.document = document;
    this.model = model;
    this.tables = {
      quote: document.getElementById('prices'),
      observation: document.getElementById('observations'),
    };
    this.badge = document.getElementById('connection');
    this.detail = document.getElementById('connection-detail');
    this.notice = document.getElementById('notice');
    this.summary = document.getElementById('summary');
    this.reason = '';
    this.retryAt = null; // when the connection is tried again
  }

  /** The badge is announced to screen readers; its detail, which may tick, is not. */
  showConnection({ state, reason, retryMs }) {
    this.badge.dataset.state = state;
    this.document.body.dataset.connection = state;
    setText(this.badge.lastElementChild, state);
    this.reason = reason;
    this.retryAt = retryMs === undefined ? null : Date.now() + retryMs;
    this.#showDetail();
  }

  #showDetail() {
    const left = this.retryAt === null ? 0 : Math.ceil((this.retryAt - Date.now()) / 1000);
    const retry = left > 0 ? `next try in ${left}\u00a0s` : '';
    setText(this.detail, [this.reason, retry].filter(Boolean).join(', '));
  }

  /** Builds the tables anew: at the start and when the list of instruments has changed. */
  build() {
    this.#cells.clear();
    for (const [kind, table] of Object.entries(this.tables)) {
      const groups = this.model
        .categories(kind)
        .map(([category, rows]) => this.#group(kind, category, rows));
      table.replaceChildren(...(groups.length > 0 ? [this.#head(kind), ...groups] : []));
    }
    this.paintSoon();
  }

  #element(name, className, role) {
    const element = this.document.createElement(name);
    if (className) element.className = className;
    // Narrow screens lay rows out as grids, which takes the table roles away: they are named.
    if (role) element.setAttribute('role', role);
    return element;
  }

  #head(kind) {
    const head = this.#element('thead', '', 'rowgroup');
    const row = this.#element('tr', '', 'row');
    for (const [column, title] of COLUMNS[kind]) {
      const cell = this.#element('th', column, 'columnheader');
      cell.scope = 'col';
      cell.textContent = title;
      row.append(cell);
    }
    head.append(row);
    return head;
  }

  #group(kind, category, rows) {
    const body = this.#element('tbody', '', 'rowgroup');
    const title = this.#element('tr', 'category', 'row');
    const cell = this.#element('th', '', 'rowheader');
    cell.scope = 'rowgroup';
    cell.colSpan = COLUMNS[kind].length;
    cell.textContent = titleCase(category);
    title.append(cell);
    body.append(title, ...rows.map((row) => this.#row(row)));
    return body;
  }

  #row(row) {
    const tr = this.#element('tr', 'instrument', 'row');
    tr.dataset.symbol = row.symbol;
    const head = this.#element('th', 'name', 'rowheader');
    head.scope = 'row';
    const cells = { tr, kind: row.kind };
    cells.name = this.#element('span', 'full-name');
    cells.symbol = this.#element('span', 'symbol');
    head.append(cells.name, ' ', cells.symbol);
    tr.append(head);
    for (const [column] of COLUMNS[row.kind].slice(1)) {
      cells[column] = this.#element('td', column, 'cell');
      tr.append(cells[column]);
    }
    cells.value = this.#element('span', 'value');
    cells.unit = this.#element('span', 'unit');
    cells.price?.append(cells.value, ' ', cells.unit);
    cells.sourceName = this.#element('span', 'provider');
    cells.fallback = this.#element('span', 'tag');
    cells.source.append(cells.sourceName, ' ', cells.fallback);
    cells.name.textContent = row.name;
    cells.symbol.textContent = row.symbol === row.name ? '' : row.symbol;
    this.#cells.set(row.symbol, cells);
    this.#fill(row);
    return tr;
  }

  #fill(row) {
    const cells = this.#cells.get(row.symbol);
    const { item } = row;
    cells.tr.dataset.state = row.state;
    if (row.kind === 'quote') this.#fillPrice(cells, item);
    else this.#fillObserved(cells, item);
    setText(cells.sourceName, item ? plain(item.source) : '');
    const fallback = item?.fallback === true;
    setText(cells.fallback, fallback ? 'fallback' : '');
    cells.fallback.title = fallback ? 'not the first source of this instrument' : '';
    const why = row.item ? '' : reasonText(row);
    setText(cells.state, why ? `${row.state} \u2013 ${why}` : row.state);
    cells.tr.title = explain(row);
  }

  #fillPrice(cells, item) {
    setText(cells.value, item ? item.price : '\u2013');
    setText(cells.unit, item ? plain(item.unit) || plain(item.currency) : '');
    setText(cells.change, item ? signed(item.change) : '');
    setText(cells.percent, item ? signedPercent(item.change_pct) : '');
    cells.tr.dataset.trend = ['down', '', 'up'][Math.sign(number(item?.change) ?? 0) + 1];
  }

  /** Each figure with its name and unit, the words below, then what they are about. */
  #fillObserved(cells, item) {
    const parts = [];
    for (const { name, value, unit } of item ? observed(item) : []) {
      const figure = this.#element('span', 'figure');
      if (name) figure.append(this.#text('label', name.replaceAll('_', ' ')), ' ');
      figure.append(this.#text('value', value), ' ', this.#text('of', unit));
      parts.push(figure, ' ');
    }
    if (plain(item?.text)) {
      const words = this.#text('words', item.text);
      words.title = item.text; // the page shows the first lines
      parts.push(words);
    }
    const about = [item?.region, item?.series, item?.period].map(plain).filter(Boolean);
    if (about.length > 0) parts.push(this.#text('about', about.join(' \u00b7 ')));
    cells.observed.replaceChildren(...(parts.length > 0 ? parts : ['\u2013']));
  }

  #text(className, text) {
    const element = this.#element('span', className);
    element.textContent = text;
    return element;
  }

  /** Draws what has changed in the next frame. */
  paintSoon() {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => {
      this.#painting = false;
      this.#paint();
    });
  }

  #paint() {
    const rows = this.model.takeDirty();
    if (rows.some((row) => this.#cells.get(row.symbol)?.kind !== row.kind)) this.build();
    for (const row of rows) {
      this.#fill(row);
      if (row.direction !== 0) this.#flash(row);
    }
    this.tick();
    this.#showSummary();
  }

  #flash(row) {
    const { price, tr } = this.#cells.get(row.symbol);
    tr.dataset.tick = row.direction > 0 ? 'up' : 'down'; // a small arrow that stays
    if (calm.matches) return;
    const colour = `var(--${tr.dataset.tick}-flash)`;
    price.animate([{ backgroundColor: colour }, { backgroundColor: 'transparent' }], 900);
  }

  /** Once a second: the ages and the wait for the next try. */
  tick() {
    this.#showDetail();
    const now = Date.now();
    for (const row of this.model.rows()) {
      const cells = this.#cells.get(row.symbol);
      const ms = this.model.ageMs(row, now);
      if (cells) setText(cells.age, ms === null ? '' : age(ms));
    }
  }

  #showSummary() {
    const counts = this.model.counts();
    const parts = Object.keys(counts).filter((state) => counts[state] > 0);
    setText(this.summary, parts.map((state) => `${counts[state]} ${state}`).join(' \u00b7 '));
    const outage = this.model.outage();
    this.notice.hidden = !outage;
    if (outage) setText(this.notice.querySelector('.reasons'), outage.reasons.join(' \u00b7 '));
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** "coffee_prices" -> "Coffee prices", "fx_rates" -> "FX rates". */
function titleCase(category) {
  const words = category.replaceAll('_', ' ');
  const first = words.split(' ', 1)[0];
  return (first.length <= 2 ? first.toUpperCase() : first[0].toUpperCase() + first.slice(1)) +
    words.slice(first.length);
}

function explain(row) {
  const lines = [EXPLAIN[row.kind][row.state]];
  const { item } = row;
  if (item) {
    const fallback = item.fallback === true ? ' (a fallback)' : '';
    if (plain(item.source)) lines.push(`source: ${item.source}${fallback}`);
    if (plain(item.source_symbol)) lines.push(`its symbol: ${item.source_symbol}`);
    if (number(item.ts) !== null) lines.push(`${TIME_OF[row.kind]}: ${time(item.ts)}`);
    if (number(item.recv) !== null) lines.push(`last answer: ${time(item.recv)}`);
    for (const url of Array.isArray(item.citations) ? item.citations : []) {
      if (plain(url)) lines.push(`it rests on: ${url}`);
    }
    if (plain(item.prev_close)) lines.push(`previous close: ${item.prev_close}`);
  }
  if (row.market || plain(item?.market)) lines.push(`market: ${row.market || item.market}`);
  const reason = reasonText(row);
  if (reason) lines.push(`reason: ${reason}`);
  return lines.join('\n');
}

function time(ms) {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? ms : date.toLocaleString();
}
