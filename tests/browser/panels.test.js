// The panels of the page in a real browser: detail with chart and story, sources and jobs with their
// orders by role, the connection. Real program, scripted providers.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { PHONE, openPage, row, startBrowser } from '../support/page.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const TALL = { width: 1360, height: 1500 };
const key = (role) => ({ name: `the ${role}`, role, sha256: createHash('sha256').update(`${role}-token`).digest('hex') });
const coffee = (more = {}) => instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], {
  name: 'Coffee C', category: 'coffee_prices', unit: 'USD/lb', ...more,
});

/** Opens the page, and keeps the paths that it asks for. */
async function open(t, url, options = {}) {
  const asked = [];
  const page = await openPage(t, browser, 'about:blank', { viewport: TALL, ...options });
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  page.asked = asked;
  await page.goto(url);
  page.reads = (selector, pattern) =>
    page.waitForFunction(
      ([s, source]) => new RegExp(source).test(document.querySelector(s)?.textContent ?? ''),
      [selector, pattern.source],
    );
  page.clean = async () => {
    assert.deepEqual(page.problems, []);
    assert.deepEqual(await page.evaluate(() => globalThis.stopped), [], 'stopped by the policy');
    assert.deepEqual([...page.hosts].filter((host) => host !== '' && host !== new URL(url).host), [], 'asked of others');
  };
  return page;
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);

test('the detail: chart, figures, latency, theme; the library comes when it is needed', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee', { name: 'Coffee C', unit: 'USD/lb', exchange: 'ICEUS' }), external('tea')] },
  });
  let ts = Date.now() - 100_000;
  const publish = (price, more = {}) => {
    ts += 1000;
    const item = `{"symbol":"coffee","price":${price},"bid":2.940,"ask":2.946,"open":2.9,"prev_close":2.91,"change":0.033,"change_pct":1.134,"volume":1234567,"currency":"USD","source":"desk","ts":${ts},"recv":${Date.now()}`;
    return redis.command('PUBLISH', 'coffee:price:stream', `${item}${Object.entries(more).map(([k, v]) => `,${JSON.stringify(k)}:${JSON.stringify(v)}`).join('')}}`);
  };
  const page = await open(t, gateway.url, { colorScheme: 'light' });
  await page.says('#connection', 'live');
  for (const price of ['2.943', '2.944', '2.950', '2.941', '2.947']) { // one after the other: none is merged
    await publish(price);
    await page.reads(`${row('coffee')} .value`, new RegExp(price.replace('.', '\\.')));
  }
  assert.ok(!page.asked.some((path) => path.startsWith('/vendor/')), 'no chart, no library');
  assert.ok(!page.asked.some((path) => /provenance|whoami|data-health/.test(path)), 'nothing is asked for what nobody sees');

  await page.click(`${row('coffee')} .name`);
  await page.waitForSelector('.chart[data-points="5"] canvas');
  assert.equal(await page.getAttribute('.chart', 'data-series'), 'line');
  assert.match(await page.getAttribute('.chart', 'aria-label'), /^Chart of Coffee C, a point for each second since .*lowest 2\.941, highest 2\.950, last 2\.947$/);
  const picture = () => page.locator('.chart').screenshot();
  const line = await picture();
  await publish('2.960');
  await page.waitForSelector('.chart[data-points="6"]');
  await until(async () => !(await picture()).equals(line), 'the picture changes with the price');
  const longer = await picture();
  await page.click('.choice [data-value="candles"]');
  await page.waitForSelector('.chart[data-series="candles"]');
  await until(async () => !(await picture()).equals(longer), 'candles look otherwise');
  await page.click('.choice [data-value="300"]');
  await page.waitForFunction(() => ['1', '2'].includes(document.querySelector('.chart').dataset.points));
  assert.equal(await page.getAttribute('.choice [data-value="300"]', 'aria-pressed'), 'true');
  assert.equal(await page.getAttribute('.choice [data-value="1"]', 'aria-pressed'), 'false');
  await page.click('.choice [data-value="1"]');
  await page.waitForSelector('.chart[data-points="6"]');

  const facts = async () => Object.fromEntries(await page.evaluate(() =>
    [...document.querySelectorAll('#detail dl > div')].map((line) => [...line.children].map((cell) => cell.textContent))));
  const told = await facts();
  assert.equal(told.Spread, '0.006 (0.204\u00a0%)');
  assert.equal(told.Bid, '2.940');
  assert.equal(told.Volume, '1,234,567');
  assert.equal(told.Exchange, 'ICEUS');
  assert.equal(told.Currency, 'USD');
  assert.equal(told['Previous close'], '2.91');
  assert.match(await page.textContent('#detail .headline'), /^desk publishes this through Redis/);
  const total = Number(await until(() => page.getAttribute('#detail .steps', 'data-total'), 'the whole way is known'));
  assert.ok(total >= 94_000, `${total} ms: the price is more than 94 s old`);
  assert.deepEqual(await page.locator('.attribution a').evaluateAll((all) => all.map((a) => a.href)), ['https://www.tradingview.com/']);

  const light = await picture();
  await page.keyboard.press('t');
  await until(async () => !(await picture()).equals(light), 'the chart is dark with the page');
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  await page.shot('detail-dark');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#detail', { state: 'hidden' });
  const before = page.asked.length;
  await publish('2.961');
  await page.reads(`${row('coffee')} .value`, /2\.961/);
  assert.deepEqual(page.asked.slice(before).filter((path) => path.includes('provenance')), []);

  await page.click(`${row('coffee')} .name`); // with what came meanwhile
  await page.waitForSelector('.chart[data-points="7"] canvas');
  await page.click(`${row('tea')} .name`); // another one, without a price
  await page.reads('#detail h2', /tea/);
  await page.reads('#detail .chart-box .note', /^Nothing to draw yet/);
  await page.reads('#detail .headline', /^There is no price yet/);
  await page.clean();
});

