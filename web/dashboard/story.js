// Where a price comes from, and why from there, in sentences:
//
//   "Twelve Data said 429 (too many requests) at 10:41:07, Yahoo since, delayed 10 min."
//
// Two things are known: the item itself (source, fallback, lateness, times), and what the gateway
// remembers of each source of the chain (GET /api/v1/provenance/{symbol}; null while it has not
// answered). Where only the first is known, only that is told. Pure.

import { number, plain } from '../quote.js';
import { because, did, notAsked, providerName } from './providers.js';
import { clock } from './times.js';
import { lateness } from './words.js';

const LATE_MS = 60_000; // a price that was older than this when it was heard is worth a word

/** Has it failed since its answer was last taken? */
const isFailing = (source) => source.failure !== null && source.failure.at > (source.answered ?? 0);

/** Which source of the chain the item is from; -1: none of them. A provider may stand there twice. */
function placeOf(item, said) {
  const { sources } = said ?? { sources: [] };
  const exact = sources.findIndex(({ provider, symbol }) => provider === item?.source && symbol === item.source_symbol);
  return exact >= 0 ? exact : sources.findIndex(({ provider }) => provider === item?.source);
}

/** Since when the gateway takes this source's answers; null when it takes another's. */
function sinceOf(source, said) {
  const same = said && source && said.source === source.provider && said.source_symbol === source.symbol;
  return same ? said.since : null;
}

/** Its provider; with its symbol where the provider stands in the chain twice. */
function nameOf(source, said) {
  const name = providerName(source.provider);
  const twice = said.sources.filter(({ provider }) => provider === source.provider).length > 1;
  return twice ? `${name} (${source.symbol})` : name;
}

/** One sentence for everything. row: the model's; said: the gateway's answer or null. */
export function headline(row, said, nowMs) {
  const { item } = row;
  if (!item) return missing(row);
  const from = plain(item.source);
  const late = lateWords(item);
  const source = said?.sources[placeOf(item, said)];
  if (said && !source) return fedByOthers(from, said, late);
  if (!from) return `Nobody says where this comes from${late}.`;
  if (!source) return item.fallback === true ? `${providerName(from)}, not the first source, says this${late}.` : `${providerName(from)}, the first source, says this${late}.`;
  return `${capital(told(source, said, late, nowMs))}.`;
}

function fedByOthers(from, said, late) {
  const who = from ? providerName(from) : 'Another program';
  if (said.sources.length === 0) return `${who} publishes this through Redis${late}: this gateway asks nobody for it.`;
  return `${who} published this itself, through Redis${late}; none of this gateway\u2019s sources did.`;
}

/** source: the one that the item is from. */
function told(source, said, late, nowMs) {
  const name = nameOf(source, said);
  const place = said.sources.indexOf(source);
  if (isFailing(source)) return `${name} ${failure(source, nowMs)}${late}; this is its answer of ${clock(source.answered, nowMs) || 'before'}`;
  const since = sinceOf(source, said);
  const inFront = said.sources.slice(0, place);
  const before = inFront.map((one) => trouble(one, said, nowMs)).filter(Boolean).join('; ');
  if (before === '') {
    return `${name}, ${place === 0 ? 'the first source' : 'not the first source'}, answers${since ? ` since ${clock(since, nowMs)}` : ''}${late}`;
  }
  // "since" alone is since the one time that is named.
  const once = inFront.length === 1 && (!isFailing(inFront[0]) || inFront[0].failure.times === 1);
  if (once && since) return `${before}, ${name} since${late}`;
  return `${before}; ${since ? `${name} answers since ${clock(since, nowMs)}` : `now ${name}`}${late}`;
}

/** Why a source in front of the one that answers does not: '' when nothing is known of it. */
function trouble(source, said, nowMs) {
  const name = nameOf(source, said);
  if (isFailing(source)) return `${name} ${failure(source, nowMs)}`;
  if (source.skipped?.error === 'disabled') return `${name} is not asked (${notAsked('disabled')})`;
  if (source.skipped) return `${name} is not asked since ${clock(source.skipped.since, nowMs)} (${notAsked(source.skipped.error)})`;
  return '';
}

