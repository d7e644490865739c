// Every HTTP route: answers, errors, roles.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';

import { request } from '../support/gateway.js';
import { external, instrument, scene } from '../support/scene.js';
import { creditsGone, ok, status } from '../support/upstream.js';
import { until, within } from '../support/wait.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });

/** One gateway for the tests that only look: two instruments with prices, one without. */
async function market(t, config = {}) {
  const made = await scene(t, {
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], {
          name: 'Coffee C',
          category: 'coffee_prices',
          unit: 'USD/lb',
        }),
        instrument('EUR/USD', [['twelvedata', 'EUR/USD']], { category: 'fx_rates' }),
        external('tea', { category: 'coffee_prices' }),
      ],
      ...config,
    },
  });
  made.upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  made.upstream.set('twelvedata', 'EUR/USD', ok({ price: '1.08450' }));
  const counted = 'pricegate_quotes_received_total{source="twelvedata"}';
  const token = config.auth ? { headers: { Authorization: 'Bearer admin-token' } } : {};
  await until(async () => {
    const { body } = await made.gateway.get('/metrics', token);
    return Number(body.split('\n').find((l) => l.startsWith(counted))?.split(' ')[1]) >= 2;
  }, 'both prices');
  return made;
}

function isProblem(answer, code) {
  assert.equal(answer.status, code);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const problem = answer.json;
  assert.equal(problem.status, code);
  for (const member of ['type', 'title', 'detail']) assert.equal(typeof problem[member], 'string', member);
  return problem;
}

test('quotes: one, several, all', async (t) => {
  const { gateway } = await market(t);
  const one = await gateway.get('/api/v1/quotes/coffee');
  assert.equal(one.status, 200);
  assert.match(one.headers['content-type'], /^application\/json/);
  assert.equal(one.json.symbol, 'coffee');
  assert.match(one.body, /"price":2\.940[,}]/);

  for (const path of ['/api/v1/quotes/EUR/USD', '/api/v1/quotes/EUR%2FUSD', '/api/v1/quotes/EUR%2fUSD']) {
    const slashed = await gateway.get(path);
    assert.equal(slashed.status, 200, path);
    assert.equal(slashed.json.symbol, 'EUR/USD');
  }

  const all = (await gateway.get('/api/v1/quotes')).json.data;
  assert.deepEqual(all.map((q) => q.symbol), ['coffee', 'EUR/USD', 'tea']);
  assert.deepEqual(all[2], { symbol: 'tea', price: null, state: 'unavailable' });

  const some = await gateway.get('/api/v1/quotes?symbols=tea,EUR%2FUSD');
  assert.deepEqual(some.json.data.map((q) => q.symbol).sort(), ['EUR/USD', 'tea']);
});

test('quotes: unknown symbols, and never a price', async (t) => {
  const { gateway } = await market(t);
  isProblem(await gateway.get('/api/v1/quotes/FOO'), 404);
  isProblem(await gateway.get('/api/v1/quotes/COFFEE'), 404); // case matters
  const both = isProblem(await gateway.get('/api/v1/quotes?symbols=coffee,FOO,BAR'), 404);
  assert.match(both.detail, /FOO/);
  assert.match(both.detail, /BAR/);
  assert.doesNotMatch(both.detail, /coffee/);
  const never = await gateway.get('/api/v1/quotes/tea');
  assert.equal(isProblem(never, 503).state, 'unavailable');
  assert.ok(never.headers['retry-after']);
});

