// The documents of the contract (web/openapi.json, web/asyncapi.json) against the running program: each
// route with each role, each answer that it documents, each message, event and key is really had, and
// fits. What has members that are not documented fails here, and so does what is documented and was not
// met. (That the tables of routes, messages and codes are complete is tests/unit/server/test_contract.c.)

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import Ajv2020 from 'ajv/dist/2020.js';
import Ajv07 from 'ajv';

import { Contract, commandLine } from '../../web/docs/contract.js';
import { rightMessages, wrongMembers } from '../support/client-messages.js';
import { loadContract } from '../support/contract.js';
import { request } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok, status as httpStatus } from '../support/upstream.js';
import { until, within } from '../support/wait.js';
import { WsClient, connectWs } from '../support/wsclient.js';

const long = Boolean(process.env.LONG);
const contract = loadContract();
const { openapi, asyncapi } = contract;
const file = (name) => readFileSync(new URL(`../../web/${name}`, import.meta.url), 'utf8');

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];
const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
  METHODS.filter((m) => item[m]).map((method) => ({ path, method, item, ...item[method] })));
const operation = (id) => operations.find((o) => o.operationId === id) ?? assert.fail(id);
const follow = (node) => (node.$ref ? contract.at('openapi.json', node.$ref) : node);

// --- the documents by themselves ---

test('they are OpenAPI 3.1 and AsyncAPI 3.0 by the letter of their own schemas', () => {
  const require = createRequire(import.meta.url);
  const schemas = new URL('../node_modules/@seriousme/openapi-schema-validator/schemas/', import.meta.url);
  const forOpenapi = JSON.parse(readFileSync(new URL('v3.1/schema.json', schemas), 'utf8'));
  const formats = Object.fromEntries(['uri', 'uri-reference', 'uri-template', 'regex', 'media-range', 'email'].map((f) => [f, true]));
  const cases = [
    [Ajv2020, forOpenapi, openapi, (d) => delete d.paths['/healthz'].get.responses['200'].description],
    [Ajv07, require('@asyncapi/specs/schemas/3.0.0-without-$id.json'), asyncapi, (d) => delete d.operations.ping.action],
  ];
  for (const [Ajv, schema, document, spoil] of cases) {
    const validate = new Ajv({ strict: false, formats, allErrors: true }).compile(schema);
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 1));
    const spoiled = structuredClone(document);
    spoil(spoiled);
    assert.ok(!validate(spoiled), 'the check can fail');
  }
});

/** Every reference of a document: [where, ref]. */
function* references(node, at = '') {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.$ref === 'string') yield [at, node.$ref];
  for (const [key, value] of Object.entries(node)) yield* references(value, `${at}/${key}`);
}

test('each reference leads somewhere, nothing shared is unused, names are used once', () => {
  const used = new Set();
  for (const [name, document] of Object.entries(contract.documents)) {
    for (const [at, ref] of references(document)) {
      assert.ok(contract.at(name, ref), `${name}${at}: ${ref}`);
      used.add(ref.startsWith('#') ? name + ref : ref);
    }
  }
  for (const [name, document] of Object.entries(contract.documents)) {
    for (const [kind, parts] of Object.entries(document.components)) {
      if (name === 'openapi.json' && kind === 'securitySchemes') continue; // used by name
      for (const key of Object.keys(parts)) assert.ok(used.has(`${name}#/components/${kind}/${key}`), `${name}: ${kind}/${key} is used nowhere`);
    }
  }
  const ids = operations.map((o) => o.operationId);
  assert.equal(new Set(ids).size, ids.length);
  const tags = new Set(openapi.tags.map((t) => t.name));
  for (const o of operations) assert.ok(o.tags.length === 1 && tags.has(o.tags[0]), o.operationId);
  for (const key of Object.keys(asyncapi.components.messages)) {
    assert.ok(Object.values(asyncapi.operations).some((o) => [...o.messages, ...(o.reply?.messages ?? [])].some((m) => m.$ref.endsWith(`/${key}`))), `${key} is neither sent nor heard`);
  }
});

