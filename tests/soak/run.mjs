// The soak: everything at once for a long time, and whether anything grows or goes wrong.
//
//   node tests/soak/run.mjs [HOURS]      default 1; 0.05 is three minutes, and a shorter one only a look
//                   (memory is not judged); at least one round of troubles
//     --clients N     who stay (120; two thirds of them at the plain port, the rest over TLS)
//     --visitors N    who come and go, at any time (20)
//     --only TEXT     only troubles with this in their name
//     --json FILE     everything found (build/soak.json)
//
// Two pricegates, Redis and fake providers (world.mjs); clients that check every value (check.mjs); the
// troubles of troubles.mjs in turn, again and again. After each of them all readers must be told the
// right state again; then the visitors leave for a moment, and memory, files, timers and threads are
// read: at rest, with the same clients each time, so that the samples can be compared. Exit code 1 when
// one of them grows, or when an honest client was given anything wrong, late, twice or not at all.

import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { sleep, until } from '../support/wait.js';
import { warmOnes } from './judge.mjs';
import { Ledger } from './ledger.mjs';
import { all } from './market.mjs';
import { crowd, openAll, Visitors } from './readers.mjs';
import { printReport, verdict } from './report.mjs';
import { troubles } from './troubles.mjs';
import { buildWorld, metricsOf, processUse } from './world.mjs';

const HOUR_MS = 3_600_000;
const LONG_HOURS = 0.2; // from here on troubles last longer
const JUDGED_HOURS = 0.05; // a shorter one is a look: memory is not judged
const WARM_RESTS = 8;
const SAMPLE_MS = 5000;
const LATENESS_MS = 50;
const SHOWN_MS = 30_000; // for a state to be told, or to be right again

const say = (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { clients: { type: 'string' }, visitors: { type: 'string' }, only: { type: 'string' }, json: { type: 'string' } },
  });
  const hours = Number(positionals[0] ?? 1);
  if (!(hours > 0 && hours <= 1000) || positionals.length > 1) throw new Error('usage: run.mjs [HOURS] [options]');
  const chosen = troubles.filter((t) => t.name.includes(values.only ?? ''));
  if (chosen.length === 0) throw new Error(`no trouble has "${values.only}" in its name: ${troubles.map((t) => t.name).join(', ')}`);
  const json = values.json ?? fileURLToPath(new URL('../../build/soak.json', import.meta.url));
  return { hours, chosen, json, clients: Number(values.clients ?? 120), visitors: Number(values.visitors ?? 20) };
}

/** How long everybody takes to be told what holds; null: they never were (a complaint). */
async function told(world, rows, since, what) {
  const began = Date.now();
  const lacking = () => rows.flatMap(([site, names, state]) => world.members
    .filter((m) => m.site === site)
    .map((m) => [m, m.check.notIn(state, names, state === 'live' ? since : 0), state])
    .filter(([, missing]) => missing.length > 0));
  try {
    await until(() => lacking().length === 0, what, SHOWN_MS);
    return Date.now() - began;
  } catch {
    const left = lacking();
    const [m, missing, state] = left[0] ?? [];
    if (!m) return SHOWN_MS;
    const now = missing.map((s) => `${s} ${m.check.views.get(s)?.state}`).slice(0, 3);
    world.ledger.complain('state', `${what}: ${left.length} readers, for example ${m.site.name} ${m.name} lacks ${state} of ${missing.length}: ${now}`);
    return null;
  }
}

const everythingLive = (world) => world.sites.map((site) => [site, all, 'live']);

async function suffer(world, trouble, long) {
  const [short_s, long_s] = trouble.hold_s;
  if (trouble.redis) world.away = { since: Date.now() - 1000, until: Infinity };
  await trouble.begin(world);
  const enough = sleep(1000 * (long ? long_s : short_s));
  const shown = () => (trouble.shows ? told(world, trouble.shows(world), 0, `during "${trouble.name}"`) : null);
  const noticed_ms = await shown();
  await enough;
  await shown(); // and it stays so
  await trouble.end(world);
  const over = Date.now();
  const recovered_ms = await told(world, everythingLive(world), over, `after "${trouble.name}"`);
  if (trouble.redis) world.away.until = Date.now();
  return { name: trouble.name, noticed_ms, recovered_ms, delay: world.ledger.takeDelays() };
}

