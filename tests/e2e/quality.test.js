// A price that cannot be: never pushed, but written down, counted and shown to those who look after it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { instrument, scene } from '../support/scene.js';
import { KEY, ok, status } from '../support/upstream.js';
import { temporaryFolder, until } from '../support/wait.js';

function lettersIn(dir) {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

const sample = (text, rule, result) => {
  const line = text
    .split('\n')
    .find((l) => l.startsWith(`pipeline_data_quality_checks_total{rule="${rule}",result="${result}"} `));
  assert.ok(line, `${rule} ${result}`);
  return Number(line.split(' ')[1]);
};

test('a factor of 100 is a dead letter, a count and a suspect', async (t) => {
  const parent = temporaryFolder();
  t.after(() => parent.remove());
  const dir = join(parent.path, 'dlq');
  const { upstream, gateway, follow } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.943' })),
    config: {
      quality: { dead_letter_dir: dir },
      instruments: [instrument('coffee', [['twelvedata', 'KC1']], { currency: 'USD' })],
    },
  });
  const client = await follow();
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).json.price === 2.943, 'the first price');
  assert.deepEqual(lettersIn(dir), []);

  upstream.set('twelvedata', 'KC1', ok({ price: '294.30' }));
  await until(() => lettersIn(dir).length > 0, 'a letter');
  const [name] = lettersIn(dir);
  assert.match(name, /^dlq_\d{8}T\d{6}\.\d{3}Z_[0-9a-f]+-1\.json$/);
  const text = readFileSync(join(dir, name), 'utf8');
  const letter = JSON.parse(text);
  assert.ok(Math.abs(Date.parse(letter.time) - Date.now()) < 60_000);
  assert.equal(letter.error.failure, 'bad_schema');
  assert.equal(letter.error.rule, 'factor_100');
  assert.equal(letter.context.symbol, 'coffee');
  assert.equal(letter.context.source, 'twelvedata');
  assert.equal(letter.context.source_symbol, 'KC1');
  assert.equal(letter.context.held_price, 2.943);
  assert.equal(letter.record.price, 294.3);
  assert.match(text, /"price":294\.30[,}]/, 'the digits are the provider\'s');
  assert.ok(!text.includes(KEY) && !text.includes(upstream.url));
  assert.equal(statSync(join(dir, name)).mode & 0o007, 0);

  const metrics = (await gateway.get('/metrics')).body;
  assert.ok(sample(metrics, 'factor_100', 'fail') >= 1);
  assert.ok(sample(metrics, 'positive', 'pass') > sample(metrics, 'factor_100', 'fail'));
  assert.equal(sample(metrics, 'inverse', 'fail'), 0);

  const { coffee } = (await gateway.get('/data-health/status')).json.categories.prices;
  assert.equal(coffee.suspect.price, '294.30');
  assert.equal(coffee.suspect.rule, 'factor_100');
  assert.equal(coffee.suspect.source, 'twelvedata');
  assert.ok(!Number.isNaN(Date.parse(coffee.suspect.since)));
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.price, 2.943);

  upstream.set('twelvedata', 'KC1', ok({ price: '2.950' }));
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).json.price === 2.95, 'a good price again');
  const after = (await gateway.get('/data-health/status')).json.categories.prices.coffee;
  assert.equal(after.suspect, undefined);
  client.send({ action: 'ping' });
  for (;;) {
    const message = await client.next();
    if (message.type === 'pong') break;
    for (const quote of message.data ?? []) assert.ok(!(quote.price > 3), JSON.stringify(quote));
  }
});

test('a folder that cannot be written is one line in the log', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (u) => u.set('yahoo', 'A', ok({ price: '10' })),
    config: {
      quality: { dead_letter_dir: '/proc/no/such/folder' },
      instruments: [instrument('A', [['yahoo', 'A']])],
    },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/A')).status === 200, 'a price');
  upstream.set('yahoo', 'A', ok({ price: '1000' }));
  const failures = async () => sample((await gateway.get('/metrics')).body, 'factor_100', 'fail');
  await until(async () => (await failures()) >= 3, 'three failures');
  upstream.set('yahoo', 'A', ok({ price: '10.1' }));
  await until(async () => (await gateway.get('/api/v1/quotes/A')).json.price === 10.1, 'a good price again');
  const said = gateway.logs.filter((line) => line.event === 'dead_letter_failed');
  assert.equal(said.length, 1);
  assert.match(said[0].advice, /^see that the disk has room, and that the user .* may write there$/);
});

const coffee = {
  instruments: [
    instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F'], ['ico', 'I-CIP']], {
      category: 'coffee_prices',
      currency: 'USD',
      range: [0.5, 10],
    }),
  ],
};
const coffeeOf = async (gateway) => (await gateway.get('/api/v1/quotes/coffee')).json;

function deadSources(u) {
  u.set('twelvedata', 'KC1', status(503, 'down'));
  u.set('yahoo', 'KC=F', status(503, 'down'));
}

test('no live source: the benchmark, never live; the first real price is not judged by it', async (t) => {
  const { upstream, gateway, follow } = await scene(t, { script: deadSources, config: coffee });
  await until(async () => (await coffeeOf(gateway)).price, 'the benchmark');
  const benchmark = await coffeeOf(gateway);
  assert.equal(benchmark.price, 3.5432);
  assert.equal(benchmark.source, 'ico');
  assert.equal(benchmark.fallback, true);
  assert.equal(benchmark.state, 'delayed');
  assert.equal(benchmark.ts, Date.UTC(2025, 1, 28, 12));
  const shown = (await gateway.get('/data-health/status')).json.categories.coffee_prices.coffee;
  assert.equal(shown.source, 'ico', JSON.stringify(shown));
  assert.equal(shown.state, 'delayed');

  const client = await follow();
  upstream.set('yahoo', 'KC=F', ok({ price: '212.60', currency: 'USX' })); // 40 % below
  await until(async () => (await coffeeOf(gateway)).source === 'yahoo', 'the real price');
  assert.equal((await coffeeOf(gateway)).price, 2.126);
  const metrics = (await gateway.get('/metrics')).body;
  assert.equal(sample(metrics, 'jump', 'fail'), 0, 'taken at once');

  // All dead again: the held price stays, and the benchmark is not the reason why.
  deadSources(upstream);
  const before = (await gateway.get('/data-health/status')).json.categories.coffee_prices.coffee;
  assert.equal(before.source, 'yahoo');
  await until(async () => {
    const { json } = await gateway.post('/data-health/refresh-market');
    return json.errors.length > 0 && json;
  }, 'a refresh that fails', 20_000, 500).then((failed) => {
    assert.match(JSON.stringify(failed.errors), /upstream_error/);
    assert.doesNotMatch(JSON.stringify(failed.errors), /ico|older/);
  });
  assert.equal((await coffeeOf(gateway)).price, 2.126);
  client.terminate();
});

test('no live source: after a restart the benchmark on the bus is no reference either', async (t) => {
  const first = await scene(t, { script: deadSources, config: coffee, redis: true });
  await until(async () => (await coffeeOf(first.gateway)).source === 'ico', 'the benchmark');
  await first.gateway.stop();
  const second = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'KC1', ok({ price: '6.2' }));
      u.set('yahoo', 'KC=F', status(503, 'down'));
    },
    config: coffee,
    redis: { url: first.redis.url, stop() {} },
  });
  await until(async () => (await coffeeOf(second.gateway)).source === 'twelvedata', 'the real price');
  assert.equal((await coffeeOf(second.gateway)).price, 6.2);
  assert.equal(sample((await second.gateway.get('/metrics')).body, 'jump', 'fail'), 0);
});
