// Simulated sources that fail on schedule, a quarter of the time each: what the whole program makes
// of them. With a dozen of each kind some fail at almost any moment; a round of the schedule is the
// longest wait.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { runCommand, startGateway } from '../support/gateway.js';
import { temporaryFolder, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const ROUND_MS = 130_000;
const demo = JSON.parse(readFileSync(new URL('../../gateway/config/demo.json', import.meta.url), 'utf8'));

const sound = { coffee: 2.943, cocoa: 8200, sugar: 0.21, AAPL: 231.5, AMZN: 224.8, GOOGL: 181.6, JPM: 241.3,
  MSFT: 438.7, NVDA: 138.2, TSLA: 267.4, 'USD/JPY': 150.32, crude: 72.35, brent: 76.4 };

const market = (sources, more = {}) => ({
  providers: demo.providers,
  instruments: demo.instruments
    .filter((i) => i.symbol in sound)
    .map((i) => ({
      ...i,
      poll_ms: 200,
      ...more,
      sources: sources(i.symbol).map((symbol) => ({ provider: 'sim', symbol })),
    })),
});

async function watch(t, config) {
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  client.send({ action: 'subscribe', symbols: ['*'] });
  const items = () => client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data);
  return { gateway, client, items };
}

test('wrong sources: held back and named, no wrong price reaches a client', async (t) => {
  const { gateway, items } = await watch(t, market((s) => [`${s}!wrong`]));
  const suspects = async () => {
    const { categories } = (await gateway.get('/data-health/status')).json;
    return Object.values(categories).flatMap((rows) => Object.entries(rows)).filter(([, row]) => row.suspect);
  };
  await until(async () => (await suspects()).length > 0 && items().length > 50, 'a suspect, and prices', ROUND_MS);
  const [symbol, { suspect }] = (await suspects())[0];
  assert.equal(suspect.source, 'sim');
  const out = Number(suspect.price) / sound[symbol];
  assert.ok(out > 2 || out < 0.5, `${symbol} ${suspect.price}`);
  for (const item of items()) {
    const off = Math.abs(item.price / sound[item.symbol] - 1);
    assert.ok(off < 0.125, `${item.symbol} ${item.price}`);
  }
});

test('silent sources: the next one answers, marked as the fallback', async (t) => {
  const { gateway, items } = await watch(t, market((s) => [`${s}!silent`, s]));
  const by = (fallback) => items().filter((item) => (item.fallback ?? false) === fallback);
  await until(() => by(true).length > 0 && by(false).length > 0, 'answers of both sources', ROUND_MS);
  for (const item of by(true)) assert.equal(item.source_symbol, item.symbol);
  for (const item of by(false)) assert.equal(item.source_symbol, `${item.symbol}!silent`);
  await gateway.log((l) => l.event.endsWith('_fetch_failed') && l.error === 'timeout');
  const { sources } = (await gateway.get('/data-health/sources')).json;
  assert.equal(sources.sim.state, 'closed'); // one silent source says nothing of the others
});

test('late sources: the same price again, said to be delayed', async (t) => {
  const { client, items } = await watch(t, market((s) => [`${s}!late`], { delayed_after_ms: 2000 }));
  const delayed = () =>
    client.messages.filter((m) => m.type === 'status').flatMap((m) => m.data).filter((s) => s.state === 'delayed');
  await until(() => delayed().length > 0 || items().some((i) => i.state === 'delayed'), 'a delayed one', ROUND_MS);
  assert.ok(items().some((i) => i.state === 'live'));
});

test('a fault that there is not is refused by name', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'test.json');
  const config = { providers: demo.providers, instruments: [{ symbol: 'tea', sources: [{ provider: 'sim', symbol: 'tea!lost' }] }] };
  writeFileSync(file, JSON.stringify(config));
  const { code, stderr } = await runCommand(['check', '--config', file]);
  assert.equal(code, 1);
  assert.match(stderr, /instruments\[0\]\.sources\[0\]\.symbol.*!late, !silent and !wrong/);
});
