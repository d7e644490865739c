// pricegate-client: live prices from a pricegate. One PriceFeed is one connection that is always
// wanted; README.md is its manual.
//
//     subscriptions ─ plan ─► line (WebSocket, or Server-Sent Events) ─► book ─► subscriptions
//
// The line may end at any moment; the book stays. A new line is told what the book holds (`since`),
// and what comes twice all the same stops at the book. While there is no line nobody vouches for any
// price, so after a moment's grace each is called stale, until the gateway has been heard again.

import { Book } from './book.js';
import { openEvents, openSocket } from './lines.js';
import { changes, plan } from './plan.js';
import { Subscription } from './subscription.js';

const BASE_MS = 500; // the first wait is up to this
const CAP_MS = 30_000;
const WELCOME_MS = 10_000; // a gateway that has not greeted by then is not there
const PONG_MS = 5_000;
const SETTLE_MS = 300; // the states that differ from those of the items follow at once
const STEADY_MS = 10_000; // a line that lived this long makes the next wait short
const TOKEN_NEEDED = 'a valid token is needed: use token, getToken or setToken()';
/** Close codes after which to come back soon; after all others it is better to stay away a while. */
const SOON = [undefined, 1000, 1001, 1005, 1006, 1011, 1012];
const NOT_THERE = 'the gateway cannot be reached';
const WHY = {
  1001: 'closed by the gateway',
  1008: 'closed by an administrator',
  1006: NOT_THERE,
  4008: 'too many commands: subscribe to many symbols at once',
};

class FeedEvent extends Event {
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

/** How long a JWT is good for, in ms; NaN for other tokens. */
function timeLeft(token, nowMs) {
  try {
    return JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).exp * 1000 - nowMs;
  } catch {
    return NaN;
  }
}

const list = (rows) => [rows].flat().filter((row) => typeof row?.symbol === 'string');

export class PriceFeed extends EventTarget {
  #options;
  #base;
  #token;
  #renewing = false;
  #renewals = 0; // tokens asked for since the last one that was taken
  #subs = new Set();
  #book = new Book(
    (symbol) => [...this.#subs].filter((sub) => sub.wants(symbol)),
    (type, detail) => this.#emit(type, detail),
  );
  #line = null; // and what holds for this line: greeted, liveAt, asked, authSent, bytes, returnMs
  #trial = null; // a WebSocket that is tried beside a line that is about to end, or one of events
  #trialMs = 1_000;
  #overEvents = false;
  #misses = 0; // WebSockets in a row that did not open
  #lastId = '';
  #streamed = null; // the symbols of the last stream
  #unknown = new Set(); // a stream is refused as a whole for one of these
  #planned = ''; // what the items of the book came by
  #syncing = false;
  #waiting = new Map(); // id -> who waits for the answer
  #timers = {};
  #attempt = 0;
  #silenceMs = 50_000;
  #online = true;
  #end = new AbortController();
  state = { state: 'connecting', reason: '', retryMs: null, transport: null };
  clockSkewMs = 0;

  constructor(url = globalThis.document?.baseURI, options = {}) {
    super();
    this.#options = { parse: JSON.parse, graceMs: 2_000, WebSocket: globalThis.WebSocket, fetch: globalThis.fetch, ...options };
    try {
      this.#base = new URL(url, globalThis.document?.baseURI);
    } catch {
      throw new TypeError(`"${url}" is no address: write https://host/`);
    }
    this.#token = options.token;
    for (const type of ['online', 'offline']) {
      globalThis.addEventListener?.(type, () => this.setOnline(type === 'online'), this.#end);
    }
    this.#soon(async () => {
      this.#say('connecting');
      if (!this.#token) await this.#renew();
      if (!this.#line) this.#connect();
    });
  }

  // --- for readers ---

  subscribe(symbols, options) {
    if (this.#closed) throw new Error('this feed is closed');
    const sub = new Subscription(symbols, options, {
      items: () => this.#book.of(sub).flatMap((entry) => entry.item ?? []),
      onClose: () => {
        this.#subs.delete(sub);
        this.#sync();
      },
    });
    this.#subs.add(sub);
    this.#soon(() => {
      for (const { kind, item, status } of this.#book.of(sub)) {
        if (item) sub.take(kind, item);
        if (status.state !== item?.state) sub.takeStatus(status);
      }
    });
    this.#sync();
    return sub;
  }

