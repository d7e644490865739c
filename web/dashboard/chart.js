// The chart of one symbol: TradingView's lightweight-charts, read when the first chart is drawn, on
// the candles that were recorded since the page was opened (candles.js). Says on its element how
// much it shows (data-series, data-points) and what, for who cannot see it (aria-label).
//
// The page's policy forbids <style> elements made by scripts. The library makes one, for its logo
// inside the chart; so that is off, and its name stands below the chart, with the link that its
// licence asks for. Colours are those of the page and change with it.

import { element, setData } from './dom.js';
import { clock } from './times.js';

const CANDLES_SHOWN = 60;
const HELD_MAX = 600; // in the library, which forgets nothing by itself
const DIGITS_MAX = 10;
const DESCRIBED_MS = 5000;

let library = null;
const load = () => {
  library ??= import('../vendor/lightweight-charts.js').catch((error) => {
    library = null; // it may be there the next time
    throw error;
  });
  return library;
};

export class Chart {
  #lib = null;
  #chart = null;
  #series = null;
  #candles = null;
  #wanted = { style: 'line', digits: 2, seconds: 1, name: '', sizeName: '' };
  #drawn = ''; // what the series was made for
  #shown = null; // {last (its time), held (how many)} of what the series has
  #describedMs = 0;

  constructor(container) {
    this.box = element('div', 'chart', 'img');
    container.append(this.box);
    this.box.setAttribute('aria-label', 'Chart');
    this.#watchTheme();
  }

  /** Reads the library. Rejects where it cannot. */
  async open() {
    this.#lib = await load();
    this.#chart ??= this.#lib.createChart(this.box, this.#options());
    this.draw();
  }

  close() {
    this.#chart?.remove();
    this.#chart = this.#series = this.#shown = null;
    this.#drawn = '';
  }

  /** candles: undefined while nothing was heard. style: 'line' or 'candles'. digits: behind the point.
   *  seconds: of a candle. name, sizeName: for the description. */
  show(candles, { style, digits, seconds, name, sizeName }) {
    this.#candles = candles ?? null;
    this.#wanted = { style, digits: Math.min(digits, DIGITS_MAX), seconds, name, sizeName };
    this.#shown = null;
    this.#describedMs = 0;
    this.draw();
  }

  holds(candles) {
    return this.#candles !== null && this.#candles === candles;
  }

  /** Brings the newest to the screen; to be called once per frame at most. */
  draw() {
    if (!this.#chart) return;
    this.#makeSeries();
    const n = this.#candles?.length ?? 0;
    if (!this.#shown || n === 0 || this.#candles.get(0).time > this.#shown.last) {
      this.#setAll();
      this.#fit(n);
    } else if (this.#shown.held < HELD_MAX) {
      this.#addNew(n);
    } else { // as much as is kept; where the reader has moved it, it stays
      const seen = this.#chart.timeScale().getVisibleRange();
      this.#setAll();
      if (seen) this.#chart.timeScale().setVisibleRange(seen);
    }
    setData(this.box, 'series', this.#wanted.style);
    setData(this.box, 'points', String(n));
    this.#describe(n);
  }

  #setAll() {
    const all = this.#candles?.list() ?? [];
    this.#series.setData(all.map((candle) => this.#point(candle)));
    this.#shown = all.length > 0 ? { last: all.at(-1).time, held: all.length } : null;
  }

  /** The newest once more, as it may have changed, and those behind it. */
  #addNew(n) {
    let i = n - 1;
    while (i > 0 && this.#candles.get(i).time > this.#shown.last) i--;
    for (; i < n; i++) {
      const candle = this.#candles.get(i);
      this.#series.update(this.#point(candle));
      if (candle.time > this.#shown.last) this.#shown.held++;
      this.#shown.last = candle.time;
    }
  }

  #makeSeries() {
    const { style, digits } = this.#wanted;
    const key = `${style} ${digits}`;
    if (key === this.#drawn) return;
    if (this.#series) this.#chart.removeSeries(this.#series);
    const kind = style === 'candles' ? this.#lib.CandlestickSeries : this.#lib.LineSeries;
    const priceFormat = { type: 'price', precision: digits, minMove: 10 ** -digits };
    this.#series = this.#chart.addSeries(kind, { priceFormat, ...this.#colours().series });
    this.#drawn = key;
    this.#shown = null;
  }

  #point({ time, open, high, low, close }) {
    return this.#wanted.style === 'candles' ? { time, open, high, low, close } : { time, value: close };
  }

  /** A few candles do not become as wide as the chart. */
  #fit(n) {
    const scale = this.#chart.timeScale();
    if (n > CANDLES_SHOWN) scale.setVisibleLogicalRange({ from: n - CANDLES_SHOWN, to: n + 3 });
    else scale.setVisibleLogicalRange({ from: Math.min(0, n - CANDLES_SHOWN / 2), to: n + 3 });
  }

  #describe(n) {
    const nowMs = Date.now();
    if (nowMs - this.#describedMs < DESCRIBED_MS) return;
    this.#describedMs = nowMs;
    const { name, sizeName, digits } = this.#wanted;
    let text = `Chart of ${name}: nothing to draw yet`;
    if (n > 0) {
      let [low, high] = [Infinity, -Infinity];
      for (let i = 0; i < n; i++) {
        low = Math.min(low, this.#candles.get(i).low);
        high = Math.max(high, this.#candles.get(i).high);
      }
      const from = clock(this.#candles.get(0).time * 1000, nowMs);
      const last = this.#candles.get(n - 1).close.toFixed(digits);
      text = `Chart of ${name}, a point for each ${sizeName} since ${from}: lowest ${low.toFixed(digits)}, highest ${high.toFixed(digits)}, last ${last}`;
    }
    this.box.setAttribute('aria-label', text);
  }

  // --- looks ---

  #options() {
    return {
      autoSize: true,
      layout: { attributionLogo: false, ...this.#colours().layout },
      ...this.#colours().lines,
      // The page scrolls, not the chart; it is moved by dragging it sideways.
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      timeScale: {
        timeVisible: true,
        secondsVisible: true,
        borderVisible: false,
        tickMarkFormatter: (time) => clock(time * 1000).slice(0, this.#wanted.seconds < 60 ? undefined : -3),
      },
      rightPriceScale: { borderVisible: false },
      localization: { timeFormatter: (time) => clock(time * 1000) },
    };
  }

  #colours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const [up, down, grid] = [colour('--up'), colour('--down'), { color: colour('--line') }];
    return {
      layout: {
        background: { type: 'solid', color: colour('--card') },
        textColor: colour('--dim'),
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSize: 0.82 * parseFloat(style.fontSize),
      },
      lines: { grid: { vertLines: grid, horzLines: grid }, crosshair: { mode: 0 } },
      series: this.#wanted.style === 'candles'
        ? { upColor: up, wickUpColor: up, downColor: down, wickDownColor: down, borderVisible: false }
        : { color: colour('--text'), lineWidth: 2 },
    };
  }

  #watchTheme() {
    const change = () => {
      const { layout, lines, series } = this.#colours();
      this.#chart?.applyOptions({ layout, ...lines });
      this.#series?.applyOptions(series);
    };
    new MutationObserver(change).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', change);
  }
}
