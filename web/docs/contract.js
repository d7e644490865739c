// What the two documents say, in the order in which a reader wants it. Pure: no DOM, no network.
//
// The documents share their schemas: asyncapi.json refers to "openapi.json#/...". So references are made
// whole first (each with the name of its document), and after that it does not matter where one stands.

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export class Contract {
  constructor({ openapi, asyncapi }) {
    this.openapi = whole(openapi, 'openapi.json');
    this.asyncapi = whole(asyncapi, 'asyncapi.json');
  }

  /** What a node is, whichever references lead there. */
  follow(node) {
    while (node && typeof node.$ref === 'string') {
      const [file, pointer] = node.$ref.split('#/');
      const steps = pointer.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
      node = steps.reduce((at, step) => at?.[step], file === 'openapi.json' ? this.openapi : this.asyncapi);
    }
    return node;
  }

  /** [{name, description, operations: [...]}], by tag. */
  routes() {
    const all = Object.entries(this.openapi.paths).flatMap(([path, item]) =>
      METHODS.filter((m) => item[m]).map((method) => this.#operation(path, method, item[method])));
    return this.openapi.tags.map((tag) => ({ ...tag, operations: all.filter((o) => o.tag === tag.name) }));
  }

  #operation(path, method, o) {
    return {
      id: o.operationId,
      tag: o.tags[0],
      method: method.toUpperCase(),
      path,
      summary: o.summary,
      description: o.description,
      ...roleOf(o.security),
      parameters: (o.parameters ?? []).map((p) => this.follow(p)),
      responses: Object.entries(o.responses).map(([status, r]) => this.#response(status, this.follow(r))),
    };
  }

  #response(status, r) {
    const headers = Object.entries(r.headers ?? {}).map(([name, h]) => ({ name, ...this.follow(h) }));
    const contents = Object.entries(r.content ?? {}).map(([type, c]) => ({
      type,
      schema: c.schema,
      examples: c.examples ? Object.values(c.examples) : 'example' in c ? [{ value: c.example }] : [],
    }));
    return { status, description: r.description, headers, contents };
  }

  /** [{key, title, address, description, closeCodes, messages: [...]}]: the channels. */
  channels() {
    return Object.entries(this.asyncapi.channels).map(([key, c]) => ({
      key,
      title: c.title,
      address: c.address,
      protocol: this.follow(c.servers[0]).protocol,
      summary: c.summary,
      description: c.description,
      closeCodes: c['x-close-codes'] ?? [],
      messages: Object.keys(c.messages).map((name) => this.#message(key, name)),
    }));
  }

  #message(channel, key) {
    const m = this.follow(this.asyncapi.channels[channel].messages[key]);
    const about = Object.values(this.asyncapi.operations).filter((o) => names(o.messages, channel, key));
    const command = about.find((o) => o.reply);
    return {
      id: `${channel}-${key}`,
      name: m.name,
      title: m.title,
      summary: m.summary,
      schema: m.payload,
      headers: m.headers ?? null,
      examples: m.examples,
      sent: about.some((o) => o.action === 'send'), // by the gateway
      heard: about.some((o) => o.action === 'receive'),
      role: command?.['x-role'] ?? null,
      answers: (command?.reply.messages ?? []).map((r) => ({ id: `${channel}-${keyOf(r)}`, name: this.follow(r).name })),
    };
  }

  /** The members of a schema as rows: {name, type, required, description, limits, rows}. */
  rows(schema) {
    const { properties, required, others } = this.#members(schema);
    const rows = Object.entries(properties).map(([name, s]) => this.#row(name, s, required.has(name)));
    return others ? [...rows, this.#row('any name', others, false)] : rows;
  }

  #members(schema) {
    const s = this.follow(schema);
    const found = { properties: { ...s.properties }, required: new Set(s.required ?? []), others: null };
    if (typeof s.additionalProperties === 'object') found.others = s.additionalProperties;
    for (const part of s.allOf ?? []) {
      const more = this.#members(part);
      Object.assign(found.properties, more.properties);
      for (const name of more.required) found.required.add(name);
      found.others ??= more.others;
    }
    return found;
  }

  #row(name, schema, required) {
    const s = this.follow(schema);
    const of = s.type === 'array' ? this.follow(s.items ?? {}) : s;
    const several = of.anyOf?.some((a) => this.#isObject(a)) ? of.anyOf : [of];
    const rows = several.length > 1 ? this.rows(several[0]) : this.#isObject(of) ? this.rows(of) : [];
    return { name, required, type: this.type(s), description: s.description ?? '', limits: limits(of), rows };
  }

  #isObject(schema) {
    const s = this.follow(schema);
    return s.type === 'object' || Boolean(s.properties) || Boolean(s.allOf?.some((a) => this.#isObject(a)));
  }

  /** In a word or two. */
  type(schema) {
    const s = this.follow(schema);
    if ('const' in s) return JSON.stringify(s.const);
    if (s.type === 'array') return `array of ${s.items ? this.type(s.items) : 'anything'}`;
    if (s.anyOf && !s.type) return [...new Set(s.anyOf.map((a) => this.type(a)))].join(' or ');
    if (s.allOf) return 'object';
    const format = { 'decimal': 'exact decimal', 'date-time': 'time, RFC 3339' }[s.format];
    return [s.type ?? 'anything'].flat().map((t) => (format && t !== 'null' ? format : t)).join(' or ');
  }
}

/** The role that is needed, and whether one may do without a token. */
function roleOf(security = []) {
  const role = security.flatMap((s) => Object.values(s).flat())[0] ?? 'none';
  return { role, anonymous: security.length === 0 || security.some((s) => Object.keys(s).length === 0) };
}

function limits(s) {
  const found = [];
  if (s.enum) found.push(`one of ${s.enum.map((v) => JSON.stringify(v)).join(', ')}`);
  if ('minimum' in s) found.push(`at least ${s.minimum}`);
  if ('exclusiveMinimum' in s) found.push(`more than ${s.exclusiveMinimum}`);
  if ('maximum' in s) found.push(`at most ${s.maximum}`);
  if (s.maxLength) found.push(`at most ${s.maxLength} characters`);
  if (s.pattern) found.push(`matches ${s.pattern}`);
  return found;
}

const keyOf = (ref) => ref.$ref.split('/').at(-1);
const names = (refs, channel, key) =>
  refs.some((r) => r.$ref === `asyncapi.json#/channels/${channel}/messages/${key}`);

/** A copy in which each reference says its document. */
function whole(node, file) {
  if (Array.isArray(node)) return node.map((n) => whole(n, file));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) =>
    [key, key === '$ref' && value.startsWith('#') ? file + value : whole(value, file)]));
}

