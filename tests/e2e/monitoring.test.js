// docker/grafana and docker/prometheus: whatever the dashboard and the alerts ask for is what the program
// measures, under these names and labels. Whether the alerts speak at the right values is for promtool; a
// real Prometheus draws the dashboard's figures from the running program in the long test. (What Grafana
// draws of them is not looked at here.)

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runCommand } from '../support/gateway.js';
import { missing, startPrometheus } from '../support/prometheus.js';
import { chosen, parseQuery, samples } from '../support/promql.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { ok, status } from '../support/upstream.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';

const folder = fileURLToPath(new URL('../../docker/', import.meta.url));
const read = (name) => readFileSync(join(folder, name), 'utf8');
const dashboard = JSON.parse(read('grafana/pricegate.json'));
const panels = dashboard.panels.filter((p) => p.type !== 'row');
const queries = panels.flatMap((p) => p.targets.map((target) => ({ title: p.title, legend: target.legendFormat ?? '', query: target.expr })));

// One line each, so that they can be read here without a reader of YAML.
const alerts = read('prometheus/alerts.yml').split('- alert: ').slice(1).map((text) => ({
  title: text.split('\n')[0],
  query: /^ +expr: (.+)$/m.exec(text)?.[1],
  severity: /^ +severity: (critical|warning)$/m.exec(text)?.[1],
  summary: /^ +summary: "(.+)"$/m.exec(text)?.[1],
}));

const KEY = 'monitoring-key-of-the-tests';
const bearer = { authorization: `Bearer ${KEY}` };
const ca = testCerts().pem.ca;

/** A gateway that has something to say about everything: TLS, limits, a job that ran, prices and none. */
async function watched(t, { listen = {} } = {}) {
  let price = 2;
  const made = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', '*', () => ok({ price: (price += 0.001).toFixed(3), market: 'open' }));
    },
    providers: { twelvedata: { credits_per_minute: 100_000, credits_per_day: 1_000_000 } },
    config: {
      listen: { tls: { cert: testCerts().cert, key: testCerts().key }, ...listen },
      auth: { keys: [{ name: 'prometheus', role: 'analyst', sha256: createHash('sha256').update(KEY).digest('hex') }] },
      instruments: [instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']]), external('tea')],
    },
  });
  const { gateway } = made;
  await until(async () => (await gateway.get('/api/v1/quotes/coffee', { ca, headers: bearer })).status === 200, 'a price');
  assert.equal((await gateway.post('/data-health/refresh-market', { ca, headers: bearer })).status, 200);
  return { ...made, metrics: async () => samples((await gateway.get('/metrics', { ca, headers: bearer })).body) };
}

const OF_PROMETHEUS = ['job', 'instance'];
const VARIABLES = { $job: 'pricegate', $instance: '.+', $symbol: '.+', $__rate_interval: '10s', $__range: '1m' };
const filled = (query) => query.replace(/\$\w+/g, (name) => VARIABLES[name] ?? assert.fail(`who is ${name}?`));

test('all that dashboard and alerts ask for is measured', async (t) => {
  const { metrics } = await watched(t);
  const all = await metrics();
  for (const { title, query, legend = '', summary = '' } of [...queries, ...alerts]) {
    const { selectors, grouped } = parseQuery(filled(query));
    assert.ok(selectors.length > 0, `${title}: ${query} asks for nothing`);
    const labels = new Set(OF_PROMETHEUS);
    for (const { name, matchers } of selectors) {
      if (name === 'up') continue; // Prometheus' own
      const own = matchers.filter((m) => !OF_PROMETHEUS.includes(m.label));
      const found = all.filter((s) => s.name === name && chosen(s, own) && own.every((m) => m.label in s.labels));
      assert.ok(found.length > 0, `${title}: nothing is ${name}${JSON.stringify(own)}`);
      Object.keys(found[0].labels).forEach((label) => labels.add(label));
    }
    const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g), ...summary.matchAll(/\$labels\.(\w+)/g)].map((m) => m[1]);
    for (const label of [...grouped, ...shown]) assert.ok(labels.has(label), `${title}: no label ${label} in ${query}`);
  }
});

