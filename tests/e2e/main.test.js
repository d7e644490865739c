// The main job, whole: from the provider over HTTPS to WebSocket, REST and Redis, and what happens
// when providers fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseExact } from '../../web/quote.js';
import { external, instrument, scene } from '../support/scene.js';
import { creditsGone, hang, html, ok, reset, status, unknown } from '../support/upstream.js';
import { until } from '../support/wait.js';

const seconds = () => Math.floor(Date.now() / 1000);

/** The item of a symbol in a message, with the digits of its numbers. */
const exact = (message, symbol) => parseExact(message.text).data.find((q) => q.symbol === symbol);

async function exactQuote(client, symbol) {
  const message = await client.next(
    (m) => m.type === 'quote' && m.data.some((q) => q.symbol === symbol),
    10_000,
    `a quote of ${symbol}`,
  );
  return exact(message, symbol);
}

test('a price comes out everywhere as the provider wrote it', async (t) => {
  const prices = {
    'AAPL': '150.10',
    'TINY/USD': '0.00000001',
    'BIG/USD': '123456789.123456',
    'EUR/USD': '2.943',
  };
  const { upstream, redis, gateway, follow } = await scene(t, {
    redis: true,
    script: (upstream) => {
      for (const [symbol, price] of Object.entries(prices)) {
        upstream.set('twelvedata', symbol, ok({ price, prev_close: price, currency: 'USD' }));
      }
    },
    config: {
      instruments: Object.keys(prices).map((s) => instrument(s, [['twelvedata', s]])),
    },
  });
  const heard = await redis.subscribe(...Object.keys(prices).map((s) => `${s}:price:stream`));
  const client = await follow();
  const log = await gateway.log((l) => /_fetch_success$/.test(l.event));
  assert.equal(log.event, 'price_fetch_success');

  for (const [symbol, price] of Object.entries(prices)) {
    const item = await until(
      async () => {
        const all = client.messages.filter((m) => m.type === 'quote').map((m) => exact(m, symbol));
        return all.filter(Boolean).at(-1);
      },
      `a quote of ${symbol}`,
    );
    assert.equal(item.price, price);
    assert.equal(item.prev_close, price);
    assert.equal(Number(item.change), 0);
    assert.equal(item.source, 'twelvedata');
    assert.equal(item.source_symbol, symbol);
    assert.equal(item.fallback, false);
    assert.equal(item.state, 'live');
    assert.equal(item.market, 'open');
    assert.match(item.seq, /^[0-9a-f]+:\d+$/);
    assert.ok(Math.abs(Number(item.recv) - Date.now()) < 60_000, 'recv is now');
    assert.equal(Number(item.ts) % 1000, 0, 'ts is the time of the market, not of the arrival');

    const rest = await gateway.get(`/api/v1/quotes/${encodeURIComponent(symbol)}`);
    assert.equal(rest.status, 200);
    assert.equal(parseExact(rest.body).price, price);

    const stored = await redis.command('GET', `${symbol}:price:latest`);
    assert.equal(parseExact(stored).price, price);
    assert.equal(parseExact(stored).symbol, symbol);
    const ttl = await redis.command('TTL', `${symbol}:price:latest`);
    assert.ok(ttl > 0 && ttl <= 120, `TTL ${ttl}`);

    const published = await heard.next((m) => m.channel === `${symbol}:price:stream`);
    assert.equal(parseExact(published.text).price, price);
  }

  // The same bytes everywhere: what was published on Redis is in a frame of the WebSocket.
  const published = await heard.next((m) => m.channel === 'AAPL:price:stream');
  await until(() => client.messages.some((m) => m.text.includes(published.text)), 'the same bytes');

  const batch = upstream.requests('twelvedata').find((r) => r.symbols.length > 1);
  assert.deepEqual(new Set(batch.symbols), new Set(Object.keys(prices)), 'due together: one request');
  for (const request of upstream.requests('twelvedata')) {
    assert.ok(!request.path.includes('apikey'), 'the key is never in the address');
  }
  assert.ok(!gateway.logText().includes('test-key'), 'the key is never in the log');
});

