// pricegate-client: live prices from a pricegate. One PriceFeed is one connection that is always
// wanted; README.md is its manual.
//
//     subscriptions ─ plan ─► line (WebSocket, or Server-Sent Events) ─► book ─► subscriptions
//
// The line may end at any moment; the book stays. A new line is told what the book holds (`since`),
// and what comes twice all the same, or late, stops at the book. While there is no line nobody
// vouches for any price, so after a moment's grace each is called stale, until the gateway has been
// heard again: a state that it does not mention after its snapshot is the one in the item.

import { openEvents, openSocket } from './lines.js';
import { Subscription, covers, plan } from './subscription.js';

const BASE_MS = 500; // the first wait is up to this
const CAP_MS = 30_000;
const WELCOME_MS = 10_000; // a gateway that has not greeted by then is not there
const PONG_MS = 5_000;
const STEADY_MS = 10_000; // a line that lived this long makes the next wait short
const SETTLE_MS = 300; // states that were not told by then are those of the items
const TRY_SOCKET_MS = 1_000; // over events: when the WebSocket is tried again, at first
const TOKEN_NEEDED = 'the gateway wants a valid token: give one as token or getToken, or call setToken()';

/** The end of a line, by close code: [why, whether to stay away for a while]. Others: come back soon. */
const ENDS = {
  1001: ['the gateway shuts down'],
  1006: ['the gateway cannot be reached'],
  1008: ['an administrator has closed this connection', true],
  1009: ['the gateway found a message too long', true],
  1013: ['the gateway has no room now', true],
  4008: ['too many commands in a minute: subscribe to many symbols at once', true],
};

class FeedEvent extends Event {
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

/** The wait before attempt n (0 = the first return): anywhere between 0 and the doubling bound. */
export function backoff(attempt, random) {
  return Math.round(random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt));
}

/** Not older than what is held, and not the same. again: it may be the very item, sent once more. */
export function isNews(item, held, again) {
  if (!held) return true;
  if (Number(item.ts) < Number(held.ts)) return false;
  const [epoch, count] = `${item.seq ?? ''}`.split(':');
  const [heldEpoch, heldCount] = `${held.seq ?? ''}`.split(':');
  if (epoch && epoch === heldEpoch) return Number(count) > Number(heldCount);
  return !(again && JSON.stringify(item) === JSON.stringify(held));
}

/** When a JWT ends, in ms; NaN for other tokens. */
function expiry(token) {
  try {
    return JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).exp * 1000;
  } catch {
    return NaN;
  }
}

export class PriceFeed extends EventTarget {
  #o;
  #base;
  #token;
  #renewing = null;
  #renewals = 0; // tokens asked for since the last one that was taken
  #authSent = false; // and not answered
  #again = false; // everything is to be asked for again once the token is taken
  #subs = new Set();
  #readers = new Map(); // symbol -> its subscriptions
  #book = new Map(); // symbol -> {item, status, unsure}
  #line = null;
  #socket = null; // tried beside a line of events
  #socketMs = TRY_SOCKET_MS;
  #overEvents = false;
  #misses = 0; // WebSockets in a row that did not open
  #lastId = '';
  #eventNames = '';
  #unknown = new Set(); // a stream is refused as a whole for one of these
  #greeted = false;
  #sent = new Map(); // name -> its options, on this line
  #known = new Map(); // the same, on any line: what the book holds came by these
  #commandBytes = Infinity;
  #asked = new Map();
  #count = 0;
  #timers = {};
  #attempt = 0;
  #silenceMs = WELCOME_MS;
  #heartbeatMs = 20_000;
  #liveAt = null;
  #returnMs = null; // what goaway asked for
  #online = true;
  #syncing = false;
  #onNetwork = (event) => this.setOnline(event.type === 'online');
  state = { state: 'connecting', reason: '', retryMs: null, transport: null };
  clockSkewMs = 0;

