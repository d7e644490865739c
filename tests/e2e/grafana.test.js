// web/examples/grafana, without Grafana: what its data source and its dashboard ask for is there, where they
// look for it and of the kind that they expect. (What Grafana draws of it is not looked at here.)

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { examples } from '../support/example.js';
import { external, instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { until } from '../support/wait.js';

const source = readFileSync(join(examples, 'grafana/datasource.yaml'), 'utf8');
const dashboard = JSON.parse(readFileSync(join(examples, 'grafana/dashboard.json'), 'utf8'));
const setting = (name) => new RegExp(`^ +(?:- )?${name}: (\\S+)`, 'm').exec(source)?.[1];

/** What the plugin makes of a column; undefined: it would show nothing. */
const kinds = {
  string: (value) => value !== undefined,
  number: (value) => typeof value === 'number',
  timestamp_epoch: (value) => Math.abs(Date.now() - value) < 86_400_000, // ms, not s
};

test('the data source is that of the dashboard, and allows its own host', () => {
  const [uid, type, url] = ['uid', 'type', 'url'].map(setting);
  assert.match(source, /^apiVersion: 1$/m);
  assert.equal(setting('allowedHosts'), `[${url}]`);
  for (const panel of dashboard.panels) {
    for (const { datasource } of [panel, ...panel.targets]) assert.deepEqual(datasource, { type, uid }, panel.title);
  }
  const ids = dashboard.panels.map((p) => p.id);
  assert.equal(new Set(ids).size, ids.length);
});

test('every column is in the answer, of its type; every state has its colour', async (t) => {
  const { gateway } = await scene(t, {
    script: (u) => u.set('twelvedata', 'KC1', ok({ price: '2.943', prev_close: '2.910' })),
    config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']], { unit: 'USD/lb' }), external('tea')] },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  for (const panel of dashboard.panels) {
    for (const target of panel.targets) {
      assert.deepEqual([target.type, target.source, target.parser, target.url_options.method], ['json', 'url', 'backend', 'GET']);
      const answer = await gateway.get(target.url);
      assert.equal(answer.status, 200, target.url);
      const rows = target.root_selector.split('.').reduce((at, name) => at[name], answer.json);
      const coffee = rows.find((row) => row.symbol === 'coffee');
      for (const { selector, type } of target.columns) assert.ok(kinds[type](coffee[selector]), `${panel.title}: ${selector} is no ${type}`);
    }
    const shown = new Set(panel.targets.flatMap((target) => target.columns.map((c) => c.text)));
    for (const { matcher, properties } of panel.fieldConfig.overrides) {
      assert.ok(shown.has(matcher.options), `${panel.title}: no column ${matcher.options}`);
      const colours = properties.find((p) => p.id === 'mappings')?.value[0].options;
      if (colours) assert.deepEqual(Object.keys(colours).sort(), ['closed', 'delayed', 'live', 'stale', 'unavailable']);
    }
  }
});
