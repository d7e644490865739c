#!/usr/bin/env node
// Prices out of Redis, where pricegate puts them: the latest of each, then every update.
//
//   npm install ioredis
//   node redis.mjs coffee EUR/USD        REDIS_URL is that of pricegate

import { Redis } from 'ioredis';

const symbols = process.argv.length > 2 ? process.argv.slice(2) : ['coffee'];
const store = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379/0');
const channels = store.duplicate(); // one that listens can do nothing else
const quotes = new Map(); // symbol -> its newest quote; null: its key has expired

function show(symbol, state, why = '') {
  const q = quotes.get(symbol);
  const price = q ? `${q.price} ${q.unit ?? ''} ${q.source ?? ''} ${((Date.now() - q.recv) / 1000).toFixed(1)} s old` : 'no price';
  console.log(symbol, state, why, price);
}

function take(text) {
  const q = { recv: Date.now(), text, ...JSON.parse(text) };
  const held = quotes.get(q.symbol);
  if (held && (q.ts ?? 0) < (held.ts ?? 0)) return; // an older price never replaces a newer one
  quotes.set(q.symbol, q);
  show(q.symbol, q.state ?? 'live');
}

/** What a lost line has missed; and a key vanishes when nobody stands behind its price any more. */
async function lookAtKeys() {
  for (const symbol of symbols) {
    const text = await store.get(`${symbol}:price:latest`);
    if (text !== null && text !== quotes.get(symbol)?.text) take(text);
    if (text !== null || quotes.get(symbol) === null) continue;
    quotes.set(symbol, null);
    show(symbol, 'unavailable', '(no key in Redis)');
  }
}

for (const redis of [store, channels]) redis.on('error', () => {}); // it comes back by itself; `close` tells
channels.on('close', () => console.log('no Redis: nothing above is live any more'));
channels.on('message', (channel, text) => {
  const { symbol, state, reason } = JSON.parse(text);
  if (channel.endsWith(':stream')) take(text);
  else show(symbol, state, reason);
});
await channels.subscribe(...symbols.flatMap((s) => [`${s}:price:stream`, `${s}:price:status`]));
await lookAtKeys(); // after SUBSCRIBE, so that nothing falls between
setInterval(() => lookAtKeys().catch(() => {}), 5000);
