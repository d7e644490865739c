// Moments and spans in words, in the reader's own zone. Pure.

import { age } from '../quote.js';

const two = (n) => String(n).padStart(2, '0');

/** "10:41:07"; of another day "20 Nov, 10:41:07". null and what is no time: ''. */
export function clock(ms, nowMs = Date.now()) {
  if (ms === null || !Number.isFinite(ms)) return '';
  const at = new Date(ms);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  const year = at.getFullYear() === new Date(nowMs).getFullYear() ? {} : { year: 'numeric' };
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...year })}, ${time}`;
}

/** "12 ms", "3.4 s", "96 s", "4 min": as fine as it matters. */
export function span(ms) {
  if (ms < 1) return 'under 1\u00a0ms';
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)}\u00a0s` : age(ms);
}

/** "just now", "4 min ago". */
export const ago = (ms) => (ms < 1000 ? 'just now' : `${span(ms)} ago`);

/** A moment in RFC 3339, or in ms; null for none. */
export function moment(value) {
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : null;
}
