// A table that changes once a day is not sent each time: the tag of the last reply goes with the
// next request, and "nothing new" confirms the rates that were sent before.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { startGateway } from '../support/gateway.js';
import { until } from '../support/wait.js';

// The last working day: rates of a day far back would be an ended series.
function workingDay() {
  const day = new Date(Date.now() - 86_400_000);
  while (day.getUTCDay() === 0 || day.getUTCDay() === 6) day.setUTCDate(day.getUTCDate() - 1);
  return day.toISOString().slice(0, 10);
}

test('a 304 confirms the rates that came before', async (t) => {
  const conditions = [];
  let tag = '"first"';
  let usd = 1.1622;
  const server = http.createServer((req, res) => {
    conditions.push(req.headers['if-none-match'] ?? null);
    if (req.headers['if-none-match'] === tag) {
      res.writeHead(304, { etag: tag }).end();
      return;
    }
    res.writeHead(200, { 'content-type': 'application/json', etag: tag });
    res.end(JSON.stringify({ amount: 1.0, base: 'EUR', date: workingDay(), rates: { USD: usd } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());

  const gateway = await startGateway({
    providers: {
      frankfurter: {
        base_url: `http://127.0.0.1:${server.address().port}`,
        credits_per_minute: 0,
        credits_per_day: 0,
      },
    },
    instruments: [
      {
        symbol: 'EUR/USD',
        poll_ms: 100,
        stale_after_ms: 1000,
        sources: [{ provider: 'frankfurter', symbol: 'EUR/USD' }],
      },
    ],
  });
  t.after(() => gateway.stop());
  const quote = async () => (await gateway.get('/api/v1/quotes/EUR%2FUSD')).json;

  const first = await until(async () => ((await quote()).price === usd ? quote() : null), 'the first rate');
  const confirmed = await until(async () => ((await quote()).recv > first.recv ? quote() : null), 'a confirmation');
  assert.equal(confirmed.price, first.price);
  assert.equal(confirmed.ts, first.ts);
  assert.equal(conditions[0], null);
  assert.ok(conditions.slice(1).every((c) => c === '"first"') && conditions.length > 2, String(conditions));

  tag = '"second"';
  usd = 1.1701;
  await until(async () => (await quote()).price === usd, 'the new rate');
  await until(() => conditions.at(-1) === '"second"', 'the new tag');
  const metrics = (await gateway.get('/metrics')).body;
  assert.match(metrics, /pricegate_provider_requests_total\{provider="frankfurter",result="ok"\} [1-9]/);
  assert.ok(!/provider="frankfurter",result="(?!ok)/.test(metrics), 'a 304 is no failure');
});

// An error under 200 may have a tag as well. Confirmed by a 304 it would be the answer for ever.
test('a reply that says nothing is not what a 304 stands for', async (t) => {
  const tag = '"broken"';
  const conditions = [];
  let broken = true;
  const server = http.createServer((req, res) => {
    conditions.push(req.headers['if-none-match'] ?? null);
    if (req.headers['if-none-match'] === tag) {
      res.writeHead(304, { etag: tag }).end();
      return;
    }
    res.writeHead(200, { 'content-type': 'application/json', etag: tag });
    res.end(
      JSON.stringify(
        broken
          ? { message: 'invalid currency: EUR' }
          : { amount: 1.0, base: 'EUR', date: workingDay(), rates: { USD: 1.25 } },
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());

  const gateway = await startGateway({
    providers: {
      frankfurter: {
        base_url: `http://127.0.0.1:${server.address().port}`,
        credits_per_minute: 0,
        credits_per_day: 0,
      },
    },
    instruments: [
      {
        symbol: 'EUR/USD',
        poll_ms: 100,
        sources: [{ provider: 'frankfurter', symbol: 'EUR/USD' }],
      },
    ],
  });
  t.after(() => gateway.stop());
  await until(() => conditions.length >= 2, 'a second request');
  assert.ok(
    conditions.every((c) => c === null),
    String(conditions),
  );
  broken = false;
  await until(async () => (await gateway.get('/api/v1/quotes/EUR%2FUSD')).json.price === 1.25, 'the rate');
});