/** The visitors leave; when their connections are gone, what is left is read. */
async function rest(world, visitors, round, began) {
  await visitors.pause();
  const reading = { round, hours: (Date.now() - began) / HOUR_MS };
  for (const site of world.sites) {
    const stay = world.members.filter((m) => m.site === site).length;
    await until(async () => (await metricsOf(site)).pricegate_connections === stay, `${site.name} has only those ${stay} who stay`, SHOWN_MS)
      .catch((error) => world.ledger.complain('connections', error.message));
    const metrics = await metricsOf(site);
    reading[site.name] = {
      ...processUse(site.gateway.pid),
      timers: metrics.pricegate_loop_timers,
      merged: metrics['pricegate_conflated_total{cause="flush"}'],
      deliveries: metrics.pricegate_deliveries_total,
    };
  }
  visitors.start();
  return reading;
}

/** Reads /proc now and then, tells the clients to look for old prices, and how late we are ourselves. */
function watch(world, began, samples) {
  const lateness = monitorEventLoopDelay({ resolution: 10 });
  lateness.enable();
  let last = Date.now();
  const clock = setInterval(() => {
    const now = Date.now();
    world.late = Math.max(0.9 * world.late, now - last - LATENESS_MS);
    last = now;
  }, LATENESS_MS);
  const looking = setInterval(() => {
    const now = Date.now();
    for (const m of world.members) m.check?.lookForOldOnes(now, world.late);
  }, 1000);
  const sampling = setInterval(() => {
    const row = { hours: (Date.now() - began) / HOUR_MS };
    for (const { name, gateway } of world.sites) {
      row[name] = processUse(gateway.pid);
      gateway.logs.splice(0, Math.max(0, gateway.logs.length - 2000)); // ours to keep small, not its
    }
    samples.push(row);
  }, SAMPLE_MS);
  return () => {
    for (const timer of [clock, looking, sampling]) clearInterval(timer);
    return { p99_ms: lateness.percentile(99) / 1e6, max_ms: lateness.max / 1e6 };
  };
}

async function soak(world, o) {
  const long = o.hours >= LONG_HOURS;
  const [began, samples, rests, suffered] = [Date.now(), [], [], []];
  const visitors = new Visitors(world.sites, o.visitors);
  const stopWatching = watch(world, began, samples);
  await openAll(world.members);
  await told(world, everythingLive(world), 0, 'at the start');
  visitors.start();
  const before = Object.fromEntries(await Promise.all(world.sites.map(async (s) => [s.name, await metricsOf(s)])));
  const present = o.chosen.filter((t) => !t.absent?.(world));
  // The whole first round, and what is asked for; on a slow machine longer, until there is enough to judge.
  const over = () => Date.now() - began >= o.hours * HOUR_MS && (o.hours < JUDGED_HOURS || warmOnes(rests).length >= WARM_RESTS);
  for (let round = 0; round === 0 || !over(); round += 1) {
    for (const trouble of present) {
      if (round > 0 && over()) break;
      const row = await suffer(world, trouble, long);
      suffered.push(row);
      rests.push(await rest(world, visitors, round, began));
      say(`${row.name}: noticed ${row.noticed_ms ?? '-'} ms, right again ${row.recovered_ms} ms; ${o.hours * HOUR_MS > Date.now() - began ? `${Math.round((o.hours * HOUR_MS - Date.now() + began) / 60_000)} min left` : 'last round'}`);
    }
  }
  await visitors.pause();
  const after = Object.fromEntries(await Promise.all(world.sites.map(async (s) => [s.name, await metricsOf(s)])));
  const own = stopWatching();
  for (const m of world.members) {
    m.check.settle();
    m.leave();
  }
  const absent = o.chosen.filter((t) => t.absent?.(world)).map((t) => `${t.name}: ${t.absent(world)}`);
  return { hours: (Date.now() - began) / HOUR_MS, visits: visitors.made, attacks: world.attacks, suffered, absent, rests, samples, before, after, own };
}

async function main() {
  const o = options();
  const ledger = new Ledger();
  const load = os.loadavg()[0];
  const world = await buildWorld(ledger);
  let found;
  let ends = [];
  try {
    const half = Math.ceil((2 * o.clients) / 3);
    world.members = [
      ...crowd(world.plain, { sockets: half - 4, streams: 4 }),
      ...crowd(world.tls, { sockets: o.clients - half - 4, streams: 4 }),
    ];
    world.reopen = () => openAll(world.members);
    found = await soak(world, o);
  } finally {
    ends = await world.close();
  }
  const result = verdict({ ...found, load, clients: o.clients, ledger, ends });
  mkdirSync(dirname(o.json), { recursive: true });
  writeFileSync(o.json, `${JSON.stringify(result, null, 1)}\n`);
  process.stdout.write(printReport(result));
  if (!result.passed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
process.exit(); // whatever a hostile socket may still wait for
