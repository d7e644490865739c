// A campaign is rounds of attacks, many at once, on two real programs (one with plain sockets, one
// with TLS), which are fed through Redis meanwhile. After each round
//   - both are the processes that were started, and no sanitizer has complained;
//   - no answer to an attack was one that may not be (judge.js);
//   - the honest clients are connected and have the last prices, each in its order;
//   - connections, subscriptions and open files are where they were, nothing spins, and the memory
//     is near where it was after the first rounds.
// At the end both are told to stop in the middle of another round, and must do so in order.
// Attack A of round R depends on the seed, R and A only.

import { readFileSync, readdirSync } from 'node:fs';

import { startGateway } from '../../support/gateway.js';
import { startRedis } from '../../support/redis.js';
import { external, testCerts } from '../../support/scene.js';
import { sleep, until } from '../../support/wait.js';
import { run } from './attacker.js';
import { attack } from './attacks.js';
import { connectHonest } from './honest.js';
import { Random } from './random.js';

const SYMBOLS = ['coffee', 'AAPL', 'EUR/USD', 'EUR/GBP'];
const PUBLISH_MS = 10;
const WARM_ROUNDS = 3;
const GROWTH_BYTES = 64e6; // a sanitizer keeps some of what was freed
const SPIN = 0.4; // of a core, with nothing to do
const TICKS_PER_S = 100;

const fds = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

async function startTarget(redis, tls) {
  const certs = testCerts();
  const gateway = await startGateway(
    {
      listen: tls ? { tls: { cert: certs.cert, key: certs.key } } : {},
      redis: { url: redis.url },
      fanout: { compression: true },
      drain_s: 1,
      instruments: SYMBOLS.map((symbol) => external(symbol)),
    },
    { env: { ASAN_OPTIONS: `quarantine_size_mb=8:${process.env.ASAN_OPTIONS ?? ''}` } },
  );
  const ca = tls ? certs.pem.ca : undefined;
  await until(async () => (await gateway.get('/readyz', { ca })).json.ready, 'ready');
  return { gateway, tls, ca, port: gateway.port };
}

/** Prices that only rise, one symbol after the other. */
class Publisher {
  constructor(redis) {
    this.redis = redis;
    this.n = 0;
    this.last = new Map();
  }

  async publish() {
    const symbol = SYMBOLS[this.n % SYMBOLS.length];
    const price = ++this.n;
    this.last.set(symbol, price);
    const now = Date.now();
    const item = `{"symbol":"${symbol}","price":${price},"ts":${now},"recv":${now},"seq":"a0:${price}","state":"live","pad":"${'x'.repeat(price % 300)}"}`;
    await this.redis.command('PUBLISH', `${symbol}:price:stream`, item);
  }

  /** Publishes until `done`. */
  async during(done) {
    let over = false;
    done.finally(() => (over = true)).catch(() => {});
    while (!over) {
      await this.publish();
      await sleep(PUBLISH_MS);
    }
  }
}

export class Campaign {
  /** connections: at once. */
  static async start({ seed, connections = 48 }) {
    const campaign = new Campaign();
    Object.assign(campaign, { seed, connections, targets: [], honest: [], seen: new Map(), attacks: 0, rounds: 0, worst: new Map() });
    try {
      campaign.redis = await startRedis();
      campaign.publisher = new Publisher(campaign.redis);
      for (const tls of [false, true]) campaign.targets.push(await startTarget(campaign.redis, tls));
      for (const { gateway, ca } of campaign.targets) campaign.honest.push(...(await connectHonest(gateway, ca)));
      for (const _ of SYMBOLS) await campaign.publisher.publish();
      for (const target of campaign.targets) target.before = await campaign.#measure(target);
    } catch (error) {
      await campaign.stop().catch(() => {});
      throw error;
    }
    return campaign;
  }

