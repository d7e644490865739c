// What attackers cost: the gateway's CPU time and memory beside what the attacker itself has spent,
// and what an honest client notices.
//
//   node tests/bench/attacks.mjs [options] [attack...]        default: all (attackers.mjs)
//     --runs N         rounds, of which medians are told (3);  --seconds S of each attack (10)
//     --quick          one round of 3 s: a look, not a figure
//     --json FILE      everything measured;  --markdown FILE  the report, as README shows it
//     --from FILE      measures nothing: the report out of an earlier --json
//     --list           what the attacks are
//
// Each attack meets a gateway of its own, on core 0, with 500 instruments that have prices; everybody
// else shares core 1. 100 quotes a second come over Redis; an honest client follows all of them, and
// asks for /healthz on a new connection 20 times a second. All of it runs before, and the first row,
// `none`, is what it costs without an attacker: its CPU time is taken off the others'. The attacker has
// a lower priority than the honest client, or on two cores it would measure how they share theirs.
//
// Memory is the growth of the gateway's peak resident size over its size before. An attacker's own
// memory is what it has sent, and 2 KiB for each connection that it holds, as its kernel needs that at
// the least. The line that no attack may cross is Envoy's: 100 times its own CPU time or memory. A first
// snapshot is served to anybody by design; what is sent to the attacker is in the table, too.
//
// Needs redis-server, taskset, two cores, and the program ($PRICEGATE_BIN).

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { makeCerts } from '../support/certs.js';
import { request, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { sleep, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';
import { attacks } from './attackers.mjs';
import { LOAD_CORE, SERVER_CORE, pin } from './servers.mjs';

const SYMBOLS = 500;
const QUOTES_PER_S = 100;
const REQUESTS_PER_S = 20;
const SETTLE_MS = 1000;
const KEY = 'the honest client';
const SOCKET_BYTES = 2048;
const RATIO_MAX = 100;
const TICKS_PER_S = 100; // of /proc/PID/stat, whatever the kernel's own

const symbol = (i) => `S${String(i).padStart(4, '0')}`;
const self = fileURLToPath(new URL('attackers.mjs', import.meta.url));

// --- the gateway, from outside ---

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

const kilobytes = (pid, name) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5');

// --- the honest client ---

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
const median = (values) => quantile(values.filter(Number.isFinite).sort((a, b) => a - b), 0.5);

class Honest {
  constructor(gateway, redis, ca) {
    Object.assign(this, { gateway, redis, ca });
    this.n = 0;
    this.forget();
  }

  forget() {
    this.quotes = [];
    this.requests = [];
    this.failed = 0;
  }

  async start() {
    const headers = { Authorization: `Bearer ${KEY}` };
    this.client = await connectWs(this.gateway.wsUrl, { ca: this.ca, headers });
    this.client.socket.removeAllListeners('message'); // nothing is kept
    this.client.socket.on('message', (data) => this.#take(data));
    for (let i = 0; i < SYMBOLS; i++) await this.#publish(i);
    this.client.send({ action: 'subscribe', symbols: ['*'], snapshot: false });
    this.timers = [
      setInterval(() => this.#publish(this.n++ % SYMBOLS), 1000 / QUOTES_PER_S),
      setInterval(() => this.#ask(), 1000 / REQUESTS_PER_S),
    ];
  }

  #publish(i) {
    const now = Date.now();
    const item = `{"symbol":"${symbol(i)}","price":${100 + (this.n % 1000) / 100},"ts":${now},"recv":${now},"state":"live","at":${performance.now()},"pad":"${'x'.repeat(100)}"}`;
    return this.redis.command('PUBLISH', `${symbol(i)}:price:stream`, item).catch(() => {});
  }

  #take(data) {
    const now = performance.now();
    for (const [, at] of data.toString('latin1').matchAll(/"at":([\d.]+)/g)) this.quotes.push(now - Number(at));
  }

  async #ask() {
    const began = performance.now();
    try {
      await request(`${this.gateway.url}/healthz`, { ca: this.ca, ms: 10_000 });
      this.requests.push(performance.now() - began);
    } catch {
      this.failed += 1;
    }
  }

  result() {
    const sorted = (list) => [...list].sort((a, b) => a - b);
    const [quotes, requests] = [sorted(this.quotes), sorted(this.requests)];
    return { quotes: quotes.length, quote_p50_ms: quantile(quotes, 0.5), quote_p99_ms: quantile(quotes, 0.99), request_p99_ms: quantile(requests, 0.99), requests_failed: this.failed };
  }

  stop() {
    this.timers?.forEach(clearInterval);
    this.client?.terminate();
  }
}

// --- one attack ---

function config(attack, { redis, certs }) {
  const { auth, ...more } = attack.config ?? {};
  return {
    redis: { url: redis.url },
    instruments: Array.from({ length: SYMBOLS }, (_, i) => ({ symbol: symbol(i), sources: [] })),
    auth: { keys: [{ name: 'honest', role: 'viewer', sha256: createHash('sha256').update(KEY).digest('hex') }], ...auth },
    drain_s: 0,
    ...(attack.tls ? { listen: { tls: { cert: certs.cert, key: certs.key } } } : {}),
    ...more,
  };
}

function attackerOf(name, port, seconds) {
  const args = ['-n', '10', 'taskset', '-c', LOAD_CORE, process.execPath, self, name, JSON.stringify({ port, seconds })];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (part) => (out += part));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`attacker ${name} ended with ${code}`))));
  });
}

