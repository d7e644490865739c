// Why a price comes from where it comes from, and what a caller may do: the two routes that pages ask.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { external, instrument, scene } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { until } from '../support/wait.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });
const key = (name, role, more = {}) => ({ name, role, sha256: sha256(`${role}-token`), ...more });

test('provenance: the first source refuses, the second answers, the first is back', async (t) => {
  const from = Date.now();
  const { upstream, gateway } = await scene(t, {
    script: (u) => {
      u.set('twelvedata', 'KC1', status(429, 'Too Many Requests'));
      u.set('yahoo', 'KC=F', ok({ price: '2.95' }));
    },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { category: 'coffee_prices' }),
        external('tea'),
      ],
    },
  });
  const said = async () => (await gateway.get('/api/v1/provenance/coffee')).json;
  const fallback = await until(async () => {
    const now = await said();
    return now.source === 'yahoo' && now.sources[0].skipped && now;
  }, 'the fallback answers, and the first is left alone');
  assert.equal(fallback.symbol, 'coffee');
  const [first, second] = fallback.sources;
  assert.equal(first.provider, 'twelvedata');
  assert.equal(first.symbol, 'KC1');
  assert.equal(first.state, 'open', 'a 429 is a cool-down');
  assert.ok(first.retry_at > Date.now());
  assert.equal(first.answered, null);
  assert.equal(first.failure.error, 'rate_limited');
  assert.equal(first.failure.status, 429);
  assert.equal(first.failure.times, 1);
  assert.equal(first.skipped.error, 'breaker_open');
  for (const ms of [first.failure.at, first.failure.since, first.skipped.since, fallback.since, second.answered]) {
    assert.ok(ms >= from - 5 && ms <= Date.now() + 5, `${ms} is no time of this test`);
  }
  assert.ok(first.failure.at <= fallback.since + 5, 'first one fails, then the other answers');
  assert.equal(second.failure, null);
  assert.equal(second.state, 'closed');

  upstream.set('twelvedata', 'KC1', ok({ price: '2.96' }));
  assert.equal((await gateway.post('/data-health/reset-circuit/twelvedata')).status, 200);
  const back = await until(async () => {
    const now = await said();
    return now.source === 'twelvedata' && now;
  }, 'the first answers again');
  assert.equal(back.sources[0].failure.status, 429, 'history');
  assert.equal(back.sources[0].skipped, null);
  assert.ok(back.since > fallback.since);

  const nobody = (await gateway.get('/api/v1/provenance/tea')).json;
  assert.deepEqual(nobody, { source: null, source_symbol: null, since: null, sources: [], symbol: 'tea' });
  assert.equal((await gateway.get('/api/v1/provenance/FOO')).status, 404);
});

test('data-health: since when a breaker is open, and when the last error was', async (t) => {
  const { gateway } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', status(500)),
    config: {
      breaker: { threshold: 2, timeout_s: 60 },
      instruments: [instrument('coffee', [['twelvedata', 'KC1']])],
    },
  });
  const shut = await until(async () => {
    const { sources } = (await gateway.get('/data-health/sources')).json;
    return sources.twelvedata.state === 'open' && sources;
  }, 'the breaker opens');
  const since = Date.parse(shut.twelvedata.state_since);
  assert.ok(Math.abs(Date.parse(shut.twelvedata.retry_at) - since - 60_000) <= 5, 'it waits for a minute from then');
  assert.ok(Math.abs(Date.parse(shut.twelvedata.last_error_at) - since) <= 5);
  assert.equal(shut.twelvedata.in_use, true);
  assert.equal(shut.yahoo.in_use, false);
  assert.equal(shut.yahoo.last_error_at, null);
  assert.equal(shut.yahoo.state_since, null);
});

test('whoami: role, ground, limits; a bad token is refused', async (t) => {
  const { gateway } = await scene(t, {
    config: {
      auth: { keys: [key('eyes', 'viewer', { symbols: ['coffee'], delay_s: 30 }), key('desk', 'analyst'), key('ops', 'admin')] },
      instruments: [external('coffee'), external('tea')],
    },
  });
  const ask = async (token) => (await gateway.get('/whoami', token ? bearer(token) : {})).json;
  const plain = { all_symbols: true, delay_s: 0, expires: null };
  assert.deepEqual(await ask(), { role: 'viewer', by: 'anonymous', name: null, ...plain });
  assert.deepEqual(await ask('viewer-token'), { role: 'viewer', by: 'key', name: 'eyes', ...plain, all_symbols: false, delay_s: 30 });
  assert.deepEqual(await ask('analyst-token'), { role: 'analyst', by: 'key', name: 'desk', ...plain });
  assert.deepEqual(await ask('admin-token'), { role: 'admin', by: 'key', name: 'ops', ...plain });
  const bad = await gateway.get('/whoami', bearer('wrong'));
  assert.equal(bad.status, 401);
  assert.match(bad.headers['www-authenticate'], /^Bearer/);
  assert.equal((await gateway.get('/api/v1/provenance/coffee', bearer('viewer-token'))).status, 200);
  assert.equal((await gateway.get('/api/v1/provenance/tea', bearer('viewer-token'))).status, 403, 'not its symbol');

  const { gateway: own } = await scene(t, { config: { instruments: [external('coffee')] } });
  assert.deepEqual((await own.get('/whoami')).json, { role: 'admin', by: 'local', name: null, ...plain });
});
