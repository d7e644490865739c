// The parts of the page that need no browser: exact numbers, the model.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Model, observed, reasonText } from '../../web/dashboard/model.js';
import { age, parseExact, signed, signedPercent } from '../../web/quote.js';

test('numbers keep the digits they were written with', () => {
  for (const digits of ['150.10', '0.00000001', '123456789.123456', '-2.50', '1e-8', '0', '7.0E+3']) {
    assert.equal(parseExact(`{"price":${digits}}`).price, digits);
    assert.deepEqual(parseExact(`[ ${digits},${digits}\n]`), [digits, digits]);
  }
  assert.equal(parseExact('{"change": -0.033 }').change, '-0.033');
});

test('what is not a number is left alone', () => {
  const text = '{"a":"1.50","b":"x \\" 2.0 \\\\","c":true,"d":null,"12":{"e":[]},"f":"\\u0031"}';
  assert.deepEqual(parseExact(text), JSON.parse(text));
});

test('what is not JSON is refused', () => {
  for (const bad of ['', '{', '{"a":01}', '{"a":1.}', '{"a":-}', '{"a":1 2}', '[1,]', '{"a":"1}', 'NaN']) {
    assert.throws(() => parseExact(bad), SyntaxError, bad);
  }
});

test('signs, percentages, ages', () => {
  assert.equal(signed('0.030'), '+0.030');
  assert.equal(signed('-0.030'), '\u22120.030');
  assert.equal(signed('0.00'), '0.00');
  assert.equal(signed(undefined), '');
  assert.equal(signed({}), '');
  assert.equal(signedPercent('1.134'), '+1.13\u00a0%');
  assert.equal(signedPercent('-0.001'), '0.00\u00a0%');
  assert.deepEqual(
    [-5, 0, 59_999, 60_000, 3_600_000, 7_500_000, 200 * 3_600_000].map((ms) => age(ms).replaceAll('\u00a0', ' ')),
    ['0 s', '0 s', '59 s', '1 min', '1 h 00', '2 h 05', '8 d'],
  );
});

// --- the model ---

const quote = (members) => parseExact(`{"type":"quote","data":[${members}]}`);
const coffee = (price, ts, more = '') =>
  quote(`{"symbol":"coffee","price":${price},"ts":${ts},"recv":${ts},"state":"live"${more}}`);

test('the newest price by time, its direction, its digits', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee', name: 'Coffee', category: 'coffee_prices' }]);
  assert.equal(model.apply(coffee('2.90', 1000), 0), true);
  model.apply(coffee('2.950', 2000), 0);
  let [row] = model.takeDirty();
  assert.equal(row.item.price, '2.950');
  assert.equal(row.direction, 1);
  assert.deepEqual(model.takeDirty(), []);

  model.apply(coffee('1.00', 1999), 0); // older: never
  assert.deepEqual(model.takeDirty(), []);
  model.apply(coffee('2.94', 2000), 0); // as old: arrival decides
  [row] = model.takeDirty();
  assert.equal(row.item.price, '2.94');
  assert.equal(row.direction, -1);
});

test('a status changes the state, the next quote brings its own', () => {
  const model = new Model();
  model.apply(coffee('2.90', 1000), 0);
  model.apply(
    parseExact('{"type":"status","data":[{"symbol":"coffee","state":"stale","reason":"timeout","source":"yahoo"}]}'),
    0,
  );
  const [row] = model.takeDirty();
  assert.equal(row.state, 'stale');
  assert.equal(reasonText(row), 'timeout', 'the source of a status is that of the price held');
  assert.equal(row.item.price, '2.90');
  model.apply(coffee('2.91', 1000), 0);
  assert.equal(row.state, 'live');
  assert.equal(reasonText(row), '');
});

test('groups keep the order of the gateway; a reload of the list keeps prices', () => {
  const model = new Model();
  const list = [
    { symbol: 'coffee', category: 'coffee_prices' },
    { symbol: 'AAPL', category: 'equities' },
    { symbol: 'robusta', category: 'coffee_prices' },
  ];
  model.setInstruments(list);
  model.apply(coffee('2.90', 1000), 0);
  assert.deepEqual(
    model.categories().map(([name, rows]) => [name, rows.map((r) => r.symbol)]),
    [['coffee_prices', ['coffee', 'robusta']], ['equities', ['AAPL']]],
  );
  model.setInstruments(list.slice(0, 1));
  assert.equal(model.size, 1);
  assert.equal(model.categories()[0][1][0].item.price, '2.90');
});

test('an age is told by the clock of the gateway', () => {
  const model = new Model();
  model.apply(parseExact('{"type":"welcome","ts":1000000}'), 5_000_000);
  model.apply(coffee('2.90', 999_000), 5_000_000);
  const [row] = model.takeDirty();
  assert.equal(model.ageMs(row, 5_000_500), 1500);
});

