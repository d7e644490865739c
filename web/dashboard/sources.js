// The table of sources: one row each, those in use; the others in one line below. Filled from the
// answer of /data-health/sources.

import { element, setData, setText, withText } from './dom.js';
import { button, table } from './parts.js';
import { notAsked, providerName } from './providers.js';
import { ago, clock, moment } from './times.js';

const COLUMNS = [
  ['name', 'Source'], ['breaker', 'State'], ['credits', 'Credits left'], ['reliability', 'Reliability'],
  ['error', 'Last error'], ['success', 'Last success'], ['order', 'Order'],
];

const STATES = { closed: 'asked', open: 'not asked', half_open: 'being tried', disabled: 'off' };
const DATA = { real_time: 'real time', delayed: 'delayed', end_of_day: 'end of day', benchmark: 'benchmark' };

/** "asked", "not asked since 10:41:07 (rate_limited), again from 10:46:07". */
export function stateOf(source, nowMs) {
  if (source.state === 'disabled') return `off: ${source.reason ?? notAsked('disabled')}`;
  if (source.suspended) return `suspended since ${clock(moment(source.state_since), nowMs)} after failed runs in a row: reset it once it works`;
  const since = moment(source.state_since);
  const retry = moment(source.retry_at);
  let text = STATES[source.state] ?? source.state;
  if (source.state !== 'closed' && since) text += ` since ${clock(since, nowMs)}`;
  if (source.state !== 'closed' && source.reason) text += ` (${source.reason})`;
  if (retry && retry > nowMs) text += `, again from ${clock(retry, nowMs)}`;
  if (source.state === 'closed' && source.failures > 0) text += ` (${source.failures} of ${source.failure_threshold} failures in a row)`;
  return text;
}

/** "98.5 % of 1,204 in 30 days". */
export function reliabilityOf({ reliability, fetches_30d: fetches }) {
  if (typeof reliability !== 'number') return 'no fetch counted yet';
  return `${(100 * reliability).toFixed(1)}\u00a0% of ${fetches.toLocaleString('en-US')} in 30 days`;
}

export class SourcesTable {
  #rows = new Map(); // provider -> its cells
  #sources = {};
  #mayReset = false;

  /** reset(provider, button) */
  constructor(reset) {
    this.reset = reset;
    this.box = element('div', 'scroll');
    const { table: made, body } = table('Sources', COLUMNS);
    this.body = body;
    this.table = made;
    this.others = element('p', 'note');
    this.box.append(made, this.others);
  }

  get filled() {
    return this.#rows.size > 0;
  }

  set mayReset(may) {
    this.#mayReset = may;
    for (const cells of this.#rows.values()) cells.order.hidden = !may;
    this.table.toggleAttribute('data-orders', may);
  }

  show(sources, nowMs) {
    this.#sources = sources;
    const used = Object.values(sources).filter((source) => source.in_use);
    for (const [provider, cells] of this.#rows) {
      if (used.some((source) => source.provider === provider)) continue;
      cells.row.remove();
      this.#rows.delete(provider);
    }
    for (const { provider } of used) {
      if (!this.#rows.has(provider)) this.#rows.set(provider, this.#add(provider));
    }
    const rest = Object.values(sources).filter((source) => !source.in_use).map((source) => providerName(source.provider));
    setText(this.others, rest.length > 0 ? `In no instrument\u2019s chain: ${rest.sort().join(', ')}.` : '');
    this.tick(nowMs);
  }

  #add(provider) {
    const row = element('tr');
    row.dataset.provider = provider;
    const cells = { row };
    for (const [column, title] of COLUMNS) {
      const cell = element(column === 'name' ? 'th' : 'td', column);
      cell.dataset.title = title; // narrow screens have no head
      cells[column] = cell;
      row.append(cell);
    }
    cells.name.scope = 'row';
    const name = providerName(provider);
    const order = button('Reset', (it) => this.reset(provider, it));
    order.setAttribute('aria-label', `Reset ${name}: ask it again at once`);
    order.hidden = !this.#mayReset;
    cells.data = withText('span', 'dim', '');
    cells.name.append(withText('span', '', name), ' ', cells.data);
    cells.order.append(order);
    cells.order = order;
    this.body.append(row);
    return cells;
  }

  /** Ages and waits pass while nothing is asked. */
  tick(nowMs) {
    for (const [provider, cells] of this.#rows) {
      const source = this.#sources[provider];
      setData(cells.row, 'state', source.suspended ? 'open' : source.state);
      setText(cells.data, DATA[source.data] ?? '');
      setText(cells.breaker, stateOf(source, nowMs));
      setText(cells.credits, source.credits_left === null ? 'no limit' : source.credits_left.toLocaleString('en-US'));
      setText(cells.reliability, reliabilityOf(source));
      const at = moment(source.last_error_at);
      setText(cells.error, source.last_error ? `${at ? `${clock(at, nowMs)} ` : ''}${source.last_error}` : 'none');
      const good = moment(source.last_success);
      setText(cells.success, good === null ? 'none yet' : ago(nowMs - good));
    }
  }
}
