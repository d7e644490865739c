// Which rows are shown, in which order, in which groups. Pure.

import { number, plain } from '../quote.js';

const STATE_RANK = { live: 0, delayed: 1, closed: 2, stale: 3, unavailable: 4 };

// How each column is sorted: what a row is worth in it. null goes last, whatever the direction.
const WORTH = {
  name: (row) => row.name.toLowerCase(),
  price: (row) => row.price,
  change: (row) => number(row.item?.change),
  percent: (row) => number(row.item?.change_pct),
  source: (row) => plain(row.item?.source).toLowerCase() || null,
  age: (row) => (row.item ? -(number(row.item.recv) ?? number(row.item.ts) ?? 0) : null),
  state: (row) => STATE_RANK[row.state],
};

// Columns whose order prices change all the time.
const MOVING = ['price', 'change', 'percent', 'age', 'source', 'state'];

export const sortable = (column) => Object.hasOwn(WORTH, column);
export const moving = (sort) => sort !== null && MOVING.includes(sort.column);

/** {sort, grouped} out of what was kept, as far as this page understands it: it may have been kept by
 *  another version, or be nothing at all. */
export function viewOf(kept) {
  const { sort, grouped } = kept ?? {};
  const usable = sortable(sort?.column) && Math.abs(sort.direction) === 1;
  return { sort: usable ? { column: sort.column, direction: sort.direction } : null, grouped: grouped !== false };
}

/** The next order when a column's head is pressed: the more useful direction first, then the other,
 *  then the gateway's own order. */
export function nextSort(sort, column) {
  const first = column === 'name' || column === 'source' ? 1 : -1;
  if (sort?.column !== column) return { column, direction: first };
  return sort.direction === first ? { column, direction: -first } : null;
}

function compare({ column, direction }) {
  const worth = WORTH[column];
  return (a, b) => {
    const x = worth(a);
    const y = worth(b);
    if (x === y) return 0;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * direction;
  };
}

/** Does the row have every word of the filter, in any of what is written in it? */
export function matches(row, words) {
  if (words.length === 0) return true;
  const text = `${row.symbol} ${row.name} ${row.category.replaceAll('_', ' ')} ${plain(row.item?.source)} ${row.state}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const wordsOf = (filter) => filter.toLowerCase().split(/\s+/).filter(Boolean);

/** [[category or '', [row, ...]], ...]. list: the symbols of a watchlist in their order, or null
 *  for all; sort: {column, direction} or null; grouped: by category. */
export function arrange(rows, { list = null, filter = '', sort = null, grouped = true }) {
  const words = wordsOf(filter);
  let shown = rows.filter((row) => matches(row, words));
  if (list) {
    const place = new Map(list.map((symbol, i) => [symbol, i]));
    shown = shown.filter((row) => place.has(row.symbol)).sort((a, b) => place.get(a.symbol) - place.get(b.symbol));
  }
  if (sort) shown.sort(compare(sort)); // stable: equals keep their place
  if (!grouped) return shown.length > 0 ? [['', shown]] : [];
  const groups = new Map();
  for (const row of shown) {
    if (!groups.has(row.category)) groups.set(row.category, []);
    groups.get(row.category).push(row);
  }
  return [...groups];
}

/** "coffee_prices" -> "Coffee prices", "fx_rates" -> "FX rates". */
export function titleCase(category) {
  const words = category.replaceAll('_', ' ');
  const first = words.split(' ', 1)[0];
  return (first.length <= 2 ? first.toUpperCase() : first[0].toUpperCase() + first.slice(1)) + words.slice(first.length);
}
