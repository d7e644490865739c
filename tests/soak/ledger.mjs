// What honest clients found wrong: kinds of complaint, how often, and the first few in words. And what
// was missed: that is a complaint only where the program did not say so itself.
//
// A value that a client never got is missed, unless one of these accounts for it:
//   - a `flow` message told that connection that it was slow and how many were merged away;
//   - Redis was away, and the value comes through it: then there is nobody to deliver it;
//   - pricegate_conflated_total{cause="flush"} counts it: two values of a symbol came within one flush
//     and became one, counted for each client that would have got both.

const EXAMPLES = 5;

export class Ledger {
  constructor() {
    this.kinds = new Map();
    this.values = 0; // checked
    this.messages = 0;
    this.told = 0; // missed, and the client was told by `flow`
    this.excused = 0; // missed while Redis was away
    this.missing = new Map(); // gateway -> {count, examples: "symbol seq"}: told by no `flow`
    this.delays = []; // ms from the feeder to the reader, since they were taken last
  }

  complain(kind, sentence) {
    const row = this.kinds.get(kind) ?? { count: 0, examples: [] };
    row.count += 1;
    if (row.examples.length < EXAMPLES) row.examples.push(`${new Date().toISOString()} ${sentence}`);
    this.kinds.set(kind, row);
  }

  /** Values of one connection that never came and that no `flow` spoke of. */
  miss(gateway, values) {
    if (values.length === 0) return;
    const row = this.missing.get(gateway) ?? { count: 0, examples: [] };
    row.count += values.length;
    row.examples.push(...values.slice(0, EXAMPLES - row.examples.length));
    this.missing.set(gateway, row);
  }

  /** How many are left when what each gateway's flushes merged is taken off: {gateway: merged}. */
  unaccounted(merged) {
    return [...this.missing].reduce((sum, [gateway, { count }]) => sum + Math.max(0, count - (merged[gateway] ?? 0)), 0);
  }

  takeDelays() {
    const taken = this.delays.sort((a, b) => a - b);
    this.delays = [];
    const at = (q) => taken[Math.min(taken.length - 1, Math.floor(q * taken.length))] ?? null;
    return { n: taken.length, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
  }
}
