// Is the market open? The calendar's word where the provider is silent, the provider's where it is not.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { runCommand } from '../support/gateway.js';
import { instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { temporaryFolder, until } from '../support/wait.js';

const silent = (price) => () => ok({ price, market: 'unknown' });

const exchanges = [
  { name: 'SHUT', timezone: 'America/New_York', hours: [] },
  { name: 'CRYPTO', pre_hours: [] }, // built in; nothing of it changed
];

test('where the provider is silent, the calendar says it', async (t) => {
  const { gateway, follow } = await scene(t, {
    script: (u) => {
      for (const symbol of ['A', 'B', 'C']) u.set('twelvedata', symbol, silent('10.5'));
    },
    config: {
      exchanges,
      instruments: [
        instrument('shut', [['twelvedata', 'A']], { exchange: 'SHUT', stale_after_ms: 300 }),
        instrument('open', [['twelvedata', 'B']], { exchange: 'CRYPTO' }),
        instrument('else', [['twelvedata', 'C']], { exchange: 'the one round the corner' }),
      ],
    },
  });
  const quote = async (symbol) => (await gateway.get(`/api/v1/quotes/${symbol}`)).json;
  for (const symbol of ['shut', 'open', 'else'])
    await until(async () => (await quote(symbol)).price === 10.5, `a price of ${symbol}`);

  const shut = await quote('shut');
  assert.deepEqual([shut.market, shut.state], ['closed', 'closed']);
  const open = await quote('open');
  assert.deepEqual([open.market, open.state], ['open', 'live']);
  const other = await quote('else');
  assert.deepEqual([other.market, other.state], ['unknown', 'live']);

  // A subscriber sees the same, and a closed price does not grow stale, confirmed or not.
  const client = await follow(['shut', 'open']);
  const snapshot = await client.nextType('quote');
  const market = Object.fromEntries(snapshot.data.map((item) => [item.symbol, item.market]));
  assert.deepEqual(market, { shut: 'closed', open: 'open' });
  const health = (await gateway.get('/data-health/status')).json.categories.prices;
  assert.equal(health.shut.status, 'fresh');
});

test('a closed price does not grow stale when its provider dies', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'A', silent('10.5'));
      u.set('twelvedata', 'B', silent('10.5'));
    },
    config: {
      exchanges,
      instruments: [
        instrument('shut', [['twelvedata', 'A']], { exchange: 'SHUT', stale_after_ms: 500 }),
        instrument('open', [['twelvedata', 'B']], { exchange: 'CRYPTO', stale_after_ms: 500 }),
      ],
    },
  });
  const quote = async (symbol) => (await gateway.get(`/api/v1/quotes/${symbol}`)).json;
  for (const symbol of ['shut', 'open'])
    await until(async () => (await quote(symbol)).price === 10.5, `a price of ${symbol}`);
  const client = await follow();
  for (const symbol of ['A', 'B']) upstream.set('twelvedata', symbol, status(500, '{"code":500,"status":"error"}'));
  // The open one tells when enough time has passed for both.
  for (let told = false; !told; ) {
    const { data } = await client.nextType('status');
    assert.ok(!data.some((s) => s.symbol === 'shut'), JSON.stringify(data));
    told = data.some((s) => s.symbol === 'open' && s.state === 'stale');
  }
  assert.equal((await quote('shut')).state, 'closed');
});

test('a benchmark has no hours: it never counts as the price that a market closed at', async (t) => {
  const { gateway, follow } = await scene(t, {
    config: {
      exchanges,
      instruments: [instrument('coffee', [['ico', 'I-CIP']], { exchange: 'SHUT', currency: 'USD' })],
    },
  });
  const quote = async () => (await gateway.get('/api/v1/quotes/coffee')).json;
  const seen = await until(async () => ((await quote()).source === 'ico' ? quote() : null), 'the benchmark');
  assert.deepEqual([seen.state, seen.market], ['delayed', 'unknown']);
  const client = await follow(['coffee']);
  const { data } = await client.nextType('quote');
  assert.equal(data[0].state, 'delayed');
  const health = (await gateway.get('/data-health/status')).json.categories.prices;
  assert.deepEqual([health.coffee.state, health.coffee.source], ['delayed', 'ico']);
});

test("the provider's word wins", async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'A', () => ok({ price: '1.5', market: 'open' }));
      u.set('yahoo', 'B', () => ok({ price: '1.5', market: 'closed' }));
    },
    config: {
      exchanges,
      instruments: [
        instrument('a', [['twelvedata', 'A']], { exchange: 'SHUT' }),
        instrument('b', [['yahoo', 'B']], { exchange: 'CRYPTO' }),
      ],
    },
  });
  const quote = async (symbol) => (await gateway.get(`/api/v1/quotes/${symbol}`)).json;
  await until(async () => (await quote('a')).market === 'open', 'open, against the calendar');
  assert.equal((await quote('a')).state, 'live');
  await until(async () => (await quote('b')).market === 'closed', 'closed, against the calendar');
  assert.equal((await quote('b')).state, 'closed');
  // It keeps to it; and when it falls silent, the calendar counts.
  upstream.set('twelvedata', 'A', silent('1.6'));
  await until(async () => (await quote('a')).price === 1.6, 'the next price');
  assert.deepEqual([(await quote('a')).market, (await quote('a')).state], ['closed', 'closed']);
});

test('check finds what is wrong with an exchange, and nothing starts with it', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const days = join(folder.path, 'days.txt');
  const config = join(folder.path, 'pricegate.json');
  writeFileSync(days, '# our days\n2026-12-25\n2026-12-24 1pm\n');
  writeFileSync(
    config,
    JSON.stringify({
      listen: { port: 0 },
      exchanges: [
        { name: 'NYSE', holidays_file: days },
        { name: 'HOUSE', hours: ['Mon-Fri 09:00-10:00'] },
      ],
    }),
  );
  const check = await runCommand(['check', '--config', config]);
  assert.equal(check.code, 1);
  assert.equal(
    check.stderr,
    `pricegate: ${config}: exchanges[0].holidays_file: ${days}: line 3: must be a date like 2026-12-25, and ` +
      `behind it the time (13:00) where the day only ends early\n` +
      `pricegate: ${config}: exchanges[1].timezone: is required: no exchange of that name is built in\n`,
  );
  const run = await runCommand(['run', '--config', config]);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /exchanges\[0\]\.holidays_file: .*line 3: /);

  writeFileSync(days, '2999-12-25\n2999-12-24 13:00\n');
  writeFileSync(config, JSON.stringify({ exchanges: [{ name: 'NYSE', holidays_file: days }] }));
  const right = await runCommand(['check', '--config', config]);
  assert.equal(right.code, 0);
  assert.equal(right.stdout.match(/NYSE/), null);
  writeFileSync(days, '2019-12-25\n');
  const old = await runCommand(['check', '--config', config]);
  assert.equal(old.code, 0);
  assert.match(old.stdout, /^exchange NYSE: its list of holidays has no day that is still to come: write the coming year's into the file$/m);
});
