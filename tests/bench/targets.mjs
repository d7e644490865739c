// What pricegate is to reach, and whether it did: each row a figure out of the medians and its limit.
//
//   figure(of)   of(workload, server = 'pricegate') is that row of medians; a value that is not there
//                makes the target "not measured"
//   most, least  the limit; neither: the figure is told and not judged

import { expected, workloads } from './workloads.mjs';

const ratio = (digits = 2) => (v) => `${v.toFixed(digits)} x`;
const unit = (name, digits = 1) => (v) => `${v.toFixed(digits)} ${name}`;
const rate = (v) => `${Math.round(v).toLocaleString('en')}/s`;
// A publisher that is asked for 1,000,000/s in 4 s is a tick short of it now and then.
const FULL = 0.998;
const KB = 1024;

const targets = [
  { say: 'quiet: CPU per delivery to the floor', most: 1.2, show: ratio(), figure: (of) => of('quiet').cpu_to_floor },
  { say: 'quiet: p50 to the floor', most: 1.2, show: ratio(), figure: (of) => of('quiet').p50_to_floor },
  { say: 'busy: deliveries', least: FULL * expected(workloads.busy), show: rate, figure: (of) => of('busy').items_per_s },
  { say: 'busy: items lost', most: 0, show: unit('items', 0), figure: (of) => of('busy').missing },
  { say: 'busy: CPU per delivery to the floor', most: 1.15, show: ratio(), figure: (of) => of('busy').cpu_to_floor },
  { say: 'busy: p99', most: 15, show: unit('ms'), figure: (of) => of('busy').p99_ms },
  { say: 'random: CPU per quote to the floor\'s for as many writes', most: 2, show: ratio(), figure: (of) => of('random').cpu_to_floor_writes },
  { say: 'random: writes per delivery', show: unit('', 2), figure: (of) => 1 / of('random').items_per_frame },
  { say: 'tls: deliveries', least: FULL * expected(workloads.tls), show: rate, figure: (of) => of('tls').items_per_s },
  { say: 'tls: CPU per delivery to plain busy', most: 2, show: ratio(), figure: (of) => of('tls').cpu_us_per_item / of('busy').cpu_us_per_item },
  { say: 'slow: the others\' p99 to busy', most: 1.1, show: ratio(), figure: (of) => of('slow').p99_ms / of('busy').p99_ms },
  { say: 'slow: the others\' rate to busy', least: 0.9, show: ratio(3), figure: (of) => of('slow').items_per_s / of('busy').items_per_s },
  { say: 'slow: memory growth per slow client', most: 4, show: unit('KB'), figure: (of) => of('slow').rss_kb_per_slow },
  { say: 'burst-slow: peak above burst\'s, per slow client', show: unit('KB'), figure: (of) => (of('burst-slow').rss_kb_peak - of('burst').rss_kb_peak) / workloads['burst-slow'].slow },
  { say: 'burst-slow: peak above the opened state, per slow client', show: unit('KB'), figure: (of) => of('burst-slow').peak_kb_per_slow },
  { say: 'hostile: the others\' p99', most: 50, show: unit('ms'), figure: (of) => of('hostile').p99_ms },
  { say: 'hostile: the others\' p99 to quiet', show: ratio(), figure: (of) => of('hostile').p99_ms / of('quiet').p99_ms },
  { say: 'hostile: the others\' rate to quiet', least: 0.99, show: ratio(3), figure: (of) => of('hostile').items_per_s / of('quiet').items_per_s },
  { say: 'hostile: connections made and ended meanwhile', show: unit('', 0), figure: (of) => of('hostile').hostile_connections },
  { say: 'busy-deflate: bytes on the wire to busy', show: ratio(), figure: (of) => of('busy-deflate').bytes_per_item / of('busy').bytes_per_item },
  { say: 'busy-deflate: CPU per delivery to busy', show: ratio(), figure: (of) => of('busy-deflate').cpu_us_per_item / of('busy').cpu_us_per_item },
  { say: 'storm: all back and current', most: 3, show: unit('s', 2), figure: (of) => of('storm').storm_s },
  { say: 'storm: the others\' p99 to before', most: 2, show: ratio(), figure: (of) => of('storm').storm_p99_to_before },
  { say: 'idle: memory per plain connection', most: 3, show: unit('KB', 2), figure: (of) => of('idle').rss_bytes_per_client / KB },
  { say: 'idle: share of a core, all connections', most: 2, show: unit('%', 2), figure: (of) => of('idle').cpu_percent },
  { say: 'idle-tls: memory per TLS connection', most: 24, show: unit('KB'), figure: (of) => of('idle-tls').rss_bytes_per_client / KB },
];

function limit({ most, least, show }) {
  if (most !== undefined) return `≤ ${show(most).trim()}`;
  return least !== undefined ? `≥ ${show(least).trim()}` : '';
}

/** [{target, limit, figure, reached}] for what was measured; reached: null where nothing is asked. */
export function judge(rows) {
  const of = (workload, server = 'pricegate') =>
    rows.find((r) => r.workload === workload && r.server === server) ?? {};
  return targets.map((t) => {
    const value = t.figure(of);
    const known = value !== null && Number.isFinite(value);
    const asked = t.most !== undefined || t.least !== undefined;
    const reached = asked && known ? value <= (t.most ?? Infinity) && value >= (t.least ?? -Infinity) : null;
    return { target: t.say, limit: limit(t), figure: known ? t.show(value).trim() : 'not measured', value: known ? value : null, reached };
  });
}
