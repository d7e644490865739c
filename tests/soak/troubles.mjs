// What goes wrong during the soak, one after the other, each for some seconds and then over.
//
//   hold_s   how long at least, in a short and in a long soak
//   begin, end   (world); end() may be asynchronous: afterwards everything is as it should be again
//   redis    true: Redis is away meanwhile, and what comes through it may be missed
//   shows    (world) -> [[site, symbols, state]...]: what every reader there must have been told
//            before it ends
//   absent   (world) -> a sentence: why it can't be tried here
//
// After each the course waits until all readers are told "live" again with a new value of everything,
// and says how long that took.

import { BAD, FLOODS, mixture, SLOWLORIS, startHostiles } from '../support/hostile.js';
import { drip, hang, ok, reset, status, text } from '../support/upstream.js';
import { until } from '../support/wait.js';
import { polled, symbols } from './market.mjs';

const both = ({ sites }, names, state) => sites.map((site) => [site, names, state]);

/** Hostile clients at every gateway, of the given kinds. */
const hostile = (name, counts, hold_s = [4, 10]) => ({
  name,
  hold_s,
  begin(world) {
    world.hostiles = world.sites.map((site) =>
      startHostiles({ port: site.gateway.port, kinds: counts, secure: site.ca !== undefined }));
  },
  end(world) {
    for (const hostiles of world.hostiles) {
      hostiles.stop();
      for (const [kind, { connections }] of Object.entries(hostiles.counts)) {
        world.attacks[kind] = (world.attacks[kind] ?? 0) + connections;
      }
    }
  },
});

// Nothing of this is a price; what is, is not one of ours.
let turn = 0;
const rubbish = [
  () => text('<html>Back soon</html>'), () => text(''), () => text('{"code":'), () => text('[]'), () => text('null'), () => status(503, '{}'),
  () => ok({ price: '-1000' }), () => ok({ price: '0' }), () => ok({ price: 'NaN' }), () => ok({ price: '1e999' }),
  () => ok({ price: '99999.99' }), () => ok({ price: '0.01' }), () => status(200, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), { 'content-encoding': 'gzip' }),
  () => text(JSON.stringify({ symbol: 'OTHER', close: '1234.56', timestamp: Math.floor(Date.now() / 1000) })),
  () => text('x'.repeat(2_000_000)), () => status(302, '', { location: 'http://127.0.0.1:1/' }),
];
const nextRubbish = () => rubbish[turn++ % rubbish.length]();

// Who has said "too many", or shown a page to a program, is left alone for minutes, unless an
// administrator knows better.
const forgive = ({ plain }) => Promise.all(['twelvedata', 'yahoo']
  .map((provider) => plain.gateway.post(`/data-health/reset-circuit/${provider}`)));

/** The provider, or both, answer like this meanwhile. */
const upstream = (name, mode, { providers = ['twelvedata', 'yahoo'], hold_s = [1, 12], shows, then } = {}) => ({
  name,
  hold_s,
  begin: (world) => providers.forEach((p) => (world.answers[p] = mode)),
  end(world) {
    providers.forEach((p) => (world.answers[p] = null));
    return then?.(world);
  },
  shows: shows ?? ((world) => both(world, polled, 'stale')),
});

// But the expiring ones: they are more than stale before the end of a long one.
const withoutRedis = ({ plain, tls }) => [
  [plain, symbols.fed, 'stale'],
  [plain, polled, 'live'],
  [tls, [...polled, ...symbols.fed], 'stale'],
];

export const troubles = [
  hostile('hostile: floods', mixture(6, FLOODS)),
  hostile('hostile: never reading', { deaf: 20 }, [5, 40]),
  hostile('hostile: slowloris', mixture(40, SLOWLORIS), [7, 15]),
  hostile('hostile: bad frames', mixture(9, BAD)),
  hostile('hostile: requests', { requests: 2 }),
  {
    name: 'Redis: killed',
    redis: true,
    hold_s: [1, 5],
    begin: ({ redis }) => redis.kill('SIGKILL'),
    end: ({ redis }) => redis.start(),
    shows: withoutRedis,
  },
  {
    name: 'Redis: hangs',
    redis: true,
    hold_s: [1, 30],
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
    shows: withoutRedis,
  },
  {
    name: 'Redis: restarted, empty',
    redis: true,
    hold_s: [0, 0],
    async begin({ redis }) {
      await redis.kill('SIGTERM');
      await redis.start();
    },
    end() {},
  },
  {
    name: 'Redis: a key expires',
    hold_s: [1, 5],
    begin: ({ feeder }) => symbols.expiring.forEach((s) => feeder.silent.add(s)),
    async end({ feeder, redis }) {
      for (const s of symbols.expiring) {
        await until(async () => (await redis.command('EXISTS', `${s}:price:latest`)) === 0, `the key of ${s} expires`);
      }
      feeder.silent.clear();
    },
    shows: (world) => both(world, symbols.expiring, 'unavailable'),
  },
  upstream('providers: one says 429', () => status(429, 'Too Many Requests', { 'retry-after': '2' }), {
    providers: ['twelvedata'],
    then: forgive,
    shows: (world) => [
      ...both(world, symbols.primary, 'stale'),
      ...both(world, [...symbols.chained, ...symbols.second], 'live'),
    ],
  }),
  upstream('providers: 500', () => status(500, 'no')),
  upstream('providers: rubbish', nextRubbish, { then: forgive }),
  upstream('providers: too slow', () => (turn++ % 2 ? hang() : drip(100)), { hold_s: [6, 20] }),
  upstream('providers: dead', () => reset()),
  {
    name: 'everybody leaves at once and returns',
    hold_s: [0, 0],
    begin: ({ members }) => members.forEach((m) => m.leave()),
    end: ({ reopen }) => reopen(),
  },
  {
    name: 'reload',
    hold_s: [1, 2],
    absent: ({ canReload }) => (canReload ? null : 'POST /admin/reload is 404'),
    begin: ({ reload }) => reload(),
    end: ({ reload }) => reload(),
  },
];
