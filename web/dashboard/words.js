// What the page says about states and items, in sentences: for titles and for panels. Pure.

import { number, plain } from '../quote.js';
import { reasonText } from './model.js';

const MEANING = {
  quote: {
    live: 'live: the price is current',
    delayed: 'delayed: the source says or shows that its prices are late',
    stale: 'stale: no new answer for too long; this is the last known price',
    closed: 'closed: the market is closed; this is its last price',
    unavailable: 'unavailable: there is no price to go by',
  },
  observation: {
    live: 'live: confirmed recently, and current',
    delayed: 'delayed: it is about a time that lies further back',
    stale: 'stale: no new answer for too long; this is the last one',
    closed: 'closed',
    unavailable: 'unavailable: there is nothing to go by',
  },
};

const TIME_OF = { quote: 'time of the price', observation: 'time that it is about' };

/** Everything known about a row, one thing a line. */
export function explain(row) {
  const lines = [MEANING[row.kind][row.state]];
  const { item } = row;
  if (item) {
    const fallback = item.fallback === true ? ' (a fallback)' : '';
    if (plain(item.source)) lines.push(`source: ${item.source}${fallback}`);
    if (plain(item.source_symbol)) lines.push(`its symbol: ${item.source_symbol}`);
    if (lateness(item)) lines.push(`the source says it is ${lateness(item)} late`);
    if (number(item.ts) !== null) lines.push(`${TIME_OF[row.kind]}: ${time(item.ts)}`);
    if (number(item.recv) !== null) lines.push(`last answer: ${time(item.recv)}`);
    for (const url of Array.isArray(item.citations) ? item.citations : []) {
      if (plain(url)) lines.push(`it rests on: ${url}`);
    }
    if (number(item.prev_close) !== null) lines.push(`previous close: ${item.prev_close}`);
  }
  if (row.market || plain(item?.market)) lines.push(`market: ${row.market || item.market}`);
  const reason = reasonText(row);
  if (reason) lines.push(`reason: ${reason}`);
  return lines.join('\n');
}

/** "15 min", what the provider declares; '' when it declares nothing. */
export function lateness(item) {
  const s = number(item?.delayed_s);
  if (s === null || s <= 0) return '';
  return s < 60 ? `${s}\u00a0s` : `${Math.round(s / 60)}\u00a0min`;
}

function time(ms) {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? ms : date.toLocaleString();
}
