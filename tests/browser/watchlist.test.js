// The watchlist as its users meet it: orders, filter, keys, own lists, links, sentences that say what
// to do; for everybody (axe), in place (no layout shift), and without work for what can't be seen.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { DESK, PHONE, openPage, publish, row, shots, startBrowser } from '../support/page.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());
const open = (t, url, options) => openPage(t, browser, url, options);

const INSTRUMENTS = [
  external('coffee', { name: 'Coffee, arabica', category: 'coffee_prices', unit: 'USD/lb', currency: 'USD' }),
  external('robusta', { name: 'Coffee, robusta', category: 'coffee_prices', unit: 'USD/t', currency: 'USD' }),
  external('AAPL', { name: 'Apple', category: 'equities', currency: 'USD' }),
  external('EUR/USD', { name: 'Euro in US dollars', category: 'fx_rates', currency: 'USD' }),
];
const item = (symbol, price, more = {}) => {
  const now = Date.now();
  return { symbol, price, currency: 'USD', source: 'elsewhere', ts: now, recv: now, state: 'live', ...more };
};
const PRICES = [
  item('coffee', 2.943, { prev_close: 2.91, change: 0.033, change_pct: 1.134 }),
  item('robusta', 4210, { prev_close: 4300, change: -90, change_pct: -2.093, source: 'zeta' }),
  item('AAPL', 231.5, { prev_close: 230, change: 1.5, change_pct: 0.652 }),
  item('EUR/USD', 1.0845, { prev_close: 1.0845, change: 0, change_pct: 0 }),
];

/** Four instruments with prices, and a page that shows them. */
async function desk(t, options = {}) {
  const { redis, gateway } = await scene(t, { redis: true, config: { instruments: INSTRUMENTS, ...options.config } });
  const page = await open(t, gateway.url + (options.path ?? ''), options.page);
  await page.says('#connection', 'live');
  await publish(redis, PRICES.map((p) => ({ ...p, ts: Date.now(), recv: Date.now() })));
  if (!options.path) await page.says(`${row('EUR/USD')} .value`, '1.0845');
  return { redis, gateway, page };
}

const order = (page) => page.locator('#prices tr.instrument').evaluateAll((rows) => rows.map((r) => r.dataset.symbol));
const focused = (page) => page.evaluate(() => document.activeElement.dataset.symbol ?? document.activeElement.id);

test('sorted by a press or a key, within the groups and without them', async (t) => {
  const { page, redis } = await desk(t);
  const head = (column) => page.locator(`#prices th.${column}`);
  assert.deepEqual(await order(page), ['coffee', 'robusta', 'AAPL', 'EUR/USD']);
  assert.deepEqual(await page.texts('#prices tr.category'), ['Coffee prices', 'Equities', 'FX rates']);
  await head('percent').getByRole('button').click();
  assert.equal(await head('percent').getAttribute('aria-sort'), 'descending');
  assert.deepEqual(await order(page), ['coffee', 'robusta', 'AAPL', 'EUR/USD']);
  await page.emulateMedia({ forcedColors: 'active' });
  const outlined = () => page.$eval('#grouped', (button) => getComputedStyle(button).outlineStyle === 'solid');
  assert.equal(await outlined(), true, 'pressed can be seen without the colours of the page');
  await page.click('#grouped');
  assert.equal(await page.getAttribute('#grouped', 'aria-pressed'), 'false');
  assert.deepEqual(await page.texts('#prices tr.category'), []);
  assert.deepEqual(await order(page), ['coffee', 'AAPL', 'EUR/USD', 'robusta']);
  await head('percent').getByRole('button').focus();
  await page.keyboard.press('Enter');
  assert.equal(await head('percent').getAttribute('aria-sort'), 'ascending');
  assert.deepEqual(await order(page), ['robusta', 'EUR/USD', 'AAPL', 'coffee']);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.column), 'percent', 'the focus stays');
  await page.reload();
  await page.says(`${row('robusta')} .value`, '4210');
  assert.deepEqual(await order(page), ['robusta', 'EUR/USD', 'AAPL', 'coffee'], 'remembered');
  await head('percent').getByRole('button').click();
  assert.equal(await head('percent').getAttribute('aria-sort'), 'none');
  await publish(redis, [item('AAPL', 1.5e-7)]); // an exponent, as programs write it
  await page.says(`${row('AAPL')} .value`, '0.00000015');
  assert.deepEqual(await order(page), ['coffee', 'robusta', 'AAPL', 'EUR/USD']);
  assert.deepEqual(page.problems, []);
});

