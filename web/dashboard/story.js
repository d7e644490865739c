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

/** One sentence for everything. row: the model's; said: the gateway's answer or null. */
export function headline(row, said, nowMs) {
  const { item } = row;
  if (!item) return missing(row);
  const from = plain(item.source);
  const place = placeOf(item, said);
  const since = sinceOf(said?.sources[place], said);
  const late = lateWords(item);
  if (said && said.sources.length > 0 && place < 0 && from) {
    return `${providerName(from)} published this itself, through Redis${late}; none of this gateway\u2019s sources did.`;
  }
  if (said && said.sources.length === 0) {
    return `${from ? providerName(from) : 'Another program'} publishes this through Redis${late}: this gateway asks nobody for it.`;
  }
  if (!from) return `Nobody says where this comes from${late}.`;
  const before = place > 0 ? said.sources.slice(0, place).map((source) => trouble(source, nowMs)).filter(Boolean) : [];
  if (before.length > 0) {
    const now = since ? `${providerName(from)} since` : `now ${providerName(from)}`;
    return `${sentence(before.join(', '))}, ${now}${late}.`;
  }
  if (item.fallback === true) return `${providerName(from)}, not the first source, says this${late}.`;
  return `${providerName(from)}, the first source, answers${since ? ` since ${clock(since, nowMs)}` : ''}${late}.`;
}

/** Why a source in front of the one that answers does not: '' when nothing is known of it. */
function trouble(source, nowMs) {
  const name = providerName(source.provider);
  if (isFailing(source)) return `${name} ${did(source.failure.error, source.failure.status)} at ${clock(source.failure.at, nowMs)}`;
  if (source.skipped?.error === 'disabled') return `${name} is not asked (${notAsked('disabled')})`;
  if (source.skipped) return `${name} is not asked since ${clock(source.skipped.since, nowMs)} (${notAsked(source.skipped.error)})`;
  return '';
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

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

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
  const { error, status, at, since, times } = source.failure;
  const often = times > 1 ? `, ${times} times in a row since ${clock(since, nowMs)}` : '';
  const before = source.answered ? `; it last answered at ${clock(source.answered, nowMs)}` : '';
  return `${did(error, status)} at ${clock(at, nowMs)}${often}${before}${again(source, nowMs)}`;
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
