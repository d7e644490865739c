// What all subscriptions together ask the gateway for. On a connection each symbol has one set of
// options, so wishes are merged: a symbol comes as often as the most eager of its readers wants it,
// with the members that any of them wants. Patterns either contain one another or have nothing in
// common, so asked for from broad to narrow, each symbol ends up with its own options. Pure.

const breadth = (name) => (name.endsWith('*') ? name.length : 1e9);

export const covers = (name, symbol) =>
  name === symbol || (name.endsWith('*') && symbol.startsWith(name.slice(0, -1)));

/** Map of name -> {interval_ms, fields}, broad before narrow. */
export function plan(subscriptions) {
  const wishes = [...subscriptions];
  const names = [...new Set(wishes.flatMap((w) => w.symbols))].sort((a, b) => breadth(a) - breadth(b));
  return new Map(
    names.map((name) => {
      const asking = wishes.filter((w) => w.wants(name));
      const interval_ms = Math.min(...asking.map((w) => w.interval_ms ?? 0));
      // The rules of time and state need ts and state, whatever else is wanted.
      const fields = asking.every((w) => w.fields)
        ? [...new Set(['ts', 'state', ...asking.flatMap((w) => w.fields)])]
        : undefined;
      return [name, { interval_ms, fields }];
    }),
  );
}

/** From one plan to another: `gone`, the names to unsubscribe, then `groups` of names with the same
 *  options to subscribe. What overlaps a name that goes or changes is said again. */
export function changes(from, to) {
  const gone = [...from.keys()].filter((name) => !to.has(name));
  const touched = [...gone];
  const groups = [];
  let last;
  for (const [name, options] of to) {
    const key = JSON.stringify(options);
    if (JSON.stringify(from.get(name)) === key && !touched.some((t) => covers(t, name) || covers(name, t))) continue;
    touched.push(name);
    if (key !== last || groups.at(-1).symbols.length > 499) groups.push({ ...options, symbols: [] });
    last = key;
    groups.at(-1).symbols.push(name);
  }
  return { gone, groups };
}
