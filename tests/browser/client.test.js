// The client library and <price-ticker> in a real browser, read from the real program; the element as
// its README shows it, in a page of another origin.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { startGate } from '../support/feed.js';
import { startGateway } from '../support/gateway.js';
import { openPage, publish, startBrowser } from '../support/page.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

/** A page of the gateway's origin with a feed in it, through a gate for WebSockets. */
async function feedPage(t, config = {}) {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const complete = {
    redis: { url: redis.url },
    fanout: { flush_ms: 0, heartbeat_ms: 300 },
    instruments: [external('coffee')],
    drain_s: 0,
    ...config,
  };
  const start = async (port = 0) => {
    const gateway = await startGateway(complete, { port });
    t.after(() => gateway.stop());
    await until(async () => !(await gateway.get('/readyz')).json.degraded.includes('bus'), 'the bus is whole');
    return gateway;
  };
  const gateway = await start();
  const gate = await startGate(gateway.port);
  t.after(() => gate.stop());
  const page = await openPage(t, browser, `${gate.url}healthz`);
  let n = 0;
  return {
    gateway,
    gate,
    page,
    start,
    listen: () =>
      page.evaluate(async () => {
        const { PriceFeed } = await import('/client/index.js');
        globalThis.heard = [];
        globalThis.states = [];
        globalThis.feed = new PriceFeed(`${location.origin}/`, { graceMs: 50, getToken: globalThis.askToken });
        feed.addEventListener('state', (e) => states.push(e.detail));
        feed.subscribe('*', { onQuote: (q) => heard.push(q.price) });
      }),
    is: (state, transport) =>
      page.waitForFunction(
        ([s, way]) => feed.state.state === s && (!way || feed.state.transport === way),
        [state, transport],
        { timeout: 40_000 },
      ),
    async put(count) {
      for (let i = 0; i < count; i++) {
        const item = { symbol: 'coffee', price: ++n, ts: Date.now(), seq: `a0:${n}`, state: 'live' };
        await redis.command('SET', 'coffee:price:latest', JSON.stringify(item), 'EX', 600);
        await publish(redis, [item]);
        await page.waitForFunction((last) => heard.at(-1) === last, n); // two at once would be one
      }
      return n;
    },
  };
}

/** All from 1 to n, each once, in their order. */
async function judge(page, n) {
  assert.deepEqual(await page.evaluate(() => heard), Array.from({ length: n }, (_, i) => i + 1));
}

test('killed and started again, frozen and on again: nothing missed, nothing twice', async (t) => {
  const { page, gateway, start, listen, is, put } = await feedPage(t);
  await listen();
  await is('live', 'ws');
  await put(30);
  await gateway.kill();
  await is('reconnecting');
  await page.waitForFunction(() => feed.status('coffee').state === 'stale');
  const again = await start(gateway.port);
  t.after(() => again.signal('SIGCONT'));
  await is('live');
  await put(30);
  await page.waitForFunction(() => feed.status('coffee').state === 'live');
  again.signal('SIGSTOP');
  await is('reconnecting');
  assert.ok(await page.evaluate(() => states.some((s) => /nothing heard/.test(s.reason))));
  again.signal('SIGCONT');
  await is('live');
  await judge(page, await put(30));
});

test('WebSockets forbidden on the way: events take over; allowed again: back', async (t) => {
  const { page, gate, listen, is, put } = await feedPage(t);
  gate.closed = true;
  await listen();
  await is('live', 'sse');
  await put(10);
  gate.closed = false;
  await is('live', 'ws');
  await judge(page, await put(10));
  assert.equal(await page.evaluate(() => states.filter((s) => s.state === 'reconnecting').length), 2, 'two tries before events');
});

test('the network goes and comes: said, and used at once', async (t) => {
  const { page, gate, listen, is, put } = await feedPage(t);
  await listen();
  await is('live');
  await put(3);
  await page.context().setOffline(true);
  gate.cut();
  await is('offline');
  assert.match(await page.evaluate(() => feed.state.reason), /this device has no network/);
  await page.context().setOffline(false);
  await is('live');
  await judge(page, await put(3));
});