test('ETag: 304 while nothing changed; the state is part of it', async (t) => {
  const { gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' })),
    config: {
      instruments: [instrument('coffee', [['yahoo', 'KC=F']], { poll_ms: 600_000, stale_after_ms: 1500, ttl_s: 1 })],
    },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  const first = await gateway.get('/api/v1/quotes/coffee');
  const { etag } = first.headers;
  assert.ok(etag);
  const again = await gateway.get('/api/v1/quotes/coffee', { headers: { 'If-None-Match': etag } });
  assert.equal(again.status, 304);
  assert.equal(again.body, '');
  const head = await gateway.get('/api/v1/quotes/coffee', { method: 'HEAD' });
  assert.equal(head.headers.etag, etag);
  // The same price, but stale by now.
  const changed = await until(async () => {
    const answer = await gateway.get('/api/v1/quotes/coffee', { headers: { 'If-None-Match': etag } });
    return answer.status === 200 && answer;
  }, 'another ETag with the state');
  assert.notEqual(changed.headers.etag, etag);
  assert.notEqual(changed.json.state, 'live');
  assert.equal(changed.json.price, first.json.price);
});

test('instruments', async (t) => {
  const { gateway } = await market(t);
  const { data } = (await gateway.get('/api/v1/instruments')).json;
  assert.deepEqual(data.map((i) => i.symbol), ['coffee', 'EUR/USD', 'tea']);
  assert.equal(data[0].name, 'Coffee C');
  assert.equal(data[0].category, 'coffee_prices');
  assert.equal(data[0].unit, 'USD/lb');
  assert.deepEqual(data[0].sources, [
    { provider: 'twelvedata', symbol: 'KC1' },
    { provider: 'yahoo', symbol: 'KC=F' },
  ]);
  assert.deepEqual(data[2].sources, []);
});

test('the dashboard and its files', async (t) => {
  const { gateway } = await market(t);
  const page = await gateway.get('/');
  assert.equal(page.status, 200);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.match(page.headers['content-security-policy'], /script-src 'self'/);
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  const files = [...page.body.matchAll(/(?:src|href)="([\w.]+\.(?:js|css|svg))"/g)].map((m) => m[1]);
  assert.ok(files.length >= 3);
  const types = { js: /javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/ };
  for (const file of files) {
    const answer = await gateway.get(`/${file}`);
    assert.equal(answer.status, 200, file);
    assert.match(answer.headers['content-type'], types[file.split('.').pop()]);
  }
  for (const path of ['/none.js', '/../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/web/', '/dashboard/app.js/']) {
    const answer = await gateway.get(path);
    assert.ok([400, 403, 404].includes(answer.status), `${path}: ${answer.status}`);
    assert.doesNotMatch(answer.body, /root:/);
  }
});

test('healthz, readyz, metrics', async (t) => {
  const { gateway } = await market(t);
  assert.equal((await gateway.get('/healthz')).status, 200);
  const ready = await gateway.get('/readyz');
  assert.equal(ready.status, 200);
  assert.deepEqual(ready.json, { ready: true, degraded: [] });
  const metrics = await gateway.get('/metrics');
  assert.equal(metrics.status, 200);
  assert.match(metrics.headers['content-type'], /^text\/plain/);
  const names = [
    'pricegate_connections', 'pricegate_subscriptions', 'pricegate_quotes_received_total',
    'pricegate_deliveries_total', 'pricegate_frames_total', 'pricegate_conflated_total',
    'pricegate_disconnects_total', 'pricegate_rejected_total', 'pricegate_provider_requests_total',
    'pricegate_provider_latency_seconds', 'pricegate_provider_credits_left', 'pricegate_breaker_state',
    'pricegate_arrival_to_write_seconds', 'pricegate_quote_age_seconds', 'pricegate_bus_up',
    'pricegate_bus_invalid_total', 'process_resident_memory_bytes', 'process_cpu_seconds_total',
    'process_open_fds', 'pipeline_ingestion_records_total', 'pipeline_ingestion_errors_total',
    'pipeline_ingestion_duration_seconds', 'pipeline_data_quality_checks_total',
  ];
  for (const name of names) assert.match(metrics.body, new RegExp(`^# TYPE ${name} `, 'm'), name);
  assert.match(metrics.body, /^pricegate_provider_requests_total\{provider="twelvedata",result="ok"\} [1-9]/m);
  assert.match(metrics.body, /^pricegate_quote_age_seconds\{symbol="coffee"\} /m);
  assert.match(metrics.body, /^pricegate_breaker_state\{provider="yahoo"\} 0/m);
});

test('readyz stays 200 when all providers are gone, and says so', async (t) => {
  const { gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', '*', status(500)),
    config: {
      breaker: { threshold: 1, timeout_s: 60 },
      instruments: [instrument('coffee', [['yahoo', 'KC=F']])],
    },
  });
  const ready = await until(async () => {
    const answer = await gateway.get('/readyz');
    return answer.json.degraded?.includes('providers') && answer;
  }, 'providers degraded');
  assert.equal(ready.status, 200);
  assert.equal(ready.json.ready, true);
});

