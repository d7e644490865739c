// The tables of prices and observations. Rows are made once and moved about: filtering, sorting and
// choosing a list only say which stand where. Those in sight are made at once, so that the first price
// is there soon, the others a few at a time behind that, or when they are needed; until then their chunk
// keeps the place (class "waiting"). Drawing happens once per frame, of the rows that have
// changed and can be seen (or nearly: MARGIN); the others are drawn when they come into sight, and one
// or two of them with each frame, for those who search the page or have it read out. Rows stand in chunks:
// one out of sight costs the browser neither style nor layout (content-visibility in style.css), and
// each row is laid out for itself, so 5,000 prices a second cost what the visible ones cost. (Watching
// 500 rows instead of 25 chunks cost more than drawing them.)
//
// Sorted by something that moves, the order would change under one's eyes: it is renewed every
// RESORT_MS, and not at all while the pointer or the focus is in the table.
//
// Keys: one row has the focus, arrows, Home, End and Page keys move it (a grid, in ARIA's words).

import { decimal } from '../quote.js';
import { element, withText } from './dom.js';
import { arrange, moving, nextSort, sortable, titleCase } from './order.js';
import { COLUMNS, ObservationRow, QuoteRow, pointOf } from './row.js';

const MARGIN = '300px 0px';
const RESORT_MS = 3000;
const PAGE_ROWS = 12;
const CHUNK_ROWS = 20;
const UNSEEN_PER_S = 100;
const ROW_PX = 30; // a row is at least so high: as many as the window has room for are made and drawn at once
const REST_AFTER_MS = 50; // and the others behind the frame that shows these

export class Watchlist {
  #rows = new Map(); // symbol -> Row
  #byElement = new WeakMap();
  #chunks = new Map(); // element -> {members, rows: made of them, or null}
  #waiting = null; // the timer of those that are not made yet
  #selected = null;
  #known = new Map(); // symbol -> kind, of all that build() has placed or left out
  #room = { whole: 5, part: 6 }; // characters before and after the point of a price; only ever grows
  #flashing = new Set();
  #late = new Set(); // rows out of sight that have changed, the longest waiting first
  #observer;
  #order = ''; // the symbols as they stand
  #sortedAt = 0;
  #unseenAt = 0;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');

  filter = '';

  /** tables: {quote, observation} elements. lists: lists.js. view: {sort, grouped}, kept by the
   *  caller. on: {open(symbol), star(symbol), viewChanged()}. */
  constructor(tables, { model, lists, view, on }) {
    this.tables = tables;
    this.model = model;
    this.lists = lists;
    this.view = view;
    this.on = on;
    this.#observer = new IntersectionObserver((entries) => this.#sighted(entries), { rootMargin: MARGIN });
    for (const table of Object.values(tables)) this.#listen(table);
  }

  #listen(table) {
    table.addEventListener('click', (event) => {
      const row = this.#rowOf(event.target);
      if (!row) return;
      if (row.star.contains(event.target)) this.on.star(row.symbol);
      else if (getSelection().isCollapsed) this.on.open(row.symbol); // not at the end of marking text
      this.#focusable(row);
    });
    table.addEventListener('keydown', (event) => this.#key(event));
    table.addEventListener('focusin', (event) => {
      const row = this.#rowOf(event.target);
      if (row) this.#focusable(row);
    });
    table.addEventListener('pointerover', (event) => {
      const row = this.#rowOf(event.target);
      if (row) row.explain(this.model.row(row.symbol));
    });
  }

