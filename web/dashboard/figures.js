// Every figure that the source gave, as [what, text]. Pure.

import { decimal, number, plain, signed, signedPercent } from '../quote.js';

const as = (name) => (item) => decimal(plain(item[name]));

const LINES = [
  ['Bid', as('bid')],
  ['Ask', as('ask')],
  ['Spread', spread],
  ['Open', as('open')],
  ['High', as('high')],
  ['Low', as('low')],
  ['Previous close', as('prev_close')],
  ['Change', change],
  ['Volume', (item) => grouped(plain(item.volume))],
  ['Unit', (item, row) => plain(item.unit) || row.unit],
  ['Currency', as('currency')],
  ['Exchange', (item, row) => plain(item.exchange) || row.exchange],
  ['Market', (item, row) => row.market || plain(item.market)],
  ['Region', as('region')],
  ['Series', as('series')],
  ['Period', as('period')],
];

/** "+0.033, +1.13 %". */
export function change(item) {
  return [signed(item.change), signedPercent(item.change_pct)].filter(Boolean).join('\u2002');
}

/** "0.02 (0.680 %)": of the middle. With the digits of bid and ask. */
export function spread(item) {
  const [bid, ask] = [number(item.bid), number(item.ask)];
  if (bid === null || ask === null) return '';
  const digits = Math.max(...[item.bid, item.ask].map((text) => (text.split('.')[1] ?? '').length));
  const middle = (bid + ask) / 2;
  const share = middle > 0 ? ` (${(((ask - bid) / middle) * 100).toFixed(3)}\u00a0%)` : '';
  return `${(ask - bid).toFixed(Math.min(digits, 100))}${share}`;
}

/** "1234567" -> "1,234,567". */
export function grouped(text) {
  return /^\d+$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, ',') : text;
}

/** Those of the item that say something; several: the named figures of an observation. */
export function figures(row, several) {
  const { item } = row;
  const lines = several.map(({ name, value, unit }) => [name.replaceAll('_', ' '), `${value} ${unit}`.trim()]);
  for (const [what, of] of item ? LINES : []) {
    const text = of(item, row);
    if (text) lines.push([what, text]);
  }
  return lines;
}
