// README's "Operations" sends people to log events, metrics, routes, settings, alerts and commands: each is one that
// there is. The table of sizes is what its own rule says.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runCommand, startGateway } from '../support/gateway.js';
import { external } from '../support/scene.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const section = /^## Operations\n(.*?)^## /ms.exec(read('README.md'))[1];
const quoted = [...section.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`]+)`/g)].map(([, text]) => text);

test('every name is one that there is', async (t) => {
  const source = execFileSync('sh', ['-c', 'cat gateway/*.c gateway/*/*.c feeds/*.c'], { cwd: root, maxBuffer: 1 << 26 }).toString();
  const gateway = await startGateway({ instruments: [external('tea')] });
  t.after(() => gateway.stop());
  const exported = (await gateway.get('/metrics')).body;
  const schema = JSON.parse(read('gateway/config/pricegate.schema.json'));
  const routes = Object.keys(JSON.parse(read('web/openapi.json')).paths).map((path) => path.replace(/\{.*/, ''));
  const { stdout: help } = await runCommand(['--help']);
  const setting = (path) => path.split('.').reduce((at, name) => at?.properties?.[name] ?? at?.items?.properties?.[name], schema);
  const checks = read('gateway/doctor/doctor.c'); // the doctor's, named like settings
  const alerts = read('docker/prometheus/alerts.yml');
  const seen = { events: 0, metrics: 0, routes: 0, settings: 0, commands: 0 };
  // "log event `a`", "log events `a`, `b`"
  for (const [, list] of section.matchAll(/log events? ((?:`\w+`(?:, | and )?)+)/gi)) {
    for (const [, name] of list.matchAll(/`(?!pricegate_)(\w+)`/g)) {
      assert.match(source, new RegExp(`"${name}"`), `log event ${name}`);
      seen.events++;
    }
  }
  for (const text of quoted) {
    const metric = /^pricegate_\w+/.exec(text);
    if (metric) {
      assert.ok(exported.includes(metric[0]), text);
      for (const [, label] of text.matchAll(/\{(\w+)/g)) assert.ok(read('gateway/base/metrics.h').includes(`"${label}"`), text);
      seen.metrics++;
    }
    const route = /^(?:POST )?(\/(?:api|data-health|admin|readyz|whoami)[\w/-]*?)(?:[A-Z]+)?$/.exec(text);
    if (route) {
      assert.ok(routes.some((r) => r === route[1] || r === `${route[1]}/`), text);
      seen.routes++;
    }
    if (/^(?:listen|limits|fanout|quality|redis)\.[\w.]+$/.test(text)) {
      assert.ok(setting(text) || checks.includes(`{"${text}",`), text);
      seen.settings++;
    }
    const command = /^pricegate (\w+)/.exec(text);
    if (command) {
      assert.match(help, new RegExp(`^  pricegate \\[?${command[1]}\\b`, 'm'), text);
      seen.commands++;
    }
    if (/^Pricegate[A-Z]/.test(text)) assert.ok(alerts.includes(`alert: ${text}\n`), text);
  }
  t.diagnostic(JSON.stringify(seen));
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 3, `${what}: ${count}`);
});

test('the sizes are what the rule above them gives', () => {
  const [, plainUs, tlsUs, baseMb, plainKb, tlsKb] = /x ([\d.]+) µs \(([\d.]+) µs\) +memory = (\d+) MB \+ clients x (\d+) KB \((\d+) KB\)/.exec(section).map(Number);
  const rows = [...section.matchAll(/^\| ([\d,]+) \| (\d+) \| (\d+) % \/ (\d+) % \| (\d+) MB \/ ([\d.]+) (MB|GB) \| ([\d,]+) \| (\d+) \|$/gm)];
  assert.ok(rows.length >= 4);
  const near = (told, is, what) => assert.ok(Math.abs(told - is) <= Math.max(0.5, 0.05 * is), `${what}: ${told}, not ${is}`);
  for (const [line, ...columns] of rows) {
    const [clients, writes, plain, tls, mb, tlsMb, unit, files, processes] = columns.map((c) => (/^[GM]B$/.test(c) ? c : Number(c.replaceAll(',', ''))));
    near(plain, (clients * writes * plainUs) / 10_000, line);
    near(tls, (clients * writes * tlsUs) / 10_000, line);
    near(mb, baseMb + (clients * plainKb) / 1000, line);
    near(unit === 'GB' ? tlsMb * 1000 : tlsMb, baseMb + (clients * tlsKb) / 1000, line);
    assert.ok(files >= clients + 96, line);
    assert.equal(processes, Math.ceil(tls / 50), line);
  }
});
