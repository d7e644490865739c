// The parts of the dashboard that need no browser: exact numbers, what it knows, orders, own lists,
// the page's address.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readAddress, writeAddress } from '../../web/dashboard/address.js';
import { Lists } from '../../web/dashboard/lists.js';
import { Model, observed, reasonText } from '../../web/dashboard/model.js';
import { arrange, moving, nextSort, titleCase, viewOf } from '../../web/dashboard/order.js';
import { shortChange, shortPercent } from '../../web/dashboard/row.js';
import { Store } from '../../web/dashboard/store.js';
import { Track } from '../../web/dashboard/track.js';
import { explain, lateness } from '../../web/dashboard/words.js';
import { age, decimal, parseExact, signed, signedPercent } from '../../web/quote.js';

// --- numbers ---

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
  for (const [text, shown] of [
    ['1e-8', '0.00000001'], ['1.50e-7', '0.000000150'], ['-2.5E-3', '-0.0025'], ['2.5E+3', '2500'], ['1.2345e2', '123.45'],
    ['12e-1', '1.2'], ['0e0', '0'], ['0.5e1', '5'], ['1e21', '1e21'], ['1e-999999999', '1e-999999999'], ['100.10', '100.10'], ['', ''], ['inflow', 'inflow'],
  ]) assert.equal(decimal(text), shown, text);
  assert.equal(signed('1e-8'), '+0.00000001');
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

test('changes and percentages fit their columns', () => {
  const changes = { 0.033: '+0.033', '-0.00000001': '\u22120.00000001', '1e-7': '+0.0000001', '3.14159265358979': '+3.14159265', '12345678.9012': '+12345678.9',
    '-0.000000000000123': '\u22121.23e-13', '-123456789012345678': '\u22121.23e+17', '1E+25': '+1E+25', 0: '0' };
  for (const [text, short] of Object.entries(changes)) assert.equal(shortChange(text), short);
  assert.equal(shortChange(undefined), '');
  assert.equal(shortPercent('1.134'), '+1.13\u00a0%');
  assert.equal(shortPercent('-999.994'), '\u2212999.99\u00a0%');
  assert.equal(shortPercent('999.996'), '+1000\u00a0%');
  assert.equal(shortPercent('-12345.678'), '\u221212346\u00a0%');
  assert.equal(shortPercent(undefined), '');
});

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
  assert.deepEqual(model.outage(), { held: false, asked: false, reasons: ['twelvedata: disabled', 'yahoo: blocked'] });
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

test('what the connection remembers of a symbol that is gone does not bring it back', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee' }]);
  assert.equal(model.applyOwn({ symbol: 'tea', state: 'live' }), false);
  assert.equal(model.row('tea'), undefined);
  assert.equal(model.applyOwn({ symbol: 'coffee', state: 'stale', reason: 'disconnected' }), true);
  assert.equal(model.row('coffee').state, 'stale');
});

test('what comes before the list of instruments is there when the list comes', () => {
  const model = new Model();
  model.apply(coffee('2.943', 100), 100);
  model.apply({ type: 'status', data: ['rain', 'tea'].map((symbol) => ({ symbol, state: 'unavailable', reason: 'no source' })) }, 100);
  model.setInstruments([{ symbol: 'coffee', name: 'Coffee' }, { symbol: 'tea' }], [{ symbol: 'rain', title: 'Rain' }]);
  assert.deepEqual(model.rows().map((r) => [r.kind, r.name, r.item?.price, r.heard, r.state, r.reason]), [
    ['quote', 'Coffee', '2.943', true, 'live', ''],
    ['quote', 'tea', undefined, true, 'unavailable', 'no source'],
    ['observation', 'Rain', undefined, true, 'unavailable', 'no source'],
  ]);
});

