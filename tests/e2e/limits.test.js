// The limits under `limits`, each made small: what is within passes, what is over ends as the README
// says, under the reason it says, and is counted; others are served meanwhile. (Commands per
// minute: protocol.test.js. Lists and bombs within the limits: bad-input.test.js.)

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { sanitized, startGateway } from '../support/gateway.js';
import { dial, frame, frames, handshake, upgraded } from '../support/raw.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { drip, ok, status } from '../support/upstream.js';
import { freePort, sleep, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

/** A gateway with instruments that nobody feeds. */
async function quiet(t, limits = {}, { config = {}, ...options } = {}) {
  const gateway = await startGateway(
    { instruments: ['coffee', 'AAPL', 'EUR/USD'].map((s) => external(s)), drain_s: 0, limits, ...config },
    options,
  );
  t.after(() => gateway.stop());
  const secure = Boolean(config.listen?.tls);
  gateway.where = { port: gateway.port, tls: secure, ca: secure ? testCerts().pem.ca : undefined };
  gateway.rejected = (reason) => gateway.metric(`pricegate_rejected_total{reason="${reason}"}`, { ca: gateway.where.ca });
  gateway.gone = (reason) => gateway.metric(`pricegate_disconnects_total{reason="${reason}"}`, { ca: gateway.where.ca });
  return gateway;
}

const closedFor = (gateway, reason) => gateway.log((l) => l.event === 'client_closed' && l.reason === reason, 20_000, `client_closed ${reason}`);
const say = (message) => frame(0x81, JSON.stringify(message));

test('the defaults are those of the README, and their counters are there from the start', async (t) => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const schema = JSON.parse(readFileSync(fileURLToPath(new URL('../../gateway/config/pricegate.schema.json', import.meta.url)), 'utf8'));
  const told = {};
  for (const [, keys, defaults] of readme.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|/gm)) {
    const values = defaults.split(/[,;] /);
    for (const [i, [, key]] of [...keys.matchAll(/`(\w+)`/g)].entries()) told[key] = /^(true|false)$/.test(values[i]) ? values[i] === 'true' : Number.parseInt(values[i], 10);
  }
  const real = Object.fromEntries(Object.entries(schema.properties.limits.properties).map(([key, p]) => [key, p.default]));
  assert.deepEqual(Object.fromEntries(Object.entries(told).filter(([key]) => key in real).sort()), Object.fromEntries(Object.entries(real).sort()));

  const gateway = await quiet(t);
  for (const reason of ['headers_timeout', 'body_timeout', 'too_big', 'bad_length', 'command_rate', 'rate_limited', 'symbol_limit',
    'unknown_symbol', 'connections', 'connections_per_ip', 'slow', 'bad_host', 'bad_origin', 'bad_version']) {
    assert.equal(await gateway.rejected(reason), 0, reason);
  }
  for (const reason of ['auth', 'idle', 'slow', 'too_big', 'command_rate', 'protocol', 'bad_utf8', 'binary']) {
    assert.equal(await gateway.gone(reason), 0, reason);
  }
  for (const reason of ['files', 'rate']) assert.equal(await gateway.metric(`pricegate_accept_pauses_total{reason="${reason}"}`), 0);
  assert.equal(await gateway.metric('pricegate_bus_dropped_total'), 0);
});

// --- those who never come to the point ---

