// Observations of the whole program: from a provider or another program to every kind of reader.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, runCommand, startGateway } from '../support/gateway.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { temporaryFolder, until, within } from '../support/wait.js';

const MINAS = '-21.55,-45.43';

/** Fed by other programs; polled every 200 ms where sources are given. */
const observation = (name, sources = [], more = {}) => ({
  name,
  poll_ms: 200,
  sources: sources.map(([provider, symbol]) => ({ provider, symbol })),
  ...more,
});

async function feed(redis, name, text, ttl = 120) {
  await redis.command('SET', `${name}:observation:latest`, text, 'EX', ttl);
  await redis.command('PUBLISH', `${name}:observation:stream`, text);
}

const item = (name, members) =>
  `{"symbol":"${name}",${members},"ts":${Date.now()},"recv":${Date.now()},"state":"live"}`;

const up = (gateway) => gateway.log((l) => l.event === 'bus_up');

test("another program's observation reaches every reader byte for byte", async (t) => {
  const { redis, gateway, follow, connect } = await scene(t, {
    redis: true,
    config: {
      instruments: [external('coffee'), external('weather')],
      observations: [observation('weather/minas', [], { category: 'weather' }), observation('fed')],
    },
  });
  await up(gateway);
  const text = `{ "symbol":"weather/minas", "values":{"t":-4.10,"rain":0.0}, "x_mine":[1e0,"é\\u00e9"], "ts":${Date.now()},"seq":"1:1","state":"live"}`;
  const price = `{"symbol":"coffee","price":2.9430,"ts":${Date.now()},"state":"live"}`;

  const all = await follow(['*']);
  assert.deepEqual((await all.next()).data, []);
  const events = await stream(t, gateway, 'weather/*');
  await redis.command('SET', 'coffee:price:latest', price, 'EX', 60);
  await redis.command('PUBLISH', 'coffee:price:stream', price);
  await feed(redis, 'weather/minas', text);
  await all.next((m) => m.text === `{"type":"quote","data":[${price}]}`);
  await all.next((m) => m.text === `{"type":"observation","data":[${text}]}`);
  await until(() => events().some((e) => e.event === 'observation' && e.data === text), 'the event');
  assert.ok(!events().some((e) => e.data.includes('coffee')));

  // REST: the same bytes, with the state of now.
  const one = await gateway.get('/api/v1/observations/weather/minas');
  assert.equal(one.status, 200);
  assert.equal(one.body, text);
  assert.equal((await gateway.get('/api/v1/observations?names=weather/minas')).body, `{"data":[${text}]}`);
  const list = await gateway.get('/api/v1/observations');
  assert.equal(
    list.body,
    `{"data":[${text},{"symbol":"fed","name":"fed","kind":"observation","value":null,"state":"unavailable"}]}`,
  );
  const etag = { 'If-None-Match': one.headers.etag };
  assert.equal((await gateway.get('/api/v1/observations/weather/minas', { headers: etag })).status, 304);
  assert.equal((await gateway.get('/api/v1/observations/fed')).status, 503);
  assert.equal((await gateway.get('/api/v1/observations/coffee')).status, 404);
  assert.equal((await gateway.get('/api/v1/quotes/weather/minas')).status, 404);
  assert.deepEqual((await gateway.get('/api/v1/quotes')).json.data.map((q) => q.symbol), ['coffee', 'weather']);

  // A snapshot has each kind in frames of its own, and nothing that is known already.
  const late = await follow(['*']);
  assert.equal((await late.next()).text, `{"type":"quote","snapshot":true,"data":[${price}]}`);
  assert.equal((await late.next()).text, `{"type":"observation","snapshot":true,"data":[${text}]}`);
  const prefix = await follow(['weather*']);
  assert.equal((await prefix.next()).text, `{"type":"observation","snapshot":true,"data":[${text}]}`);
  const back = await connect();
  back.send({ action: 'subscribe', symbols: ['*'], since: { 'weather/minas': '1:1' }, fields: ['values'] });
  assert.deepEqual((await back.nextType('subscribed')).active, ['coffee', 'weather', 'weather/minas', 'fed']);
  assert.equal((await back.next()).text, '{"type":"quote","snapshot":true,"data":[{"symbol":"coffee"}]}');
  const newer = item('weather/minas', '"value":5,"values":{"t":-5.00},"seq":"1:2"');
  await feed(redis, 'weather/minas', newer);
  const cut = await back.next((m) => m.type !== 'status');
  assert.equal(cut.text, '{"type":"observation","data":[{"symbol":"weather/minas","values":{"t":-5.00},"seq":"1:2"}]}');
});

