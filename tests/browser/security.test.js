// What a hostile string, and a hostile page, can do in a real browser: nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { startGateway } from '../support/gateway.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { within } from '../support/wait.js';

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
});
after(() => browser?.close());

/** A page that remembers what it complained about, and what the policy stopped. */
async function open(t, url, options = {}) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || /Content.Security.Policy/i.test(message.text())) page.problems.push(message.text());
  });
  await page.addInitScript(() => {
    globalThis.stopped = [];
    addEventListener('securitypolicyviolation', (e) => globalThis.stopped.push(e.effectiveDirective));
  });
  await page.goto(url);
  page.until = (check, argument) => page.waitForFunction(check, argument);
  page.live = () => page.until(() => document.querySelector('#connection').textContent.trim() === 'live');
  return page;
}

const EVIL = '<img src=x onerror="hit=1">';

test('strings from upstream are shown as they are written', async (t) => {
  const named = { name: EVIL, unit: EVIL };
  const { upstream, redis, gateway } = await scene(t, {
    redis: true,
    script: (u) => {
      u.set('openmeteo', '*', ok({ values: { temperature_2m: 1 }, units: { temperature_2m: EVIL } }));
    },
    config: {
      instruments: [external('tea', named), instrument('AAPL', [['yahoo', 'AAPL']], named)],
      observations: [
        { name: 'rain', title: EVIL, region: EVIL, sources: [{ provider: 'openmeteo', symbol: '1,2' }], poll_ms: 200 },
        { name: 'report', title: EVIL, region: EVIL, sources: [] },
      ],
    },
  });
  const page = await open(t, gateway.url);
  await page.live();
  const strings = Object.fromEntries(
    ['currency', 'unit', 'source', 'source_symbol', 'market', 'state', 'name', 'kind', 'category'].map((name) => [name, EVIL]),
  );
  const now = Date.now();
  await redis.command('PUBLISH', 'tea:price:stream', JSON.stringify({ ...strings, symbol: 'tea', price: 1.5, ts: now }));
  const words = ['text', 'region', 'series', 'period', 'source', 'source_symbol'];
  await redis.command('PUBLISH', 'report:observation:stream', JSON.stringify({
    ...Object.fromEntries(words.map((name) => [name, EVIL])),
    symbol: 'report',
    values: { [EVIL]: 1 },
    units: { [EVIL]: EVIL },
    citations: [EVIL, `javascript:globalThis.hit=3`],
    ts: now,
  }));
  upstream.set('yahoo', 'AAPL', ok({ price: '150.10', currency: EVIL.slice(0, 8) }));
  const shows = (selector) =>
    page.until(([s, text]) => [...document.querySelectorAll(s)].some((e) => e.textContent.includes(text)), [selector, EVIL]);
  for (const place of [
    '[data-symbol="tea"] .full-name', '[data-symbol="tea"] .provider', '[data-symbol="tea"] .unit',
    '[data-symbol="report"] .words', '[data-symbol="report"] .about', '[data-symbol="report"] .figure', '[data-symbol="report"] .provider',
    '[data-symbol="rain"] .full-name',
  ]) await shows(place);
  for (const symbol of ['tea', 'report']) { // the detail shows all that an item says
    await page.click(`[data-symbol="${symbol}"] .name`);
    await page.until((s) => document.querySelector('#detail').textContent.includes(`/${s}`), symbol);
    for (const place of ['#detail h2', '#detail .headline', symbol === 'tea' ? '#detail .figures' : '#detail .cited']) await shows(place);
  }
  assert.equal(await page.locator('main img, main script, main iframe, main a[href^="javascript"]').count(), 0);
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  assert.deepEqual(await page.evaluate(() => globalThis.stopped), [], 'nothing had to be stopped');
  assert.deepEqual(page.problems, []);
});

