// Pages of other origins in a real browser: those of web/examples/browser and react, served by a small server of
// the test's own, as their readers serve them. What the gateway lists works; what it does not list is refused,
// and console, page and the gateway's log say so.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { examples, root } from '../support/example.js';
import { startGateway } from '../support/gateway.js';
import { external, instrument, scene } from '../support/scene.js';
import { hang, ok } from '../support/upstream.js';
import { temporaryFolder, until } from '../support/wait.js';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' };

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
});
after(() => browser?.close());

/** A site: the files of a folder, with the gateway's address in the place of the one in the examples. */
async function site(t, folder) {
  const own = { gateway: '' };
  const server = createServer((request, response) => {
    try {
      const text = readFileSync(join(folder, request.url), 'utf8').replaceAll('http://127.0.0.1:8080', own.gateway);
      response.setHeader('content-type', TYPES[extname(request.url)]);
      response.end(text);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  own.url = `http://localhost:${server.address().port}`;
  return own;
}

/** Two sites with the same pages, of which the gateway lists the first. */
async function embedding(t, folder) {
  const [listed, foreign] = [await site(t, folder), await site(t, folder)];
  const market = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.9430', prev_close: '2.910' })),
    config: {
      origins: [listed.url],
      instruments: [
        instrument('coffee', [['yahoo', 'KC=F'], ['twelvedata', 'KC1']], { unit: 'USD/lb', stale_after_ms: 2000 }),
        external('EUR/USD'),
      ],
    },
  });
  listed.gateway = foreign.gateway = market.gateway.url;
  return { listed, foreign, ...market };
}

async function open(t, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.console = [];
  page.on('console', (message) => page.console.push(message.text()));
  page.on('pageerror', (error) => page.console.push(error.message));
  await page.goto(url);
  /** The text of the page, once it is so. */
  page.reads = (pattern) =>
    page.waitForFunction((p) => new RegExp(p, 's').test(document.body.innerText), pattern.source).catch(async () => {
      throw new Error(`the page does not read ${pattern}, but: ${await page.innerText('body')}\n${page.console.join('\n')}`);
    });
  page.complains = (pattern) => until(() => page.console.some((text) => pattern.test(text)), `the console says ${pattern}`);
  return page;
}

/** App.jsx as a bundler makes it, with the folders that npm would have made. */
async function reactSite(t) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const at = (...names) => join(folder.path, ...names);
  mkdirSync(at('node_modules'));
  for (const name of ['react', 'react-dom', 'scheduler']) symlinkSync(join(root, 'tests/node_modules', name), at('node_modules', name));
  symlinkSync(join(root, 'web/client'), at('node_modules/pricegate-client'));
  for (const name of ['App.jsx', 'usePrice.js']) copyFileSync(join(examples, 'react', name), at(name));
  writeFileSync(at('main.jsx'), `
    import { StrictMode } from 'react';
    import { createRoot } from 'react-dom/client';
    import App from './App.jsx';
    const root = createRoot(document.getElementById('root'));
    globalThis.show = (symbols) => root.render(<StrictMode><App symbols={symbols} /></StrictMode>);
    show(['coffee', 'EUR/USD']);
  `);
  await build({ entryPoints: [at('main.jsx')], outfile: at('main.js'), bundle: true, format: 'esm', jsx: 'automatic', logLevel: 'error' });
  writeFileSync(at('index.html'), '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="main.js"></script>');
  return folder.path;
}