test('an outage is one of prices', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee' }], [{ symbol: 'rain' }]);
  model.apply(observation('{"symbol":"rain","value":1,"ts":1,"state":"live"}'), 0);
  model.apply(parseExact('{"type":"quote","snapshot":true,"data":[]}'), 0);
  assert.deepEqual(model.outage(), { held: false, asked: false, reasons: [] }, 'rain is no price');
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

test('a listener hears every change, and what was there before', () => {
  const model = new Model();
  const heard = [];
  const stop = model.watch((row, before) => heard.push([row.symbol, row.item?.price, row.state, before.item?.price, before.state]));
  model.apply(coffee('2.90', 1000), 0);
  model.apply(coffee('2.90', 1000), 0); // confirmed
  model.apply(coffee('2.80', 999), 0); // older: nothing has changed
  model.apply(parseExact('{"type":"status","data":[{"symbol":"coffee","state":"stale"}]}'), 0);
  stop();
  model.apply(coffee('2.95', 2000), 0);
  assert.deepEqual(heard, [
    ['coffee', '2.90', 'live', undefined, 'unavailable'],
    ['coffee', '2.90', 'live', '2.90', 'live'],
    ['coffee', '2.90', 'stale', '2.90', 'live'],
  ]);
});

test('no provider answers any more: what is held is told apart from what never was', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee', sources: [{ provider: 'yahoo' }] }, { symbol: 'tea', sources: [] }]);
  model.apply(parseExact('{"type":"quote","snapshot":true,"data":[{"symbol":"coffee","price":1,"ts":1,"state":"live"},{"symbol":"tea","price":1,"ts":1,"state":"live"}]}'), 0);
  assert.equal(model.outage(), null);
  model.apply(parseExact('{"type":"status","data":[{"symbol":"coffee","state":"stale","reason":"timeout"}]}'), 0);
  assert.deepEqual(model.outage(), { held: true, asked: true, reasons: ['timeout'] }, 'tea is fed by another program');
  model.apply(parseExact('{"type":"status","data":[{"symbol":"coffee","state":"delayed"}]}'), 0);
  assert.equal(model.outage(), null);
});

test('states of what nobody has told of yet are not counted', () => {
  const model = new Model();
  model.setInstruments([{ symbol: 'coffee' }, { symbol: 'tea' }]);
  model.apply(coffee('2.90', 1000), 0);
  assert.deepEqual(model.counts(), { live: 1, delayed: 0, stale: 0, closed: 0, unavailable: 0 });
});

// --- the course of a price ---

test('a course stays bounded however long it is, and keeps its ends', () => {
  const track = new Track();
  assert.equal(track.points(100, 20), '');
  let most = 0;
  for (let s = 0; s < 100_000; s++) {
    track.add(s * 1000, 100 + Math.sin(s / 9000));
    most = Math.max(most, track.size);
  }
  assert.ok(most <= 96, `${most} points`);
  assert.ok(track.size >= 40, `${track.size} points`);
  assert.equal(track.first, 100);
  const points = track.points(100, 20).split(' ').map((p) => p.split(',').map(Number));
  assert.equal(points.length, track.size);
  assert.deepEqual([points[0][0], points.at(-1)[0]], [0, 100]);
  assert.ok(points.every(([x, y], i) => x >= (points[i - 1]?.[0] ?? 0) && y >= 0 && y <= 20));
});

test('a course: several prices of a second are one point, the last; a clock set back does no harm', () => {
  const track = new Track();
  for (const [at, price] of [[5000, 1], [5400, 2], [6100, 4], [6900, 3]]) track.add(at, price);
  assert.equal(track.size, 2);
  assert.equal(track.points(100, 20), '0.0,20.0 100.0,0.0');
  track.add(1000, 9);
  assert.equal(track.size, 2);
  const flat = new Track();
  flat.add(0, 7);
  flat.add(1000, 7);
  assert.equal(flat.points(100, 20), '0.0,10.0 100.0,10.0');
});

// --- which rows, in which order ---

function rows() {
  const model = new Model();
  model.setInstruments([
    { symbol: 'coffee', name: 'Coffee C', category: 'coffee_prices' },
    { symbol: 'AAPL', name: 'Apple', category: 'equities' },
    { symbol: 'robusta', name: 'Robusta', category: 'coffee_prices' },
    { symbol: 'none', name: 'Never heard of', category: 'equities' },
  ]);
  const item = (symbol, price, pct, source) =>
    `{"symbol":"${symbol}","price":${price},"change_pct":${pct},"ts":1,"recv":1,"source":"${source}","state":"live"}`;
  model.apply(quote([item('coffee', '10.5', '-1.5', 'yahoo'), item('AAPL', '9.75', '2', 'twelvedata'), item('robusta', '100', '0.3', 'yahoo')]), 0);
  return model.rows();
}
const shown = (options) => arrange(rows(), options).map(([group, members]) => [group, members.map((row) => row.symbol).join()]);

