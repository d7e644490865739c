import type { PriceFeed } from './index.js';

/** `<price-ticker symbols="coffee,EUR/USD" gateway="https://host/" interval-ms="1000">` */
export class PriceTicker extends HTMLElement {
  /** The feed in use; or give one, with a token for example. It stays the page's own to close. */
  get feed(): PriceFeed | null;
  set feed(feed: PriceFeed | null);
}

declare global {
  interface HTMLElementTagNameMap {
    'price-ticker': PriceTicker;
  }
}
