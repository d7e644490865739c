// The page in a real browser, served by the real program, its prices from a scripted provider.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { PHONE, openPage, row, shots, startBrowser } from '../support/page.js';
import { folder, recordings, serve } from '../support/recordings.js';
import { external, instrument, scene } from '../support/scene.js';
import { html, ok, status } from '../support/upstream.js';
import { within } from '../support/wait.js';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  console.log(`screenshots: ${shots}`);
});
const open = (t, url, options) => openPage(t, browser, url, options);

const badge = '#connection';

const fits = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

function desk(poll = {}) {
  const coffee = [['twelvedata', 'KC1'], ['yahoo', 'KC=F']];
  return [
    instrument('coffee', coffee, { name: 'Coffee C', category: 'coffee_prices', unit: 'USD/lb', ...poll }),
    instrument('AAPL', [['twelvedata', 'AAPL']], { name: 'Apple', category: 'equities', ...poll }),
    instrument('EUR/USD', [['twelvedata', 'EUR/USD']], { name: 'Euro', category: 'fx_rates', ...poll }),
    instrument('SHIB', [['twelvedata', 'SHIB/USD']], { category: 'crypto', ...poll }),
    external('tea', { name: 'Tea', category: 'coffee_prices' }),
  ];
}

function stock(upstream) {
  upstream.set('twelvedata', 'KC1', ok({ price: '2.943', prev_close: '2.910' }));
  upstream.set('twelvedata', 'AAPL', ok({ price: '150.10', prev_close: '151.00' }));
  upstream.set('twelvedata', 'EUR/USD', ok({ price: '1.08450', prev_close: '1.08450' }));
  upstream.set('twelvedata', 'SHIB/USD', ok({ price: '0.00000001' }));
}

test('a price, then the next one; digits, source, age, state', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: stock,
    config: { instruments: desk() },
  });
  const page = await open(t, gateway.url);
  await page.says(badge, 'live');
  await page.says(`${row('coffee')} .value`, '2.943');
  await page.says(`${row('AAPL')} .value`, '150.10');
  await page.says(`${row('EUR/USD')} .value`, '1.08450');
  await page.says(`${row('SHIB')} .value`, '0.00000001');
  await page.says(`${row('coffee')} .unit`, 'USD/lb');
  await page.says(`${row('coffee')} .change`, '+0.033');
  await page.says(`${row('coffee')} .percent`, '+1.13\u00a0%');
  await page.says(`${row('coffee')} .provider`, 'twelvedata');
  await page.says(`${row('coffee')} .state`, 'live');
  assert.match(await page.textContent(`${row('coffee')} .age`), /^\d+\u00a0s$/);
  await page.hover(`${row('coffee')} .state`);
  assert.match(await page.getAttribute(`${row('coffee')} .state`, 'title'), /source: twelvedata/);
  assert.match(await page.textContent(`${row('tea')} .state`), /^unavailable/);
  assert.equal(await page.textContent(`${row('tea')} .value`), '\u2013');
  assert.equal(await page.isVisible('#notice'), false);
  const groups = await page.locator('tr.category').allTextContents();
  assert.deepEqual(groups, ['Coffee prices', 'Equities', 'FX rates', 'Crypto']);

  upstream.set('twelvedata', 'KC1', ok({ price: '2.951', prev_close: '2.910' }));
  await page.says(`${row('coffee')} .value`, '2.951');
  assert.equal(await page.getAttribute(row('coffee'), 'data-tick'), 'up');
  await page.shot('desk');

  upstream.set('twelvedata', 'KC1', status(500));
  upstream.set('yahoo', 'KC=F', ok({ price: '294.9', prev_close: '291.0', currency: 'USX' }));
  await page.says(`${row('coffee')} .value`, '2.949');
  await page.says(`${row('coffee')} .provider`, 'yahoo');
  await page.says(`${row('coffee')} .tag`, 'fallback');
  assert.equal(await page.getAttribute(row('coffee'), 'data-tick'), 'down');
  assert.equal(await fits(page), true);
  assert.deepEqual(page.problems, []);
});