// Most of their time is waiting: for staleness and returns.
describe('pages of other origins', { concurrency: 3 }, () => {
  test('fetch.html: prices over REST; a foreign page gets none, and says what to do', async (t) => {
    const { listed, foreign, upstream, gateway } = await embedding(t, join(examples, 'browser'));
    const page = await open(t, `${listed.url}/fetch.html`);
    await page.reads(/coffee 2\.943 USD\/lb: (live|delayed), confirmed \d+ s ago, twelvedata \(fallback\)/);
    await page.reads(/EUR\/USD: no price, unavailable/);
    assert.deepEqual(page.console.filter((text) => !/favicon|404/.test(text)), []);
    upstream.set('twelvedata', 'KC1', hang());
    upstream.set('yahoo', 'KC=F', hang());
    await page.reads(/coffee 2\.943 USD\/lb: stale/);

    const other = await open(t, `${foreign.url}/fetch.html`);
    await other.reads(new RegExp(`No answer from ${gateway.url}.*is ${foreign.url} among its origins`));
    await other.complains(new RegExp(`from origin '${foreign.url}' has been blocked by CORS policy`));
    await gateway.log((l) => l.event === 'origin_refused' && l.origin === foreign.url && /list it under origins/.test(l.advice));
  });

  test("live.html: the client's modules and its WebSocket; away, back, and refused to a foreign page", async (t) => {
    const { listed, foreign, upstream, gateway } = await embedding(t, join(examples, 'browser'));
    const page = await open(t, `${listed.url}/live.html`);
    await page.reads(/^live.*coffee 2\.9430 USD\/lb: (live|delayed), confirmed \d+ s ago, twelvedata \(fallback\)/);
    await page.reads(/EUR\/USD: unavailable/);
    upstream.set('yahoo', 'KC=F', ok({ price: '2.951', currency: 'USD' }));
    await page.reads(/coffee 2\.951 USD\/lb: .*, yahoo\n/);
    await gateway.kill();
    await page.reads(/reconnecting .*coffee 2\.951 USD\/lb: stale \(disconnected\)/);
    const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
    t.after(() => again.stop());
    await page.reads(/^live.*coffee 2\.951 USD\/lb: (live|delayed),/);

    const other = await open(t, `${foreign.url}/live.html`);
    await other.complains(new RegExp(`script at '${gateway.url}/client/index.js' from origin '${foreign.url}' has been blocked by CORS`));
    await other.reads(/loading the client \(if this stays/);
  });

  test("ticker.html: the element, with no word about its gateway but the module's address", async (t) => {
    const { listed, foreign, upstream, gateway } = await embedding(t, join(examples, 'browser'));
    const page = await open(t, `${listed.url}/ticker.html`);
    /** What a person sees of it: the texts of its parts. */
    const says = (pattern) => page.locator('price-ticker', { hasText: pattern }).waitFor();
    await says(/coffee\s*2\.9430\s*USD\/lb.*twelvedata \(fallback\)\s*(live|delayed)/);
    await says(/EUR\/USD\s*\u2013.*unavailable/);
    upstream.set('yahoo', 'KC=F', ok({ price: '2.9510', currency: 'USD' }));
    await says(/coffee\s*2\.951.*yahoo/);
    await gateway.kill();
    await says(/coffee\s*2\.951.*stale: disconnected.*reconnecting: /);

    const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
    t.after(() => again.stop());
    await says(/coffee\s*2\.951.*yahoo\s*(live|delayed)/);
    const other = await open(t, `${foreign.url}/ticker.html`);
    await other.complains(new RegExp(`'${gateway.url}/client/price-ticker.js' from origin '${foreign.url}' has been blocked by CORS`));
    await other.reads(/No ticker: the browser's console says why/);
  });

  test('what needs a preflight, and what a page may read of an answer', async (t) => {
    const { listed, foreign, gateway } = await embedding(t, join(examples, 'browser'));
    const ask = async (page, headers) =>
      page.evaluate(
        async ([url, sent]) => {
          try {
            const reply = await fetch(`${url}/api/v1/quotes`, { headers: sent, cache: 'no-store' });
            return [reply.status, reply.headers.get('etag'), (await reply.text()).slice(0, 9)];
          } catch (error) {
            return error.message;
          }
        },
        [gateway.url, headers],
      );
    const events = (page) =>
      page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const source = new EventSource(`${url}/api/v1/stream?symbols=coffee`);
            source.addEventListener('quote', ({ data }) => resolve(JSON.parse(data).symbol));
            source.onerror = () => resolve('refused');
          }),
        gateway.url,
      );
    await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
    const page = await open(t, `${listed.url}/fetch.html`);
    const [status, etag, text] = await ask(page, {});
    assert.deepEqual([status, text], [200, '{"data":[']);
    assert.match(etag, /^"[0-9a-f]{16}"$/);
    assert.equal((await ask(page, { 'If-None-Match': '"0000000000000000"' }))[0], 200);
    assert.equal((await ask(page, { Authorization: 'Bearer wrong' }))[0], 401, 'the reason, not a failed fetch');
    assert.equal(await ask(page, { 'X-Other': '1' }), 'Failed to fetch'); // what the preflight does not allow
    assert.equal(await events(page), 'coffee');

    const other = await open(t, `${foreign.url}/fetch.html`);
    for (const headers of [{}, { Authorization: 'Bearer wrong' }]) assert.equal(await ask(other, headers), 'Failed to fetch');
    assert.equal(await events(other), 'refused');
  });

  test('React: App.jsx with usePrice; foreign, away, back, and other symbols', async (t) => {
    const { listed, foreign, upstream, gateway } = await embedding(t, await reactSite(t));
    const page = await open(t, `${listed.url}/index.html`);
    const cells = (symbol) => page.locator('tr', { hasText: symbol }).locator('th, td').allInnerTexts();
    await page.reads(/^live.*coffee\s+2\.9430 USD\/lb\s+(live|delayed)\s+twelvedata \(fallback\)\s+\d+ s/);
    assert.deepEqual((await cells('EUR/USD')).slice(0, 2), ['EUR/USD', '\u2013']);
    assert.match((await cells('EUR/USD'))[2], /^unavailable/);
    upstream.set('yahoo', 'KC=F', ok({ price: '2.951', currency: 'USD' }));
    await page.reads(/coffee\s+2\.951 USD\/lb\s+\w+\s+yahoo\s+\d+ s/);

    await page.evaluate(() => globalThis.show(['EUR/USD']));
    await page.waitForFunction(() => document.querySelectorAll('tr').length === 1);
    await page.evaluate(() => globalThis.show(['coffee', 'EUR/USD']));
    await page.reads(/coffee\s+2\.951 USD\/lb\s+(live|delayed)/);

    await gateway.kill();
    await page.reads(/reconnecting.*coffee\s+2\.951 USD\/lb\s+stale disconnected/);
    const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
    t.after(() => again.stop());
    await page.reads(/^live.*coffee\s+2\.951 USD\/lb\s+(live|delayed)\s/);
    assert.deepEqual(page.console.filter((text) => !/WebSocket|ERR_CONNECTION|DevTools/.test(text)), []);

    const other = await open(t, `${foreign.url}/index.html`);
    await other.complains(/WebSocket connection to .* failed: .*403/);
    await other.reads(/reconnecting the gateway cannot be reached.*coffee\s+\u2013\s+unavailable/);
    await again.log((l) => l.event === 'origin_refused' && l.origin === foreign.url);
  });
});