test('JSON numbers by the digit rule, minor units exactly', async (t) => {
  // As Yahoo writes them: shortest doubles, widened float32, integers; exponents never go out.
  const cases = {
    'F32': ['1518.0999755859375', 'USD', '1518.1'],
    'INT': ['1518', 'USD', '1518'],
    'DBL': ['0.1', 'USD', '0.1'],
    'EXP': ['1e-8', 'USD', '0.00000001'],
    'KC=F': ['294.3', 'USX', '2.943'],
    'OCDO.L': ['305.3', 'GBp', '3.053'],
  };
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => {
      for (const [symbol, [price, currency]] of Object.entries(cases)) {
        upstream.set('yahoo', symbol, ok({ price, prev_close: price, currency }));
      }
    },
    config: { instruments: Object.keys(cases).map((s) => instrument(s, [['yahoo', s]])) },
  });
  for (const [symbol, [, currency, expected]] of Object.entries(cases)) {
    await until(
      async () => (await gateway.get(`/api/v1/quotes/${symbol}`)).status === 200,
      `${symbol} has a price`,
    );
    const item = parseExact((await gateway.get(`/api/v1/quotes/${symbol}`)).body);
    assert.equal(item.price, expected, symbol);
    assert.equal(item.currency, { USX: 'USD', GBp: 'GBP' }[currency] ?? currency);
    assert.equal(item.prev_close, expected);
    assert.ok(!/[0-9]e/i.test(JSON.stringify(item.price)));
  }
  const asked = upstream.requests('yahoo').map((r) => r.path.split('?')[0]);
  assert.ok(asked.includes('/v8/finance/chart/KC%3DF'), 'symbols are percent-encoded');
  assert.match(upstream.requests('yahoo')[0].headers['user-agent'], /Mozilla/);
});

test('change and percent are made from price and previous close', async (t) => {
  const { follow } = await scene(t, {
    script: (upstream) => {
      upstream.set('yahoo', 'KC=F', ok({ price: '294.3', prev_close: '291', currency: 'USX', volume: 7 }));
    },
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']], { unit: 'USD/lb' })] },
  });
  const item = await exactQuote(await follow(), 'coffee');
  assert.equal(item.price, '2.943');
  assert.equal(item.prev_close, '2.91');
  assert.equal(item.change, '0.033');
  assert.equal(item.change_pct, '1.134');
  assert.equal(item.unit, 'USD/lb');
  assert.equal(item.volume, '7');
});

test('429 in a 200 body: Yahoo takes over within one poll, in USD/lb; then the primary returns', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', ok({ price: '2.940', ts: seconds() - 30 }));
      upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX', ts: seconds() - 20 }));
    },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], {
          category: 'coffee_prices',
          unit: 'USD/lb',
        }),
      ],
    },
  });
  const client = await follow();
  const first = await client.nextQuote('coffee');
  assert.equal(first.source, 'twelvedata');
  assert.equal(first.fallback, false);
  assert.equal(upstream.requests('yahoo').length, 0, 'the fallback is not asked without need');

  upstream.set('twelvedata', 'KC1', creditsGone());
  const second = await client.nextQuote('coffee', (q) => q.price !== 2.94);
  assert.equal(second.source, 'yahoo');
  assert.equal(second.source_symbol, 'KC=F');
  assert.equal(second.fallback, true);
  assert.equal(second.price, 2.943);
  assert.equal(second.currency, 'USD');
  assert.equal(second.unit, 'USD/lb');
  assert.ok(second.ts > first.ts);

  // One refusal is enough: nothing more is asked of it while it cools down.
  const asked = upstream.requests('twelvedata').length;
  const polls = upstream.requests('yahoo').length;
  await until(() => upstream.requests('yahoo').length >= polls + 3, 'three more polls');
  assert.equal(upstream.requests('twelvedata').length, asked);
  const { sources } = (await gateway.get('/data-health/sources')).json;
  assert.equal(sources.twelvedata.state, 'open');
  assert.equal(sources.yahoo.state, 'closed');
  await gateway.log('coffee_price_fetch_success');
  await gateway.log('coffee_price_fetch_failed');

  upstream.set('twelvedata', 'KC1', ok({ price: '2.945' }));
  const answer = await gateway.post('/data-health/reset-circuit/twelvedata');
  assert.deepEqual(answer.json, { provider: 'twelvedata', state: 'closed' });
  const third = await client.nextQuote('coffee', (q) => q.source === 'twelvedata');
  assert.equal(third.price, 2.945);
  assert.equal(third.fallback, false);
});

