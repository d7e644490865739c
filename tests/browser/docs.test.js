// /docs in a real browser: complete, usable by keys and by screen readers, on a phone and in the dark.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { external, instrument } from '../support/scene.js';
import { DESK, PHONE, openPage, startBrowser } from '../support/page.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const document_ = (name) => JSON.parse(readFileSync(new URL(`../../web/${name}`, import.meta.url), 'utf8'));
const openapi = document_('openapi.json');
const asyncapi = document_('asyncapi.json');

const KINDS = ['getQuote', 'getHealth', 'reload', 'ws-subscribe', 'ws-quote', 'events-quoteEvent', 'quoteUpdates-fedQuote'];

let browser;
let gateway;
before(async () => {
  browser = await startBrowser();
  gateway = await startGateway({ instruments: [instrument('coffee', [['sim', 'coffee']]), external('tea')] });
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function open(t, options = {}, path = '/docs') {
  const page = await openPage(t, browser, gateway.url + path, options);
  await page.waitForSelector('.card');
  return page;
}

/** Nothing was complained of, nothing stopped, nobody else asked. */
async function isClean(page) {
  assert.deepEqual(page.problems, []);
  assert.deepEqual(await page.evaluate(() => globalThis.stopped), []);
  assert.deepEqual([...page.hosts], [new URL(gateway.url).host]);
}

test('every route and every message is there, in the contents too', async (t) => {
  const page = await open(t, {}, '/docs/'); // leads to /docs
  assert.equal(new URL(page.url()).pathname, '/docs');
  const wanted = [
    ...Object.values(openapi.paths).flatMap((item) => Object.values(item).map((o) => o.operationId)),
    ...Object.entries(asyncapi.channels).flatMap(([name, c]) => Object.keys(c.messages).map((key) => `${name}-${key}`)),
  ];
  const there = await page.evaluate(() => [...document.querySelectorAll('.card')].map((card) => card.id));
  assert.deepEqual([...there].sort(), [...wanted].sort());
  const listed = await page.evaluate(() => [...document.querySelectorAll('nav li a')].map((a) => a.hash.slice(1)));
  assert.deepEqual(listed, there);
  const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map((e) => e.id));
  assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), [], 'ids are used once');
  const empty = await page.evaluate(() => [...document.querySelectorAll('.card')]
    .filter((card) => card.querySelectorAll('pre').length === 0 || card.querySelector('.lead').textContent.length < 5).map((card) => card.id));
  assert.deepEqual(empty, [], 'each has words and code');
  assert.match(await page.textContent('#getQuote'), /role viewer/);
  assert.match(await page.textContent('#reload'), /role admin/);
  assert.match(await page.textContent('#ws-quote'), /exact decimal/);
  assert.match(await page.textContent('#ws'), /4008/);
  const dead = await page.evaluate(() => [...document.querySelectorAll('a[href^="#"]')].filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash));
  assert.deepEqual(dead, []);
  await isClean(page);
});

test('a parameter changes the command line; Send asks the gateway and keeps the digits', async (t) => {
  const page = await open(t, {}, '/docs#getQuote');
  const card = page.locator('#getQuote');
  assert.ok(await card.evaluate((e) => Math.abs(e.getBoundingClientRect().top) < innerHeight / 2), 'the address leads to the card');
  await card.locator('input').first().fill('EUR/USD');
  assert.match(await card.locator('pre').first().textContent(), new RegExp(`^curl -sS ${gateway.url}/api/v1/quotes/EUR/USD$`));
  await card.locator('input').first().fill('coffee');
  await page.waitForFunction(async () => (await fetch('api/v1/quotes/coffee')).status === 200);
  await card.getByRole('button', { name: /^Send/ }).click();
  const shown = card.locator('.send pre');
  await shown.waitFor();
  const { price, source } = JSON.parse(await shown.textContent());
  assert.ok(price > 0);
  assert.equal(source, 'sim');
  await card.locator('input').first().fill('no such');
  await card.getByRole('button', { name: /^Send/ }).click();
  await page.waitForFunction(() => /"status": 404/.test(document.querySelector('#getQuote .send').textContent));
  assert.match(await page.textContent('#refreshAll pre'), /-X POST .*Bearer \$TOKEN/, 'a role needs a token');
  assert.equal(await page.locator('#refreshAll').getByRole('button', { name: /^Send/ }).count(), 0, 'nothing is changed from here');
  await page.fill('#token', 'secret');
  assert.match(await card.locator('pre').first().textContent(), /Bearer \$TOKEN/);
  assert.doesNotMatch(await page.evaluate(() => document.body.innerText), /secret/, 'the token is not shown');
  page.problems = page.problems.filter((text) => !/404/.test(text)); // the browser prints what was asked for
  await isClean(page);
});

