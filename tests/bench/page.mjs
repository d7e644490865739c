// What the dashboard costs the browser that shows it.
//
//   node tests/bench/page.mjs [--seconds S] [--hour [HOURS]] [--json FILE]
//
// frames   500 symbols, ten prices a second each, through Redis and the gateway into a page of
//          1360 x 860 and one of 3840 x 2160, for S (10) seconds: what a Chromium trace says that the
//          page's main thread did for each frame, script and style (the target: at most 5 ms), and
//          layout and paint besides.
// start    an empty cache, over loopback, in a window that is open: how long from the navigation until
//          the first price is painted (the target: 300 ms), and how many bytes the page has. 20 times.
// --hour   memory instead: 100 symbols, one price a second each, for an hour or HOURS: the page's heap
//          after a collection, its nodes and listeners, every minute (sooner in a short run).
//
// Everything runs on one machine, so what the gateway and the publisher need slows the page.

import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';

import { startGateway } from '../support/gateway.js';
import { DESK, openPage, startBrowser } from '../support/page.js';
import { startRedis } from '../support/redis.js';
import { external } from '../support/scene.js';
import { sleep } from '../support/wait.js';
import { median } from './report.mjs';

const { values: options, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    hour: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
  allowPositionals: true,
});
const hours = Number(positionals[0] ?? 1);
const SECONDS = Number(options.seconds);
const CATEGORIES = ['coffee_prices', 'equities', 'fx_rates', 'energy', 'crypto'];
const STARTS = 20;
const WINDOW_MS = 1500; // Chromium makes the pages of its own bars when a window opens: not what is measured
const PAGE_MS = 1000;

// --- a market of other programs ---

const symbols = (count) => Array.from({ length: count }, (_, i) => `S${String(i).padStart(3, '0')}`);

/** Publishes perSecond prices of `names` in turn until stop(); what the machine can't do is left out,
 *  and told. */
function market(redis, names, perSecond) {
  const prices = names.map((_, i) => 10_000 + 37 * i);
  const EVERY_MS = 20;
  let next = 0;
  let sent = 0;
  let busy = false;
  const started = Date.now();
  const timer = setInterval(async () => {
    const due = Math.floor(((Date.now() - started) / 1000) * perSecond) - sent;
    if (busy || due <= 0) return;
    busy = true;
    const commands = [];
    for (let i = 0; i < due; i++, next = (next + 1) % names.length) {
      prices[next] += ((sent + i) * 7919) % 11 - 5;
      const price = (prices[next] / 100).toFixed(2);
      const now = Date.now();
      commands.push(redis.command('PUBLISH', `${names[next]}:price:stream`,
        `{"symbol":"${names[next]}","price":${price},"currency":"USD","unit":"USD/share","prev_close":100.00,"change":1.25,` +
        `"change_pct":1.134,"volume":12345,"ts":${now},"recv":${now},"seq":"19b2f0c6a00:${sent + i}","source":"elsewhere","source_symbol":"X",` +
        '"fallback":false,"state":"live","market":"open"}'));
    }
    sent += due;
    await Promise.all(commands);
    busy = false;
  }, EVERY_MS);
  return { stop: () => clearInterval(timer), rate: () => (sent / (Date.now() - started)) * 1000 };
}

// --- what a trace says ---

const SCRIPT = new Set([
  'EvaluateScript', 'v8.evaluateModule', 'FunctionCall', 'FireAnimationFrame', 'TimerFire', 'RunMicrotasks', 'EventDispatch',
  'MinorGC', 'MajorGC', 'V8.GCScavenger', 'BlinkGC.AtomicPhase', 'WebSocketReceive',
]);
const STYLE = new Set(['UpdateLayoutTree', 'RecalculateStyles']);
const REST = new Set(['Layout', 'PrePaint', 'UpdateLayer', 'Paint', 'Layerize', 'Commit', 'IntersectionObserverController::computeIntersections']);

/** Milliseconds of the union of the intervals, by the frame in which they begin. All times are those
 *  that the thread had a processor: what else the machine does meanwhile is not the page's doing. */
