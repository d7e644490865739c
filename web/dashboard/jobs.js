// The table of jobs: which there are, when each runs next, how it went last. Filled from the answer
// of /data-health/jobs.

import { element, setData, setText } from './dom.js';
import { table } from './parts.js';
import { providerName } from './providers.js';
import { clock, moment, span } from './times.js';

const COLUMNS = [['name', 'Job'], ['next', 'Next run'], ['last', 'Last run'], ['result', 'Result']];
// In the order of the table.
const NAMES = { market: 'All prices', intelligence: 'All observations', full: 'Both', enrich: 'The ten oldest' };

const failureWords = ({ symbol, error, source }) => `${symbol ?? 'all'}: ${error}${source ? ` (${providerName(source)})` : ''}`;

/** Of an order: "done in 0.4 s: 3 updated, 1 unchanged, 1 failed (KC: timeout (Yahoo))." */
export function resultWords({ status, duration_seconds: seconds, operations, errors }) {
  const all = Object.values(operations ?? {});
  const sum = (name) => all.reduce((n, operation) => n + (operation[name] ?? 0), 0);
  if (all.some((operation) => operation.status === 'running')) return 'still under way; the table of jobs will tell how it ended.';
  if (sum('requested') === 0) return 'there is nothing to ask for.';
  const failed = sum('failed');
  const told = (errors ?? []).slice(0, 3).map(failureWords).join(', ');
  const why = failed > 0 && told ? ` (${told}${errors.length > 3 ? ' and others' : ''})` : '';
  return `${status === 'success' ? 'done' : status} in ${span(1000 * seconds)}: ${sum('updated')} updated, ${sum('unchanged')} unchanged, ${failed} failed${why}.`;
}

/** Of a run that is over: "success: 3 updated, 1 unchanged, 0 failed in 5.3 s, by the clock". */
export function runWords(run) {
  const errors = (run.errors ?? []).slice(0, 3).map(failureWords).join(', ');
  const how = run.trigger === 'schedule' ? 'by the clock' : 'by order';
  return `${run.status}: ${run.updated} updated, ${run.unchanged} unchanged, ${run.failed} failed in ${span(run.duration_ms)}, ${how}${errors ? `; ${errors}` : ''}`;
}

export class JobsTable {
  #rows = new Map();
  #said = { jobs: [], next: {}, running: [] };

  constructor() {
    this.box = element('div', 'scroll');
    const { table: made, body } = table('Jobs', COLUMNS);
    this.body = body;
    this.box.append(made);
  }

  show(said, nowMs) {
    this.#said = said;
    const names = Object.keys(said.next ?? {});
    const known = Object.keys(NAMES).filter((job) => names.includes(job));
    for (const job of new Set([...known, ...names])) {
      if (!this.#rows.has(job)) this.#rows.set(job, this.#add(job));
    }
    this.tick(nowMs);
  }

  #add(job) {
    const row = element('tr');
    row.dataset.job = job;
    const cells = { row };
    for (const [column, title] of COLUMNS) {
      cells[column] = element(column === 'name' ? 'th' : 'td', column);
      cells[column].dataset.title = title;
      row.append(cells[column]);
    }
    cells.name.scope = 'row';
    setText(cells.name, NAMES[job] ?? job);
    this.body.append(row);
    return cells;
  }

  tick(nowMs) {
    const { jobs, next, running } = this.#said;
    for (const [job, cells] of this.#rows) {
      const due = moment(next[job]);
      const last = jobs.find((run) => run.job === job); // newest first
      const runs = running.includes(job);
      setData(cells.row, 'running', String(runs));
      setText(cells.next, runs ? 'running now' : due === null ? 'not by the clock' : `${clock(due, nowMs)}, in ${span(Math.max(0, due - nowMs))}`);
      setText(cells.last, last ? clock(moment(last.started), nowMs) : 'never');
      setText(cells.result, last ? runWords(last) : '');
    }
  }
}
