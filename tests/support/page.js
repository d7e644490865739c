// The page in a real browser: Debian's Chromium, driven by playwright-core.
//
//   const browser = await startBrowser(); after(() => browser.close());
//   const page = await openPage(t, browser, gateway.url, { viewport: PHONE });
//   await page.says('#connection', 'live'); await page.shot('desk'); page.problems
//
// Screenshots go to PRICEGATE_SHOTS, by default build/screenshots/.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

export const shots = process.env.PRICEGATE_SHOTS ?? fileURLToPath(new URL('../../build/screenshots', import.meta.url));

export const DESK = { width: 1360, height: 860 };
export const PHONE = { width: 360, height: 740 };

export const startBrowser = (more = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-first-run', '--no-default-browser-check', ...more,
    ],
  });

/** What the page must not do, as far as it can be seen from inside. Runs before the page does. */
function watchPage() {
  globalThis.stopped = []; // by the content security policy
  addEventListener('securitypolicyviolation', (e) => globalThis.stopped.push(e.effectiveDirective));
  globalThis.shifts = []; // what has moved without any input, and by how much
  const place = (rect) => `${rect.x.toFixed(0)},${rect.y.toFixed(0)} ${rect.width.toFixed(0)}x${rect.height.toFixed(0)}`;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const what = entry.sources.map((s) => `${s.node?.id || s.node?.className || s.node?.nodeName}: ${place(s.previousRect)} to ${place(s.currentRect)}`);
      globalThis.shifts.push(`${entry.value.toFixed(5)} ${what.join('; ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
  new MutationObserver((changes, observer) => {
    if (!/\d/.test(document.querySelector('tr.instrument .value')?.textContent ?? '')) return;
    observer.disconnect();
    // Since the navigation began, until the frame that shows it has been painted: in the task behind it.
    requestAnimationFrame(() => {
      const behind = new MessageChannel();
      behind.port1.onmessage = () => { globalThis.firstPriceMs = performance.now(); };
      behind.port2.postMessage(null);
    });
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** A page of its own profile. page.problems: errors and violations; page.hosts: who was asked. */
export async function openPage(t, browser, url, { script, ...options } = {}) {
  const context = await browser.newContext({ viewport: DESK, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.problems = [];
  page.hosts = new Set();
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('request', (request) => page.hosts.add(new URL(request.url()).host));
  page.on('console', (message) => {
    // A gateway that is away is a failed connection, which the browser also prints.
    if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket/.test(message.text())) {
      page.problems.push(message.text());
    }
  });
  await page.addInitScript(watchPage);
  if (script) await page.addInitScript(script);
  await page.goto(url);
  page.says = (selector, text) =>
    page.waitForFunction(
      ([s, wanted]) => document.querySelector(s)?.textContent.trim() === wanted,
      [selector, text],
    );
  page.texts = (selector) => page.locator(selector).allTextContents();
  page.shot = (name) => {
    mkdirSync(shots, { recursive: true });
    return page.screenshot({ path: join(shots, `${name}.png`) });
  };
  return page;
}

export const row = (symbol) => `tr[data-symbol="${symbol}"]`;

/** Many items of other programs at once, in one write: [{symbol, ...}]. Resolves with the last answer. */
export function publish(redis, items) {
  return Promise.all(items.map((item) => redis.command('PUBLISH', `${item.symbol}:price:stream`, JSON.stringify(item))));
}