test('sorted by something that moves: renewed by itself, but not under the pointer', async (t) => {
  const { page, redis } = await desk(t);
  await page.click('#grouped');
  await page.locator('#prices th.percent button').click();
  await page.hover(row('AAPL'));
  await publish(redis, [item('EUR/USD', 1.2, { change_pct: 9 })]);
  await page.says(`${row('EUR/USD')} .value`, '1.2');
  await page.waitForTimeout(4000); // longer than the order takes to be renewed
  assert.deepEqual(await order(page), ['coffee', 'AAPL', 'EUR/USD', 'robusta']);
  await page.mouse.move(5, 5);
  await page.evaluate(() => document.activeElement.blur());
  await until(async () => (await order(page))[0] === 'EUR/USD', 'the order is renewed');
});

test('filtered by typing; nothing found says what to do; Escape empties it', async (t) => {
  const { page } = await desk(t);
  await page.keyboard.press('/');
  assert.equal(await focused(page), 'filter');
  await page.keyboard.type('cof USD');
  assert.deepEqual(await order(page), []);
  assert.match(await page.textContent('#empty'), /Nothing matches \u201ccof USD\u201d. Escape empties the filter./);
  await page.keyboard.press('Escape');
  assert.deepEqual(await order(page), ['coffee', 'robusta', 'AAPL', 'EUR/USD']);
  await page.keyboard.type('zeta');
  assert.deepEqual(await order(page), ['robusta'], 'by its source');
  assert.equal(await page.isVisible('#empty'), false);
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(page), 'robusta');
  assert.deepEqual(page.problems, []);
});

test('all of it by keys', async (t) => {
  const { page } = await desk(t);
  await page.focus(row('coffee'));
  const walk = { ArrowDown: 'robusta', End: 'EUR/USD', ArrowUp: 'AAPL', Home: 'coffee', PageDown: 'EUR/USD', PageUp: 'coffee' };
  for (const [key, symbol] of Object.entries(walk)) {
    await page.keyboard.press(key);
    assert.equal(await focused(page), symbol, key);
  }
  assert.equal(await page.locator('tr[tabindex="0"]').count(), 1, 'one stop for Tab');
  await page.keyboard.press('s');
  assert.equal(await page.getAttribute(`${row('coffee')} .star button`, 'aria-pressed'), 'true');
  await page.keyboard.press('g');
  assert.equal(await page.getAttribute('#grouped', 'aria-pressed'), 'false');
  assert.equal(await focused(page), 'coffee', 'the focus stays where it was');
  await page.keyboard.press('?');
  await page.waitForSelector('#help[open]');
  await page.shot('keys');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#help:not([open])', { state: 'attached' });
  await page.keyboard.press('t');
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  assert.deepEqual(page.problems, []);
});

test('own lists: made, filled by stars, kept, renamed, deleted, brought back', async (t) => {
  const { page } = await desk(t);
  const bar = page.locator('#lists');
  const press = (name) => bar.getByRole('button', { name }).click();
  await press('+ New list');
  await page.keyboard.press('Enter');
  assert.match(await page.textContent('#question .problem'), /Give the list a name/);
  await page.keyboard.type('Morning');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /This list is empty: choose/.test(document.getElementById('empty').textContent));
  await press('All');
  for (const symbol of ['AAPL', 'coffee']) await page.click(`${row(symbol)} .star button`);
  assert.deepEqual(await bar.locator('.tabs button').allTextContents(), ['All', 'Morning 2'], 'how many are in it');
  await bar.getByRole('button', { name: 'Morning' }).focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await bar.locator('[aria-pressed="true"]').allTextContents(), ['Morning 2'], 'which is shown');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.at), 'list:Morning', 'keys go on from there');
  await page.click('#grouped');
  assert.deepEqual(await order(page), ['AAPL', 'coffee'], 'in the order of adding');
  assert.equal(await page.evaluate(() => location.hash), '#list=Morning&symbols=AAPL,coffee');
  await page.shot('own-list');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await press('Copy link');
  await page.says('#said span', 'The link is copied. It shows this list to whoever opens it here.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined })); // as without https
  await press('Copy link');
  await page.says('#said span', 'This browser does not let the page copy: the address of the page is the link.');
  await page.reload();
  await page.says(`${row('AAPL')} .value`, '231.5');
  assert.deepEqual(await order(page), ['AAPL', 'coffee']);

  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.waitForSelector(row('AAPL'));
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.evaluate(() => document.getElementById('theme').click());
  await other.waitForFunction((before) => document.documentElement.dataset.theme !== before, theme);
  await other.close();

  await page.click(`${row('AAPL')} .star button`);
  assert.deepEqual(await order(page), ['coffee']);
  await page.click('#said button'); // Undo
  assert.deepEqual(await order(page), ['coffee', 'AAPL']);
  await press('Rename');
  await page.keyboard.type('Evening');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.hash === '#list=Evening&symbols=coffee,AAPL');
  await press('Delete');
  assert.equal(await page.evaluate(() => location.hash), '');
  assert.equal((await order(page)).length, 4);
  await page.click('#said button');
  assert.deepEqual(await order(page), ['coffee', 'AAPL']);
  assert.deepEqual(await page.evaluate(() => JSON.parse(localStorage.getItem('pricegate.lists'))), [{ name: 'Evening', symbols: ['coffee', 'AAPL'] }]);
  assert.deepEqual(page.problems, []);
});

