// The two documents of the contract, and what must fit them.
//
//   const contract = loadContract();
//   contract.check('openapi.json', 'Quote', value, 'what it is');   // throws when it does not fit
//   contract.neverSeen()                                            // documented members that nothing had
//
// In the documents objects are open: readers ignore members that they do not know. Here they are closed,
// so that a member which the program has and the documents have not is found. And each member that was
// met is noted, so that one which the documents have and the program has not is found, too.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import Ajv07 from 'ajv';

const read = (name) => JSON.parse(readFileSync(new URL(`../../web/${name}`, import.meta.url), 'utf8'));

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const formats = { decimal: { type: 'number', validate: Number.isFinite }, int64: { type: 'number', validate: Number.isSafeInteger }, 'date-time': RFC3339 };

const PREFIX = /^([a-z]+\.json)?#\/components\/schemas\//;

/** The schemas of a document as one schema. closed: no members but those that it names. */
function bundle(name, document, closed) {
  const change = (node, key) => {
    if (Array.isArray(node)) return node.map((n) => change(n));
    if (node === null || typeof node !== 'object') return key === '$ref' ? node.replace(PREFIX, '$1#/definitions/') : node;
    const made = Object.fromEntries(Object.entries(node).map(([k, v]) => [k, ['examples', 'enum', 'const'].includes(k) ? v : change(v, k)]));
    const isObject = made.properties && typeof made.properties === 'object' && made.type === 'object';
    if (closed && isObject && !('additionalProperties' in made)) made.additionalProperties = false;
    return made;
  };
  const schemas = Object.fromEntries(Object.entries(document.components.schemas).map(([k, v]) => [k, change(v)]));
  for (const key of ['FedQuote', 'FedObservation']) if (schemas[key]) schemas[key] = change({ ...document.components.schemas[key], additionalProperties: true });
  return { $id: name, definitions: schemas };
}

export function loadContract() {
  const documents = { 'openapi.json': read('openapi.json'), 'asyncapi.json': read('asyncapi.json') };
  const make = (Ajv, closed) => {
    const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true, allowUnionTypes: true, formats });
    for (const [name, document] of Object.entries(documents)) ajv.addSchema(bundle(name, document, closed));
    return ajv;
  };
  const closed = make(Ajv2020, true);
  // AsyncAPI's own schemas are of draft 7, OpenAPI's of 2020-12: ours must mean the same in both.
  const all = [closed, make(Ajv2020, false), make(Ajv07, false)];
  const bundles = Object.fromEntries(Object.entries(documents).map(([name, document]) => [name, bundle(name, document, false)]));
  const seen = new Set();

  const resolve = (at) => {
    let node = at;
    while (node.schema.$ref) {
      const [file, pointer] = node.schema.$ref.split('#');
      const name = file || node.name;
      const schema = pointer.slice(1).split('/').reduce((s, step) => s[step], bundles[name]);
      node = { name, pointer, schema };
    }
    return node;
  };
  const step = (at, ...keys) => resolve({
    name: at.name,
    pointer: `${at.pointer}/${keys.map((k) => String(k).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    schema: keys.reduce((s, k) => s[k], at.schema),
  });
  const fits = (at, value) => closed.getSchema(`${at.name}#${at.pointer}`)(value);

  /** Notes the members of a value that fits. */
  function note(at, value) {
    const { schema } = at;
    for (const i of (schema.allOf ?? []).keys()) note(step(at, 'allOf', i), value);
    const alternatives = [...(schema.anyOf ?? []).keys()].map((i) => step(at, 'anyOf', i));
    const chosen = alternatives.find((a) => fits(a, value));
    if (chosen) note(chosen, value);
    if (Array.isArray(value) && schema.items) for (const v of value) note(step(at, 'items'), v);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return;
    for (const [name, v] of Object.entries(value)) {
      if (schema.properties?.[name]) {
        seen.add(`${at.name}#${at.pointer}/properties/${name}`);
        note(step(at, 'properties', name), v);
      } else if (typeof schema.additionalProperties === 'object') {
        note(step(at, 'additionalProperties'), v);
      }
    }
  }

  const own = (name, ref) => (ref.startsWith('#') ? name + ref : ref).replace(PREFIX, '$1#/definitions/');

  /** ref: as the documents write it; name: of the document in which it stands. */
  function checkRef(name, ref, value, what) {
    const $ref = own(name, ref);
    for (const ajv of all) {
      const validate = ajv.getSchema($ref);
      if (validate(value)) continue;
      assert.fail(`${what} does not fit ${ref}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value).slice(0, 1500)}`);
    }
    note(resolve({ name, pointer: '', schema: { $ref } }), value);
  }

  /** Every documented member, as "openapi.json#/definitions/Quote/properties/price". */
  function members(at, found) {
    const { schema } = at;
    for (const name of Object.keys(schema.properties ?? {})) {
      found.add(`${at.name}#${at.pointer}/properties/${name}`);
      if (!schema.properties[name].$ref) members(step(at, 'properties', name), found);
    }
    for (const key of ['items', 'additionalProperties']) {
      if (schema[key] && typeof schema[key] === 'object' && !schema[key].$ref) members(step(at, key), found);
    }
    for (const key of ['allOf', 'anyOf']) {
      for (const [i, part] of (schema[key] ?? []).entries()) if (!part.$ref) members(step(at, key, i), found);
    }
    return found;
  }

  return {
    documents,
    openapi: documents['openapi.json'],
    asyncapi: documents['asyncapi.json'],
    check: (name, schema, value, what) => checkRef(name, `#/components/schemas/${schema}`, value, what),
    checkRef,
    /** Whether it fits the form that readers use, in which there may be other members. */
    isOpen: (name, ref, value) => all[1].getSchema(own(name, ref))(value),
    forget: () => seen.clear(),
    neverSeen(but = /^$/) {
      const found = new Set();
      for (const [name, { definitions }] of Object.entries(bundles)) {
        for (const key of Object.keys(definitions)) {
          if (!but.test(key)) members({ name, pointer: `/definitions/${key}`, schema: definitions[key] }, found);
        }
      }
      return [...found].filter((member) => !seen.has(member));
    },
    /** What a "$ref" of ours leads to. */
    at: (name, ref) => {
      const [file, pointer] = ref.split('#/');
      return pointer.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~')).reduce((n, s) => n?.[s], documents[file || name]);
    },
  };
}