test('groups in the order of the gateway, sorted within; ungrouped, one list', () => {
  assert.deepEqual(shown({}), [['coffee_prices', 'coffee,robusta'], ['equities', 'AAPL,none']]);
  assert.deepEqual(shown({ grouped: false }), [['', 'coffee,AAPL,robusta,none']]);
  const by = (column, direction) => shown({ grouped: false, sort: { column, direction } })[0][1];
  assert.equal(by('price', -1), 'robusta,coffee,AAPL,none', 'as numbers; what has none is last');
  assert.equal(by('price', 1), 'AAPL,coffee,robusta,none');
  assert.equal(by('percent', -1), 'AAPL,robusta,coffee,none');
  assert.equal(by('name', 1), 'AAPL,coffee,none,robusta');
  assert.equal(by('source', 1), 'AAPL,coffee,robusta,none', 'equals keep their places');
  assert.equal(by('state', -1), 'none,coffee,AAPL,robusta', 'what is wrong first');
  // A group stands where its first row does.
  assert.deepEqual(shown({ sort: { column: 'price', direction: 1 } }), [['equities', 'AAPL,none'], ['coffee_prices', 'coffee,robusta']]);
});

test('a filter looks for every word, in name, symbol, group, source and state', () => {
  const found = (filter) => shown({ grouped: false, filter })[0]?.[1] ?? '';
  assert.equal(found('APP'), 'AAPL');
  assert.equal(found('coffee prices'), 'coffee,robusta');
  assert.equal(found('yahoo rob'), 'robusta');
  assert.equal(found('unavailable'), 'none');
  assert.equal(found('  '), 'coffee,AAPL,robusta,none');
  assert.equal(found('nothing like it'), '');
});

test('a list shows its symbols in its own order', () => {
  assert.deepEqual(shown({ grouped: false, list: ['robusta', 'gone', 'AAPL'] }), [['', 'robusta,AAPL']]);
  assert.deepEqual(shown({ list: [] }), []);
});

test('a head pressed: the useful direction, the other one, none', () => {
  const pressed = (column, times) => Array.from({ length: times }).reduce((sort) => nextSort(sort, column), null);
  assert.deepEqual(pressed('price', 1), { column: 'price', direction: -1 });
  assert.deepEqual(pressed('price', 2), { column: 'price', direction: 1 });
  assert.equal(pressed('price', 3), null);
  assert.deepEqual(pressed('name', 1), { column: 'name', direction: 1 });
  assert.deepEqual(nextSort({ column: 'price', direction: 1 }, 'name'), { column: 'name', direction: 1 });
  assert.equal(moving({ column: 'price', direction: 1 }), true);
  assert.equal(moving({ column: 'name', direction: 1 }), false);
  assert.equal(moving(null), false);
});

test('titles of groups', () => {
  assert.deepEqual(['coffee_prices', 'fx_rates', 'x'].map(titleCase), ['Coffee prices', 'FX rates', 'X']);
});

// --- what is kept ---

function memory(text = null) {
  return { text, getItem: function () { return this.text; }, setItem: function (name, value) { this.text = value; } };
}

test('lists are made, renamed, deleted and brought back, and are there again the next time', () => {
  const storage = memory();
  const lists = new Lists(new Store(storage));
  assert.equal(lists.target.name, 'Favourites');
  lists.create('Morning', ['coffee']);
  lists.create('FX');
  assert.equal(lists.current.name, 'FX');
  lists.toggle('EUR/USD');
  lists.rename('FX', ' Currencies ');
  const bringBack = lists.remove('Morning');
  assert.deepEqual(new Lists(new Store(storage)).all, [{ name: 'Currencies', symbols: ['EUR/USD'] }]);
  bringBack();
  bringBack();
  assert.deepEqual(new Lists(new Store(storage)).all.map((l) => l.name), ['Morning', 'Currencies']);
  assert.deepEqual(lists.toggle('EUR/USD'), { list: { name: 'Currencies', symbols: [] }, added: false });
});

test('what another window has deleted is not renamed any more', () => {
  const storage = memory();
  const here = new Lists(new Store(storage));
  here.create('FX', ['EUR/USD']);
  new Lists(new Store(storage)).remove('FX');
  here.load(); // as on the event `storage`, while the name is being asked for
  here.rename('FX', 'Currencies');
  assert.deepEqual(here.all, []);
});

test('an order that cannot be understood is none', () => {
  const none = { sort: null, grouped: true };
  for (const kept of [undefined, null, 7, 'abc', [1], { sort: 5 }, { sort: { column: 'gone', direction: 1 } },
    { sort: { column: 'toString', direction: 1 } }, { sort: { column: 'price', direction: 'up' } }]) {
    assert.deepEqual(viewOf(kept), none, JSON.stringify(kept));
  }
  assert.deepEqual(viewOf({ sort: { column: 'price', direction: -1 }, grouped: false }), { sort: { column: 'price', direction: -1 }, grouped: false });
});