/** The events of a stream so far: () => [{event, data}]. */
async function stream(t, gateway, names) {
  let text = '';
  const request = http.get(`${gateway.url}/api/v1/stream?symbols=${names}`, { agent: false });
  t.after(() => request.destroy());
  request.on('error', () => {});
  const response = await within(new Promise((resolve) => request.on('response', resolve)), 'the stream');
  assert.equal(response.statusCode, 200);
  response.on('error', () => {});
  response.setEncoding('utf8').on('data', (part) => (text += part));
  return () =>
    [...text.matchAll(/^id: .*\nevent: (.*)\ndata: (.*)\n\n/gm)].map(([, event, data]) => ({ event, data }));
}

test('the channels of prices are none of an observation, and the other way round', async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { instruments: [external('coffee')], observations: [observation('rain')] },
  });
  await up(gateway);
  const client = await follow();
  for (const channel of ['coffee:observation:stream', 'rain:price:stream', 'coffee:observation:status']) {
    assert.equal(await redis.command('PUBLISH', channel, '{}'), 0, channel);
  }
  await feed(redis, 'rain', item('rain', '"value":1'));
  await client.nextObservation('rain');
  // Nor is the item of one kind taken for the other.
  await redis.command('PUBLISH', 'coffee:price:stream', item('coffee', '"value":1'));
  await redis.command('PUBLISH', 'rain:observation:stream', item('rain', '"price":2'));
  await until(async () => (await gateway.metric('pricegate_bus_invalid_total')) === 2, 'both counted');
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).status, 503);
  assert.equal((await gateway.get('/api/v1/observations/rain')).json.value, 1);
});

test('what is no valid observation is dropped and counted', async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { observations: [observation('rain')] },
  });
  await up(gateway);
  const client = await follow();
  const bad = [
    '',
    '{}',
    '{"symbol":"rain"}',
    '{"symbol":"snow","value":1}',
    '{"symbol":"rain","value":"1"}',
    '{"symbol":"rain","value":NaN}',
    '{"symbol":"rain","value":1e999}',
    '{"symbol":"rain","values":{}}',
    '{"symbol":"rain","values":[1]}',
    '{"symbol":"rain","values":{"a":1,"b":"2"}}',
    '{"symbol":"rain","text":""}',
    `{"symbol":"rain","value":1,"ts":${Date.now() + 60_000}}`,
    `{"symbol":"rain","value":1,"text":"${'x'.repeat(4096)}"}`,
  ];
  for (const text of bad) await redis.command('PUBLISH', 'rain:observation:stream', text);
  await feed(redis, 'rain', item('rain', '"text":"It rains."'));
  assert.equal((await client.nextObservation('rain')).text, 'It rains.');
  assert.equal(await gateway.metric('pricegate_bus_invalid_total'), bad.length);
  assert.equal(client.messages.flatMap((m) => (m.type === 'observation' ? m.data : [])).length, 1);
});

