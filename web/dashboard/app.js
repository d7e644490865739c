// Puts the parts of the page together: connection -> model -> watchlist and panels.

import { PriceFeed } from '../client/index.js';
import { parseExact } from '../quote.js';
import { Access } from './access.js';
import { Caller } from './caller.js';
import { Recorder } from './candles.js';
import { asker, sayer } from './dialogs.js';
import { ListBar } from './listbar.js';
import { Lists } from './lists.js';
import { Model } from './model.js';
import { viewOf } from './order.js';
import { Panels } from './panels.js';
import { Shell } from './shell.js';
import { Store } from './store.js';
import { Theme } from './theme.js';
import { Traffic } from './traffic.js';
import { Watchlist } from './watchlist.js';

const LIST_WITHIN_MS = 3000;

const find = (id) => document.getElementById(id);
const store = new Store();
const access = new Access();
const model = new Model();
const lists = new Lists(store);
const view = viewOf(store.get('view'));
const say = sayer(find('said'));

let shell;
const watchlist = new Watchlist({ quote: find('prices'), observation: find('observations') }, {
  model,
  lists,
  view,
  on: {
    open: (symbol) => shell.open('detail', symbol),
    star: (symbol) => shell.star(symbol),
    viewChanged: () => shell.viewChanged(),
  },
});
const bar = new ListBar(find('lists'), lists, { on: { changed: () => shell.listsChanged() }, ask: asker(find('question')), say });
const context = {
  model,
  access,
  caller: new Caller(access),
  recorder: new Recorder(model),
  traffic: null,
  say,
  feed: null,
  open: (name, symbol) => panels.open(name, symbol),
  close: (name) => panels.close(name),
  title: (name, text) => panels.title(name, text),
};
const panels = new Panels(context, { onChange: (...what) => shell.panelChanged(...what) });
shell = new Shell({ model, watchlist, lists, bar, panels, theme: new Theme(find('theme'), store), store, view, say, context });

// The panels, each read when it is first opened.
panels.add('connection', find('connection-panel'), async () => (await import('./connection.js')).ConnectionPanel);
panels.add('health', find('health'), async () => (await import('./health.js')).HealthPanel);
panels.add('detail', find('detail'), async () => (await import('./detail.js')).DetailPanel);

// --- the connection ---

shell.readAddress(); // a token in the address is known from here on
const feed = new PriceFeed(document.baseURI, { token: access.token, parse: parseExact });
context.feed = feed;
context.traffic = new Traffic(feed);
feed.subscribe('*');
access.addEventListener('change', () => feed.setToken(access.token));

let listIsOld = true;

async function loadInstruments() {
  try {
    const reply = await access.fetch('api/v1/instruments', { signal: AbortSignal.timeout(LIST_WITHIN_MS) });
    if (!reply.ok) throw new Error(`the gateway answered ${reply.status}`);
    const body = parseExact(await reply.text());
    model.setInstruments(body.data, body.observations);
    listIsOld = false;
    shell.showInstruments();
  } catch (error) {
    // That the gateway is away is said by the connection; the list is asked for when it is back.
    shell.showInstruments(`/api/v1/instruments: ${error.message}`);
  }
}

feed.addEventListener('state', ({ detail }) => {
  shell.showConnection(detail);
  // The list may have changed while the gateway was away.
  if (detail.state === 'reconnecting') listIsOld = true;
  if (detail.state === 'live' && listIsOld && shell.ready) loadInstruments();
  if (detail.state === 'live') context.caller.lookAgain();
});
feed.addEventListener('message', ({ detail: message }) => {
  // Unasked: the gateway has another configuration, and instruments have come or gone.
  if (/^(un)?subscribed$/.test(message.type) && message.id === undefined) loadInstruments();
  if (model.apply(message, Date.now())) shell.paintSoon();
});
// Said by the gateway, or by the feed itself while there is no gateway to vouch for a price.
feed.addEventListener('status', ({ detail }) => {
  if (model.applyOwn(detail)) shell.paintSoon();
});
// Another window has changed what is kept.
addEventListener('storage', ({ key }) => {
  if (key === 'pricegate.theme') shell.theme.show();
  if (key === 'pricegate.view' || key === 'pricegate.theme') return; // each window has its own order
  lists.load();
  bar.show();
  shell.listsChanged();
});
setInterval(() => shell.tick(), 1000);
// At the same time as the connection is made; what comes before it waits for names and order.
loadInstruments();
