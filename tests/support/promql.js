// As much of Prometheus' two languages as the tests of dashboard and alerts need: which samples a text of
// /metrics holds, and which metrics and labels a query names. (What a query means is Prometheus' business.)

/** The text of /metrics: [{name, labels: {…}, value}], in its order. */
export function samples(text) {
  const all = [];
  for (const line of text.split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!parts) throw new Error(`no sample: ${line}`);
    all.push({ name: parts[1], labels: Object.fromEntries(matchersIn(parts[2] ?? '').map((m) => [m.label, m.value])), value: Number(parts[3]) });
  }
  return all;
}

const matchersIn = (text) =>
  [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"/g)].map(([, label, operator, value]) => ({
    label,
    operator,
    value: value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c)),
  }));

const WORDS = new Set(['and', 'or', 'unless', 'bool']);

/** A query: {selectors: [{name, matchers: [{label, operator, value}]}], grouped: [label, …]}. */
export function parseQuery(query) {
  const selectors = [];
  const grouped = [];
  const rest = query
    .replace(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, labels) => {
      grouped.push(...labels.split(',').map((label) => label.trim()));
      return ' ';
    })
    .replace(/\[[^\]]*\]/g, ' '); // times
  for (const [, name, braces, call] of rest.matchAll(/\b([a-zA-Z_:][\w:]*)\s*(?:\{((?:"(?:\\.|[^"\\])*"|[^"}])*)\}|(\())?/g)) {
    if (!call && !WORDS.has(name)) selectors.push({ name, matchers: matchersIn(braces ?? '') });
  }
  return { selectors, grouped };
}

/** Would the sample be chosen? Regular expressions are anchored, as Prometheus' are. */
export const chosen = (sample, matchers) =>
  matchers.every(({ label, operator, value }) => {
    const has = sample.labels[label] ?? '';
    const same = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value;
    return operator.startsWith('!') ? !same : same;
  });