function perFrame(events, starts, names) {
  const sums = new Array(starts.length).fill(0);
  let end = 0;
  let frame = 0;
  for (const e of events) {
    if (!names.has(e.name) || e.tts + e.tdur <= end) continue;
    while (frame + 1 < starts.length && starts[frame + 1] <= e.tts) frame++;
    sums[frame] += (e.tts + e.tdur - Math.max(end, e.tts)) / 1000;
    end = e.tts + e.tdur;
  }
  return sums;
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];
const spread = (values) => ({
  mean: values.reduce((a, b) => a + b, 0) / values.length, p50: quantile(values, 0.5), p95: quantile(values, 0.95),
  p99: quantile(values, 0.99), max: Math.max(...values),
});

/** Script and style, and the rest, of each frame of the page's main thread. */
function readTrace(trace) {
  const main = trace.find((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain' &&
    trace.some((o) => o.name === 'FireAnimationFrame' && o.pid === e.pid && o.tid === e.tid));
  const own = trace.filter((e) => e.pid === main.pid && e.tid === main.tid);
  const events = own.filter((e) => e.ph === 'X' && e.tdur !== undefined).sort((a, b) => a.tts - b.tts || b.tdur - a.tdur);
  // One for each callback; those of a frame follow one another at once.
  const all = own.filter((e) => e.name === 'FireAnimationFrame').sort((a, b) => a.ts - b.ts);
  const fired = all.filter((e, i) => i === 0 || e.ts - (all[i - 1].ts + all[i - 1].dur) > 4000);
  const starts = fired.map((e) => e.tts);
  const frames = (names) => perFrame(events, starts, names).slice(1, -1);
  const script = frames(SCRIPT);
  const style = frames(STYLE);
  const byName = {};
  for (const e of events) if (SCRIPT.has(e.name) || STYLE.has(e.name) || REST.has(e.name)) byName[e.name] = (byName[e.name] ?? 0) + e.tdur / 1000;
  return {
    frames: script.length,
    seconds: (fired.at(-1).ts - fired[0].ts) / 1e6,
    script: spread(script),
    style: spread(style),
    both: spread(script.map((ms, i) => ms + style[i])),
    over: script.filter((ms, i) => ms + style[i] > 5).length,
    rest: spread(frames(REST)),
    byName,
  };
}

async function traced(page, seconds) {
  const cdp = await page.context().newCDPSession(page);
  const trace = [];
  cdp.on('Tracing.dataCollected', ({ value }) => trace.push(...value));
  const done = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['devtools.timeline'] },
  });
  await sleep(1000 * seconds);
  await cdp.send('Tracing.end');
  await done;
  return trace;
}

// --- the measurements ---

const ends = [];
const t = { after: (f) => ends.unshift(f) }; // what tests have; run at the end, here
async function desk(count) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const names = symbols(count);
  const gateway = await startGateway({
    redis: { url: redis.url },
    instruments: names.map((symbol, i) => external(symbol, { name: `Instrument ${symbol}`, category: CATEGORIES[i % CATEGORIES.length] })),
  });
  t.after(() => gateway.stop());
  return { redis, gateway, names };
}

const ms = (x) => x.toFixed(2);

async function frames({ redis, gateway, names }, browser) {
  const results = {};
  for (const viewport of [DESK, { width: 3840, height: 2160 }]) {
    const page = await openPage(t, browser, gateway.url, { viewport });
    const feed = market(redis, names, 10 * names.length);
    await page.waitForFunction((n) => document.querySelectorAll('tr.instrument').length === n, names.length);
    await sleep(2000); // everything is compiled and has had its first price
    const result = readTrace(await traced(page, SECONDS));
    result.published = feed.rate();
    result.seen = await page.evaluate(() => [...document.querySelectorAll('tr.instrument')].filter((r) => {
      const { top, bottom } = r.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    }).length);
    result.shifts = await page.evaluate(() => globalThis.shifts);
    feed.stop();
    results[`${viewport.width} x ${viewport.height}`] = result;
    await page.context().close();
  }
  console.log(`\n${names.length} symbols, ten prices a second each, ${SECONDS} s; milliseconds of a processor that the main thread had per frame:\n`);
  console.log('| window | rows in sight | prices/s | frames/s | script + style mean | p50 | p95 | p99 | longest | over 5 ms | script | style | layout, paint | shifts |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const [size, r] of Object.entries(results)) {
    console.log(`| ${size} | ${r.seen} | ${r.published.toFixed(0)} | ${(r.frames / r.seconds).toFixed(0)} | ${ms(r.both.mean)} | ${ms(r.both.p50)} | ${ms(r.both.p95)} | ` +
      `${ms(r.both.p99)} | ${ms(r.both.max)} | ${r.over} of ${r.frames} | ${ms(r.script.mean)} | ${ms(r.style.mean)} | ${ms(r.rest.mean)} | ${r.shifts.length} |`);
  }
  return results;
}