test('with the detail open, too, a price moves nothing', async (t) => {
  const { redis, gateway } = await scene(t, { redis: true, config: { instruments: [external('coffee', { unit: 'USD/lb' })] } });
  const publish = (price, change) => {
    const now = Date.now();
    return redis.command('PUBLISH', 'coffee:price:stream',
      `{"symbol":"coffee","price":${price},"bid":${price},"change":${change},"change_pct":${change},"currency":"USD","source":"desk","ts":${now},"recv":${now - 7}}`);
  };
  for (const viewport of [{ width: 1360, height: 860 }, PHONE]) {
    const page = await open(t, `${gateway.url}/#symbol=coffee`, { viewport });
    await page.says('#connection', 'live');
    for (const price of ['2.943', '2.944']) {
      await publish(price, 0.033);
      await page.says('#detail .big .value', price);
    }
    await page.waitForSelector('#detail .steps:not([data-total=""])');
    await page.reads('#detail .headline', /through Redis/); // as the gateway says
    await page.waitForSelector('#detail canvas');
    await page.waitForTimeout(300);
    await page.evaluate(() => globalThis.shifts.splice(0));
    for (const [i, price] of ['2.951', '3.111', '2.002', '3.999'].entries()) {
      await publish(price, [-0.5, 0, 1.25, -1.25][i]);
      await page.says('#detail .big .value', price);
      await page.waitForTimeout(100); // between what comes with the price and what is known behind it
    }
    assert.deepEqual(await page.evaluate(() => globalThis.shifts), [], `at a width of ${viewport.width}`);
    await page.clean();
    await page.context().close();
  }
});