test('every route, parameter, message and member says what it is', () => {
  const words = (text, what) => assert.ok(typeof text === 'string' && text.trim().length > 1, what);
  for (const o of operations) {
    words(o.summary, o.operationId);
    words(o.description, o.operationId);
    for (const p of (o.parameters ?? []).map(follow)) words(p.description, `${o.operationId} ${p.name}`);
    for (const [code, r] of Object.entries(o.responses)) words(follow(r).description, `${o.operationId} ${code}`);
  }
  const members = (schema, at) => {
    for (const [name, s] of Object.entries(schema.properties ?? {})) {
      if (!s.$ref) words(s.description, `${at}.${name}`);
      members(s, `${at}.${name}`);
    }
  };
  for (const document of Object.values(contract.documents)) {
    for (const [name, s] of Object.entries(document.components.schemas)) {
      words(s.description, name);
      members(s, name);
    }
  }
  for (const m of Object.values(asyncapi.components.messages)) words(m.summary, m.title);
});

test('every example fits, and nothing that has a form is without one', () => {
  for (const o of operations) {
    for (const p of (o.parameters ?? []).map(follow)) {
      assert.ok('example' in p, `${o.operationId} ${p.name}`);
      const [ajv, schema] = [new Ajv2020({ strict: false }), p.schema.$ref ? contract.at('openapi.json', p.schema.$ref) : p.schema];
      for (const part of p.name === 'symbols' || p.name === 'names' ? p.example.split(',') : [p.example]) assert.ok(ajv.validate(schema, part), part);
    }
    for (const [code, r] of Object.entries(o.responses)) {
      for (const [type, content] of Object.entries(follow(r).content ?? {})) {
        const values = content.examples ? Object.values(content.examples).map((e) => e.value) : 'example' in content ? [content.example] : [];
        if (/json/.test(type) && content.schema.$ref) assert.ok(values.length > 0, `${o.operationId} ${code}`);
        for (const value of values) {
          if (content.schema.$ref) contract.checkRef('openapi.json', content.schema.$ref, value, `the example of ${o.operationId} ${code}`);
          if (type === 'application/problem+json' && code !== 'default') assert.equal(value.status, Number(code), o.operationId);
        }
      }
    }
  }
  for (const [key, m] of Object.entries(asyncapi.components.messages)) {
    assert.ok(m.examples.length > 0, key);
    for (const { summary, payload, headers } of m.examples) {
      contract.checkRef('asyncapi.json', m.payload.$ref, payload, `the example "${summary}" of ${key}`);
      if (m.headers) contract.checkRef('asyncapi.json', m.headers.$ref, headers, `the headers of ${key}`);
    }
  }
  contract.forget(); // what was met in examples was not met in the program
});

// --- routes ---

const met = new Set(); // "operationId status"
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const key = (name, role, more = {}) => ({ name, role, sha256: sha256(`${name}-token`), ...more });
const bearer = (name) => ({ Authorization: `Bearer ${name}-token` });

/** The answer fits what the document says of this status. */
function checkAnswer(o, answer, what = `${o.operationId} ${answer.status}`) {
  const r = follow(o.responses[answer.status] ?? ([400, 405, 413, 431, 500, 505].includes(answer.status) && o.responses.default) ?? assert.fail(`${what}: not documented`));
  const type = answer.headers['content-type']?.split(';')[0];
  for (const [name, h] of Object.entries(r.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) {
      assert.ok(name === 'Allow' || answer.status === 426, `${what}: no ${name}`);
      continue;
    }
    const { schema } = follow(h);
    assert.ok(new Ajv2020().validate(schema, schema.type === 'integer' ? Number(value) : value), `${what}: ${name}: ${value}`);
  }
  if (!r.content) {
    assert.equal(answer.body, '', what);
  } else {
    const content = r.content[type] ?? assert.fail(`${what}: ${type} is not documented`);
    if (content.schema?.$ref) contract.checkRef('openapi.json', content.schema.$ref, answer.json, what);
    else assert.ok(answer.body.length > 0, what);
  }
  if (answer.status >= 400) assert.equal(type, 'application/problem+json', what);
  met.add(`${o.operationId} ${o.responses[answer.status] ? answer.status : 'default'}`);
}

/** Asks for an operation with the values of its examples, or others. */
async function ask(gateway, id, { values = {}, headers = {}, method, want, url = gateway.url } = {}) {
  const o = operation(id);
  const parameters = (o.parameters ?? []).map(follow);
  const value = (name) => values[name] ?? parameters.find((p) => p.name === name).example;
  const query = parameters.filter((p) => p.in === 'query' && (p.name in values || p.required))
    .filter((p) => values[p.name] !== null).map((p) => `${p.name}=${encodeURIComponent(value(p.name))}`);
  const path = o.path.replace(/\{(\w+)\}/g, (_, name) => value(name)) + (query.length ? `?${query.join('&')}` : '');
  const answer = await request(url, { path, method: method ?? o.method.toUpperCase(), headers, body: o.method === 'post' && !method ? '' : undefined });
  checkAnswer(o, answer);
  if (want !== undefined) assert.equal(answer.status, want, `${o.method} ${path} ${JSON.stringify(headers)}: ${answer.body.slice(0, 300)}`);
  return answer;
}

