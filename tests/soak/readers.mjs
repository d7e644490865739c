// The honest clients: those who stay (WebSockets and event streams that follow everything) and those
// who come and go all the time (with every kind of subscription, plain requests too). Each of them
// checks what it gets (check.mjs); one that loses its connection complains.

import http from 'node:http';
import https from 'node:https';

import WebSocket from 'ws';

import { request } from '../support/gateway.js';
import { sleep, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';
import { Check, decode, judged } from './check.mjs';
import { all } from './market.mjs';

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const some = (list, n) => Array.from({ length: n }, () => pick(list)).filter((x, i, a) => a.indexOf(x) === i);

// --- those who stay ---

/** One WebSocket that follows everything. */
class Follower {
  constructor(site, i) {
    this.site = site;
    this.name = `ws ${i}`;
    this.wanted = false; // connected on purpose; a close now is a loss
  }

  async open() {
    const { site } = this;
    this.check = new Check({ ledger: site.ledger, gateway: site.name, who: this.name, redisAway: site.redisAway });
    const socket = new WebSocket(site.gateway.wsUrl, { perMessageDeflate: false, skipUTF8Validation: true, ca: site.ca });
    this.socket = socket;
    const { check } = this;
    let ready;
    const snapshot = new Promise((resolve, reject) => {
      ready = resolve;
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
    });
    socket.on('open', () => socket.send('{"action":"subscribe","symbols":["*"]}'));
    socket.on('message', (bytes) => {
      const message = decode(bytes);
      const now = Date.now();
      check.message(message, now);
      if (message.snapshot) ready();
      else if (message.type === 'quote') this.#delay(message, now);
    });
    socket.on('close', (code) => {
      check.settle();
      if (this.wanted && this.socket === socket) this.site.ledger.complain('lost', `${site.name} ${this.name}: closed with ${code}`);
    });
    await within(snapshot, `a snapshot for ${this.name} of ${site.name}`, 20_000);
    this.wanted = true;
  }

  #delay(message, now) {
    const fed = message.data.find((item) => item.source === 'soak');
    if (fed && this.site.ledger.delays.length < 200_000) this.site.ledger.delays.push(now - fed.ts);
  }

  leave() {
    this.wanted = false;
    this.socket?.terminate();
  }
}

/** One event stream that follows everything. */
class Listener {
  constructor(site, i) {
    this.site = site;
    this.name = `sse ${i}`;
    this.wanted = false;
  }

  async open() {
    const { site } = this;
    this.check = new Check({ ledger: site.ledger, gateway: site.name, who: this.name, redisAway: site.redisAway });
    const { check } = this;
    const client = site.ca ? https : http;
    const opened = new Promise((resolve, reject) => {
      this.request = client.get(`${site.gateway.url}/api/v1/stream?symbols=*`, { agent: false, ca: site.ca }, resolve);
      this.request.on('error', reject);
    });
    const response = await within(opened, `${this.name} of ${site.name} opens`, 20_000);
    const mine = this.request;
    if (response.statusCode !== 200) throw new Error(`${this.name}: ${response.statusCode}`);
    const began = Date.now();
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) this.#take(check, block, began);
    });
    response.on('error', () => {});
    response.on('close', () => {
      check.settle();
      if (this.wanted && this.request === mine) site.ledger.complain('lost', `${site.name} ${this.name}: the stream ended`);
    });
    this.wanted = true;
  }

  #take(check, block, began) {
    const [, event, data] = /\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    const now = Date.now();
    this.site.ledger.messages += 1;
    // The snapshot comes in the same events as the updates do: what comes first of a symbol is it.
    if (event === 'quote') {
      const item = judged(JSON.parse(data));
      check.item(item, !check.views.has(item.symbol) && now - began < 5000, now);
    } else if (event === 'status') check.status(JSON.parse(data));
  }

  leave() {
    this.wanted = false;
    this.request?.destroy();
  }
}

export function crowd(site, { sockets, streams }) {
  return [
    ...Array.from({ length: sockets }, (_, i) => new Follower(site, i)),
    ...Array.from({ length: streams }, (_, i) => new Listener(site, i)),
  ];
}

/** All of them, a few at a time. */
export async function openAll(members) {
  for (let i = 0; i < members.length; i += 25) {
    await Promise.all(members.slice(i, i + 25).map((m) => m.open()));
  }
}

// --- those who come and go ---

/** What a subscription may ask for, and what can be checked of it then. */
const wishes = [
  () => ({ ask: { symbols: some(all, 5) } }),
  () => ({ ask: { symbols: ['*'] } }),
  () => ({ ask: { symbols: ['P*', 'X0*'] } }),
  () => ({ ask: { symbols: some(all, 12), fields: ['price', 'ts'] }, states: false }),
  () => ({ ask: { symbols: some(all, 12), interval_ms: pick([100, 500, 1000]) }, every: false }),
  () => ({ ask: { symbols: ['F*'], snapshot: false } }),
  () => ({ ask: { symbols: [...some(all, 3), 'NO/SUCH', '!', '*'] } }),
];