test('were markup to get in, the policy would stop it; the page itself never meets the policy', async (t) => {
  const elsewhere = createServer((req, res) => res.end('')).listen(0, '127.0.0.1');
  t.after(() => elsewhere.close());
  await once(elsewhere, 'listening');
  const gateway = await startGateway({
    listen: { tls: { cert: testCerts().cert, key: testCerts().key } },
    instruments: [instrument('coffee', [['sim', 'coffee']])],
  });
  t.after(() => gateway.stop());
  const page = await open(t, gateway.url.replace('127.0.0.1', 'localhost'), { ignoreHTTPSErrors: true });
  await page.live(); // over wss, which connect-src 'self' covers
  await page.until(() => /\d/.test(document.querySelector('[data-symbol="coffee"] .value').textContent));
  assert.deepEqual(await page.evaluate(() => globalThis.stopped), []);
  assert.deepEqual(page.problems, []);

  const attacks = {
    'script-src-elem': () => document.body.append(Object.assign(document.createElement('script'), { textContent: 'globalThis.hit=1' })),
    'script-src-attr': () => document.body.insertAdjacentHTML('beforeend', '<img src="icon.svg" onload="globalThis.hit=2">'),
    'style-src-attr': () => document.body.insertAdjacentHTML('beforeend', '<p style="position:fixed">x</p>'),
    'connect-src': (port) => fetch(`http://127.0.0.1:${port}/stolen`).catch(() => {}),
    'img-src': (port) => { new Image().src = `http://127.0.0.1:${port}/stolen`; },
    'frame-src': (port) => document.body.insertAdjacentHTML('beforeend', `<iframe src="http://127.0.0.1:${port}/"></iframe>`),
    'base-uri': () => document.head.insertAdjacentHTML('beforeend', '<base href="https://evil.example/">'),
    'form-action': (port) => {
      document.body.insertAdjacentHTML('beforeend', `<form action="http://127.0.0.1:${port}/"></form>`);
      document.body.lastElementChild.submit();
    },
  };
  for (const [directive, attack] of Object.entries(attacks)) {
    await page.evaluate(attack, elsewhere.address().port);
    await page.until((d) => globalThis.stopped.includes(d), directive);
  }
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
});

/** A page of another origin, with nothing in it. */
async function otherPage(t) {
  const server = createServer((req, res) => {
    res.setHeader('content-type', 'text/html');
    res.end('<!DOCTYPE html><title>other</title>');
  }).listen(0, '127.0.0.1');
  t.after(() => { server.closeAllConnections(); server.close(); });
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

/** What a page can get of a gateway, by each way there is. */
const ways = async (url) => {
  const outcome = (promise) => promise.then((what) => what, () => 'refused');
  const event = (target, good, bad) =>
    new Promise((resolve, reject) => {
      target.addEventListener(good, () => resolve('open'), { once: true });
      target.addEventListener(bad, reject, { once: true });
    });
  const events = new EventSource(`${url}/api/v1/stream?symbols=*`);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const streamed = outcome(event(events, 'open', 'error'));
  const connected = outcome(event(socket, 'open', 'error'));
  const script = document.createElement('script');
  script.src = `${url}/dashboard/app.js`;
  const frame = document.createElement('iframe');
  frame.src = `${url}/`;
  const got = {
    fetch: await outcome(fetch(`${url}/api/v1/instruments`).then(async (r) => (await r.json()).data.length)),
    refusal: await outcome(fetch(`${url}/nothing`).then((r) => r.status)),
    withToken: await outcome(fetch(`${url}/api/v1/instruments`, { headers: { Authorization: 'Bearer x' } }).then((r) => r.status)),
    change: await outcome(fetch(`${url}/data-health/refresh-market`, { method: 'POST' }).then((r) => r.status)),
    events: await streamed,
    socket: await connected,
    module: await outcome(import(`${url}/quote.js`).then(() => 'open')),
    script: await outcome((document.head.append(script), event(script, 'load', 'error'))),
  };
  document.body.append(frame);
  await event(frame, 'load', 'error').catch(() => {});
  try {
    got.frame = frame.contentDocument ? 'blank' : 'other'; // a refused one shows the browser's own page
  } catch {
    got.frame = 'other';
  }
  events.close();
  socket.close();
  return got;
};

test('pages of other origins get nothing, listed ones what they may', async (t) => {
  const [listed, foreign] = [await otherPage(t), await otherPage(t)];
  const gateway = await startGateway({
    origins: [listed],
    auth: { keys: [{ name: 'x', role: 'viewer', sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' }] },
    instruments: [instrument('coffee', [['sim', 'coffee']])],
  });
  t.after(() => gateway.stop());
  const tried = async (origin) => {
    const page = await open(t, origin);
    const framed = [];
    page.on('console', (m) => { if (/frame/i.test(m.text())) framed.push(m.text()); });
    const got = await within(page.evaluate(ways, gateway.url), 'all ways are tried', 30_000);
    assert.ok(framed.some((text) => /frame-ancestors|X-Frame-Options/i.test(text)), `framed: ${framed}`);
    delete got.frame;
    return got;
  };
  assert.deepEqual(await tried(listed), {
    fetch: 1,
    refusal: 404,
    withToken: 200,
    change: 401,
    events: 'open',
    socket: 'open',
    module: 'open',
    script: 'refused', // a script tag without crossorigin, which any page may write
  });
  assert.deepEqual(await tried(foreign), {
    fetch: 'refused',
    refusal: 'refused',
    withToken: 'refused',
    change: 'refused',
    events: 'refused',
    socket: 'refused',
    module: 'refused',
    script: 'refused',
  });
});