test('a token that ends is followed by the next one, and the stream goes on', async (t) => {
  const secret = 'a secret of more than 32 bytes, yes';
  const { page, listen, is, put } = await feedPage(t, { auth: { anonymous_role: null, jwt: { alg: 'HS256', secret } } });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  let asked = 0;
  await page.exposeFunction('askToken', () => {
    const exp = Math.floor(Date.now() / 1000) + (asked++ < 1 ? 3 : 600);
    const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ann', role: 'viewer', exp })}`;
    return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
  });
  await listen();
  await is('live');
  while (asked < 2) await put(1);
  await judge(page, await put(5));
  assert.deepEqual(await page.evaluate(() => states.map((s) => s.state)), ['connecting', 'live']);
});

test('a program started anew counts anew, and what it says is taken', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.10' })),
    config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']])], drain_s: 0 },
  });
  const page = await openPage(t, browser, `${gateway.url}/healthz`);
  await page.evaluate(async () => {
    const { PriceFeed } = await import('/client/index.js');
    globalThis.versions = [];
    globalThis.feed = new PriceFeed(`${location.origin}/`);
    feed.subscribe('coffee', { onQuote: (q) => versions.push(q.seq) });
  });
  await page.waitForFunction(() => feed.quote('coffee')?.price === 2.1);
  await gateway.stop();
  upstream.set('twelvedata', 'KC1', ok({ price: '2.20' }));
  const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
  t.after(() => again.stop());
  await page.waitForFunction(() => feed.quote('coffee')?.price === 2.2);
  const versions = await page.evaluate(() => versions);
  assert.equal(new Set(versions).size, versions.length, 'no version twice');
  assert.equal(new Set(versions.map((seq) => seq.split(':')[0])).size, 2, 'two epochs');
});

const times = process.env.LONG ? 1000 : 200;

test(`${times} reconnects leave nothing behind`, { timeout: 300_000 }, async (t) => {
  const { page, gate, listen, is, put } = await feedPage(t, { limits: { accept_per_s: 100_000, connections_per_ip: 1000 } });
  const wire = await page.context().newCDPSession(page);
  const heap = async () => {
    await wire.send('HeapProfiler.collectGarbage');
    return (await wire.send('Runtime.getHeapUsage')).usedSize;
  };
  await listen();
  await is('live');
  await put(1);
  await page.exposeFunction('cut', () => gate.cut());
  const reached = (n) => page.waitForFunction((wanted) => globalThis.lives >= wanted, n, { timeout: 200_000 });
  await page.evaluate(() => {
    Math.random = () => 0; // no wait between them
    globalThis.lives = 0;
    states.push = () => 0;
    feed.addEventListener('state', (e) => {
      if (e.detail.state === 'live') cut(lives++);
    });
    cut();
  });
  await reached(times / 4);
  const early = await heap();
  await reached(times);
  const grown = (await heap()) - early;
  console.log(`${(times * 3) / 4} reconnects in Chromium: heap ${Math.round(grown / 1024)} KiB more`);
  assert.ok(grown < 1024 * 1024, `${grown} bytes more`);
  assert.deepEqual(await page.evaluate(() => heard), [1], 'what was known came no second time');
});

// --- the element ---

