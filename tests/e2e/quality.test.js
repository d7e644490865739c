// A price that cannot be: never pushed, but written down, counted and shown to those who look after it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { instrument, scene } from '../support/scene.js';
import { KEY, ok } from '../support/upstream.js';
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
  assert.equal(gateway.logs.filter((line) => line.event === 'dead_letter_failed').length, 1);
});