test('observations stand below the prices: figures, units, words, age, state', async (t) => {
  const citations = ['https://a.example/<b>'];
  const place = (symbol, more) => ({ name: symbol, sources: [], ...more });
  const { upstream, redis, gateway } = await scene(t, {
    redis: true,
    script: (u) => {
      stock(u);
      u.set('openmeteo', '*', ok({
        values: { temperature_2m: '-4.10', relative_humidity_2m: 80, precipitation: '0.00', wind_speed_10m: 7.6, weather_code: 61 },
        units: { temperature_2m: '°C', relative_humidity_2m: '%', precipitation: 'mm', wind_speed_10m: 'km/h' },
      }));
      u.set('eia', 'PET.RWTC.D', ok({ value: '66.30', unit: '$/BBL' }));
    },
    config: {
      instruments: desk().slice(0, 3),
      observations: [
        place('weather/minas', {
          title: 'Weather in Sul de Minas', category: 'weather', region: 'Sul de Minas', poll_ms: 200,
          stale_after_ms: 1500, sources: [{ provider: 'openmeteo', symbol: '-21.55,-45.43' }],
        }),
        place('oil', {
          title: 'WTI spot', category: 'energy', poll_ms: 200, sources: [{ provider: 'eia', symbol: 'RWTC' }],
        }),
        place('harvest', { title: 'Harvest report', category: 'intelligence' }),
        place('silent', { category: 'intelligence' }),
      ],
    },
  });
  const page = await open(t, gateway.url);
  const figures = (symbol) => page.locator(`${row(symbol)} .figure`).allTextContents();
  await page.says(badge, 'live');
  await page.says(`${row('coffee')} .value`, '2.943');
  await page.says(`${row('weather/minas')} .value`, '-4.1'); // a JSON number has no trailing zero to keep
  assert.deepEqual((await figures('weather/minas')).map((s) => s.trim()), [
    'temperature 2m -4.1 °C', 'relative humidity 2m 80 %', 'precipitation 0 mm', 'wind speed 10m 7.6 km/h',
    'weather code 61',
  ]);
  await page.says(`${row('weather/minas')} .words`, 'slight rain');
  await page.says(`${row('weather/minas')} .full-name`, 'Weather in Sul de Minas');
  await page.says(`${row('weather/minas')} .about`, 'Sul de Minas');
  await page.says(`${row('oil')} .figure`, '66.30 $/BBL');
  await page.says(`${row('oil')} .state`, 'delayed'); // of the day before yesterday
  await page.says(`${row('silent')} .observed`, '\u2013');
  await page.waitForFunction((at) => /^unavailable/.test(document.querySelector(at).textContent), `${row('silent')} .state`);
  assert.match(await page.textContent(`${row('oil')} .age`), /^\d+\u00a0s$/);

  const words = `Flowering is early.\n${'The harvest is expected to be large. '.repeat(12)}`;
  const report = { symbol: 'harvest', text: words, period: '2026/27', region: 'Brazil', citations, source: 'reader', ts: Date.now(), state: 'live' };
  await redis.command('PUBLISH', 'harvest:observation:stream', JSON.stringify(report));
  await page.says(`${row('harvest')} .about`, 'Brazil \u00b7 2026/27');
  assert.match(await page.textContent(`${row('harvest')} .words`), /^Flowering is early/);
  await page.hover(`${row('harvest')} .state`);
  assert.match(await page.getAttribute(`${row('harvest')} .state`, 'title'), /it rests on: https:\/\/a\.example\/<b>/);
  assert.deepEqual(await page.locator('#observations tr.category').allTextContents(), ['Weather', 'Energy', 'Intelligence']);
  assert.deepEqual(await page.locator('#prices tr.category').allTextContents(), ['Coffee prices', 'Equities', 'FX rates']);
  assert.ok(!(await page.textContent('body')).includes('NaN'));
  assert.equal(await page.isVisible('#notice'), false);
  assert.equal(await fits(page), true);
  await page.shot('observations');

  upstream.set('openmeteo', '*', status(500));
  await page.says(`${row('weather/minas')} .state`, 'stale');
  assert.equal((await figures('weather/minas')).length, 5, 'what was last known stays');
  await page.setViewportSize(PHONE);
  assert.equal(await fits(page), true);
  await page.shot('observations-phone');
  assert.deepEqual(page.problems, []);
});