/** Two that are polled well, one out of its range, one whose source fails, one that nobody
 *  feeds; observations with one figure and with several, one out of its range and one that never was. */
const market = () => ({
  auth: { anonymous_role: null, keys: [key('viewer', 'viewer'), key('analyst', 'analyst'), key('admin', 'admin'), key('part', 'admin', { symbols: ['coffee'] })] },
  origins: ['https://desk.example'],
  fanout: { heartbeat_ms: 1000 },
  instruments: [
    instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { name: 'Coffee C', category: 'coffee_prices', unit: 'USD/lb', currency: 'USD', exchange: 'A MARKET', range: [1, 10] }),
    instrument('EUR/USD', [['twelvedata', 'EUR/USD']], { category: 'fx_rates' }),
    instrument('cocoa', [['yahoo', 'CC=F']], { range: [1, 10] }),
    instrument('wool', [['fred', 'DEXUSEU']]),
    external('tea'),
  ],
  observations: [
    { name: 'weather/sul-de-minas', title: 'Weather', category: 'weather', region: 'Sul de Minas', poll_ms: 200, sources: [{ provider: 'openmeteo', symbol: '-21.55,-45.43' }] },
    { name: 'oil', unit: '$$/BBL', poll_ms: 200, sources: [{ provider: 'eia', symbol: 'RWTC' }] },
    { name: 'gas', range: [1, 2], poll_ms: 200, sources: [{ provider: 'eia', symbol: 'GAS' }] },
    { name: 'news', sources: [] },
  ],
});

function script(u) {
  u.set('twelvedata', 'KC1', ok({ price: '2.943', prev_close: '2.910' }));
  u.set('twelvedata', 'EUR/USD', ok({ price: '1.17438' }));
  u.set('yahoo', 'CC=F', ok({ price: '500.10' }));
  u.set('fred', 'DEXUSEU', httpStatus(500));
  u.set('openmeteo', '*', ok({ values: { temperature_2m: 21.4 }, units: { temperature_2m: '°C' } }));
  u.set('eia', 'PET.RWTC.D', ok({ value: '57.42', unit: '$/BBL', period: '2025-12-29' }));
  u.set('eia', 'PET.GAS.D', ok({ value: '4.1', period: '2025-12-29' }));
}

const roleOf = (o) => o.security.flatMap((s) => s.bearer ?? [])[0] ?? 'none';
const RANK = { none: 0, viewer: 1, analyst: 2, admin: 3 };

async function openScene(t, more = {}) {
  const made = await scene(t, { script, redis: true, ...more, config: { ...market(), ...more.config } });
  const { gateway } = made;
  const admin = { headers: bearer('admin') };
  await until(async () => {
    const { categories } = (await gateway.get('/data-health/status', admin)).json;
    const all = Object.assign({}, ...Object.values(categories));
    return all.coffee.status === 'fresh' && all['EUR/USD'].status === 'fresh' && all['weather/sul-de-minas'].status === 'fresh' && all.oil.status === 'fresh' &&
      all.cocoa.suspect && all.gas.suspect;
  }, 'values and suspects', 20_000);
  return made;
}

