// Asks again and again while somebody looks: only while it is started and the page is visible, the
// next time some seconds after the last answer, so that a slow gateway is asked less often. Nothing
// runs otherwise.

export class Poller {
  #ask;
  #everyMs;
  #timer = null;
  #started = false;
  #asking = false;
  #again = false;

  /** ask(): a promise that never fails: what goes wrong is for it to show. */
  constructor(ask, everyMs = 5000) {
    this.#ask = ask;
    this.#everyMs = everyMs;
    document.addEventListener('visibilitychange', () => {
      if (this.#started && !document.hidden) this.now();
    });
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    this.now();
  }

  stop() {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** Asks at once; while it is being asked, once more behind that. */
  async now() {
    clearTimeout(this.#timer);
    if (!this.#started || document.hidden) return;
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    do {
      this.#again = false;
      await this.#ask();
    } while (this.#again && this.#started && !document.hidden);
    this.#asking = false;
    if (this.#started) this.#timer = setTimeout(() => this.now(), this.#everyMs);
  }
}
