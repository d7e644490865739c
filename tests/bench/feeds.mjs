// The feeds' benchmark: what a record costs, what polling costs, and how long the loop ever blocks.
//
//   node tests/bench/feeds.mjs [options] [records] [poll] [stall]      default: all three
//     --quick            a look, not a figure: 3 short rounds, 15 s of polling, 10 s of trouble
//     --rounds N         of records (5);  --seconds S of polling (60) and of trouble (60)
//     --json FILE        everything measured;  --markdown FILE  the report, as README shows it
//
// records  bench_records: batch replies of 120 symbols, parsed, checked, encoded, handed to the bus;
//          and jansson's json_loads() of the same bytes, in turn, in the same process.
// poll     The real program polls 1,000 instruments from a fake upstream over HTTP, batches of 120:
//          every 15 s (the default) and every second. CPU time of the process from /proc.
// stall    Everything that could block, at once: a name server that never answers (providers and
//          Redis by name), an upstream whose TLS handshake drips, the system's whole CA bundle to
//          load, wrong prices for the dead letters, 1,000 instruments, 100 WebSocket clients, and
//          somebody who asks for /metrics, data health and all quotes every second. How long each turn
//          of the loop took, by the program's own histogram. The name server needs a network and a
//          mount namespace of its own (unshare -rnm); where that is not permitted, names are not
//          tested and the report says so.
//
// Needs taskset, two cores, and the programs built ($PRICEGATE_BIN; bench_records in $BENCH_BIN).
// The program runs alone on core 0, and before all others there (chrt) where that is permitted;
// everything else runs on core 1.