const LATE_MS = 1500; // for headers and bodies; an honest request gets through in it on a busy machine
const GET = (port) => `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
const POST = (port, length) => `POST /data-health/reset-circuit/yahoo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${length}\r\n\r\n`;

/** Sends text, then a byte of more every 100 ms until the other side ends it. */
async function dawdle(line, text, more = '') {
  line.send(text);
  for (let i = 0; !line.isClosed; i++) {
    if (more) line.send(more[i % more.length]);
    await Promise.race([sleep(100), line.ended().catch(() => {})]);
    assert.ok(i < 300, `it is cut off some time: ${text.slice(0, 60)}`);
  }
}

test('bodies: as long as said and allowed', async (t) => {
  const gateway = await quiet(t, { body_bytes: 100 });
  const post = async (length) => {
    const line = await dial(gateway.where);
    line.send(POST(gateway.port, length) + 'x'.repeat(length));
    await line.ended();
    return line.statuses;
  };
  assert.deepEqual(await post(100), [200]);
  assert.equal(await gateway.rejected('too_big'), 0);
  assert.deepEqual(await post(101), [413]);
  assert.deepEqual(await post(1_000_000), [413]);
  assert.equal(await gateway.rejected('too_big'), 2);
});

// --- messages ---

test('fragments: 16 by default, and what is configured; whatever is in between', async (t) => {
  for (const [limits, most] of [[{}, 16], [{ fragments: 3 }, 3], [{ fragments: 1 }, 1]]) {
    const gateway = await quiet(t, limits);
    const text = JSON.stringify({ action: 'ping', id: 'x'.repeat(40) });
    const inPieces = (n) =>
      Buffer.concat(Array.from({ length: n }, (_, i) => {
        const at = Math.floor((i * text.length) / n);
        const piece = text.slice(at, Math.floor(((i + 1) * text.length) / n));
        return Buffer.concat([frame((i === n - 1 ? 0x80 : 0) | (i === 0 ? 1 : 0), piece), frame(0x89, 'ping')]);
      }));
    const within = await upgraded(gateway.where);
    for (let round = 1; round <= 3; round++) {
      within.send(inPieces(most));
      await within.when(() => frames(within.behind).filter((f) => f.payload.includes('"type":"pong"')).length === round, 'a pong');
    }
    const over = await upgraded(gateway.where);
    over.send(inPieces(most + 1));
    assert.equal(await over.closeCode(), 1009);
    over.destroy(); // or its answer to the close is waited for
    await closedFor(gateway, 'too_big');
    assert.equal(await gateway.rejected('too_big'), 1);
    const empty = await upgraded(gateway.where);
    empty.send(Buffer.concat([frame(0x01, ''), ...Array.from({ length: most }, () => frame(0x00, ''))]));
    assert.equal(await empty.closeCode(), 1009);
  }
});

test('message_bytes: one more closes with 1009, in one frame or several, even when only announced', async (t) => {
  const gateway = await quiet(t, { message_bytes: 1000 });
  const exact = `{"action":"ping","pad":"${'x'.repeat(1000 - 26)}"}`;
  assert.equal(exact.length, 1000);
  const line = await upgraded(gateway.where);
  line.send(frame(0x81, exact));
  await line.frame((f) => f.payload.includes('"type":"pong"'), 'a pong');
  const huge = Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x7b]);
  const pieces = Buffer.concat([frame(0x01, exact.slice(0, 600)), frame(0x80, `${exact.slice(600)} `)]);
  for (const bytes of [frame(0x81, `${exact} `), pieces, huge, frame(0x81, exact.repeat(100))]) {
    const over = await upgraded(gateway.where);
    over.send(bytes);
    assert.equal(await over.closeCode(), 1009);
  }
  assert.equal(await gateway.rejected('too_big'), 4);
});

test('behind our close a flood is not read for long, a message that was under way is', async (t) => {
  const gateway = await quiet(t);
  for (const more of [frame(0x82, 'x'.repeat(60_000)), Buffer.concat(Array(2000).fill(frame(0x8a, 'x')))]) {
    const line = await upgraded(gateway.where);
    line.send(frame(0x82, 'x'));
    assert.equal(await line.closeCode(), 1003);
    while (!line.isClosed) { // its answer to the close does not come
      line.send(more);
      await sleep(5);
    }
    assert.ok(line.socket.bytesWritten < 60 * more.length, `${line.socket.bytesWritten} bytes were taken`);
  }
  const slow = await upgraded(gateway.where);
  slow.send(frame(0x81, 'x'.repeat(1_000_000)));
  assert.equal(await slow.closeCode(), 1009);
});

test('JSON: 16 levels, not 17; no name twice', async (t) => {
  const gateway = await quiet(t);
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  const deep = (n) => `{"action":"ping","id":${n},"x":${'['.repeat(n - 1)}${']'.repeat(n - 1)}}`;
  client.send(deep(16));
  assert.deepEqual([(await client.next()).type], ['pong']);
  for (const text of [deep(17), '{"action":"ping","id":1,"id":1}', '{"action":"ping","x":{"a":1,"\\u0061":2}}']) {
    client.send(text);
    assert.equal((await client.next()).error, 'bad_message', text);
  }
  assert.equal(await gateway.rejected('bad_message'), 3);
});

test('refused_per_minute: that many close with 4008, not one less', async (t) => {
  const gateway = await quiet(t, { refused_per_minute: 5 });
  const client = await connectWs(gateway.wsUrl);
  for (let i = 0; i < 4; i++) {
    client.send('nonsense');
    assert.equal((await client.next()).type, 'error');
  }
  client.send({ action: 'ping', id: 1 });
  await client.nextType('pong');
  client.send('nonsense');
  assert.equal((await within(client.closed, 'the close')).code, 4008);
  await closedFor(gateway, 'command_rate');
  assert.equal(await gateway.gone('command_rate'), 1);
});

test('symbols_per_connection: the rest is rejected by name, and counted', async (t) => {
  const gateway = await quiet(t, { symbols_per_connection: 2 });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  client.send({ action: 'subscribe', symbols: ['coffee', 'AAPL', 'EUR/USD', 'FOO', 'BAR'] });
  const ack = await client.nextType('subscribed');
  assert.deepEqual(ack.symbols, ['coffee', 'AAPL']);
  assert.deepEqual(ack.rejected.map((r) => r.error).sort(), ['symbol_limit', 'unknown_symbol', 'unknown_symbol']);
  assert.deepEqual([await gateway.rejected('symbol_limit'), await gateway.rejected('unknown_symbol')], [1, 2]);
});

// --- not reading ---

test('acks_bytes: answers that nobody takes pile up so far', { timeout: 60_000 }, async (t) => {
  const certs = testCerts();
  // Over TLS: on a plain line who does not take answers is not read either.
  const gateway = await quiet(t, { acks_bytes: 2048, commands_per_minute: 1_000_000 }, {
    config: { listen: { tls: { cert: certs.cert, key: certs.key } }, fanout: { sndbuf_bytes: 4096 } },
  });
  const line = await upgraded(gateway.where);
  line.socket.pause();
  const before = await gateway.metric('process_resident_memory_bytes', { ca: gateway.where.ca });
  const batch = Buffer.concat(Array.from({ length: 50 }, () => say({ action: 'subscribe', symbols: Array.from({ length: 200 }, (_, i) => `none-${i}`) })));
  const flood = setInterval(() => line.socket.writableLength < 1e6 && line.send(batch), 20);
  t.after(() => clearInterval(flood));
  await closedFor(gateway, 'slow');
  const grown = (await gateway.metric('process_resident_memory_bytes', { ca: gateway.where.ca })) - before;
  assert.ok(grown < (sanitized ? 200e6 : 10e6), `${grown} bytes more`);
});

// --- how many ---

test('open files: raised to the hard limit; 64 stay for ourselves, 32 for plain HTTP', async (t) => {
  const raised = await quiet(t, {}, { files: '256:1000' });
  assert.equal(raised.logs.find((l) => l.event === 'listening').connections, 1000 - 64 - 32);
  const gateway = await quiet(t, {}, { files: '160:160' });
  const streams = [];
  for (let i = 0; i < 160 - 64 - 32; i++) streams.push(await upgraded(gateway.where));
  const over = await dial(gateway.where);
  over.send(handshake(gateway.port));
  await over.ended();
  assert.deepEqual(over.statuses, [503]);
  assert.match(over.text, /^Retry-After: \d+\r$/m);
  const kept = [];
  for (let i = 0; i < 30; i++) { // and one is asked with below, which leaves one
    kept.push(await dial(gateway.where));
    kept[i].send(GET(gateway.port));
    await kept[i].answered();
  }
  assert.equal(await gateway.rejected('connections'), 1);
  assert.equal(await gateway.metric('pricegate_accept_pauses_total{reason="files"}'), 0);
  // One more than there are files for waits until one goes.
  const more = await Promise.all([1, 2, 3].map(() => dial(gateway.where)));
  for (const line of more) line.send(GET(gateway.port));
  await gateway.log('accept_paused');
  kept[0].destroy();
  await Promise.all(more.map((line) => line.answered()));
  for (const line of [...streams, ...kept, ...more]) line.destroy(); // or the next request waits, too
  assert.ok((await gateway.metric('pricegate_accept_pauses_total{reason="files"}')) >= 1);
});

test('fewer than 128 files: it does not start, and says why', async () => {
  await assert.rejects(startGateway({}, { files: '127:127' }), /ended at once.*"code":1[^]*only 127 open files are allowed, at least 128 are needed/);
});

test('connections and connections_per_ip: 503 and 429, for streams as for WebSockets', async (t) => {
  for (const [limits, code, reason] of [[{ connections: 1 }, 503, 'connections'], [{ connections_per_ip: 1 }, 429, 'connections_per_ip']]) {
    const gateway = await quiet(t, limits);
    const client = await connectWs(gateway.wsUrl);
    await assert.rejects(connectWs(gateway.wsUrl), (e) => e.status === code && Number(e.headers['retry-after']) > 0);
    const stream = await gateway.get('/api/v1/stream?symbols=*');
    assert.equal(stream.status, code);
    assert.ok(Number(stream.headers['retry-after']) > 0);
    assert.equal(await gateway.rejected(reason), 2);
    await client.close();
    await until(async () => (await gateway.metric('pricegate_connections')) === 0, 'a free place');
    await (await connectWs(gateway.wsUrl)).close();
  }
});

// --- upstream and Redis ---

const scarce = (limits) => ({
  config: { limits, instruments: [instrument('AAPL', [['twelvedata', 'AAPL']], { poll_ms: 600_000 })] },
});

test('refresh_ms: an earlier refresh gets the answer of the last', async (t) => {
  for (const [limits, most] of [[{ refresh_ms: 3_600_000 }, 1], [{ refresh_ms: 0 }, 3]]) {
    const { upstream, gateway } = await scene(t, { ...scarce(limits), script: (u) => u.set('twelvedata', 'AAPL', ok({ price: '150' })) });
    await until(() => upstream.requests('twelvedata').length === 1, 'the first poll');
    await gateway.log((l) => /_fetch_success$/.test(l.event));
    for (let i = 0; i < 3; i++) assert.equal((await gateway.post('/data-health/refresh-all')).json.status, 'success');
    assert.equal(upstream.requests('twelvedata').length - 1, most);
  }
});

test('redis_ping_ms: how long a silent Redis is waited for', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const limits = { redis_ping_ms: 300, redis_connect_ms: 400, redis_backoff_ms: 200 };
  const gateway = await quiet(t, limits, { config: { redis: { url: redis.url } } });
  await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, 'the bus is up');
  redis.pause();
  t.after(() => redis.resume());
  await gateway.log((l) => l.event === 'bus_down' && /no answer for 0\.3 s/.test(l.why));
  assert.equal(await gateway.metric('pricegate_bus_up'), 0);
  redis.resume();
  await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, 'the bus is up again');
});

test('redis_connect_ms: how long a Redis that takes no connection is waited for', async (t) => {
  const port = await freePort();
  const redis = await startRedis({ args: ['--port', String(port), '--tcp-backlog', '1'] });
  t.after(() => redis.stop());
  redis.pause();
  t.after(() => redis.resume());
  const others = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => others.forEach((socket) => socket.destroy()));
  await until(() => others.filter((socket) => !socket.connecting).length >= 2, 'its queue is full');
  const waiting = (redis_connect_ms) =>
    quiet(t, { redis_connect_ms, redis_ping_ms: 60_000, redis_backoff_ms: 200 }, { config: { redis: { url: `redis://127.0.0.1:${port}/0` } } });
  const patient = await waiting(60_000);
  const gateway = await waiting(400);
  await gateway.log((l) => l.event === 'bus_down' && /no connection in 0\.4 s/.test(l.why));
  assert.deepEqual(patient.logs.filter((l) => l.event === 'bus_down'), [], 'the other one goes on waiting');
  redis.resume();
  await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, 'the bus is up');
});

