// The token of this window: entered once, kept in the window's session storage, sent with every
// request. One in the page's address (#token=...) is taken over and removed from there, so that it
// is neither shared with a copied link nor kept in the history.

import { Store } from './store.js';

export class Access extends EventTarget {
  #store;

  constructor(store = new Store(() => globalThis.sessionStorage)) {
    super();
    this.#store = store;
  }

  /** null: none. */
  get token() {
    const token = this.#store.get('token');
    return typeof token === 'string' && token !== '' ? token : null;
  }

  /** Tells all who listen to 'change'. '' or null forgets it. */
  set token(token) {
    this.#store.set('token', token || null);
    this.dispatchEvent(new Event('change'));
  }

  /** fetch() below the page's base with the token; gives up after 10 s unless told otherwise. */
  fetch(path, options = {}) {
    const headers = { ...options.headers };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    return fetch(new URL(path, document.baseURI), { signal: AbortSignal.timeout(10_000), ...options, headers });
  }
}