test('a fallback whose price is older waits; the held price stays, and says why', async (t) => {
  const held = seconds() - 30;
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', ok({ price: '2.940', ts: held }));
      upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX', ts: held - 1 }));
    },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { stale_after_ms: 1500 }),
      ],
    },
  });
  const client = await follow();
  await client.nextQuote('coffee');

  upstream.set('twelvedata', 'KC1', status(500, 'oops'));
  const row = await client.nextStatus('coffee', 'stale');
  assert.equal(row.reason, 'older');
  assert.ok(upstream.requests('yahoo').length > 0);
  const rest = (await gateway.get('/api/v1/quotes/coffee')).json;
  assert.equal(rest.price, 2.94);
  assert.equal(rest.ts, held * 1000);
  assert.equal(rest.state, 'stale');

  upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX', ts: held }));
  const quote = await client.nextQuote('coffee');
  assert.equal(quote.source, 'yahoo');
  assert.equal(quote.fallback, true);
  assert.equal(quote.price, 2.943);
  for (const message of client.messages.filter((m) => m.type === 'quote')) {
    for (const item of message.data) assert.ok(item.ts >= held * 1000, 'time never runs back');
  }
});

test('all sources dead: stale, then unavailable; REST says so; then they return', async (t) => {
  const { upstream, redis, gateway, follow } = await scene(t, {
    redis: true,
    script: (upstream) => upstream.set('twelvedata', 'KC1', ok({ price: '2.940' })),
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], {
          category: 'coffee_prices',
          stale_after_ms: 1200,
          ttl_s: 1,
        }),
      ],
    },
  });
  const client = await follow();
  const quote = await client.nextQuote('coffee');
  assert.equal(quote.state, 'live');
  const heard = await redis.subscribe('coffee:price:status');

  upstream.set('twelvedata', 'KC1', status(503, 'down'));
  upstream.set('yahoo', 'KC=F', status(502, 'down too'));
  const stale = await client.nextStatus('coffee', 'stale');
  assert.ok(Math.abs(stale.since - Date.now()) < 5000);
  assert.equal(stale.reason, 'upstream_error');
  const rest = await gateway.get('/api/v1/quotes/coffee');
  assert.equal(rest.status, 200);
  assert.equal(rest.json.state, 'stale');
  assert.equal(rest.json.price, 2.94);

  await client.nextStatus('coffee', 'unavailable');
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.state, 'unavailable');
  await gateway.log('coffee_price_all_sources_failed');
  await until(async () => (await redis.command('GET', 'coffee:price:latest')) === null, 'the key is gone');
  const states = () => heard.messages.map((m) => JSON.parse(m.text).state);
  await until(() => states().length >= 2, 'two states in Redis');
  assert.deepEqual(states().slice(0, 2), ['stale', 'unavailable']);
  const health = (await gateway.get('/data-health/status')).json;
  assert.equal(health.overall_status, 'unhealthy');
  assert.equal(health.categories.coffee_prices.coffee.stale, true);

  upstream.set('twelvedata', 'KC1', ok({ price: '2.950' }));
  const back = await client.nextQuote('coffee');
  assert.equal(back.price, 2.95);
  assert.equal(back.state, 'live');
  assert.equal(back.source, 'twelvedata');
  const types = client.messages.map((m) => m.type);
  assert.ok(!client.messages.some((m) => m.type === 'quote' && m.data.some((q) => q.state === 'stale')),
    `a change of state alone is never a quote: ${types}`);
});

