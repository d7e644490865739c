// From what a soak found to its verdict, and the verdict in words. Pure.

import { judgeSeries, median, warmOnes } from './judge.mjs';

/** What may not grow: the member of a reading at rest, its name, and by how much it may. */
export const SERIES = [
  { key: 'rss_kb', say: 'RSS', unit: 'KB', allowed: 512 },
  { key: 'fds', say: 'open files', unit: '', allowed: 4 },
  { key: 'timers', say: 'timers', unit: '', allowed: 4 },
  { key: 'threads', say: 'threads', unit: '', allowed: 2 },
];

function judgeSites(rests) {
  const warm = warmOnes(rests);
  const rows = [];
  for (const site of ['plain', 'tls']) {
    for (const { key, say, unit, allowed } of SERIES) {
      rows.push({ site, say, unit, ...judgeSeries(warm.map((r) => [r.hours, r[site][key]]), allowed) });
    }
  }
  return rows;
}

function perTrouble(suffered) {
  const names = [...new Set(suffered.map((s) => s.name))];
  return names.map((name) => {
    const rows = suffered.filter((s) => s.name === name);
    const of = (key) => rows.map((r) => r[key]).filter((v) => v !== null);
    return {
      name,
      times: rows.length,
      noticed_ms: median(of('noticed_ms')),
      recovered_ms: median(of('recovered_ms')),
      recovered_max_ms: of('recovered_ms').length > 0 ? Math.max(...of('recovered_ms')) : null,
      delay_p50_ms: median(rows.map((r) => r.delay.p50_ms).filter((v) => v !== null)),
      delay_p99_ms: median(rows.map((r) => r.delay.p99_ms).filter((v) => v !== null)),
    };
  });
}

export function verdict({ ledger, ends, rests, suffered, before, after, ...rest }) {
  const merged = Object.fromEntries(Object.keys(after).map((site) => {
    const of = (m) => m['pricegate_conflated_total{cause="flush"}'];
    return [site, of(after[site]) - of(before[site])];
  }));
  const series = judgeSites(rests);
  const missed = ledger.unaccounted(merged);
  const complaints = [...ledger.kinds].map(([kind, row]) => ({ kind, ...row }));
  const failures = [
    ...complaints.map((c) => `${c.kind}: ${c.count}`),
    ...(missed > 0 ? [`values missed: ${missed}`] : []),
    ...series.filter((s) => s.flat === false).map((s) => `${s.site}: ${s.say} grows`),
    ...ends,
  ];
  const deliveries = Object.keys(after).reduce((sum, s) => sum + after[s].pricegate_deliveries_total - before[s].pricegate_deliveries_total, 0);
  return {
    passed: failures.length === 0,
    failures,
    ...rest,
    values: ledger.values,
    messages: ledger.messages,
    deliveries,
    missed: { unaccounted: missed, told: ledger.told, redis_away: ledger.excused, merged, seen: Object.fromEntries(ledger.missing) },
    complaints,
    series,
    troubles: perTrouble(suffered),
    rests,
    metrics: { before, after },
  };
}

const number = (x, digits = 0) => (x === null || x === undefined ? '-' : x.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const pad = (rows) => {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`.trimEnd());
};

function seriesLine(s) {
  const name = `${s.site}: ${s.say}${s.unit && `, ${s.unit}`}`;
  if (s.flat === null) return [name, '', '', '', 'too short to tell'];
  const interval = `${number(s.per_hour)} (${number(s.low_per_hour)} .. ${number(s.high_per_hour)})`;
  return [name, number(s.start), number(s.end), interval, s.flat ? 'flat' : 'GROWS'];
}

export function printReport(r) {
  const of = (kind) => r.complaints.find((c) => c.kind === kind)?.count ?? 0;
  const judged = r.series.find((s) => s.flat !== null);
  return `${[
    `Soak of ${number(r.hours, 2)} h: ${r.passed ? 'PASSED' : 'FAILED'}. Load average before: ${r.load.toFixed(2)}.`,
    '',
    `  ${number(r.values)} values checked by ${r.clients} clients who stay and ${number(r.visits)} visits (${number(r.deliveries / r.hours / 3600)} deliveries/s in all)`,
    `  wrong prices ${of('wrong price')}, out of order ${of('disorder')}, twice ${of('twice')}, old ones called live ${of('old price called live')}, connections lost ${of('lost')}`,
    `  missed ${r.missed.unaccounted}; and accounted for: ${number(r.missed.redis_away)} while Redis was away, ${number(r.missed.told)} told by "flow" to slow readers, flushes merged ${Object.entries(r.missed.merged).map(([s, n]) => `${s} ${n}`).join(', ')}`,
    `  hostile connections: ${Object.entries(r.attacks).map(([kind, n]) => `${kind} ${number(n)}`).join(', ') || 'none'}`,
    `  our own loop late by p99 ${number(r.own.p99_ms)} ms, at most ${number(r.own.max_ms)} ms`,
    '',
    `At rest, ${judged ? `${judged.points} samples over ${number(judged.hours, 2)} h after warming up` : 'too few samples after warming up'}:`,
    '',
    ...pad([['', 'start', 'end', 'per hour (95 %)', ''], ...r.series.map(seriesLine)]),
    '',
    'Troubles, medians in ms; noticed: from its beginning until every reader was told; right again: from its end until every reader',
    'had a new value of everything, told live; delay: from the feeder to a reader, meanwhile.',
    '',
    ...pad([
      ['', 'times', 'noticed', 'right again', 'at most', 'delay p50', 'p99'],
      ...r.troubles.map((t) => [t.name, String(t.times), number(t.noticed_ms), number(t.recovered_ms), number(t.recovered_max_ms), number(t.delay_p50_ms), number(t.delay_p99_ms)]),
    ]),
    '',
    ...r.absent.map((text) => `Not tried: ${text}`),
    ...r.complaints.flatMap((c) => [`${c.kind}, ${c.count} times:`, ...c.examples.map((e) => `  ${e}`)]),
    ...(r.missed.unaccounted > 0 ? [`missed, for example: ${JSON.stringify(r.missed.seen)}`] : []),
    ...r.failures.map((f) => `FAILED ${f}`),
  ].join('\n').trimEnd()}\n`;
}