test('every route: each role, each answer', { timeout: 120_000 }, async (t) => {
  const { gateway } = await openScene(t);
  const admin = bearer('admin');
  const good = { getFile: { values: { file: 'docs/main.js' } }, closeClient: null };

  for (const o of operations) {
    const id = o.operationId;
    if (id === 'openWebSocket' || id === 'openStream' || id === 'closeClient') continue; // below
    const needed = roleOf(o);
    const anonymous = id === 'getMetrics' ? 200 : needed === 'none' ? undefined : 401; // it comes from loopback
    await ask(gateway, id, { ...good[id], want: anonymous });
    if (needed !== 'none') {
      await ask(gateway, id, { headers: bearer('nobody'), want: 401 });
      for (const role of ['viewer', 'analyst', 'admin']) {
        const may = RANK[role] >= RANK[needed] || id === 'getMetrics';
        await ask(gateway, id, { headers: bearer(role), want: may ? 200 : 403 });
      }
    }
    // Another method, HEAD, and an ETag.
    await ask(gateway, id, { method: o.method === 'post' ? 'PUT' : 'DELETE', headers: admin, want: 405 });
    if (o.method === 'get') {
      const path = o.path.replace(/\{(\w+)\}/g, (_, name) => good[id]?.values[name] ?? (o.parameters ?? []).map(follow).find((p) => p.name === name).example);
      const head = await gateway.get(path, { method: 'HEAD', headers: admin });
      assert.equal(head.status, id === 'getDocsFolder' ? 308 : 200, path);
      assert.equal(head.body, '');
    }
    if (o.responses['304']) {
      await until(async () => {
        const { headers: { etag } } = await ask(gateway, id, { ...good[id], headers: admin, want: 200 });
        const again = await ask(gateway, id, { ...good[id], headers: { ...admin, 'If-None-Match': etag } });
        return again.status === 304; // a price may have come between
      }, `304 of ${id}`);
    }
  }

  // What else may be answered.
  await ask(gateway, 'getFile', { values: { file: 'nothing.js' }, want: 404 });
  await ask(gateway, 'getQuotes', { values: { symbols: 'coffee,tea' }, headers: admin, want: 200 });
  await ask(gateway, 'getQuotes', { values: { symbols: '' }, headers: admin, want: 400 });
  await ask(gateway, 'getQuotes', { values: { symbols: 'coffee,FOO,BAR' }, headers: admin, want: 404 });
  await ask(gateway, 'getQuotes', { values: { symbols: 'tea' }, headers: bearer('part'), want: 403 });
  await ask(gateway, 'getQuote', { values: { symbol: 'EUR/USD' }, headers: admin, want: 200 });
  await ask(gateway, 'getQuote', { values: { symbol: 'FOO' }, headers: admin, want: 404 });
  await ask(gateway, 'getQuote', { values: { symbol: 'tea' }, headers: admin, want: 503 });
  await ask(gateway, 'getQuote', { values: { symbol: 'tea' }, headers: bearer('part'), want: 403 });
  await ask(gateway, 'getProvenance', { values: { symbol: 'wool' }, headers: admin, want: 200 });
  await ask(gateway, 'getProvenance', { values: { symbol: 'tea' }, headers: bearer('part'), want: 403 });
  await ask(gateway, 'getProvenance', { values: { symbol: 'FOO' }, headers: admin, want: 404 });
  await ask(gateway, 'getWhoami', { headers: bearer('part'), want: 200 });
  await ask(gateway, 'getWhoami', { headers: bearer('nobody'), want: 401 });
  await ask(gateway, 'getObservations', { values: { names: '' }, headers: admin, want: 400 });
  await ask(gateway, 'getObservations', { values: { names: 'FOO' }, headers: admin, want: 404 });
  await ask(gateway, 'getObservations', { values: { names: 'oil' }, headers: bearer('part'), want: 403 });
  await ask(gateway, 'getObservation', { values: { name: 'oil' }, headers: admin, want: 200 });
  await ask(gateway, 'getObservation', { values: { name: 'coffee' }, headers: admin, want: 404 });
  await ask(gateway, 'getObservation', { values: { name: 'news' }, headers: admin, want: 503 });
  await ask(gateway, 'getObservation', { values: { name: 'oil' }, headers: bearer('part'), want: 403 });
  for (const o of operations.filter((x) => x.responses['403'] && !/^(getQuote|getObservation|getProvenance|openWeb|openStream)/.test(x.operationId))) {
    const wide = ['getHealth', 'getSources', 'getMetrics'].includes(o.operationId); // not about all symbols, or from loopback
    await ask(gateway, o.operationId, { headers: bearer('part'), want: wide ? 200 : 403 });
    if (o.method === 'post') await ask(gateway, o.operationId, { headers: { ...admin, Origin: 'https://evil.example' }, want: 403 });
  }
  const proxied = { ...bearer('viewer'), 'X-Forwarded-For': '192.0.2.1' };
  await ask(gateway, 'getMetrics', { headers: proxied, want: 403 });
  await ask(gateway, 'getMetrics', { headers: { ...proxied, Authorization: 'Bearer x' }, want: 401 });
  await ask(gateway, 'resetCircuit', { values: { provider: 'nobody' }, headers: admin, want: 404 });
  await ask(gateway, 'closeClient', { want: 401 });
  await ask(gateway, 'closeClient', { headers: bearer('analyst'), want: 403 });
  await ask(gateway, 'closeClient', { headers: admin, want: 404 });
  assert.equal((await gateway.get('/none')).status, 404);
  assert.equal((await gateway.get('/api/v1/quotes', { method: 'OPTIONS', headers: { Origin: 'https://desk.example', 'Access-Control-Request-Method': 'GET' } })).status, 204);

  // The stream and the WebSocket.
  await ask(gateway, 'openStream', { want: 401 });
  await ask(gateway, 'openStream', { values: { symbols: null }, headers: admin, want: 400 });
  await ask(gateway, 'openStream', { values: { symbols: 'tea' }, headers: bearer('part'), want: 403 });
  await ask(gateway, 'openStream', { values: { symbols: 'FOO' }, headers: admin, want: 404 });
  const upgrade = {
    Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  await ask(gateway, 'openWebSocket', { want: 426 });
  await ask(gateway, 'openWebSocket', { headers: { ...upgrade, 'Sec-WebSocket-Key': 'x' }, want: 400 });
  await ask(gateway, 'openWebSocket', { headers: { ...upgrade, 'Sec-WebSocket-Version': '8' }, want: 426 });
  await ask(gateway, 'openWebSocket', { headers: { ...upgrade, ...bearer('nobody') }, want: 401 });
  await ask(gateway, 'openWebSocket', { headers: { ...upgrade, Origin: 'https://evil.example' }, want: 403 });
  const client = await connectWs(gateway.wsUrl, { headers: admin });
  t.after(() => client.terminate());
  met.add('openWebSocket 101');

  // Who is connected, and no longer.
  await ask(gateway, 'getClients', { headers: admin, want: 200 });
  await ask(gateway, 'closeClient', { values: { session: client.welcome.session }, headers: admin, want: 200 });
  assert.deepEqual(await within(client.closed, 'the close'), { code: 1008, reason: 'admin' });

  // Other configurations.
  const reload = async (config, want) => {
    writeFileSync(gateway.file, typeof config === 'string' ? config : JSON.stringify({ ...gateway.config, ...config }));
    return ask(gateway, 'reload', { headers: admin, want });
  };
  await reload('{"listen":{"port":"x"}}', 422);
  const another = await connectWs(gateway.wsUrl, { headers: admin });
  t.after(() => another.terminate());
  for (const [limits, code] of [[{ connections_per_ip: 1 }, 429], [{ connections: 1 }, 503]]) {
    await reload({ limits }, 200);
    await ask(gateway, 'openWebSocket', { headers: { ...upgrade, ...admin }, want: code });
    await ask(gateway, 'openStream', { values: { symbols: '*' }, headers: admin, want: code });
  }
});

test('the stream is one', async (t) => {
  const { gateway } = await openScene(t);
  const [o, events] = [operation('openStream'), []];
  const channel = asyncapi.channels.events;
  const response = await new Promise((resolve, reject) => {
    http.get(`${gateway.url}/api/v1/stream?symbols=*`, { headers: bearer('viewer'), agent: false }, resolve).on('error', reject);
  });
  t.after(() => response.destroy());
  assert.equal(response.statusCode, 200);
  assert.ok(o.responses['200'].content[response.headers['content-type']]);
  met.add('openStream 200');
  let rest = '';
  response.setEncoding('utf8').on('error', () => {}).on('data', (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    events.push(...blocks.filter((b) => b !== ':' && !/^retry: \d+$/.test(b)));
  });
  const kind = (name) => events.filter((e) => e.includes(`\nevent: ${name}\n`));
  const messages = Object.values(channel.messages).map((m) => contract.at('asyncapi.json', m.$ref));
  await until(() => messages.every((m) => kind(m.name).length > 0), 'an event of each kind', 20_000);
  for (const text of events) {
    const lines = Object.fromEntries(text.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
    const message = messages.find((m) => m.name === lines.event) ?? assert.fail(text);
    contract.checkRef('asyncapi.json', message.headers.$ref, { id: lines.id, event: lines.event }, 'the lines of an event');
    contract.checkRef('asyncapi.json', message.payload.$ref, JSON.parse(lines.data), `an event ${lines.event}`);
  }
});

test('not ready while it drains', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  const { gateway } = await scene(t, { config: { listen: { metrics_port: port }, drain_s: 60, instruments: [external('tea')] } });
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  const url = `http://127.0.0.1:${port}`;
  for (const id of ['getHealthz', 'getReadyz', 'getMetrics']) await ask(gateway, id, { url, want: 200 });
  client.socket.pause(); // it answers no close: it keeps the drain going
  gateway.signal('SIGTERM');
  await until(async () => (await request(url, { path: '/readyz' })).status === 503, 'draining');
  await ask(gateway, 'getReadyz', { url, want: 503 });
  client.terminate();
  await gateway.exited;
});

test('a refresh that takes too long says so', { skip: !long && 'it takes 25 s (./dev test --long)', timeout: 60_000 }, async (t) => {
  const { gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'KC=F', { kind: 'hang' }),
    config: { limits: { upstream_ms: 60_000 }, instruments: [instrument('coffee', [['yahoo', 'KC=F']], { poll_ms: 600_000 })] },
  });
  const { json } = await ask(gateway, 'refreshMarket', { want: 200 });
  assert.equal(json.operations.market.status, 'running');
  assert.equal(json.errors[0].symbol, null);
});

