// One line of a table: its elements, made once, and what they say now. Elements keep their place and
// their width whatever they say, so a new price moves nothing on the page: a price has an element for
// each character, and its point always at the same place; other figures are filled up to one length.
//
// A price shows three things without a word: an arrow for the direction of the last move, which
// stays (for those who see no colours), the digits that changed in the colour of the direction, and
// for a moment a coloured ground. The ground comes at most once a second: at ten prices a second it
// would be a flicker that says nothing. Who wants no motion gets none.

import { age, decimal, number, plain, signed, signedPercent } from '../quote.js';
import { drawing, element, setData, setFigure, setText, withText } from './dom.js';
import { observed, reasonText } from './model.js';
import { explain, lateness } from './words.js';

const FLASH_MS = 450;
const FLASH_EVERY_MS = 1000;
const LINE_EVERY_MS = 1000; // how often the course of the price is drawn anew
const LINE = { width: 100, height: 20 };

const CHANGE_CHARACTERS = 11;
const PERCENT_CHARACTERS = 8;
const NO_BREAK = '\u00a0';

/** The columns of each table: [class, title]. */
export const COLUMNS = {
  quote: [
    ['star', ''], ['name', 'Instrument'], ['price', 'Price'], ['change', 'Change'], ['percent', '%'],
    ['line', 'Session'], ['source', 'Source'], ['age', 'Age'], ['state', 'State'],
  ],
  observation: [
    ['star', ''], ['name', 'Observation'], ['observed', 'Value'],
    ['source', 'Source'], ['age', 'Age'], ['state', 'State'],
  ],
};

const FILL = '\u2007'; // as wide as a digit
const FILL_POINT = '\u2008'; // as wide as a point

/** Elements for the characters of a text, which keep their places: counted from the right of a text
 *  that grows to the left (the whole part of a price), from the left of one that grows to the right. */
class Characters {
  #spans = [];

  constructor(host, fromRight) {
    this.host = host;
    this.fromRight = fromRight;
  }

  /** Those from `moved` on, in reading order, stand out. */
  show(text, moved) {
    while (this.#spans.length < text.length) {
      const span = element('span');
      this.#spans.push(span);
      if (this.fromRight) this.host.prepend(span);
      else this.host.append(span);
    }
    for (let i = 0; i < this.#spans.length; i++) {
      const at = this.fromRight ? text.length - 1 - i : i;
      const span = this.#spans[i];
      setFigure(span, text[at] ?? '');
      const name = at >= moved && at < text.length ? 'moved' : '';
      if (span.className !== name) span.className = name;
    }
  }
}

/** A price, its point always at the same place. */
class Price {
  #text = null;

  constructor(host) {
    const whole = element('span', 'whole');
    const part = element('span', 'part');
    host.append(whole, part);
    this.whole = new Characters(whole, true);
    this.part = new Characters(part, false);
  }

  /** False: that is what stands there. */
  show(text) {
    if (text === this.#text) return false;
    const same = this.#text === null ? text.length : commonStart(text, this.#text);
    const point = pointOf(text);
    this.whole.show(text.slice(0, point), same);
    this.part.show(text.slice(point), same - point);
    this.#text = text;
    return true;
  }
}

/** How many characters stand before the decimal point. */
export function pointOf(text) {
  const at = text.indexOf('.');
  return at < 0 ? text.length : at;
}

/** How many characters two prices have in common from the left; 0 when their points differ. */
function commonStart(a, b) {
  if (pointOf(a) !== pointOf(b)) return 0;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
}

class Row {
  visible = true; // near the part of the page that can be seen

  constructor(row) {
    this.symbol = row.symbol;
    this.kind = row.kind;
    this.tr = element('tr', 'instrument', 'row');
    this.tr.dataset.symbol = row.symbol;
    this.tr.tabIndex = -1;
    this.cells = {};
    for (const [column] of COLUMNS[row.kind]) {
      const head = column === 'name';
      const cell = element(head ? 'th' : 'td', column, head ? 'rowheader' : 'gridcell');
      if (head) cell.scope = 'row';
      this.cells[column] = cell;
      this.tr.append(cell);
    }
    this.star = element('button');
    this.star.type = 'button';
    this.star.tabIndex = -1; // the row is what has the focus; its key is "s"
    this.star.append(withText('span', '', '\u2606'));
    this.cells.star.append(this.star);
    this.name = element('span', 'full-name');
    this.code = element('span', 'symbol');
    this.cells.name.append(this.name, ' ', this.code);
    this.provider = element('span', 'provider');
    this.tag = element('span', 'tag fallback');
    this.lateTag = element('span', 'tag late');
    this.cells.source.append(this.provider, ' ', this.tag, ' ', this.lateTag);
    this.setNames(row);
  }

  setNames(row) {
    setText(this.name, row.name);
    setText(this.code, row.symbol === row.name ? '' : row.symbol);
    this.cells.name.title = row.symbol === row.name ? row.name : `${row.name} (${row.symbol})`;
  }

  setStar(on, list) {
    setText(this.star.firstChild, on ? '\u2605' : '\u2606');
    this.star.setAttribute('aria-pressed', String(on));
    this.star.setAttribute('aria-label', `${this.symbol} in the list ${list}`);
    this.star.title = on ? `take it out of the list ${list}` : `add it to the list ${list}`;
  }