async function measure(name, place, seconds) {
  const attack = attacks[name];
  const gateway = await startGateway(config(attack, place));
  const ca = attack.tls ? place.certs.pem.ca : undefined;
  const honest = new Honest(gateway, place.redis, ca);
  try {
    pin(gateway.pid, SERVER_CORE);
    await gateway.log('bus_up');
    await honest.start();
    await until(() => honest.quotes.length > 10, 'the honest client hears quotes', 30_000);
    await sleep(SETTLE_MS);
    honest.forget();
    forgetPeak(gateway.pid);
    const before = { rss: kilobytes(gateway.pid, 'VmRSS'), cpu: cpuSeconds(gateway.pid), at: performance.now() };
    const attacker = await attackerOf(name, gateway.port, seconds);
    const took_s = (performance.now() - before.at) / 1000;
    const cpu_s = cpuSeconds(gateway.pid) - before.cpu;
    const result = { took_s, cpu_s, grown_bytes: 1024 * (kilobytes(gateway.pid, 'VmHWM') - before.rss), attacker, ...honest.result() };
    await sleep(SETTLE_MS);
    return { ...result, left_bytes: 1024 * (kilobytes(gateway.pid, 'VmRSS') - before.rss) };
  } finally {
    honest.stop();
    await gateway.stop();
    await place.redis.command('FLUSHALL');
  }
}

/** Its own share, and the ratios to what the attacker has spent. */
function judge(r, base) {
  const cpu_s = Math.max(0, r.cpu_s - (base.cpu_s / base.took_s) * r.took_s);
  const own_bytes = r.attacker.bytes_sent + SOCKET_BYTES * r.attacker.most_open;
  return {
    ...r,
    cost_s: cpu_s,
    own_bytes,
    cpu_ratio: cpu_s / Math.max(r.attacker.cpu_s, 0.01),
    memory_ratio: Math.max(0, r.grown_bytes - base.grown_bytes) / Math.max(own_bytes, 1),
  };
}

// --- the report ---

const number = (x, digits = 0) => x.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const megabytes = (bytes) => number(bytes / 1e6, bytes < 1e7 ? 1 : 0);

function middle(rounds) {
  const pick = (path) => median(rounds.map((r) => path(r)));
  const one = {};
  for (const key of ['took_s', 'cpu_s', 'cost_s', 'grown_bytes', 'left_bytes', 'own_bytes', 'cpu_ratio', 'memory_ratio', 'quote_p50_ms', 'quote_p99_ms', 'request_p99_ms', 'requests_failed']) {
    one[key] = pick((r) => r[key]);
  }
  one.attacker = Object.fromEntries(Object.keys(rounds[0].attacker).map((key) => [key, pick((r) => r.attacker[key])]));
  return one;
}