import { execFileSync, spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { makeCerts } from '../support/certs.js';
import { startGateway } from '../support/gateway.js';
import { sleep, temporaryFolder, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';
import { LOAD_CORE, SERVER_CORE, pin } from './servers.mjs';

const bin = process.env.BENCH_BIN ?? fileURLToPath(new URL('../../build/tests/bench', import.meta.url));
const SYSTEM_CA = '/etc/ssl/certs/ca-certificates.crt';
const DNS_PORT = 53;
const INSTRUMENTS = 1000;
const PLENTY = { credits_per_minute: 1_000_000, credits_per_day: 1_000_000_000 };

// --- the fake upstream ---

const nameOf = (i) => `S${String(i).padStart(4, '0')}`;

/** One quote as Twelve Data's /quote sends it; the price moves by the second. */
function quote(symbol) {
  const now = Math.floor(Date.now() / 1000);
  const price = 100 + (Number(symbol.slice(1)) % 900) + (now % 50) / 100;
  const text = (x) => x.toFixed(5);
  return {
    symbol, name: `Company of the symbol ${symbol}`, exchange: 'NASDAQ', mic_code: 'XNGS', currency: 'USD',
    datetime: '2026-01-01', timestamp: now - 3600, last_quote_at: now, open: text(price - 0.5),
    high: text(price + 2), low: text(price - 2), close: text(price), volume: '49831100',
    previous_close: text(price - 1), change: '1.00000', percent_change: '0.60606', average_volume: '52031170',
    is_market_open: true,
    fifty_two_week: { low: text(price / 2), high: text(price * 2), range: `${text(price / 2)} - ${text(price * 2)}` },
  };
}

function answer(req, res) {
  const symbols = new URL(req.url, 'http://upstream').searchParams.get('symbol')?.split(',') ?? [];
  const body = symbols.length === 1 ? quote(symbols[0]) : Object.fromEntries(symbols.map((s) => [s, quote(s)]));
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(body));
  answer.count += 1;
}
answer.count = 0;

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

// --- what /proc and /metrics say ---

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds, and seconds that the process was ready to run and did not. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const [, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return { cpu_s: (Number(fields[11]) + Number(fields[12])) / TICKS, waited_s: Number(waited) / 1e9 };
}

function turns(metrics) {
  const rows = [...metrics.matchAll(/^pricegate_loop_busy_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)];
  return rows.map(([, le, n]) => ({ le_ms: le === '+Inf' ? Infinity : Number(le) * 1000, n: Number(n) }));
}

/** Of the turns between two readings: how many, how many longer than 5 ms, what none was longer than. */
function describeTurns(before, after) {
  const counts = after.map((row, i) => ({ le_ms: row.le_ms, n: row.n - (before[i]?.n ?? 0) }));
  const all = counts.at(-1).n;
  return {
    turns: all,
    over_5_ms: all - counts.find((row) => row.le_ms === 5).n,
    none_over_ms: counts.find((row) => row.n === all).le_ms,
  };
}

// --- the three measurements ---

function records({ rounds, seconds }) {
  const args = ['-c', LOAD_CORE, join(bin, 'bench_records'), '--rounds', String(rounds), '--seconds', String(seconds)];
  return JSON.parse(execFileSync('taskset', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

const instruments = (n, pollMs, source, more = {}) =>
  Array.from({ length: n }, (_, i) => ({
    symbol: nameOf(i), category: 'equities', unit: 'USD/share', currency: 'USD', range: [10, 5000], poll_ms: pollMs,
    sources: [source(i)], ...more,
  }));

/** Before all others on its core, where that is permitted: what keeps a process from its core is not
 *  what is measured here. */
function prefer(pid) {
  return spawnSync('chrt', ['-a', '-f', '-p', '1', String(pid)], { stdio: 'ignore' }).status === 0;
}

async function start(config, options) {
  const gateway = await startGateway(config, options);
  pin(gateway.pid, SERVER_CORE);
  gateway.preferred = prefer(gateway.pid);
  return gateway;
}

async function poll({ seconds, pollMs }) {
  const server = http.createServer(answer);
  const port = await listen(server);
  const gateway = await start({
    providers: { twelvedata: { enabled: true, api_key: 'bench', base_url: `http://127.0.0.1:${port}`, ...PLENTY } },
    instruments: instruments(INSTRUMENTS, pollMs, (i) => ({ provider: 'twelvedata', symbol: nameOf(i) })),
  });
  try {
    const received = () => gateway.metric('pricegate_quotes_received_total{source="twelvedata"}');
    await until(async () => (await received()) >= INSTRUMENTS, 'a price of each instrument', 2 * pollMs + 20_000);
    const [before, quotes, requests, began] = [usage(gateway.pid), await received(), answer.count, Date.now()];
    await sleep(1000 * seconds);
    const [after, took] = [usage(gateway.pid), (Date.now() - began) / 1000];
    return {
      poll_ms: pollMs,
      quotes_per_s: ((await received()) - quotes) / took,
      requests_per_s: (answer.count - requests) / took,
      core_percent: (100 * (after.cpu_s - before.cpu_s)) / took,
    };
  } finally {
    await gateway.stop();
    server.close();
    server.closeAllConnections?.();
  }
}

/** TLS, but every piece of the handshake comes late and in two halves. */
async function slowTls(certs) {
  const server = https.createServer({ key: certs.pem.key, cert: certs.pem.cert, keepAlive: false }, (req, res) => {
    res.setHeader('Connection', 'close'); // a handshake for each request
    answer(req, res);
  });
  const inner = await listen(server);
  const proxy = net.createServer((client) => {
    const upstream = net.connect(inner, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy() || upstream.destroy());
    client.pipe(upstream);
    upstream.on('data', async (bytes) => {
      upstream.pause();
      const half = bytes.length >> 1;
      for (const piece of [bytes.subarray(0, half), bytes.subarray(half)]) {
        await sleep(40);
        if (!client.destroyed) client.write(piece);
      }
      upstream.resume();
    });
    upstream.on('end', () => setTimeout(() => client.end(), 100));
  });
  return { port: await listen(proxy), stop: () => [server, proxy].forEach((s) => s.close()) };
}

function troubled({ tlsPort, names, dead }) {
  const host = (name) => (names ? `https://${name}.nowhere.test` : 'http://127.0.0.1:1');
  const source = (i) => {
    if (i < 120) return { provider: 'twelvedata', symbol: nameOf(i) };
    if (i < 200) return { provider: 'yahoo', symbol: nameOf(i) };
    if (i < 210) return { provider: 'coinbase', symbol: `${nameOf(i)}-USD` };
    return { provider: 'sim', symbol: i < 400 ? `${nameOf(i)}!wrong` : nameOf(i) };
  };
  return {
    redis: { url: names ? 'redis://redis.nowhere.test:6379' : 'redis://127.0.0.1:1' },
    quality: { dead_letter_dir: dead },
    breaker: { threshold: 1000, timeout_s: 1 },
    providers: {
      sim: { enabled: true },
      twelvedata: { enabled: true, api_key: 'bench', base_url: `https://localhost:${tlsPort}`, ...PLENTY },
      yahoo: { base_url: host('yahoo'), ...PLENTY },
      coinbase: { base_url: host('coinbase'), ...PLENTY },
    },
    instruments: instruments(INSTRUMENTS, 1000, source, { max_jump_pct: 20 }),
  };
}

/** Reads all there is once a second, until told to stop. */
function reader(gateway) {
  let on = true;
  const done = (async () => {
    while (on) {
      for (const path of ['/metrics', '/data-health/status', '/data-health/sources', '/api/v1/quotes', '/api/v1/instruments']) {
        await gateway.get(path);
      }
      await sleep(1000);
    }
  })();
  return async () => {
    on = false;
    await done;
  };
}

async function stall({ seconds, names }) {
  const certs = makeCerts();
  const folder = temporaryFolder();
  const bundle = join(folder.path, 'bundle.pem');
  writeFileSync(bundle, `${existsSync(SYSTEM_CA) ? readFileSync(SYSTEM_CA, 'utf8') : ''}\n${certs.pem.ca}`);
  const tls = await slowTls(certs);
  const gateway = await start(troubled({ tlsPort: tls.port, names, dead: folder.path }), { env: { SSL_CERT_FILE: bundle } });
  const clients = [];
  try {
    for (let i = 0; i < 100; i += 1) clients.push(await connectWs(gateway.wsUrl));
    for (const client of clients) client.send({ action: 'subscribe', symbols: [`S0${String(clients.indexOf(client)).padStart(2, '0')}*`] });
    // The first TLS connection reads the CA bundle; that is part of the start.
    await until(async () => (await gateway.metric('pricegate_quotes_received_total{source="twelvedata"}')) > 0, 'prices over TLS', 30_000);
    const began = (await gateway.get('/metrics')).body;
    const before = usage(gateway.pid);
    const stopReading = reader(gateway);
    await sleep(1000 * seconds);
    await stopReading();
    const after = usage(gateway.pid);
    const metrics = (await gateway.get('/metrics')).body;
    const results = [...metrics.matchAll(/^pricegate_provider_requests_total\{provider="(\w+)",result="(\w+)"\} (\d+)/gm)];
    return {
      names,
      preferred: gateway.preferred,
      start: describeTurns([], turns(began)),
      trouble: describeTurns(turns(began), turns(metrics)),
      waited_for_core_ms: 1000 * (after.waited_s - before.waited_s),
      core_percent: (100 * (after.cpu_s - before.cpu_s)) / seconds,
      requests: Object.fromEntries(results.map(([, provider, result, n]) => [`${provider} ${result}`, Number(n)])),
    };
  } finally {
    for (const client of clients) client.terminate();
    await gateway.stop();
    tls.stop();
    folder.remove();
    certs.remove();
  }
}

// --- a network of its own, with a name server that never answers ---

/** Runs this program's `stall` inside namespaces; null when that is not permitted. */
function stallInside(o) {
  const folder = temporaryFolder();
  try {
    const conf = join(folder.path, 'resolv.conf');
    const out = join(folder.path, 'stall.json');
    writeFileSync(conf, 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n');
    const script = 'mount --bind "$1" /etc/resolv.conf && ip link set lo up && shift && exec "$@"';
    const flags = process.getuid() === 0 ? '-nm' : '-rnm'; // root keeps what else it may do
    const inside = [flags, 'sh', '-c', script, 'sh', conf];
    if (spawnSync('unshare', [...inside, 'true'], { stdio: 'ignore' }).status !== 0) return null;
    const self = fileURLToPath(import.meta.url);
    const { status } = spawnSync('unshare', [...inside, process.execPath, self, '--inside', out, '--seconds', String(o.seconds)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) throw new Error('the measurement inside the namespaces failed');
    return JSON.parse(readFileSync(out, 'utf8'), (key, value) => (key === 'none_over_ms' ? value ?? Infinity : value));
  } finally {
    folder.remove();
  }
}

async function inside(o) {
  const deaf = dgram.createSocket('udp4');
  await new Promise((resolve) => deaf.bind(DNS_PORT, '127.0.0.1', resolve));
  let asked = 0;
  deaf.on('message', () => (asked += 1));
  const result = await stall({ ...o, names: true });
  deaf.close();
  writeFileSync(o.inside, JSON.stringify({ ...result, names_asked: asked }));
}

// --- the report ---

const number = (x, digits = 0) => x.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function targets(r) {
  const rows = [];
  const row = (say, limit, figure, reached) => rows.push({ say, limit, figure, reached });
  if (r.records) {
    const { records_per_s: ours, jansson_per_s: alone, to_jansson: share } = r.records;
    row('records parsed, checked, encoded and on the bus', '≥ 50,000/s', `${number(ours)}/s`, ours >= 50_000);
    row('the same to jansson\'s parsing alone', '', `${number(alone)}/s, ${number(share, 2)} x`, null);
  }
  for (const p of r.poll ?? []) {
    const asked = p.poll_ms >= 15_000;
    row(`1,000 instruments polled every ${p.poll_ms / 1000} s: share of a core`, asked ? '< 5 %' : '',
      `${number(p.core_percent, 2)} % (${number(p.quotes_per_s)} quotes/s)`, asked ? p.core_percent < 5 : null);
  }
  if (r.stall) {
    const { trouble, start: begin, names } = r.stall;
    const what = names ? 'dead name server, slow TLS, no Redis' : 'slow TLS, no Redis (names not tested: not permitted)';
    row(`turns of the loop over 5 ms; ${what}`, '0', `${number(trouble.over_5_ms)} of ${number(trouble.turns)}; none over ${number(trouble.none_over_ms, 1)} ms`, trouble.over_5_ms === 0);
    row('the same while it starts (the CA bundle is read)', '', `${number(begin.over_5_ms)} of ${number(begin.turns)}; none over ${number(begin.none_over_ms, 1)} ms`, null);
    const how = r.stall.preferred ? '' : ' (it shared it)';
    row(`the process waited for its core${how}`, '', `${number(r.stall.waited_for_core_ms)} ms`, null);
  }
  return rows;
}

function markdown(r) {
  const mark = { true: 'yes', false: 'NO', null: '' };
  return [
    `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores; Linux ${os.release().split('-')[0]}. Load average before: ${r.load}.`,
    '',
    '| target | limit | figure | reached |',
    '| --- | --- | ---: | --- |',
    ...targets(r).map((t) => `| ${t.say} | ${t.limit} | ${t.figure} | ${mark[t.reached]} |`),
    '',
  ].join('\n');
}

// --- main ---

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' }, rounds: { type: 'string' }, seconds: { type: 'string' },
      json: { type: 'string' }, markdown: { type: 'string' }, inside: { type: 'string' },
    },
  });
  const parts = positionals.length > 0 ? positionals : ['records', 'poll', 'stall'];
  const stranger = parts.find((p) => !['records', 'poll', 'stall'].includes(p));
  if (stranger) throw new Error(`no such part: ${stranger} (records, poll, stall)`);
  const seconds = values.seconds ? Number(values.seconds) : null;
  return {
    ...values, parts,
    rounds: Number(values.rounds ?? (values.quick ? 3 : 5)),
    round_s: values.quick ? 0.3 : 2,
    poll_s: seconds ?? (values.quick ? 15 : 60),
    seconds: seconds ?? (values.quick ? 10 : 60),
  };
}

async function main() {
  const o = options();
  pin(process.pid, LOAD_CORE);
  if (o.inside) return inside(o);
  const r = { load: os.loadavg()[0].toFixed(2) };
  if (o.parts.includes('records')) {
    process.stderr.write('records\n');
    r.records = records({ rounds: o.rounds, seconds: o.round_s });
  }
  if (o.parts.includes('poll')) {
    r.poll = [];
    for (const pollMs of [15_000, 1000]) {
      process.stderr.write(`poll, every ${pollMs / 1000} s\n`);
      r.poll.push(await poll({ seconds: o.poll_s, pollMs }));
    }
  }
  if (o.parts.includes('stall')) {
    process.stderr.write('stall\n');
    r.stall = stallInside(o) ?? (await stall({ ...o, names: false }));
  }
  const text = markdown(r);
  process.stdout.write(text);
  if (o.markdown) writeFileSync(o.markdown, text);
  if (o.json) writeFileSync(o.json, `${JSON.stringify({ ...r, targets: targets(r) }, null, 1)}\n`);
  if (targets(r).some((t) => t.reached === false)) process.exitCode = 1;
  return undefined;
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
