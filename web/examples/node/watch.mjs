#!/usr/bin/env node
// Live prices with the client package: over a WebSocket where there is one (Node 22, or the package `ws` given as
// an option), else over Server-Sent Events.
//
//   npm install PATH/TO/pricegate/web/client
//   node watch.mjs coffee 'EUR/*'        PRICEGATE is the gateway's address, TOKEN a token if it wants one

import { PriceFeed } from 'pricegate-client';
import { parseExact } from 'pricegate-client/exact.js'; // 150.10 stays that: numbers are their own text

const symbols = process.argv.length > 2 ? process.argv.slice(2) : ['coffee'];
const feed = new PriceFeed(process.env.PRICEGATE ?? 'http://127.0.0.1:8080', { token: process.env.TOKEN, parse: parseExact });

function show({ symbol, state, reason = '' }) {
  const q = feed.quote(symbol);
  if (!q) return console.log(symbol, state, reason, 'no price');
  const age = (Date.now() + feed.clockSkewMs - (q.recv ?? q.ts)) / 1000;
  console.log(symbol, q.price, q.unit ?? '', state, reason, q.fallback ? `${q.source} (fallback)` : q.source, `${age.toFixed(1)} s old`);
}

feed.subscribe(symbols, { onQuote: show, onStatus: show });
feed.addEventListener('state', ({ detail }) => {
  if (detail.state !== 'live') console.log(`${detail.state}: ${detail.reason}`);
});
feed.addEventListener('error', ({ detail }) => console.error(detail.message));