// --- messages ---

const messageOf = (channel, match) => {
  const [name, ref] = Object.entries(asyncapi.channels[channel].messages).find(([, m]) => match(contract.at('asyncapi.json', m.$ref), contract.at('asyncapi.json', contract.at('asyncapi.json', m.$ref).payload.$ref))) ?? [];
  return name && { name, ...contract.at('asyncapi.json', ref.$ref) };
};
const received = new Set();

/** All that came to a client fits. */
function checkMessages(client) {
  for (const message of client.messages) {
    const known = messageOf('ws', (m, schema) => schema.properties.type?.const === message.type) ?? assert.fail(`${message.type} is not documented`);
    contract.checkRef('asyncapi.json', known.payload.$ref, { ...message }, `a ${message.type}`);
    received.add(known.name);
  }
}

test('every command is understood, every message comes', { timeout: 120_000 }, async (t) => {
  const { gateway, redis } = await openScene(t);
  const clients = [];
  const connect = async (options) => {
    const client = await connectWs(gateway.wsUrl, options);
    clients.push(client);
    t.after(() => client.terminate());
    return client;
  };

  // Each example of each command, and the answer that is documented.
  const analyst = await connect({ headers: bearer('analyst') });
  for (const o of Object.values(asyncapi.operations).filter((x) => x.reply)) {
    const command = contract.at('asyncapi.json', contract.at('asyncapi.json', o.messages[0].$ref).$ref);
    const answers = o.reply.messages.map((m) => contract.at('asyncapi.json', contract.at('asyncapi.json', m.$ref).$ref).name);
    for (const [i, { payload }] of command.examples.entries()) {
      const id = payload.id === undefined ? undefined : `${command.name} ${i}`;
      const token = command.name === 'auth' ? { token: 'analyst-token' } : {};
      const said = { ...payload, ...token, ...(id && { id }) };
      contract.checkRef('asyncapi.json', command.payload.$ref, said, command.name);
      analyst.send(said);
      const answer = await analyst.next((m) => (id ? m.id === id : answers.includes(m.type)), 10_000, `an answer to ${command.name}`);
      assert.equal(answer.type, answers[0], JSON.stringify(answer));
    }
    // Without the role it is refused.
    if (o['x-role'] === 'none') continue;
    const below = { viewer: {}, analyst: { headers: bearer('viewer') } }[o['x-role']];
    const other = await connect(below);
    other.send({ ...command.examples[0].payload, id: 'refused' });
    const refused = await other.next((m) => m.id === 'refused');
    assert.equal(refused.error, o['x-role'] === 'viewer' ? 'auth_required' : 'forbidden');
  }

  // Errors of every code but 500, which needs a lack of memory.
  const codes = () => new Set(clients.flatMap((c) => c.messages).filter((m) => m.type === 'error').map((m) => m.code));
  analyst.send('no JSON');
  analyst.send({ action: 'auth', token: 'wrong' });
  analyst.send({ action: 'refresh', symbols: ['FOO'] });
  analyst.send({ action: 'subscribe', symbols: ['FOO', 'coffee'] });
  const hasty = await connect({ headers: bearer('viewer') });
  for (let i = 0; i < 250; i++) hasty.send({ action: 'heartbeat' });
  await until(() => [400, 401, 402, 403, 404, 429].every((c) => codes().has(c)), 'an error of each code');

  // Values, statuses, and what a refresh says of a source that fails.
  analyst.send({ action: 'subscribe', symbols: ['*'] });
  await analyst.nextQuote('coffee', (q, m) => m.snapshot);
  await analyst.nextObservation('weather/sul-de-minas');
  await analyst.next((m) => m.type === 'status');
  analyst.send({ action: 'refresh', symbols: ['wool'], id: 'wool' });
  assert.equal((await analyst.next((m) => m.id === 'wool')).rejected.length, 1);
  const quiet = await connect({ headers: bearer('viewer') });
  await quiet.nextType('heartbeat');

  // What other programs publish, as in the examples.
  for (const [name, symbol] of [['fedQuote', 'coffee'], ['fedObservation', 'oil']]) {
    for (const [i, { payload }] of asyncapi.components.messages[name].examples.entries()) {
      const text = JSON.stringify({ ...payload, ts: Date.now() + 3000, mark: `${name} ${i}` });
      await redis.command('PUBLISH', `${symbol}:${name === 'fedQuote' ? 'price' : 'observation'}:stream`, text);
      await analyst.next((m) => m.text.includes(text), 5000, text);
    }
  }
  // These have members of their own, so the frames that carry them are not held against the closed form.
  analyst.messages = analyst.messages.filter((m) => !m.text.includes('"mark"'));

  // A slow one.
  const slow = await connect({ headers: bearer('viewer') });
  slow.send({ action: 'subscribe', symbols: ['tea'] });
  await slow.nextType('subscribed');
  slow.socket.pause();
  const note = 'x'.repeat(3500);
  const feed = () => redis.command('PUBLISH', 'tea:price:stream', `{"symbol":"tea","price":1.5,"ts":${Date.now()},"source":"${note}"}`);
  await until(async () => {
    await Promise.all(Array.from({ length: 200 }, feed));
    return (await gateway.metric('pricegate_conflated_total{cause="slow"}')) > 0;
  }, 'a slow client is conflated', 30_000, 0);
  slow.socket.resume();
  await slow.nextType('flow', 15_000);

  // Unasked: a new configuration, and a token for some symbols only.
  const change = async (instruments) => {
    writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, instruments }));
    assert.equal((await gateway.post('/admin/reload', { headers: bearer('admin') })).status, 200);
  };
  await change([...gateway.config.instruments, external('EUR/GBP')]);
  assert.deepEqual((await analyst.next((m) => m.type === 'subscribed' && m.id === undefined && m.symbols.includes('EUR/GBP'))).symbols, ['EUR/GBP']);
  await change(gateway.config.instruments);
  assert.deepEqual((await analyst.next((m) => m.type === 'unsubscribed' && m.id === undefined)).symbols, ['EUR/GBP']);

  gateway.signal('SIGTERM');
  await analyst.nextType('goaway');
  assert.equal((await within(analyst.closed, 'the close')).code, 1001);
  await gateway.exited;
  clients.forEach(checkMessages);
  const types = Object.values(asyncapi.operations).filter((o) => o.action === 'send' && o.channel.$ref === '#/channels/ws')
    .flatMap((o) => o.messages.map((m) => contract.at('asyncapi.json', contract.at('asyncapi.json', m.$ref).$ref).name));
  const replies = Object.values(asyncapi.operations).flatMap((o) => (o.reply?.messages ?? []).map((m) => m.$ref.split('/').at(-1)));
  assert.deepEqual([...new Set([...types, ...replies])].sort(), [...received].sort(), 'each message was met');
});

