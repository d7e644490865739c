// From single measurements to figures: medians, ratios to the floor of the same round, one table.

import { tell } from './perf.mjs';
import { judge } from './targets.mjs';
import { expected } from './workloads.mjs';

export function median(values) {
  const sorted = values.filter((v) => Number.isFinite(v)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** What one measurement says; `floor`: the floor's in the same round. */
function figures(m, workload, floor) {
  const items = m.items > 0;
  const slow = workload.hostile ? 0 : workload.slow; // memory can't be told apart there
  return {
    items_per_s: workload.quotes ? m.items_per_s : null,
    delivered_percent: workload.quotes ? (100 * m.items_per_s) / expected(workload) : null,
    cpu_percent: m.cpu_percent,
    cpu_us_per_item: items ? m.cpu_us_per_item : null,
    cpu_to_floor: items ? m.cpu_us_per_item / floor?.cpu_us_per_item : null,
    // The floor's cost of as many writes as this server made.
    cpu_to_floor_writes: items ? m.cpu_s / (m.frames * floor?.cpu_us_per_frame * 1e-6) : null,
    items_per_frame: items ? m.items / m.frames : null,
    p50_ms: items ? m.p50_ms : null,
    p99_ms: items ? m.p99_ms : null,
    p999_ms: items ? m.p999_ms : null,
    p50_to_floor: items ? m.p50_ms / floor?.p50_ms : null,
    p99_to_floor: items ? m.p99_ms / floor?.p99_ms : null,
    rss_bytes_per_client: m.rss_bytes_per_client,
    rss_kb_peak: m.rss_kb_peak,
    rss_kb_per_slow: slow ? (m.rss_kb_end - m.rss_kb_opened) / slow : null,
    peak_kb_per_slow: slow ? (m.rss_kb_peak - m.rss_kb_opened) / slow : null,
    bytes_per_item: items ? m.bytes / m.items : null,
    missing: m.missing >= 0 ? m.missing : null,
    lost_clients: m.lost + m.refused,
    load_cpu_percent: m.load_cpu_percent,
    wait_percent: m.wait_percent,
    publisher_late_ms: m.publisher?.late_ms_max ?? null,
    hostile_connections: m.hostiles ? Object.values(m.hostiles.counts).reduce((sum, c) => sum + c.connections, 0) : null,
    storm_s: m.storm?.seconds ?? null,
    storm_p99_ms: m.storm?.p99_ms ?? null,
    storm_p99_to_before: m.storm ? m.storm.p99_ms / m.p99_ms : null,
  };
}

/** results[workload][server] = measurements by round -> rows of medians. */
export function summarise(results, workloads) {
  const rows = [];
  for (const [name, byServer] of Object.entries(results)) {
    for (const [server, rounds] of Object.entries(byServer)) {
      const each = rounds.map((m, i) => figures(m, workloads[name], byServer.floor?.[i]));
      // A round that failed left a hole.
      const done = each.filter(Boolean);
      const row = { workload: name, server, rounds: done.length };
      for (const key of Object.keys(done[0] ?? {})) row[key] = median(done.map((f) => f[key] ?? NaN));
      if (done.length > 0) rows.push(row);
    }
  }
  return rows;
}

const fixed = (digits) => (v) => (v === null ? '' : v.toFixed(digits));
const times = (v) => (v === null ? '' : `${v.toFixed(2)} x`);

function remarks(row) {
  const said = [];
  const say = (value, text) => value !== null && said.push(text(value));
  if (row.lost_clients > 0) said.push(`${row.lost_clients} clients lost`);
  if (row.missing > 0) said.push(`${row.missing} items skipped`);
  if (row.wait_percent > 2) said.push(`disturbed: waited for its core ${row.wait_percent.toFixed(0)} % of the time`);
  if (row.load_cpu_percent > 90) said.push('the load client is saturated');
  if (row.publisher_late_ms > 20) said.push(`publisher up to ${row.publisher_late_ms.toFixed(0)} ms late`);
  say(row.hostile_connections, (v) => `${v.toFixed(0)} hostile connections`);
  say(row.storm_s, (v) => `all back and current after ${v.toFixed(2)} s`);
  say(row.storm_p99_ms, (v) => `others' p99 meanwhile ${v.toFixed(1)} ms (${times(row.storm_p99_to_before)})`);
  say(row.rss_kb_per_slow, (v) => `+${v.toFixed(1)} KB per slow client`);
  if (row.workload === 'random') say(row.cpu_to_floor_writes, (v) => `per write ${times(v)}`);
  if (row.workload.startsWith('burst')) say(row.rss_kb_peak, (v) => `peak RSS ${(v / 1024).toFixed(0)} MB`);
  return said.join('; ');
}

const COLUMNS = [
  ['workload', (r) => r.workload],
  ['server', (r) => r.server],
  ['deliveries/s', (r) => (r.items_per_s === null ? '' : Math.round(r.items_per_s).toLocaleString('en'))],
  ['arrived', (r) => (r.delivered_percent === null ? '' : `${r.delivered_percent.toFixed(1)} %`)],
  ['core', (r) => `${r.cpu_percent.toFixed(r.cpu_percent < 10 ? 2 : 0)} %`],
  ['CPU us/delivery', (r) => fixed(3)(r.cpu_us_per_item)],
  ['to floor', (r) => times(r.cpu_to_floor)],
  ['p50 ms', (r) => fixed(2)(r.p50_ms)],
  ['to floor', (r) => times(r.p50_to_floor)],
  ['p99 ms', (r) => fixed(2)(r.p99_ms)],
  ['p99.9 ms', (r) => fixed(2)(r.p999_ms)],
  ['KB/client', (r) => fixed(1)(r.rss_bytes_per_client / 1024)],
  ['bytes/item', (r) => fixed(0)(r.bytes_per_item)],
  ['remarks', remarks],
];

/** The rows as a Markdown table, padded so that it reads well in a terminal too. */
function table(columns, rows) {
  const cells = [columns.map(([title]) => title), ...rows.map((r) => columns.map(([, show]) => show(r)))];
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => (i < 2 || i === row.length - 1
    ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((w, i) => (i < 2 || i === widths.length - 1
    ? '-'.repeat(w + 2) : `${'-'.repeat(w + 1)}:`)).join('|')}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join('\n');
}

const TARGETS = [
  ['target', (t) => t.target],
  ['limit', (t) => t.limit],
  ['figure', (t) => t.figure],
  ['reached', (t) => ({ true: 'yes', false: 'NO', null: '' })[t.reached]],
];

/** Everything as Markdown: README shows it as it is, and a terminal can read it. */
export function markdown({ machine, system, redis, openssl, servers, load_average, method, rows, looks, failures }) {
  const versions = Object.entries(servers).filter(([, v]) => v).map(([name, v]) => `${name}: ${v}`);
  const targets = judge(rows).filter((t) => t.value !== null);
  return [
    `${machine}; ${system}; Redis ${redis}; ${openssl}. ${versions.join('; ')}.`,
    '',
    `Medians of ${method.runs} rounds (idle ones and peers: ${Math.min(method.runs, 2)}), ${method.seconds} s counted in each; `
      + 'server alone on core 0, Redis, publisher and clients on core 1, all over loopback; ratios are to bare '
      + '`send()` calls of the same bytes in the same round; latency from the publisher\'s clock in the message '
      + `to the reader's. Load average before: ${load_average[0].toFixed(2)}.`,
    '',
    table(COLUMNS, rows),
    '',
    ...(targets.length > 0 ? [table(TARGETS, targets), ''] : []),
    ...(Object.keys(looks).length > 0 ? ['Where the time goes:', '', tell(looks), ''] : []),
    ...failures.map((failure) => `FAILED ${failure}`),
  ].join('\n').trimEnd();
}
