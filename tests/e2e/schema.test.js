// The JSON Schema against the same files that tests/unit/base/test_config_cases.c holds against the
// program: what `pricegate check` accepts, the schema accepts; what it refuses, the schema refuses,
// but for the cases of beyond_schema.txt, which no schema can see (symbols used twice, names of
// providers, variables that are not set ...). Those the schema must accept, so that the list cannot
// hide a schema that is too strict.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';

const root = new URL('../../', import.meta.url);
const cases = new URL('tests/unit/base/config_cases/', root);
const read = (url) => readFileSync(url, 'utf8');

const schema = JSON.parse(read(new URL('gateway/config/pricegate.schema.json', root)));
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
const beyond = new Set(read(new URL('beyond_schema.txt', cases)).trim().split('\n'));

function verdict(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { valid: false, why: error.message };
  }
  return { valid: validate(value), why: JSON.stringify(validate.errors) };
}

const names = readdirSync(cases).filter((f) => f.endsWith('.json')).map((f) => f.slice(0, -5));

test('there are cases of both kinds', () => {
  const refused = names.filter((n) => existsSync(new URL(`${n}.problems`, cases)));
  assert.ok(refused.length >= 40 && names.length - refused.length >= 20);
});

test('beyond_schema.txt names only cases that the program refuses', () => {
  for (const name of beyond) assert.ok(existsSync(new URL(`${name}.problems`, cases)), name);
});

for (const name of names) {
  test(`schema and program agree on ${name}`, () => {
    const accepted = !existsSync(new URL(`${name}.problems`, cases));
    const { valid, why } = verdict(read(new URL(`${name}.json`, cases)));
    assert.equal(valid, accepted || beyond.has(name), why);
  });
}

for (const file of ['default.json', 'demo.json']) {
  test(`the shipped ${file} fits the schema`, () => {
    const { valid, why } = verdict(read(new URL(`gateway/config/${file}`, root)));
    assert.ok(valid, why);
  });
}