test('the figures are those of the program', async (t) => {
  const began = Date.now();
  const { gateway, metrics } = await watched(t);
  const all = await metrics();
  const value = (name, labels = {}) =>
    all.find((s) => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v))?.value;
  const ends = Date.parse(new X509Certificate(testCerts().pem.cert).validTo) / 1000;
  assert.equal(value('pricegate_certificate_expires_timestamp_seconds'), ends);
  const state = (symbol) => [value('pricegate_quote_state', { symbol }), value('pricegate_market_state', { symbol })];
  assert.deepEqual(state('coffee'), [0, 1]);
  assert.deepEqual(state('tea'), [4, 0]);
  assert.equal(value('pricegate_quote_age_seconds', { symbol: 'tea' }), undefined, 'there is nothing that has an age');
  assert.equal(value('pricegate_job_runs_total', { name: 'market', result: 'success' }), 1);
  const credits = (name) => value(`pricegate_provider_window_credits_${name}`, { provider: 'twelvedata', window: 'day' });
  assert.equal(credits('limit'), 1_000_000);
  const asked = all.filter((s) => s.name === 'pricegate_provider_requests_total' && s.labels.provider === 'twelvedata')
    .reduce((sum, s) => sum + s.value, 0);
  assert.ok(credits('left') < 1_000_000 && credits('left') >= 1_000_000 - asked - 5, `${credits('left')} after ${asked}`);
  assert.equal(value('pricegate_provider_in_use', { provider: 'ecb' }), 0);

  const started = value('process_start_time_seconds');
  assert.ok(started > began / 1000 - 1 && started < Date.now() / 1000 + 1, `started at ${started}`);
  assert.equal(value('process_max_fds'), Number(/^Max open files +(\d+)/m.exec(readFileSync(`/proc/${gateway.pid}/limits`, 'utf8'))[1]));
  const { stdout } = await runCommand(['--version']);
  assert.equal(all.find((s) => s.name === 'pricegate_build_info').labels.version, stdout.trim().split(' ')[1]);

  // Another configuration: a limit that is gone is shown no longer.
  const { twelvedata, ...others } = gateway.config.providers;
  writeFileSync(gateway.file, JSON.stringify({
    ...gateway.config, providers: { ...others, twelvedata: { ...twelvedata, credits_per_day: 0 } },
  }));
  gateway.signal('SIGHUP');
  const windows = async () => (await metrics())
    .filter((s) => s.name === 'pricegate_provider_window_credits_limit' && s.labels.provider === 'twelvedata').map((s) => s.labels.window);
  await until(async () => (await windows()).join() === 'minute', 'no limit of a day any more');
});

// What PricegateAllSourcesDown and PricegateBreakerOpen look for, as the program says it; both count trials (1).
test('when all sources that are needed fail, every breaker in use says so, whatever the others say', async (t) => {
  const { gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', '*', status(500)),
    config: { breaker: { threshold: 1, timeout_s: 60 }, instruments: [instrument('coffee', [['yahoo', 'KC=F'], ['finnhub', 'AAPL']])] },
  });
  const breakers = async () => {
    const all = samples((await gateway.get('/metrics')).body);
    const of = (name) => all.filter((s) => s.name === name);
    const used = new Set(of('pricegate_provider_in_use').filter((s) => s.value === 1).map((s) => s.labels.provider));
    return of('pricegate_breaker_state').map((s) => [s.labels.provider, used.has(s.labels.provider), s.value]);
  };
  const down = await until(async () => {
    const all = await breakers();
    return all.some(([name, , value]) => name === 'yahoo' && value > 0) && all;
  }, 'the breaker opens');
  assert.deepEqual(down.filter(([, used]) => used).sort(), [['finnhub', true, 3], ['yahoo', true, 2]]); // finnhub has no key
  assert.ok(down.some(([, used, value]) => !used && value === 0), 'others are well, but nobody needs them');
});

