// `pricegate plan`: what a configuration would cost, for people, for machines and as an exit code.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { runCommand } from '../support/gateway.js';
import { temporaryFolder } from '../support/wait.js';

const both = (symbol, poll_ms) => ({
  symbol,
  poll_ms,
  sources: [
    { provider: 'twelvedata', symbol },
    { provider: 'yahoo', symbol },
  ],
});
const three = { instruments: [both('A', 15000), both('B', 15000), both('C', 15000)] };
const KEY = { TWELVE_DATA_API_KEY: 'very-secret-key' };

async function plan(t, config, env = {}, args = []) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const path = join(folder.path, 'test.json');
  writeFileSync(path, JSON.stringify(config));
  return runCommand(['plan', '--config', path, ...args], { env });
}

test('plan: more than the limits allow is said, and exits 1', async (t) => {
  const result = await plan(t, three, KEY);
  assert.equal(result.code, 1);
  assert.equal(result.stderr, '');
  assert.ok(
    result.stdout.includes(
      'twelvedata: 3 instruments at 15 s would need 17,280 credits a day, ' +
        'it has 800 (80 kept for refreshes): asked every 6 min each\n',
    ),
    result.stdout,
  );
  // Requests a minute and a day, credits a minute, an hour and a day, what is kept, asked for and planned, limits.
  assert.match(
    result.stdout,
    /^twelvedata +3 +0\.17 +240 +0\.50 +30 +720 +80 +15 s +6 min +8\/min 800\/day$/m,
  );
  assert.match(result.stdout, /^A +twelvedata +15 s +6 min$/m);
  assert.ok(!result.stdout.includes('Everything fits'));
  assert.ok(!result.stdout.includes('very-secret-key'));
});

test('plan: without the key the next one of the chain takes over', async (t) => {
  const result = await plan(t, three);
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /twelvedata is not polled, .*TWELVE_DATA_API_KEY is not set: 3 instruments fall to yahoo/);
  assert.match(result.stdout, /^A +yahoo +15 s +15 s$/m);
  assert.match(result.stdout, /^Everything fits\.$/m);
});

test('plan: nobody to ask is something that does not fit; other programs may be', async (t) => {
  const alone = { symbol: 'A', sources: [{ provider: 'twelvedata', symbol: 'A' }] };
  const result = await plan(t, { instruments: [alone, { symbol: 'tea', sources: [] }] });
  assert.equal(result.code, 1);
  assert.match(result.stdout, /^ {2}A: none of its sources may be asked: never polled$/m);
  assert.match(result.stdout, /^tea +fed by other programs$/m);
  assert.equal((await plan(t, { instruments: [{ symbol: 'tea', sources: [] }] })).code, 0);
});

test('plan --json: the same, for a machine', async (t) => {
  const result = await plan(t, three, KEY, ['--json']);
  assert.equal(result.code, 1);
  assert.equal(result.stderr, '');
  const json = JSON.parse(result.stdout);
  assert.equal(json.fits, false);
  assert.equal(json.polling, true);
  assert.equal(json.has_to_give.length, 1);
  assert.deepEqual(json.notes, []);
  const [twelvedata, yahoo] = json.providers;
  assert.deepEqual(twelvedata, {
    provider: 'twelvedata',
    polled: true,
    reason: null,
    instruments: 3,
    stretched: 3,
    asked_for: {
      requests_per_minute: 4,
      requests_per_day: 5760,
      credits_per_minute: 12,
      credits_per_hour: 720,
      credits_per_day: 17280,
    },
    planned: {
      requests_per_minute: 0.166666667,
      requests_per_day: 240,
      credits_per_minute: 0.5,
      credits_per_hour: 30,
      credits_per_day: 720,
    },
    limits: {
      credits_per_second: null,
      credits_per_minute: 8,
      credits_per_hour: null,
      credits_per_day: 800,
      kept_for_refreshes: 80,
    },
    poll_ms: [15000, 15000],
    interval_ms: [360000, 360000],
  });
  assert.equal(yahoo.provider, 'yahoo');
  assert.equal(yahoo.instruments, 0);
  assert.equal(yahoo.poll_ms, null);
  assert.equal(yahoo.limits.credits_per_day, null);
  assert.deepEqual(json.instruments[1], { symbol: 'B', provider: 'twelvedata', poll_ms: 15000, interval_ms: 360000 });

  const off = JSON.parse((await plan(t, three, {}, ['--json'])).stdout);
  assert.equal(off.fits, true);
  assert.equal(off.providers[0].polled, false);
  assert.match(off.providers[0].reason, /TWELVE_DATA_API_KEY/);
  assert.equal(off.notes.length, 1);
});

test('plan: the built-in default fits without a key', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const result = await runCommand(['plan'], { cwd: folder.path });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.match(result.stdout, /^built-in default: 11 instruments and 4 observations$/m);
});

test('plan: opens nothing, and does not mind that polling is switched off', async (t) => {
  const config = { ...three, redis: { url: 'redis://127.0.0.1:1/0' } };
  const result = await plan(t, config, { ...KEY, REALTIME_PRICE_FEED_ENABLED: 'false' });
  assert.equal(result.code, 1);
  assert.match(result.stdout, /polling is switched off/);
  assert.match(result.stdout, /asked every 6 min each/);
});

test('plan: a wrong configuration, wrong usage', async (t) => {
  const wrong = await plan(t, { listen: { port: 'x' } });
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stdout, '');
  assert.match(wrong.stderr, /listen\.port/);
  for (const args of [['plan', 'coffee'], ['plan', '--demo'], ['plan', '--json=1'], ['plan', '--config'], ['check', '--json']]) {
    const result = await runCommand(args);
    assert.equal(result.code, 2, args.join(' '));
    assert.equal(result.stderr.split('\n').filter(Boolean).length, 1);
    assert.equal(result.stdout, '');
  }
  const help = await runCommand(['--help']);
  assert.match(help.stdout, /pricegate plan \[--config FILE\] \[--json\]/);
});