test('a link shows its list to somebody else, who may keep it; what is not offered is said', async (t) => {
  const { page } = await desk(t, { path: '/#list=Desk&symbols=EUR/USD,tulips,coffee' });
  await page.says(`${row('EUR/USD')} .value`, '1.0845');
  assert.deepEqual(await page.locator('tr.instrument').evaluateAll((rows) => rows.map((r) => r.dataset.symbol).sort()), ['EUR/USD', 'coffee']);
  assert.equal(await page.evaluate(() => localStorage.getItem('pricegate.lists')), null, 'nothing is kept unasked');
  await page.reload();
  await page.waitForFunction(() => /does not have tulips: add it to its configuration/.test(document.getElementById('said').textContent));
  await page.locator('#lists').getByRole('button', { name: 'Keep it' }).click();
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem('pricegate.lists'))[0].name), 'Desk');
  await page.evaluate(() => { location.hash = '#list=Other&symbols=tulips'; });
  await page.waitForSelector('#empty:not([hidden])');
  assert.match(await page.textContent('#empty'), /This gateway has none of tulips: add them to its configuration, or choose another list/);
  const many = Array.from({ length: 40 }, (_, i) => `S${i}`).join(',');
  await page.evaluate((symbols) => { location.hash = `#list=Many&symbols=${symbols}`; }, many);
  await page.waitForFunction(() => /none of S0, S1, S2, S3, S4 and 35 more: add/.test(document.getElementById('empty').textContent));
  await page.evaluate(() => { location.hash = '#symbol=tulips'; });
  await page.waitForFunction(() => /no instrument \u201ctulips\u201d: choose another one, or add it/.test(document.getElementById('said').textContent));
  assert.deepEqual(page.problems, []);
});

test('a token in the address goes to the session and out of the address; a wrong one says what to do', async (t) => {
  const key = 'a-key-of-some-length';
  const { gateway, redis } = await scene(t, {
    redis: true,
    config: {
      instruments: INSTRUMENTS,
      auth: { anonymous_role: null, keys: [{ name: 'x', role: 'viewer', sha256: createHash('sha256').update(key).digest('hex') }] },
    },
  });
  const page = await open(t, `${gateway.url}/#token=${key}&list=Desk&symbols=coffee,AAPL`);
  await page.says('#connection', 'live');
  await publish(redis, PRICES.map((p) => ({ ...p, ts: Date.now(), recv: Date.now() })));
  await page.says(`${row('coffee')} .full-name`, 'Coffee, arabica');
  await page.says(`${row('coffee')} .value`, '2.943');
  assert.equal(await page.evaluate(() => location.hash), '#list=Desk&symbols=coffee,AAPL');
  await page.reload();
  await page.says(`${row('coffee')} .value`, '2.943');
  assert.deepEqual(page.problems, []);

  for (const [how, hash] of [['none', ''], ['a wrong one', '#token=wrong']]) {
    const other = await open(t, `${gateway.url}/${hash || '#list=Desk&symbols=coffee&symbol=coffee'}`);
    await other.waitForSelector('#notice:not([hidden])');
    await other.waitForFunction(() => /The gateway wants a valid token.*Enter one under \u201cSources\u201d/s.test(document.getElementById('notice').textContent), null, { timeout: 15_000 });
    assert.equal(await other.textContent('#said span'), '', 'what there is cannot be known yet');
    if (how === 'none') await other.says('#empty', 'Nothing is known yet: the list of instruments comes with the connection.');
    if (how === 'a wrong one') await other.shot('wrong-token');
    // Given one, the page has names and prices without being loaded again.
    await other.evaluate((k) => { location.hash = `#token=${k}`; }, key);
    await other.says(`${row('coffee')} .full-name`, 'Coffee, arabica');
    await other.says(`${row('coffee')} .value`, '2.943');
    assert.equal(await other.isVisible('#notice'), false, how);
    if (how === 'none') await other.says('#detail-title', 'Coffee, arabica (coffee)');
  }
});

