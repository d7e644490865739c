// The detail of one symbol: price, chart, where the price comes from and why, how long it took, and
// every figure that the source gave. A panel (panels.js says what that is).
//
// The frame stays; each part is filled anew where its text has changed. The story is asked for at
// the gateway every few seconds while the panel can be seen, and at once when source or state change.

import { decimal, number, plain } from '../quote.js';
import { ask } from './ask.js';
import { ChartBox } from './chartbox.js';
import { element, setData, setText, withText } from './dom.js';
import { change, figures } from './figures.js';
import { steps } from './latency.js';
import { observed } from './model.js';
import { button, facts, heading, list } from './parts.js';
import { Poller } from './poller.js';
import { providerName } from './providers.js';
import { chain, headline, stateWords } from './story.js';
import { ago, clock } from './times.js';

export class DetailPanel {
  #symbol = null;
  #shown = false;
  #said = null; // what the gateway remembers of the sources
  #heard = null; // {item, snapshot, arrivedMs, shownMs} of the newest item
  #from = ''; // source and state that were last shown
  #poller = new Poller(() => this.#askForStory());

  constructor(container, context) {
    this.context = context;
    this.box = container;
    this.#build();
    context.feed.addEventListener('message', ({ detail }) => this.#hear(detail));
    context.caller.addEventListener('change', () => this.#showAct());
  }

  #build() {
    const price = element('p', 'big');
    this.value = element('span', 'value');
    this.unit = element('span', 'unit');
    this.change = element('span', 'change');
    this.state = element('span', 'state');
    price.append(this.value, ' ', this.unit, ' ', this.change, ' ', this.state);
    this.words = element('p', 'words');
    this.box.append(price, this.words);
    this.chart = new ChartBox(this.box, this.context.recorder);
    this.story = element('p', 'headline');
    this.stateNote = element('p', 'note');
    this.sources = element('ol', 'chain');
    this.storyProblem = element('p', 'note');
    this.act = button('Ask the sources now', (it) => this.#askNow(it), 'act');
    this.times = element('dl', 'facts');
    this.steps = element('ol', 'steps');
    this.figures = element('dl', 'facts figures');
    this.cited = element('ul', 'cited');
    this.rest = element('p', 'note');
    this.box.append(
      heading('Where it comes from'), this.story, this.stateNote, this.sources, this.storyProblem, this.act,
      heading('From the market to this screen'), this.times, this.steps,
      heading('Figures'), this.figures, this.cited, this.rest,
    );
  }

  get #row() {
    return this.context.model.row(this.#symbol);
  }

  // --- shown, hidden, kept up to date ---

  show(symbol) {
    if (symbol !== this.#symbol) {
      this.#poller.stop();
      this.#said = this.#heard = null;
      setText(this.storyProblem, '');
    }
    this.#symbol = symbol;
    this.#shown = true;
    const row = this.#row;
    this.context.title('detail', row && row.name !== symbol ? `${row.name} (${symbol})` : symbol);
    this.#showRest();
    this.#showAct();
    if (!this.context.caller.known) this.context.caller.look();
    this.#fill(Date.now());
    if (row) this.chart.open(row);
    this.#poller.start();
  }

  hide() {
    this.#shown = false;
    this.#poller.stop();
    this.chart.close();
  }

  update(rows, nowMs) {
    if (!rows.some((row) => row.symbol === this.#symbol)) return;
    this.#fill(nowMs);
    this.chart.draw();
    this.#measure();
  }

  tick(nowMs) {
    this.#fillTimes(nowMs);
    this.#fillStory(nowMs);
  }

  #hear(message) {
    if (!this.#shown || (message.type !== 'quote' && message.type !== 'observation')) return;
    for (const item of message.data ?? []) {
      if (item?.symbol !== this.#symbol) continue;
      this.#heard = { item, snapshot: message.snapshot === true, arrivedMs: Date.now(), shownMs: null };
    }
  }

  /** When the frame that is being drawn can be seen: in the task behind it. */
  #measure() {
    const heard = this.#heard;
    if (!heard || heard.shownMs !== null) return;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close(); // else it stays for a while, and there is one for each frame
      heard.shownMs = Date.now();
      this.#fillTimes(heard.shownMs);
    };
    channel.port2.postMessage(null);
  }

  // --- the parts ---

  #fill(nowMs) {
    const row = this.#row;
    if (!row) return;
    const { item } = row;
    const all = !item ? [] : row.kind === 'observation' ? observed(item)
      : [{ value: item.price, unit: plain(item.unit) || plain(item.currency) }];
    setData(this.box, 'kind', row.kind);
    setData(this.box, 'state', row.state);
    setData(this.box, 'trend', ['down', '', 'up'][Math.sign(number(item?.change) ?? 0) + 1]);
    setText(this.value, all.length === 1 ? decimal(all[0].value) : item ? '' : '\u2013');
    setText(this.unit, all.length === 1 ? all[0].unit : '');
    setText(this.change, item ? change(item) : '');
    setText(this.state, row.state);
    setText(this.words, plain(item?.text));
    facts(this.figures, figures(row, all.length > 1 ? all : []));
    list(this.cited, (Array.isArray(item?.citations) ? item.citations : []).filter(plain).map((url) => `It rests on: ${url}`));
    const from = `${item?.source} ${row.state}`;
    if (from !== this.#from) this.#poller.now();
    this.#from = from;
    this.#fillTimes(nowMs);
    this.#fillStory(nowMs);
  }

  #fillTimes(nowMs) {
    const row = this.#row;
    const item = row?.item;
    const [ts, recv] = [number(item?.ts), number(item?.recv)];
    const lines = [];
    if (item) lines.push([row.kind === 'quote' ? 'Market time' : 'Time it is about', ts === null ? 'the source does not say' : clock(ts, nowMs)]);
    if (recv !== null) lines.push(['Heard by the gateway', `${clock(recv, nowMs)}, ${ago(this.context.model.ageMs(row, nowMs))}`]);
    facts(this.times, lines);
    // Of a price that will be painted in a moment all is known behind that; until then what was stands there.
    if (this.#heard?.shownMs === null && this.#heard.item === item) return;
    const { list: parts, total } = steps(item, this.#heard, this.context.feed.clockSkewMs);
    const all = item ? [...parts, total] : [];
    list(this.steps, all.map(({ name, text, note }) => `${name}: ${text}${note && `\n${note}`}`));
    setData(this.steps, 'total', total.ms === null ? '' : String(Math.round(total.ms)));
  }

  #fillStory(nowMs) {
    const row = this.#row;
    if (!row) return;
    const there = nowMs + this.context.feed.clockSkewMs; // what the gateway remembers is by its clock
    setText(this.story, headline(row, this.#said, there));
    setText(this.stateNote, stateWords(row, there));
    const lines = chain(row, this.#said, there);
    list(this.sources, lines.map(({ provider, symbol, text }) => `${providerName(provider)} (${symbol}): ${text}`));
    lines.forEach(({ role }, i) => setData(this.sources.children[i], 'role', role));
  }

  #showAct() {
    const row = this.#row;
    this.act.hidden = !this.context.caller.may('analyst') || !row || row.sources.length === 0;
  }

  #showRest() {
    const kind = this.#row?.kind === 'observation' ? 'observations' : 'quotes';
    const url = new URL(`api/v1/${kind}/${encodeURIComponent(this.#symbol)}`, document.baseURI);
    const link = withText('a', '', url.pathname);
    link.href = url.href;
    this.rest.replaceChildren('The same as JSON: ', link);
  }

  // --- what is asked ---

  async #askForStory() {
    const symbol = this.#symbol;
    let said = null;
    let problem = '';
    try {
      const answer = await ask(this.context.access, `api/v1/provenance/${encodeURIComponent(symbol)}`);
      if (Array.isArray(answer?.sources)) said = answer;
    } catch (error) {
      // The item itself says who gave it; what was before is missing.
      problem = `What the sources said before is not known. ${error.message}`;
    }
    if (symbol !== this.#symbol) return;
    this.#said = said ?? this.#said;
    setText(this.storyProblem, problem);
    if (this.#shown) this.#fillStory(Date.now());
  }

  async #askNow(pressed) {
    const symbol = this.#symbol;
    pressed.disabled = true;
    try {
      const { rejected = [] } = await this.context.feed.refresh([symbol]);
      const why = rejected.find((entry) => entry.symbol === symbol);
      this.context.say(why ? `${symbol} was not refreshed: ${plain(why.message) || why.error}.` : `The sources of ${symbol} were asked, and answered.`);
    } catch (error) {
      this.context.say(`${symbol} was not refreshed: ${error.message}.`);
    } finally {
      pressed.disabled = false;
      this.#poller.now();
    }
  }
}