test('the chart goes on for as long as the page is open, with what is kept', async (t) => {
  const gateway = await startGateway({ instruments: [external('coffee')] });
  t.after(() => gateway.stop());
  const page = await open(t, gateway.url);
  const told = await page.evaluate(async () => {
    const { Chart } = await import('/dashboard/chart.js');
    const { Course } = await import('/dashboard/candles.js');
    const course = new Course();
    const chart = new Chart(document.body.appendChild(document.createElement('div')));
    const look = { style: 'line', digits: 2, seconds: 1, name: 'Coffee', sizeName: 'second' };
    const box = document.querySelector('.chart');
    const points = [];
    const add = (from, to) => { // from..to seconds after the beginning, each seen at once
      for (let s = from; s < to; s++) {
        course.add(1_767_225_600_000 + 1000 * s, 100 + (s % 7));
        course.add(1_767_225_600_500 + 1000 * s, 100 + (s % 5));
        chart.draw();
      }
      points.push(box.dataset.points);
    };
    course.add(1_767_225_599_000, 1);
    chart.show(course.candles(1), look);
    await chart.open();
    add(0, 200);
    add(200, 1500); // the oldest are dropped, and the library is told so
    for (let s = 1500; s < 3000; s++) course.add(1_767_225_600_000 + 1000 * s, 50); // while nobody looked
    add(3000, 3001);
    chart.show(course.candles(1), look);
    return { points, label: box.getAttribute('aria-label') };
  });
  assert.deepEqual(told.points, ['201', '300', '300']);
  assert.match(told.label, /lowest 50\.00, highest 104\.00, last 100\.00$/);
  await page.clean();
});

test('the story of a fallback, told to somebody without any role but viewer', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'KC1', ok({ price: '2.940' }));
      u.set('yahoo', 'KC=F', ok({ price: '2.95', ts: Math.floor(Date.now() / 1000) + 2 }));
    },
    config: { auth: { anonymous_role: 'viewer', keys: [key('admin')] }, instruments: [coffee()] },
  });
  const page = await open(t, `${gateway.url}/#symbol=coffee`);
  await page.reads('#detail .headline', /^Twelve Data, the first source, answers since \d\d:\d\d:\d\d\.$/);
  await page.reads('#detail .chain', /^Twelve Data \(KC1\): answers since/);
  upstream.set('twelvedata', 'KC1', status(429, 'Too Many Requests'));
  await page.reads('#detail .headline', /^Twelve Data said 429 \(too many requests\) at \d\d:\d\d:\d\d, Yahoo since\.$/);
  await page.reads('#detail .chain [data-role="fails"]', /^Twelve Data \(KC1\): said 429 .*; it last answered at .*; asked again from \d\d:\d\d:\d\d$/);
  await page.reads('#detail .chain [data-role="answers"]', /^Yahoo \(KC=F\): answers since \d\d:\d\d:\d\d, last at/);
  assert.equal(await page.isVisible('#detail .act'), false, 'a viewer may not have it asked');
  await page.shot('story');

  upstream.set('twelvedata', 'KC1', ok({ price: '2.960', ts: Math.floor(Date.now() / 1000) + 3 }));
  const admin = { headers: { Authorization: 'Bearer admin-token' } };
  assert.equal((await gateway.post('/data-health/reset-circuit/twelvedata', admin)).status, 200);
  await page.reads('#detail .headline', /^Twelve Data, the first source, answers since/);
  await page.reads('#detail .chain [data-role="answers"]', /; it said 429 \(too many requests\) at \d\d:\d\d:\d\d$/);
  await page.clean();
});