test('commands that the program takes fit, those that it refuses do not', () => {
  const schemas = asyncapi.operations;
  const fits = (command) => {
    const known = Object.values(schemas).filter((o) => o.reply).map((o) => contract.at('asyncapi.json', contract.at('asyncapi.json', o.messages[0].$ref).$ref));
    return known.some((m) => contract.isOpen('asyncapi.json', m.payload.$ref, command));
  };
  // Of both the protocol's tests ask the program itself.
  for (const text of rightMessages) assert.ok(fits(JSON.parse(text)), text);
  for (const text of wrongMembers) assert.ok(!fits(JSON.parse(text)), text);
});

test('a connection without a token is closed with the code that is documented', async (t) => {
  const { gateway } = await scene(t, { config: { ...market(), instruments: [external('tea')], observations: [], limits: { auth_ms: 1000 } } });
  const client = new WsClient(gateway.wsUrl);
  t.after(() => client.terminate());
  const { code, reason } = await within(client.closed, 'the close');
  const row = asyncapi.channels.ws['x-close-codes'].find((c) => c.code === code);
  assert.equal(row.reason, reason);
  assert.equal(row.reason, 'auth');
});

// --- Redis ---

test('what is in Redis', { timeout: 60_000 }, async (t) => {
  const redis = await startRedis();
  const filled = { '{symbol}': 'coffee', '{name}': 'weather/sul-de-minas', '{provider}': 'fred' };
  const places = Object.entries(asyncapi.channels).filter(([, c]) => c.servers[0].$ref === '#/servers/redis')
    .map(([name, c]) => ({ name, at: c.address.replace(/\{\w+\}/g, (p) => filled[p]), isKey: c.description.startsWith('A key') }));
  // What wool and gas have no value for is said once, at the start.
  const states = { quoteStatus: 'wool:price:status', observationStatus: 'gas:observation:status' };
  for (const p of places) p.at = states[p.name] ?? p.at;
  const heard = await redis.subscribe(...places.filter((p) => !p.isKey).map((p) => p.at));
  const { gateway } = await openScene(t, { redis, config: { breaker: { threshold: 3, timeout_s: 600 } } });
  assert.equal((await gateway.post('/data-health/refresh-all', { headers: bearer('admin') })).status, 200);

  await until(async () => {
    const { json } = await ask(gateway, 'getProvenance', { values: { symbol: 'wool' }, headers: bearer('admin'), want: 200 });
    return json.sources[0].skipped;
  }, 'the failing source is left alone');

  const own = (name) => Object.values(asyncapi.operations).filter((o) => o.action === 'send' && o.channel.$ref === `#/channels/${name}`)
    .flatMap((o) => o.messages.map((m) => contract.at('asyncapi.json', contract.at('asyncapi.json', m.$ref).$ref)));
  for (const { name, at, isKey } of places) {
    const [message] = own(name);
    assert.ok(message, name);
    if (isKey) {
      const text = await until(() => redis.command('GET', at), `the key ${at}`, 20_000);
      contract.checkRef('asyncapi.json', message.payload.$ref, JSON.parse(text), at);
      assert.ok((await redis.command('TTL', at)) > 0, `${at} has a TTL`);
    } else {
      const { text } = await heard.next((m) => m.channel === at, 20_000);
      contract.checkRef('asyncapi.json', message.payload.$ref, JSON.parse(text), at);
    }
  }
});