test('the weather: several places in one request, on Redis, to all readers; stale when it ends', async (t) => {
  const values = { temperature_2m: '-4.10', relative_humidity_2m: 80, weather_code: 61 };
  const units = { temperature_2m: '°C', relative_humidity_2m: '%' };
  const { upstream, redis, gateway, follow } = await scene(t, {
    redis: true,
    script: (u) => u.set('openmeteo', '*', ok({ values, units })),
    config: {
      observations: [
        observation('weather/minas', [['openmeteo', MINAS]], {
          title: 'Sul de Minas', category: 'weather', region: 'Sul de Minas', stale_after_ms: 1500, ttl_s: 60,
        }),
        observation('weather/amazonas', [['openmeteo', '-6.23,-77.87']], { category: 'weather' }),
      ],
    },
  });
  const client = await follow(['weather/*']);
  const got = await client.nextObservation('weather/minas');
  assert.deepEqual(got.values, { temperature_2m: -4.1, relative_humidity_2m: 80, weather_code: 61 });
  assert.deepEqual(got.units, units);
  assert.equal(got.text, 'slight rain');
  assert.equal(got.region, 'Sul de Minas');
  assert.equal(got.name, 'weather/minas');
  assert.equal(got.kind, 'observation');
  assert.equal(got.source, 'openmeteo');
  assert.equal(got.state, 'live');
  await client.nextObservation('weather/amazonas');
  assert.ok(upstream.requests('openmeteo').every((r) => r.symbols.length === 2), 'both places in a request');

  const stored = await redis.command('GET', 'weather/minas:observation:latest');
  assert.deepEqual(JSON.parse(stored).values, got.values);
  assert.ok((await redis.command('TTL', 'weather/minas:observation:latest')) > 0);
  assert.equal(await redis.command('GET', 'weather/minas:price:latest'), null);

  const heard = await redis.subscribe('weather/minas:observation:status');
  upstream.set('openmeteo', '*', status(500, 'down'));
  const row = await client.nextStatus('weather/minas', 'stale');
  assert.equal(row.reason, 'upstream_error');
  assert.equal((await gateway.get('/api/v1/observations/weather/minas')).json.state, 'stale');
  await until(() => heard.messages.length > 0, 'the status on Redis');
  const health = (await gateway.get('/data-health/status')).json.categories.weather;
  assert.equal(health['weather/minas'].status, 'stale');
  assert.equal(health['weather/amazonas'].status, 'fresh');

  upstream.set('openmeteo', '*', ok({ values: { temperature_2m: 3 }, units }));
  assert.deepEqual((await client.nextObservation('weather/minas')).values, { temperature_2m: 3 });
});

test('a figure in another unit is held back and shown; the next source answers', async (t) => {
  const parent = temporaryFolder();
  t.after(() => parent.remove());
  const dir = join(parent.path, 'dlq');
  const { upstream, gateway, follow } = await scene(t, {
    script: (u) => {
      u.set('eia', 'PET.RWTC.D', ok({ value: '2.79', unit: '$/GAL' }));
      u.set('fred', 'DCOILWTICO', ok({ value: '66.30' }));
    },
    config: {
      quality: { dead_letter_dir: dir },
      observations: [
        observation('oil', [['eia', 'RWTC'], ['fred', 'DCOILWTICO']], {
          unit: '$$/BBL', range: [-100, 500], category: 'energy', delayed_after_ms: 864_000_000,
        }),
      ],
    },
  });
  const client = await follow();
  const fallback = await client.nextObservation('oil');
  assert.equal(fallback.value, 66.3);
  assert.equal(fallback.unit, '$/BBL');
  assert.equal(fallback.series, 'DCOILWTICO');
  assert.equal(fallback.fallback, true);
  const { oil } = (await gateway.get('/data-health/status')).json.categories.energy;
  assert.equal(oil.status, 'fresh');
  assert.deepEqual({ ...oil.suspect, since: 0 }, {
    value: '2.79', rule: 'unit', why: 'a value in $/GAL, configured is $/BBL', source: 'eia', since: 0,
  });
  const letters = () => (existsSync(dir) ? readdirSync(dir) : []);
  await until(() => letters().length > 0, 'a letter');
  const letter = JSON.parse(readFileSync(join(dir, letters()[0]), 'utf8'));
  assert.equal(letter.error.rule, 'unit');
  assert.equal(letter.context.unit, '$/BBL');
  assert.deepEqual(letter.record.values, { value: 2.79 });
  assert.deepEqual(letter.record.units, { value: '$/GAL' });
  const { body } = await gateway.get('/metrics');
  assert.match(body, /pipeline_data_quality_checks_total\{rule="unit",result="fail"\} [1-9]/);

  // A negative figure is one; one out of range is not.
  upstream.set('eia', 'PET.RWTC.D', ok({ value: '-37.63', unit: '$/BBL' }));
  assert.equal((await client.nextObservation('oil', (o) => o.source === 'eia')).value, -37.63);
  upstream.set('fred', 'DCOILWTICO', unknownSeries);
  upstream.set('eia', 'PET.RWTC.D', ok({ value: '6630', unit: '$/BBL' }));
  await until(async () => {
    const now = (await gateway.get('/data-health/status')).json.categories.energy.oil;
    return now.suspect?.rule === 'value_range' && now.suspect.value === '6630';
  }, 'the range');
  assert.equal((await gateway.get('/api/v1/observations/oil')).json.value, -37.63);
  assert.ok(!client.messages.some((m) => m.text.includes('6630') || m.text.includes('2.79')));
});