  constructor(url = globalThis.document?.baseURI, options = {}) {
    super();
    this.#o = {
      transport: 'auto',
      parse: JSON.parse,
      graceMs: 2_000,
      WebSocket: globalThis.WebSocket,
      fetch: (...args) => globalThis.fetch(...args),
      setTimeout: (f, ms) => setTimeout(f, ms),
      clearTimeout: (timer) => clearTimeout(timer),
      random: Math.random,
      now: Date.now,
      ...options,
    };
    try {
      this.#base = new URL(url, globalThis.document?.baseURI);
      this.#address('ws', 'ws');
    } catch {
      throw new TypeError(`"${url}" is no address of a gateway: write https://host/ or wss://host/`);
    }
    this.#token = this.#o.token ?? null;
    globalThis.addEventListener?.('online', this.#onNetwork);
    globalThis.addEventListener?.('offline', this.#onNetwork);
    queueMicrotask(() => this.#start());
  }

  // --- for readers ---

  /** symbols: one or a list, with patterns ("EUR/*", "*"). */
  subscribe(symbols, options) {
    if (this.state.state === 'closed') throw new Error('this feed is closed: make a new PriceFeed');
    const sub = new Subscription(symbols, options, {
      held: (s) => this.#held(s).map(([, entry]) => entry.item),
      onClose: (s) => {
        this.#subs.delete(s);
        this.#resync();
      },
    });
    this.#subs.add(sub);
    this.#resync();
    queueMicrotask(() => {
      for (const [, { item, status, kind }] of this.#held(sub)) {
        if (sub.closed) return;
        sub.take(kind, item);
        if (status.state !== item.state) sub.takeStatus(status);
      }
    });
    return sub;
  }

  #held(sub) {
    return [...this.#book].filter(([symbol, entry]) => entry.item && sub.wants(symbol));
  }

  quote(symbol) {
    return this.#book.get(symbol)?.item;
  }

  status(symbol) {
    return this.#book.get(symbol)?.status;
  }

  /** The gateway asks the providers now (role analyst). Resolves with its answer. */
  refresh(symbols) {
    return new Promise((resolve, reject) => {
      if (!this.#greeted || !this.#line.send) throw new Error('refresh needs a live WebSocket');
      const id = `r${++this.#count}`;
      this.#asked.set(id, { resolve, reject });
      this.#line.send({ action: 'refresh', id, symbols: [symbols].flat() });
    });
  }

  setToken(token) {
    this.#token = token;
    this.#renewals = 0;
    if (this.state.state === 'closed') return;
    if (this.#line?.send && this.#line.open()) {
      if (this.#greeted) this.#authenticate(true);
    } else {
      this.#drop();
      this.#connect();
    }
  }

  /** The device lost or found its network (heard by itself in a browser). A gateway on this very
   *  machine needs none, so nothing is cut; a return of the network is used at once. */
  setOnline(online) {
    this.#online = online;
    if (!online || this.state.state === 'closed') return;
    if (this.#line?.send) {
      if (!this.#line.open()) return;
      this.#line.send({ action: 'ping' });
      this.#watch(PONG_MS);
    } else if (!this.#line || !this.#greeted) {
      this.#drop();
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
    globalThis.removeEventListener?.('online', this.#onNetwork);
    globalThis.removeEventListener?.('offline', this.#onNetwork);
  }

  // --- the life of a line ---

  #emit(type, detail) {
    this.dispatchEvent(new FeedEvent(type, detail));
  }

  #fail(error, message, more) {
    this.#emit('error', { error, message, ...more });
  }

  #say(state, reason = '', retryMs = null) {
    const transport = state === 'live' ? (this.#line.send ? 'ws' : 'sse') : null;
    this.state = { state, reason, retryMs, transport };
    this.#emit('state', this.state);
  }

  /** One timer of each name; without `run` it only ends. */
  #timer(name, ms, run) {
    this.#o.clearTimeout(this.#timers[name]);
    this.#timers[name] = run && this.#o.setTimeout(run, ms);
  }

  #watch(ms = this.#silenceMs) {
    this.#timer('watch', ms, () => this.#lost({ reason: 'nothing heard from the gateway', dead: true }));
  }

  #address(path, scheme) {
    const url = new URL(path, this.#base);
    url.protocol = url.protocol.replace(/^(http|ws)/, scheme);
    return url;
  }

  async #start() {
    if (this.state.state === 'closed') return;
    this.#say('connecting');
    if (!this.#token) await this.#renew();
    if (!this.#line) this.#connect();
  }

  #connect() {
    if (this.state.state === 'closed') return;
    this.#timer('retry');
    const { transport, WebSocket } = this.#o;
    this.#returnMs = null;
    this.#greeted = this.#authSent = false;
    this.#silenceMs = WELCOME_MS;
    if (transport === 'sse' || !WebSocket || (transport === 'auto' && this.#overEvents)) {
      this.#openEvents();
    } else {
      this.#line = this.#openSocket();
      this.#watch();
    }
  }

  #openSocket() {
    const line = openSocket(this.#o.WebSocket, this.#address('ws', 'ws').href, {
      onText: (text) => this.#hear(line, text),
      onEnd: (how) => {
        if (line === this.#socket) this.#trySocketLater();
        else this.#lost(how);
      },
    });
    return line;
  }

  #openEvents() {
    const names = plan(this.#subs).map((w) => w.name).filter((name) => !this.#unknown.has(name)).join();
    if (!names) return; // until somebody subscribes
    // The id of a stream stands for what that stream has brought, not for other symbols.
    if (names !== this.#eventNames) this.#lastId = '';
    this.#eventNames = names;
    const url = this.#address('api/v1/stream', 'http');
    url.searchParams.set('symbols', names);
    const headers = {};
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
    this.#line = openEvents(this.#o.fetch, url, headers, {
      onOpen: () => {
        this.#silenceMs = 2.5 * this.#heartbeatMs;
        this.#greeted = true;
        this.#renewals = 0;
        this.#expect();
        this.#live();
        if (this.#o.transport === 'auto' && this.#o.WebSocket) this.#trySocketLater();
      },
      onHeard: () => this.#watch(),
      onEvent: ({ id, event, data }) => {
        this.#take({ type: event, data: [this.#parse(data)] });
        this.#lastId = id;
      },
      onEnd: (how) => this.#lost(how),
    });
    this.#watch();
  }

  /** Over events: is the way for a WebSocket free by now? */
  #trySocketLater() {
    this.#socket?.close();
    this.#socket = null;
    this.#timer('socket', this.#socketMs * (0.5 + this.#o.random()), () => {
      this.#socketMs = Math.min(2 * this.#socketMs, 600_000);
      this.#socket = this.#openSocket();
      this.#timer('socket', WELCOME_MS, () => this.#trySocketLater());
    });
  }

  #drop(dead) {
    this.#timer('watch');
    this.#timer('socket');
    this.#timer('settle');
    this.#line?.close(dead);
    this.#socket?.close();
    this.#line = this.#socket = null;
    this.#greeted = false;
    this.#sent.clear();
    for (const { reject } of this.#asked.values()) reject(new Error('the connection was lost before the answer'));
    this.#asked.clear();
  }

  /** how: {code} of a WebSocket, {status, detail, symbols, retryMs} of HTTP, {reason}; {refused}. */
  #lost(how) {
    const opened = this.#greeted;
    const { status } = how;
    this.#drop(how.dead);
    if (this.#liveAt !== null && this.#o.now() - this.#liveAt >= STEADY_MS) this.#attempt = 0;
    if (this.#liveAt !== null) this.#timer('grace', this.#o.graceMs, () => this.#goBlind());
    this.#liveAt = null;
    // Two WebSockets in a row that do not open: it may be forbidden to them on the way. If events do
    // not come either, it is not that.
    if (opened) this.#misses = 0;
    else if (status !== 401 && status !== 404) this.#misses = this.#overEvents ? 0 : this.#misses + 1;
    this.#overEvents = opened ? this.#overEvents : this.#misses > 1 || status === 401 || status === 404;
    if (status === 404 && how.symbols?.length) return this.#reject(how.symbols);
    if (how.code === 4001 || status === 401) return this.#wantToken();
    const [why, away] = ENDS[how.code] ?? [];
    const reason = how.reason || how.detail || why || 'the gateway cannot be reached';
    const calm = CAP_MS * (1 + this.#o.random());
    const retryMs = how.refused || away ? calm : Math.min(this.#returnMs ?? how.retryMs ?? backoff(this.#attempt, this.#o.random), 2 * CAP_MS);
    this.#attempt++;
    if (this.#online) this.#say(how.refused ? 'offline' : 'reconnecting', reason, retryMs);
    else this.#say('offline', 'this device has no network', retryMs);
    this.#timer('retry', retryMs, () => this.#connect());
  }

  // --- tokens ---

  /** True: there is another token than before. */
  #renew() {
    const { getToken } = this.#o;
    if (!getToken) return Promise.resolve(false);
    this.#renewing ??= (async () => {
      try {
        const token = await getToken();
        const other = Boolean(token) && token !== this.#token;
        if (other) this.#token = token;
        return other;
      } catch (error) {
        this.#fail('no_token', `getToken failed: ${error?.message ?? error}`);
        return false;
      } finally {
        this.#renewing = null;
      }
    })();
    return this.#renewing;
  }

  async #wantToken() {
    if (this.#renewing) return;
    const line = this.#line;
    const other = this.#renewals++ < 2 && (await this.#renew());
    if (line !== this.#line || this.state.state === 'closed') return;
    if (!other) this.#lost({ reason: TOKEN_NEEDED, refused: true });
    else if (line) this.#authenticate(true);
    else this.#connect();
  }

  #authenticate(again) {
    this.#again = again;
    this.#authSent = true;
    this.#line.send({ action: 'auth', id: 'auth', token: this.#token });
  }

  /** Asks for the next token before this one ends. */
  #expect() {
    const left = expiry(this.#token ?? '') - this.#o.now() - this.clockSkewMs;
    if (!this.#o.getToken || !(left > 0)) return;
    this.#timer('token', Math.min(left - Math.min(60_000, left / 5), 2 ** 31 - 1), async () => {
      if (await this.#renew()) this.setToken(this.#token);
      else this.#expect();
    });
  }

  // --- what is asked for ---

  #resync() {
    this.#readers.clear();
    if (this.#syncing) return;
    this.#syncing = true;
    queueMicrotask(() => {
      this.#syncing = false;
      this.#sync();
    });
  }

  #sync() {
    for (const symbol of this.#book.keys()) if (!this.#readersOf(symbol).length) this.#book.delete(symbol);
    this.#unknown.clear();
    const wanted = plan(this.#subs);
    const names = new Set(wanted.map((w) => w.name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    if (this.state.state === 'closed') return;
    if (this.#line?.send) {
      if (this.#greeted) this.#ask(wanted, names);
    } else if ([...names].join() !== this.#eventNames && this.#overEventsNow()) {
      this.#drop();
      this.#connect();
    }
  }

  #overEventsNow() {
    return this.#line ? !this.#line.send : this.state.state === 'connecting' && !this.#o.WebSocket;
  }

  /** Says what differs from what was asked for on this line, in commands for names of like options. */
  #ask(wanted, names) {
    const touched = [...this.#sent.keys()].filter((name) => !names.has(name));
    if (touched.length) this.#line.send({ action: 'unsubscribe', symbols: touched });
    for (const name of touched) this.#sent.delete(name);
    const groups = [];
    for (const { name, ...options } of wanted) {
      const key = JSON.stringify(options);
      if (this.#sent.get(name) === key && !touched.some((t) => covers(t, name) || covers(name, t))) continue;
      touched.push(name);
      // What came in another form may lack members now wanted.
      const fresh = this.#known.get(name) !== key;
      const last = groups.at(-1);
      if (last?.key === key && last.fresh === fresh) last.symbols.push(name);
      else groups.push({ key, fresh, options, symbols: [name] });
      this.#sent.set(name, key);
      this.#known.set(name, key);
    }
    for (const { symbols, options, fresh } of groups) this.#subscribe(symbols, options, fresh);
    if (!names.size) this.#live();
  }

  #subscribe(symbols, options, fresh) {
    const since = {};
    for (const [symbol, { item }] of fresh ? [] : this.#book) {
      if (item?.seq && symbols.some((name) => name === symbol || covers(name, symbol))) since[symbol] = item.seq;
    }
    const message = { action: 'subscribe', id: `s${++this.#count}`, symbols, ...options, since };
    if (JSON.stringify(message).length < this.#commandBytes) return this.#line.send(message);
    if (symbols.length === 1) return this.#line.send({ ...message, since: {} });
    const half = symbols.length >> 1;
    this.#subscribe(symbols.slice(0, half), options, fresh);
    this.#subscribe(symbols.slice(half), options, fresh);
  }

  // --- what is heard ---

  #parse(text) {
    try {
      return this.#o.parse(text);
    } catch {
      return null; // not for us; the gateway sends JSON only
    }
  }

  #hear(line, text) {
    const message = this.#parse(text);
    if (message === null || typeof message !== 'object') return;
    if (line === this.#socket) {
      if (message.type !== 'welcome') return;
      this.#socket = null; // the way is free
      this.#drop();
      this.#line = line;
      this.#overEvents = false;
      this.#misses = 0;
      this.#socketMs = TRY_SOCKET_MS;
    }
    this.#take(message);
  }

  #take(m) {
    this.#watch();
    if (m.ts !== undefined) this.clockSkewMs = Number(m.ts) - this.#o.now();
    switch (m.type) {
      case 'welcome':
        this.#greet(m);
        break;
      case 'authenticated':
        this.#authSent = false;
        this.#renewals = 0;
        this.#expect();
        if (this.#again) this.#askAgain();
        break;
      case 'subscribed':
        this.#subscribed(m);
        break;
      case 'unsubscribed':
        if (m.id === undefined && Array.isArray(m.symbols)) for (const symbol of m.symbols) this.#remove(symbol);
        break;
      case 'quote':
      case 'observation':
        for (const item of list(m)) this.#takeItem(m.type, item, m.snapshot);
        break;
      case 'status':
        for (const status of list(m)) this.#takeStatus(status);
        break;
      case 'refreshed':
        this.#asked.get(m.id)?.resolve(m);
        this.#asked.delete(m.id);
        break;
      case 'goaway':
        this.#returnMs = Math.max(0, Number(m.reconnect_ms) || 0);
        break;
      case 'flow':
        this.#emit('flow', m);
        break;
      case 'error':
        this.#takeError(m);
        break;
    }
    this.#emit('message', m);
  }

  #greet(m) {
    this.#greeted = true;
    this.#heartbeatMs = Number(m.heartbeat_ms) || this.#heartbeatMs;
    // Two missed heartbeats and a half: the line is dead even if no close was seen.
    this.#silenceMs = 2.5 * this.#heartbeatMs;
    this.#commandBytes = Number(m.limits?.message_bytes) || Infinity;
    this.#watch();
    if (this.#token) this.#authenticate(false);
    this.#sync();
  }

  #askAgain() {
    this.#sent.clear();
    this.#sync();
  }

  #subscribed(m) {
    for (const { symbol, error, message } of m.rejected ?? []) this.#refuse(symbol, error, message);
    this.#live();
    // Unasked: instruments have joined by a pattern, but without its options.
    const plain = JSON.stringify({ interval_ms: 0 });
    if (m.id === undefined && [...this.#sent.values()].some((key) => key !== plain)) this.#askAgain();
  }

  #live() {
    if (this.state.state === 'live') return;
    this.#liveAt = this.#o.now();
    this.#timer('grace');
    for (const entry of this.#book.values()) entry.unsure = true;
    this.#timer('settle', SETTLE_MS, () => {
      for (const [symbol, { item, unsure }] of this.#book) {
        if (unsure && item) this.#takeStatus({ symbol, state: item.state });
      }
    });
    this.#say('live');
  }

  #goBlind() {
    for (const [symbol, { item }] of this.#book) {
      const since = this.#o.now() + this.clockSkewMs;
      if (item) this.#takeStatus({ symbol, state: 'stale', since, reason: 'disconnected' });
    }
  }

  #readersOf(symbol) {
    let readers = this.#readers.get(symbol);
    if (!readers) {
      readers = [...this.#subs].filter((sub) => sub.wants(symbol));
      this.#readers.set(symbol, readers);
    }
    return readers;
  }

  #takeItem(kind, item, snapshot) {
    const { symbol } = item;
    const readers = this.#readersOf(symbol);
    const entry = this.#book.get(symbol) ?? {};
    const held = entry.item;
    if (!readers.length) return;
    if (!isNews(item, held, snapshot || entry.unsure)) {
      // The same once more, in a fuller form: for those who asked for that.
      const fuller = item.seq && item.seq === held.seq && Object.keys(item).length > Object.keys(held).length;
      if (!fuller) return;
      entry.item = item;
      for (const sub of readers) if (!sub.fields || sub.fields.some((f) => f in item && !(f in held))) sub.take(kind, item);
      return;
    }
    const status = { symbol, state: item.state };
    const silent = !entry.status;
    this.#book.set(symbol, { item, kind, status: entry.status ?? status, unsure: false });
    for (const sub of readers) sub.take(kind, item);
    this.#emit(kind, item);
    if (!silent) this.#takeStatus(status);
  }