test('an outage is told after the snapshot, with its reasons, and ends with the first price', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee' }, { symbol: 'AAPL' }]);
  assert.equal(model.outage(), null, 'nothing is known before the snapshot');
  model.apply(parseExact('{"type":"quote","snapshot":true,"data":[]}'), 0);
  const down = (symbol, reason, source) =>
    `{"symbol":"${symbol}","state":"unavailable","reason":"${reason}","source":"${source}"}`;
  const rows = [down('coffee', 'blocked', 'yahoo'), down('AAPL', 'disabled', 'twelvedata')];
  model.apply(parseExact(`{"type":"status","data":[${rows}]}`), 0);
  assert.deepEqual(model.outage(), { held: false, reasons: ['twelvedata: disabled', 'yahoo: blocked'] });
  model.apply(coffee('2.90', 1000), 0);
  assert.equal(model.outage(), null);
});

const observation = (members) => parseExact(`{"type":"observation","data":[${members}]}`);

test('an observation: its figures with their digits, older ones never, groups of its own', () => {
  const model = new Model();
  model.setInstruments(
    [{ symbol: 'coffee', category: 'coffee_prices' }],
    [
      { symbol: 'rain', name: 'rain', title: 'Rain in Minas', category: 'weather' },
      { symbol: 'fed', title: null },
    ],
  );
  assert.deepEqual(model.categories().map(([name]) => name), ['coffee_prices']);
  assert.deepEqual(
    model.categories('observation').map(([name, rows]) => [name, rows.map((r) => r.name)]),
    [['weather', ['Rain in Minas']], ['observations', ['fed']]],
  );
  const rain = (values, ts) =>
    observation(`{"symbol":"rain","values":${values},"units":{"t":"°C"},"ts":${ts},"recv":${ts},"state":"delayed"}`);
  assert.equal(model.apply(rain('{"t":-4.10,"n":0}', 2000), 0), true);
  model.apply(rain('{"t":9}', 1999), 0);
  const [row] = model.takeDirty();
  assert.deepEqual(observed(row.item), [
    { name: 't', value: '-4.10', unit: '°C' },
    { name: 'n', value: '0', unit: '' },
  ]);
  assert.equal(row.state, 'delayed');
  assert.equal(row.direction, 0);
  assert.equal(model.ageMs(row, 2500), 500);
  model.apply(parseExact('{"type":"status","data":[{"symbol":"rain","state":"stale"}]}'), 0);
  assert.equal(row.state, 'stale');
  assert.deepEqual(observed(parseExact('{"value":1.50,"unit":"mm"}')), [{ name: '', value: '1.50', unit: 'mm' }]);

  // One that came after the list: shown under its own category, and named when the list is read again.
  model.apply(observation('{"symbol":"frost","value":-1,"category":"weather","ts":1}'), 0);
  assert.deepEqual(
    model.categories('observation').map(([name, rows]) => [name, rows.map((r) => r.name)]),
    [['weather', ['Rain in Minas', 'frost']], ['observations', ['fed']]],
  );
  model.setInstruments([], [{ symbol: 'frost', title: 'Frost' }]);
  assert.equal(model.rows()[0].name, 'Frost');
  assert.equal(model.rows()[0].item.value, '-1');
  model.setInstruments([], undefined); // an older gateway
  assert.equal(model.size, 0);
});

test('an outage is one of prices', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee' }], [{ symbol: 'rain' }]);
  model.apply(observation('{"symbol":"rain","value":1,"ts":1,"state":"live"}'), 0);
  model.apply(parseExact('{"type":"quote","snapshot":true,"data":[]}'), 0);
  assert.deepEqual(model.outage(), { held: false, reasons: [] }, 'rain is no price');
  model.setInstruments([], [{ symbol: 'rain' }]);
  assert.equal(model.outage(), null, 'nobody wanted prices');
});

test('hostile observations do no harm', () => {
  const model = new Model();
  const odd = [
    'null', '7', '{}', '{"symbol":"x"}', '{"symbol":"x","value":"y"}', '{"symbol":"x","values":[]}',
    '{"symbol":"x","values":{"a":"b"}}', '{"symbol":"x","values":null}', '{"symbol":"x","text":{}}',
    '{"symbol":"x","price":1}',
  ];
  for (const item of odd) model.apply(observation(item), 0);
  model.apply(parseExact('{"type":"observation","data":{}}'), 0);
  assert.equal(model.size, 0);
  model.apply(observation('{"symbol":"__proto__","values":{"__proto__":1,"a":2},"units":7,"category":{}}'), 0);
  assert.equal(model.size, 1);
  assert.equal(model.rows()[0].category, 'observations');
});

test('hostile items do no harm', () => {
  const model = new Model();
  const odd = ['null', '7', '{}', '{"symbol":{},"price":1}', '{"symbol":"x","price":"y"}', '{"symbol":"x","price":null}'];
  for (const item of odd) model.apply(quote(item), 0);
  model.apply(parseExact('{"type":"status","data":[null,{"symbol":"x","state":"odd"}]}'), 0);
  model.apply(parseExact('{"type":"quote","data":"x"}'), 0);
  assert.equal(model.size, 0);
  model.apply(quote('{"symbol":"__proto__","price":1,"source":{"a":1},"ts":{}}'), 0);
  assert.equal(model.size, 1);
});
