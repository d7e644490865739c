// The bar of watchlists: one button per list, "All" first, and what can be done with the shown one:
// rename, delete (and take that back), copy a link; keep it, when it came with a link.

import { element, setText, withText } from './dom.js';

export class ListBar {
  /** on: {changed()}: a list was chosen or altered. ask(question, value, problemOf): resolves with a
   *  text or null. say(text, action): a sentence at the foot of the page. */
  constructor(container, lists, { on, ask, say }) {
    this.container = container;
    this.lists = lists;
    this.on = on;
    this.ask = ask;
    this.say = say;
    this.show();
  }

  show() {
    const { lists } = this;
    const within = this.container.contains(document.activeElement) ? document.activeElement.dataset.at : null;
    const tabs = element('ul', 'tabs');
    tabs.append(this.#tab('All', 'all', !lists.current, () => lists.show(null)));
    for (const { name, symbols } of lists.all) {
      tabs.append(this.#tab(name, `list:${name}`, lists.active === name, () => lists.show(name), symbols.length));
    }
    if (lists.shared) tabs.append(this.#tab(`${lists.shared.name} (shared)`, 'shared', true, () => {}, lists.shared.symbols.length));
    const acts = element('div', 'acts');
    acts.append(...this.#acts());
    this.container.replaceChildren(tabs, acts);
    if (within) [...this.container.querySelectorAll('button')].find((b) => b.dataset.at === within)?.focus();
  }

  /** How many symbols each list has, after a star. */
  showCounts() {
    for (const { name, symbols } of this.lists.all) {
      const tab = [...this.container.querySelectorAll('button')].find((b) => b.dataset.at === `list:${name}`);
      if (!tab) return this.show(); // it is new
      setText(tab.querySelector('.count'), String(symbols.length));
    }
    return undefined;
  }

  #tab(title, at, pressed, choose, count) {
    const item = element('li');
    const button = this.#button(title, at, () => {
      choose();
      this.#changed();
    });
    button.setAttribute('aria-pressed', String(pressed));
    if (count !== undefined) button.append(' ', withText('span', 'count', String(count)));
    item.append(button);
    return item;
  }

  #button(text, at, act) {
    const button = withText('button', '', text);
    button.type = 'button';
    button.dataset.at = at;
    button.addEventListener('click', act);
    return button;
  }

  #acts() {
    const { lists } = this;
    const acts = [this.#button('+ New list', 'new', () => this.#create())];
    if (lists.shared) {
      acts.push(this.#button('Keep it', 'keep', () => {
        const { name } = lists.keepShared();
        this.#changed();
        this.say(lists.warning.trim() || `The list \u201c${name}\u201d is kept in this browser.`);
      }));
    } else if (lists.active !== null) {
      acts.push(
        this.#button('Rename', 'rename', () => this.#rename(lists.active)),
        this.#button('Delete', 'delete', () => this.#remove(lists.active)),
      );
    }
    if (lists.current) acts.push(this.#button('Copy link', 'copy', () => this.#copy()));
    return acts;
  }

  #changed() {
    this.show();
    this.on.changed();
  }

  async #create() {
    const name = await this.ask('Name of the new list', '', (text) => this.lists.problemOf(text));
    if (name === null) return;
    this.lists.create(name);
    this.#changed();
    this.say(`The list \u201c${name.trim()}\u201d is empty: choose \u201cAll\u201d and add instruments by their stars.${this.lists.warning}`);
  }

  async #rename(from) {
    const name = await this.ask('New name of the list', from, (text) => this.lists.problemOf(text, from));
    if (name === null) return;
    this.lists.rename(from, name);
    this.#changed();
  }

  #remove(name) {
    const bringBack = this.lists.remove(name);
    this.#changed();
    this.say(`The list \u201c${name}\u201d is deleted.`, {
      label: 'Undo',
      run: () => {
        bringBack();
        this.#changed();
      },
    });
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(location.href);
      this.say('The link is copied. It shows this list to whoever opens it here.');
    } catch {
      this.say('This browser does not let the page copy: the address of the page is the link.');
    }
  }
}
