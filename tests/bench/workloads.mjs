// What is measured. One row is one situation; README names the same ones.
//
//   clients   that subscribe and read           want     symbols per client (0: everything)
//   symbols   configured instruments            publish  options of bench_publish; absent: nothing
//   quotes    published per second, to know what should arrive
//   floor     --flush-ms of bench_floor: 0 = one send per client and message
//   slow      clients besides that never read   churn    percent of the clients per second
//   hostile   how many clients besides mean harm (tests/support/hostile.js); not sent to the floor
//   storm     how many of the clients leave at once and return
//   seconds   to count, where it is not --seconds: idle ones a whole period of heartbeats
//   rounds    at most so many, where more of them say nothing new
//   deflate   compression: offered by the clients, switched on where the server has it
//   peers     measured as well, where installed: servers that send everything to everybody

export const workloads = {
  quiet: {
    about: '50 quotes/s to 1,000 clients',
    clients: 1000, symbols: 100, quotes: 50, publish: ['--rate', '50'], floor: 0, peers: true,
  },
  busy: {
    about: '1,000 quotes/s to 1,000 clients',
    clients: 1000, symbols: 100, quotes: 1000, publish: ['--rate', '1000'], floor: 10, peers: true,
  },
  random: {
    about: '500 symbols, each once per 2 s, to 2,000 clients with 20 random ones each',
    clients: 2000, symbols: 500, want: 20, quotes: 250, publish: ['--interval-ms', '2000'], floor: 0,
  },
  burst: {
    about: '500 symbols at once, every second, to 1,000 clients',
    clients: 1000, symbols: 500, quotes: 500, publish: ['--burst', '500', '--every-ms', '1000'],
    floor: 10, peers: true,
  },
  tls: {
    about: 'busy, over TLS',
    clients: 1000, symbols: 100, quotes: 1000, publish: ['--rate', '1000'], floor: 10, tls: true,
    peers: true,
  },
  slow: {
    about: 'busy, and 111 more clients (a tenth of all) that never read',
    clients: 1000, slow: 111, symbols: 100, quotes: 1000, publish: ['--rate', '1000'], floor: 10,
  },
  'burst-slow': {
    about: 'burst, and 111 more clients that never read',
    clients: 1000, slow: 111, symbols: 500, quotes: 500, publish: ['--burst', '500', '--every-ms', '1000'],
    floor: 10,
  },
  hostile: {
    about: 'quiet, and 111 more clients that mean harm: 28 never read, 83 are floods, slowloris and bad frames',
    clients: 1000, slow: 28, hostile: 83, symbols: 100, quotes: 50, publish: ['--rate', '50'], floor: 0,
  },
  'busy-deflate': {
    about: 'busy, compressed for clients that offer it (the floor sends plain)',
    clients: 1000, symbols: 100, quotes: 1000, publish: ['--rate', '1000'], floor: 10, deflate: true,
    peers: true,
  },
  storm: {
    about: '20 quotes/s to 5,500 clients, of whom 5,000 leave at once and return',
    clients: 5500, storm: 5000, symbols: 100, quotes: 20, publish: ['--rate', '20'], floor: 0,
  },
  churn: {
    about: '200 quotes/s to 1,000 clients, of whom 10 % leave and return each second',
    clients: 1000, churn: 10, symbols: 100, quotes: 200, publish: ['--rate', '200'], floor: 10,
  },
  idle: {
    about: 'connected, 20 random symbols of 500 each, no quotes',
    clients: 19000, symbols: 500, want: 20, floor: 10, seconds: 20, rounds: 2,
  },
  'idle-tls': {
    about: 'the same over TLS',
    clients: 2000, symbols: 500, want: 20, floor: 10, tls: true, seconds: 20, rounds: 2,
  },
};

/** The same for a look in a minute: shorter, smaller crowds where that is what takes the time. */
export function quick(workload) {
  const small = { ...workload, clients: Math.min(workload.clients, 2000) };
  delete small.seconds;
  if (small.storm) small.storm = small.clients - 500;
  return small;
}

/** Items per second that all readers together should get. */
export function expected({ clients, symbols, want = 0, quotes = 0 }) {
  return clients * quotes * (want > 0 ? want / symbols : 1);
}

/** Seconds that one measurement takes, roughly: start and end, opening, warming, counting, storm. */
export function takes({ clients, slow = 0, tls, storm, seconds }, times) {
  const open = (clients + slow) / (tls ? 1000 : 4000);
  return 1.5 + open + times.warm + (seconds ?? times.seconds) + (storm ? 3 : 0);
}