const unknownSeries = () => ({ kind: 'unknown' });

test('a restart keeps the value and does not ask again before its time', async (t) => {
  const series = () => observation('oil', [['eia', 'RWTC']], { poll_ms: 3_600_000, category: 'energy' });
  const config = { instruments: [instrument('AAPL', [['yahoo', 'AAPL']])], observations: [series()] };
  const { upstream, redis, gateway } = await scene(t, {
    redis: true,
    script: (u) => {
      u.set('eia', 'PET.RWTC.D', ok({ value: '66.30', unit: '$/BBL' }));
      u.set('yahoo', 'AAPL', ok({ price: '150' }));
    },
    config,
  });
  await until(async () => (await gateway.get('/api/v1/observations/oil')).status === 200, 'the first value');
  const before = (await gateway.get('/api/v1/observations/oil')).json;
  await until(() => upstream.requests('yahoo').length >= 3, 'some polls of the price');
  assert.equal(upstream.requests('eia').length, 1);
  await gateway.stop();

  const polls = upstream.requests('yahoo').length;
  const again = await startGateway(gateway.config, { env: gateway.env });
  t.after(() => again.stop());
  await until(() => upstream.requests('yahoo').length >= polls + 5, 'the price is polled again');
  assert.equal(upstream.requests('eia').length, 1);
  const after = (await again.get('/api/v1/observations/oil')).json;
  assert.equal(after.seq, before.seq);
  assert.equal(after.value, 66.3);

  // Of an hour ago: it is asked for at once.
  await again.stop();
  const hour = 3_600_001;
  await redis.command(
    'SET', 'oil:observation:latest',
    JSON.stringify({ ...after, recv: after.recv - hour, seq: '1:1' }), 'EX', 600,
  );
  const third = await startGateway(gateway.config, { env: gateway.env });
  t.after(() => third.stop());
  await until(() => upstream.requests('eia').length === 2, 'asked again');
});

