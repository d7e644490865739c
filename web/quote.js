// Figures for people: signs, percentages, ages. Numbers arrive as their own text (client/exact.js), so
// a price is shown with the digits that its provider gave; who needs to calculate says number(). Pure;
// no DOM.

export { parseExact } from './client/exact.js';

/** Text for people from a member that may be anything at all; '' when it is no plain value. */
export function plain(value) {
  return typeof value === 'string' ? value : '';
}

/** A finite number from a member's text, else null. */
export function number(value) {
  if (typeof value !== 'string' || value === '') return null;
  const n = Number(value);
  return Number.isFinite(n) ? n : null;
}

/** "1.50e-7" -> "0.000000150": as other programs write small prices. The digits stay; what would be
 *  too long to read stays as it is. */
export function decimal(text) {
  const [, sign, whole, part = '', power] = /^(-?)(\d+)(?:\.(\d+))?e([+-]?\d+)$/i.exec(text) ?? [];
  if (whole === undefined || Math.abs(power) > 20) return text;
  const point = whole.length + Number(power); // before which digit it goes
  const digits = (whole + part).padEnd(point, '0');
  const behind = digits.slice(Math.max(point, 0)).padStart(digits.length - point, '0');
  const before = digits.slice(0, Math.max(point, 0)).replace(/^0+(?=\d)/, '') || '0';
  return `${sign}${before}${behind && `.${behind}`}`;
}

/** "0.033" -> "+0.033"; a minus sign of typographic width; zero has no sign. */
export function signed(text) {
  const n = number(text);
  if (n === null) return '';
  const size = decimal(text).replace(/^-/, '');
  if (n > 0) return `+${size}`;
  return n < 0 ? `\u2212${size}` : size;
}

/** Percent to two decimals, signed: "1.134" -> "+1.13 %". */
export function signedPercent(text) {
  const n = number(text);
  return n === null ? '' : `${signed(n.toFixed(2))}\u00a0%`;
}

/** How long ago, short: "4 s", "3 min", "2 h 05", "5 d". */
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}\u00a0s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min}\u00a0min`;
  const h = Math.floor(min / 60);
  if (h < 48) return `${h}\u00a0h\u00a0${String(min % 60).padStart(2, '0')}`;
  return `${Math.floor(h / 24)}\u00a0d`;
}
