// The benchmark: every workload against the floor, pricegate and the peers that are installed.
//
//   node tests/bench/run.mjs [options] [workload...]        default: all workloads
//     --quick            one round of 2 s, at most 2,000 clients: a look, not a figure
//     --runs N           rounds (5; peers and idle: at most 2); --seconds S counted per measurement (4)
//     --servers a,b      only these (floor pricegate Nchan ws)
//     --idle N           clients of the workload `idle` (19000)
//     --perf             further short runs of floor and pricegate, quiet and busy: where the time goes
//     --json FILE        everything measured, for a machine
//     --markdown FILE    the report into a file as well, as README shows it
//     --from FILE        measures nothing: the report out of an earlier --json
//     --list             what the workloads are
//
// Needs redis-server, taskset, openssl, two cores, and the programs built: $PRICEGATE_BIN (default
// build/pricegate) and, in $BENCH_BIN (default build/tests/bench), bench_floor bench_load
// bench_publish. Peers: nginx with libnginx-mod-nchan; `ws` in tests/node_modules.
//
// Method. The server runs alone on core 0; Redis, publisher, clients and this program share core 1.
// All traffic stays on 127.0.0.1 and a Unix socket (Redis). Each measurement starts its own server,
// opens all clients, warms up, then counts for some seconds: items received, the server's CPU time
// from /proc, latency from the publisher's clock in the item to the client's reading of it. In a
// round all servers meet the same workload one after the other; ratios are to the floor of the same
// round, figures are medians over the rounds.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { makeCerts } from '../support/certs.js';
import { binary } from '../support/gateway.js';
import { BAD, FLOODS, mixture, SLOWLORIS } from '../support/hostile.js';
import { startRedis } from '../support/redis.js';
import { sleep, within } from '../support/wait.js';
import { look } from './perf.mjs';
import { markdown, summarise } from './report.mjs';
import { LOAD_CORE, pin, servers } from './servers.mjs';
import { quick, takes, workloads as all } from './workloads.mjs';

const bin = process.env.BENCH_BIN ?? fileURLToPath(new URL('../../build/tests/bench', import.meta.url));
const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));

// All temporary folders, the helpers' too, lie in one that goes with us.
process.env.TMPDIR = mkdtempSync(join(os.tmpdir(), 'pricegate-bench-'));
process.on('exit', () => rmSync(process.env.TMPDIR, { recursive: true, force: true, maxRetries: 3 }));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** Runs a program to its end; calls ready() when it says so on stderr. Its one line of JSON. */
function run(command, args, { ready, ms = 180_000 } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let complaints = '';
  child.stdout.on('data', (text) => (stdout += text));
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line === 'ready') ready?.();
    else if (complaints.length < 1000) complaints += `${line}\n`;
  });
  const done = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      children.delete(child);
      if (code === 0) resolve(stdout ? JSON.parse(stdout) : null);
      else reject(new Error(`${command} ended with ${code}: ${complaints}`));
    });
  });
  return { child, done: within(done, `${command} ends`, ms) };
}

const publish = (how, ...args) => run(join(bin, 'bench_publish'), [...how, ...args.map(String)]);

function loadOptions(w, server, { warm, seconds }) {
  const options = {
    port: server.port, pid: server.pid, clients: w.clients, symbols: w.symbols, want: w.want ?? 0,
    slow: w.slow ?? 0, churn: w.churn ?? 0, storm: w.storm ?? 0, warm, seconds: w.seconds ?? seconds,
  };
  return [
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...(w.tls ? ['--tls'] : []),
    ...(w.deflate ? ['--deflate'] : []),
    ...server.load,
  ];
}

/** Hostile clients in a process of their own, on the core of all clients; end at SIGTERM. */
function attack(n, port) {
  const kinds = mixture(n, [...FLOODS, ...SLOWLORIS, ...BAD]);
  const program = fileURLToPath(new URL('../support/hostile.js', import.meta.url));
  return run(process.execPath, [program, String(port), JSON.stringify(kinds)]);
}

/** One server, one workload, once. */
async function measure(kind, w, place, times, looking = false) {
  const server = await kind.start({ ...place, workload: w });
  try {
    const how = server.publish ?? ['--redis', place.redis.socket];
    await publish(how, '--symbols', w.symbols, '--rate', 5000, '--count', w.symbols).done;
    let publisher = null;
    let hostiles = null;
    let seen = null;
    const ready = () => {
      // Half of the time for the calls, half for the samples, and a second for perf to begin.
      if (looking) seen = sleep(1000 * times.warm).then(() => look(server.pid, (times.seconds - 1) / 2, process.env.TMPDIR));
      seen?.catch(() => {}); // awaited below
      if (w.hostile && kind.name !== 'floor') {
        hostiles = attack(w.hostile, server.port);
        hostiles.done.catch(() => {}); // its end is awaited below
      }
      if (!w.publish) return;
      publisher = publish(how, '--symbols', w.symbols, '--seconds', times.warm + times.seconds + 120, ...w.publish);
      publisher.done.catch(() => {}); // its end is awaited below
    };
    const load = run(join(bin, 'bench_load'), loadOptions(w, server, times), { ready });
    const result = await load.done;
    publisher?.child.kill('SIGTERM');
    hostiles?.child.kill('SIGTERM');
    return {
      ...result, publisher: publisher && (await publisher.done), hostiles: hostiles && (await hostiles.done), look: await seen,
    };
  } finally {
    await server.stop();
    await place.redis.command('FLUSHALL');
  }
}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' }, list: { type: 'boolean' }, perf: { type: 'boolean' },
      markdown: { type: 'string' }, from: { type: 'string' },
      runs: { type: 'string' }, seconds: { type: 'string' }, servers: { type: 'string' },
      idle: { type: 'string' }, json: { type: 'string' },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(all);
  const unknown = names.filter((name) => !(name in all));
  if (unknown.length > 0) throw new Error(`no such workload: ${unknown.join(', ')} (--list shows them)`);
  const wanted = values.servers?.split(',') ?? servers.map((s) => s.name);
  const strangers = wanted.filter((name) => !servers.some((s) => s.name === name));
  if (strangers.length > 0) throw new Error(`no such server: ${strangers.join(', ')}`);
  return {
    ...values, names, wanted,
    runs: Number(values.runs ?? (values.quick ? 1 : 5)),
    times: { warm: values.quick ? 1 : 1.5, seconds: Number(values.seconds ?? (values.quick ? 2 : 4)) },
  };
}

