// What systemd relies on: the unit file is one, and as closed as it means to be; the program tells its manager how
// it is. And a real systemd, where one can be had: it starts, watches, reloads and stops the program, which
// does all of its work within what the unit leaves it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { binary, request, runCommand, startGateway } from '../support/gateway.js';
import { startManager } from '../support/manager.js';
import { startRedis } from '../support/redis.js';
import { instrument, testCerts } from '../support/scene.js';
import { noSystemd, startSystemd } from '../support/systemd.js';
import { ok, providersAt, startUpstream } from '../support/upstream.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const unit = readFileSync(new URL('../../docker/pricegate.service', import.meta.url), 'utf8');
const installed = (name) => process.env.PATH.split(':').some((folder) => existsSync(join(folder, name)));
const analyze = installed('systemd-analyze') ? false : 'systemd-analyze is not installed';

/** One that only who may can listen on. */
async function freeLowPort() {
  for (let port = 1023; ; port--) {
    const probe = createServer();
    const error = await new Promise((resolve) => probe.on('error', resolve).listen(port, '127.0.0.1', () => resolve(null)));
    probe.close();
    if (!error) return port;
  }
}

const all = (name) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map((m) => m[1]);

test('the unit starts it again, watches it, and keeps no core', () => {
  for (const [name, value] of [
    ['Restart', 'always'], ['RestartPreventExitStatus', '2 78'], ['Type', 'notify'], ['LimitCORE', '0'], ['NoNewPrivileges', 'yes'], ['ProtectSystem', 'strict'],
    ['StartLimitIntervalSec', '0'], ['SystemCallArchitectures', 'native'], ['MemoryMax', '2G'], ['LimitNOFILE', '65536'],
  ]) assert.deepEqual(all(name), [value], name);
  assert.ok(Number(all('WatchdogSec')[0]) > 0);
  assert.ok(parseInt(all('RestartSec')[0], 10) <= 500, 'milliseconds: it is to be back within a second');
  const schema = JSON.parse(readFileSync(new URL('../../gateway/config/pricegate.schema.json', import.meta.url), 'utf8'));
  assert.ok(Number(all('TimeoutStopSec')[0]) >= schema.properties.drain_s.default + 10, 'it may drain');
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
  // As long as it drains, and 10 s, whatever the manager has in mind.
  await manager.hears(/^STOPPING=1 EXTEND_TIMEOUT_USEC=15000000$/);
});

test('its manager can tell a wrong configuration, which no restart mends, from what may pass', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'desk.json');
  const under = { env: { NOTIFY_SOCKET: join(folder.path, 'nobody') } };
  const code = async (config, options) => {
    writeFileSync(file, config);
    return (await runCommand(['run', '--config', file], options)).code;
  };
  for (const wrong of ['{', '{"listen": {"prot": 1}}', '{"redis": {"url": "$NOT_SET_ANYWHERE"}}']) {
    assert.equal(await code(wrong, under), 78, wrong);
    assert.equal(await code(wrong), 1, `${wrong}, and no manager`);
  }
  // A file may be there in a moment.
  assert.equal(await code(JSON.stringify({ listen: { port: 0, tls: { cert: join(folder.path, 'x'), key: join(folder.path, 'x') } } }), under), 1);
  assert.equal((await runCommand(['check', '--config', join(folder.path, 'none')], under)).code, 1);
});

