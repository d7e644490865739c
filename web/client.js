// The connection to the gateway: one WebSocket that is always wanted. Subscribes to everything,
// notices a dead line by the missing heartbeat, and comes back by itself: exponential back-off with
// full jitter, so that a thousand pages do not return in the same instant, or at the moment that the
// gateway named in its `goaway`. After a return it subscribes again and the snapshot brings
// everything up to date. Knows neither prices nor the page. No DOM: the socket, timers and chance
// can be replaced by a test.

import { number, parseExact, plain } from './quote.js';

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
const WELCOME_WITHIN_MS = 10_000;
const PROBE_WITHIN_MS = 5_000;
const STEADY_AFTER_MS = 10_000; // a connection that lived this long makes the next back-off short
const DEFAULT_HEARTBEAT_MS = 20_000;
const SUBSCRIBE = 'all'; // names our own command: what the gateway says unasked has no id
const TOKEN_NEEDED = 'a valid token is needed: add #token=\u2026 to the address of this page';

/** The wait before attempt n (0 = the first return): anywhere between 0 and the doubling bound. */
export function backoff(attempt, random) {
  return Math.round(random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt));
}

/** A wait that somebody else has chosen, within reason. */
function clamp(ms) {
  return ms === null ? null : Math.min(Math.max(ms, 0), 2 * BACKOFF_CAP_MS);
}

export class FeedClient {
  #env;
  #socket = null;
  #watchdog = null; // fires when the line has been silent for too long
  #retry = null;
  #attempt = 0;
  #silenceMs = WELCOME_WITHIN_MS;
  #liveSince = null;
  #returnMs = null; // what goaway asked for
  #reason = '';
  #refused = false; // for want of a good token: no use in hurrying back
  #wanted = false;
  #online = true;

  /** onState({state, reason, retryMs}): connecting | live | reconnecting | offline.
   *  onMessage(message): every message of the gateway, numbers as text. */
  constructor({ url, token = null, onState, onMessage, env = {} }) {
    this.url = url;
    this.token = token;
    this.onState = onState;
    this.onMessage = onMessage;
    this.#env = {
      WebSocket: globalThis.WebSocket,
      setTimeout: (f, ms) => setTimeout(f, ms),
      clearTimeout: (t) => clearTimeout(t),
      random: Math.random,
      now: () => Date.now(),
      ...env,
    };
  }

  start() {
    this.#wanted = true;
    this.onState({ state: 'connecting', reason: '' });
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    this.#drop();
    this.#env.clearTimeout(this.#retry);
  }

  /** The device lost or found its network. A gateway on this very machine can be reached without
   *  one, so nothing is cut and trying goes on; a return of the network is used at once. */
  setOnline(online) {
    this.#online = online;
    if (!online || !this.#wanted) return;
    if (this.#socket) {
      this.#probe();
      return;
    }
    this.#attempt = 0;
    this.#env.clearTimeout(this.#retry);
    this.onState({ state: 'reconnecting', reason: '' });
    this.#connect();
  }

  /** Is this line still alive? The answer must come soon. */
  #probe() {
    if (this.#socket.readyState !== 1) return;
    this.#send({ action: 'ping' });
    this.#rearm(PROBE_WITHIN_MS);
  }

  #connect() {
    this.#reason = '';
    this.#refused = false;
    this.#returnMs = null;
    const socket = new this.#env.WebSocket(this.url);
    this.#socket = socket;
    this.#silenceMs = WELCOME_WITHIN_MS;
    this.#rearm();
    socket.onmessage = (event) => this.#receive(event.data);
    // onerror says nothing that onclose does not say; browsers hide the cause from the page.
    socket.onclose = (event) => this.#lost(this.#reason || closeReason(event));
  }

  #receive(text) {
    this.#rearm();
    let message;
    try {
      message = parseExact(text);
    } catch {
      return; // not for us; the gateway sends JSON only
    }
    if (message === null || typeof message !== 'object') return;
    switch (message.type) {
      case 'welcome':
        // Two missed heartbeats and a half: the line is dead even if no close was seen.
        this.#silenceMs = 2.5 * (number(message.heartbeat_ms) ?? DEFAULT_HEARTBEAT_MS);
        this.#rearm();
        if (this.token) this.#send({ action: 'auth', token: this.token });
        this.#send({ action: 'subscribe', id: SUBSCRIBE, symbols: ['*'] });
        break;
      case 'subscribed':
        this.#liveSince = this.#env.now();
        this.onState({ state: 'live', reason: '' });
        break;
      case 'goaway':
        this.#returnMs = clamp(number(message.reconnect_ms));
        this.#reason = `the gateway says: ${plain(message.reason) || 'go away'}`;
        break;
      case 'error':
        if (message.code === '401' || message.code === '402') {
          this.#refused = true;
          this.#lost(TOKEN_NEEDED);
        }
        break;
    }
    this.onMessage(message);
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #rearm(ms = this.#silenceMs) {
    this.#env.clearTimeout(this.#watchdog);
    this.#watchdog = this.#env.setTimeout(() => this.#lost('nothing heard from the gateway'), ms);
  }

  #drop() {
    this.#env.clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lost(reason) {
    this.#drop();
    this.#env.clearTimeout(this.#retry);
    if (this.#liveSince !== null && this.#env.now() - this.#liveSince >= STEADY_AFTER_MS) {
      this.#attempt = 0;
    }
    this.#liveSince = null;
    const retryMs = this.#refused
      ? BACKOFF_CAP_MS
      : (this.#returnMs ?? backoff(this.#attempt, this.#env.random));
    this.#attempt++;
    const offline = this.#refused || !this.#online;
    this.onState({
      state: offline ? 'offline' : 'reconnecting',
      reason: this.#online ? reason : 'this device has no network',
      retryMs,
    });
    this.#retry = this.#env.setTimeout(() => this.#connect(), retryMs);
  }
}

function closeReason(event) {
  switch (event.code) {
    case 1001:
      return 'the gateway shuts down';
    case 1006:
      return 'the gateway cannot be reached';
    case 4001:
      return TOKEN_NEEDED;
    default:
      return `closed with code ${event.code}`;
  }
}