test('a metrics port of its own', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const { gateway } = await scene(t, {
    config: { listen: { metrics_port: port }, instruments: [external('coffee')] },
  });
  const base = new URL(gateway.url);
  base.port = port;
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    assert.equal((await request(base.href, { path })).status, 200, path);
  }
  assert.equal((await request(base.href, { path: '/api/v1/quotes' })).status, 404);
});

test('data-health', async (t) => {
  const { gateway } = await market(t);
  const health = (await gateway.get('/data-health/status')).json;
  assert.match(health.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
  assert.equal(health.overall_status, 'degraded');
  const { coffee, tea } = health.categories.coffee_prices;
  assert.equal(coffee.status, 'fresh');
  assert.equal(coffee.stale, false);
  assert.ok(coffee.age_hours < 1);
  assert.ok(!Number.isNaN(Date.parse(coffee.last_updated)));
  assert.ok(Date.parse(coffee.next_run) > Date.now() - 2000);
  assert.deepEqual(tea, {
    last_updated: null,
    age_hours: null,
    stale: true,
    status: 'missing',
    state: 'unavailable',
    source: null,
  });
  assert.equal(health.categories.fx_rates['EUR/USD'].status, 'fresh');

  const { sources } = (await gateway.get('/data-health/sources')).json;
  const { twelvedata } = sources;
  assert.equal(twelvedata.provider, 'twelvedata');
  assert.equal(twelvedata.state, 'closed');
  assert.equal(twelvedata.failures, 0);
  assert.equal(twelvedata.failure_threshold, 1000);
  assert.ok(!Number.isNaN(Date.parse(twelvedata.last_success)));
  for (const member of ['retry_at', 'reason', 'last_error', 'credits_left']) assert.ok(member in twelvedata, member);
  assert.equal(twelvedata.suspended, false);
  assert.equal(twelvedata.reliability, 1);
  assert.ok(twelvedata.fetches_30d > 0);
});

test('a provider without its key is disabled and says why', async (t) => {
  const { gateway } = await scene(t, {
    config: {
      providers: {},
      instruments: [instrument('AAPL', [['twelvedata', 'AAPL']], { poll_ms: 1000 })],
    },
  });
  const { twelvedata } = (await gateway.get('/data-health/sources')).json.sources;
  assert.equal(twelvedata.state, 'disabled');
  assert.match(twelvedata.reason, /TWELVE_DATA_API_KEY/);
});

test('refresh: success, partial, failed; the second joins the first', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
      upstream.set('yahoo', 'AAPL', ok({ price: '150.10' }));
    },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1']], { poll_ms: 600_000 }),
        instrument('AAPL', [['yahoo', 'AAPL']], { poll_ms: 600_000 }),
      ],
    },
  });
  const [first, second] = await Promise.all([
    gateway.post('/data-health/refresh-all'),
    gateway.post('/data-health/refresh-all'),
  ]);
  for (const answer of [first, second]) {
    assert.equal(answer.status, 200);
    assert.equal(answer.json.status, 'success');
    assert.equal(typeof answer.json.duration_seconds, 'number');
    assert.deepEqual(answer.json.errors, []);
    assert.equal(typeof answer.json.operations, 'object');
  }
  assert.ok(upstream.requests('yahoo').length <= 2, 'joined, not repeated');

  const refreshed = (wanted) =>
    until(async () => {
      const answer = await gateway.post('/data-health/refresh-market');
      return answer.json.status === wanted && answer.json;
    }, `a refresh that is ${wanted}`, 20_000, 500);
  upstream.set('twelvedata', 'KC1', status(500));
  const partial = await refreshed('partial');
  assert.equal(partial.errors.length, 1);
  assert.match(JSON.stringify(partial.errors), /coffee/);
  assert.match(JSON.stringify(partial.errors), /upstream_error/);
  upstream.set('yahoo', 'AAPL', status(500));
  assert.equal((await refreshed('failed')).errors.length, 2);

  const nothing = await gateway.post('/data-health/refresh-intelligence');
  assert.equal(nothing.status, 200);
  assert.equal(nothing.json.status, 'success');
  assert.deepEqual(nothing.json.errors, []);
});

