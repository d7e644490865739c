// The client library as a program in Node uses it: without the types of browsers.

import { parseExact } from '../../../web/client/exact.js';
import { PriceFeed } from '../../../web/client/index.js';

const feed = new PriceFeed('http://127.0.0.1:8080/', { parse: parseExact, fetch });
const heard = new AbortController();
feed.addEventListener('state', ({ detail }) => detail.reason.length, { once: true });
feed.addEventListener('error', ({ detail }) => detail.code, { signal: heard.signal });

for await (const item of feed.subscribe('*', { interval_ms: 1000 })) {
  if (item.symbol === 'coffee') break;
}
feed.close();
