// What providers do when they are ill: each way has its name, the fallback answers in the same poll,
// nothing of it blocks the loop or fills the memory, and nobody is asked sooner for having failed.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { sanitized } from '../support/gateway.js';
import { instrument, scene, testCerts } from '../support/scene.js';
import {
  after, cut, drip, endless, hang, headers, html, ok, raw, reset, startUpstream, status, text,
} from '../support/upstream.js';
import { temporaryFolder, until } from '../support/wait.js';

const MB = 1024 * 1024;

/** The loop was never away for long. What a machine that is busy with other things does to it is
 *  told, not judged: what would block it here takes seconds. */
async function loopWentOn(t, gateway) {
  const { body } = await gateway.get('/metrics');
  const sample = (name) => Number(body.split('\n').find((l) => l.startsWith(name)).split(' ')[1]);
  const longer = (seconds) =>
    sample('pricegate_loop_busy_seconds_count') - sample(`pricegate_loop_busy_seconds_bucket{le="${seconds}"}`);
  t.diagnostic(`turns of the loop over 50 ms: ${longer(0.05)}, over a second: ${longer(1)}`);
  assert.equal(longer(1), 0);
}

// A body of 100 MB that fits into 100 KB.
const bomb = gzipSync(Buffer.alloc(100 * MB, ' '));
const good = JSON.stringify({ chart: { result: [], error: null } });

