// The chart with what belongs to it: line or candles, of which size, whose library it is, and a
// sentence while there is little to see.

import { number, plain } from '../quote.js';
import { Chart } from './chart.js';
import { element, setText, withText } from './dom.js';
import { choice } from './parts.js';

const SIZES = [['1', '1 s', 'second'], ['10', '10 s', '10 seconds'], ['60', '1 min', 'minute'], ['300', '5 min', '5 minutes']];
const STYLES = [['line', 'Line'], ['candles', 'Candles']];

/** The one figure of a row as its text; '' where there is none, or several. */
const figureOf = (row) => plain(row?.item?.price) || plain(row?.item?.value);

const digitsOf = (row) => (figureOf(row).split('.')[1] ?? '').length;

export class ChartBox {
  #row = null;
  #open = false;
  #style = 'line';
  #size = '1';
  #digits = 0; // the most that a price had behind its point

  constructor(container, recorder) {
    this.recorder = recorder;
    this.box = element('div', 'chart-box');
    const bar = element('div', 'toolbar');
    bar.append(
      choice('Kind of chart', STYLES, this.#style, (style) => {
        this.#style = style;
        this.#show();
      }),
      choice('A point for each', SIZES, this.#size, (size) => {
        this.#size = size;
        this.#show();
      }),
    );
    this.frame = element('div', 'chart-frame');
    this.note = withText('p', 'note', '');
    this.box.append(bar, this.frame, attribution(), this.note);
    container.append(this.box);
    this.chart = new Chart(this.frame);
  }

  #candles() {
    return this.recorder.course(this.#row.symbol)?.candles(Number(this.#size));
  }

  open(row) {
    if (row !== this.#row) this.#digits = 0;
    this.#row = row;
    this.#open = true;
    this.#show();
    this.chart.open().then(
      () => this.#open || this.chart.close(),
      () => setText(this.note, 'The chart could not be read from the gateway: close this panel and open it again, or reload the page.'),
    );
  }

  close() {
    this.#open = false;
    this.chart.close();
  }

  #show() {
    const charted = this.#row.kind === 'quote' || number(figureOf(this.#row)) !== null;
    this.#digits = Math.max(this.#digits, digitsOf(this.#row));
    this.box.hidden = !charted;
    if (!charted) return;
    this.chart.show(this.#candles(), {
      style: this.#style,
      digits: this.#digits,
      seconds: Number(this.#size),
      name: this.#row.name,
      sizeName: SIZES.find(([size]) => size === this.#size)[2],
    });
    this.#explain();
  }

  /** The row has another price. */
  draw() {
    const other = this.box.hidden || digitsOf(this.#row) > this.#digits || !this.chart.holds(this.#candles());
    if (other) return this.#show();
    this.chart.draw();
    return this.#explain();
  }

  #explain() {
    const n = this.#candles()?.length ?? 0;
    let text = '';
    if (n === 0) text = 'Nothing to draw yet: no price has come.';
    else if (n < 3) text = 'The chart begins where this page was opened.';
    setText(this.note, text);
  }
}

function attribution() {
  const line = element('p', 'attribution');
  const link = withText('a', '', 'TradingView, Inc.');
  link.href = 'https://www.tradingview.com/';
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  line.append('Drawn by Lightweight Charts\u2122, Copyright (c) 2026 ', link);
  return line;
}
