// Providers that lie: bodies that are wrong in one way each. The price that is held stays, no reader
// ever sees another, and each lie is counted under what it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { instrument, scene } from '../support/scene.js';
import { ok, raw, text } from '../support/upstream.js';
import { until } from '../support/wait.js';

const now = () => Math.floor(Date.now() / 1000);

/** Yahoo's chart with a price of 100.10, all of whose texts may be replaced. */
function chart(symbol, { price = '100.10', ts = String(now()), currency = '"USD"', more = '' } = {}) {
  return (
    `{"chart":{"result":[{"meta":{"currency":${currency},"symbol":"${symbol}","exchangeName":"TST","instrumentType":"EQUITY",` +
    `"regularMarketTime":${ts},"gmtoffset":0,"timezone":"UTC","exchangeTimezoneName":"UTC","regularMarketPrice":${price}${more},` +
    `"priceHint":2,"dataGranularity":"1m","range":"1d"},"timestamp":[],"indicators":{"quote":[{}]}}],"error":null}}`
  );
}

let turn = 0;
const oneOf = (...choices) => choices[turn++ % choices.length];

// What it is called, and the body for a symbol.
const lies = {
  'NaN': (s) => chart(s, { price: 'NaN' }),
  'Infinity': (s) => chart(s, { price: 'Infinity' }),
  '-Infinity': (s) => chart(s, { price: '-Infinity' }),
  'zero': (s) => chart(s, { price: '0' }),
  'minus zero': (s) => chart(s, { price: '-0.0' }),
  'negative': (s) => chart(s, { price: '-100.10' }),
  '1e999': (s) => chart(s, { price: '1e999' }),
  '1e-999': (s) => chart(s, { price: '1e-999' }),
  'an integer of 100 digits': (s) => chart(s, { price: '9'.repeat(100) }),
  'null': (s) => chart(s, { price: 'null' }),
  'true': (s) => chart(s, { price: 'true' }),
  'a word': (s) => chart(s, { price: '"n/a"' }),
  'an empty text': (s) => chart(s, { price: '""' }),
  'a list': (s) => chart(s, { price: '[100.1]' }),
  'an object': (s) => chart(s, { price: '{"raw":100.1}' }),
  'hexadecimal': (s) => chart(s, { price: '0x64' }),
  'a comma': (s) => chart(s, { price: '"100,10"' }),
  'no price': (s) => chart(s).replace('"regularMarketPrice":100.10,', ''),
  'the price twice': (s) => chart(s, { more: ',"regularMarketPrice":101.5' }),
  'another symbol': () => chart('OTHER', { price: '101.5' }),
  'two symbols': (s) => chart(s).replace('"result":[', `"result":[${chart('OTHER', { price: '5' }).slice(20, -18)},`),
  'another currency': (s) => chart(s, { currency: '"EUR"', price: '101.5' }),
  'a currency that is none': (s) => chart(s, { currency: '{"iso":"USD"}', price: '101.5' }),
  'cents': (s) => chart(s, { currency: '"USX"', price: '101.5' }),
  'tomorrow': (s) => chart(s, { ts: String(now() + 86_400), price: '101.5' }),
  'ten seconds ahead': (s) => chart(s, { ts: String(now() + 10), price: '101.5' }),
  'milliseconds': (s) => chart(s, { ts: String(Date.now()), price: '101.5' }),
  'yesterday': (s) => chart(s, { ts: String(now() - 86_400), price: '101.5' }),
  '1970': (s) => chart(s, { ts: '0', price: '101.5' }),
  'before 1970': (s) => chart(s, { ts: '-1', price: '101.5' }),
  'the year 292277026596': (s) => chart(s, { ts: '9223372036854775807', price: '101.5' }),
  'a time of 1e300': (s) => chart(s, { ts: '1e300', price: '101.5' }),
  'a time in words': (s) => chart(s, { ts: '"now"', price: '101.5' }),
  'no time': (s) => chart(s, { price: '101.5' }).replace(/"regularMarketTime":\d+,/, ''),
  'a hundred times': (s) => chart(s, { price: '10010' }),
  'a hundredth': (s) => chart(s, { price: '1.001' }),
  'upside down': (s) => chart(s, { price: '0.00999001' }),
  'ten times': (s) => chart(s, { price: '1001' }),
  'eleven times': (s) => chart(s, { price: '1101.1' }),
  'jumps that do not agree': (s) => chart(s, { price: oneOf('150', '190', '60', '250') }),
  'half a body': (s) => chart(s, { price: '101.5' }).slice(0, 300),
  'more behind it': (s) => `${chart(s, { price: '101.5' })}}`,
  'two bodies': (s) => chart(s, { price: '101.5' }).repeat(2),
  'a call': (s) => `callback(${chart(s, { price: '101.5' })})`,
  'single quotes': (s) => chart(s, { price: '101.5' }).replaceAll('"', "'"),
  'UTF-16': (s) => Buffer.from(chart(s, { price: '101.5' }), 'utf16le'),
  'no UTF-8': (s) => Buffer.from(chart(s, { price: '101.5' }).replace('TST', 'T\xffT'), 'latin1'),
  'a NUL': (s) => chart(s, { price: '101.5' }).replace('TST', 'T\\u0000T'),
  'deep': (s) => chart(s, { price: '101.5', more: `,"x":${'['.repeat(5000)}${']'.repeat(5000)}` }),
  'a top-level list': (s) => `[${chart(s, { price: '101.5' })}]`,
  'a top-level null': () => 'null',
  'a top-level number': () => '100.10',
  'an empty object': () => '{}',
  'an empty result': () => '{"chart":{"result":[],"error":null}}',
  'a result of null': () => '{"chart":{"result":[null],"error":null}}',
  'an error of null': () => '{"chart":{"result":null,"error":null}}',
  'over the cap': (s) => chart(s, { price: '101.5', more: `,"x":"${'x'.repeat(300_000)}"` }),
};