/** The page of the README, from another origin, or any other text. */
async function site(t, html) {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', own.policy);
    response.end(own.html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const own = { html, policy: "default-src 'self'", url: `http://localhost:${server.address().port}` };
  return own;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const readme = readFileSync(new URL('../../web/client/README.md', import.meta.url), 'utf8');
const example = /<!DOCTYPE html>.*?<\/html>/s.exec(readme)[0];

const cell = (symbol, part) => `price-ticker [data-symbol="${symbol}"] .${part}`;
const says = (page, selector, wanted) =>
  page.locator(selector).filter({ hasText: wanted instanceof RegExp ? wanted : new RegExp(`^${wanted.replace(/[+().]/g, '\\$&')}$`) }).waitFor();

test('the ten lines of the README: prices, change, source and state, in a page of another origin', async (t) => {
  assert.ok(example.trim().split('\n').length <= 10);
  const own = await site(t, '');
  const { upstream, gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'KC1', ok({ price: '2.9430', prev_close: '2.9100' }));
      u.set('twelvedata', 'EUR/USD', ok({ price: '1.08450', prev_close: '1.08460' }));
    },
    config: {
      origins: [own.url],
      drain_s: 0,
      instruments: [
        { symbol: 'coffee', unit: 'USD/lb', poll_ms: 200, stale_after_ms: 1500, sources: [{ provider: 'twelvedata', symbol: 'KC1' }, { provider: 'yahoo', symbol: 'KC=F' }] },
        { symbol: 'EUR/USD', poll_ms: 200, stale_after_ms: 1500, sources: [{ provider: 'twelvedata', symbol: 'EUR/USD' }] },
      ],
    },
  });
  own.html = example.replaceAll('http://127.0.0.1:8080', gateway.url);
  own.policy = `default-src 'self'; script-src ${gateway.url}; connect-src ${gateway.url} ${gateway.wsUrl.replace('/ws', '')}`;
  const page = await openPage(t, browser, own.url);
  await says(page, cell('coffee', 'price'), '2.9430');
  await says(page, cell('coffee', 'change'), '▲ +0.0330 (+1.13 %)'.replace(' %', '\u00a0%'));
  await says(page, cell('EUR/USD', 'change'), /^▼ −0\.00010 \(−0\.01/);
  await says(page, cell('coffee', 'unit'), 'USD/lb');
  await says(page, cell('coffee', 'source'), 'twelvedata');
  await says(page, cell('coffee', 'state'), 'live');
  assert.equal(await page.locator('price-ticker').evaluate((e) => getComputedStyle(e).display), 'block');
  assert.deepEqual(await page.evaluate(() => globalThis.stopped), []);
  // As somebody hears it who sees nothing.
  const tree = await page.locator('price-ticker').ariaSnapshot();
  assert.match(tree, /- list "Prices"/);
  assert.match(tree, /listitem: coffee 2\.9430 USD\/lb ▲ \+0\.0330 \(\+1\.13\s%\) twelvedata live/);
  await page.shot('ticker');
  await page.evaluate(axe);
  for (const [colors, background] of [['light', '#fff'], ['dark', '#111']]) {
    const found = await page.evaluate(async ([scheme, color]) => {
      document.documentElement.style.colorScheme = scheme;
      document.body.style.background = color;
      const { violations, passes } = await globalThis.axe.run('price-ticker', { resultTypes: ['violations', 'passes'] });
      const contrast = passes.find((rule) => rule.id === 'color-contrast')?.nodes.length ?? 0;
      return { wrong: violations.map((v) => `${v.id}: ${v.nodes[0].html}`), contrast };
    }, [colors, background]);
    assert.deepEqual(found.wrong, [], colors);
    assert.ok(found.contrast >= 6, `${found.contrast} texts looked at`);
  }

  upstream.set('twelvedata', 'KC1', status(500));
  upstream.set('yahoo', 'KC=F', ok({ price: '294.9', prev_close: '291.0', currency: 'USX' }));
  await says(page, cell('coffee', 'source'), 'yahoo (fallback)');
  upstream.set('yahoo', 'KC=F', status(500));
  await says(page, cell('coffee', 'state'), /^stale/);

  await gateway.stop();
  await says(page, 'price-ticker [role=status]', /^reconnecting: the gateway/);
  await says(page, cell('EUR/USD', 'state'), 'stale: disconnected');
  await page.shot('ticker-away');
  assert.deepEqual(page.problems, []);
});

