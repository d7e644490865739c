// The client library by itself: sockets, time and chance are in the test's hands. And what all of its
// parts promise: plans, books, loops, and the package that is published.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { buildSync } from 'esbuild';

import { Book, isNews } from '../../web/client/book.js';
import { parseExact } from '../../web/client/exact.js';
import { PriceFeed } from '../../web/client/index.js';
import { changes, covers, plan } from '../../web/client/plan.js';

const real = { setTimeout, clearTimeout, random: Math.random, now: Date.now };
const turn = () => new Promise(setImmediate);

/** A feed on fake sockets; b.pass(ms) lets time pass. Everything is as it was after the test. */
async function bench(t, options = {}) {
  const sockets = [];
  const timers = [];
  const states = [];
  let now = 1_000_000;
  class FakeSocket {
    constructor(url) {
      this.url = url;
      this.sent = [];
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.closedByUs = true;
    }
    say(message) {
      this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    }
    break(code = 1006) {
      this.onclose?.({ code });
    }
  }
  t.after(() => {
    feed.close();
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Math.random = real.random;
    Date.now = real.now;
  });
  globalThis.setTimeout = (f, ms) => {
    const timer = { f, at: now + ms };
    timers.push(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => {
    const at = timers.indexOf(timer);
    if (at >= 0) timers.splice(at, 1);
  };
  Math.random = () => 1;
  Date.now = () => now;
  const feed = new PriceFeed('http://gateway/', { WebSocket: FakeSocket, transport: 'ws', ...options });
  feed.addEventListener('state', (event) => states.push(event.detail));
  if (options.subscribe !== false) feed.subscribe('*');
  await turn();
  const b = {
    feed,
    sockets,
    timers,
    states,
    get socket() {
      return sockets.at(-1);
    },
    get state() {
      return states.at(-1);
    },
    async pass(ms) {
      now += ms;
      for (let due; (due = timers.find((timer) => timer.at <= now)); ) {
        timers.splice(timers.indexOf(due), 1);
        due.f();
      }
      await turn();
    },
    goLive(rejected = []) {
      b.socket.say({ type: 'welcome', ts: now + 500, heartbeat_ms: 20_000, limits: { message_bytes: 65_536 } });
      b.socket.say({ type: 'subscribed', id: 's', symbols: ['*'], active: ['*'], rejected });
    },
  };
  return b;
}

const item = (symbol, price, count, more) => ({ symbol, price, ts: 1000 + count, seq: `a0:${count}`, state: 'live', ...more });
const quote = (...data) => ({ type: 'quote', data });
const actions = (socket) => socket.sent.map((m) => m.action);

test('connecting, live; reconnecting, live again; what is known is told', async (t) => {
  const b = await bench(t);
  assert.equal(b.state.state, 'connecting');
  assert.equal(b.socket.url, 'ws://gateway/ws');
  b.goLive();
  assert.equal(b.state.state, 'live');
  assert.equal(b.state.transport, 'ws');
  assert.equal(b.feed.clockSkewMs, 500);
  assert.deepEqual(b.socket.sent, [{ action: 'subscribe', id: 's', symbols: ['*'], interval_ms: 0 }]);
  b.socket.say(quote(item('coffee', 2.9, 7)));
  b.socket.break();
  assert.deepEqual(b.state, { state: 'reconnecting', reason: 'the gateway cannot be reached', retryMs: 500, transport: null });
  await b.pass(500);
  assert.equal(b.sockets.length, 2);
  b.goLive();
  assert.equal(b.state.state, 'live');
  assert.deepEqual(b.socket.sent[0].since, { coffee: 'a0:7' });
});

test('what is known is left out where a message would be too long', async (t) => {
  const b = await bench(t);
  b.goLive();
  b.socket.say(quote(...Array.from({ length: 3000 }, (_, i) => item(`SYMBOL/NUMBER/${i}`, 1, 7))));
  b.socket.break();
  await b.pass(500);
  b.goLive();
  assert.deepEqual(b.socket.sent, [{ action: 'subscribe', id: 's', symbols: ['*'], interval_ms: 0 }]);
});

test('each failure doubles the wait up to a bound; only a steady line makes it short again', async (t) => {
  const b = await bench(t);
  const waits = [];
  for (let i = 0; i < 8; i++) {
    b.socket.break();
    waits.push(b.state.retryMs);
    await b.pass(b.state.retryMs);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  b.goLive();
  await b.pass(9_999);
  b.socket.break();
  assert.equal(b.state.retryMs, 30_000);
  await b.pass(30_000);
  b.goLive();
  await b.pass(10_000);
  Math.random = () => 0.5; // anywhere below the bound
  b.socket.break();
  assert.equal(b.state.retryMs, 250);
});

test('close codes: after some come back soon, after others stay away', async (t) => {
  const b = await bench(t);
  for (const [code, least, why] of [
    [1000, 0, /cannot be reached \(1000\)/], [1001, 0, /closed by the gateway/], [1011, 0, /./], [1008, 30_000, /administrator/],
    [1009, 30_000, /\(1009\)/], [1013, 30_000, /./], [4008, 30_000, /many symbols at once/], [4999, 30_000, /4999/],
  ]) {
    b.goLive();
    await b.pass(10_000); // and a steady line each time
    b.socket.break(code);
    assert.ok(least ? b.state.retryMs >= least : b.state.retryMs <= 500, `${code}: ${b.state.retryMs}`);
    assert.match(b.state.reason, why);
    await b.pass(b.state.retryMs);
  }
});

test('goaway: back when the gateway said; an absurd time does not keep it away', async (t) => {
  const b = await bench(t);
  for (const [named, waited] of [[3700, 3700], [0, 0], [1e12, 60_000]]) {
    b.goLive();
    b.socket.say({ type: 'goaway', reason: 'shutdown', reconnect_ms: named });
    b.socket.break(1001);
    assert.equal(b.state.retryMs, waited);
    await b.pass(waited);
  }
  assert.equal(b.sockets.length, 4);
});

for (const [how, parse] of [['numbers', JSON.parse], ['exact', parseExact]]) {
  test(`goaway for its age, ${how}: the next line is there before the old one is given up`, async (t) => {
    const b = await bench(t, { parse });
    b.goLive();
    const [old] = b.sockets;
    old.say(quote(item('coffee', 2.9, 7)));
    old.say({ type: 'goaway', reason: 'age', reconnect_ms: 1000 });
    await b.pass(499);
    assert.equal(b.sockets.length, 1);
    await b.pass(1200);
    assert.equal(b.sockets.length, 2);
    old.say(quote(item('coffee', 3.1, 8)));
    assert.equal(Number(b.feed.quote('coffee').price), 3.1, 'until then the old one brings what comes');
    assert.ok(!old.closedByUs);
    b.goLive();
    assert.ok(old.closedByUs);
    assert.deepEqual(b.socket.sent[0].since, { coffee: 'a0:8' });
    await b.pass(5000);
    assert.equal(b.sockets.length, 2);
    assert.deepEqual([...new Set(b.states.map((s) => s.state))], ['connecting', 'live']);
  });
}

test('goaway for its age, and the next line does not come: back when the old one has ended', async (t) => {
  const b = await bench(t);
  b.goLive();
  const [old] = b.sockets;
  old.say({ type: 'goaway', reason: 'age', reconnect_ms: 0 });
  await b.pass(150);
  b.socket.break();
  await b.pass(299);
  assert.equal(b.sockets.length, 2, 'it does not hammer');
  await b.pass(1);
  assert.equal(b.sockets.length, 3);
  assert.equal(b.state.state, 'live');
  old.break(1001);
  assert.deepEqual(b.state, { state: 'reconnecting', reason: 'closed by the gateway', retryMs: 0, transport: null });
  await b.pass(0);
  b.goLive();
  assert.equal(b.state.state, 'live');
});

test('a silent line is given up after two and a half heartbeats, and not heard any more', async (t) => {
  const b = await bench(t);
  b.goLive();
  await b.pass(49_000);
  b.socket.say({ type: 'heartbeat', ts: 2 });
  await b.pass(49_999);
  assert.equal(b.state.state, 'live');
  const [old] = b.sockets;
  await b.pass(1);
  assert.equal(b.state.state, 'reconnecting');
  assert.match(b.state.reason, /nothing heard/);
  assert.equal(old.closedByUs, true);
  old.say(quote(item('coffee', 1, 1)));
  old.break();
  assert.equal(b.feed.quote('coffee'), undefined);
  assert.equal(b.states.length, 3);
});

test('the sockets of the ws package: no close frame to a dead line, which would wait for its answer', async (t) => {
  const b = await bench(t);
  const [first] = b.sockets;
  first.terminate = () => (first.terminated = true);
  b.goLive();
  await b.pass(50_000);
  assert.deepEqual([first.terminated, first.closedByUs], [true, undefined]);
  await b.pass(b.state.retryMs);
  b.goLive();
  b.socket.terminate = () => assert.fail('a line that lives is taken leave of');
  b.feed.close();
  assert.equal(b.socket.closedByUs, true);
});

test('a gateway that accepts and never greets is given up', async (t) => {
  const b = await bench(t);
  await b.pass(10_000);
  assert.equal(b.state.state, 'reconnecting');
});

test('offline: still tries, and at once when the network returns; a line is asked whether it lives', async (t) => {
  const b = await bench(t);
  b.goLive();
  b.feed.setOnline(false);
  assert.equal(b.state.state, 'live', 'a gateway on this machine needs no network');
  b.feed.setOnline(true);
  assert.deepEqual(b.socket.sent.at(-1), { action: 'ping' });
  b.feed.setOnline(false);
  await b.pass(5000);
  assert.equal(b.state.state, 'offline');
  assert.match(b.state.reason, /no network/);
  b.feed.setOnline(true);
  assert.equal(b.state.state, 'reconnecting');
  assert.equal(b.sockets.length, 2);
  b.goLive();
  assert.equal(b.state.state, 'live');
});

test('a token comes first; a refused one says so and does not hammer', async (t) => {
  const b = await bench(t, { token: 'abc' });
  b.socket.say({ type: 'welcome', ts: 1, heartbeat_ms: 20_000 });
  assert.deepEqual(b.socket.sent, [{ action: 'auth', id: 'auth', token: 'abc' }]);
  b.socket.say({ type: 'authenticated', id: 'auth', role: 'viewer' });
  assert.deepEqual(actions(b.socket), ['auth', 'subscribe']);
  b.socket.say({ type: 'error', code: 402, error: 'auth_failed', message: 'no' });
  await turn();
  assert.equal(b.state.state, 'offline');
  assert.match(b.state.reason, /token/);
  assert.equal(b.state.retryMs, 60_000);
});

test('getToken: asked before the line, when one is refused, and not without end', async (t) => {
  let asked = 0;
  const b = await bench(t, { getToken: async () => `token ${++asked}` });
  const refuse = async () => {
    b.socket.say({ type: 'error', id: 'auth', code: 402, error: 'auth_failed', message: 'no' });
    await turn();
  };
  b.socket.say({ type: 'welcome', ts: 1, heartbeat_ms: 20_000 });
  assert.equal(b.socket.sent.at(-1).token, 'token 1');
  await refuse();
  assert.equal(b.socket.sent.at(-1).token, 'token 2');
  b.socket.say({ type: 'authenticated', id: 'auth', role: 'viewer' });
  for (const wanted of ['token 3', 'token 4']) {
    await refuse();
    assert.equal(b.socket.sent.at(-1).token, wanted);
  }
  await refuse();
  assert.equal(b.state.state, 'offline');
  await b.pass(b.state.retryMs);
  b.socket.say({ type: 'welcome', ts: 1, heartbeat_ms: 20_000 });
  await refuse();
  assert.equal(b.socket.sent.at(-1).token, 'token 5', 'later it is asked again');
  b.socket.break(4001);
  await turn();
  assert.equal(b.sockets.length, 3, 'and after 4001');
  assert.equal(asked, 6);
});

test('a getToken that fails: an error, and a sentence', async (t) => {
  const errors = [];
  const b = await bench(t, { token: 'old', getToken: () => Promise.reject(new Error('the clerk is out')) });
  b.feed.addEventListener('error', (event) => errors.push(event.detail));
  b.socket.say({ type: 'welcome', ts: 1, heartbeat_ms: 20_000 });
  b.socket.say({ type: 'error', code: 401, error: 'auth_required', message: 'the token has expired' });
  assert.equal(b.state.state, 'connecting', 'an answer to the token is under way');
  b.socket.say({ type: 'error', code: 402, error: 'auth_failed', message: 'no' });
  await turn();
  assert.equal(b.state.state, 'offline');
  assert.equal(errors.at(-1).message, 'getToken failed: the clerk is out');
});

test('too many commands: all of it once more, later', async (t) => {
  const b = await bench(t);
  b.goLive();
  b.socket.say({ type: 'error', id: 's', code: 429, error: 'rate_limited', message: 'slow down' });
  assert.equal(b.state.state, 'reconnecting');
  assert.ok(b.state.retryMs >= 30_000);
});

test('two sockets that do not open, then events, then sockets again', async (t) => {
  const asked = [];
  const fetch = async (url) => {
    asked.push(String(url));
    throw new Error('refused');
  };
  const b = await bench(t, { transport: 'auto', fetch });
  const order = [];
  for (let i = 0; i < 6; i++) {
    const [n, m] = [b.sockets.length, asked.length];
    order.push(i % 3 === 2 ? 'sse' : 'ws');
    assert.equal(m, Math.floor((i + 1) / 3), `attempt ${i}`);
    assert.equal(n, i + 1 - m);
    if (order.at(-1) === 'ws') b.socket.break();
    await turn();
    await b.pass(b.state.retryMs);
  }
  assert.equal(asked[0], 'http://gateway/api/v1/stream?symbols=*');
});

test('nonsense from the line changes nothing', async (t) => {
  const b = await bench(t);
  b.goLive();
  const odd = [
    '{', 'null', '7', '"x"', '[]', '{"type":{}}', quote(), quote(null, 7, {}, { symbol: 5 }), { type: 'quote', data: 'x' },
    { type: 'status' }, { type: 'refreshed', id: 'r9' }, { type: 'error' }, { type: 'flow' }, quote(item('__proto__', 1, 1)),
  ];
  for (const text of odd) b.socket.say(text);
  assert.equal(b.state.state, 'live');
  assert.equal(b.feed.quote('coffee'), undefined);
  b.socket.say(quote(item('coffee', 1, 1)));
  assert.equal(b.feed.quote('coffee').price, 1);
});

test('close: no timer and no socket is left, loops end, nothing is heard', async (t) => {
  const b = await bench(t);
  b.goLive();
  const sub = b.feed.subscribe('coffee', { onQuote: () => assert.fail('heard') });
  const loop = sub[Symbol.asyncIterator]().next();
  b.feed.close();
  b.socket.say(quote(item('coffee', 1, 1)));
  assert.equal(b.timers.length, 0);
  assert.equal(b.socket.closedByUs, true);
  assert.equal(b.state.state, 'closed');
  assert.deepEqual(await loop, { value: undefined, done: true });
  assert.throws(() => b.feed.subscribe('tea'), /this feed is closed/);
  b.feed.setOnline(true);
  b.feed.setToken('x');
  await turn();
  assert.equal(b.sockets.length, 1);
});

test('a reader that closes the feed in the middle of a message', async (t) => {
  const b = await bench(t);
  b.goLive();
  const heard = [];
  b.feed.subscribe('*', { onQuote: (q) => (heard.push(q.symbol), b.feed.close()) });
  await turn();
  b.socket.say(quote(item('coffee', 1, 1), item('tea', 1, 1)));
  assert.deepEqual(heard, ['coffee']);
});

test('a listener that closes the feed when something is wrong: it stays closed', async (t) => {
  for (const message of [
    { type: 'error', id: 's', code: 429, error: 'rate_limited', message: 'slow down' },
    { type: 'error', code: 401, error: 'auth_required', message: 'no' },
    { type: 'subscribed', id: 's', symbols: [], rejected: [{ symbol: 'x', error: 'unknown_symbol', message: 'no' }] },
  ]) {
    const b = await bench(t);
    b.goLive();
    b.feed.subscribe('x');
    b.feed.addEventListener('error', () => b.feed.close());
    b.socket.say(message);
    await turn();
    assert.deepEqual([b.state.state, b.timers.length], ['closed', 0]);
  }
});

test('over events a stream is asked for again only when its symbols are others', async (t) => {
  const asked = [];
  const fetch = (url) => {
    asked.push(new URL(url).searchParams.get('symbols'));
    return new Promise(() => {});
  };
  const b = await bench(t, { transport: 'sse', fetch, subscribe: false });
  assert.deepEqual(asked, []);
  const first = b.feed.subscribe(['a', 'b']);
  await turn();
  b.feed.subscribe('a');
  await turn();
  assert.deepEqual(asked, ['a,b']);
  first.close();
  await turn();
  assert.deepEqual(asked, ['a,b', 'a']);
});

test('a stream that comes back names the last event; one for other symbols does not', async (t) => {
  const calls = [];
  const fetch = async (url, { headers }) => {
    const call = { symbols: new URL(url).searchParams.get('symbols'), headers };
    calls.push(call);
    return new Response(new ReadableStream({ start: (controller) => (call.stream = controller) }));
  };
  const b = await bench(t, { transport: 'sse', token: 'abc', fetch, subscribe: false });
  b.feed.subscribe('a');
  const settled = async () => {
    for (let i = 0; i < 10; i++) await turn();
  };
  const say = async (text) => {
    calls.at(-1).stream.enqueue(new TextEncoder().encode(text));
    await settled();
  };
  await settled();
  assert.deepEqual(calls[0].headers, { Authorization: 'Bearer abc' });
  await say(':\n\nid: f0:7\nevent: quote\ndata: {"symbol":"a",\ndata: "price":1}\n\nid: f0:8\nevent: sta');
  assert.equal(b.feed.quote('a').price, 1, 'in several lines, as other programs may write');
  await say('tus\ndata: {"symbol":"a","state":"closed"}\n\n');
  assert.equal(b.feed.status('a').state, 'closed', 'in two pieces');
  calls.at(-1).stream.close();
  await settled();
  assert.equal(b.state.state, 'reconnecting');
  await b.pass(b.state.retryMs);
  await settled();
  assert.equal(calls[1].headers['Last-Event-ID'], 'f0:8');
  await b.pass(49_999);
  assert.equal(b.state.state, 'live', 'nothing has come, and nothing had to');
  // A slower heartbeat than the usual one is not taken for silence without end.
  await b.pass(1);
  assert.match(b.state.reason, /nothing heard/);
  await b.pass(b.state.retryMs);
  await settled();
  await b.pass(60_000);
  await say(':\n\n');
  await b.pass(60_000);
  assert.equal(b.state.state, 'live');
  b.feed.subscribe('b');
  await settled();
  assert.equal(calls[3].symbols, 'a,b');
  assert.equal(calls[3].headers['Last-Event-ID'], undefined, 'it stands for what a stream has brought');
});

test('a reader\'s own error is thrown where it is seen, and others hear the price', async (t) => {
  const b = await bench(t);
  b.goLive();
  const heard = [];
  b.feed.subscribe('coffee', { onQuote: () => { throw new Error('mine'); } });
  b.feed.subscribe('coffee', { onQuote: (q) => heard.push(q.price) });
  await turn();
  b.socket.say(quote(item('coffee', 1, 1)));
  assert.deepEqual(heard, [1]);
  const thrown = b.timers.find((timer) => !(timer.at > 0));
  assert.throws(thrown.f, /mine/);
  b.timers.splice(b.timers.indexOf(thrown), 1);
});

test('states: those that the new line does not mention are those of the items', async (t) => {
  const b = await bench(t);
  const told = [];
  b.feed.addEventListener('status', (event) => told.push(`${event.detail.symbol} ${event.detail.state}`));
  b.goLive();
  b.socket.say(quote(item('a', 1, 1), item('b', 1, 1), item('c', 1, 1, { state: 'closed' })));
  b.socket.say({ type: 'status', data: [{ symbol: 'b', state: 'stale', reason: 'timeout' }, { symbol: 'd', state: 'unavailable' }] });
  b.socket.say({ type: 'status', data: [{ symbol: 'b', state: 'stale', reason: 'timeout' }] });
  assert.deepEqual(told.splice(0), ['b stale', 'd unavailable'], 'once');
  b.socket.break();
  await b.pass(500);
  b.goLive();
  b.socket.say({ type: 'status', data: [{ symbol: 'b', state: 'stale', reason: 'timeout' }] });
  await b.pass(1000);
  assert.deepEqual(told.splice(0), [], 'a short absence changes nothing');
  b.socket.break();
  await b.pass(2000);
  assert.deepEqual(told.splice(0), ['a stale', 'b stale', 'c stale']);
  assert.equal(b.feed.status('a').reason, 'disconnected');
  b.goLive();
  assert.equal(b.feed.status('a').state, 'stale', 'it may yet say so');
  await b.pass(1000);
  assert.deepEqual(told.splice(0), ['a live', 'b live', 'c closed']);
  b.socket.break();
  await b.pass(2000);
  told.splice(0);
  b.goLive([{ symbol: 'a', error: 'unknown_symbol', message: 'not configured' }]);
  await b.pass(1000);
  assert.deepEqual(told.splice(0), ['a unavailable', 'b live', 'c closed'], 'the new line has no such symbol');
});

test('exact numbers go all the way', async (t) => {
  const b = await bench(t, { parse: parseExact });
  b.goLive();
  b.socket.say('{"type":"quote","data":[{"symbol":"a","price":150.10,"ts":10,"seq":"a0:9","state":"live"}]}');
  b.socket.say('{"type":"quote","data":[{"symbol":"a","price":151.00,"ts":9,"seq":"a0:10","state":"live"}]}');
  assert.equal(b.feed.quote('a').price, '150.10', 'times are compared as numbers');
  const answer = b.feed.refresh('a');
  await turn();
  const { id } = b.socket.sent.at(-1);
  b.socket.say(JSON.stringify({ type: 'refreshed', id, symbols: ['a'], rejected: [] }));
  assert.deepEqual((await answer).symbols, ['a']);
  const lost = b.feed.refresh('a');
  await turn();
  b.socket.break();
  await assert.rejects(lost, /lost/);
});

// --- parts ---

test('plans: from broad to narrow, each name with what all who want it want', () => {
  const wish = (symbols, options = {}) => ({ symbols, ...options, wants: (s) => symbols.some((n) => covers(n, s)) });
  const all = wish(['*'], { interval_ms: 1000, fields: ['price'] });
  const euro = wish(['EUR/*', 'coffee'], { interval_ms: 200, fields: ['bid'] });
  const one = wish(['EUR/USD']);
  assert.deepEqual([...plan([one, euro, all])], [
    ['*', { interval_ms: 1000, fields: ['ts', 'state', 'price'] }],
    ['EUR/*', { interval_ms: 200, fields: ['ts', 'state', 'bid', 'price'] }],
    ['EUR/USD', { interval_ms: 0, fields: undefined }],
    ['coffee', { interval_ms: 200, fields: ['ts', 'state', 'bid', 'price'] }],
  ]);
  const first = changes(new Map(), plan([all, euro]));
  assert.deepEqual(first.gone, []);
  assert.deepEqual(first.groups.map((g) => [g.symbols, g.interval_ms]), [[['*'], 1000], [['EUR/*', 'coffee'], 200]]);
  assert.deepEqual(changes(plan([all, euro]), plan([all, euro])), { gone: [], groups: [] });
  // What goes takes with it what overlaps; so that is asked for again.
  const less = changes(plan([all, euro]), plan([all]));
  assert.deepEqual([less.gone, less.groups.map((g) => g.symbols)], [['EUR/*', 'coffee'], [['*']]]);
  const narrow = changes(plan([all, one]), plan([one]));
  assert.deepEqual([narrow.gone, narrow.groups.map((g) => g.symbols)], [['*'], [['EUR/USD']]]);
  const many = changes(new Map(), plan([wish(Array.from({ length: 1200 }, (_, i) => `S${i}`))]));
  assert.deepEqual(many.groups.map((g) => g.symbols.length), [500, 500, 200], 'no message too long');
});

test('news: newer by time, by version within an epoch; the same once more is none', () => {
  const held = { ts: 10, seq: 'a0:9', price: 1 };
  for (const [next, news] of [
    [{ ts: 9, seq: 'a0:10' }, false], [{ ts: 10, seq: 'a0:10' }, true], [{ ts: 11, seq: 'a0:9' }, true], [{ ts: 10, seq: 'a0:8' }, false],
    [{ ts: 10, seq: 'b0:1' }, true], [{ ts: 10, seq: '90:1' }, true], [{ ts: 10 }, true], [{ seq: 'a0:10' }, true], [{ ts: 11 }, true],
  ]) assert.equal(isNews(next, held, false), news, JSON.stringify(next));
  assert.equal(isNews({ ts: 10, price: 1 }, { ts: 10, price: 1 }, true), false, 'no version: by its text, where it may be the very item');
  assert.equal(isNews({ ts: 10, price: 1 }, { ts: 10, price: 1 }, false), true);
});

test('a book forgets what nobody wants', () => {
  let wanted = ['a', 'b'];
  const told = [];
  const reader = { wants: () => true, take: (kind, { symbol }) => told.push(symbol), takeStatus: () => {} };
  const book = new Book((symbol) => (wanted.includes(symbol) ? [reader] : []), () => {});
  for (const symbol of ['a', 'b', 'c']) book.take('quote', item(symbol, 1, 1));
  assert.deepEqual(told, ['a', 'b']);
  wanted = ['b'];
  book.prune();
  assert.equal(book.get('a').item, undefined);
  assert.equal(book.get('b').item.price, 1);
  assert.deepEqual(book.since(['*']), { b: 'a0:1' });
});

// --- the package ---

const folder = fileURLToPath(new URL('../../web/client/', import.meta.url));
const tests = fileURLToPath(new URL('..', import.meta.url));

test('minified and gzipped it is at most 5 KB, and needs nothing else', () => {
  const { outputFiles } = buildSync({
    entryPoints: [`${folder}index.js`], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false,
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  console.log(`pricegate-client: ${outputFiles[0].contents.length} bytes minified, ${bytes} gzipped`);
  assert.ok(bytes <= 5 * 1024, `${bytes} bytes`);
});

test('what is published: the modules, their types, the manual; the version is the program\'s', () => {
  const [pack] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  assert.deepEqual(pack.files.map((f) => f.path).sort(), [
    'README.md', 'book.js', 'exact.d.ts', 'exact.js', 'index.d.ts', 'index.js', 'lines.js', 'package.json', 'plan.js',
    'price-ticker.d.ts', 'price-ticker.js', 'subscription.js',
  ]);
  const named = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  const program = /project\(pricegate VERSION ([\d.]+)/.exec(readFileSync(`${folder}../../CMakeLists.txt`, 'utf8'))[1];
  assert.equal(named.version, program);
  for (const entry of Object.values(named.exports)) {
    for (const file of typeof entry === 'string' ? [entry] : Object.values(entry)) assert.ok(pack.files.some((f) => `./${f.path}` === file), file);
  }
});

for (const [where, project] of [['in a browser', 'tsconfig.json'], ['in Node, without the types of browsers', 'node.json']]) {
  test(`the types say what the modules do, ${where}`, () => {
    const tsc = `${tests}node_modules/typescript/bin/tsc`;
    try {
      execFileSync(process.execPath, [tsc, '-p', `${tests}support/client-types/${project}`], { encoding: 'utf8' });
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}