test('a star without any list makes one; the list shown last is the one it adds to', () => {
  const lists = new Lists(new Store(memory()));
  assert.equal(lists.toggle('tea').list.name, 'Favourites');
  assert.equal(lists.current, null, 'everything is shown still');
  lists.create('Second');
  lists.show(null);
  lists.toggle('coffee');
  assert.deepEqual(lists.all.map((l) => l.symbols.join()), ['tea', 'coffee']);
});

test('a name that cannot be taken is answered with what to do', () => {
  const lists = new Lists(new Store(memory()));
  lists.create('Morning');
  assert.match(lists.problemOf('  '), /name/);
  assert.match(lists.problemOf('x'.repeat(41)), /at most 40/);
  assert.match(lists.problemOf('Morning '), /choose another/);
  assert.equal(lists.problemOf('Morning', 'Morning'), '');
  assert.equal(lists.problemOf('Evening'), '');
});

test('a link never overwrites a list; kept, it gets a name that is free', () => {
  const lists = new Lists(new Store(memory()));
  lists.create('Morning', ['coffee']);
  lists.showShared({ name: 'Morning', symbols: ['tea'] });
  assert.deepEqual(lists.current, { name: 'Morning', symbols: ['tea'] });
  assert.deepEqual(lists.all, [{ name: 'Morning', symbols: ['coffee'] }]);
  assert.equal(lists.keepShared().name, 'Morning 2');
  assert.equal(lists.shared, null);
  lists.showShared({ name: 'Morning', symbols: ['coffee'] });
  assert.equal(lists.shared, null, 'it is the own one');
  assert.equal(lists.active, 'Morning');
});

test('storage that is broken, full or forbidden: everything works until the page is closed', () => {
  for (const text of ['{', '7', '"x"', '[null,{"name":1},{"name":"a","symbols":[1,"b"]}]']) {
    const lists = new Lists(new Store(memory(text)));
    assert.deepEqual(lists.all, text.startsWith('[') ? [{ name: 'a', symbols: ['b'] }] : []);
  }
  const full = { getItem: () => null, setItem: () => { throw new Error('full'); } };
  const forbidden = () => { throw new Error('forbidden'); };
  for (const storage of [full, forbidden, undefined]) {
    const store = new Store(storage);
    const lists = new Lists(store);
    assert.equal(lists.warning, '');
    lists.create('Morning', ['coffee']);
    assert.match(lists.warning, /gone when the page is closed/);
    lists.load(); // another window has changed something
    assert.deepEqual(lists.all, [{ name: 'Morning', symbols: ['coffee'] }]);
    assert.equal(store.set('a', 1), false);
    assert.equal(store.get('a'), 1);
  }
});

test('the address says the same when it is read again, whatever the names', () => {
  for (const name of ['Morning', 'a & b = 100 %', '\u00c4\u00f6 #1', '+1', 'x,y']) {
    for (const symbol of [null, 'EUR/USD', '^GSPC', 'a=b!']) {
      const list = { name, symbols: ['coffee', 'EUR/USD', '^GSPC', 'KC=F', 'a.b:c-d!'] };
      assert.deepEqual(readAddress(writeAddress({ list, symbol })), { token: null, list, symbol }, name);
    }
  }
  assert.equal(writeAddress({}), '');
  assert.equal(writeAddress({ list: { name: 'My list', symbols: ['coffee', 'EUR/USD'] } }), '#list=My+list&symbols=coffee,EUR/USD');
  assert.deepEqual(readAddress('#token=abc&symbols=a,b,,a'), { token: 'abc', list: { name: 'Shared list', symbols: ['a', 'b'] }, symbol: null });
  assert.deepEqual(readAddress('#symbol=tea#token=abc'), { token: 'abc', list: null, symbol: 'tea' }, 'written at the end');
  assert.deepEqual(readAddress(''), { token: null, list: null, symbol: null });
});

test('how late a source says it is; everything known about a row', () => {
  assert.equal(lateness({ delayed_s: '600' }), '10\u00a0min');
  assert.equal(lateness({ delayed_s: '30' }), '30\u00a0s');
  for (const none of [undefined, {}, { delayed_s: '0' }, { delayed_s: {} }]) assert.equal(lateness(none), '');
  const model = new Model();
  model.apply(coffee('2.90', 1000, ',"source":"yahoo","source_symbol":"KC=F","fallback":true,"delayed_s":600,"prev_close":2.80,"market":"open"'), 0);
  const text = explain(model.row('coffee'));
  for (const part of [/live: the price is current/, /source: yahoo \(a fallback\)/, /its symbol: KC=F/, /10\u00a0min late/, /previous close: 2\.80/, /market: open/]) {
    assert.match(text, part);
  }
});