test('one connection for all; what is wrong is said; nothing is kept when they go', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee'), external('EUR/USD'), external('EUR/GBP')] },
  });
  const page = await openPage(t, browser, `${gateway.url}/healthz`);
  await page.evaluate(async () => {
    document.body.innerHTML = '<price-ticker symbols="coffee, nothing"></price-ticker><price-ticker symbols="EUR/*"></price-ticker><price-ticker symbols="a*b"></price-ticker>';
    await import('/client/price-ticker.js');
  });
  const EVIL = '<img src=x onerror="hit=1">';
  await publish(redis, [
    { symbol: 'coffee', price: 2.5, ts: Date.now(), source: EVIL, unit: EVIL, state: 'live' },
    { symbol: 'EUR/GBP', price: 0.85, ts: Date.now(), state: 'live' },
  ]);
  await says(page, cell('coffee', 'price'), '2.5');
  await says(page, cell('coffee', 'source'), EVIL);
  await says(page, cell('EUR/GBP', 'price'), '0.85');
  await says(page, cell('EUR/USD', 'state'), /^unavailable/);
  await says(page, cell('nothing', 'state'), /no instrument of this name is configured here/);
  const third = 'price-ticker:nth-of-type(3)';
  await says(page, `${third} [role=status]`, /^"a\*b" is no symbol: write/); // also when there is a connection
  const ask = (symbols) => page.$eval(third, (ticker, text) => ticker.setAttribute('symbols', text), symbols);
  await ask('*');
  await says(page, `${third} [data-symbol=coffee] .price`, '2.5');
  const shown = await page.locator(`${third} [part=symbol]`).allTextContents();
  assert.deepEqual(shown.sort(), ['EUR/GBP', 'EUR/USD', 'coffee'], 'nothing that there is not');
  await ask('');
  await says(page, `${third} [role=status]`, /^No symbols: write/);
  assert.equal(await page.evaluate(() => globalThis.hit), undefined);
  assert.equal(await gateway.metric('pricegate_connections'), 1);
  await page.evaluate(() => {
    const [first] = document.querySelectorAll('price-ticker');
    document.body.append(first); // moved
    first.setAttribute('symbols', 'EUR/GBP');
  });
  await page.locator(cell('coffee', 'price')).waitFor({ state: 'detached' });
  assert.equal(await page.locator(cell('EUR/GBP', 'price')).count(), 2);
  assert.equal(await gateway.metric('pricegate_connections'), 1);
  // A price that comes just before other symbols are asked for is no row of theirs.
  const late = await page.evaluate(async () => {
    const ticker = document.querySelector('price-ticker');
    let hear;
    const quote = { symbol: 'coffee', price: '1' };
    ticker.feed = Object.assign(new EventTarget(), {
      state: { state: 'live', reason: '' }, quote: () => quote, status: () => undefined,
      subscribe: (symbols, { onQuote }) => { hear = onQuote; return { close() {} }; },
    });
    hear(quote);
    ticker.setAttribute('symbols', 'tea');
    await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)));
    return [...ticker.shadowRoot.querySelectorAll('li')].map((li) => li.dataset.symbol);
  });
  assert.deepEqual(late, ['tea']);
  await page.evaluate(() => document.body.replaceChildren());
  await until(async () => (await gateway.metric('pricegate_connections')) === 0, 'no connection');
  assert.deepEqual(page.problems.filter((text) => !text.includes('404')), []); // /favicon.ico, of a page without head
});

test('a feed of the page\'s own, with a token; without one the note says what is missing', async (t) => {
  const sha256 = createHash('sha256').update('good').digest('hex');
  const { redis, gateway } = await scene(t, {
    redis: true,
    config: {
      auth: { anonymous_role: null, keys: [{ name: 'desk', role: 'viewer', sha256 }] },
      instruments: [external('coffee')],
      observations: [{ name: 'rain', unit: 'mm', sources: [] }],
    },
  });
  const page = await openPage(t, browser, `${gateway.url}/healthz`);
  await page.evaluate(async () => {
    document.body.innerHTML = '<price-ticker symbols="coffee,rain" aria-label="Mine"></price-ticker>';
    await import('/client/price-ticker.js');
  });
  await says(page, 'price-ticker [role=status]', /^offline: a valid token is needed/);
  await page.evaluate(async () => {
    const [{ PriceFeed }, { parseExact }] = await Promise.all([import('/client/index.js'), import('/client/exact.js')]);
    globalThis.own = new PriceFeed(`${location.origin}/`, { token: 'good', parse: parseExact });
    document.querySelector('price-ticker').feed = own;
  });
  await publish(redis, [{ symbol: 'coffee', price: 2.5, ts: Date.now(), state: 'live' }]);
  await redis.command('PUBLISH', 'rain:observation:stream', '{"symbol":"rain","value":1.50,"unit":"mm","ts":1}');
  await says(page, cell('coffee', 'price'), '2.5');
  await says(page, cell('rain', 'price'), '1.50');
  assert.match(await page.locator('price-ticker').ariaSnapshot(), /- list "Mine"/);
  await page.evaluate(() => document.body.replaceChildren());
  assert.equal(await page.evaluate(() => own.state.state), 'live', 'it stays the page\'s');
});
