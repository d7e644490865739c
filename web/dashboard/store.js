// What the browser keeps for this page: JSON under a few names in localStorage. Where it keeps
// nothing (private windows, full, forbidden), the page works all the same until it is closed.

export class Store {
  #storage;
  #own = new Map();

  /** storage: as localStorage, or a function that returns it and may throw. */
  constructor(storage = () => globalThis.localStorage) {
    try {
      this.#storage = typeof storage === 'function' ? storage() : storage;
    } catch {
      this.#storage = null;
    }
  }

  /** What was kept under the name; undefined when there is nothing, or nothing that can be read. */
  get(name) {
    if (this.#own.has(name)) return this.#own.get(name);
    try {
      return JSON.parse(this.#storage.getItem(`pricegate.${name}`)) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** False: it is only kept until the page is closed. */
  set(name, value) {
    try {
      this.#storage.setItem(`pricegate.${name}`, JSON.stringify(value));
      this.#own.delete(name);
      return true;
    } catch {
      this.#own.set(name, value);
      return false;
    }
  }
}