/** Each in a profile and a window of its own: nothing is cached. */
async function starts({ redis, gateway, names }, browser) {
  await Promise.all(names.map((symbol) => redis.command('PUBLISH', `${symbol}:price:stream`, JSON.stringify({ symbol, price: 150.1, ts: Date.now(), currency: 'USD' }))));
  const times = [];
  let bytes = 0;
  for (let i = 0; i < STARTS; i++) {
    const page = await openPage(t, browser, 'about:blank');
    await sleep(WINDOW_MS);
    await page.goto(gateway.url);
    await sleep(PAGE_MS); // asking it whether it is done would slow it down
    await page.waitForFunction(() => globalThis.firstPriceMs !== undefined);
    times.push(await page.evaluate(() => globalThis.firstPriceMs));
    bytes = await page.evaluate(() =>
      performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, e) => sum + e.transferSize, 0));
    await page.context().close();
  }
  const result = { median: median(times), longest: Math.max(...times), bytes };
  console.log(`\nfirst price of ${names.length} after ${result.median.toFixed(0)} ms (median of ${STARTS}; longest ${result.longest.toFixed(0)} ms), ${(bytes / 1000).toFixed(1)} KB`);
  return result;
}

async function memory(browser) {
  const scene = await desk(100);
  const page = await openPage(t, browser, scene.gateway.url);
  const feed = market(scene.redis, scene.names, 100);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.enable');
  const everyMs = Math.min(60_000, (hours * 3_600_000) / 20);
  const samples = [];
  const began = Date.now();
  console.log('  minute   heap KB   nodes   listeners');
  for (;;) {
    await cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await cdp.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await cdp.send('Memory.getDOMCounters');
    const minute = (Date.now() - began) / 60_000;
    samples.push({ minute, heapKb: usedSize / 1024, nodes, listeners: jsEventListeners });
    console.log(`${minute.toFixed(1).padStart(8)} ${(usedSize / 1024).toFixed(0).padStart(9)} ${String(nodes).padStart(7)} ${String(jsEventListeners).padStart(11)}`);
    if (Date.now() - began >= hours * 3_600_000) break;
    await sleep(everyMs);
  }
  feed.stop();
  const third = Math.ceil(samples.length / 3);
  const of = (some) => median(some.map((s) => s.heapKb));
  const result = { samples, prices: feed.rate(), earlier: of(samples.slice(third, 2 * third)), later: of(samples.slice(2 * third)) };
  console.log(`\nheap: ${result.earlier.toFixed(0)} KB in the middle third, ${result.later.toFixed(0)} KB in the last, ${(result.later - result.earlier).toFixed(0)} KB more; page problems: ${page.problems.length}`);
  return result;
}

const browser = await startBrowser();
t.after(() => browser.close());
const report = { cpu: os.cpus()[0].model, cores: os.cpus().length, node: process.version, chromium: browser.version(), load: os.loadavg() };
try {
  console.log(`${report.cpu}, ${report.cores} cores, load average ${report.load[0].toFixed(1)}; Chromium ${report.chromium}, headless`);
  if (options.hour) report.memory = await memory(browser);
  else {
    const scene = await desk(500);
    report.frames = await frames(scene, browser);
    report.starts = await starts(scene, browser);
  }
} finally {
  for (const end of ends) await end();
}
if (options.json) writeFileSync(options.json, JSON.stringify(report, null, 1));
