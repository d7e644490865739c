// Puts the parts of the page together: intake (connection -> model) -> watchlist and panels.

import { Caller } from './caller.js';
import { asker, sayer } from './dialogs.js';
import { intake } from './intake.js';
import { ListBar } from './listbar.js';
import { Lists } from './lists.js';
import { viewOf } from './order.js';
import { Panels } from './panels.js';
import { Shell } from './shell.js';
import { Store } from './store.js';
import { Theme } from './theme.js';
import { Watchlist } from './watchlist.js';

const find = (id) => document.getElementById(id);
const store = new Store();
const { access, feed, model } = intake;
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
  recorder: intake.recorder,
  traffic: intake.traffic,
  say,
  feed,
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

// --- what comes in, and what has come in before ---

shell.readAddress();
feed.addEventListener('state', ({ detail }) => {
  shell.showConnection(detail);
  if (detail.state === 'live') context.caller.lookAgain();
});
intake.addEventListener('list', () => shell.showInstruments(intake.problem));
intake.addEventListener('change', () => shell.paintSoon());
shell.showConnection(feed.state);
if (intake.answered) shell.showInstruments(intake.problem);
// Another window has changed what is kept.
addEventListener('storage', ({ key }) => {
  if (key === 'pricegate.theme') shell.theme.show();
  if (key === 'pricegate.view' || key === 'pricegate.theme') return; // each window has its own order
  lists.load();
  bar.show();
  shell.listsChanged();
});
setInterval(() => shell.tick(), 1000);