/** "said 429 (too many requests) at 10:41:07, the last of 3 failures since 10:39:02". */
function failure({ failure: { error, status, at, since, times } }, nowMs) {
  const row = times > 1 ? `, the last of ${times} failures since ${clock(since, nowMs)}` : '';
  return `${did(error, status)} at ${clock(at, nowMs)}${row}`;
}

function missing(row) {
  const who = row.reasonSource ? `${providerName(row.reasonSource)} ${did(row.reason, null)}` : because(row.reason);
  const what = row.kind === 'quote' ? 'There is no price yet' : 'There is nothing yet';
  return row.reason ? `${what}: ${who}.` : `${what}: no source has answered since the gateway was started.`;
}

/** ", delayed 10 min", by the source's own word or by the times. */
function lateWords(item) {
  if (lateness(item)) return `, delayed ${lateness(item)}`;
  const ms = (number(item.recv) ?? 0) - (number(item.ts) ?? 0);
  return item.state === 'delayed' && ms >= LATE_MS ? `, ${Math.round(ms / 60_000)}\u00a0min late` : '';
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** A line for each source of the chain: [{provider, symbol, role: 'answers' | 'fails' | 'waits' |
 *  'off' | 'spare', text}]. */
export function chain(row, said, nowMs) {
  if (!said) return [];
  const place = placeOf(row.item, said);
  return said.sources.map((source, i) => {
    const { provider, symbol } = source;
    return { provider, symbol, ...tell(source, { answers: i === place, behind: place >= 0 && i > place, said, nowMs }) };
  });
}

function tell(source, { answers, behind, said, nowMs }) {
  const history = source.failure && !isFailing(source)
    ? `; it ${did(source.failure.error, source.failure.status)} at ${clock(source.failure.at, nowMs)}` : '';
  if (isFailing(source)) return { role: 'fails', text: failing(source, nowMs) };
  if (answers) {
    const since = sinceOf(source, said);
    const last = source.answered ? `, last at ${clock(source.answered, nowMs)}` : '';
    return { role: 'answers', text: `answers${since ? ` since ${clock(since, nowMs)}` : ''}${last}${history}` };
  }
  if (source.skipped?.error === 'disabled' || source.state === 'disabled') return { role: 'off', text: `not asked: ${notAsked('disabled')}` };
  if (source.skipped) return { role: 'waits', text: `not asked since ${clock(source.skipped.since, nowMs)}: ${notAsked(source.skipped.error)}${again(source, nowMs)}` };
  if (source.answered) return { role: 'spare', text: `last answered at ${clock(source.answered, nowMs)}, not needed now${history}` };
  return { role: 'spare', text: behind ? 'not needed so far' : 'not asked yet' };
}

function failing(source, nowMs) {
  const before = source.answered ? `; it last answered at ${clock(source.answered, nowMs)}` : '';
  return `${failure(source, nowMs)}${before}${again(source, nowMs)}`;
}

function again(source, nowMs) {
  if (source.retry_at > nowMs) return `; asked again from ${clock(source.retry_at, nowMs)}`;
  return source.state === 'open' ? '; suspended until somebody resets it' : '';
}

/** What is to be known of its state beyond that; '' when it is live. */
export function stateWords(row, nowMs) {
  const { item } = row;
  const why = row.reason ? ` (${because(row.reason)})` : '';
  const recv = number(item?.recv) ?? number(item?.ts);
  if (!item) return '';
  if (row.state === 'stale') return `No answer came since ${clock(recv, nowMs)}${why}: this is the last one known.`;
  if (row.state === 'unavailable') return `No answer came since ${clock(recv, nowMs)}${why}: it is too old to go by.`;
  if (row.state === 'closed') return 'The market is closed: this is its last price.';
  return item.derived === true ? 'It is computed from other rates (by inversion, or through a third currency).' : '';
}