function markdown(all) {
  const rounds = Math.min(...Object.values(all.attacks).map((list) => list.length));
  const rows = Object.entries(all.attacks).map(([name, list]) => {
    const r = middle(list);
    const a = r.attacker;
    const cells = name === 'none' ? ['', '', '', '', number(r.cpu_s, 2), '', megabytes(r.grown_bytes), ''] : [
      number(a.connections), megabytes(a.bytes_sent), megabytes(a.bytes_received), number(a.cpu_s, 2),
      number(r.cost_s, 2), `${number(r.cpu_ratio, 2)} x`, megabytes(r.grown_bytes), `${number(r.memory_ratio, r.memory_ratio < 10 ? 2 : 0)} x`,
    ];
    return `| ${attacks[name].say} | ${[...cells, number(r.quote_p99_ms, 1), number(r.request_p99_ms, 1)].join(' | ')} |`;
  });
  return [
    `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores; Linux ${os.release().split('-')[0]}. ${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}, ${all.seconds} s of each attack by one process. Load average before: ${all.load}.`,
    '',
    '| the attacker | connections | MB sent | MB received | its CPU s | ours | ratio | memory MB | ratio | others: quote p99 ms | new request p99 ms |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
}

/** The names of those that cross the line in their medians. */
const crossing = (all) =>
  Object.entries(all.attacks).filter(([name, rounds]) => name !== 'none' && (middle(rounds).cpu_ratio >= RATIO_MAX || middle(rounds).memory_ratio >= RATIO_MAX)).map(([name]) => name);

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' }, list: { type: 'boolean' }, runs: { type: 'string' }, seconds: { type: 'string' },
      json: { type: 'string' }, markdown: { type: 'string' }, from: { type: 'string' },
    },
  });
  const wrong = positionals.find((name) => !(name in attacks));
  if (wrong) throw new Error(`no such attack: ${wrong} (--list)`);
  const number = (text, dflt) => (text === undefined ? dflt : Number(text));
  const names = positionals.length ? ['none', ...positionals.filter((name) => name !== 'none')] : Object.keys(attacks);
  return { ...values, names, runs: number(values.runs, values.quick ? 1 : 3), seconds: number(values.seconds, values.quick ? 3 : 10) };
}

async function run(o) {
  const all = { runs: o.runs, seconds: o.seconds, load: os.loadavg()[0].toFixed(2), attacks: {} };
  const redis = await startRedis();
  const certs = makeCerts();
  pin(process.pid, LOAD_CORE);
  try {
    for (let round = 0; round < o.runs; round++) {
      let base = null;
      for (const name of o.names) {
        const measured = await measure(name, { redis, certs }, o.seconds);
        base ??= measured;
        const judged = judge(measured, base);
        (all.attacks[name] ??= []).push(judged);
        if (o.json) writeFileSync(o.json, JSON.stringify(all, null, 1)); // what there is, should it be stopped
        process.stderr.write(`${round + 1}/${o.runs} ${name.padEnd(18)} CPU ${number(judged.cost_s, 2)} s (${number(judged.cpu_ratio, 2)} x), memory ${megabytes(judged.grown_bytes)} MB (${number(judged.memory_ratio, 2)} x), quotes p99 ${number(judged.quote_p99_ms, 1)} ms, requests p99 ${number(judged.request_p99_ms, 1)} ms\n`);
      }
    }
  } finally {
    await redis.stop();
    certs.remove();
  }
  return all;
}

const o = options();
if (o.list) {
  for (const [name, { say }] of Object.entries(attacks)) console.log(`${name.padEnd(18)} ${say}`);
} else {
  const all = o.from ? JSON.parse(readFileSync(o.from, 'utf8')) : await run(o);
  const report = markdown(all);
  if (o.markdown) writeFileSync(o.markdown, report);
  console.log(report);
  const over = crossing(all);
  console.log(over.length ? `${RATIO_MAX} times what the attacker spent, or more: ${over.join(', ')}` : `No attack costs ${RATIO_MAX} times what the attacker spends.`);
  process.exitCode = over.length ? 1 : 0;
}
