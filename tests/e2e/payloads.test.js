// Recorded replies of the providers, served over HTTPS as they were recorded: the right prices come
// out on the WebSocket and over REST. The recordings are no part of the repository; where they are
// not beside it there is nothing to test. (That each file has a row is checked by the unit test of
// the parsers; here the way through the whole program is tried.)

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseExact } from '../../web/quote.js';
import { folder, recording, recordings, serve } from '../support/recordings.js';
import { scene, testCerts } from '../support/scene.js';
import { raw } from '../support/upstream.js';
import { runCommand } from '../support/gateway.js';
import { until } from '../support/wait.js';

const skip = folder ? false : 'no recorded replies beside the repository (PRICEGATE_PAYLOADS)';

for (const { provider, file, quotes } of recordings) {
  test(`${provider}/${file}`, { skip }, async (t) => {
    const made = await scene(t, {
      config: {
        instruments: quotes.map((q) => ({
          symbol: q.symbol,
          poll_ms: 500,
          sources: [{ provider, symbol: q.symbol }],
        })),
      },
    });
    serve(made.upstream, provider, file, quotes);
    const client = await made.follow();
    for (const { symbol, price, currency, ts } of quotes) {
      const path = `/api/v1/quotes/${encodeURIComponent(symbol)}`;
      const rest = await until(async () => {
        const answer = await made.gateway.get(path);
        return answer.status === 200 && parseExact(answer.body);
      }, `${symbol} has a price`);
      assert.equal(rest.price, price);
      assert.equal(rest.currency, currency);
      assert.equal(rest.ts, String(ts * 1000));
      assert.equal(rest.source, provider);
      assert.notEqual(rest.state, 'live', 'what was recorded long ago is not live');
      const pushed = await until(
        () =>
          client.messages
            .filter((m) => m.type === 'quote')
            .flatMap((m) => parseExact(m.text).data)
            .find((q) => q.symbol === symbol),
        `${symbol} over the WebSocket`,
      );
      assert.equal(pushed.price, price);
    }
  });
}

test('recorded refusals: fetch names the failure', { skip }, async (t) => {
  const { upstream, gateway } = await scene(t, {
    env: { REALTIME_PRICE_FEED_ENABLED: 'false' },
    config: {
      instruments: ['twelvedata', 'yahoo'].map((provider) => ({
        symbol: provider,
        sources: [{ provider, symbol: 'AAPL' }],
      })),
    },
  });

  for (const [provider, file, code, failure] of [
    ['twelvedata', 'error-401-apikey.json', 200, 'auth'],
    ['twelvedata', 'error-404-symbol-figi.json', 200, 'not_found'],
    ['twelvedata', 'error-429-minute-credits.json', 200, 'rate_limited'],
    ['twelvedata', 'error-429-minute-credits.json', 429, 'rate_limited'],
    ['twelvedata', 'exchange_schedule.json', 200, 'bad_schema'],
    ['yahoo', '429-edge-too-many-requests.txt', 429, 'rate_limited'],
    ['yahoo', 'chart-404-not-found.json', 404, 'not_found'],
    ['yahoo', 'finance-error-400.json', 400, 'bad_schema|upstream_error'],
    ['yahoo', 'quote-401-invalid-crumb.json', 401, 'auth'],
    ['yahoo', 'quote-delisted-empty-result.json', 200, 'bad_schema|not_found|no_data'],
  ]) {
    upstream.set(provider, '*', raw(recording(provider, file), code));
    const result = await runCommand(['fetch', provider, '--config', gateway.file], {
      env: { SSL_CERT_FILE: testCerts().ca },
    });
    assert.equal(result.code, 1, `${file}: ${result.stdout}`);
    assert.match(result.stderr, new RegExp(`${provider}.*\\b(${failure})\\b`), `${file} (${code})`);
  }
});