async function visit(site) {
  const wish = pick(wishes)();
  const client = await connectWs(site.gateway.wsUrl, { ca: site.ca });
  const check = new Check({
    ledger: site.ledger, gateway: site.name, who: `visitor ${JSON.stringify(wish.ask)}`, redisAway: site.redisAway,
    every: wish.every ?? true, states: wish.states ?? true,
  });
  const judge = () => {
    for (const message of client.messages.splice(0)) {
      if (message.type === 'quote') message.data.forEach(judged);
      check.message(message, Date.now());
    }
    client.asked = 0;
  };
  try {
    client.send({ action: 'subscribe', ...wish.ask, id: 1 });
    const ack = await client.nextType('subscribed', 20_000);
    if (wish.ask.snapshot !== false) {
      const first = await client.next((m) => m.snapshot, 20_000, 'a snapshot');
      if (ack.active.length > 0 && first.data.length === 0) site.ledger.complain('no snapshot', `${site.name}: ${JSON.stringify(wish.ask)}`);
    }
    await sleep(Math.random() * 1000);
    judge();
    if (Math.random() < 0.5) {
      const leaving = ack.active.slice(0, Math.ceil(ack.active.length / 2));
      client.send({ action: 'unsubscribe', symbols: leaving, id: 2 });
      const gone = await client.nextType('unsubscribed', 20_000);
      // What lies before the ack is in order; what follows it is not.
      const after = client.messages.splice(client.asked);
      judge();
      check.forget(gone.symbols);
      client.messages.push(...after);
      await sleep(Math.random() * 500);
      judge();
    }
  } finally {
    judge();
    check.settle();
    if (Math.random() < 0.5) client.terminate();
    else await client.close(1000).catch(() => client.terminate());
  }
}

const paths = [
  '/api/v1/quotes', '/api/v1/quotes?symbols=P00,F00,X00', '/api/v1/quotes/Y00', '/api/v1/instruments', '/readyz',
  '/data-health/status', '/data-health/sources', '/data-health/jobs', '/', '/metrics', '/healthz', '/no/such',
];

async function call(site) {
  const path = pick(paths);
  const answer = await request(site.gateway.url, { path, ca: site.ca, headers: { Connection: 'close' } });
  site.ledger.messages += 1;
  const wanted = path === '/no/such' ? 404 : 200;
  if (answer.status !== wanted) site.ledger.complain('answer', `${site.name} ${path}: ${answer.status} ${answer.body.slice(0, 200)}`);
  if (!path.startsWith('/api/v1/quotes')) return;
  const { json } = answer;
  const check = new Check({ ledger: site.ledger, gateway: site.name, who: path, redisAway: site.redisAway });
  for (const item of json.data ?? [json]) if (item.price !== null) check.item(judged(item), true, Date.now());
  check.lookForOldOnes(Date.now(), site.late());
}

/** In, one snapshot, out. */
async function glance(site) {
  const client = await connectWs(site.gateway.wsUrl, { ca: site.ca });
  client.send({ action: 'subscribe', symbols: [pick(all)] });
  const { data } = await client.next((m) => m.snapshot, 20_000, 'a snapshot');
  const check = new Check({ ledger: site.ledger, gateway: site.name, who: 'a glance', redisAway: site.redisAway });
  for (const item of data) check.item(judged(item), true, Date.now());
  client.terminate();
}

/** A stream that is read for a moment. */
async function overhear(site) {
  const listener = new Listener(site, 'visitor');
  await listener.open();
  await sleep(Math.random() * 1000);
  listener.leave();
}

const doings = [visit, visit, visit, glance, glance, glance, glance, glance, glance, call, call, call, overhear];

/** Visitors without end: `workers` of them at any time. pause() returns when all have left. */
export class Visitors {
  constructor(sites, workers) {
    Object.assign(this, { sites, workers, made: 0, running: [], on: false });
  }

  start() {
    this.on = true;
    this.running = Array.from({ length: this.workers }, (_, i) => this.#work(this.sites[i % this.sites.length]));
  }

  async #work(site) {
    while (this.on) {
      this.made += 1;
      try {
        await pick(doings)(site);
      } catch (error) {
        site.ledger.complain('refused', `${site.name}: ${error.message}`);
        await sleep(100);
      }
      await sleep(Math.random() * 100);
    }
  }

  async pause() {
    this.on = false;
    await Promise.all(this.running);
  }
}