  #rowOf(target) {
    return this.#byElement.get(target.closest?.('tr.instrument'));
  }

  // --- what stands where ---

  /** Puts everything in its place: after the list of instruments, the filter, the order or the
   *  chosen list has changed. */
  build() {
    const focused = this.#rowOf(document.activeElement ?? document.body)?.symbol;
    const list = this.lists.current?.symbols ?? null;
    const rows = this.model.rows();
    this.#forget(rows);
    this.#observer.disconnect();
    this.#chunks.clear();
    let left = innerHeight / ROW_PX;
    let order = '';
    for (const [kind, table] of Object.entries(this.tables)) {
      const groups = arrange(rows.filter((row) => row.kind === kind), { ...this.view, list, filter: this.filter });
      const bodies = groups.flatMap(([category, members]) => this.#group(kind, category, members));
      for (const body of bodies) {
        const { members } = this.#chunks.get(body);
        if (left > 0 || members.every((row) => this.#rows.has(row.symbol))) this.#make(body);
        for (const row of left > 0 ? this.#chunks.get(body).rows : []) row.visible = true; // until the browser says so
        left -= members.length;
      }
      table.replaceChildren(...(bodies.length > 0 ? [this.#head(kind), ...bodies] : []));
      for (const [, members] of groups) for (const row of members) order += `${row.symbol} `;
    }
    this.#order = order;
    this.#sortedAt = Date.now();
    this.showStars();
    this.#restoreFocus(focused);
    this.#unseenAt = Date.now();
    this.draw(rows, this.#unseenAt);
    this.#makeRestSoon(REST_AFTER_MS);
  }

  /** How many rows stand there. */
  get size() {
    return this.#order === '' ? 0 : this.#order.split(' ').length - 1;
  }

  #forget(rows) {
    this.#known = new Map(rows.map((row) => [row.symbol, row.kind]));
    for (const [symbol, row] of this.#rows) {
      if (this.#known.get(symbol) === row.kind) continue;
      this.#rows.delete(symbol);
      this.#flashing.delete(row);
      this.#late.delete(row);
    }
  }

  #restoreFocus(symbol) {
    if (symbol !== undefined) this.#makeRest();
    const all = this.#elements();
    if (all.length === 0) return;
    const row = this.#byElement.get(all.find((tr) => tr.dataset.symbol === symbol) ?? all[0]);
    this.#focusable(row);
    if (symbol !== undefined) row.tr.focus({ preventScroll: true });
  }

  #head(kind) {
    const head = element('thead', '', 'rowgroup');
    const tr = element('tr', '', 'row');
    for (const [column, title] of COLUMNS[kind]) {
      const cell = element('th', column, 'columnheader');
      cell.scope = 'col';
      if (sortable(column)) this.#sortButton(cell, column, title);
      else cell.append(column === 'star' ? withText('span', 'unseen', 'In the list') : title);
      tr.append(cell);
    }
    head.append(tr);
    return head;
  }

  #sortButton(cell, column, title) {
    const { sort } = this.view;
    const direction = sort?.column === column ? sort.direction : 0;
    cell.setAttribute('aria-sort', ['descending', 'none', 'ascending'][direction + 1]);
    const button = withText('button', 'sort', title);
    button.type = 'button';
    button.dataset.column = column;
    button.addEventListener('click', () => this.#sortBy(column, button.closest('table')));
    cell.append(button);
  }

  #sortBy(column, table) {
    this.view.sort = nextSort(this.view.sort, column);
    this.on.viewChanged();
    this.build();
    table.querySelector(`[data-column="${column}"]`)?.focus(); // the head was made anew
  }

  /** The chunks of a group, the first one with its title; without their rows. */
  #group(kind, category, members) {
    const chunks = [];
    for (let at = 0; at < members.length; at += CHUNK_ROWS) {
      const some = members.slice(at, at + CHUNK_ROWS);
      const body = element('tbody', 'waiting', 'rowgroup');
      // Its height, before it was ever seen.
      body.style.setProperty('--rows', String(some.length));
      body.style.setProperty('--titles', category && at === 0 ? '1' : '0');
      if (category && at === 0) body.append(this.#title(kind, category));
      chunks.push(body);
      this.#chunks.set(body, { members: some, rows: null });
      this.#observer.observe(body);
    }
    return chunks;
  }

  /** The rows of a chunk. */
  #make(body) {
    const chunk = this.#chunks.get(body);
    chunk.rows = chunk.members.map((row) => this.#rowFor(row));
    body.append(...chunk.rows.map((row) => row.tr));
    body.classList.remove('waiting');
  }

  #makeRestSoon(afterMs) {
    clearTimeout(this.#waiting);
    const next = [...this.#chunks].find(([, chunk]) => !chunk.rows);
    if (!next) return;
    this.#waiting = setTimeout(() => {
      this.#make(next[0]);
      this.#makeRestSoon(0);
    }, afterMs);
  }

  /** All at once: for keys that go to any of them. */
  #makeRest() {
    for (const [body, chunk] of this.#chunks) if (!chunk.rows) this.#make(body);
  }

  #title(kind, category) {
    const title = element('tr', 'category', 'row');
    const cell = withText('th', '', titleCase(category));
    cell.setAttribute('role', 'rowheader');
    cell.scope = 'rowgroup';
    cell.colSpan = COLUMNS[kind].length;
    title.append(cell);
    return title;
  }

  #rowFor(row) {
    let made = this.#rows.get(row.symbol);
    if (!made) {
      made = row.kind === 'quote' ? new QuoteRow(row) : new ObservationRow(row);
      this.#rows.set(row.symbol, made);
      this.#byElement.set(made.tr, made);
      this.#late.add(made);
      made.visible = false;
      made.setStar(this.lists.has(row.symbol), this.lists.target.name);
      made.setSelected(row.symbol === this.#selected);
    }
    made.setNames(row);
    return made;
  }

  showStars() {
    const { name } = this.lists.target;
    for (const row of this.#rows.values()) row.setStar(this.lists.has(row.symbol), name);
  }

  // --- what they say ---

  #sighted(entries) {
    const now = Date.now();
    for (const { target, isIntersecting } of entries) {
      if (!this.#chunks.has(target)) continue; // of an order that is over
      if (isIntersecting && !this.#chunks.get(target).rows) this.#make(target);
      for (const row of this.#chunks.get(target).rows ?? []) {
        row.visible = isIntersecting;
        if (isIntersecting && this.#late.has(row)) this.#fill(row, now, false);
      }
    }
  }

  #fill(row, now, motion) {
    const known = this.model.row(row.symbol);
    this.#late.delete(row);
    if (!known) return;
    row.fill(known, now, motion);
    row.showAge(this.model.ageMs(known, now));
    if (known.price !== null) this.#makeRoom(decimal(known.item.price));
    if (row.tr.dataset.flash) this.#flashing.add(row);
  }

  #makeRoom(price) {
    const whole = pointOf(price);
    const needed = { whole, part: price.length - whole };
    for (const [name, characters] of Object.entries(needed)) {
      if (characters <= this.#room[name]) continue;
      this.#room[name] = characters;
      this.tables.quote.style.setProperty(`--${name}`, String(characters));
    }
  }

  /** Draws the rows that changed; false: one of them has no place yet, so build() is needed. */
  draw(changed, now) {
    const motion = !this.#calm.matches;
    let complete = true;
    for (const known of changed) {
      if (this.#known.get(known.symbol) !== known.kind) complete = false;
      const row = this.#rows.get(known.symbol);
      if (!row || row.kind !== known.kind) continue;
      if (row.visible) this.#fill(row, now, motion);
      else this.#late.add(row);
    }
    this.#drawUnseen(now);
    this.settle(now);
    return complete;
  }

  /** Ends flashes; true while some last. */
  settle(now) {
    for (const row of this.#flashing) if (row.settle(now)) this.#flashing.delete(row);
    return this.#flashing.size > 0;
  }

  /** Some of those out of sight: as many as are due. */
  #drawUnseen(now) {
    const due = Math.min(UNSEEN_PER_S, Math.floor(((now - this.#unseenAt) * UNSEEN_PER_S) / 1000));
    if (due < 1) return;
    this.#unseenAt = now;
    let left = due;
    for (const row of this.#late) {
      if (left-- === 0) break;
      this.#fill(row, now, false);
    }
  }

  /** Once a second: ages, and the order where it moves. */
  tick(now) {
    this.#drawUnseen(now);
    for (const row of this.#rows.values()) {
      const known = row.visible && this.model.row(row.symbol);
      if (known) row.showAge(this.model.ageMs(known, now));
    }
    if (moving(this.view.sort) && now - this.#sortedAt >= RESORT_MS && !this.#inUse()) this.build();
  }

  #inUse() {
    return Object.values(this.tables).some((table) => table.matches(':hover') || table.contains(document.activeElement));
  }

  // --- keys ---

  #elements() {
    return Object.values(this.tables).flatMap((table) => [...table.querySelectorAll('tr.instrument')]);
  }

  /** The one row that Tab reaches. */
  #focusable(row) {
    if (this.stop !== row) {
      if (this.stop) this.stop.tr.tabIndex = -1;
      this.stop = row;
    }
    row.tr.tabIndex = 0;
  }

  /** Moves the focus to the first row: from the filter, by an arrow. */
  focusFirst() {
    this.#elements()[0]?.focus();
  }

  focus(symbol) {
    this.#makeRest();
    this.#rows.get(symbol)?.tr.focus();
  }

  get focused() {
    return this.#rowOf(document.activeElement ?? document.body)?.symbol ?? null;
  }

  #key(event) {
    const row = this.#rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    this.#makeRest();
    const all = this.#elements();
    const at = all.indexOf(row.tr);
    const to = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + PAGE_ROWS, PageUp: at - PAGE_ROWS, Home: 0, End: all.length - 1,
    }[event.key];
    if (to !== undefined) all[Math.max(0, Math.min(to, all.length - 1))].focus();
    else if (event.key === 'Enter' && event.target === row.tr) this.on.open(row.symbol);
    else if (event.key === 's') this.on.star(row.symbol);
    else return;
    event.preventDefault();
  }

  /** Marks the row whose detail is open. */
  select(symbol) {
    this.#selected = symbol;
    for (const row of this.#rows.values()) row.setSelected(row.symbol === symbol);
  }
}
