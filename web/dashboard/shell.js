// The page around the tables: how the connection is, how many prices are in which state, what to do
// when something is wrong, filter and switches, keys, panels (panels.js says how one is made), and
// the one clock that all of it is drawn by:
//
//     message ► model ► paintSoon() ─► next frame: watchlist.draw(rows), panels.update(rows)
//     once a second ────────────────► ages, countdown, watchlist.tick(), panels.tick()
//
// Nothing is drawn while the page is hidden: there are no frames then, and the model keeps the
// newest of everything anyway.
//
// What is wrong is said in sentences that say what to do, one at a time, the most important first:
// see #trouble().

import { readAddress, writeAddress } from './address.js';
import { setText } from './dom.js';

const SETTLE_MS = 250; // how often flashes are looked at that no new price ends
const NAMED = 5; // symbols in a sentence
const OUTAGE_AFTER_MS = 1500; // so long without any price is worth a notice: not the moment before the first one

/** "a, b, c, d, e and 295 more". */
const some = (symbols) => symbols.slice(0, NAMED).join(', ') + (symbols.length > NAMED ? ` and ${symbols.length - NAMED} more` : '');

export class Shell {
  #frame = null;
  #settling = null;
  #connection = { state: 'connecting', reason: '' };
  #retryAt = null;
  #listMissing = ''; // why the list of instruments could not be read
  #sorted = false; // since the first prices came
  #symbol = null; // whose detail is open
  #outageSince = null;

  /** parts: {model, watchlist, lists, bar, panels, theme, store, view, say}. */
  constructor(parts) {
    Object.assign(this, parts);
    const find = (id) => document.getElementById(id);
    this.badge = find('connection');
    this.summary = find('summary');
    this.notice = find('notice');
    this.empty = find('empty');
    this.filter = find('filter');
    this.grouped = find('grouped');
    this.help = find('help');
    this.#listen();
    this.#showGrouped();
  }