test('what other programs feed grows stale for everybody: clients and the channel are told, each once', async (t) => {
  const { redis, gateway, follow } = await scene(t, {
    redis: true,
    config: { instruments: [external('tea', { stale_after_ms: 1200, ttl_s: 1 })] },
  });
  const heard = await redis.subscribe('tea:price:status');
  const client = await follow();
  await redis.command('PUBLISH', 'tea:price:stream', JSON.stringify({ symbol: 'tea', price: 2, state: 'live' }));
  await client.nextQuote('tea');
  const stale = await client.nextStatus('tea', 'stale');
  await client.nextStatus('tea', 'unavailable');
  const said = await until(() => heard.messages.length === 2 && heard.messages.map((m) => JSON.parse(m.text)), 'the channel is told');
  assert.deepEqual(said.map((s) => [s.symbol, s.state]), [['tea', 'stale'], ['tea', 'unavailable']]);
  assert.equal(said[0].since, stale.since);
  await until(async () => (await gateway.get('/api/v1/quotes/tea')).json.state === 'unavailable', 'REST says so');
  const told = client.messages.filter((m) => m.type === 'status').flatMap((m) => m.data.map((s) => s.state));
  assert.deepEqual(told, ['unavailable', 'stale', 'unavailable']);
});

test('never a price: status names the reason, REST answers 503', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', '*', html()),
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']])] },
  });
  await until(() => upstream.requests('yahoo').length > 0, 'it was asked');
  await gateway.log((l) => /_fetch_failed$/.test(l.event));
  const client = await follow();
  const snapshot = await client.nextType('quote');
  assert.equal(snapshot.snapshot, true);
  assert.deepEqual(snapshot.data, []);
  const row = await client.nextStatus('coffee', 'unavailable');
  assert.equal(row.reason, 'blocked');
  assert.equal(row.source, 'yahoo');
  const rest = await gateway.get('/api/v1/quotes/coffee');
  assert.equal(rest.status, 503);
  assert.match(rest.headers['content-type'], /^application\/problem\+json/);
  assert.equal(rest.json.state, 'unavailable');
  assert.ok(rest.headers['retry-after']);
});

test('each way to fail leads to the next source, with its name', async (t) => {
  const ways = {
    auth: status(200, JSON.stringify({ code: 401, message: 'apikey', status: 'error' })),
    bad_schema: status(200, '{"symbol":"AAPL"}'),
    blocked: html(403),
    not_found: unknown(),
    upstream_error: status(502, 'bad gateway'),
    connect: reset(),
    timeout: hang(),
  };
  const names = Object.keys(ways);
  const { upstream, gateway } = await scene(t, {
    args: ['--log-level', 'debug'],
    script: (upstream) => upstream.set('yahoo', 'AAPL', () => ok({ price: '150.10' })),
    config: {
      instruments: [instrument('AAPL', [['twelvedata', 'AAPL'], ['yahoo', 'AAPL']])],
    },
  });
  const failed = (name) => (l) =>
    l.event === 'price_fetch_failed' && l.source === 'twelvedata' && l.error === name;
  for (const name of names) {
    upstream.set('twelvedata', 'AAPL', ways[name]);
    await gateway.post('/data-health/reset-circuit/twelvedata');
    await gateway.log(failed(name), 15_000, name);
  }
  const item = (await gateway.get('/api/v1/quotes/AAPL')).json;
  assert.equal(item.source, 'yahoo');
  assert.equal(item.fallback, true);
});

test('a price far off is held back until it is confirmed', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => upstream.set('twelvedata', 'KC1', ok({ price: '2.940' })),
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { range: [0.5, 20] }),
      ],
    },
  });
  const client = await follow();
  await client.nextQuote('coffee');
  // Cents sold as dollars: refused for ever, however often the same source repeats it.
  upstream.set('twelvedata', 'KC1', ok({ price: '294.0' }));
  upstream.set('yahoo', 'KC=F', status(500));
  const asked = upstream.requests('twelvedata').length;
  await until(() => upstream.requests('twelvedata').length > asked + 4, 'five polls of the wrong price');
  assert.equal((await gateway.get('/api/v1/quotes/coffee')).json.price, 2.94);
  // A real move, seen by both.
  upstream.set('twelvedata', 'KC1', ok({ price: '4.100' }));
  upstream.set('yahoo', 'KC=F', ok({ price: '410.2', currency: 'USX' }));
  const moved = await client.nextQuote('coffee', (q) => q.price > 4);
  assert.ok(moved.price === 4.1 || moved.price === 4.102);
  for (const message of client.messages.filter((m) => m.type === 'quote')) {
    for (const item of message.data) assert.notEqual(item.price, 294);
  }
});

