// Who we are to the gateway: role and name, by GET /whoami. Asked when a panel wants to know, and from
// then on when the token changes and when the connection is back (the gateway may have another
// configuration). Emits 'change'.

import { ask } from './ask.js';

const RANKS = ['none', 'viewer', 'analyst', 'admin'];

export class Caller extends EventTarget {
  #access;
  #asked = 0;
  role = 'none';
  by = 'anonymous';
  name = null;
  known = false; // the gateway has answered
  problem = ''; // why not, as a sentence
  wrongToken = false;

  constructor(access) {
    super();
    this.#access = access;
    access.addEventListener('change', () => this.lookAgain());
  }

  may(role) {
    return this.known && RANKS.indexOf(this.role) >= RANKS.indexOf(role);
  }

  /** Who never asked need not know. */
  lookAgain() {
    if (this.#asked > 0) this.look();
  }

  async look() {
    const mine = ++this.#asked;
    let said = { role: 'none', by: 'anonymous', name: null, known: false };
    let problem = '';
    let wrongToken = false;
    try {
      said = { ...(await ask(this.#access, 'whoami')), known: true };
    } catch (error) {
      problem = error.message;
      wrongToken = error.status === 401;
    }
    if (mine !== this.#asked) return;
    const { role, by, name, known, all_symbols: all } = said;
    Object.assign(this, { role, by, name, known, problem, wrongToken, all: all !== false });
    this.dispatchEvent(new Event('change'));
  }

  /** Tries a token before it is kept. Throws an Error with a sentence. */
  async try(token) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('A token has no spaces and only plain letters, digits and signs: copy it once more.');
    const headers = { Authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(10_000);
    try {
      return await ask({ fetch: (path) => fetch(new URL(path, document.baseURI), { headers, signal }) }, 'whoami');
    } catch (error) {
      if (error.status !== 401) throw error;
      throw new Error('The gateway does not know this token, or it has ended. Look whether all of it was copied, or ask whoever runs the gateway for a new one.');
    }
  }
}

/** "an admin (ops)", "a viewer without a token". */
export function callerWords({ role, by, name }) {
  const article = /^a/.test(role) ? 'an' : 'a';
  if (role === 'none') return 'not known to the gateway';
  const who = `${article} ${role}`;
  const how = { anonymous: ' without a token', local: ' at the gateway\u2019s own machine' }[by] ?? (name ? ` (${name})` : '');
  return `${who}${how}`;
}
