// Clients that do nothing wrong, connected all the time: whatever others do, they are served. Prices
// of one symbol only rise, so that one that is out of order, twice or of another symbol shows.

import http from 'node:http';
import https from 'node:https';
import WebSocket from 'ws';

import { until } from '../../support/wait.js';

class Watch {
  constructor(name) {
    this.name = name;
    this.last = new Map(); // symbol -> price
    this.fault = null;
    this.closing = false;
  }

  wrong(what) {
    if (!this.closing) this.fault ??= `${this.name}: ${what}`;
  }

  take(item) {
    const { symbol, price } = item;
    const before = this.last.get(symbol) ?? -1;
    if (!(price > before)) this.wrong(`${symbol} at ${price} after ${before}`);
    this.last.set(symbol, price);
  }

  /** Waits until it has the last prices. prices: symbol -> price. */
  async has(prices) {
    const missing = () => [...prices].filter(([symbol, price]) => this.last.get(symbol) !== price);
    await until(() => this.fault || missing().length === 0, `${this.name} has the last prices`, 20_000);
    if (this.fault) throw new Error(this.fault);
  }
}

function overWebSocket(gateway, ca, perMessageDeflate) {
  const watch = new Watch(`a client of ${gateway.wsUrl}${perMessageDeflate ? ', compressed' : ''}`);
  const socket = new WebSocket(gateway.wsUrl, { ca, perMessageDeflate });
  socket.on('open', () => socket.send('{"action":"subscribe","symbols":["*"],"id":"honest"}'));
  socket.on('message', (bytes) => {
    const message = JSON.parse(bytes.toString());
    if (message.type === 'subscribed') watch.ready = true;
    if (message.type === 'error') watch.wrong(`an error: ${bytes}`);
    if (message.type === 'quote') message.data.forEach((item) => watch.take(item));
  });
  socket.on('close', (code) => watch.wrong(`closed with ${code}`));
  socket.on('error', (error) => watch.wrong(error.message));
  watch.stop = () => {
    watch.closing = true;
    socket.terminate();
  };
  return watch;
}

function overEvents(gateway, ca) {
  const watch = new Watch(`a stream of ${gateway.url}`);
  const client = gateway.url.startsWith('https') ? https : http;
  let rest = '';
  const request = client.get(`${gateway.url}/api/v1/stream?symbols=*`, { agent: false, ca }, (answer) => {
    watch.ready = answer.statusCode === 200;
    answer.setEncoding('utf8');
    answer.on('data', (text) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const quote = /event: quote\ndata: (.*)/.exec(block);
        if (quote) watch.take(JSON.parse(quote[1]));
      }
    });
    answer.on('close', () => watch.wrong('ended'));
    answer.on('error', (error) => watch.wrong(error.message));
  });
  request.on('error', (error) => watch.wrong(error.message));
  watch.stop = () => {
    watch.closing = true;
    request.destroy();
  };
  return watch;
}

/** Three of them, subscribed to everything. */
export async function connectHonest(gateway, ca) {
  const watches = [overWebSocket(gateway, ca, false), overWebSocket(gateway, ca, true), overEvents(gateway, ca)];
  for (const watch of watches) await until(() => watch.ready || watch.fault, `${watch.name} is served`);
  return watches;
}