// Inside a range a source is believed what it insists on; but for mixed-up units.
const ranges = {
  'a hundred times': { range: [1, 20_000] },
  'a hundredth': { range: [1, 20_000] },
  'upside down': { range: [0.001, 20_000] },
  'ten times': { range: [50, 500] },
};

test(`${Object.keys(lies).length} lies`, { timeout: 120_000 }, async (t) => {
  const names = Object.keys(lies);
  const symbol = (i) => `L${i}`;
  let lying = false;
  const { upstream, gateway, redis, follow } = await scene(t, {
    redis: true,
    script: (u) => names.forEach((name, i) => u.set('yahoo', symbol(i), () => {
      const body = lying ? lies[name](symbol(i)) : chart(symbol(i));
      return Buffer.isBuffer(body) ? raw(body) : text(body);
    })),
    config: {
      instruments: names.map((name, i) => instrument(symbol(i), [['yahoo', symbol(i)]], { currency: 'USD', ...ranges[name] })),
    },
  });
  const quotes = async () => (await gateway.get('/api/v1/quotes')).json.data;
  await until(async () => (await quotes()).every((q) => q.price === 100.1), 'the good prices', 30_000);
  // Three confirmations: what is held has proved itself.
  const polls = () => names.map((_, i) => upstream.requests('yahoo').filter((r) => r.symbols[0] === symbol(i)).length);
  await until(() => polls().every((n) => n >= 4), 'some polls of each', 30_000);
  const client = await follow();
  await client.nextType('quote');
  const heard = await redis.subscribe(...names.map((_, i) => `${symbol(i)}:price:stream`));

  const before = polls();
  const errors = await gateway.metric('pipeline_ingestion_errors_total');
  lying = true;
  await until(() => polls().every((n, i) => n >= before[i] + 5), 'five lies of each', 60_000);
  const wrong = (q) => q.price !== 100.1 || Math.abs(q.ts - Date.now()) > 300_000;
  const told = (list) => list.filter(wrong).map((q) => `${names[Number(q.symbol.slice(1))]}: ${q.price}`);
  assert.deepEqual(told(await quotes()), [], 'REST');
  assert.deepEqual(told(client.messages.filter((m) => m.type === 'quote').flatMap((m) => m.data)), [], 'WebSocket');
  assert.deepEqual(told(heard.messages.map((m) => JSON.parse(m.text))), [], 'Redis');
  const counted = (await gateway.metric('pipeline_ingestion_errors_total')) - errors;
  t.diagnostic(`${counted} errors counted`);

  // Each of them failed a rule or could not be read; none was taken for an answer of yesterday.
  const { body } = await gateway.get('/metrics');
  const failed = body.split('\n').filter((l) => /^pipeline_data_quality_checks_total\{.*"fail"\} [1-9]/.test(l));
  const rules = failed.map((l) => /rule="(\w+)"/.exec(l)[1]);
  t.diagnostic(`rules that refused: ${rules.join(' ')}`);
  for (const rule of ['positive', 'future', 'older', 'currency', 'factor_100', 'inverse', 'jump'])
    assert.ok(rules.includes(rule), `${rule} has refused something: ${rules}`);

  lying = false;
  for (const name of names) lies[name] = null;
  const after = await gateway.metric('pipeline_ingestion_records_total');
  await until(async () => (await gateway.metric('pipeline_ingestion_records_total')) >= after + 2 * names.length, 'good ones again', 30_000);
  assert.ok((await quotes()).every((q) => q.price === 100.1 && q.state !== 'stale'));
});