test('observations alone: no table of prices, no notice', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    config: { observations: [{ name: 'rain', sources: [] }] },
  });
  const page = await open(t, gateway.url);
  await page.says(badge, 'live');
  await redis.command('PUBLISH', 'rain:observation:stream', '{"symbol":"rain","value":1.50}');
  await page.says(`${row('rain')} .figure`, '1.50');
  assert.equal(await page.isVisible('#prices'), false);
  assert.equal(await page.isVisible('#notice'), false);
  assert.deepEqual(page.problems, []);
});

test('the gateway goes and comes back: reconnecting, then live with what is new', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: stock,
    config: { instruments: desk() },
  });
  const page = await open(t, gateway.url);
  await page.says(badge, 'live');
  await page.says(`${row('coffee')} .value`, '2.943');

  await gateway.stop();
  await page.says(badge, 'reconnecting');
  await page.says(`${row('coffee')} .value`, '2.943');
  assert.match(await page.textContent('#notice'), /The gateway is away\.\s+[A-Z].*see whether pricegate is running/s);
  await page.shot('gateway-away');

  upstream.set('twelvedata', 'KC1', ok({ price: '2.960' }));
  const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
  t.after(() => again.stop());
  await page.says(badge, 'live');
  await page.says(`${row('coffee')} .value`, '2.960');

  await again.kill(); // without a goaway
  await page.says(badge, 'reconnecting');
  await page.keyboard.press('h');
  await page.says('#health .panel-body', 'This part of the page could not be loaded: open it again once the gateway is back.');
  const third = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
  t.after(() => third.stop());
  await page.says(badge, 'live');
  await page.keyboard.press('h');
  await page.keyboard.press('h');
  await page.waitForSelector('#health form.token');
  assert.doesNotMatch(await page.textContent('#health'), /could not be loaded/);
  assert.deepEqual(page.problems, []);
});

test('on a phone nothing has to be scrolled sideways; dark where that is wanted', async (t) => {
  const { gateway } = await scene(t, {
    script: stock,
    config: { instruments: desk() },
  });
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(t, gateway.url, { viewport: PHONE, colorScheme, deviceScaleFactor: 2 });
    await page.says(`${row('SHIB')} .value`, '0.00000001');
    assert.equal(await fits(page), true);
    for (const part of ['.value', '.state', '.provider', '.age']) {
      assert.equal(await page.isVisible(`${row('coffee')} ${part}`), true, part);
    }
    await page.shot(`phone-${colorScheme}`);
    assert.deepEqual(page.problems, []);
  }
});

test('who wants no motion gets none', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: stock,
    config: { instruments: desk() },
  });
  for (const reducedMotion of ['reduce', 'no-preference']) {
    const page = await open(t, gateway.url, { reducedMotion });
    await page.says(`${row('coffee')} .value`, '2.943');
    await page.evaluate(() => {
      window.flashes = 0;
      new MutationObserver((changes) => {
        for (const { target } of changes) if (target.dataset.flash) window.flashes++;
      }).observe(document.getElementById('prices'), { subtree: true, attributeFilter: ['data-flash'] });
    });
    upstream.set('twelvedata', 'KC1', ok({ price: '2.951' }));
    await page.says(`${row('coffee')} .value`, '2.951');
    assert.equal(await page.getAttribute(row('coffee'), 'data-tick'), 'up', 'the arrow is there in any case');
    assert.equal(await page.evaluate(() => window.flashes > 0), reducedMotion === 'no-preference');
    if (reducedMotion === 'no-preference') await page.waitForSelector(`${row('coffee')}:not([data-flash])`);
    upstream.set('twelvedata', 'KC1', ok({ price: '2.943' }));
    await page.says(`${row('coffee')} .value`, '2.943');
  }
});

test('no provider answers: a plain notice, and why', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', '*', status(503, 'down'));
      upstream.set('yahoo', '*', html());
    },
    config: { instruments: desk().filter((i) => i.sources.length > 0) },
  });
  const page = await open(t, gateway.url);
  await page.says(badge, 'live');
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /No provider answers/);
  assert.match(await page.textContent('#notice'), /\/data-health\/sources/);
  assert.match(await page.textContent(`${row('AAPL')} .state`), /unavailable . twelvedata: upstream_error/);
  await page.shot('no-provider');
  stock(upstream);
  await page.says(`${row('AAPL')} .value`, '150.10');
  assert.equal(await page.isVisible('#notice'), false);
  assert.deepEqual(page.problems, []);
});