// They mostly wait: all at once.
describe('providers that are ill', { concurrency: 6 }, () => {
  test('each way to fail has its name, and the fallback answers', { timeout: 120_000 }, async (t) => {
    const ways = {
      status500: ['upstream_error', status(500, 'oops')],
      html: ['blocked', html()],
      empty: ['bad_schema', text('')],
      spaces: ['bad_schema', text(' \r\n\t ')],
      errorIn200: ['not_found|bad_schema', text('{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}')],
      resetAtOnce: ['connect', reset()],
      resetMidBody: ['upstream_error', cut(good)],
      halfABody: ['bad_schema', text(good.slice(0, good.length / 2))],
      drip: ['timeout', drip()],
      hang: ['timeout', hang()],
      endless: ['upstream_error', endless()],
      bomb: ['upstream_error', raw(bomb, 200, { 'content-encoding': 'gzip' })],
      noGzip: ['upstream_error', raw(good, 200, { 'content-encoding': 'gzip' })],
      headerFlood: ['upstream_error', headers(100_000)],
      redirect: ['upstream_error|bad_schema', status(302, '', { location: '/v8/finance/chart/REDIRECTED' })],
      redirectToFile: ['upstream_error|bad_schema', status(301, '', { location: 'file:///etc/passwd' })],
      redirect307: ['upstream_error|bad_schema', status(307, '', { location: 'http://127.0.0.1:1/' })],
    };
    const names = Object.keys(ways);
    const { upstream, gateway, follow } = await scene(t, {
      args: ['--log-level', 'debug'],
      script: (u) => {
        u.set('yahoo', 'REDIRECTED', ok({ price: '666' }));
        u.set('twelvedata', 'FINE', ok({ price: '1.5' }));
        for (const name of names) {
          // A wall shuts its provider for a while: they are asked when the others have been.
          const last = ways[name][0] === 'blocked';
          u.set('yahoo', name, () => (last && !names.every((n) => n === name || ways[n].seen) ? status(500) : ways[name][1]));
          u.set('twelvedata', name, ok({ price: '7.25' }));
        }
      },
      config: {
        instruments: [
          instrument('fine', [['twelvedata', 'FINE']]),
          ...names.map((name) => instrument(name, [['yahoo', name], ['twelvedata', name]])),
        ],
      },
    });
    const before = await gateway.metric('process_resident_memory_bytes');
    const client = await follow();
    for (const name of [...names.filter((n) => ways[n][0] !== 'blocked'), ...names.filter((n) => ways[n][0] === 'blocked')]) {
      const wanted = new RegExp(`^(${ways[name][0]})$`);
      const line = await gateway.log(
        (l) => l.event === 'price_fetch_failed' && l.symbol === name && l.source === 'yahoo' && wanted.test(l.error),
        30_000,
        `of ${name}: ${wanted}`,
      );
      ways[name].seen = true;
      assert.ok(!line.message.includes('passwd') && !line.message.includes(upstream.url), line.message);
      const item = await until(async () => {
        const { json } = await gateway.get(`/api/v1/quotes/${name}`);
        return json.price && json;
      }, `${name} has a price`);
      assert.deepEqual([item.price, item.source, item.fallback], [7.25, 'twelvedata', true], name);
    }
    const asked = upstream.requests('yahoo').flatMap((r) => r.symbols);
    assert.ok(!asked.includes('REDIRECTED'), 'nothing is followed');
    await client.nextQuote('fine');
    const grown = (await gateway.metric('process_resident_memory_bytes')) - before;
    t.diagnostic(`memory: ${(grown / MB).toFixed(1)} MB more`);
    assert.ok(sanitized || grown < 24 * MB, `${grown} bytes more`);
    assert.ok(!client.messages.some((m) => m.data?.some((q) => q.price === 666)));
    await loopWentOn(t, gateway);
  });

  test('429: nobody is asked sooner than told, or than usual', { timeout: 60_000 }, async (t) => {
    const later = (value) => status(429, 'Too Many Requests', value === undefined ? {} : { 'retry-after': value });
    const long = new Date(Date.now() + 3600_000).toUTCString();
    const { upstream, gateway } = await scene(t, {
      script: (u) => {
        u.set('openmeteo', '*', status(503, 'busy', { 'retry-after': '2' })); // as long as it says
        u.set('eia', '*', later(long)); // a date
        u.set('yahoo', '*', later(undefined)); // a quarter of an hour
        u.set('twelvedata', '*', later('0')); // its minute
        u.set('fred', '*', () => ok({ value: '1.5' }));
      },
      config: {
        instruments: [
          instrument('a', [['twelvedata', 'A']]),
          instrument('b', [['yahoo', 'B']]),
          instrument('c', [['eia', 'C']]),
          instrument('beat', [['fred', 'BEAT']]),
        ],
        observations: [{ name: 'd', poll_ms: 200, sources: [{ provider: 'openmeteo', symbol: '1,1' }] }],
      },
    });
    const asked = (provider) => upstream.requests(provider);
    await until(() => asked('openmeteo').length >= 3, 'it is asked again', 20_000);
    const beats = asked('fred').length;
    await until(() => asked('fred').length > beats + 2, 'some polls more', 20_000);
    const gaps = asked('openmeteo').map((r, i, all) => (i ? r.at - all[i - 1].at : Infinity));
    assert.ok(Math.min(...gaps) >= 1950, `asked again after ${gaps.slice(1)} ms`);
    for (const provider of ['twelvedata', 'yahoo', 'eia']) assert.equal(asked(provider).length, 1, provider);

    const { sources } = (await gateway.get('/data-health/sources')).json;
    const shut = (provider) => (Date.parse(sources[provider].retry_at) - asked(provider)[0].at) / 1000;
    for (const provider of ['twelvedata', 'yahoo', 'eia']) assert.equal(sources[provider].reason, 'rate_limited');
    assert.ok(shut('twelvedata') >= 59 && shut('twelvedata') < 150, `${shut('twelvedata')} s`);
    assert.ok(shut('yahoo') >= 899 && shut('yahoo') < 1000, `${shut('yahoo')} s`);
    assert.ok(shut('eia') >= 3590 && shut('eia') < 3660, `${shut('eia')} s`);
  });

  test('a provider that flaps: one probe at a time, whatever waits', { timeout: 60_000 }, async (t) => {
    const names = ['AA', 'BB', 'CC', 'DD', 'EE'];
    let answer = status(500, 'down');
    const { upstream, gateway } = await scene(t, {
      script: (u) => {
        u.set('yahoo', '*', () => answer);
        for (const name of names) u.set('twelvedata', name, () => ok({ price: '5' }));
      },
      config: {
        breaker: { threshold: 3, timeout_s: 1 },
        instruments: names.map((name) => instrument(name, [['yahoo', name], ['twelvedata', name]])),
      },
    });
    const yahoo = async () => (await gateway.get('/data-health/sources')).json.sources.yahoo.state;
    const count = (provider) => upstream.requests(provider).length;
    await until(async () => (await yahoo()) === 'open', 'it opens');
    const ends = [status(500, 'down'), ok({ price: '6' }), status(500, 'down'), status(500, 'down'), ok({ price: '6' })];
    for (const end of process.env.LONG ? ends : ends.slice(0, 2)) {
      await until(async () => (await yahoo()) !== 'closed', 'it is shut');
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      const before = count('yahoo');
      answer = after(gate, end);
      await until(() => count('yahoo') > before, 'a probe');
      const others = count('twelvedata');
      await until(() => count('twelvedata') >= others + 5, 'polls that might be probes, too');
      assert.equal(count('yahoo'), before + 1, 'one and no more');
      assert.equal(await yahoo(), 'half_open');
      answer = end;
      release();
      if (end.kind === 'ok') {
        await until(() => count('yahoo') > before + 5, 'all go there again');
        answer = status(500, 'down');
      } else {
        await until(async () => (await yahoo()) === 'open', 'it is shut again');
      }
    }
  });

  test('certificates that nobody may believe: tls, the fallback, no request', async (t) => {
    const wrong = testCerts().wrong();
    const liars = {};
    for (const [name, pem] of Object.entries(wrong)) {
      liars[name] = await startUpstream({ certs: { pem } });
      t.after(() => liars[name].stop());
      for (const provider of ['yahoo', 'eia', 'fred']) liars[name].set(provider, '*', ok({ price: '666', value: '666' }));
    }
    const at = (name) => ({ enabled: true, base_url: liars[name].url });
    const { gateway } = await scene(t, {
      script: (u) => u.set('twelvedata', 'FINE', ok({ price: '1.5' })),
      providers: { yahoo: at('expired'), eia: at('elsewhere'), fred: at('unknown') },
      config: {
        instruments: ['yahoo', 'eia', 'fred'].map((provider) =>
          instrument(provider, [[provider, 'X'], ['twelvedata', 'FINE']])),
      },
    });
    for (const provider of ['yahoo', 'eia', 'fred']) {
      const result = `pricegate_provider_requests_total{provider="${provider}",result="tls"}`;
      await until(async () => (await gateway.metric(result)) >= 1, `${provider} fails by tls`);
      await until(async () => (await gateway.get(`/api/v1/quotes/${provider}`)).json.price === 1.5, 'the fallback');
      const { last_error } = (await gateway.get('/data-health/sources')).json.sources[provider];
      assert.match(last_error, /^tls: /);
      t.diagnostic(`${provider}: ${last_error}`);
    }
    for (const liar of Object.values(liars)) assert.equal(liar.requests().length, 0, 'nothing was said to it');
  });

  /** Makes a name server of ours the only one for the program: {wrap, asked(), stop()}, or {skip: why}.
   *  It never answers. */
  async function deafNameServer() {
    const address = `127.${randomInt(64, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;
    const folder = temporaryFolder();
    const file = join(folder.path, 'resolv.conf');
    writeFileSync(file, `nameserver ${address}\noptions timeout:30 attempts:5\n`);
    const wrap = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
    const socket = dgram.createSocket('udp4');
    let count = 0;
    socket.on('message', () => count++);
    const bound = await new Promise((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(53, address, () => resolve(true));
    });
    const stop = () => {
      if (bound) socket.close();
      folder.remove();
    };
    if (bound && spawnSync(wrap[0], [...wrap.slice(1), 'true']).status === 0) return { wrap, asked: () => count, stop };
    stop();
    return { skip: 'a mount namespace and port 53 are needed' };
  }

  test('a name server that never answers: dns, and the loop goes on', { timeout: 60_000 }, async (t) => {
    const deaf = await deafNameServer();
    if (deaf.skip) return t.skip(deaf.skip);
    t.after(() => deaf.stop());
    const { gateway, connect } = await scene(t, {
      wrap: deaf.wrap,
      script: (u) => u.set('twelvedata', 'FINE', ok({ price: '1.5' })),
      providers: {
        yahoo: { base_url: 'https://prices.example' },
        eia: { base_url: 'https://series.example:8443' },
      },
      config: {
        instruments: [
          instrument('a', [['yahoo', 'A'], ['twelvedata', 'FINE']]),
          instrument('b', [['eia', 'B'], ['twelvedata', 'FINE']]),
          instrument('c', [['twelvedata', 'FINE']]),
        ],
      },
    });
    const client = await connect();
    client.send({ action: 'subscribe', symbols: ['c'] });
    await client.nextQuote('c');
    for (const provider of ['yahoo', 'eia']) {
      const result = `pricegate_provider_requests_total{provider="${provider}",result="dns"}`;
      await until(async () => {
        client.send({ action: 'ping' });
        await client.nextType('pong');
        return (await gateway.metric(result)) >= 1;
      }, `${provider} fails by dns`, 30_000);
    }
    for (const symbol of ['a', 'b']) {
      await until(async () => (await gateway.get(`/api/v1/quotes/${symbol}`)).json.price === 1.5, 'the fallback');
    }
    assert.ok(deaf.asked() >= 2, 'the name server was asked');
    await loopWentOn(t, gateway);
  });

  test('a name that does not exist: dns, the fallback', { timeout: 60_000 }, async (t) => {
    const { gateway } = await scene(t, {
      script: (u) => u.set('twelvedata', 'FINE', ok({ price: '1.5' })),
      providers: { yahoo: { base_url: 'https://no-such-host.invalid' } },
      config: { instruments: [instrument('a', [['yahoo', 'A'], ['twelvedata', 'FINE']])] },
    });
    const result = 'pricegate_provider_requests_total{provider="yahoo",result="dns"}';
    await until(async () => (await gateway.metric(result)) >= 1, 'it fails by dns', 30_000);
    await until(async () => (await gateway.get('/api/v1/quotes/a')).json.price === 1.5, 'the fallback');
  });
});