test('out of budget: partial, with the error budget', async (t) => {
  const { gateway } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
      upstream.set('yahoo', 'AAPL', ok({ price: '150.10' }));
    },
    providers: { twelvedata: { credits_per_minute: 1 } },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1']], { poll_ms: 600_000 }),
        instrument('AAPL', [['yahoo', 'AAPL']], { poll_ms: 600_000 }),
      ],
    },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'the credit is used');
  const answer = await until(async () => {
    const { json } = await gateway.post('/data-health/refresh-all');
    return json.status === 'partial' && json;
  }, 'a partial refresh', 15_000, 500);
  assert.match(JSON.stringify(answer.errors), /budget/);
});

test('reset-circuit takes back breaker and cool-down', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => upstream.set('twelvedata', 'KC1', creditsGone()),
    config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']])] },
  });
  const state = async () => (await gateway.get('/data-health/sources')).json.sources.twelvedata;
  await until(async () => (await state()).state === 'open', 'the cool-down shows as open');
  assert.ok(Date.parse((await state()).retry_at) > Date.now());
  upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  const answer = await gateway.post('/data-health/reset-circuit/twelvedata');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, { provider: 'twelvedata', state: 'closed' });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  isProblem(await gateway.post('/data-health/reset-circuit/nobody'), 404);
});

test('HEAD wherever GET is', async (t) => {
  const { gateway } = await market(t);
  const paths = [
    '/', '/healthz', '/readyz', '/api/v1/quotes', '/api/v1/quotes/coffee', '/api/v1/instruments',
    '/data-health/sources',
  ];
  for (const path of paths) {
    const head = await gateway.get(path, { method: 'HEAD' });
    assert.equal(head.status, 200, path);
    assert.equal(head.body, '', path);
    assert.equal(head.headers['content-type'], (await gateway.get(path)).headers['content-type'], path);
  }
  assert.equal((await gateway.get('/metrics', { method: 'HEAD' })).status, 200);
  assert.equal((await gateway.get('/api/v1/quotes/FOO', { method: 'HEAD' })).status, 404);
});

test('404, 405 with Allow', async (t) => {
  const { gateway } = await market(t);
  const absent = [
    '/nothing', '/api/v1/', '/api/v2/quotes', '/docs/nothing.js', '/docs/docs', '/admin', '/data-health/reset-circuit/',
  ];
  for (const path of absent) isProblem(await gateway.get(path), 404);
  for (const [method, path, allowed] of [
    ['POST', '/api/v1/quotes', 'GET'],
    ['DELETE', '/api/v1/quotes/coffee', 'GET'],
    ['PUT', '/readyz', 'GET'],
    ['GET', '/data-health/refresh-all', 'POST'],
    ['GET', '/data-health/reset-circuit/yahoo', 'POST'],
  ]) {
    const answer = await gateway.get(path, { method, ...(method === 'GET' ? {} : { body: '' }) });
    isProblem(answer, 405);
    assert.match(answer.headers.allow, new RegExp(`\\b${allowed}\\b`), `${method} ${path}`);
  }
});

test('odd paths name nothing', async (t) => {
  const { gateway } = await market(t);
  // Behind a NUL the library of some versions answers, of others it hangs up.
  const nul = await gateway.get('/api/v1/quotes/%00').catch(() => ({ status: 0, body: '' }));
  assert.ok([0, 400, 403, 404].includes(nul.status), `NUL: ${nul.status}`);
  for (const path of [
    '/api/v1/quotes/coffee/', '/api/v1/quotes/%zz', '/api/v1/quotes/%20coffee',
    `/api/v1/quotes/${'x'.repeat(2000)}`, '/api/v1/quotes/../../../../etc/passwd', '/api/v1/quotes/coffee%3F',
  ]) {
    const answer = await gateway.get(path);
    assert.ok([400, 403, 404].includes(answer.status), `${path.slice(0, 60)}: ${answer.status}`);
    assert.doesNotMatch(answer.body, /root:|"price"/);
  }
});

