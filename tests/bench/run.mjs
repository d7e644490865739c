// The benchmark: every workload against the floor, pricegate and the peers that are installed.
//
//   node tests/bench/run.mjs [options] [workload...]        default: all workloads
//     --quick            one round of 2 s, at most 2,000 clients: a look, not a figure
//     --runs N           rounds (3); --seconds S counted per measurement (5)
//     --servers a,b      only these (floor pricegate Nchan ws)
//     --idle N           clients of the workload `idle` (10000)
//     --syscalls         a further short run of floor and pricegate that counts system calls (perf)
//     --json FILE        everything measured, for a machine
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
import { existsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { makeCerts } from '../support/certs.js';
import { binary } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { sleep, within } from '../support/wait.js';
import { summarise, table } from './report.mjs';
import { LOAD_CORE, pin, servers } from './servers.mjs';
import { quick, workloads as all } from './workloads.mjs';

const bin = process.env.BENCH_BIN ?? fileURLToPath(new URL('../../build/tests/bench', import.meta.url));
const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
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
    ...server.load,
  ];
}

const CALLS = ['sendto', 'sendmsg', 'write', 'writev', 'recvfrom', 'read', 'epoll_ctl', 'epoll_wait',
  'epoll_pwait', 'ioctl', 'futex'];

/** Counts the system calls of a process for some seconds, by perf: unlike strace, which makes each
 *  call so slow that messages pile up and leave together, it does not change what it counts. */
async function countCalls(pid, seconds) {
  const events = ['raw_syscalls:sys_enter', ...CALLS.map((name) => `syscalls:sys_enter_${name}`)];
  const perf = spawn('perf', ['stat', '-x', ';', '-e', events.join(','), '-p', String(pid), '--', 'sleep', String(seconds)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.add(perf);
  let text = '';
  perf.stderr.on('data', (bytes) => (text += bytes));
  await within(new Promise((resolve, reject) => perf.once('close', resolve).once('error', reject)), 'perf ends', 60_000);
  children.delete(perf);
  const counts = Object.fromEntries([...text.matchAll(/^(\d+);[^;]*;\w+:sys_enter_?(\w*)/gm)].map((m) => [m[2] || 'all', Number(m[1])]));
  if (!('all' in counts)) throw new Error(`perf counts no system calls: ${text.slice(0, 200)}`);
  return { per_s: counts.all / seconds, by_name: counts, seconds };
}

/** One server, one workload, once. */
async function measure(kind, w, place, times, count = null) {
  const server = await kind.start({ ...place, workload: w });
  try {
    const how = server.publish ?? ['--redis', place.redis.socket];
    await publish(how, '--symbols', w.symbols, '--rate', 5000, '--count', w.symbols).done;
    let publisher = null;
    let calls = null;
    const ready = () => {
      if (count) calls = sleep(1000 * times.warm).then(() => count(server.pid, times.seconds));
      calls?.catch(() => {}); // awaited below
      if (!w.publish) return;
      publisher = publish(how, '--symbols', w.symbols, '--seconds', times.warm + times.seconds + 120, ...w.publish);
      publisher.done.catch(() => {}); // its end is awaited below
    };
    const load = run(join(bin, 'bench_load'), loadOptions(w, server, times), { ready });
    const result = await load.done;
    publisher?.child.kill('SIGTERM');
    return { ...result, publisher: publisher && (await publisher.done), syscalls: await calls };
  } finally {
    await server.stop();
    await place.redis.command('FLUSHALL');
  }
}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' }, list: { type: 'boolean' }, syscalls: { type: 'boolean' },
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
    runs: Number(values.runs ?? (values.quick ? 1 : 3)),
    times: { warm: values.quick ? 1 : 2, seconds: Number(values.seconds ?? (values.quick ? 2 : 5)) },
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

async function main() {
  const o = options();
  if (o.list) {
    for (const [name, w] of Object.entries(all)) console.log(`${name.padEnd(10)}${w.about}`);
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
  const results = Object.fromEntries(o.names.map((name) => [name, {}]));
  const certs = makeCerts();
  const redis = await startRedis();
  const place = { redis, certs, bin };
  const failures = [];
  try {
    for (let round = 0; round < o.runs; round++) {
      for (const [name, w] of Object.entries(workloads)) {
        for (const kind of present.filter((s) => !s.peer || w.peers)) {
          process.stderr.write(`round ${round + 1}/${o.runs}: ${name}, ${kind.name}\n`);
          const rounds = (results[name][kind.name] ??= []);
          try {
            const result = await measure(kind, w, place, o.times);
            if (o.syscalls && round === 0 && !kind.peer && w.publish) {
              const counted = await measure(kind, w, place, { warm: 1, seconds: 2 }, countCalls);
              result.syscalls = { ...counted.syscalls, items_per_s: counted.items_per_s };
            }
            rounds[round] = result;
          } catch (error) {
            failures.push(`${name}, ${kind.name}: ${error.message}`);
            process.stderr.write(`  failed: ${error.message}\n`);
          }
        }
      }
    }
  } finally {
    await redis.stop();
    certs.remove();
  }

  const rows = summarise(results, workloads);
  console.log(`\n${about.machine}; ${about.system}; Redis ${about.redis}; ${about.openssl}`);
  console.log(present.map((s) => `${s.name}: ${about.servers[s.name]}`).join('; '));
  console.log(`medians of ${o.runs}, ${o.times.seconds} s each; server on core 0, everything else on core 1; `
    + `load average before: ${about.load_average[0].toFixed(2)}\n`);
  console.log(table(rows));
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (o.json) {
    const method = { runs: o.runs, ...o.times, workloads };
    writeFileSync(o.json, `${JSON.stringify({ ...about, method, rows, results, failures }, null, 1)}\n`);
  }
  if (failures.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