// --- all of it ---

test('all that is documented was met', () => {
  const wanted = operations.flatMap((o) => Object.keys(o.responses).filter((s) => s !== 'default').map((s) => `${o.operationId} ${s}`));
  assert.deepEqual(wanted.filter((w) => !met.has(w)), [], 'answers that were not had');
  // The members of items are held against the encoders by test_contract.c; what others publish is theirs.
  const missed = contract.neverSeen(/^(QuoteMembers|ObservationMembers|FedQuote|FedObservation)$/);
  assert.deepEqual(missed, [], 'members that nothing had');
});

test('the command lines of the page work', { skip: spawnSync('curl', ['--version']).error && 'curl is not installed' }, async (t) => {
  const { gateway } = await openScene(t);
  const run = promisify(execFile);
  const examples = (o) => Object.fromEntries(o.parameters.filter((p) => p.in !== 'header').map((p) => [p.name, p.example]));
  for (const o of new Contract({ openapi, asyncapi }).routes().flatMap((tag) => tag.operations)) {
    if (o.method !== 'GET' || o.path === '/ws' || o.path === '/api/v1/stream') continue;
    const line = commandLine(o, { ...examples(o), file: 'docs/main.js' }, `${gateway.url}/`, o.role !== 'none');
    const { stdout } = await run('sh', ['-c', `${line} -o /dev/null -w '%{http_code}'`], { env: { ...process.env, TOKEN: 'admin-token' } });
    assert.equal(stdout, o.id === 'getDocsFolder' ? '308' : '200', line);
  }
  const quote = { path: '/api/v1/quotes', method: 'GET', role: 'viewer', anonymous: true, parameters: [{ name: 'symbols', in: 'query' }, { name: 'If-None-Match', in: 'header' }] };
  assert.equal(commandLine(quote, { symbols: "a'b;c,EUR/USD", 'If-None-Match': '"x"' }, 'http://h/'), `curl -sS -H 'If-None-Match: "x"' 'http://h/api/v1/quotes?symbols=a'\\''b%3Bc,EUR/USD'`);
});

test('they are served as they are', async (t) => {
  const { gateway } = await scene(t, { config: { instruments: [external('tea')] } });
  for (const name of ['openapi.json', 'asyncapi.json']) {
    const answer = await gateway.get(`/${name}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.body, file(name));
  }
  assert.match((await gateway.get('/')).body, /<a href="docs">/, 'the dashboard leads there');
  const page = await gateway.get('/docs');
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.equal(page.body, file('docs/index.html'));
  for (const [, path] of page.body.matchAll(/(?:src|href)="([\w./]+\.\w+)"/g)) assert.equal((await gateway.get(`/${path}`)).status, 200, path);
});