test('compressed or cut into frames: each once, and each kind in its own', async (t) => {
  const names = Array.from({ length: 60 }, (_, i) => `o/${i}`);
  const { redis, gateway, connect } = await scene(t, {
    redis: true,
    config: {
      fanout: { compression: true },
      instruments: [external('coffee'), external('tea')],
      observations: names.map((name) => observation(name)),
    },
  });
  await up(gateway);
  const words = 'rain and sun '.repeat(80);
  const texts = names.map((name, i) => item(name, `"value":${i}.50,"text":"${words}"`));
  for (const [i, name] of names.entries()) await feed(redis, name, texts[i]);
  const price = item('tea', '"price":1.50');
  await redis.command('SET', 'tea:price:latest', price, 'EX', 60);
  await redis.command('PUBLISH', 'tea:price:stream', price);
  await until(async () => (await gateway.get('/api/v1/quotes/tea')).status === 200, 'the last one');
  for (const perMessageDeflate of [false, true]) {
    const client = await connect({ perMessageDeflate });
    assert.equal(client.socket.extensions.includes('permessage-deflate'), perMessageDeflate);
    client.send({ action: 'subscribe', symbols: ['*'] });
    await client.nextType('subscribed');
    const frames = [];
    let got = 0;
    while (got < 61) {
      frames.push(await client.next((m) => m.snapshot));
      got += frames.at(-1).data.length;
    }
    assert.deepEqual(frames.shift().data.map((q) => q.symbol), ['tea']);
    assert.ok(frames.length > 3, 'in several frames');
    assert.ok(frames.every((m) => m.type === 'observation' && m.data.length > 0));
    assert.deepEqual(frames.flatMap((m) => m.data.map((o) => o.symbol)), names);
    const all = frames.map((m) => m.text).join('');
    assert.ok(texts.every((text) => all.includes(text)));
    client.terminate();
  }
});

test('the commands know observations', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    script: (u) => u.set('eia', 'PET.RWTC.D', ok({ value: '-36.980', unit: '$/BBL' })),
    config: {
      instruments: [external('coffee')],
      observations: [observation('oil', [['eia', 'RWTC']]), observation('rain')],
    },
  });
  await up(gateway);
  await feed(redis, 'rain', item('rain', '"values":{"t":-4.10,"n":7},"units":{"t":"°C"},"source":"me\u009b"'));
  const watch = spawn(binary, ['watch', '--url', gateway.url, 'oil', 'rain', 'coffee'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => watch.kill('SIGKILL'));
  let printed = '';
  watch.stdout.setEncoding('utf8').on('data', (part) => (printed += part));
  await until(() => /oil {2}-36\.980 \$\/BBL {2}eia/.test(printed), 'the figure');
  await until(() => / rain {2}t -4\.10 °C, n 7 {2}me\? {2}live\n/.test(printed), 'the rain');
  const words = `${'é'.repeat(300)}\\nmore`;
  await feed(redis, 'rain', item('rain', `"text":"\u007f\\u001b[2J${words}"`));
  await until(() => / rain {2}\?\?\[2Jé{10,200}\.\.\. {2}- {2}live\n/.test(printed), 'its words');

  const env = gateway.env;
  const check = await runCommand(['check', '--config', gateway.file], { env });
  assert.match(check.stdout, /ok, 1 instrument and 2 observations\n/);
  const fetched = await runCommand(['fetch', 'oil', '--config', gateway.file], { env });
  assert.equal(fetched.code, 0);
  assert.equal(JSON.parse(fetched.stdout).value, -36.98);
  assert.match(fetched.stdout, /"value":-36\.980,"unit":"\$\/BBL"/);
});

test('the list of instruments names the observations apart', async (t) => {
  const gateway = await startGateway({
    instruments: [external('coffee', { name: 'Coffee C', category: 'coffee_prices' })],
    observations: [
      observation('weather/minas', [['openmeteo', MINAS]], {
        title: 'Sul de Minas', category: 'weather', region: 'Sul de Minas', unit: '°C', poll_ms: 900_000,
      }),
      observation('fed'),
    ],
    providers: { openmeteo: { base_url: 'http://127.0.0.1:9' } },
  });
  t.after(() => gateway.stop());
  assert.deepEqual((await gateway.get('/api/v1/instruments')).json, {
    data: [{ symbol: 'coffee', name: 'Coffee C', category: 'coffee_prices', sources: [] }],
    observations: [
      {
        symbol: 'weather/minas', name: 'weather/minas', title: 'Sul de Minas', category: 'weather',
        unit: '°C', region: 'Sul de Minas', sources: [{ provider: 'openmeteo', symbol: MINAS }],
      },
      { symbol: 'fed', name: 'fed', title: 'fed', category: 'observations', sources: [] },
    ],
  });
});
