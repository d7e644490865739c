// A WebSocket client for tests: keeps everything that came, waits for what should come.
//
//   const client = await connectWs(gateway.wsUrl);
//   client.send({action: 'subscribe', symbols: ['*'], id: 1});
//   const ack = await client.next((m) => m.type === 'subscribed');
//
// next() looks through what has not been asked about yet, in order, and forgets what lies before
// the match. Every message is the parsed object with its text as `text` (not enumerable).

import WebSocket from 'ws';

import { within } from './wait.js';

export class WsClient {
  constructor(url, options = {}) {
    this.messages = [];
    this.waiters = [];
    this.asked = 0; // everything before this index of messages has been asked about
    this.socket = new WebSocket(url, options.protocols ?? [], {
      perMessageDeflate: false,
      ...options,
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('unexpected-response', (request, response) => {
        const refused = new Error(`refused with ${response.statusCode}`);
        refused.status = response.statusCode;
        refused.headers = response.headers;
        request.destroy();
        reject(refused);
      });
      this.socket.on('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('message', (data, isBinary) => this.#take(data.toString(), isBinary));
  }

  #take(text, isBinary) {
    const message = isBinary ? { type: 'binary' } : JSON.parse(text);
    Object.defineProperty(message, 'text', { value: text });
    this.messages.push(message);
    for (const waiter of [...this.waiters]) waiter();
  }

  /** Sends an object as JSON, or a string or buffer as it is. */
  send(message) {
    const raw = typeof message === 'string' || Buffer.isBuffer(message);
    this.socket.send(raw ? message : JSON.stringify(message));
  }

  async next(matches = () => true, ms = 5000, what = 'a message') {
    let waiter;
    const found = new Promise((resolve) => {
      waiter = () => {
        const at = this.messages.findIndex((m, i) => i >= this.asked && matches(m));
        if (at < 0) return;
        this.asked = at + 1;
        this.waiters = this.waiters.filter((w) => w !== waiter);
        resolve(this.messages[at]);
      };
      this.waiters.push(waiter);
      waiter();
    });
    try {
      return await within(found, `${what} over the WebSocket`, ms);
    } catch (error) {
      const seen = this.messages.slice(this.asked).map((m) => m.text.slice(0, 300));
      throw new Error(`${error.message}; ${seen.length} others came: ${seen.slice(-5).join(' ')}`);
    } finally {
      this.waiters = this.waiters.filter((w) => w !== waiter);
    }
  }

  nextType(type, ms) {
    return this.next((m) => m.type === type, ms, `a ${type}`);
  }

  /** The next quote item (snapshot or update) that matches. */
  async nextQuote(symbol, matches = () => true, ms = 10_000) {
    let item;
    await this.next(
      (m) =>
        m.type === 'quote' && (item = m.data.find((q) => q.symbol === symbol && matches(q, m))),
      ms,
      `a quote of ${symbol}`,
    );
    return item;
  }

  /** The next observation, as nextQuote(). */
  async nextObservation(name, matches = () => true, ms = 10_000) {
    let item;
    await this.next(
      (m) =>
        m.type === 'observation' && (item = m.data.find((o) => o.symbol === name && matches(o, m))),
      ms,
      `an observation of ${name}`,
    );
    return item;
  }

  async nextStatus(symbol, state, ms = 10_000) {
    let row;
    await this.next(
      (m) =>
        m.type === 'status' && (row = m.data.find((s) => s.symbol === symbol && s.state === state)),
      ms,
      `status ${state} of ${symbol}`,
    );
    return row;
  }

  close(code, reason) {
    this.socket.close(code, reason);
    return within(this.closed, 'the close', 5000);
  }

  terminate() {
    this.socket.terminate();
  }
}

/** Connected, and (unless options.welcome is false) greeted: client.welcome. */
export async function connectWs(url, options = {}) {
  const client = new WsClient(url, options);
  await within(client.opened, 'the WebSocket opens');
  if (options.welcome !== false) client.welcome = await client.nextType('welcome');
  return client;
}
