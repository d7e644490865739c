// What comes over the connection, counted: messages and items a second, and what was merged away,
// by the gateway (it says so in `flow`) and here (a second price of a symbol before the next frame
// is drawn; the page shows the newest). Also how often the connection was lost, and which pollers'
// epochs were seen. Listens to the feed from the start of the page; costs a few additions a message.

import { number, plain } from '../quote.js';

const SECONDS = 10; // rates are over the last ten whole seconds

export class Traffic {
  #slots = Array.from({ length: SECONDS + 1 }, () => ({ second: -1, messages: 0, items: 0 }));
  #frame = new Set(); // symbols that came since the last frame
  #painting = false;
  #startedMs;
  #now;
  messages = 0;
  items = 0;
  mergedHere = 0;
  mergedByGateway = 0;
  slowSpells = 0; // how often the gateway said so
  slowestMs = 0; // the longest of these
  losses = 0;
  lastLoss = null; // {atMs, reason}
  stateSinceMs;
  epoch = null; // of the newest seq
  epochs = 0; // how many different ones, one after the other
  welcome = null;

  constructor(feed, { now = Date.now, frame = (f) => requestAnimationFrame(f) } = {}) {
    this.#now = now;
    this.#startedMs = this.stateSinceMs = now();
    this.frame = frame;
    feed.addEventListener('message', ({ detail }) => this.#message(detail));
    feed.addEventListener('state', ({ detail }) => this.#state(detail));
  }

  #message(m) {
    const slot = this.#slot(Math.floor(this.#now() / 1000));
    slot.messages++;
    this.messages++;
    if (m.type === 'welcome') this.welcome = m;
    if (m.type === 'flow') this.#flow(m);
    if ((m.type !== 'quote' && m.type !== 'observation') || !Array.isArray(m.data)) return;
    slot.items += m.data.length;
    this.items += m.data.length;
    for (const item of m.data) this.#item(item);
    if (this.#painting || this.#frame.size === 0) return;
    this.#painting = true;
    this.frame(() => {
      this.#painting = false;
      this.#frame.clear();
    });
  }

  #item(item) {
    if (this.#frame.has(item?.symbol)) this.mergedHere++;
    else this.#frame.add(item?.symbol);
    const epoch = plain(item?.seq).split(':', 1)[0];
    if (epoch === '' || epoch === this.epoch) return;
    this.epoch = epoch;
    this.epochs++;
  }

  #flow(m) {
    const ms = number(m.ms) ?? 0;
    this.mergedByGateway += number(m.merged) ?? 0;
    this.slowSpells++;
    this.slowestMs = Math.max(this.slowestMs, ms);
  }

  #state({ state, reason }) {
    if (state === this.state) return;
    if (this.state === 'live') {
      this.losses++;
      this.lastLoss = { atMs: this.#now(), reason };
    }
    this.state = state;
    this.stateSinceMs = this.#now();
  }

  #slot(second) {
    const slot = this.#slots[second % this.#slots.length];
    if (slot.second !== second) Object.assign(slot, { second, messages: 0, items: 0 });
    return slot;
  }

  /** {messages, items} a second. */
  rates() {
    const nowMs = this.#now();
    const present = Math.floor(nowMs / 1000);
    const sum = { messages: 0, items: 0 };
    for (const slot of this.#slots) {
      if (slot.second >= present || slot.second < present - SECONDS) continue;
      sum.messages += slot.messages;
      sum.items += slot.items;
    }
    // A young page has not seen ten seconds.
    const seconds = Math.min(SECONDS, Math.max(1, (nowMs - this.#startedMs) / 1000));
    return { messages: sum.messages / seconds, items: sum.items / seconds };
  }
}