test('compressed frames are read by the browser', async (t) => {
  const symbols = Array.from({ length: 60 }, (_, i) => `S${i}`);
  const { gateway, redis } = await scene(t, {
    redis: true,
    config: { fanout: { compression: true }, instruments: symbols.map((symbol) => external(symbol)) },
  });
  const page = await open(t, gateway.url);
  const wire = await page.context().newCDPSession(page);
  const agreed = new Promise((resolve) => {
    wire.on('Network.webSocketHandshakeResponseReceived', ({ response }) => resolve(response.headers));
  });
  await wire.send('Network.enable');
  await page.reload();
  const headers = Object.entries(await within(agreed, 'the handshake'));
  const extension = headers.find(([name]) => name.toLowerCase() === 'sec-websocket-extensions');
  assert.deepEqual(extension?.[1], 'permessage-deflate');
  await page.says(badge, 'live');
  for (const price of ['150.10', '151.20']) {
    // All at once: long frames, which are the ones that get compressed.
    const item = (symbol) => `{"symbol":"${symbol}","price":${price},"ts":${Date.now()}}`;
    await Promise.all(symbols.map((s) => redis.command('PUBLISH', `${s}:price:stream`, item(s))));
    for (const symbol of ['S0', 'S59']) await page.says(`${row(symbol)} .value`, price);
  }
  assert.deepEqual(page.problems, []);
});

test('recorded replies arrive in the page', { skip: folder ? false : 'no recorded replies' }, async (t) => {
  // One recording for each symbol.
  const chosen = recordings.filter(
    (r, i) => !recordings.slice(0, i).some((o) => o.quotes.some((q) => r.quotes.some((x) => x.symbol === q.symbol))),
  );
  const alone = chosen.filter((r) => r.provider === 'yahoo' || r.quotes.length === 1);
  const { upstream, gateway } = await scene(t, {
    config: {
      instruments: alone.flatMap(({ provider, quotes }, i) =>
        quotes.map(({ symbol }) => ({
          symbol,
          category: provider,
          // Never due together: a recording answers for one symbol.
          poll_ms: 500 + 37 * i,
          sources: [{ provider, symbol }],
        })),
      ),
    },
  });
  for (const { provider, file, quotes } of alone) serve(upstream, provider, file, quotes);
  const page = await open(t, gateway.url, { viewport: { width: 1100, height: 900 } });
  for (const { symbol, price } of alone.flatMap((r) => r.quotes)) {
    await page.says(`${row(symbol)} .value`, price);
  }
  await page.shot('recordings');
  assert.deepEqual(page.problems, []);
});

test('instruments that come and go with a reload come and go on the page', async (t) => {
  const sim = (symbol, name) => ({ symbol, name, poll_ms: 1000, sources: [{ provider: 'sim', symbol }] });
  const config = (...instruments) => ({ providers: { sim: { enabled: true } }, instruments });
  const gateway = await startGateway(config(sim('coffee', 'Coffee C'), sim('tea', 'Tea')));
  t.after(() => gateway.stop());
  const page = await open(t, gateway.url);
  await page.says(`${row('tea')} .full-name`, 'Tea');
  await page.waitForSelector(`${row('coffee')}[data-state="live"]`);
  await page.click(`${row('tea')} .value`);
  await page.says('#detail-title', 'Tea (tea)');
  writeFileSync(gateway.file, JSON.stringify(config(sim('milk', 'Milk'), sim('coffee', 'Coffee, better'))));
  gateway.signal('SIGHUP');
  await page.says(`${row('milk')} .full-name`, 'Milk');
  await page.waitForSelector(`${row('milk')}[data-state="live"]`);
  await page.waitForSelector(row('tea'), { state: 'detached' });
  assert.equal(await page.isVisible('#detail'), false, 'the detail of what is gone goes with it');
  assert.match(await page.textContent('#said'), /no instrument \u201ctea\u201d/);
  assert.equal(await page.evaluate(() => location.hash), '');
  await page.says(`${row('coffee')} .full-name`, 'Coffee, better');
  await page.says(badge, 'live');
  // The detail may have asked for the story of what was already gone.
  assert.deepEqual(page.problems.filter((text) => !/404/.test(text)), []);
});
