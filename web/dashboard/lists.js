// Own watchlists: a name and the symbols in their order, kept in the browser. One of them, or none,
// is the active one. A list that came with a link is active without being kept, until somebody says
// so: following a link never overwrites what is here. Pure; what keeps things is handed in.

const NAME_MAX = 40;
const DEFAULT_NAME = 'Favourites';

export class Lists {
  #store;
  #all = [];
  #last = null; // the own list that was shown last
  #kept = true; // what was changed last
  shared = null; // {name, symbols} of a link
  active = null; // the name of the active one; null: everything is shown

  constructor(store) {
    this.#store = store;
    this.load();
  }

  /** Reads what is kept: at the start, and when another window has changed it. */
  load() {
    const kept = this.#store.get('lists');
    this.#all = (Array.isArray(kept) ? kept : [])
      .filter((list) => typeof list?.name === 'string' && Array.isArray(list.symbols))
      .map(({ name, symbols }) => ({ name, symbols: symbols.filter((symbol) => typeof symbol === 'string') }));
    if (!this.shared && this.active !== null && !this.#find(this.active)) this.active = null;
  }

  get all() {
    return this.#all;
  }

  /** The list that is shown; null for everything. */
  get current() {
    return this.shared ?? this.#find(this.active) ?? null;
  }

  /** The list a star adds to: the shown one, else the own one shown last, else the first, else one
   *  that will be made. */
  get target() {
    return this.current ?? this.#find(this.#last) ?? this.#all[0] ?? { name: DEFAULT_NAME, symbols: [] };
  }

  /** What is to be said with every change: '' while the browser keeps the lists. */
  get warning() {
    return this.#kept ? '' : ' This browser lets the page keep nothing: the list is gone when the page is closed. \u201cCopy link\u201d holds it.';
  }

  #find(name) {
    return this.#all.find((list) => list.name === name);
  }

  #keep() {
    this.#kept = this.#store.set('lists', this.#all);
  }

  /** Why a name cannot be taken, as a sentence; '' when it can. */
  problemOf(name, except = null) {
    const trimmed = name.trim();
    if (trimmed === '') return 'Give the list a name.';
    if (trimmed.length > NAME_MAX) return `Choose a name of at most ${NAME_MAX} characters.`;
    if (trimmed !== except && this.#find(trimmed)) return `There is already a list \u201c${trimmed}\u201d: choose another name.`;
    return '';
  }

  /** Makes a list and shows it. */
  create(name, symbols = []) {
    const list = { name: name.trim(), symbols: [...symbols] };
    this.#all.push(list);
    this.show(list.name);
    this.#keep();
    return list;
  }

  /** Another window may have deleted it meanwhile. */
  rename(from, to) {
    const list = this.#find(from);
    if (!list) return;
    list.name = to.trim();
    if (this.active === from) this.show(to.trim());
    this.#keep();
  }

  /** Returns a function that brings it back. */
  remove(name) {
    const at = this.#all.findIndex((list) => list.name === name);
    const [list] = this.#all.splice(at, 1);
    const wasActive = this.active === name;
    if (wasActive) this.active = null;
    this.#keep();
    return () => {
      if (this.#find(name)) return;
      this.#all.splice(Math.min(at, this.#all.length), 0, list);
      if (wasActive) this.show(name);
      this.#keep();
    };
  }

  show(name) {
    this.shared = null;
    this.active = name;
    this.#last = name ?? this.#last;
  }

  /** A link's list: the own one where it is the same, else a shared one. */
  showShared({ name, symbols }) {
    const own = this.#find(name);
    if (own && own.symbols.join() === symbols.join()) this.show(name);
    else {
      this.active = null;
      this.shared = { name, symbols };
    }
  }

  /** Keeps the shared list; a name that is taken gets a number. */
  keepShared() {
    const wanted = this.shared.name.slice(0, NAME_MAX - 3);
    let name = wanted;
    for (let n = 2; this.#find(name); n++) name = `${wanted} ${n}`;
    return this.create(name, this.shared.symbols);
  }

  has(symbol) {
    return this.target.symbols.includes(symbol);
  }

  /** Adds the symbol to the target, or takes it out. Returns {list, added}. */
  toggle(symbol) {
    const list = this.target;
    const at = list.symbols.indexOf(symbol);
    if (at >= 0) list.symbols.splice(at, 1);
    else list.symbols.push(symbol);
    if (list !== this.shared && !this.#all.includes(list)) this.#all.push(list);
    if (list !== this.shared) this.#keep();
    return { list, added: at < 0 };
  }
}