// --- roles ---

test('keys: who may do what', async (t) => {
  const keys = ['viewer', 'analyst', 'admin'].map((role) => ({
    name: `a ${role}`,
    role,
    sha256: sha256(`${role}-token`),
  }));
  const { gateway } = await market(t, { auth: { anonymous_role: null, keys } });
  const routes = [
    ['GET', '/api/v1/quotes', 'viewer'],
    ['GET', '/api/v1/quotes/coffee', 'viewer'],
    ['GET', '/api/v1/instruments', 'viewer'],
    ['GET', '/data-health/status', 'analyst'],
    ['GET', '/data-health/sources', 'analyst'],
    ['GET', '/data-health/jobs', 'analyst'],
    ['POST', '/data-health/refresh-intelligence', 'analyst'],
    ['POST', '/data-health/reset-circuit/yahoo', 'admin'],
  ];
  const rank = { viewer: 1, analyst: 2, admin: 3 };
  for (const [method, path, needed] of routes) {
    const ask = (options) => gateway.get(path, { method, ...(method === 'POST' ? { body: '' } : {}), ...options });
    const anonymous = await ask({});
    isProblem(anonymous, 401);
    assert.match(anonymous.headers['www-authenticate'], /^Bearer/);
    isProblem(await ask(bearer('wrong')), 401);
    for (const role of Object.keys(rank)) {
      const answer = await ask(bearer(`${role}-token`));
      if (rank[role] >= rank[needed]) assert.equal(answer.status, 200, `${role} ${path}`);
      else isProblem(answer, 403);
    }
  }
  for (const path of ['/', '/healthz', '/readyz']) assert.equal((await gateway.get(path)).status, 200, path);
  assert.equal((await gateway.get('/metrics')).status, 200, 'metrics: loopback is enough');
});

test('a bad token is refused even where none is needed', async (t) => {
  const { gateway } = await market(t, {
    auth: { keys: [{ name: 'x', role: 'admin', sha256: sha256('admin-token') }] },
  });
  assert.equal((await gateway.get('/api/v1/quotes')).status, 200, 'anonymous is a viewer');
  isProblem(await gateway.get('/api/v1/quotes', bearer('wrong')), 401);
  assert.ok([401, 403].includes((await gateway.get('/data-health/status')).status), 'keys: nobody is local');
});

