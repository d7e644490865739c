// Puts the parts of the page together: connection -> model -> view.

import { FeedClient } from './client.js';
import { Model } from './model.js';
import { parseExact } from './quote.js';
import { View } from './view.js';

const model = new Model();
const view = new View(document, model);
const token = new URLSearchParams(location.hash.slice(1)).get('token');

let listIsOld = true;

async function loadInstruments() {
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const reply = await fetch(new URL('api/v1/instruments', document.baseURI), {
      headers,
      signal: AbortSignal.timeout(3000),
    });
    if (!reply.ok) return;
    const body = parseExact(await reply.text());
    model.setInstruments(body.data, body.observations);
    listIsOld = false;
    view.build();
  } catch {
    // The connection's badge says that the gateway is away; the list is asked for when it is back.
  }
}

const url = new URL('ws', document.baseURI);
url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
url.hash = '';
const client = new FeedClient({
  url: url.href,
  token,
  onState: (state) => {
    view.showConnection(state);
    // The list may have changed while the gateway was away.
    if (state.state === 'reconnecting') listIsOld = true;
    if (state.state === 'live' && listIsOld) loadInstruments();
  },
  onMessage: (message) => {
    // Unasked: the gateway has another configuration, and instruments have come or gone.
    if (/^(un)?subscribed$/.test(message.type) && message.id === undefined) loadInstruments();
    if (model.apply(message, Date.now())) view.paintSoon();
  },
});

addEventListener('online', () => client.setOnline(true));
addEventListener('offline', () => client.setOnline(false));
setInterval(() => view.tick(), 1000);
// Names and order first, so that the table is not built twice.
await loadInstruments();
client.start();