  quote(symbol) {
    return this.#book.get(symbol).item;
  }

  status(symbol) {
    return this.#book.get(symbol).status;
  }

  async refresh(symbols) {
    if (!this.#socket) throw new Error('refresh needs a live WebSocket');
    const id = `r${Math.random()}`; // a text, whatever `parse` makes of numbers
    this.#line.send({ action: 'refresh', id, symbols: [symbols].flat() });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  setToken(token) {
    this.#token = token;
    this.#renewals = 0;
    if (token && this.#socket) this.#authenticate();
    else this.#connect();
  }

  /** A gateway on this very machine needs no network, so nothing is cut; its return is used at once. */
  setOnline(online) {
    this.#online = online;
    if (!online || this.#closed) return;
    if (this.#socket) {
      this.#line.send({ action: 'ping' });
      this.#watch(PONG_MS);
    } else if (!this.#line) {
      this.#attempt = 0;
      this.#say('reconnecting');
      this.#connect();
    }
  }

  close() {
    this.#drop();
    for (const name of Object.keys(this.#timers)) this.#timer(name);
    this.#say('closed');
    for (const sub of this.#subs) sub.close();
    this.#end.abort();
  }

  // --- small things ---

  get #closed() {
    return this.state.state === 'closed';
  }

  /** Is there one that has been greeted? */
  get #socket() {
    return this.#line?.greeted && this.#line.send;
  }

  #emit(type, detail) {
    this.dispatchEvent(new FeedEvent(type, detail));
  }

  #say(state, reason = '', retryMs = null, transport = null) {
    if (this.#closed) return; // by a reader, in the middle of something
    this.state = { state, reason, retryMs, transport };
    this.#emit('state', this.state);
  }

  #soon(run) {
    queueMicrotask(() => this.#closed || run());
  }

  /** One timer of each name; without `run` it only ends. */
  #timer(name, ms, run) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = run && !this.#closed && setTimeout(run, ms);
  }

  #watch(ms = this.#line.greeted ? this.#silenceMs : WELCOME_MS) {
    this.#timer('watch', ms, () => {
      if (!this.#line.send) this.#silenceMs *= 2; // events do not tell the rhythm: it may be slower
      this.#lost({ detail: 'nothing heard' });
    });
  }

  #address(path, scheme) {
    const url = new URL(path, this.#base);
    url.protocol = url.protocol.replace(/^(http|ws)/, scheme);
    return url;
  }

  // --- the life of a line ---

