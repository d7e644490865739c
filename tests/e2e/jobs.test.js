// Jobs in the whole program: runs by the clock and by request, their records over a restart with a
// real Redis, and sources that are left alone until somebody says otherwise.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';

import { runCommand, startGateway } from '../support/gateway.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

const seldom = { poll_ms: 3_600_000 };
const coffee = instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], seldom);
const apple = instrument('AAPL', [['yahoo', 'AAPL']], seldom);

const jobsOf = async (gateway) => (await gateway.get('/data-health/jobs')).json;
const sourceOf = async (gateway, name) => (await gateway.get('/data-health/sources')).json.sources[name];
const runsReach = (gateway, n) =>
  until(async () => {
    const { jobs } = await jobsOf(gateway);
    return jobs.length >= n && jobs;
  }, `${n} runs`);

/** What Open-Meteo says of one place. */
async function weatherServer(t) {
  const server = http.createServer((req, res) => {
    const time = Math.floor(Date.now() / 900_000) * 900;
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(
      JSON.stringify({
        latitude: -21.5,
        longitude: -45.5,
        utc_offset_seconds: 0,
        current_units: { time: 'unixtime', interval: 'seconds', temperature_2m: '°C' },
        current: { time, interval: 900, temperature_2m: 21.4 },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test('requests are runs of their pipeline, each with its own operations', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
      upstream.set('yahoo', 'AAPL', ok({ price: '150.10' }));
    },
    config: {
      instruments: [coffee, apple],
      observations: [
        { name: 'sul-de-minas', poll_ms: 3_600_000, sources: [{ provider: 'openmeteo', symbol: '-21.55,-45.43' }] },
      ],
    },
    env: { PRICEGATE_PROVIDERS_OPENMETEO_BASE_URL: await weatherServer(t) },
  });
  const market = (await gateway.post('/data-health/refresh-market')).json;
  assert.equal(market.status, 'success');
  assert.deepEqual(Object.keys(market.operations), ['market']);
  assert.equal(market.operations.market.requested, 2);
  assert.equal(market.operations.market.failed, 0);

  const intelligence = (await gateway.post('/data-health/refresh-intelligence')).json;
  assert.equal(intelligence.status, 'success', JSON.stringify(intelligence));
  assert.deepEqual(Object.keys(intelligence.operations), ['intelligence']);
  assert.equal(intelligence.operations.intelligence.requested, 1);
  assert.equal(intelligence.operations.intelligence.symbols['sul-de-minas'].source, 'openmeteo');

  upstream.set('yahoo', 'AAPL', status(500));
  const all = await until(async () => {
    const { json } = await gateway.post('/data-health/refresh-all');
    return json.status === 'partial' && json;
  }, 'what was refreshed a moment ago is asked again', 20_000, 500);
  assert.equal(all.operations.market.status, 'partial');
  assert.equal(all.operations.intelligence.status, 'success');
  assert.deepEqual(all.errors.map((e) => [e.symbol, e.error, e.source]), [['AAPL', 'upstream_error', 'yahoo']]);

  const { jobs, next, running } = await jobsOf(gateway);
  assert.deepEqual(running, []);
  assert.deepEqual(next, { enrich: null, full: null, intelligence: null, market: null });
  assert.equal(jobs[0].job, 'full');
  assert.equal(jobs[0].status, 'partial');
  assert.equal(jobs[0].trigger, 'request');
  assert.equal(jobs[0].requested, 3);
  assert.equal(jobs[0].sources.yahoo.error, 'upstream_error');
  assert.equal(jobs[0].errors[0].symbol, 'AAPL');
  assert.deepEqual(jobs.slice(-2).map((j) => j.job), ['intelligence', 'market']);
  for (const pipeline of ['market', 'intelligence']) {
    const line = gateway.logs.find((l) => l.event === `${pipeline}_pipeline_complete` && l.job === 'full');
    assert.equal(line.level, 'info');
    assert.equal(typeof line.duration_ms, 'number');
  }
});

test('a run over nothing is a run, too', async (t) => {
  const { gateway } = await scene(t, { config: { instruments: [external('tea')] } });
  for (const [route, job] of [['market', 'market'], ['intelligence', 'intelligence'], ['all', 'full']]) {
    const { status, json } = await gateway.post(`/data-health/refresh-${route}`);
    assert.equal(status, 200);
    assert.equal(json.status, 'success');
    const [last] = (await jobsOf(gateway)).jobs;
    assert.deepEqual([last.job, last.status, last.requested], [job, 'success', 0]);
    for (const pipeline of job === 'full' ? ['market', 'intelligence'] : [job]) {
      const line = await gateway.log((l) => l.event === `${pipeline}_pipeline_complete` && l.job === job);
      assert.equal(line.instruments, 0);
    }
  }
  assert.equal((await jobsOf(gateway)).jobs.length, 3);
});

test('by the clock: retried, recorded, known after a restart', async (t) => {
  const { upstream, redis, gateway } = await scene(t, {
    redis: true,
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', status(500));
      upstream.set('yahoo', 'KC=F', status(500));
      upstream.set('yahoo', 'AAPL', ok({ price: '150.10' }));
    },
    config: {
      instruments: [coffee, apple],
      jobs: { full: { every: 'hourly' }, enrich: { times: ['03:15'] }, retry_s: 1, sla_s: 1 },
    },
    env: { DATA_PIPELINE_MAX_RETRIES: '10', MARKET_REFRESH_TIMES: '06:00,18:30' },
  });
  // The first attempt failed for coffee: it is asked again, the others are not.
  await until(() => upstream.requests('twelvedata').length >= 3, 'coffee is asked again');
  const apples = () => upstream.requests('yahoo').filter((r) => r.symbols.includes('AAPL')).length;
  assert.equal(apples(), 1);
  await gateway.log('job_overrun');
  assert.deepEqual((await jobsOf(gateway)).running, ['full']);
  upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  const [run] = await runsReach(gateway, 1);
  assert.equal(run.job, 'full');
  assert.equal(run.trigger, 'schedule');
  assert.equal(run.status, 'success');
  assert.equal(run.overran, true);
  assert.ok(run.retries >= 1);
  assert.ok(run.sources.twelvedata.failed >= 2);
  assert.equal(run.sources.twelvedata.ok, 1);
  const { next } = await jobsOf(gateway);
  assert.ok(Date.parse(next.full) - Date.parse(run.started) === 3_600_000);
  assert.match(next.market, /T(06:00|18:30):00\.000Z$/);
  assert.match(next.enrich, /T03:15:00\.000Z$/);
  assert.equal(next.intelligence, null);
  await until(async () => (await redis.command('GET', 'pricegate:jobs'))?.includes(run.started), 'it is on the bus');
  const before = await sourceOf(gateway, 'twelvedata');
  assert.ok(before.reliability > 0 && before.reliability < 1);

  await gateway.stop();
  const again = await startGateway(gateway.config, { env: gateway.env });
  t.after(() => again.stop());
  assert.deepEqual((await runsReach(again, 1))[0], run);
  assert.equal((await jobsOf(again)).next.full, next.full, 'an hour after the last run, not after the start');
  const after = await sourceOf(again, 'twelvedata');
  assert.ok(after.fetches_30d >= before.fetches_30d);
  assert.ok(after.reliability < 1, 'the failures are not forgotten');

  // A new run joins the old one in the document.
  await until(async () => (await again.post('/data-health/refresh-market')).status === 200, 'a request');
  await until(async () => {
    const { runs } = JSON.parse(await redis.command('GET', 'pricegate:jobs'));
    return runs.length === 2 && runs[0].job === 'market' && runs[1].job === 'full';
  }, 'both are on the bus');
});

test('the fifth failed run suspends a source, until reset', async (t) => {
  const { upstream, redis, gateway } = await scene(t, {
    redis: true,
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', status(500));
      upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' }));
    },
    config: { instruments: [coffee], limits: { refresh_ms: 0 } },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  // Four failed runs of days gone by: said again before each run, because what a poll counts meanwhile
  // is written over it.
  await until(async () => {
    const doc = { days: [], failed_runs: 4, suspended: false, updated: Date.now() };
    await redis.command('SET', 'pricegate:reliability:twelvedata', JSON.stringify(doc));
    await gateway.post('/data-health/refresh-market');
    return (await sourceOf(gateway, 'twelvedata')).suspended;
  }, 'it is suspended', 30_000, 500);
  const line = await gateway.log('source_suspended');
  assert.equal(line.level, 'error');
  assert.equal(line.provider, 'twelvedata');
  assert.match(line.to_do, /reset-circuit/);
  const source = await sourceOf(gateway, 'twelvedata');
  assert.equal(source.state, 'open');
  assert.equal(source.reason, 'suspended');
  assert.equal(source.retry_at, null);

  // It is not asked any more, and says why; a restart does not forget.
  await until(async () => JSON.parse(await redis.command('GET', 'pricegate:reliability:twelvedata')).suspended, 'kept');
  const ttl = await redis.command('TTL', 'pricegate:reliability:twelvedata');
  assert.ok(ttl > 31 * 86_400, `TTL ${ttl}`);
  await gateway.stop();
  const again = await startGateway(gateway.config, { env: gateway.env });
  t.after(() => again.stop());
  const asked = upstream.requests('twelvedata').length;
  await until(async () => (await sourceOf(again, 'twelvedata')).suspended, 'still suspended');
  const { operations } = (await again.post('/data-health/refresh-market')).json;
  assert.equal(operations.market.symbols.coffee.source, 'yahoo');
  assert.equal(upstream.requests('twelvedata').length, asked);

  upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  const answer = await again.post('/data-health/reset-circuit/twelvedata');
  assert.deepEqual(answer.json, { provider: 'twelvedata', state: 'closed' });
  assert.equal((await sourceOf(again, 'twelvedata')).suspended, false);
  await until(async () => {
    await again.post('/data-health/refresh-market');
    return upstream.requests('twelvedata').length > asked;
  }, 'it is asked again', 20_000, 500);
});

test('Redis silent at the start: its runs are not lost when it comes back', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    script: (upstream) => upstream.set('yahoo', 'AAPL', ok({ price: '150.10' })),
    config: { instruments: [apple] },
  });
  await gateway.post('/data-health/refresh-market');
  await until(async () => (await redis.command('GET', 'pricegate:jobs'))?.includes('market'), 'a run is kept');
  await gateway.stop();
  redis.pause();
  t.after(() => redis.resume());
  const again = await startGateway(gateway.config, { env: gateway.env });
  t.after(() => again.stop());
  await again.post('/data-health/refresh-all');
  assert.deepEqual((await runsReach(again, 1)).map((j) => j.job), ['full']);
  redis.resume();
  await until(async () => {
    const { runs } = JSON.parse(await redis.command('GET', 'pricegate:jobs'));
    return runs.map((r) => r.job).join() === 'full,market';
  }, 'both are there', 20_000);
  assert.deepEqual((await runsReach(again, 2)).map((j) => j.job), ['full', 'market']);
});

test('wrong variables are named', async () => {
  const { code, stderr } = await runCommand(['check'], {
    env: { MARKET_REFRESH_TIMES: '06:00,6pm', DATA_PIPELINE_MAX_RETRIES: 'many', AUTO_ENRICH_TIME: '25:00' },
  });
  assert.equal(code, 1);
  assert.match(stderr, /MARKET_REFRESH_TIMES\[1\] \(jobs\.market\.times\): must be a time of day.*6pm/);
  assert.match(stderr, /AUTO_ENRICH_TIME\[0\] \(jobs\.enrich\.times\): must be a time of day.*25:00/);
  assert.match(stderr, /DATA_PIPELINE_MAX_RETRIES \(jobs\.max_retries\): must be a whole number 0\.\.10, not "many"/);
});
