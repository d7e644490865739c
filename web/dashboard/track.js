// The course of a price since the page was opened, in bounded memory: at most 2 * KEPT points, each
// the last price of a slice of time. When they are full, neighbours are merged and slices become
// twice as long, so an hour and a day look equally smooth. Slices without a price have no point:
// the line runs straight over them. Pure; no DOM.

const KEPT = 48;
const FIRST_SLICE_MS = 1000;

export class Track {
  #at = []; // the slice's number since the first point's
  #price = [];
  #sliceMs = FIRST_SLICE_MS;
  #startMs = null;

  add(nowMs, price) {
    this.#startMs ??= nowMs;
    const slice = Math.max(0, Math.floor((nowMs - this.#startMs) / this.#sliceMs));
    const last = this.#at.length - 1;
    // A clock that was set back writes into the newest slice until it has caught up.
    if (last >= 0 && slice <= this.#at[last]) {
      this.#price[last] = price;
      return;
    }
    this.#at.push(slice);
    this.#price.push(price);
    if (this.#at.length === 2 * KEPT) this.#merge();
  }

  /** Two slices become one; the later price of them stays, and the very first one of all. */
  #merge() {
    const at = [];
    const price = [];
    for (let i = 0; i < this.#at.length; i++) {
      const slice = this.#at[i] >> 1;
      if (at.length > 1 && at.at(-1) === slice) price[price.length - 1] = this.#price[i];
      else if (at.length !== 1 || at[0] !== slice) {
        at.push(slice);
        price.push(this.#price[i]);
      }
    }
    this.#at = at;
    this.#price = price;
    this.#sliceMs *= 2;
  }

  get size() {
    return this.#at.length;
  }

  /** The price the page began with: what the line is measured against. */
  get first() {
    return this.#price[0] ?? null;
  }

  /** The "points" of a polyline in a box of width x height; '' for fewer than two prices. */
  points(width, height) {
    const n = this.#at.length;
    if (n < 2) return '';
    let low = Infinity;
    let high = -Infinity;
    for (const price of this.#price) {
      if (price < low) low = price;
      if (price > high) high = price;
    }
    const right = this.#at[n - 1];
    const tall = high - low;
    let text = '';
    for (let i = 0; i < n; i++) {
      const x = (this.#at[i] / right) * width;
      const y = tall === 0 ? height / 2 : height - ((this.#price[i] - low) / tall) * height;
      text += `${x.toFixed(1)},${y.toFixed(1)} `;
    }
    return text.trimEnd();
  }
}
