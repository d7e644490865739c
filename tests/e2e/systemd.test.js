// What systemd relies on, as far as it can be tried without it: the unit file is one, and as closed as it
// means to be; and the program tells its manager how it is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { binary, startGateway } from '../support/gateway.js';
import { startManager } from '../support/manager.js';
import { temporaryFolder } from '../support/wait.js';

const unit = readFileSync(new URL('../../docker/pricegate.service', import.meta.url), 'utf8');
const installed = (name) => process.env.PATH.split(':').some((folder) => existsSync(join(folder, name)));
const analyze = installed('systemd-analyze') ? false : 'systemd-analyze is not installed';

const all = (name) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((m) => m[1]);

test('the unit starts it again, watches it, and keeps no core', () => {
  for (const [name, value] of [
    ['Restart', 'always'], ['Type', 'notify'], ['LimitCORE', '0'], ['NoNewPrivileges', 'yes'], ['ProtectSystem', 'strict'],
    ['StartLimitIntervalSec', '0'], ['SystemCallArchitectures', 'native'],
  ]) assert.deepEqual(all(name), [value], name);
  assert.ok(Number(all('WatchdogSec')[0]) > 0);
  assert.ok(parseInt(all('RestartSec')[0], 10) <= 500, 'milliseconds: it is to be back within a second');
});

test('systemd takes the unit, and counts it among the closed ones', { skip: analyze }, (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'pricegate.service');
  writeFileSync(file, unit.replace('/usr/local/bin/pricegate', binary));
  const say = (...args) => {
    try {
      return execFileSync('systemd-analyze', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
    } catch (error) {
      throw new Error(`systemd-analyze ${args[0]}: ${error.stdout}${error.stderr}`);
    }
  };
  say('verify', file);
  say('security', '--offline=true', '--no-pager', '--threshold=15', file); // tenths, of 100
});

test('its manager hears when it is ready, alive, taking another configuration, and going', async (t) => {
  const manager = await startManager();
  t.after(() => manager.stop());
  const gateway = await startGateway(
    { instruments: [{ symbol: 'coffee', sources: [] }] },
    { env: { ...manager.env, WATCHDOG_USEC: '400000' } },
  );
  t.after(() => gateway.stop());
  await manager.hears(/^READY=1$/);
  for (let i = 0; i < 3; i++) await manager.hears(/^WATCHDOG=1$/);

  const reload = async (config) => {
    writeFileSync(gateway.file, config);
    gateway.signal('SIGHUP');
    const said = await manager.hears(/^RELOADING=1 /);
    assert.match(said, /^RELOADING=1 MONOTONIC_USEC=\d+$/, 'systemd asks for the time with it');
    await manager.hears(/^READY=1$/);
  };
  await reload(JSON.stringify({ instruments: [{ symbol: 'tea', sources: [] }] }));
  await gateway.log('reloaded');
  await reload('{'); // refused: the old one goes on, and so it is ready
  await gateway.log('reload_failed');

  gateway.signal('SIGTERM');
  await manager.hears(/^STOPPING=1$/);
});
