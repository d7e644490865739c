// What comes in: the list of instruments and the line of prices; and what keeps them. Both take round
// trips, so this is a script of its own in index.html, with few imports: it runs while the browser still
// reads the parts that show all this (app.js), and these find the first prices here.
//
// Tells of 'list' (it is here, or `problem` says why not) and 'change' (there is something new to draw).

import { PriceFeed } from '../client/index.js';
import { parseExact } from '../quote.js';
import { Access } from './access.js';
import { readAddress, writeAddress } from './address.js';
import { Recorder } from './candles.js';
import { Model } from './model.js';
import { Traffic } from './traffic.js';

/** In the place of WebSocket: the first one is that of early.js, if it is still open; then what it has
 *  heard is heard once more. */
function Socket(url) {
  const { socket, heard } = globalThis.early ?? {};
  globalThis.early = null;
  if (socket?.url !== url || socket.readyState > WebSocket.OPEN) return new WebSocket(url);
  queueMicrotask(() => heard.forEach((event) => socket.onmessage(event)));
  return socket;
}

class Intake extends EventTarget {
  access = new Access();
  model = new Model();
  recorder = new Recorder(this.model);
  answered = false; // the list is here, or it is known why not
  problem = ''; // why not
  #old = true; // the list may be another one by now

  constructor() {
    super();
    this.#takeToken();
    this.feed = new PriceFeed(document.baseURI, { token: this.access.token, parse: parseExact, WebSocket: Socket });
    this.traffic = new Traffic(this.feed);
    this.access.addEventListener('change', () => this.feed.setToken(this.access.token));
    this.feed.addEventListener('message', ({ detail }) => this.#hear(detail));
    this.feed.addEventListener('state', ({ detail }) => this.#follow(detail.state));
    // Said by the gateway, or by the feed itself while there is no gateway to vouch for a price.
    this.feed.addEventListener('status', ({ detail }) => {
      if (this.model.applyOwn(detail)) this.#tell('change');
    });
    this.feed.subscribe('*');
    this.load(); // at the same time as the connection is made
  }

  #tell(type) {
    this.dispatchEvent(new Event(type));
  }

  /** The one in the address that the page was opened with. */
  #takeToken() {
    const { token, ...rest } = readAddress(location.hash);
    if (!token) return;
    this.access.token = token;
    history.replaceState(null, '', writeAddress(rest) || location.pathname + location.search);
  }

  #hear(message) {
    // Unasked: the gateway has another configuration, and instruments have come or gone.
    if (/^(un)?subscribed$/.test(message.type) && message.id === undefined) this.load();
    if (this.model.apply(message, Date.now())) this.#tell('change');
  }

  #follow(state) {
    if (state === 'reconnecting') this.#old = true;
    if (state === 'live' && this.#old && this.answered) this.load();
  }

  /** What was refused before the list was here. */
  #recall() {
    for (const { symbol, heard } of this.model.rows()) {
      const status = heard ? null : this.feed.status(symbol);
      if (status) this.model.applyOwn(status);
    }
  }

  async load() {
    try {
      const reply = await this.access.fetch('api/v1/instruments');
      if (!reply.ok) throw new Error(`the gateway answered ${reply.status}`);
      const { data, observations } = parseExact(await reply.text());
      this.model.setInstruments(data, observations);
      this.#recall();
      this.#old = false;
      this.problem = '';
    } catch (error) {
      // That the gateway is away is said by the connection; the list is asked for when it is back.
      this.problem = `/api/v1/instruments: ${error.message}`;
    }
    this.answered = true;
    this.#tell('list');
  }
}

export const intake = new Intake();
