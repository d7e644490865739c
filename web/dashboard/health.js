// The sources with their breakers, credits and reliability, the jobs, and the buttons of those who
// may press them: analysts refresh, administrators reset. A panel (panels.js says what that is).
// Whoever may not see it is told why, and has the field for a token. Asked for every few seconds
// while it can be seen; what an order brought is said in a sentence, which is read out too.

import { ask } from './ask.js';
import { element, setText } from './dom.js';
import { JobsTable, resultWords } from './jobs.js';
import { button, heading } from './parts.js';
import { Poller } from './poller.js';
import { providerName } from './providers.js';
import { SourcesTable } from './sources.js';
import { TokenForm } from './tokenform.js';

const REFRESH_WITHIN_MS = 30_000; // the gateway answers within 25 s
const REFRESHES = [
  ['refresh-market', 'Refresh all prices'],
  ['refresh-intelligence', 'Refresh all observations'],
  ['refresh-all', 'Refresh both'],
];

export class HealthPanel {
  #poller = new Poller(() => this.#look());
  #shown = false;

  constructor(container, context) {
    this.context = context;
    this.said = element('p', 'note');
    this.orders = element('div', 'orders', 'group');
    this.orders.setAttribute('aria-label', 'Ask the sources now');
    this.orders.append(...REFRESHES.map(([path, text]) => button(text, (it) => this.#refresh(path, text, it))));
    this.sources = new SourcesTable((provider, it) => this.#reset(provider, it));
    this.jobs = new JobsTable();
    this.shown = element('div');
    this.shown.append(heading('Sources'), this.sources.box, heading('Jobs'), this.jobs.box);
    const form = element('div');
    container.append(this.said, this.orders, this.shown, form);
    this.token = new TokenForm(form, context);
    context.caller.addEventListener('change', () => {
      this.#showRole();
      this.#poller.now();
    });
  }

  show() {
    this.#shown = true;
    this.#showRole();
    this.context.caller.look();
    this.#poller.start();
  }

  hide() {
    this.#shown = false;
    this.#poller.stop();
  }

  tick(nowMs) {
    this.sources.tick(nowMs);
    this.jobs.tick(nowMs);
  }

  /** Absent is what the role does not allow: a button that only says no helps nobody. */
  #showRole() {
    const { caller } = this.context;
    const sees = caller.may('analyst') && caller.all;
    this.shown.hidden = !sees;
    this.orders.hidden = !sees;
    this.sources.mayReset = caller.may('admin') && caller.all;
    if (!caller.known) setText(this.said, caller.problem);
    else if (!sees) setText(this.said, 'Sources and jobs are shown to analysts and administrators. Enter a token with one of these roles; whoever runs the gateway gives them out.');
    else setText(this.said, '');
  }

  async #look() {
    const { caller, access } = this.context;
    if (!caller.may('analyst') || !caller.all) {
      if (!caller.known && !caller.wrongToken) await caller.look(); // the gateway may be back
      return;
    }
    try {
      const [{ sources }, jobs] = await Promise.all([ask(access, 'data-health/sources'), ask(access, 'data-health/jobs')]);
      if (!this.#shown) return;
      this.sources.show(sources, Date.now());
      this.jobs.show(jobs, Date.now());
      setText(this.said, '');
    } catch (error) {
      if (error.status === 401 || error.status === 403) caller.look(); // it has ended, or means less now
      setText(this.said, `${error.message}${this.sources.filled ? ' What stands here is what was known last.' : ''}`);
    }
  }

  async #order(pressed, path, options, words) {
    pressed.disabled = true;
    pressed.setAttribute('aria-busy', 'true');
    try {
      this.context.say(words(await ask(this.context.access, `data-health/${path}`, { method: 'POST', ...options })));
    } catch (error) {
      this.context.say(error.message);
    } finally {
      pressed.disabled = false;
      pressed.removeAttribute('aria-busy');
      this.#poller.now();
    }
  }

  #refresh(path, text, pressed) {
    this.context.say(`${text}: the sources are being asked.`);
    this.#order(pressed, path, { signal: AbortSignal.timeout(REFRESH_WITHIN_MS) }, (result) => `${text}: ${resultWords(result)}`);
  }

  #reset(provider, pressed) {
    this.#order(pressed, `reset-circuit/${encodeURIComponent(provider)}`, {}, () => `${providerName(provider)} is reset: it is asked again with the next poll.`);
  }
}
