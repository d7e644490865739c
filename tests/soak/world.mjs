// The parts of the soak, all real but the providers: redis-server; `plain`, a pricegate that polls the
// providers and serves without TLS; `tls`, one that polls nothing, hears everything through Redis and
// serves over TLS; the feeder. close() takes them down and returns how the programs ended.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

import { makeCerts } from '../support/certs.js';
import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { providersAt, startUpstream } from '../support/upstream.js';
import { until } from '../support/wait.js';
import { Feeder, instruments, polled, quoteNow } from './market.mjs';

const isPolled = new Set(polled);
const AWAY_SLACK_MS = 1500; // what was under way when Redis went, and what came right behind it

/** What /proc says of a process. */
export function processUse(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)[1]);
  return { rss_kb: of('VmRSS'), peak_kb: of('VmHWM'), threads: of('Threads'), fds: readdirSync(`/proc/${pid}/fd`).length };
}

/** Every line of /metrics: {"name{labels}": value}. */
export async function metricsOf(site) {
  const { body } = await site.gateway.get('/metrics', { ca: site.ca, headers: { Connection: 'close' } });
  return Object.fromEntries(body.split('\n').filter((l) => l && l[0] !== '#').map((l) => {
    const at = l.lastIndexOf(' ');
    return [l.slice(0, at), Number(l.slice(at + 1))];
  }));
}

const sum = (metrics, family) =>
  Object.entries(metrics).reduce((all, [name, value]) => all + (name.startsWith(`${family}{`) ? value : 0), 0);

export const disconnects = (metrics) => sum(metrics, 'pricegate_disconnects_total');

export async function buildWorld(ledger) {
  const certs = makeCerts();
  const upstream = await startUpstream({ certs });
  const answers = { twelvedata: null, yahoo: null }; // () => mode while there is trouble
  for (const provider of Object.keys(answers)) {
    for (const symbol of polled) upstream.set(provider, symbol, () => answers[provider]?.() ?? quoteNow(symbol));
  }
  const redis = await startRedis();
  const config = {
    redis: { url: redis.url },
    providers: providersAt(upstream),
    breaker: { threshold: 3, timeout_s: 1 },
    instruments,
  };
  config.providers.yahoo = { ...config.providers.yahoo, credits_per_minute: 100_000, credits_per_day: 100_000_000 };
  const world = { ledger, certs, upstream, answers, redis, config, attacks: {}, away: { since: Infinity, until: 0 }, late: 0 };

  // Is it, or was it at that moment, something that Redis kept from being delivered?
  const away = () => Date.now() >= world.away.since && Date.now() <= world.away.until + AWAY_SLACK_MS;
  const plain = await startGateway(config, { env: { SSL_CERT_FILE: certs.ca } });
  const relay = { ...config, listen: { tls: { cert: certs.cert, key: certs.key } } };
  const tls = await startGateway(relay, { env: { REALTIME_PRICE_FEED_ENABLED: 'off' } });
  const site = (name, gateway, more) => ({ name, gateway, ledger, late: () => world.late, ...more });
  world.plain = site('plain', plain, { redisAway: (symbol) => !isPolled.has(symbol) && away() });
  world.tls = site('tls', tls, { ca: certs.pem.ca, redisAway: away });
  world.sites = [world.plain, world.tls];
  for (const s of world.sites) {
    await until(async () => (await metricsOf(s)).pricegate_bus_up === 1, `${s.name} reaches Redis`);
  }
  world.feeder = new Feeder(redis);

  const probe = await plain.post('/admin/reload');
  world.canReload = probe.status !== 404;
  world.reload = () => reload(world);
  world.close = () => close(world);
  return world;
}

/** One instrument more, or less, than before; at `tls` the certificate is read again as well. */
async function reload(world) {
  world.extra = !world.extra;
  const extra = world.extra ? [{ symbol: 'Z00', sources: [] }] : [];
  for (const { name, gateway, ca } of world.sites) {
    writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, instruments: [...instruments, ...extra] }));
    gateway.signal('SIGHUP');
    const knows = async () => (await gateway.get('/api/v1/quotes?symbols=Z00', { ca })).status === (world.extra ? 200 : 404);
    await until(knows, `the reload of ${name} ${world.extra ? 'adds' : 'removes'} Z00`, 30_000);
  }
}

async function close(world) {
  world.feeder.stop();
  const ends = [];
  for (const { name, gateway } of world.sites) {
    try {
      await gateway.stop();
    } catch (error) {
      ends.push(`${name}: ${error.message.slice(0, 2000)}`);
    }
  }
  await world.redis.stop();
  await world.upstream.stop();
  world.certs.remove();
  return ends;
}