test('who is local: loopback, own Host, nothing forwarded, no foreign Origin', async (t) => {
  const { gateway } = await market(t);
  const ask = async (headers) => (await gateway.get('/data-health/status', { headers })).status;
  const { port } = gateway;
  for (const headers of [
    {},
    { Host: `localhost:${port}` },
    { Host: `127.0.0.1:${port}` },
    { Host: `[::1]:${port}` },
    { Host: `127.0.0.1:${port}`, Origin: `http://127.0.0.1:${port}` },
  ]) {
    assert.equal(await ask(headers), 200, JSON.stringify(headers));
  }
  for (const headers of [
    { 'X-Forwarded-For': '192.0.2.1' },
    { 'X-Forwarded-Proto': 'https' },
    { 'X-Forwarded-Host': 'x' },
    { Forwarded: 'for=192.0.2.1' },
    { Via: '1.1 proxy' },
    { Host: 'prices.example' },
    { Host: 'localhost.evil.example' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ]) {
    const code = await ask(headers);
    assert.ok(code === 401 || code === 403, `${JSON.stringify(headers)}: ${code}`);
  }
});

test('a trusted proxy gives an address and grants nothing', async (t) => {
  const keyed = { listen: { trusted_proxies: ['127.0.0.0/8'] }, instruments: [external('coffee')] };
  const { gateway } = await scene(t, { config: keyed });
  for (const headers of [
    { 'X-Forwarded-For': '127.0.0.1' },
    { 'X-Forwarded-For': '192.0.2.1, 127.0.0.1' },
    { 'X-Forwarded-For': '127.0.0.1, 127.0.0.2', Host: 'localhost' },
    { 'X-Forwarded-For': '' },
    { 'X-Forwarded-User': 'admin', 'X-Real-IP': '127.0.0.1' },
  ]) {
    for (const path of ['/data-health/status', '/admin/clients', '/metrics'])
      assert.equal((await gateway.get(path, { headers })).status, 401, `${path} ${JSON.stringify(headers)}`);
  }
  const refused = await gateway.log((l) => l.event === 'audit' && l.address === '192.0.2.1');
  assert.equal(refused.result, 'auth_required');
  assert.equal((await gateway.get('/admin/clients')).status, 200, 'the person at this machine');
});

test('a line break in the path hides no header', async (t) => {
  const { gateway } = await scene(t, { config: { instruments: [external('coffee')] } });
  // What a proxy passes on: its own header first, the path as it came.
  const through = (path) =>
    rawExchange(gateway, `GET ${path} HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  for (const path of ['/data-health/status', '/metrics']) {
    assert.match(await through(path), /^HTTP\/1\.1 401 /);
    for (const end of [
      '%0A', '%0Ax', '%0A%0A', '%0D', '%0D%0A', '%0D%0Ax', '?a=b%0Ax', '?a=b%0D%0Ax', '%0AHost:localhost', '%0AHTTP/1.1', '%0AX:',
    ]) {
      assert.match(await through(path + end), /^HTTP\/1\.[01] (400|401|403|404|505) /, path + end);
    }
  }
});

test('state-changing requests check Origin; CORS only for the listed', async (t) => {
  const { gateway } = await market(t, { origins: ['https://desk.example'] });
  const post = async (headers) =>
    (await gateway.post('/data-health/refresh-intelligence', { headers })).status;
  assert.equal(await post({}), 200);
  assert.equal(await post({ Origin: gateway.url }), 200);
  assert.equal(await post({ Origin: 'https://evil.example' }), 403);
  assert.equal(await post({ Origin: 'null' }), 403);

  const cors = async (origin) =>
    (await gateway.get('/api/v1/quotes', { headers: { Origin: origin } })).headers['access-control-allow-origin'];
  assert.equal(await cors('https://desk.example'), 'https://desk.example');
  assert.equal(await cors('https://evil.example'), undefined);
});

// --- bodies, by hand ---

async function rawExchange(gateway, text) {
  const socket = net.connect(gateway.port, '127.0.0.1');
  const parts = [];
  socket.on('data', (bytes) => parts.push(bytes));
  socket.on('error', () => {});
  socket.write(text);
  await within(once(socket, 'close'), 'the connection is closed', 8000);
  return Buffer.concat(parts).toString();
}

test('a POST without length is answered and the connection closed', async (t) => {
  const { gateway } = await market(t);
  const text = await rawExchange(
    gateway,
    `POST /data-health/refresh-intelligence HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /"status":\s*"success"/);
});

test('chunked, negative, duplicate and absurd lengths are refused', async (t) => {
  const { gateway } = await market(t);
  for (const headers of [
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    'Content-Length: -1',
    'Content-Length: 3\r\nContent-Length: 4',
    'Content-Length: 99999999999999999999',
    'Content-Length: 3x',
  ]) {
    const text = await rawExchange(
      gateway,
      `POST /data-health/refresh-intelligence HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\n${headers}\r\n\r\n0\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 400 /, headers);
    assert.equal(text.match(/HTTP\/1\.1 /g).length, 1, `one answer only: ${headers}`);
  }
  const large = await rawExchange(
    gateway,
    `POST /data-health/refresh-intelligence HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nContent-Length: 70000\r\n\r\n`,
  );
  assert.match(large, /^HTTP\/1\.1 (400|413) /);
  assert.equal((await gateway.get('/healthz')).status, 200);
});