  #connect() {
    if (this.#closed) return;
    this.#drop();
    const { transport, WebSocket } = this.#options;
    if (transport === 'sse' || !WebSocket || (transport !== 'ws' && this.#overEvents)) {
      this.#openEvents();
    } else {
      this.#line = this.#openSocket();
    }
    if (this.#line) this.#watch();
  }

  #openSocket() {
    const line = openSocket(this.#options.WebSocket, this.#address('ws', 'ws').href, {
      text: (text) => this.#hear(line, text),
      end: (how) => (line === this.#trial ? this.#tryLater() : this.#lost(how)),
    });
    line.asked = new Map();
    return line;
  }

  #names() {
    return [...plan(this.#subs).keys()].filter((name) => !this.#unknown.has(name)).join();
  }

  #openEvents() {
    const names = this.#names();
    // The id stands for what a stream has brought, not for other symbols.
    if (names !== this.#streamed) this.#lastId = '';
    this.#streamed = names;
    if (!names) return; // until somebody subscribes
    const { fetch, transport, WebSocket } = this.#options;
    const url = this.#address('api/v1/stream', 'http');
    url.searchParams.set('symbols', names);
    const headers = {};
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
    const line = openEvents(fetch, url, headers, {
      open: () => {
        line.greeted = true;
        this.#watch(); // the first event may be long in coming
        this.#trusted();
        this.#live(line);
        if (transport !== 'sse' && WebSocket) this.#tryLater();
      },
      heard: () => this.#watch(),
      event: ({ id, event, data }) => {
        this.#take({ type: event, data: [this.#parse(data)] });
        this.#lastId = id;
      },
      end: (how) => this.#lost(how),
    });
    this.#line = line;
  }

  /** Over events: is the way for a WebSocket free by now? */
  #tryLater() {
    this.#trial?.close();
    this.#trial = null;
    this.#timer('trial', this.#trialMs * (0.5 + Math.random()), () => {
      this.#trialMs = Math.min(2 * this.#trialMs, 600_000);
      this.#trial = this.#openSocket();
      this.#timer('trial', WELCOME_MS, () => this.#tryLater());
    });
  }

  #drop(dead) {
    for (const name of ['watch', 'trial', 'retry', 'settle']) this.#timer(name);
    if (this.#line?.liveAt) {
      this.#timer('grace', this.#options.graceMs, () => this.#book.distrust());
    }
    this.#line?.close(dead);
    this.#trial?.close();
    this.#line = this.#trial = null;
    for (const { reject } of this.#waiting.values()) reject(new Error('the line was lost'));
    this.#waiting.clear();
  }

  /** how: {code} of a WebSocket; {status, detail, symbols, retryMs} of HTTP; {detail}; {refused}. */
  #lost(how) {
    const { code, status, detail, refused } = how;
    const { greeted, returnMs, liveAt } = this.#line ?? {};
    this.#drop(true);
    if (Date.now() - liveAt >= STEADY_MS) this.#attempt = 0;
    if (greeted) this.#unknown.clear();
    // Two WebSockets in a row that do not open: it may be forbidden to them on the way. If events do
    // not come either, it is not that.
    if (greeted || refused || status === 401 || status === 404) this.#misses = 0;
    else this.#overEvents = !this.#overEvents && ++this.#misses % 2 === 0;
    if (status === 404 && how.symbols) return this.#without(how);
    if (status === 401 || code === 4001) {
      this.#say('reconnecting', TOKEN_NEEDED);
      return this.#wantToken();
    }
    if (refused) this.#renewals = 0;
    const soon = SOON.includes(code) && !refused;
    const asked = returnMs ?? how.retryMs ?? Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** this.#attempt++);
    const retryMs = soon ? Math.min(asked, 2 * CAP_MS) : CAP_MS * (1 + Math.random());
    const end = code ?? status ?? 1006;
    const reason = detail ?? WHY[end] ?? `${NOT_THERE} (${end})`;
    if (this.#online) this.#say(refused ? 'offline' : 'reconnecting', reason, retryMs);
    else this.#say('offline', 'this device has no network', retryMs);
    this.#timer('retry', retryMs, () => this.#connect());
  }

  #live(line) {
    if (line.liveAt) return;
    line.liveAt = Date.now();
    this.#timer('grace');
    this.#book.doubt();
    this.#timer('settle', SETTLE_MS, () => this.#book.settle());
    this.#say('live', '', null, line.send ? 'ws' : 'sse');
  }

  // --- tokens ---

  /** True: there is another token than before. */
  async #renew() {
    const { getToken } = this.#options;
    if (!getToken || this.#renewing) return false;
    this.#renewing = true;
    const old = this.#token;
    try {
      this.#token = (await getToken()) ?? old;
    } catch (error) {
      this.#emit('error', { error: 'no_token', message: `getToken failed: ${error?.message}` });
    }
    this.#renewing = false;
    return this.#token !== old;
  }

  /** The gateway does not take the one that there is. */
  async #wantToken() {
    if (this.#renewing) return;
    const line = this.#line;
    const other = this.#renewals++ < 2 && (await this.#renew());
    if (line !== this.#line || this.#closed) return;
    if (!other) this.#lost({ detail: TOKEN_NEEDED, refused: true });
    else if (line) this.#authenticate();
    else this.#connect();
  }

  #authenticate() {
    this.#line.authSent = true;
    this.#line.send({ action: 'auth', id: 'auth', token: this.#token });
  }

  /** The gateway takes this token: the next one is asked for before it ends. */
  #trusted() {
    this.#renewals = 0;
    const left = timeLeft(this.#token, Date.now() + this.clockSkewMs);
    if (!this.#options.getToken || !(left > 0)) return;
    this.#timer('token', Math.min(left - Math.min(60_000, left / 5), 2 ** 31 - 1), async () => {
      if (await this.#renew()) this.setToken(this.#token);
    });
  }

  // --- what is asked for ---

  /** Soon, so that many subscriptions made at once are one command. */
  #sync() {
    this.#book.prune();
    if (this.#syncing) return;
    this.#syncing = true;
    this.#soon(() => {
      this.#syncing = false;
      // A stream is asked for once; without one it may have waited for a first symbol.
      if (this.#line?.send) this.#ask();
      else if ((this.#line || this.#streamed === '') && this.#names() !== this.#streamed) this.#connect();
    });
  }

  #ask() {
    const line = this.#line;
    if (!this.#socket || line.authSent) return;
    const to = plan(this.#subs);
    const { gone, groups } = changes(line.asked, to);
    const planned = JSON.stringify([...to]);
    const known = !line.asked.size && planned === this.#planned;
    this.#planned = planned;
    line.asked = to;
    if (gone.length) line.send({ action: 'unsubscribe', symbols: gone });
    for (const group of groups) {
      const message = { action: 'subscribe', id: 's', ...group, since: known ? this.#book.since(group.symbols) : undefined };
      // Without it everything comes, and what is held stops at the book.
      if (JSON.stringify(message).length > line.bytes) delete message.since;
      line.send(message);
    }
    if (!to.size) this.#live(line);
  }

  #askAgain() {
    this.#line.asked = new Map();
    this.#ask();
  }

  // --- what is heard ---

  #parse(text) {
    try {
      return this.#options.parse(text);
    } catch {
      return null; // not for us; the gateway sends JSON only
    }
  }

  #hear(line, text) {
    const message = this.#parse(text);
    if (line === this.#trial) {
      if (message?.type !== 'welcome') return;
      this.#trial = null; // the way is free: over to it
      this.#drop();
      this.#line = line;
      this.#overEvents = false;
      this.#trialMs = 1_000;
    }
    if (message) this.#take(message);
  }

  #take(m) {
    this.#watch();
    if (m.ts) this.clockSkewMs = m.ts - Date.now();
    const line = this.#line;
    switch (m.type) {
      case 'welcome':
        line.greeted = true;
        line.bytes = m.limits?.message_bytes;
        // Two missed heartbeats and a half: the line is dead even if no close was seen.
        this.#silenceMs = 2.5 * m.heartbeat_ms || this.#silenceMs;
        this.#watch();
        if (this.#token) this.#authenticate();
        else this.#ask();
        break;
      case 'authenticated':
        line.authSent = false;
        this.#trusted();
        this.#askAgain();
        break;
      case 'subscribed':
        this.#live(line);
        for (const row of list(m.rejected)) this.#refuse(row.symbol, row.error, `${row.symbol}: ${row.message}`);
        break;
      case 'unsubscribed':
        if (!m.id) for (const symbol of m.symbols) this.#book.forget(symbol);
        break;
      case 'quote':
      case 'observation':
        for (const item of list(m.data)) this.#book.take(m.type, item, m.snapshot);
        break;
      case 'status':
        for (const status of list(m.data)) this.#book.takeStatus(status);
        break;
      case 'refreshed':
        this.#waiting.get(m.id)?.resolve(m);
        break;
      case 'goaway':
        line.returnMs = m.reconnect_ms;
        // The gateway stays: the next line is opened beside this one.
        if (m.reason === 'age') {
          this.#trialMs = +m.reconnect_ms + 100; // a text, where `parse` is exact
          this.#tryLater();
        }
        break;
      case 'flow':
        this.#emit('flow', m);
        break;
      case 'error':
        this.#takeError(m, line);
        break;
    }
    this.#emit('message', m);
    this.#waiting.delete(m.id);
  }

  #takeError(m, line) {
    const code = +m.code;
    this.#waiting.get(m.id)?.reject(Object.assign(new Error(m.message), m));
    this.#emit('error', m);
    if (code === 402) line.authSent = false;
    if (code === 402 || (code === 401 && !line.authSent)) {
      this.#wantToken();
    } else if (code > 428 && m.id === 's') {
      this.#lost({ code: 4008 }); // what was asked for is missing: all of it once more, later
    }
  }

  #refuse(symbol, error, message) {
    if (this.#book.get(symbol).status?.reason === error) return;
    this.#book.takeStatus({ symbol, state: 'unavailable', reason: error, message });
    this.#emit('error', { error, message, symbol });
  }

  /** A stream was refused for these. */
  #without({ symbols, detail }) {
    for (const symbol of symbols) {
      this.#unknown.add(symbol);
      this.#refuse(symbol, 'unknown_symbol', detail);
    }
    this.#connect();
  }
}