test('orders by role: a viewer has none, an analyst refreshes, an administrator resets', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', status(500)),
    config: {
      breaker: { threshold: 2, timeout_s: 3600 },
      auth: { anonymous_role: 'viewer', keys: ['viewer', 'analyst', 'admin'].map(key) },
      instruments: [instrument('coffee', [['twelvedata', 'KC1']])],
    },
  });
  const page = await open(t, gateway.url);
  const state = '[data-provider="twelvedata"] .breaker';
  const enter = async (token) => {
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
  };
  const buttons = () => page.locator('#health .panel-body button:visible').allTextContents();
  await page.says('#connection', 'live');
  await page.keyboard.press('h');
  await page.reads('#health .who', /^You are a viewer without a token\.$/);
  await page.reads('#health .note', /shown to analysts and administrators/);
  assert.deepEqual(await buttons(), ['Use this token']);
  assert.ok(!page.asked.some((path) => path.startsWith('/data-health/')), 'no door is tried that is known to be shut');
  await page.shot('sources-viewer');

  assert.deepEqual(page.problems, []);
  await enter('a word');
  await page.reads('#token-problem', /no spaces/);
  await enter('wrong');
  await page.reads('#token-problem', /^The gateway does not know this token/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'token');
  assert.equal(await page.getAttribute('#token', 'aria-invalid'), 'true');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'a wrong one is not kept');
  // The browser itself prints that it was refused; nothing else may be wrong.
  assert.deepEqual(page.problems.splice(0).filter((text) => !/401/.test(text)), []);

  await enter('viewer-token');
  await page.reads('#health .who', /^You are a viewer \(the viewer\)\.$/);
  assert.deepEqual(await buttons(), ['Forget the token']);
  await page.click('text=Forget the token');
  await page.reads('#health .who', /without a token/);

  await enter('analyst-token');
  await page.reads('#said', /^The token is taken: you are an analyst \(the analyst\)\./);
  await page.reads(state, /^not asked since \d\d:\d\d:\d\d \(upstream_error\), again from /);
  await page.reads('[data-provider="twelvedata"] .error', /\d\d:\d\d:\d\d upstream_error: HTTP 500/);
  assert.deepEqual(await buttons(), ['Refresh all prices', 'Refresh all observations', 'Refresh both', 'Forget the token']);
  await page.click('text=Refresh all prices');
  await page.reads('#said', /^Refresh all prices: failed in .*: 0 updated, 0 unchanged, 1 failed \(coffee: breaker_open/);
  await page.reads('[data-job="market"] .result', /^failed: .*by order/);
  await page.shot('sources-analyst');
  await page.click('text=Forget the token');
  await page.waitForSelector(state, { state: 'hidden' });

  await enter('admin-token');
  await page.waitForSelector('[data-provider="twelvedata"] button');
  assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.getItem('pricegate.token')]), [1, null]);
  await page.reload(); // entered once
  await page.says('#connection', 'live');
  await page.keyboard.press('h');
  await page.reads('#health .who', /^You are an admin \(the admin\)\.$/);
  await page.reads(state, /^not asked/);
  upstream.set('twelvedata', 'KC1', ok({ price: '2.950' }));
  await page.click('[data-provider="twelvedata"] button');
  await page.reads('#said', /^Twelve Data is reset: it is asked again with the next poll\./);
  await page.reads(state, /^asked$/);
  await page.reads(`${row('coffee')} .value`, /2\.950/);
  await page.reads('[data-provider="twelvedata"] .success', /just now|ago$/);
  await page.shot('sources-admin');

  await page.click('#health .close');
  const calls = () => page.asked.filter((path) => path.startsWith('/data-health/')).length;
  await page.reads('#summary', /1 live/);
  const before = calls();
  await page.keyboard.press('c'); // something else is looked at meanwhile
  await page.reads('#connection-panel dl', /live for [3-9].* s/);
  assert.equal(calls(), before, 'closed: not asked');
  await page.clean();
});

test('a wrong token in the address, where one is needed: said, and a good one makes it live', async (t) => {
  const gateway = await startGateway({
    auth: { anonymous_role: null, keys: [key('admin')] },
    providers: { sim: { enabled: true } },
    instruments: [instrument('coffee', [['sim', 'coffee']])],
  });
  t.after(() => gateway.stop());
  const page = await open(t, `${gateway.url}/#token=wrong`);
  await page.says('#connection', 'offline');
  assert.ok(!page.url().includes('wrong'), 'taken out of the address');
  await page.keyboard.press('h');
  await page.reads('#token-problem', /^The gateway no longer takes the token of this window/);
  await page.click('text=Forget the token');
  await page.reads('#health .who', /^You are not known to the gateway\.$/);
  await page.fill('#token', 'admin-token');
  await page.keyboard.press('Enter');
  await page.reads('#health .who', /^You are an admin \(the admin\)\.$/);
  await page.says('#connection', 'live');
  await page.waitForSelector(`${row('coffee')}[data-state="live"]`);
  assert.equal(await page.textContent('#token-problem'), '');
  assert.deepEqual(page.problems.filter((text) => !/401/.test(text)), []);
});

