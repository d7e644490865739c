// Everything that the client library offers, used as its types allow. Compiled, never run; the lines
// below a @ts-expect-error must not compile.

import { parseExact } from '../../../web/client/exact.js';
import { PriceFeed, type FeedState, type Quote, type Status, type Subscription } from '../../../web/client/index.js';
import { PriceTicker } from '../../../web/client/price-ticker.js';

const feed = new PriceFeed('https://host/', {
  token: null,
  getToken: async () => 'token',
  transport: 'auto',
  graceMs: 1000,
  parse: parseExact,
  WebSocket,
  fetch,
});
new PriceFeed();

const sub: Subscription = feed.subscribe(['coffee', 'EUR/*'], {
  interval_ms: 1000,
  fields: ['price'],
  onQuote: (quote: Quote) => quote.price,
  onObservation: ({ values }) => values?.rain,
  onStatus: (status: Status) => status.state === 'stale' && status.message,
});
feed.subscribe('*');

export async function read(): Promise<void> {
  for await (const item of sub) {
    if (item.kind === 'observation') continue;
    console.log(item.symbol, item.seq, feed.quote(item.symbol)?.ts, feed.status(item.symbol)?.reason);
  }
  const { type } = await feed.refresh('coffee');
  console.log(type, feed.clockSkewMs + 1);
  sub.close();
}

const state: FeedState = feed.state;
console.log(state.retryMs, state.transport, sub.closed, sub.symbols);
feed.addEventListener('state', ({ detail }) => detail.reason.length);
feed.addEventListener('quote', ({ detail }) => detail.bid);
feed.addEventListener('error', ({ detail }) => detail.symbol ?? detail.message);
feed.addEventListener('message', ({ detail }) => detail.type);
feed.setToken('another');
feed.setOnline(false);
feed.close();

const ticker: PriceTicker = document.createElement('price-ticker');
ticker.feed = feed;

// @ts-expect-error there is no such event
feed.addEventListener('price', () => {});
// @ts-expect-error
feed.subscribe(7);
// @ts-expect-error
new PriceFeed('https://host/', { transport: 'tcp' });
// @ts-expect-error
feed.state = state;