test('figures keep the digits that they were written with', async (t) => {
  const page = await open(t);
  const text = await page.evaluate(async () => {
    const { json } = await import('/docs/element.js');
    return json('{"price":150.10,"bid":0.00000001,"a":[1.0,-2.50],"text":"1.0, {x}: \\"y\\"","none":null}').textContent;
  });
  for (const digits of ['150.10', '0.00000001', '1.0', '-2.50', '"1.0, {x}: \\"y\\""', 'null']) assert.ok(text.includes(digits), `${digits} in ${text}`);
});

test('by keys: skip, filter, leave', async (t) => {
  const page = await open(t);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
  await page.keyboard.type('reset');
  const cards = () => page.evaluate(() => [...document.querySelectorAll('.card')].filter((c) => c.checkVisibility()).map((c) => c.id));
  assert.deepEqual(await cards(), ['resetCircuit', 'ws-reset']);
  assert.equal(await page.textContent('#found'), '2 found');
  await page.keyboard.type('xyz');
  assert.equal(await page.textContent('#found'), 'nothing has these words');
  await page.keyboard.press('Escape');
  assert.ok((await cards()).length > 50);
  await isClean(page);
});

for (const [name, options] of Object.entries({
  light: { viewport: DESK, colorScheme: 'light' },
  dark: { viewport: DESK, colorScheme: 'dark' },
  phone: { viewport: PHONE, colorScheme: 'light', hasTouch: true },
})) {
  test(`axe finds nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    const page = await open(t, options);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing stands over the edge');
    assert.equal(await page.evaluate(() => document.getElementById('menu').open), name !== 'phone', 'the contents are folded where there is no room');
    await page.shot(`docs-${name}`);
    // What is folded is looked at, too. axe takes a minute for all of it: a part has one of each kind.
    await page.evaluate(() => document.querySelectorAll('main details').forEach((d) => { d.open = true; }));
    const wide = await page.evaluate(() => [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 200)));
    assert.deepEqual(wide, [], 'nor when all is open');
    if (!process.env.LONG) await page.evaluate((kinds) => document.querySelectorAll('.card').forEach((card) => { card.hidden = !kinds.includes(card.id); }), KINDS);
    await page.evaluate(axe);
    // The dark page differs in its colours only.
    const rules = name === 'dark' && !process.env.LONG ? { runOnly: ['color-contrast'] } : {};
    const { violations } = await page.evaluate((o) => globalThis.axe.run(document, { resultTypes: ['violations'], ...o }), rules);
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.help} (${v.nodes.length}) ${v.nodes[0].html.slice(0, 200)}`), []);
    await isClean(page);
  });
}

test('colours and token are those of the dashboard', async (t) => {
  const kept = () => {
    localStorage.setItem('pricegate.theme', '"dark"');
    sessionStorage.setItem('pricegate.token', '"secret"');
  };
  const page = await open(t, { colorScheme: 'light', script: kept });
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.equal(await page.inputValue('#token'), 'secret');
  await isClean(page);
});

test('without its documents it says what to do', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route('**/asyncapi.json', (route) => route.abort());
  await page.goto(`${gateway.url}/docs`);
  await page.waitForFunction(() => /Is the gateway still running\? Then load this page again/.test(document.getElementById('notice')?.textContent));
});