test('an old browser is told what to do; so is one without scripts', async (t) => {
  const { gateway } = await scene(t, { config: { instruments: INSTRUMENTS } });
  const old = await open(t, gateway.url, { script: () => { delete Array.prototype.at; } });
  assert.equal(await old.isVisible('#too-old'), true);
  assert.match(await old.textContent('#too-old'), /too old for this page: update it/);
  assert.match(readFileSync(fileURLToPath(new URL('../../web/index.html', import.meta.url)), 'utf8'), /<script src="dashboard\/early\.js"><\/script>/);
  // What the script itself is written in must be older than what it warns of.
  const early = readFileSync(fileURLToPath(new URL('../../web/dashboard/early.js', import.meta.url)), 'utf8').replace(/\/\/.*/g, '');
  assert.doesNotMatch(early, /=>|\b(let|const|class|import|export|async)\b|`|\?\.|\?\?/);
  const bare = await open(t, gateway.url, { javaScriptEnabled: false });
  assert.match(await bare.textContent('noscript'), /needs JavaScript: allow it/);
  const fine = await open(t, gateway.url);
  await fine.says('#connection', 'live');
  assert.equal(await fine.isVisible('#too-old'), false);
});

test('all sources down: what was known last, and what to do', async (t) => {
  const polled = (symbol, name, category, provider) =>
    instrument(symbol, provider, { name, category, stale_after_ms: 1200 });
  const { upstream, gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'AAPL', ok({ price: '231.50', prev_close: '230.00' }));
      u.set('yahoo', 'KC=F', ok({ price: '294.9', prev_close: '291.0', currency: 'USX' }));
    },
    config: {
      instruments: [
        polled('coffee', 'Coffee, arabica', 'coffee_prices', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']]),
        polled('AAPL', 'Apple', 'equities', [['twelvedata', 'AAPL']]),
      ],
    },
  });
  const page = await open(t, gateway.url);
  await page.says(`${row('coffee')} .value`, '2.949');
  await page.says(`${row('coffee')} .fallback`, 'fallback');
  await page.says(`${row('AAPL')} .value`, '231.50');
  for (const provider of ['twelvedata', 'yahoo']) upstream.set(provider, '*', status(503));
  upstream.set('twelvedata', 'AAPL', status(503));
  upstream.set('yahoo', 'KC=F', status(503));
  await page.says(`${row('AAPL')} .state`, 'stale');
  await page.says(`${row('coffee')} .state`, 'stale');
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /No provider answers: these are the last known prices\..*\/data-health\/sources/s);
  await page.says('#summary', '2 stale');
  await page.shot('all-sources-down');
  upstream.set('twelvedata', 'KC1', ok({ price: '2.95' }));
  upstream.set('twelvedata', 'AAPL', ok({ price: '231.60' }));
  await page.says(`${row('AAPL')} .state`, 'live');
  assert.equal(await page.isVisible('#notice'), false);
});

test('more instruments than a connection may have: how many are missing, why, what to do', async (t) => {
  const { gateway, redis } = await scene(t, {
    redis: true,
    config: { instruments: INSTRUMENTS, limits: { symbols_per_connection: 2 } },
  });
  for (const listFirst of [true, false]) {
    const page = await open(t, 'about:blank');
    let answer;
    const asked = new Promise((resolve) => { answer = resolve; });
    await page.route(listFirst ? '**/nothing' : '**/api/v1/instruments', async (route) => {
      await asked;
      await route.continue();
    });
    await page.goto(gateway.url);
    await page.says('#connection', 'live');
    await publish(redis, PRICES.map((p) => ({ ...p, ts: Date.now(), recv: Date.now() })));
    answer();
    await page.says(`${row('coffee')} .value`, '2.943');
    await page.says(`${row('AAPL')} .state`, 'unavailable \u2013 symbol_limit');
    await page.waitForFunction(() => /2 of 4 instruments have no price here\.\s+The gateway gives one connection 2\.\s+Raise limits\.symbols_per_connection/.test(document.getElementById('notice').textContent));
    await page.click(`${row('AAPL')} .name`);
    await page.says('#detail .headline', 'There is no price yet: this connection has as many symbols as it may have.');
    const dot = (state) => page.$eval(row('AAPL'), (tr, as) => {
      tr.dataset.state = as;
      return getComputedStyle(tr.querySelector('td.state'), '::before').backgroundColor;
    }, state);
    assert.notEqual(await dot('live'), await dot(''), 'what nothing is known of does not look live');
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

// --- in place, in bounds, for everybody ---

test('names, prices and sources as long as they come, in any direction: all of it can be read', async (t) => {
  const name = 'The quite unreasonably long name of an instrument that somebody in the back office has typed in';
  const odd = [
    external('long', { name, category: 'coffee_prices' }), external('hebrew', { name: '\u05d6\u05d4\u05d1 24K', category: 'metals' }),
    external('silent', { name: 'Never priced', category: 'metals' }),
  ];
  const { gateway, redis } = await scene(t, { redis: true, config: { instruments: odd } });
  const page = await open(t, gateway.url);
  await page.says('#connection', 'live');
  const more = { source: 'a_source_with_a_long_name_indeed', fallback: true, delayed_s: 900, change: -5, change_pct: -1 };
  await publish(redis, [item('long', 98765432109.12, more), item('hebrew', 0.0000000015)]);
  await page.says(`${row('long')} .value`, '98765432109.12');
  await page.waitForFunction((at) => /^unavailable/.test(document.querySelector(at).textContent), `${row('silent')} .state`);
  /** Where a row's parts are, and what of them is cut. */
  const parts = (symbol) => page.$eval(row(symbol), (tr) => {
    const box = (at) => tr.querySelector(at).getBoundingClientRect();
    const letters = tr.querySelector('.full-name').firstChild;
    const letter = (i) => {
      const range = document.createRange();
      range.setStart(letters, i);
      range.setEnd(letters, i + 1);
      return range.getBoundingClientRect();
    };
    const state = tr.querySelector('.state');
    return {
      apart: Math.min(box('.value').left - Math.max(box('.full-name').left, box('.name').left), box('.value').left - box('.name').right),
      provider: box('.provider').width,
      tag: box('.fallback').width,
      cut: state.scrollWidth > state.clientWidth,
      fromRight: letter(0).left > letter(letters.data.length - 1).left,
    };
  });
  /** By how much the page, or a cell of its rows, is too wide. */
  const over = () => page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const right = document.getElementById('prices').getBoundingClientRect().right;
    const cells = [...document.querySelectorAll('#prices tbody td')].map((td) => td.getBoundingClientRect().right - right);
    return Math.max(scrollWidth - clientWidth, ...cells);
  });
  for (const width of [1600, 1360, 1000, 960, 820, 760, 640, 360]) { // 640: half of a laptop's, at 200 %
    await page.setViewportSize({ width, height: 800 });
    assert.ok(await over() <= 0, `${await over()} px too wide at ${width}`);
    const long = await parts('long');
    assert.ok(long.apart >= 0, `the name ends before the price begins: ${long.apart} at ${width}`);
    assert.ok(long.provider > 30 && long.tag > 30, `the source can be seen: ${long.provider}, ${long.tag} at ${width}`);
    assert.equal(long.fromRight, false);
    assert.equal((await parts('hebrew')).fromRight, true, 'from the right');
    assert.equal((await parts('silent')).cut, false, `the state at ${width}`);
    // However many states there are to be counted.
    const top = () => page.$eval('#prices', (table) => table.getBoundingClientRect().top);
    const before = await top();
    await page.$eval('#summary', (summary) => { summary.textContent = '123 live \u00b7 12 delayed \u00b7 14 stale \u00b7 23 closed \u00b7 10 unavailable'; });
    assert.equal(await top(), before, `at ${width}`);
  }
  await page.shot('long-names-phone');
  await page.click(`${row('silent')} .name`);
  for (const width of [1360, 1280, 1220, 1100, 1000]) {
    await page.setViewportSize({ width, height: 800 });
    assert.ok(await over() <= 0, `${await over()} px too wide at ${width} beside the detail`);
  }
  await page.keyboard.press('Escape');
  await page.setViewportSize(DESK);
  await page.shot('long-names');
  await page.setViewportSize(PHONE);
  const digits = '3.14159265358979323846'; // more than anybody asks for
  await redis.command('PUBLISH', 'long:price:stream', JSON.stringify(item('long', 0, { ...more, change: -0.00000000012345, change_pct: -123456 })).replace('"price":0', `"price":${digits}`));
  await page.says(`${row('long')} .value`, digits);
  assert.ok(await page.$eval(`${row('long')} .name`, (cell) => cell.clientWidth) >= 60, 'who it is can be seen beside any price');
  assert.ok(await over() <= 0, `${await over()} px too wide`);
  for (const width of [360, 1360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const figure of ['change', 'percent']) {
      assert.ok(await page.$eval(`${row('long')} .${figure}`, (td) => td.scrollWidth <= td.clientWidth), `${figure} at ${width}`);
    }
  }
  await page.setViewportSize(DESK);
  await publish(redis, [item('long', 5, { ...more, state: 'delayed' })]);
  await page.click(`${row('long')} .name`);
  await page.says('#detail .big .state', 'delayed');
  const colours = () => page.$$eval('#detail .big :is(.value, .change)', (them) => them.map((it) => getComputedStyle(it).color));
  assert.notEqual(new Set(await colours()).size, 1);
  await gateway.kill();
  await page.says('#detail .big .state', 'stale');
  assert.equal(new Set(await colours()).size, 1, 'what is not true any more has no colour');
});

test('a price moves nothing', async (t) => {
  // On a large screen everything is larger, so what moves by a hair elsewhere is counted there.
  for (const viewport of [DESK, PHONE, { width: 3840, height: 2160 }]) {
    const { page, redis } = await desk(t, { page: { viewport } });
    const shifts = () => page.evaluate(() => globalThis.shifts);
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(300);
    assert.deepEqual(await shifts(), [], 'while the page is loading, and with the first price');
    const prices = ['2.91', '12.95', '0.0001', '9.99', '1234.5678', '7', '3.10']; // what there is room for from the start
    for (const [i, price] of prices.entries()) {
      const more = {
        change: i % 3 === 1 ? '0.000' : `-${price}`, change_pct: [-0.1, 12.345, 0][i % 3],
        fallback: i % 2 === 1, state: i % 3 ? 'delayed' : 'live',
      };
      const text = JSON.stringify(item('coffee', 0, more)).replace('"price":0', `"price":${price}`).replace(/"change":"([^"]*)"/, '"change":$1');
      await redis.command('PUBLISH', 'coffee:price:stream', text);
      await page.says(`${row('coffee')} .value`, price);
    }
    await page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))));
    assert.deepEqual(await shifts(), [], `at a width of ${viewport.width}`);
    await page.context().close();
  }
});

test('a row is drawn once per frame at most, and what is out of sight hardly ever', async (t) => {
  const symbols = Array.from({ length: 300 }, (_, i) => `S${i}`);
  const { redis, gateway } = await scene(t, { redis: true, config: { instruments: symbols.map((s) => external(s)) } });
  const page = await open(t, gateway.url);
  await page.says('#connection', 'live');
  await publish(redis, symbols.map((s) => item(s, 1)));
  await page.says(`${row('S0')} .value`, '1');
  await page.evaluate(() => {
    globalThis.draws = { seen: 0, unseen: 0, frames: 0 };
    const count = () => {
      globalThis.draws.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    new MutationObserver((changes) => {
      const rows = new Set(changes.map((c) => c.target.parentElement?.closest('.value') && c.target.parentElement.closest('tr')).filter(Boolean));
      for (const tr of rows) globalThis.draws[tr.getBoundingClientRect().top < innerHeight + 700 ? 'seen' : 'unseen']++;
    }).observe(document.getElementById('prices'), { subtree: true, characterData: true, childList: true });
  });
  const ROUNDS = 40;
  const began = Date.now();
  for (let round = 0; round < ROUNDS; round++) await publish(redis, symbols.map((s) => item(s, 2 + round)));
  await page.says(`${row('S0')} .value`, String(1 + ROUNDS));
  const { seen, unseen, frames } = await page.evaluate(() => globalThis.draws);
  const seconds = Math.ceil((Date.now() - began) / 1000) + 1;
  assert.ok(seen >= 20, `${seen} draws in sight: the measurement measures something`);
  assert.ok(seen <= 60 * frames, `${seen} draws in ${frames} frames`);
  assert.ok(unseen <= 100 * seconds, `${unseen} draws of ${ROUNDS * 240} changes out of sight, in ${seconds} s`);
  await page.says(`${row('S299')} .value`, String(1 + ROUNDS)); // in its turn
  await page.locator(row('S299')).scrollIntoViewIfNeeded();
  await publish(redis, [item('S299', 777)]);
  await page.says(`${row('S299')} .value`, '777');
  assert.deepEqual(page.problems, []);
});

/** The paths of a module and of all that it imports. */
async function importsOf(gateway, path, found = new Set()) {
  const { pathname } = new URL(path, gateway.url);
  if (found.has(pathname)) return found;
  found.add(pathname);
  const { body } = await gateway.get(pathname);
  for (const [, name] of body.matchAll(/^(?:import|export) [^;]*?from '(.+)';$/gm)) {
    await importsOf(gateway, new URL(name, `http://x${pathname}`).pathname, found);
  }
  return found;
}

test('the line is called for before the page is there, once; where it is gone by then, another one is', async (t) => {
  const { gateway, redis } = await scene(t, { redis: true, config: { instruments: INSTRUMENTS } });
  /** The page's calls, in their order; `spoil` gets the first one. */
  const calls = (spoil) => {
    const Real = globalThis.WebSocket;
    globalThis.calls = [];
    globalThis.WebSocket = class extends Real {
      constructor(url) {
        super(url);
        globalThis.calls.push([String(url), document.body?.dataset.connection ?? '']);
        if (globalThis.calls.length === 1 && spoil) this.close();
      }
    };
  };
  for (const spoiled of [false, true]) {
    const page = await open(t, gateway.url, { script: `(${calls})(${spoiled})` });
    await page.says('#connection', 'live');
    await publish(redis, [item('coffee', spoiled ? 2 : 1)]);
    await page.says(`${row('coffee')} .value`, spoiled ? '2' : '1');
    const [early, ...others] = await page.evaluate(() => globalThis.calls);
    assert.deepEqual(early, [gateway.wsUrl, ''], 'before there is anything to show');
    assert.deepEqual(others, spoiled ? [[gateway.wsUrl, 'connecting']] : [], 'nothing was waited for');
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

test('a slow network: what is waited for is said, and waited for', async (t) => {
  const { gateway, redis } = await scene(t, { redis: true, config: { instruments: INSTRUMENTS } });
  let answer;
  const asked = new Promise((resolve) => { answer = resolve; });
  const context = await browser.newContext({ viewport: DESK });
  t.after(() => context.close());
  await context.route('**/api/v1/instruments', async (route) => {
    await asked;
    await route.continue();
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const look = () => {
      const empty = document.getElementById('empty');
      if (empty && getComputedStyle(empty).visibility === 'visible') globalThis.saidMs = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(gateway.url);
  const visible = () => page.isVisible('#empty');
  await page.waitForFunction(() => document.getElementById('connection').textContent.trim() === 'live');
  await publish(redis, PRICES);
  await until(visible, 'what is waited for is said');
  const saidMs = await (await page.waitForFunction(() => globalThis.saidMs)).jsonValue();
  assert.ok(saidMs >= 1000, `said after ${saidMs} ms: not to those who need not wait`);
  assert.match(await page.textContent('#empty'), /list of instruments is on its way/);
  await page.screenshot({ path: `${shots}/slow.png` });
  await page.waitForTimeout(3500); // a list of thousands takes its time
  assert.equal(await page.isVisible('#notice'), false);
  answer();
  await page.waitForSelector(row('coffee'));
  assert.equal(await page.textContent(`${row('coffee')} .full-name`), 'Coffee, arabica');
  assert.equal(await visible(), false);
});

test('a page that comes in pieces is shown when its head is whole', async (t) => {
  const { gateway } = await scene(t, { redis: true, config: { instruments: INSTRUMENTS } });
  // In front of the gateway: what it sends, the page itself in two pieces.
  const slow = http.createServer(async (request, response) => {
    const { status: code, headers, body } = await gateway.get(request.url);
    response.writeHead(code, { 'content-type': headers['content-type'] });
    const at = request.url === '/' ? body.indexOf('<button id="theme"') : body.length;
    response.write(body.slice(0, at));
    if (at < body.length) await new Promise((later) => setTimeout(later, 1000));
    response.end(body.slice(at));
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  t.after(() => slow.close());
  const page = await open(t, `http://127.0.0.1:${slow.address().port}/`);
  await page.waitForSelector(row('coffee'));
  const shifts = await page.evaluate(() => globalThis.shifts);
  // That there is no way for a WebSocket is said above the tables, and moves them.
  assert.deepEqual(shifts.filter((text) => !/desk/.test(text)), []);
});

test('rows in sight are made first; the others have their place before they are there, and keys find them', async (t) => {
  const symbols = Array.from({ length: 300 }, (_, i) => `S${i}`);
  const { redis, gateway } = await scene(t, { redis: true, config: { instruments: symbols.map((s) => external(s)) } });
  // Time stands still for what the page puts off.
  const held = () => {
    const later = globalThis.setTimeout;
    globalThis.setTimeout = (run, ms) => (ms <= 50 ? globalThis.puts?.push(run) ?? 0 : later(run, ms));
    globalThis.puts = [];
  };
  const page = await open(t, gateway.url, { script: held });
  const made = () => page.locator('tr.instrument').count();
  const height = () => page.evaluate(() => Math.round(document.getElementById('prices').getBoundingClientRect().height / 100));
  await page.waitForSelector(row('S0'));
  await publish(redis, symbols.map((s) => item(s, 1)));
  await page.says(`${row('S0')} .value`, '1');
  assert.ok(await made() < 120, `${await made()} rows at first`);
  const tall = await height();
  await page.focus(row('S0'));
  await page.keyboard.press('End');
  assert.equal(await focused(page), 'S299');
  assert.equal(await made(), 300);
  await page.says(`${row('S299')} .value`, '1');
  assert.equal(await height(), tall, 'their place was there before');
  assert.deepEqual(await order(page), symbols);

  const other = await open(t, gateway.url);
  await other.waitForFunction(() => document.querySelectorAll('tr.instrument').length === 300); // by themselves
  assert.deepEqual(await order(other), symbols);
  assert.deepEqual([...page.problems, ...other.problems], []);
});

test('everything that the page needs is asked for at once, from here, and is small', async (t) => {
  const { page, gateway } = await desk(t);
  assert.deepEqual([...page.hosts], [new URL(gateway.url).host]);
  const loaded = await page.evaluate(() =>
    performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map((e) => [e.name, e.transferSize]));
  const bytes = loaded.reduce((sum, [, size]) => sum + size, 0);
  const firstMs = await (await page.waitForFunction(() => globalThis.firstPriceMs)).jsonValue();
  console.log(`measured: ${loaded.length} files, ${(bytes / 1000).toFixed(1)} KB; first price after ${firstMs.toFixed(0)} ms`);
  assert.ok(bytes > 50_000 && bytes < 250_000, `${bytes} bytes`);
  // A module that is only found in another one comes a round trip later: index.html names them all, those
  // that bring the prices before those that show them.
  const named = await page.locator('link[rel="modulepreload"], script').evaluateAll((them) => them.map((it) => it.href ?? it.src));
  const modules = loaded.map(([name]) => name).filter((name) => name.endsWith('.js'));
  assert.deepEqual(modules.sort(), [...named].sort());
  const first = await importsOf(gateway, 'dashboard/intake.js');
  const at = named.findIndex((name) => name.endsWith('/intake.js'));
  assert.deepEqual(named.slice(1, at + 1).map((name) => new URL(name).pathname).sort(), [...first].sort());
  // No page of the dashboard may take a module of another host, or style in the markup.
  const web = fileURLToPath(new URL('../../web/', import.meta.url));
  for (const file of ['index.html', ...readdirSync(`${web}dashboard`).map((name) => `dashboard/${name}`)]) {
    const text = readFileSync(web + file, 'utf8');
    assert.doesNotMatch(text, /(src|from|import)\s*[=(]?\s*["'](https?:)?\/\//, file);
    assert.doesNotMatch(text, /innerHTML|insertAdjacentHTML|outerHTML|document\.write/, file);
  }
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds wrong, as lines. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary.replaceAll('\n', ' ')}`));
}

test('axe finds nothing: light, dark, phone, with dialogs, lists and panels', async (t) => {
  const { gateway, redis } = await desk(t, { config: { observations: [{ name: 'rain', title: 'Rain', sources: [] }] } });
  await redis.command('PUBLISH', 'rain:observation:stream', JSON.stringify({ symbol: 'rain', values: { temperature: 21.4 }, units: { temperature: '°C' }, text: 'mainly clear', ts: Date.now() }));
  await publish(redis, [item('robusta', 4211, { fallback: true, delayed_s: 600, state: 'delayed' }), item('AAPL', 231.6, { state: 'stale' })]);
  for (const [name, options] of Object.entries({
    light: { viewport: DESK, colorScheme: 'light' },
    dark: { viewport: DESK, colorScheme: 'dark' },
    phone: { viewport: PHONE, colorScheme: 'light' },
    'phone-dark': { viewport: PHONE, colorScheme: 'dark' },
  })) {
    const page = await open(t, gateway.url, options);
    await page.says(`${row('coffee')} .value`, '2.943');
    await publish(redis, [item('coffee', 2.95)]); // while it flashes, too
    await page.says(`${row('coffee')} .value`, '2.95');
    assert.deepEqual(await faults(page), [], name);
    await publish(redis, [item('coffee', 2.943)]);
    await page.focus(row('coffee'));
    await page.keyboard.press('s');
    await page.locator('#lists').getByRole('button', { name: 'Favourites' }).click();
    assert.deepEqual(await faults(page), [], `${name}, own list`);
    await page.locator('#lists').getByRole('button', { name: 'Rename' }).click();
    assert.deepEqual(await faults(page), [], `${name}, question`);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    assert.deepEqual(await faults(page), [], `${name}, keys`);
    await page.keyboard.press('Escape');
    for (const panel of ['health', 'connection']) {
      await page.click(`button[data-panel="${panel}"]`);
      await page.waitForFunction((p) => document.querySelector(`section[aria-labelledby="${p}-title"] .panel-body`).innerText.length > 20, panel);
      assert.deepEqual(await faults(page), [], `${name}, ${panel}`);
      await page.keyboard.press('Escape');
    }
    await page.click(`${row('coffee')} .name`);
    await page.waitForSelector('#detail canvas');
    await page.shot(`detail-${name}`);
    assert.deepEqual(await faults(page), [], `${name}, detail`);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});
