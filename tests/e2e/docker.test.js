// docker/compose.yaml and docker/Dockerfile, as far as they can be tried without a container engine: the first is
// what Compose's schema allows, every file that it mounts is there, every name and port is the one that the other
// side means, and its Redis and the image's health check work. LONG=1, as root with podman and debootstrap: the
// image is built by its Dockerfile and run as the compose file says (image.test.js).

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import Ajv from 'ajv/dist/2019.js';
import { parse } from 'yaml';

import { makeCerts } from '../support/certs.js';
import { compose, docker, dockerfile, image, mounts, source } from '../support/compose.js';
import { runCommand, startGateway } from '../support/gateway.js';
import { missing } from '../support/prometheus.js';
import { freePort, temporaryFolder, until, within } from '../support/wait.js';

const root = join(docker, '..');
const secrets = { REDIS_PASSWORD: 'of-redis-0123456789', GRAFANA_PASSWORD: 'of-grafana' };
const { services, networks, volumes } = compose(secrets);
const all = Object.entries(services);
const read = (path) => readFileSync(join(docker, path), 'utf8');
const shared = (a, b) => services[a].networks?.filter((n) => services[b].networks?.includes(n)) ?? [];

describe('compose.yaml', () => {
  test('is what the Compose Specification allows', () => {
    // Its "id"s are those of an older draft than it says.
    const reviver = (key, value) => (key === 'id' && typeof value === 'string' ? undefined : value);
    const file = join(root, 'tests/node_modules/dclint/schemas/compose.schema.json'); // the linter brings a copy
    const { $schema, ...schema } = JSON.parse(readFileSync(file, 'utf8'), reviver);
    assert.match($schema, /2019-09/);
    const formats = { duration: /^(\d+(ms|us|ns|s|m|h))+$/, ports: true, expose: true, subnet_ip_address: true };
    const ajv = new Ajv({ strict: false, formats });
    const valid = ajv.compile(schema);
    for (const document of [source(), compose(secrets)]) assert.ok(valid(document), JSON.stringify(valid.errors, null, 1));
    for (const wrong of [{ mem_limits: '1g' }, { healthcheck: { tests: [] } }, { depends_on: { redis: { condition: 'healthy' } } }]) {
      assert.ok(!valid({ services: { a: wrong } }), JSON.stringify(wrong));
    }
  });

  test('docker compose itself takes it', { skip: noCompose() }, () => {
    const config = execFileSync('docker', ['compose', '-f', join(docker, 'compose.yaml'), 'config', '--format', 'json'], { env: { ...process.env, ...secrets } });
    assert.deepEqual(Object.keys(JSON.parse(config).services).sort(), Object.keys(services).sort());
  });

  test('nothing is without a limit, and nothing may more than it needs', () => {
    for (const [name, s] of all) {
      assert.match(s.image, /:v?\d+\.\d+\.\d+(-\w+)?$/, `${name}: no exact version`);
      assert.equal(s.read_only, true, name);
      assert.deepEqual(s.cap_drop, ['ALL'], name);
      assert.equal(s.cap_add, undefined, name);
      assert.equal(s.privileged, undefined, name);
      assert.deepEqual(s.security_opt, ['no-new-privileges:true'], name);
      assert.ok(s.mem_limit && s.cpus && s.pids_limit, `${name}: memory, CPU, processes`);
      assert.ok(s.logging.options['max-size'] && s.logging.options['max-file'], `${name}: logs grow`);
      assert.equal(s.restart, name === 'certificate' ? 'no' : 'unless-stopped', name);
      const health = s.healthcheck?.test ?? (s.image.startsWith('pricegate:') && image().health);
      assert.ok(health || s.healthcheck.disable, `${name}: no health check`);
    }
    for (const [name, text] of Object.entries(secrets)) {
      assert.ok(!JSON.stringify(source()).includes(text));
      assert.throws(() => compose({ ...secrets, [name]: '' }), new RegExp(`${name} is not set`));
    }
  });

  test('only the gateway can be reached from other machines', () => {
    const published = all.flatMap(([name, s]) => (s.ports ?? []).map((port) => ({ name, port })));
    assert.deepEqual(published.filter(({ port }) => !port.startsWith('127.0.0.1:')).map(({ name }) => name), ['pricegate']);
    for (const [name, s] of all) assert.notEqual(s.network_mode, 'host', name);
    assert.deepEqual(published.find(({ name }) => name === 'pricegate').port.split(':')[1], services.pricegate.environment.PRICEGATE_LISTEN_PORT);
    // And Redis and the metrics only by those who need them.
    for (const name of ['bus', 'metrics']) assert.equal(networks[name].internal, true);
    assert.deepEqual(services.redis.networks, ['bus']);
    assert.deepEqual(all.filter(([, s]) => s.networks?.includes('bus')).map(([name]) => name).sort(), ['pricegate', 'redis']);
    assert.deepEqual(all.filter(([, s]) => s.networks?.includes('metrics')).map(([name]) => name).sort(), ['pricegate', 'prometheus']);
    assert.deepEqual(shared('grafana', 'pricegate'), []);
    for (const [name, s] of all) for (const n of s.networks ?? []) assert.ok(n in networks, `${name}: ${n}`);
  });

  test('what it waits for is there, and who finishes is waited for', () => {
    for (const [name, s] of all) {
      for (const [other, { condition }] of Object.entries(s.depends_on ?? {})) {
        assert.ok(services[other], `${name} waits for ${other}`);
        if (condition === 'service_healthy') assert.ok(services[other].healthcheck?.test, `${other} has no health`);
        assert.equal(condition === 'service_completed_successfully', services[other].restart === 'no', `${name} waits for ${other}`);
      }
    }
    assert.deepEqual(Object.keys(services.pricegate.depends_on).sort(), ['certificate', 'redis']);
    assert.ok(parseInt(services.pricegate.stop_grace_period, 10) > 5, 'longer than drain_s');
  });

  test('every file that is mounted is there, every volume is one, and what must be writable is', () => {
    for (const [name, s] of all) {
      for (const { from, to, readOnly, named } of mounts(s)) {
        if (named) assert.ok(from in volumes, `${name}: ${from}`);
        else {
          assert.ok(existsSync(from), `${name}: ${from}`);
          assert.ok(readOnly, `${name} could write to ${from}`);
        }
        assert.ok(to.startsWith('/'), to);
      }
    }
    const writable = (name) => mounts(services[name]).filter((m) => !m.readOnly).map((m) => m.to).concat(services[name].tmpfs ?? []).sort();
    assert.deepEqual(writable('pricegate'), ['/var/lib/pricegate']);
    assert.deepEqual(writable('certificate'), ['/etc/pricegate/tls', '/tmp']);
    assert.deepEqual(writable('prometheus'), [services.prometheus.command.map((c) => /^--storage\.tsdb\.path=(.*)/.exec(c)?.[1]).find(Boolean)]);
    assert.deepEqual(writable('grafana'), ['/tmp', '/var/lib/grafana']);
  });

  test('Prometheus and Grafana find their files, and each other, and the gateway', () => {
    const at = (service, path) => mounts(services[service]).map((m) => (path === m.to || path.startsWith(`${m.to}/`)) && !m.named && join(m.from, path.slice(m.to.length))).find(Boolean);
    const option = (name) => services.prometheus.command.map((c) => c.split('=')).find(([n]) => n === `--${name}`)[1];
    const config = parse(readFileSync(at('prometheus', option('config.file')), 'utf8'));
    for (const file of config.rule_files) assert.ok(existsSync(at('prometheus', join(dirname(option('config.file')), file))), file);
    const [{ job_name: job, static_configs: [{ targets: [target] }] }] = config.scrape_configs;
    assert.equal(job, 'pricegate');
    assert.equal(target, `pricegate:${image().env.PRICEGATE_LISTEN_METRICS_PORT}`);
    assert.deepEqual(shared('prometheus', 'pricegate'), ['metrics']);

    const source = parse(readFileSync(at('grafana', '/etc/grafana/provisioning/datasources/prometheus.yaml'), 'utf8')).datasources[0];
    const { hostname, port } = new URL(source.url);
    assert.ok(services[hostname].ports.some((p) => p.endsWith(`:${port}`)));
    assert.deepEqual(shared('grafana', hostname), ['screens']);
    const provider = parse(readFileSync(at('grafana', '/etc/grafana/provisioning/dashboards/pricegate.yaml'), 'utf8')).providers[0];
    assert.equal(JSON.parse(readFileSync(at('grafana', `${provider.options.path}/pricegate.json`), 'utf8')).uid, 'pricegate-operations');
  });

  test('Prometheus takes its options and its configuration', { skip: missing('promtool') || missing('prometheus') }, async (t) => {
    execFileSync('promtool', ['check', 'config', join(docker, 'prometheus/prometheus.yml')], { stdio: 'pipe' });
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    const port = await freePort();
    const options = services.prometheus.command.map((o) => o.replace('=/etc/prometheus/', `=${docker}prometheus/`).replace(/=\/prometheus$/, `=${folder.path}`));
    const child = spawn('prometheus', [...options, `--web.listen-address=127.0.0.1:${port}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (part) => (said += part));
    const health = services.prometheus.healthcheck.test.at(-1).replace('9090', port);
    await until(async () => {
      assert.equal(child.exitCode, null, said);
      return (await fetch(health)).status === 200;
    }, 'Prometheus is ready', 60_000);
  });

  test('the gateway takes its settings', async (t) => {
    const file = mounts(services.pricegate).find((m) => m.to === image().command.at(-1)).from;
    const env = { ...image().env, ...services.pricegate.environment };
    const certs = makeCerts();
    t.after(() => certs.remove());
    const here = { PRICEGATE_LISTEN_TLS_CERT: certs.cert, PRICEGATE_LISTEN_TLS_KEY: certs.key };
    const check = await runCommand(['check', '--config', file], { env: { ...env, ...here } });
    assert.equal(check.code, 0, check.stderr);
    assert.doesNotMatch(check.stdout + check.stderr, /not a setting/);
    for (const name of ['CERT', 'KEY']) {
      const path = env[`PRICEGATE_LISTEN_TLS_${name}`];
      assert.ok(mounts(services.pricegate).some((m) => m.named && dirname(path) === m.to), path);
      assert.match(read('../certs/make-certs'), new RegExp(`${basename(path)} `), 'make-certs makes it');
    }
    assert.equal(services.certificate.working_dir, dirname(env.PRICEGATE_LISTEN_TLS_CERT));
  });
});

/** Docker's client with the Compose plug-in; it needs no engine to read a file. */
function noCompose() {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'docker compose is not installed';
  }
}

/** The service's command, as its container would run it, by a Redis of this machine. */
async function startItsRedis(t) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const port = await freePort();
  const script = services.redis.command[0].replace('bind * -::*', `bind 127.0.0.1\nport ${port}`).replace('dir /tmp', `dir ${folder.path}`);
  assert.match(script, /port \d+\ndir \//);
  const [shell, ...words] = services.redis.entrypoint;
  const child = spawn(shell, [...words, script], { env: { PATH: process.env.PATH, ...services.redis.environment }, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (part) => (said += part));
  const gone = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM'); // the shell has become Redis
    await within(gone, 'Redis ends');
  });
  const cli = (...args) => new Promise((resolve) => {
    const env = { PATH: process.env.PATH, REDISCLI_AUTH: secrets.REDIS_PASSWORD };
    execFile('redis-cli', ['-p', String(port), ...args], { env }, (error, stdout, stderr) => resolve(stdout + stderr));
  });
  await until(async () => {
    assert.equal(child.exitCode, null, said);
    return /PONG/.test(await cli('--user', 'pricegate', 'ping'));
  }, 'Redis answers');
  return { port, cli };
}

test('its Redis lets the gateway in, and nobody else', async (t) => {
  const { port, cli } = await startItsRedis(t);
  const url = services.pricegate.environment.REDIS_URL.replace('redis:6379', `127.0.0.1:${port}`);
  const gateway = await startGateway({
    redis: { url }, providers: { sim: { enabled: true } },
    instruments: [{ symbol: 'coffee', poll_ms: 200, sources: [{ provider: 'sim', symbol: 'coffee' }] }],
  });
  t.after(() => gateway.stop());
  await until(async () => /"symbol":"coffee"/.test(await cli('--user', 'pricegate', 'get', 'coffee:price:latest')), 'a price in Redis');
  assert.deepEqual((await gateway.get('/readyz')).json, { ready: true, degraded: [] });
  assert.equal(await gateway.metric('pricegate_bus_refused_total'), 0);
  assert.match(await cli('get', 'coffee:price:latest'), /NOAUTH|WRONGPASS/, 'the user "default" is off');
  for (const order of [['flushall'], ['keys', '*'], ['set', 'other', '1'], ['config', 'get', '*']]) {
    assert.match(await cli('--user', 'pricegate', ...order), /NOPERM/, order[0]);
  }
  // Its health check, with the port of this one.
  const [kind, line] = services.redis.healthcheck.test;
  assert.equal(kind, 'CMD-SHELL');
  const check = (password) => execFileSync('sh', ['-c', line.replace('redis-cli', `redis-cli -p ${port}`)], { env: { PATH: process.env.PATH, REDIS_PASSWORD: password }, stdio: 'ignore' });
  check(secrets.REDIS_PASSWORD);
  assert.throws(() => check('another'));
});

describe('Dockerfile', () => {
  test('pins its base, runs as nobody, and says what it is', () => {
    const { base, user, env, ports, args, labels, entrypoint, command } = image();
    assert.match(base, /^debian:\w+-\d{8}-slim$/);
    for (const [, from] of dockerfile().filter(([word]) => word === 'FROM')) assert.match(from, /^\$\{BASE\}( AS build)?$/);
    assert.match(user, /^[1-9]\d{3,}:[1-9]\d{3,}$/, 'numbers, so that Kubernetes can see that it is not root');
    const version = /project\(pricegate VERSION (\S+)/.exec(read('../CMakeLists.txt'))[1];
    assert.equal(args.VERSION, version);
    assert.equal(services.pricegate.image, `pricegate:${version}`);
    for (const name of ['title', 'description', 'version', 'revision', 'licenses', 'base.name']) assert.ok(labels[`org.opencontainers.image.${name}`], name);
    assert.deepEqual([...entrypoint, ...command], ['pricegate', 'run', '--config', '/etc/pricegate/pricegate.json']);
    assert.ok(ports.includes(env.PRICEGATE_LISTEN_METRICS_PORT));
    assert.ok(!dockerfile().some(([word, rest]) => (word === 'ARG' || word === 'ENV') && /KEY|TOKEN|PASSWORD|SECRET/.test(rest)));
  });

  test('what is given to the build is there, and no secret is', () => {
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
    assert.equal(lines[0], '*', 'nothing but what is named');
    const named = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const path of named) assert.ok(statSync(join(root, path)), path);
    for (const path of ['dev', 'CMakeLists.txt', 'gateway', 'feeds', 'web', 'docker']) assert.ok(named.includes(path), path);
    const later = lines.slice(lines.lastIndexOf(`!${named.at(-1)}`) + 1);
    for (const name of ['.env', 'secrets.env']) {
      assert.ok(later.includes(`**/${name}`), name);
      assert.match(readFileSync(join(root, '.gitignore'), 'utf8'), new RegExp(`^/docker/${name}$`, 'm'));
    }
  });

  test('its health check says whether the gateway is ready', async (t) => {
    const { health, env } = image();
    const check = (port) => new Promise((resolve) => {
      const variables = { PATH: process.env.PATH, ...env, PRICEGATE_LISTEN_METRICS_PORT: String(port) };
      execFile(health[0], health.slice(1), { env: variables, timeout: 10_000 }, (error) => resolve(error ? error.code : 0));
    });
    const port = await freePort();
    assert.notEqual(await check(port), 0, 'nobody is there');
    const gateway = await startGateway({ listen: { metrics_port: port }, instruments: [{ symbol: 'coffee', sources: [] }] });
    t.after(() => gateway.stop());
    await until(async () => (await check(port)) === 0, 'healthy');

    // While it starts and while it drains /readyz says 503, and all else that it did.
    const busy = http.createServer((request, response) => response.writeHead(request.url === '/readyz' ? 503 : 200).end());
    busy.listen(0, '127.0.0.1');
    await once(busy, 'listening');
    t.after(() => busy.close());
    assert.notEqual(await check(busy.address().port), 0, 'not ready');
  });
});