// --- what takes its time: side by side ---

describe('by the clock', { concurrency: true }, () => {
  /** Begins with each form side by side ([how, what it goes on with]) until each is cut off; meanwhile
   *  others are served. */
  async function allDawdle(gateway, forms) {
    const began = performance.now();
    const lines = await Promise.all(forms.map((form) => dial({ ...gateway.where, ...form[2] })));
    const over = Promise.all(forms.map(async ([text, more], i) => {
      await dawdle(lines[i], Buffer.from(text, 'latin1'), more);
      return performance.now() - began;
    }));
    for (let i = 0; i < 5; i++) assert.equal((await gateway.get('/healthz', { ca: gateway.where.ca })).status, 200);
    for (const [i, ms] of (await over).entries()) {
      assert.ok(ms >= LATE_MS, `${JSON.stringify(forms[i])}: cut off after ${ms} ms`);
      assert.deepEqual(lines[i].statuses, []);
    }
  }

  for (const kind of ['plain', 'TLS']) {
    const config = () => (kind === 'TLS' ? { listen: { tls: { cert: testCerts().cert, key: testCerts().key } } } : {});

    test(`slowloris, ${kind}: silence, half a line, headers without end, dripped or not`, async (t) => {
      const gateway = await quiet(t, { headers_ms: LATE_MS }, { config: config() });
      const { port } = gateway;
      const forms = [
        ['', ''], ['GET /heal', ''], ['GET /', 'abc'], [GET(port).slice(0, -2), ''], [`${GET(port).slice(0, -2)}X-Slow: `, 'abcdefg'],
        [handshake(port).slice(0, -2), 'X: y\r\n'], [POST(port, 10).slice(0, -2), ''],
      ];
      if (kind === 'TLS') { // and before there is any TLS: silence, a byte, half of a ClientHello, dripped
        const hello = Buffer.from('16030100a5010000a10303', 'hex').toString('latin1');
        const bare = { handshake: false };
        forms.push(['', '', bare], ['\x16', '', bare], [hello, '', bare], [hello, '\x00', bare]);
      }
      await allDawdle(gateway, forms);
      assert.equal(await gateway.rejected('headers_timeout'), forms.length);
    });

    test(`slowloris, ${kind}: a body that does not come, or drips`, async (t) => {
      const gateway = await quiet(t, { headers_ms: 60_000, body_ms: LATE_MS }, { config: config() });
      const { port } = gateway;
      await allDawdle(gateway, [[POST(port, 10), ''], [`${POST(port, 10)}{"a"`, ''], [POST(port, 60_000), 'abc']]);
      assert.equal(await gateway.rejected('body_timeout'), 3);
    });
  }

  test('a kept connection: the second request has its time, and no more', async (t) => {
    const gateway = await quiet(t, { headers_ms: LATE_MS });
    const line = await dial(gateway.where);
    line.send(GET(gateway.port));
    await line.answered(1);
    await dawdle(line, 'GET /healthz HTTP/1.1\r\nX: ', 'y');
    assert.deepEqual(line.statuses, [200]);
    assert.equal(await gateway.rejected('headers_timeout'), 1);
  });

  test('idle_ms: who says nothing at all is closed; who answers pings, or says anything, stays', async (t) => {
    const gateway = await quiet(t, { idle_ms: 3000 }, { config: { fanout: { heartbeat_ms: 300 } } });
    const answers = await connectWs(gateway.wsUrl); // as every library does, by itself
    const talks = await upgraded(gateway.where);
    const timer = setInterval(() => talks.send(say({ action: 'heartbeat' })), 200);
    t.after(() => clearInterval(timer));
    t.after(() => answers.terminate());
    const silent = await upgraded(gateway.where);
    await silent.ended(30_000);
    await closedFor(gateway, 'idle');
    await sleep(500);
    assert.equal(await gateway.gone('idle'), 1);
    assert.equal(await gateway.metric('pricegate_connections'), 2);
    talks.destroy();
  });

  test('slow_ms: who does not read is dropped, whatever pongs it sends; idle or reading ones stay', { timeout: 60_000 }, async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const gateway = await quiet(t, { slow_ms: 2000, idle_ms: 60_000 }, { config: { redis: { url: redis.url }, fanout: { sndbuf_bytes: 4096 } } });
    await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, 'the bus is up');
    const reader = await connectWs(gateway.wsUrl);
    t.after(() => reader.terminate());
    reader.send({ action: 'subscribe', symbols: ['*'] });
    const line = await upgraded(gateway.where);
    line.send(say({ action: 'subscribe', symbols: ['*'] }));
    await line.frame((f) => f.payload.includes('"subscribed"'), 'the ack');
    line.socket.pause();
    const pongs = setInterval(() => line.send(frame(0x8a, 'still here')), 100);
    t.after(() => clearInterval(pongs));
    let n = 0;
    await until(async () => {
      const now = Date.now();
      const item = { symbol: 'coffee', price: ++n, ts: now, recv: now, seq: `a0:${n}`, state: 'live', pad: 'x'.repeat(3500) };
      await redis.command('PUBLISH', 'coffee:price:stream', JSON.stringify(item));
      return gateway.logs.some((l) => l.event === 'client_closed' && l.reason === 'slow');
    }, 'it is dropped', 40_000);
    assert.equal(await gateway.gone('slow'), 1);
    await reader.nextQuote('coffee', (q) => q.price >= n - 1);
    assert.equal(await gateway.metric('pricegate_connections'), 1);
  });

  test('accept_per_s: the rest waits, is served in its turn, and the pauses are counted', async (t) => {
    const gateway = await quiet(t, { accept_per_s: 10 });
    const began = performance.now();
    await Promise.all(Array.from({ length: 25 }, async () => assert.equal((await gateway.get('/healthz')).status, 200)));
    assert.ok(performance.now() - began > 1000, '10 at once, 15 at 10 a second');
    await gateway.log((l) => l.event === 'accept_paused' && /accept_per_s/.test(l.why));
    assert.ok((await gateway.metric('pricegate_accept_pauses_total{reason="rate"}')) >= 1);
  });

  test('upstream_ms, upstream_bytes, upstream_header_bytes: an answer within them is one', { timeout: 60_000 }, async (t) => {
    const limits = { upstream_ms: 2000, upstream_bytes: 2000, upstream_header_bytes: 2000, refresh_ms: 0 };
    const good = ok({ price: '150' });
    const { upstream, gateway } = await scene(t, { ...scarce(limits), script: (u) => u.set('twelvedata', 'AAPL', good) });
    const refresh = async (mode) => {
      upstream.set('twelvedata', 'AAPL', mode);
      const answer = await gateway.post('/data-health/refresh-all');
      return answer.json.status === 'success' ? 'ok' : answer.json.errors[0].error;
    };
    assert.equal(await refresh(good), 'ok');
    assert.equal(await refresh(drip(50)), 'timeout');
    assert.equal(await refresh(status(200, JSON.stringify({ pad: 'x'.repeat(2000) }))), 'upstream_error');
    assert.equal(await refresh(status(200, '{}', { 'x-pad': 'x'.repeat(2000) })), 'upstream_error');
    assert.equal(await refresh(good), 'ok');
    const { body } = await gateway.get('/metrics');
    assert.match(body, /^pricegate_provider_requests_total\{provider="twelvedata",result="timeout"\} [1-9]/m);
    assert.match(body, /^pricegate_provider_requests_total\{provider="twelvedata",result="upstream_error"\} [2-9]/m);
  });

  test('upstream_bytes: with more of them a longer answer is one, too', async (t) => {
    const quote = { symbol: 'AAPL', currency: 'USD', close: '150', timestamp: Math.floor(Date.now() / 1000) - 60 };
    const long = status(200, JSON.stringify({ ...quote, pad: 'x'.repeat(500_000) }));
    const limits = { upstream_bytes: 1_048_576, refresh_ms: 0 };
    const { gateway } = await scene(t, { ...scarce(limits), script: (u) => u.set('twelvedata', 'AAPL', long) });
    const { json } = await gateway.post('/data-health/refresh-all');
    assert.equal(json.status, 'success', JSON.stringify(json.errors));
  });

  for (const kind of ['plain', 'TLS']) {
    test(`floods of pings and of empty pongs, ${kind}: closed with 4008; who pings now and then, or says much, stays`, { timeout: 60_000 }, async (t) => {
      const tls = { cert: testCerts().cert, key: testCerts().key };
      const gateway = await quiet(t, { commands_per_minute: 1_000_000 }, { config: kind === 'TLS' ? { listen: { tls } } : {} });
      const every = (ms, what) => {
        const timer = setInterval(what, ms);
        t.after(() => clearInterval(timer));
      };
      const pings = await upgraded(gateway.where);
      every(50, () => pings.send(Buffer.concat([frame(0x89, 'x'.repeat(125)), frame(0x8a, '')])));
      const talks = await upgraded(gateway.where);
      const long = say({ action: 'ping', pad: 'x'.repeat(60_000) });
      every(50, () => talks.send(long));
      const began = performance.now();
      for (const one of [frame(0x89, 'x'.repeat(100)), frame(0x89, ''), frame(0x8a, '')]) {
        const line = await upgraded(gateway.where);
        const flood = Buffer.concat(Array(Math.ceil(60_000 / one.length)).fill(one));
        const timer = setInterval(() => line.socket.writableLength < 1e6 && line.send(flood), 50);
        t.after(() => clearInterval(timer));
        assert.equal(await line.closeCode(30_000), 4008);
        clearInterval(timer);
        line.destroy();
      }
      await until(() => performance.now() - began > 4000, 'the others were looked at, too');
      assert.equal(await gateway.rejected('command_rate'), 3);
      await until(async () => (await gateway.gone('command_rate')) === 3, 'three were closed');
      assert.deepEqual([pings.isClosed, talks.isClosed], [false, false]);
      assert.ok(!frames(talks.behind).some((f) => f.opcode === 8) && !frames(pings.behind).some((f) => f.opcode === 8));
      pings.destroy();
      talks.destroy();
    });
  }

  test('auth_ms: who shows no token is closed with 4001', async (t) => {
    const auth = { anonymous_role: null, keys: [{ name: 'k', role: 'admin', sha256: '0'.repeat(64) }] };
    const gateway = await quiet(t, { auth_ms: 2000 }, { config: { auth, listen: { metrics_port: 0 } } });
    const client = await connectWs(gateway.wsUrl);
    const began = performance.now();
    client.send({ action: 'subscribe', symbols: ['coffee'] });
    assert.equal((await client.nextType('error')).code, 401);
    assert.equal((await within(client.closed, 'the close')).code, 4001);
    assert.ok(performance.now() - began > 1000);
    await closedFor(gateway, 'auth');
  });
});