  /** Is its detail open? */
  setSelected(on) {
    if (on) this.tr.setAttribute('aria-selected', 'true');
    else this.tr.removeAttribute('aria-selected');
  }

  fill(row) {
    const { item } = row;
    setData(this.tr, 'state', row.heard ? row.state : '');
    setText(this.provider, plain(item?.source));
    setText(this.tag, item?.fallback === true ? 'fallback' : '');
    const late = lateness(item);
    setText(this.lateTag, late && `${late} late`);
    const why = item ? '' : reasonText(row);
    setText(this.cells.state, !row.heard ? '' : why ? `${row.state} \u2013 ${why}` : row.state);
  }

  showAge(ms) {
    setText(this.cells.age, ms === null ? '' : age(ms));
  }

  /** The long text of the row, made when somebody asks for it. */
  explain(row) {
    this.cells.state.title = this.cells.source.title = explain(row);
  }
}

/** A change, with fewer digits where its column is too narrow for them: the detail has them all. */
export function shortChange(text) {
  const whole = signed(text);
  if (whole.length <= CHANGE_CHARACTERS) return whole;
  const size = Math.abs(number(text));
  for (let digits = CHANGE_CHARACTERS; digits >= 0; digits--) {
    const short = whole[0] + size.toFixed(digits);
    if (short.length <= CHANGE_CHARACTERS && number(size.toFixed(digits)) > 0) return short;
  }
  return whole[0] + size.toExponential(2);
}

/** A percentage: who is beyond 1,000 needs no hundredths. */
export function shortPercent(text) {
  const n = number(text);
  return Math.abs(n) < 999.995 ? signedPercent(text) : `${signed(n.toFixed(0))}${NO_BREAK}%`;
}

/** All changes begin at the same place, so none moves when it becomes another one. */
function filled(change) {
  const point = change.includes('.') ? '' : FILL_POINT;
  return change && (point + change).padStart(CHANGE_CHARACTERS, FILL);
}

export class QuoteRow extends Row {
  #flashUntil = 0;
  #flashAgainAt = 0;
  #lineAt = 0;

  constructor(row) {
    super(row);
    const value = element('span', 'value');
    this.price = new Price(value);
    this.unit = element('span', 'unit');
    this.cells.price.append(value, NO_BREAK, this.unit);
    this.course = drawing('polyline', { points: '' });
    const line = drawing('svg', { viewBox: `0 -1 ${LINE.width} ${LINE.height + 2}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    line.append(this.course);
    this.cells.line.append(line);
  }

  /** motion: may it flash? */
  fill(row, nowMs, motion) {
    super.fill(row);
    const { item } = row;
    this.#fillPrice(row, nowMs, motion);
    setText(this.unit, item ? plain(item.unit) || plain(item.currency) : '');
    setFigure(this.cells.change, item ? filled(shortChange(item.change)) : '');
    setFigure(this.cells.percent, shortPercent(item?.change_pct).padStart(PERCENT_CHARACTERS, FILL));
    setData(this.tr, 'trend', ['down', 'flat', 'up'][Math.sign(number(item?.change) ?? 0) + 1]);
    if (nowMs - this.#lineAt >= LINE_EVERY_MS) this.#drawLine(row, nowMs);
  }

  #fillPrice(row, nowMs, motion) {
    if (!this.price.show(row.item ? decimal(row.item.price) : '\u2013')) return;
    if (row.direction === 0) return;
    const way = row.direction > 0 ? 'up' : 'down';
    setData(this.tr, 'tick', way);
    if (this.#flashUntil > 0) setData(this.tr, 'flash', way); // it never contradicts the arrow
    if (!motion || nowMs < this.#flashAgainAt) return;
    setData(this.tr, 'flash', way);
    this.#flashUntil = nowMs + FLASH_MS;
    this.#flashAgainAt = nowMs + FLASH_EVERY_MS;
  }

  /** Ends a flash that is over. Returns false while one lasts. */
  settle(nowMs) {
    if (this.#flashUntil === 0) return true;
    if (nowMs < this.#flashUntil) return false;
    this.#flashUntil = 0;
    delete this.tr.dataset.flash;
    return true;
  }

  #drawLine(row, nowMs) {
    this.#lineAt = nowMs;
    const { track } = row;
    this.course.setAttribute('points', track.points(LINE.width, LINE.height));
    setData(this.cells.line, 'trend', ['down', 'flat', 'up'][Math.sign((row.price ?? 0) - (track.first ?? 0)) + 1]);
  }
}

export class ObservationRow extends Row {
  /** Each figure with its name and unit, the words below, then what they are about. */
  fill(row) {
    super.fill(row);
    const { item } = row;
    const parts = [];
    for (const { name, value, unit } of item ? observed(item) : []) {
      const figure = element('span', 'figure');
      if (name) figure.append(withText('span', 'label', name.replaceAll('_', ' ')), ' ');
      figure.append(withText('span', 'value', value), ' ', withText('span', 'of', unit));
      parts.push(figure, ' ');
    }
    if (plain(item?.text)) {
      const words = withText('span', 'words', item.text);
      words.title = item.text; // the page shows the first lines
      parts.push(words);
    }
    const about = [item?.region, item?.series, item?.period].map(plain).filter(Boolean);
    if (about.length > 0) parts.push(withText('span', 'about', about.join(' \u00b7 ')));
    this.cells.observed.replaceChildren(...(parts.length > 0 ? parts : ['\u2013']));
  }

  settle() {
    return true;
  }
}
