// How long a Redis may be dead before the gateway says so, and how long it takes to be back after it.
//
//   node tests/bench/bus.mjs [--rounds N] [--pairs N] [--json FILE] [--markdown FILE]
//
// N gateways (5), each with a real redis-server of its own and 60 symbols polled ten times a second,
// in which Redis is killed and started again, and stopped (SIGSTOP) and continued, in turn, rounds
// (20) times each in all. It is away for 0.2 to 12 s, so that every length of back-off occurs.
//
// noticed  from the signal until /readyz lists the bus as degraded
// back     from Redis's first answer after its return until /readyz no longer does: connected,
//          subscribed again, the latest values read, our own written back
//
// Both are read from /readyz every 5 ms. $PRICEGATE_BIN is the program.

import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';

import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { instrument } from '../support/scene.js';
import { ok, providersAt, startUpstream } from '../support/upstream.js';
import { sleep, until } from '../support/wait.js';

const AWAY_MS = [200, 12_000];
const NOTICED_MS = 2000;
const BACK_MS = 5000;
const WAIT_MS = 60_000; // what takes longer is a failure, not a figure
const SYMBOLS = Array.from({ length: 60 }, (_, i) => `S${i}`);

const FAULTS = {
  killed: { away: (redis) => redis.kill(), back: (redis) => redis.start() },
  stopped: {
    away: async (redis) => redis.pause(),
    back: async (redis) => {
      redis.resume();
      await redis.command('PING');
    },
  },
};

async function pair(upstream) {
  const redis = await startRedis();
  const gateway = await startGateway({
    providers: providersAt(upstream),
    redis: { url: redis.url },
    instruments: SYMBOLS.map((name) => instrument(name, [['twelvedata', name]], { poll_ms: 100 })),
  });
  const degraded = async () => (await gateway.get('/readyz')).json.degraded.includes('bus');
  const becomes = (wanted) => until(async () => (await degraded()) === wanted, `degraded: ${wanted}`, WAIT_MS, 5);
  await becomes(false);

  return {
    /** One outage: {noticed, back} in ms. */
    async suffer({ away, back }, awayMs) {
      // After steady times, which is the usual case, and at any moment between two PINGs.
      await sleep(6000 + Math.random() * 1000);
      const left = performance.now();
      await away(redis);
      await becomes(true);
      const noticed = performance.now() - left;
      await sleep(Math.max(0, awayMs - noticed));
      await back(redis);
      const returned = performance.now();
      await becomes(false);
      return { noticed, back: performance.now() - returned };
    },
    async end() {
      await gateway.stop();
      await redis.stop();
    },
  };
}

const median = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;

function summary(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const round = (ms) => Math.round(ms);
  return { n: sorted.length, median: round(median(sorted)), max: round(sorted.at(-1)) };
}

function markdown(results, load) {
  const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
  const rows = Object.entries(results).flatMap(([fault, { noticed, back }]) => [
    `| Redis ${fault}: noticed after | ${seconds(NOTICED_MS)} | ${seconds(noticed.median)} | ${seconds(noticed.max)} |`,
    `| back after its return | ${seconds(BACK_MS)} | ${seconds(back.median)} | ${seconds(back.max)} |`,
  ]);
  const { n } = Object.values(results)[0].noticed;
  return [
    `Redis lost and back, ${n} times each; load average before: ${load.toFixed(2)}.`, '',
    '| what | target | median | longest |', '|---|---|---|---|', ...rows, '',
  ].join('\n');
}

async function main() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' }, pairs: { type: 'string' }, json: { type: 'string' }, markdown: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? 20);
  const width = Math.min(rounds, Number(values.pairs ?? 5));
  const load = os.loadavg()[0];
  process.setMaxListeners(0);

  let cents = 100_00;
  const upstream = await startUpstream();
  upstream.set('twelvedata', '*', () => ok({ price: (cents++ / 100).toFixed(2) }));
  const pairs = await Promise.all(Array.from({ length: width }, () => pair(upstream)));
  const results = {};
  for (const [fault, how] of Object.entries(FAULTS)) {
    const outages = Array.from({ length: rounds }, (_, i) => AWAY_MS[0] + ((i + 0.5) / rounds) * (AWAY_MS[1] - AWAY_MS[0]));
    const seen = [];
    await Promise.all(
      pairs.map(async (p) => {
        for (let ms; (ms = outages.shift()) !== undefined; ) seen.push(await p.suffer(how, ms));
        process.stderr.write(`${fault}: ${seen.length} of ${rounds}\n`);
      }),
    );
    results[fault] = { noticed: summary(seen.map((s) => s.noticed)), back: summary(seen.map((s) => s.back)) };
  }
  for (const p of pairs) await p.end();
  await upstream.stop();

  const text = markdown(results, load);
  process.stdout.write(text);
  if (values.markdown) writeFileSync(values.markdown, text);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  const missed = Object.values(results).some(
    ({ noticed, back }) => noticed.median > NOTICED_MS || back.median > BACK_MS,
  );
  if (missed) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
