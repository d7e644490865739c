// How long a price took from the market to the screen, step by step, and which of that is not known:
//
//   ts ──────────────► recv ──────────────► arrived ──────► shown
//   the market's time   the gateway took it  this page had it  it was painted
//
// Three clocks are in it: the market's (the provider says it), the gateway's, this device's. The
// last two are compared over the connection (clockSkewMs), at the price of its bare travel time,
// which is therefore in none of the steps (and a step that comes out negative by it took no time).
// An item of a snapshot was there before this page: its second step would be the time that it lay in
// the gateway. Pure.

import { number } from '../quote.js';
import { span } from './times.js';

/** item: newest of the symbol; heard: {item, snapshot, arrivedMs, shownMs (may be null)} of that very
 *  item, by this device's clock. Returns [{name, ms (null: not known), text, note}] and the total. */
export function steps(item, heard, skewMs) {
  const ts = number(item?.ts);
  const recv = number(item?.recv);
  const seen = heard?.item === item ? heard : null;
  const list = [marketToGateway(ts, recv), gatewayToPage(recv, seen, skewMs), pageToScreen(seen)];
  const total = list.some(({ ms }) => ms === null) ? null : list.reduce((sum, { ms }) => sum + ms, 0);
  return { list: list.map(withText), total: withText({ name: 'market to screen', ms: total, note: '' }) };
}

function marketToGateway(ts, recv) {
  const name = 'market to gateway';
  if (ts === null) return { name, ms: null, note: 'the source does not say when the price was made' };
  if (recv === null) return { name, ms: null, note: 'whoever published it does not say when it was heard' };
  return { name, ms: Math.max(0, recv - ts), note: 'the source\u2019s lateness and the wait for the next question are in it' };
}

function gatewayToPage(recv, seen, skewMs) {
  const name = 'gateway to page';
  if (!seen || seen.snapshot) return { name, ms: null, note: 'it was there before this page: the next price will tell' };
  if (recv === null) return { name, ms: null, note: 'whoever published it does not say when it was heard' };
  return { name, ms: Math.max(0, seen.arrivedMs + skewMs - recv), note: 'beyond the bare travel time of the line, by which the clocks are compared' };
}

function pageToScreen(seen) {
  const name = 'page to screen';
  if (!seen || seen.shownMs === null) return { name, ms: null, note: 'not painted yet' };
  return { name, ms: Math.max(0, seen.shownMs - seen.arrivedMs), note: 'until the frame with it was painted' };
}

function withText(step) {
  return { ...step, text: step.ms === null ? 'not known' : span(step.ms) };
}