  #listen() {
    this.filter.addEventListener('input', () => this.#filterBy(this.filter.value));
    this.filter.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
      event.preventDefault();
      this.watchlist.focusFirst();
    });
    this.grouped.addEventListener('click', () => this.#toggleGrouped());
    document.getElementById('keys').addEventListener('click', () => this.help.showModal());
    this.help.querySelector('button').addEventListener('click', () => this.help.close());
    for (const button of document.querySelectorAll('[data-panel]')) {
      button.addEventListener('click', () => this.panels.toggle(button.dataset.panel));
    }
    document.addEventListener('keydown', (event) => this.#key(event));
    addEventListener('hashchange', () => this.readAddress());
  }

  // --- where we are ---

  /** Shows what the address asks for. A token in it is taken out, and returned. */
  readAddress() {
    const { token, list, symbol } = readAddress(location.hash);
    if (list) this.lists.showShared(list);
    if (list || symbol || !token) this.#symbol = symbol; // a token alone changes nothing of what is looked at
    this.bar.show();
    this.listsChanged();
    if (this.ready) this.#openAsked();
    if (token) this.context.access.token = token;
    return token;
  }

  writeAddress() {
    const hash = writeAddress({ list: this.lists.current, symbol: this.#symbol });
    if (hash !== location.hash) history.replaceState(null, '', hash || location.pathname + location.search);
  }

  #openAsked() {
    if (!this.#symbol) this.panels.close('detail');
    else if (this.model.row(this.#symbol)) this.open('detail', this.#symbol);
    else if (!this.#listMissing) {
      const or = this.context.access.token ? ' Or the token of this window is not for it.' : '';
      this.say(`This gateway has no instrument \u201c${this.#symbol}\u201d: choose another one, or add it to the configuration.${or}`);
      this.#symbol = null;
      this.panels.close('detail'); // it may have been there until now
      this.writeAddress();
    }
  }

  open(name, symbol) {
    return this.panels.open(name, symbol);
  }

  /** A panel was opened, closed or shows something else. */
  panelChanged(name, shown, symbol) {
    for (const button of document.querySelectorAll(`[data-panel="${name}"]`)) {
      button.setAttribute('aria-expanded', String(shown));
    }
    if (name !== 'detail') return;
    this.#symbol = shown ? symbol : null;
    this.watchlist.select(this.#symbol);
    this.writeAddress();
  }

  // --- the connection ---

  /** The badge is announced to screen readers; the countdown in the notice is not. */
  showConnection(connection) {
    this.#connection = connection;
    this.#retryAt = connection.retryMs == null ? null : Date.now() + connection.retryMs;
    this.badge.dataset.state = connection.state;
    document.body.dataset.connection = connection.state;
    setText(this.badge.querySelector('.word'), connection.state);
    setText(document.getElementById('connection-said'), `The connection is ${connection.state}.`);
    this.#showTrouble();
  }

  /** The list of instruments is here ('') or could not be read (a sentence). */
  showInstruments(problem = '') {
    const first = !this.ready || this.#listMissing !== '';
    this.#listMissing = problem;
    this.ready = true;
    this.#sorted ||= this.model.snapshotSeen;
    this.watchlist.build();
    this.#showEmpty();
    this.#showSummary();
    this.#showTrouble();
    if (first && !problem) this.#sayUnknown();
    this.#openAsked();
  }

  // --- drawing ---

  paintSoon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#paint();
    });
  }

  #paint() {
    if (!this.ready) return;
    const now = Date.now();
    const rows = this.model.takeDirty();
    const sortable = !this.#sorted && this.model.snapshotSeen; // by what has only now come
    this.#sorted ||= sortable;
    if (!this.watchlist.draw(rows, now) || (sortable && this.view.sort)) {
      this.watchlist.build();
      this.#showEmpty();
    }
    this.panels.update(rows, now);
    if (sortable) this.#showSummary(); // the rest of the time once a second
    if (!this.notice.hidden) this.#showTrouble(); // it may be over
    this.#settle();
  }

  /** Flashes end even when no price comes. */
  #settle() {
    this.#settling ??= setTimeout(() => {
      this.#settling = null;
      if (this.watchlist.settle(Date.now())) this.#settle();
    }, SETTLE_MS);
  }

  /** Once a second. */
  tick() {
    if (document.hidden) return;
    const now = Date.now();
    if (this.ready) this.watchlist.tick(now);
    this.panels.tick(now);
    this.#showSummary();
    this.#showTrouble();
  }

  #showSummary() {
    const counts = this.model.counts();
    const parts = Object.keys(counts).filter((state) => counts[state] > 0);
    setText(this.summary, parts.map((state) => `${counts[state]} ${state}`).join(' \u00b7 '));
  }

  #showTrouble() {
    const trouble = this.#trouble();
    this.notice.hidden = !trouble;
    if (!trouble) return;
    const [what, why, todo] = trouble;
    setText(this.notice.querySelector('.what'), what);
    setText(this.notice.querySelector('.why'), why);
    setText(this.notice.querySelector('.todo'), todo);
  }

  /** [what is wrong, why, what to do], or null. */
  #trouble() {
    const { state, reason } = this.#connection;
    const why = reason.charAt(0).toUpperCase() + reason.slice(1);
    const left = this.#retryAt === null ? 0 : Math.ceil((this.#retryAt - Date.now()) / 1000);
    const next = left > 0 ? `Next try in ${left}\u00a0s.` : 'Trying now.';
    const known = this.model.size > 0 ? ' What stands here is what was known last.' : '';
    if (state === 'offline' && /token/.test(reason)) {
      return ['The gateway wants a valid token.', '', 'Enter one under \u201cSources\u201d, or open this page with #token=\u2026 at the end of its address. Whoever runs the gateway gives out tokens.'];
    }
    if (state === 'reconnecting') {
      return ['The gateway is away.', `${why}.${known}`, `${next} If it stays away, see whether pricegate is running.`];
    }
    if (state === 'offline') return ['This device is offline.', `${why}.${known}`, `${next} Check the network of this device.`];
    if (state === 'live' && this.#listMissing) return ['The list of instruments is missing.', this.#listMissing, 'Reload the page; names and groups come with it.'];
    return state === 'live' ? this.#outage(Date.now()) ?? this.#refused() : null;
  }

  #refused() {
    const refused = this.model.refused();
    if (refused === 0) return null;
    return [
      `${refused} of ${this.model.size} instruments have no price here.`,
      `The gateway gives one connection ${this.model.size - refused}.`,
      'Raise limits.symbols_per_connection in its configuration.',
    ];
  }

  #outage(nowMs) {
    const outage = this.model.outage();
    this.#outageSince = outage && (this.#outageSince ?? nowMs);
    return outage && nowMs - this.#outageSince >= OUTAGE_AFTER_MS ? this.#outageWords(outage) : null;
  }

  #outageWords({ held, asked, reasons }) {
    const why = reasons.join(' \u00b7 ');
    if (!asked) {
      return [
        held ? 'No new price comes: these are the last known ones.' : 'No price has come yet.',
        why || 'This gateway asks nobody for prices: other programs publish them through Redis.',
        'See whether those programs are running.',
      ];
    }
    const todo = 'What each provider says stands under \u201cSources\u201d, in /data-health/sources and in the log.';
    if (!held && !why) return ['No price has come yet.', 'No provider has answered since the gateway was started.', todo];
    return [held ? 'No provider answers: these are the last known prices.' : 'No provider answers, so there are no prices.', why, todo];
  }

  /** A sentence in the place of a table that has no rows. */
  #showEmpty() {
    const none = this.watchlist.size === 0;
    this.empty.hidden = !none;
    this.empty.classList.remove('waiting');
    if (!none) return;
    const list = this.lists.current;
    const unknown = list?.symbols.filter((symbol) => !this.model.row(symbol)) ?? [];
    let text = 'No instruments are configured: add some under \u201cinstruments\u201d in the configuration of the gateway.';
    if (this.model.size === 0 && (this.#listMissing || this.#connection.state !== 'live')) text = 'Nothing is known yet: the list of instruments comes with the connection.';
    else if (this.watchlist.filter.trim()) text = `Nothing matches \u201c${this.watchlist.filter.trim()}\u201d. Escape empties the filter.`;
    else if (list && unknown.length > 0) text = `This gateway has none of ${some(unknown)}: add them to its configuration, or choose another list.`;
    else if (list) text = 'This list is empty: choose \u201cAll\u201d and add instruments by their stars.';
    setText(this.empty, text);
  }

  // --- what the user does ---

  /** Another list, or another content. */
  listsChanged() {
    this.writeAddress();
    if (!this.ready) return;
    this.watchlist.build();
    this.#showEmpty();
    this.#sayUnknown();
  }

  /** What of the list is not there; where nothing of it is, that stands in the place of the table. */
  #sayUnknown() {
    const unknown = (this.lists.current?.symbols ?? []).filter((symbol) => !this.model.row(symbol));
    if (unknown.length > 0 && this.watchlist.size > 0) {
      this.say(`This gateway does not have ${some(unknown)}: add ${unknown.length > 1 ? 'them' : 'it'} to its configuration.`);
    }
  }

  star(symbol) {
    const { list, added } = this.lists.toggle(symbol);
    this.bar.showCounts();
    this.watchlist.showStars();
    this.writeAddress();
    const undo = { label: 'Undo', run: () => this.star(symbol) };
    this.say(`${symbol} is ${added ? '' : 'no longer '}in the list \u201c${list.name}\u201d.${this.lists.warning}`, undo);
    if (this.lists.current) {
      this.watchlist.build();
      this.#showEmpty();
    }
  }

  #filterBy(text) {
    this.filter.value = text;
    this.watchlist.filter = text;
    this.watchlist.build();
    this.#showEmpty();
  }

  viewChanged() {
    this.store.set('view', this.view);
    this.#showGrouped();
  }

  #toggleGrouped() {
    this.view.grouped = !this.view.grouped;
    this.viewChanged();
    this.watchlist.build();
  }

  #showGrouped() {
    this.grouped.setAttribute('aria-pressed', String(this.view.grouped));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') return this.#escape();
    if (event.target.closest?.('input, select, textarea')) return undefined;
    const act = {
      '/': () => this.filter.select(),
      '?': () => this.help.showModal(),
      g: () => this.#toggleGrouped(),
      t: () => this.theme.toggle(),
      h: () => this.panels.toggle('health'),
      c: () => this.panels.toggle('connection'),
    }[event.key];
    if (!act) return undefined;
    event.preventDefault();
    return act();
  }

  /** The filter first, where one is being written; else the panel that was opened. */
  #escape() {
    if (document.activeElement === this.filter && this.filter.value) return this.#filterBy('');
    const name = this.panels.last;
    const symbol = this.#symbol;
    if (name) {
      this.panels.close(name);
      if (name === 'detail') this.watchlist.focus(symbol);
      else document.querySelector(`[data-panel="${name}"]`)?.focus();
      return undefined;
    }
    if (this.filter.value) this.#filterBy('');
    return undefined;
  }
}