test('every panel says in words what it shows, in a unit, of the chosen gateways', () => {
  const { templating } = dashboard;
  const variables = templating.list.map((v) => v.name);
  assert.deepEqual(variables, ['datasource', 'job', 'instance', 'symbol']);
  const ids = dashboard.panels.map((p) => p.id);
  assert.equal(new Set(ids).size, ids.length);
  const taken = new Set();
  for (const { title, description, datasource, gridPos, targets, fieldConfig } of panels) {
    assert.match(description ?? '', /^[A-Z].{20,}\.$/, title);
    assert.ok(fieldConfig.defaults.unit || fieldConfig.defaults.mappings, `${title}: no unit`);
    for (const source of [datasource, ...targets.map((x) => x.datasource)]) assert.deepEqual(source, { type: 'prometheus', uid: '${datasource}' }, title);
    for (const { name, matchers } of targets.flatMap((x) => parseQuery(x.expr).selectors)) {
      for (const label of OF_PROMETHEUS) {
        assert.ok(matchers.some((m) => m.label === label && m.operator === '=~' && m.value === `$${label}`), `${title}: ${name} of all ${label}s`);
      }
    }
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x},${y}`), `${title} lies on another one`);
        taken.add(`${x},${y}`);
      }
    }
  }
  const rows = dashboard.panels.filter((p) => p.type === 'row').length;
  const height = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
  assert.equal(taken.size, 24 * (height - rows), 'no hole between them');
});

test('Grafana is given the data source, and the folder of the dashboard', () => {
  assert.match(read('grafana/provisioning/datasources/prometheus.yaml'), /^ +type: prometheus$/m);
  const interval = (name, member) => new RegExp(`^ +${member}: (\\w+)`, 'm').exec(read(name))?.[1];
  assert.equal(interval('grafana/provisioning/datasources/prometheus.yaml', 'timeInterval'), interval('prometheus/prometheus.yml', 'scrape_interval'));
  assert.match(read('grafana/provisioning/dashboards/pricegate.yaml'), /^ +path: \/\S+$/m);
});

test('every alert says what to do, and has its cases', () => {
  const cases = read('prometheus/alerts.test.yml');
  assert.equal(alerts.length, read('prometheus/alerts.yml').match(/^ +expr:/gm).length);
  for (const { title, query, severity, summary } of alerts) {
    assert.ok(query && severity, title);
    assert.match(summary ?? '', /\{\{ \$labels\.instance \}\}.*[.:] .*\b(?:[Ss]ee|[Rr]ead|[Pp]ut|says|point)\b/, `${title}: where, and what to do?`);
    const said = [...cases.matchAll(new RegExp(`alertname: ${title}\\n +exp_alerts:(.*)`, 'g'))].map((m) => m[1].trim());
    assert.ok(said.includes('') && said.includes('[]'), `${title}: a case in which it speaks and one in which it does not`);
  }
});

test('promtool: configuration and rules are right, the alerts speak when they should', { skip: missing('promtool') }, () => {
  const promtool = (...args) => {
    try {
      return execFileSync('promtool', args, { cwd: join(folder, 'prometheus'), stdio: ['ignore', 'pipe', 'pipe'] }).toString();
    } catch (error) {
      throw new Error(`promtool ${args.join(' ')}: ${error.stdout}${error.stderr}`);
    }
  };
  assert.match(promtool('check', 'config', 'prometheus.yml'), new RegExp(`SUCCESS: ${alerts.length} rules found`));
  assert.match(promtool('test', 'rules', 'alerts.test.yml'), /SUCCESS/);
});

/** The two jobs of docker/prometheus/prometheus.yml, both in use: the second is a comment there. */
function bothJobs({ port, metricsPort, files }) {
  const text = read('prometheus/prometheus.yml');
  const start = text.indexOf('  # - job_name: pricegate\n');
  assert.ok(start > 0);
  const second = text.slice(start).replace(/^ {2}# /gm, '  ');
  const used = (text.slice(0, start) + second.replace('job_name: pricegate', 'job_name: by-token')).replace(/: 15s$/gm, ': 1s');
  return used.replace('pricegate:9180', `127.0.0.1:${metricsPort}`).replace('pricegate:8443', `127.0.0.1:${port}`)
    .replace('pricegate.token', files.token).replace('ca.pem', files.ca);
}

const left = process.env.LONG ? missing('prometheus') : 'a minute and a real Prometheus: LONG=1 (./dev test --long)';
test('a real Prometheus scrapes the program and answers every query with data', { skip: left }, async (t) => {
  const metricsPort = await freePort();
  const { gateway, connect } = await watched(t, { listen: { metrics_port: metricsPort } });
  const client = await connect({ ca, headers: bearer });
  client.send({ action: 'subscribe', symbols: ['*'] });
  await client.nextQuote('coffee');

  const secrets = temporaryFolder();
  t.after(() => secrets.remove());
  const files = { token: join(secrets.path, 'token'), ca: testCerts().ca };
  writeFileSync(files.token, KEY);
  const config = bothJobs({ port: gateway.port, metricsPort, files });
  const prometheus = await startPrometheus(t, config, { files: { 'alerts.yml': read('prometheus/alerts.yml') } });
  await until(async () => {
    const targets = await prometheus.targets();
    const wrong = targets.find((x) => x.lastError);
    assert.ok(!wrong, wrong?.lastError);
    return targets.length === 2 && targets.every((x) => x.health === 'up');
  }, 'both ways to /metrics work', 30_000);

  const open = new Map(queries.map((q) => [q.query, q.title]));
  // The job's first run is over before anybody has looked: its counter grows while Prometheus does.
  await until(async () => (await gateway.post('/data-health/refresh-market', { ca, headers: bearer })).json.status === 'success', 'another run');
  await until(async () => {
    for (const query of open.keys()) {
      const result = await prometheus.query(filled(query));
      if (result.length > 0 && result.every((r) => Number.isFinite(r.value))) open.delete(query);
    }
    assert.equal(open.size, 0, `none for ${[...open.values()].join(', ')}`);
    return true;
  }, 'data for every query', 60_000, 500);
  t.diagnostic(`${queries.length} queries answered with data`);

  const figure = async (title) => (await prometheus.query(filled(queries.find((q) => q.title === title).query)))[0].value;
  assert.equal(await figure('Connections'), 1);
  assert.equal(await figure('Not answering'), 0);
  assert.equal(await figure('Stale symbols'), 1); // tea
  assert.ok((await figure('Certificate')) > 0 && (await figure('Certificate')) < 2 * 86_400);
  assert.ok((await figure('Deliveries')) > 0);

  // Two alerts have a reason, and wait until it has lasted.
  const active = (all) => all.filter((r) => r.alerts.length > 0).map((r) => r.name);
  const expected = ['PricegateStale', 'PricegateCertificateExpires'];
  const rules = await until(async () => {
    const all = await prometheus.rules();
    return expected.every((name) => active(all).includes(name)) && all;
  }, `${expected} wait`, 30_000);
  assert.equal(rules.length, alerts.length);
  for (const rule of rules) assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`);
  for (const name of ['PricegateDown', 'PricegateAllSourcesDown', 'PricegateBusDown', 'PricegateCreditsLow']) {
    assert.ok(!active(rules).includes(name), name);
  }
});