  async #measure({ gateway, ca }) {
    const { body } = await gateway.get('/metrics', { ca });
    const value = (name) => Number(body.split('\n').find((l) => l.startsWith(`${name} `))?.slice(name.length + 1));
    return {
      connections: value('pricegate_connections'),
      subscriptions: value('pricegate_subscriptions'),
      files: fds(gateway.pid),
    };
  }

  /** Round `n`, and the checks behind it. only: [from, to], of its attacks. */
  async round(n, only = [0, this.connections - 1]) {
    const indexes = Array.from({ length: this.connections }, (_, i) => i).filter((i) => i >= only[0] && i <= only[1]);
    const attacking = Promise.all(indexes.map((i) => this.#attack(n, i)));
    await this.publisher.during(attacking);
    const faults = (await attacking).filter(Boolean);
    try {
      if (faults.length) throw new Error(faults.join('\n'));
      await this.#check();
    } catch (error) {
      throw new Error(`seed ${this.seed}, round ${n}: ${error.message}`, { cause: error });
    }
    this.rounds++;
  }

  /** stop() in the middle of the attacks of round `n`. */
  async stopUnderAttack(n) {
    const attacking = Promise.all(Array.from({ length: this.connections }, (_, i) => this.#attack(n, i)));
    await sleep(100);
    await this.stop();
    const faults = (await attacking).filter(Boolean);
    if (faults.length) throw new Error(`seed ${this.seed}, round ${n}, stopping: ${faults.join('\n')}`);
  }

  async #attack(n, i) {
    const random = new Random(this.seed, n, i);
    const target = random.pick(this.targets);
    const made = attack(random);
    this.attacks++;
    const { fault, seen } = await run(made, target);
    for (const what of new Set(seen)) this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
    if (!fault) return null;
    const said = Buffer.concat(made.steps.map((s) => s.write ?? Buffer.alloc(0)));
    return `attack ${i} (${made.kind}${target.tls ? ', TLS' : ''}): ${fault}\n  it had sent ${JSON.stringify(said.toString('latin1').slice(0, 1500))}`;
  }

  #alive({ gateway }) {
    const complaints = gateway.other.join('\n');
    if (complaints) throw new Error(`on stderr: ${complaints.slice(0, 6000)}`);
    process.kill(gateway.pid, 0);
    if (readFileSync(`/proc/${gateway.pid}/stat`, 'utf8').includes(') Z ')) throw new Error('the program has died');
  }

  async #check() {
    for (const target of this.targets) this.#alive(target);
    for (const watch of this.honest) await watch.has(this.publisher.last);
    for (const target of this.targets) {
      await this.#settled(target);
      await this.#quiet(target);
      this.#memory(target);
    }
  }

  async #settled(target) {
    let now;
    const same = async () => {
      now = await this.#measure(target);
      return Object.keys(now).every((name) => now[name] === target.before[name]);
    };
    await until(same, 'nothing is left of the attackers', 30_000, 50).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(now)}, it was ${JSON.stringify(target.before)}`);
    });
  }

  async #quiet({ gateway }) {
    await until(async () => {
      const [cpu, at] = [cpuSeconds(gateway.pid), performance.now()];
      await sleep(150);
      return (cpuSeconds(gateway.pid) - cpu) / ((performance.now() - at) / 1000) < SPIN;
    }, 'the program has nothing to do and rests', 15_000, 0);
  }

  #memory(target) {
    const bytes = rss(target.gateway.pid);
    if (this.rounds < WARM_ROUNDS) target.warm = Math.max(bytes, target.warm ?? 0);
    target.most = Math.max(bytes, target.most ?? 0);
    if (bytes > target.warm + GROWTH_BYTES) throw new Error(`${bytes} bytes of memory, ${target.warm} after the first rounds`);
  }

  /** What happened, for a person. */
  summary() {
    const seen = [...this.seen].sort((a, b) => b[1] - a[1]).map(([what, times]) => `${what} ${times}`);
    const memory = this.targets.map((t) => `${Math.round(t.warm / 1e6)} MB, at most ${Math.round(t.most / 1e6)}`);
    return `${this.rounds} rounds, ${this.attacks} attacks, ${this.publisher.n} prices; memory ${memory.join('; ')}\n  answered: ${seen.join(', ')}`;
  }

  async stop() {
    for (const watch of this.honest) watch.stop();
    const ends = await Promise.allSettled(this.targets.map(({ gateway }) => gateway.stop()));
    await this.redis?.stop();
    const failed = ends.find((e) => e.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