test('whoever is at the gateway\'s own machine needs no token, and may have one symbol asked for', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => u.set('yahoo', 'KC=F', ok({ price: '2.95' })),
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']], { poll_ms: 3_600_000 })] },
  });
  const page = await open(t, `${gateway.url}/#symbol=coffee`);
  await page.reads('#detail .big .value', /2\.95/);
  upstream.set('yahoo', 'KC=F', ok({ price: '2.96', ts: Math.floor(Date.now() / 1000) + 2 }));
  await page.click('text=Ask the sources now');
  await page.reads('#said', /^The sources of coffee were asked, and answered\./);
  await page.reads('#detail .big .value', /2\.96/);
  await page.keyboard.press('h');
  await page.reads('#health .who', /^You are an admin at the gateway\u2019s own machine\.$/);
  assert.equal(await page.isVisible('#token'), false);
  await page.clean();
});

test('the connection: state, transport, rates, losses; how to do without the page', async (t) => {
  const config = { providers: { sim: { enabled: true } }, instruments: [instrument('coffee', [['sim', 'coffee']])] };
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  const page = await open(t, gateway.url);
  await page.says('#connection', 'live');
  const colour = () => page.$eval(`${row('coffee')} .value`, (value) => getComputedStyle(value).color);
  await page.waitForSelector(`${row('coffee')}[data-state="live"]`);
  const told = await colour();
  await page.keyboard.press('c');
  const fact = (name, pattern) => page.waitForFunction(([n, source]) => {
    const line = [...document.querySelectorAll('#connection-panel dl > div')].find((d) => d.firstChild.textContent === n);
    return new RegExp(source).test(line?.lastChild.textContent ?? '');
  }, [name, pattern.source]);
  await fact('State', /^live for/);
  await fact('Transport', /^WebSocket$/);
  await fact('Messages', /^[1-9].* a second; in them [1-9]/);
  await fact('Merged by the gateway', /^nothing/);
  await fact('Clocks', /agree|ahead|behind/);
  await fact('Heartbeat', /^every 20/);
  await fact('Session', /^[0-9a-f]+$/);
  await fact('Prices numbered since', /^\d\d:\d\d:\d\d \(epoch [0-9a-f]+\)$/);
  await fact('Lost', /^never$/);
  assert.match(await page.textContent('#connection-panel pre'), /^curl -s http:\/\/.*\/api\/v1\/quotes\n/);
  await page.shot('connection');
  await gateway.stop();
  await fact('State', /^reconnecting for .*: /);
  await fact('Transport', /^none/);
  const again = await startGateway(config, { port: gateway.port });
  t.after(() => again.stop());
  await fact('State', /^live for/);
  await fact('Lost', /^1 time, last at \d\d:\d\d:\d\d: /);
  await fact('Prices numbered since', /changed once/);
  await page.keyboard.press('c');
  await page.waitForSelector('#connection-panel', { state: 'hidden' });
  assert.equal(await colour(), told, 'a price that is true looks like one, whatever was opened and closed');
  await page.clean();
});

test('on a phone, in the dark: every panel fits, by keys and fingers', async (t) => {
  const { gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'KC1', status(429));
      u.set('yahoo', 'KC=F', ok({ price: '2.95' }));
    },
    config: { instruments: [coffee()] },
  });
  const page = await open(t, `${gateway.url}/#symbol=coffee`, { viewport: PHONE, colorScheme: 'dark', deviceScaleFactor: 2 });
  await page.reads('#detail .headline', /^Twelve Data said 429/);
  await page.waitForSelector('.chart canvas');
  assert.equal(await fits(page), true);
  await page.shot('phone-detail');
  await page.click('#detail .close');
  for (const name of ['health', 'connection']) {
    await page.click(`[data-panel="${name}"]`);
    await page.reads(name === 'health' ? '[data-provider="yahoo"] .breaker' : '#connection-panel dl', /asked|live/);
    assert.equal(await fits(page), true, name);
    await page.shot(`phone-${name}`);
    await page.keyboard.press('Escape');
  }
  await page.clean();
});