/** A command line that does what the operation says. values: by parameter name; base: ends with "/".
 *  withToken: also where one may do without. */
export function commandLine({ method, path, role, anonymous, parameters }, values, base, withToken = false) {
  const target = address({ path, parameters }, values, base);
  const words = [path === '/ws' ? 'websocat' : 'curl -sS'];
  if (path === '/api/v1/stream') words.push('-N');
  if (method === 'POST') words.push('-X POST');
  for (const p of parameters) {
    if (p.in === 'header' && values[p.name]) words.push('-H', quote(`${p.name}: ${values[p.name]}`));
  }
  if (withToken || (role !== 'none' && !anonymous)) words.push('-H "Authorization: Bearer $TOKEN"');
  words.push(quote(path === '/ws' ? target.replace(/^http/, 'ws') : target));
  return words.join(' ');
}

/** The URL of an operation with these values. */
export function address({ path, parameters }, values, base) {
  const plain = (text) => encodeURIComponent(text).replaceAll('%2C', ',').replaceAll('%2F', '/').replaceAll('%3A', ':');
  const file = path.replace(/\{(\w+)\}/g, (_, name) => plain(values[name] ?? '')).slice(1);
  const query = parameters.filter((p) => p.in === 'query' && values[p.name]).map((p) => `${p.name}=${plain(values[p.name])}`);
  return base + file + (query.length > 0 ? `?${query.join('&')}` : '');
}

const quote = (text) => (/^[\w:/.,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