describe('a real systemd', { skip: noSystemd() }, () => {
  let systemd, upstream, redis, url, lowPort;
  const pid = () => Number(systemd.show('pricegate', 'MainPID'));
  const ready = async () => (await request(url, { path: '/readyz' })).status === 200;
  const restarted = (times) => until(
    async () => Number(systemd.show('pricegate', 'NRestarts')) >= times && systemd.show('pricegate', 'ActiveState') === 'active' && (await ready()),
    'it is back', 30_000, 100,
  );
  const config = (more = {}) => ({
    listen: { port: Number(new URL(url).port) }, redis: { url: redis.url }, providers: providersAt(upstream), drain_s: 2,
    quality: { dead_letter_dir: '/var/lib/pricegate/dlq' },
    instruments: [instrument('tea', [['yahoo', 'TEA']], { range: [1, 2] }), instrument('rum', [['yahoo', 'RUM']], { range: [1, 2] })],
    ...more,
  });

  before(async () => {
    upstream = await startUpstream({ certs: testCerts() });
    upstream.set('yahoo', 'TEA', ok({ price: '1.50' }));
    upstream.set('yahoo', 'RUM', ok({ price: '900' })); // wrong: to be written down
    const redisPort = await freePort();
    redis = await startRedis({ args: ['--port', String(redisPort), '--bind', '127.0.0.1'] });
    redis.url = `redis://127.0.0.1:${redisPort}/0`;
    url = `http://127.0.0.1:${await freePort()}`;
    lowPort = await freeLowPort();
    const also = (text, variable) => text.replace('[Install]', `Environment=${variable}\n[Install]`);
    systemd = await startSystemd({
      config: config(),
      files: { 'ca.pem': readFileSync(testCerts().ca, 'utf8'), 'secrets.env': 'SSL_CERT_FILE=/etc/pricegate/ca.pem\n' },
      units: {
        'pricegate@.service': unit,
        'unix.service': also(unit.replace(/^#(?=RuntimeDirectory=|Group=)/gm, ''), 'PRICEGATE_LISTEN_HOST=unix:/run/pricegate/http.sock'),
        'low.service': also(unit.replace(/^((?:CapabilityBoundingSet|AmbientCapabilities)=)$/gm, '$1CAP_NET_BIND_SERVICE').replace('PrivateUsers=yes', 'PrivateUsers=no'), `PRICEGATE_LISTEN_PORT=${lowPort}`),
      },
      // Shorter than the unit's, for the test's sake; and shorter than drain_s.
      dropIn: '[Service]\nWatchdogSec=4\nTimeoutStopSec=1\n',
    });
  });
  after(async () => {
    await systemd?.stop();
    await redis?.stop();
    await upstream?.stop();
  });

  test('`systemctl start` returns when it is ready', async () => {
    systemd.control('start', 'pricegate');
    assert.ok(await ready());
    assert.equal(systemd.show('pricegate', 'ActiveState'), 'active');
  });

  test('in there it may next to nothing, and does all of its work: TLS, names, Redis, a wrong price put aside', async () => {
    const status = systemd.within('cat', `/proc/${pid()}/status`);
    assert.doesNotMatch(status, /^Uid:\s+0\b/m);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb']) assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'));
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    for (const place of ['/etc/pricegate/x', '/usr/x', '/var/x', '/x']) assert.throws(() => systemd.inside(pid(), 'touch', place), /Read-only file system/, place);
    await until(async () => (await request(url, { path: '/api/v1/quotes/tea' })).status === 200, 'a price over TLS');
    await until(() => redis.command('GET', 'tea:price:latest'), 'and in Redis');
    await until(() => /dlq_/.test(systemd.inside(pid(), 'ls', '/var/lib/pricegate/dlq')), 'the wrong one is a file');
  });

  test('a reload is done when `systemctl reload` says so', async () => {
    systemd.configure(config({ instruments: [...config().instruments, { symbol: 'gin', sources: [] }] }));
    systemd.control('reload', 'pricegate');
    await systemd.log((l) => l.event === 'reloaded' && l.added === 1);
    assert.equal(systemd.show('pricegate', 'ActiveState'), 'active');
  });

  test('killed, it is back; hanging, it is killed and back', async (t) => {
    const began = Date.now();
    systemd.control('kill', '--signal=KILL', 'pricegate');
    await restarted(1);
    t.diagnostic(`back after ${Date.now() - began} ms`);
    systemd.control('kill', '--signal=STOP', 'pricegate');
    await restarted(2);
    assert.match(systemd.journal(), /Failed with result 'watchdog'/, 'where README sends people to');
    t.diagnostic(`a hanging one was replaced after ${Date.now() - began} ms in all, with a watchdog of 4 s`);
  });

  test('`systemctl stop` waits for the drain, though it is longer than TimeoutStopSec', async (t) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectWs(url.replace('http', 'ws') + '/ws')));
    const began = Date.now();
    systemd.control('stop', 'pricegate');
    const took = Date.now() - began;
    t.diagnostic(`stopped after ${took} ms`);
    for (const client of clients) {
      await client.nextType('goaway');
      assert.equal((await client.closed).code, 1001);
    }
    assert.ok(took > 1000, `${took} ms: nothing was drained beyond TimeoutStopSec`);
    assert.equal(systemd.show('pricegate', 'Result'), 'success');
    await systemd.log((l) => l.event === 'stopped' && l.exit === 0);
  });

  test('one instance takes over from another, on the same port, with the same folder', async () => {
    const metrics = Object.fromEntries(await Promise.all(['a', 'b'].map(async (name) => [name, await freePort()])));
    for (const [name, port] of Object.entries(metrics)) systemd.write(`${name}.env`, `PRICEGATE_LISTEN_METRICS_PORT=${port}\n`);
    systemd.configure({ ...config(), listen: { port: Number(new URL(url).port), share: true } });
    systemd.control('start', 'pricegate@a');
    const client = await connectWs(url.replace('http', 'ws') + '/ws');
    systemd.control('start', 'pricegate@b');
    for (const port of Object.values(metrics)) assert.equal((await request(`http://127.0.0.1:${port}`, { path: '/readyz' })).status, 200);
    const owner = (name) => systemd.within('stat', '-c', '%u', `/proc/${systemd.show(name, 'MainPID')}`);
    assert.equal(owner('pricegate@a'), owner('pricegate@b'), 'the folder belongs to both');
    systemd.control('stop', 'pricegate@a');
    await client.nextType('goaway');
    for (let i = 0; i < 20; i++) assert.ok(await ready());
    const b = systemd.show('pricegate@b', 'MainPID');
    const written = () => systemd.inside(b, 'ls', '/var/lib/pricegate/dlq').split('\n').length;
    const before = written();
    await until(() => written() > before, 'it writes where the other did');
    systemd.control('stop', 'pricegate@b');
  });

  test('a wrong configuration is said once, and not tried again; what may pass is', async () => {
    systemd.configure({ ...config(), drain: 2 });
    assert.throws(() => systemd.control('start', 'pricegate'), /Job for pricegate.service failed/);
    assert.equal(systemd.show('pricegate', 'ActiveState'), 'failed', 'and not on its way to another start');
    assert.equal(systemd.show('pricegate', 'ExecMainStatus'), '78');
    assert.equal(systemd.journal().match(/drain: unknown key \(did you mean/g).length, 1);

    const certs = testCerts();
    const listen = { port: Number(new URL(url).port), tls: { cert: '/etc/pricegate/late.pem', key: '/etc/pricegate/late.key' } };
    systemd.configure({ ...config(), listen });
    assert.throws(() => systemd.control('start', 'pricegate'), /Job for pricegate.service failed/);
    systemd.write('late.key', readFileSync(certs.key));
    systemd.write('late.pem', readFileSync(certs.cert));
    await until(() => systemd.show('pricegate', 'ActiveState') === 'active', 'it starts by itself when its certificate is there', 30_000, 100);
    systemd.control('stop', 'pricegate');
  });

  test('what stands in it as a comment works: a unix socket for a proxy, a port below 1024', async () => {
    systemd.configure(config());
    systemd.control('start', 'unix');
    const ask = (user, group) => systemd.within('setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups', 'curl', '-sS', '--unix-socket', '/run/pricegate/http.sock', 'http://localhost/readyz');
    assert.equal(JSON.parse(ask('www-data', 'www-data')).ready, true);
    assert.throws(() => ask('nobody', 'nogroup'), /curl/);
    systemd.control('stop', 'unix');
    systemd.control('start', 'low');
    assert.equal((await request(`http://127.0.0.1:${lowPort}`, { path: '/readyz' })).status, 200);
    systemd.control('stop', 'low');
  });
});