test('a closed market is closed, not stale', async (t) => {
  const { upstream, gateway, follow } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'AAPL', ok({ price: '150.10', market: 'closed', ts: seconds() - 86_400 }));
      upstream.set('yahoo', 'MSFT', ok({ price: '400.10' }));
    },
    config: {
      instruments: [
        instrument('AAPL', [['twelvedata', 'AAPL']], { stale_after_ms: 500 }),
        // The same limit with an open market: when this one is stale, the other would be.
        instrument('MSFT', [['yahoo', 'MSFT']], { stale_after_ms: 500, ttl_s: 1 }),
      ],
    },
  });
  // Who subscribes before there is a price is told so, by a status.
  await until(async () => (await gateway.get('/api/v1/quotes/AAPL')).status === 200, 'a price');
  const client = await follow();
  const quote = await client.nextQuote('AAPL');
  const seen = client.asked; // who came before the first price was told that there is none
  assert.equal(quote.state, 'closed');
  assert.equal(quote.market, 'closed');
  await until(async () => (await gateway.get('/api/v1/quotes/MSFT')).status === 200, 'the other has a price');
  upstream.set('twelvedata', 'AAPL', status(500));
  upstream.set('yahoo', 'MSFT', status(500));
  await client.nextStatus('MSFT', 'stale');
  await client.nextStatus('MSFT', 'unavailable');
  assert.equal((await gateway.get('/api/v1/quotes/AAPL')).json.state, 'closed');
  const after = client.messages.slice(seen);
  assert.ok(!after.some((m) => m.type === 'status' && m.data.some((s) => s.symbol === 'AAPL')));
});

test('a late price is delayed', async (t) => {
  const { follow } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'AAPL', ok({ price: '150.10', ts: seconds() - 900 })),
    config: { instruments: [instrument('AAPL', [['yahoo', 'AAPL']], { delayed_after_ms: 60_000 })] },
  });
  assert.equal((await (await follow()).nextQuote('AAPL')).state, 'delayed');
});

test('the breaker opens after its threshold, asks once when its time is over, and closes', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'AAPL', status(500, 'oops')),
    config: {
      breaker: { threshold: 3, timeout_s: 2 },
      instruments: [instrument('AAPL', [['yahoo', 'AAPL']])],
    },
  });
  const state = async () => (await gateway.get('/data-health/sources')).json.sources.yahoo;
  await until(async () => (await state()).state === 'open', 'the breaker opens');
  const open = await state();
  assert.equal(open.failures >= 3, true);
  assert.equal(open.failure_threshold, 3);
  assert.ok(open.retry_at);
  assert.equal(upstream.requests('yahoo').length, 3);
  await gateway.log('circuit_breaker_state_change');
  const before = upstream.requests('yahoo').length;
  await until(() => upstream.requests('yahoo').length > before, 'one probe', 5000);
  upstream.set('yahoo', 'AAPL', ok({ price: '150.10' }));
  await until(async () => (await state()).state === 'closed', 'the breaker closes');
  assert.equal((await gateway.get('/api/v1/quotes/AAPL')).status, 200);
});

test('a compressed answer is read', async (t) => {
  const { follow } = await scene(t, {
    script: (upstream) => upstream.set('twelvedata', 'AAPL', ok({ price: '150.10', gzip: true })),
    config: { instruments: [instrument('AAPL', [['twelvedata', 'AAPL']])] },
  });
  assert.equal((await exactQuote(await follow(), 'AAPL')).price, '150.10');
});

test('an upstream with an unknown certificate is refused as tls', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'AAPL', ok({ price: '150.10' })),
    env: { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' },
    config: { instruments: [instrument('AAPL', [['yahoo', 'AAPL']])] },
  });
  const result = 'pricegate_provider_requests_total{provider="yahoo",result="tls"}';
  await until(async () => (await gateway.metric(result)) >= 1, 'a failure named tls');
  assert.equal(upstream.requests().length, 0);
  assert.equal((await gateway.get('/api/v1/quotes/AAPL')).status, 503);
});
