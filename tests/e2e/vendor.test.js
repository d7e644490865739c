// What is in web/vendor/ is what its npm package holds, byte for byte, with its licence, and is served.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { external } from '../support/scene.js';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
const PACKAGE = 'node_modules/lightweight-charts';
const NAME = '../web/vendor/lightweight-charts';

test('the chart library is the one of its package, of one exact version, with licence and notice', async (t) => {
  const wanted = JSON.parse(read('package.json')).devDependencies['lightweight-charts'];
  const { version, license } = JSON.parse(read(`${PACKAGE}/package.json`));
  assert.equal(version, wanted, 'an exact version');
  assert.equal(license, 'Apache-2.0');
  const library = read(`${NAME}.js`);
  assert.ok(library.equals(read(`${PACKAGE}/dist/lightweight-charts.standalone.production.mjs`)), 'other bytes');
  assert.ok(read(`${NAME}.LICENSE.txt`).equals(read(`${PACKAGE}/LICENSE`)));
  const notice = read(`${NAME}.NOTICE.txt`).toString();
  assert.match(notice, /^TradingView Lightweight Charts.*\nCopyright .* TradingView, Inc\. https:\/\/www\.tradingview\.com\/\n/);
  assert.ok(notice.includes(`version ${version},`));

  const gateway = await startGateway({ instruments: [external('coffee')] });
  t.after(() => gateway.stop());
  for (const [suffix, type] of [['js', 'text/javascript'], ['LICENSE.txt', 'text/plain'], ['NOTICE.txt', 'text/plain']]) {
    const got = await gateway.get(`/vendor/lightweight-charts.${suffix}`);
    assert.equal(got.status, 200, suffix);
    assert.ok(got.headers['content-type'].startsWith(type));
    assert.equal(got.body, read(`${NAME}.${suffix}`).toString());
  }
});