function chosen(o) {
  const entries = o.names.map((name) => {
    const w = name === 'idle' && o.idle ? { ...all.idle, clients: Number(o.idle) } : all[name];
    return [name, o.quick ? quick(w) : w];
  });
  return Object.fromEntries(entries);
}

function environment() {
  const first = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0];
  return {
    machine: `${os.cpus()[0].model}, ${os.cpus().length} cores, ${Math.round(os.totalmem() / 2 ** 30)} GB`,
    system: `${os.type()} ${os.release()}`,
    redis: first('redis-server', '--version').match(/v=(\S+)/)[1],
    openssl: first('openssl', 'version'),
    node: process.versions.node,
    servers: Object.fromEntries(servers.map((s) => [s.name, s.version()])),
    load_average: os.loadavg(),
  };
}

const LOOKED_AT = ['quiet', 'busy'];
const LOOK = { warm: 1, seconds: 5 };
const FEW = 2; // rounds for peers: they are a scale, not what is judged

/** Every measurement in its order: all servers of a workload one after the other, round by round. */
function schedule(o, workloads, present) {
  const plan = [];
  for (let round = 0; round < o.runs; round++) {
    for (const [name, w] of Object.entries(workloads)) {
      for (const kind of present) {
        if (kind.peer && (!w.peers || kind.cannot?.(w))) continue;
        if (round < Math.min(w.rounds ?? o.runs, kind.peer ? FEW : o.runs)) plan.push({ round, name, w, kind });
      }
    }
  }
  return plan;
}

function report(found, { json, markdown: file }) {
  const text = markdown(found);
  console.log(`\n${text}`);
  if (file) writeFileSync(file, `${text}\n`);
  if (json) writeFileSync(json, `${JSON.stringify(found, null, 1)}\n`);
}

async function main() {
  const o = options();
  if (o.list) {
    for (const [name, w] of Object.entries(all)) console.log(`${name.padEnd(10)}${w.about}`);
    return;
  }
  if (o.from) {
    report(JSON.parse(readFileSync(o.from, 'utf8')), { markdown: o.markdown });
    return;
  }
  for (const file of [binary, ...['floor', 'load', 'publish'].map((name) => join(bin, `bench_${name}`))]) {
    if (!existsSync(file)) throw new Error(`${file} is not there: build it, or set PRICEGATE_BIN and BENCH_BIN`);
  }
  if (os.cpus().length < 2) throw new Error('two cores are needed: one for the server, one for the rest');
  pin(process.pid, LOAD_CORE);

  const workloads = chosen(o);
  const about = environment();
  const present = servers.filter((s) => o.wanted.includes(s.name) && about.servers[s.name]);
  about.servers = Object.fromEntries(present.map((s) => [s.name, about.servers[s.name]]));
  const plan = schedule(o, workloads, present);
  const looked = o.perf ? plan.filter((p) => p.round === 0 && !p.kind.peer && LOOKED_AT.includes(p.name)) : [];
  const total = plan.reduce((sum, p) => sum + takes(p.w, o.times), 0)
    + looked.reduce((sum, p) => sum + takes(p.w, LOOK), 0);
  process.stderr.write(`${plan.length + looked.length} measurements, about ${Math.ceil(total / 60)} minutes\n`);

  const results = Object.fromEntries(o.names.map((name) => [name, {}]));
  const looks = {};
  const failures = [];
  const certs = makeCerts();
  const redis = await startRedis();
  const place = { redis, certs, bin };
  const attempt = async (what, doIt) => {
    process.stderr.write(`${what}\n`);
    try {
      await doIt();
    } catch (error) {
      failures.push(`${what}: ${error.message}`);
      process.stderr.write(`  failed: ${error.message}\n`);
    }
  };
  try {
    for (const { round, name, w, kind } of plan) {
      await attempt(`round ${round + 1}/${o.runs}: ${name}, ${kind.name}`, async () => {
        const rounds = (results[name][kind.name] ??= []);
        const result = await measure(kind, w, place, o.times);
        if (w.deflate && kind.name !== 'floor' && result.compressed_frames === 0) throw new Error('nothing came compressed');
        rounds[round] = result;
      });
    }
    for (const { name, w, kind } of looked) {
      await attempt(`perf: ${name}, ${kind.name}`, async () => {
        const seen = await measure(kind, w, place, LOOK, true);
        (looks[name] ??= {})[kind.name] = { ...seen.look, items_per_s: seen.items_per_s };
      });
    }
  } finally {
    await redis.stop();
    certs.remove();
  }

  const rows = summarise(results, workloads);
  const method = { runs: o.runs, ...o.times, workloads };
  report({ ...about, method, rows, looks, failures, results }, o);
  if (failures.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