  #takeStatus(status) {
    const { symbol, state } = status;
    const readers = this.#readersOf(symbol);
    if (!readers.length) return;
    const entry = this.#book.get(symbol) ?? {};
    const old = entry.status;
    this.#book.set(symbol, { ...entry, status, unsure: false });
    if (old?.state === state && old?.reason === status.reason) return;
    for (const sub of readers) sub.takeStatus(status);
    this.#emit('status', status);
    if (state === 'stale' || state === 'unavailable') this.#emit('stale', status);
  }

  #remove(symbol) {
    this.#takeStatus({ symbol, state: 'unavailable', reason: 'removed' });
    this.#book.delete(symbol);
  }

  #refuse(symbol, error, message) {
    if (this.#book.get(symbol)?.status?.reason === error) return;
    this.#takeStatus({ symbol, state: 'unavailable', reason: error, message });
    this.#fail(error, `${symbol}: ${message}`, { symbol });
  }

  /** A stream that was refused for these is asked for without them. */
  #reject(symbols) {
    for (const symbol of symbols) {
      this.#unknown.add(symbol);
      this.#refuse(symbol, 'unknown_symbol', 'no instrument of this name is configured here');
    }
    this.#connect();
  }

  #takeError(m) {
    const code = Number(m.code);
    const asked = this.#asked.get(m.id);
    this.#asked.delete(m.id);
    asked?.reject(Object.assign(new Error(m.message), { code, error: m.error }));
    if (code === 402) this.#authSent = false;
    if (code === 402 || (code === 401 && !this.#authSent)) this.#wantToken();
    else if (`${m.id}`.startsWith('s') && code !== 401) {
      // Too many commands, or no memory: once more, later.
      if (code !== 400) this.#timer('again', 5_000 * (1 + this.#o.random()), () => this.#askAgain());
    }
    if (code === 401) this.#again = true;
    if (!asked) this.#fail(m.error, m.message, { code });
  }
}

function list(m) {
  return Array.isArray(m.data) ? m.data.filter((x) => typeof x?.symbol === 'string') : [];
}
