// The image, built by its Dockerfile, and run as the README and docker/compose.yaml say: by a real engine, with what the
// images begin with made of Debian's packages (support/podman.js), as no registry is asked. LONG=1, as root.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { compose, docker, image } from '../support/compose.js';
import { sanitized } from '../support/gateway.js';
import { noEngine, startEngine } from '../support/podman.js';
import { until } from '../support/wait.js';

const skip = !process.env.LONG ? 'LONG=1 is not set' : sanitized ? 'it would be built in the same way again' : noEngine();
const root = join(docker, '..');
const BYTES = 100_000_000;
const readme = /^## Containers and proxies\n(.*?)^## /ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))[1];

test('the image is built, small, and runs as the documents say', { skip }, async (t) => {
  const { base } = image();
  const engine = await startEngine(t, base);
  const version = image().args.VERSION;
  const name = `pricegate:${version}`;

  await t.test('docker build', async () => {
    const [, ...words] = /^docker (build .*)$/m.exec(readme)[1].split(' ');
    assert.equal(words.pop(), '.');
    assert.deepEqual(words, ['-f', 'docker/Dockerfile', '-t', name]);
    await engine.build(...words.map((word) => (word === 'docker/Dockerfile' ? join(docker, 'Dockerfile') : word)), root);
    const built = await engine.inspect(name);
    t.diagnostic(`the image has ${(built.Size / 1e6).toFixed(1)} MB, ${((await engine.inspect(base)).Size / 1e6).toFixed(1)} of them its base`);
    assert.ok(built.Size < BYTES, `${built.Size} bytes`);
    assert.equal(built.Config.User, image().user);
    assert.equal(built.Config.Labels['org.opencontainers.image.version'], version);
    assert.equal(built.Config.StopSignal, 'SIGTERM');
    assert.deepEqual(built.HealthCheck?.Test ?? built.Healthcheck.Test, ['CMD', ...image().health]);
  });

  /** The image's health check, in the container. */
  const healthy = (container) => container.exec(...image().health).then(() => true, () => false);
  const closed = async (container) => {
    const status = await container.exec('bash', '-c', 'cat /proc/1/status');
    for (const [field, value] of [['Uid', '10001\t10001\t10001\t10001'], ['CapEff', '0{16}'], ['CapBnd', '0{16}'], ['NoNewPrivs', '[01]']]) {
      assert.match(status, new RegExp(`^${field}:\t${value}$`, 'm'));
    }
    await assert.rejects(container.exec('bash', '-c', 'echo > /x'), /Read-only file system/);
    await assert.rejects(container.exec('bash', '-c', 'echo > /etc/pricegate/x'), /Read-only file system/);
    for (const program of ['gcc', 'curl', 'cmake']) await assert.rejects(container.exec('bash', '-c', `type ${program}`));
    return status;
  };

  await t.test('docker run', async () => {
    const words = /^docker run (.*)$/m.exec(readme)[1].split(' ');
    const [published] = words.splice(words.indexOf('-p'), 2).slice(1);
    const before = words.slice(0, words.indexOf(name));
    assert.deepEqual(before, ['--rm', '--read-only', '--cap-drop', 'ALL']);
    const service = { image: name, read_only: true, cap_drop: ['ALL'], command: words.slice(before.length + 1) };
    const container = await engine.run('demo', service, { add: ['--network', 'none'] });
    await until(() => healthy(container), 'healthy', 30_000, 200);
    await closed(container);
    const port = published.split(':').at(-1);
    await until(async () => /"source":"sim"/.test(await container.curl(`http://127.0.0.1:${port}/api/v1/quotes/coffee`)), 'a price', 30_000, 200);
    assert.match(await container.curl(`http://127.0.0.1:${port}/`), /<title>/);
    assert.match(await container.curl(`http://127.0.0.1:${image().env.PRICEGATE_LISTEN_METRICS_PORT}/metrics`), /^pricegate_connections 0$/m);
    assert.equal(await container.stop(15), 0);
    assert.match(await container.logs(), /"event":"draining".*\n(.*\n)*.*"event":"stopped"/);
  });

  await t.test('docker compose up, without Prometheus and Grafana', async () => {
    // As Debian has it; Compose would fetch Redis' own.
    const standIn = join(engine.folder, 'Redis');
    writeFileSync(standIn, `FROM ${base}\nRUN apt-get update -q && apt-get install -q -y --no-install-recommends redis-server\n`);
    await engine.build('-f', standIn, '-t', 'redis', engine.folder);

    const config = join(engine.folder, 'pricegate.json');
    writeFileSync(config, JSON.stringify({
      providers: { sim: { enabled: true } }, instruments: [{ symbol: 'coffee', poll_ms: 500, sources: [{ provider: 'sim', symbol: 'coffee' }] }],
    }));
    chmodSync(engine.folder, 0o755);
    const { services } = compose({ REDIS_PASSWORD: 'of-redis', GRAFANA_PASSWORD: 'of-grafana', PRICEGATE_JSON: config });
    // One network for all: which of them meet is not tried here.
    await engine.run('net', { image: base, command: ['sleep', 'infinity'] }, { add: ['--network', 'none'] });
    const hosts = join(engine.folder, 'hosts');
    writeFileSync(hosts, '127.0.0.1 localhost\n127.0.0.1 redis\n');
    const add = ['--network', 'container:net', '--volume', `${hosts}:/etc/hosts:ro`];

    const certificate = () => engine.once(services.certificate, { add: ['--network', 'none'] });
    await certificate();
    const ca = join(engine.volume('tls'), 'ca.pem');
    const made = readFileSync(ca, 'utf8');
    await certificate();
    assert.equal(readFileSync(ca, 'utf8'), made, 'what is there stays');

    const redis = await engine.run('redis', services.redis, { image: 'redis', add });
    const check = services.redis.healthcheck.test.at(-1);
    await until(() => redis.exec('sh', '-c', check).then(() => true, () => false), 'Redis is healthy', 30_000, 200);

    const gateway = await engine.run('pricegate', services.pricegate, { add });
    const why = async (error) => {
      throw new Error(`${error.message}\n${await gateway.logs()}`);
    };
    await until(() => healthy(gateway), 'healthy', 30_000, 200).catch(why);
    assert.match(await closed(gateway), /^NoNewPrivs:\t1$/m);
    await assert.rejects(gateway.exec('bash', '-c', 'echo > /etc/pricegate/tls/x'), /Read-only file system/);
    await gateway.exec('bash', '-c', 'echo > /var/lib/pricegate/x && rm /var/lib/pricegate/x');
    const [, port] = services.pricegate.ports[0].split(':');
    const get = (path) => gateway.curl('--cacert', ca, `https://localhost:${port}${path}`);
    await until(async () => /"source":"sim"/.test(await get('/api/v1/quotes/coffee')), 'a price', 30_000, 200);
    await until(async () => JSON.parse(await get('/readyz')).degraded.length === 0, 'the bus is whole', 30_000, 200).catch(why);
    assert.match(await gateway.curl(`http://127.0.0.1:${image().env.PRICEGATE_LISTEN_METRICS_PORT}/metrics`), /^pricegate_bus_up 1$/m);
    await gateway.signal('HUP');
    await until(async () => /"event":"reloaded"/.test(await gateway.logs()), 'reloaded');
    assert.doesNotMatch(await gateway.logs(), /of-redis/);
    assert.equal(await gateway.stop(parseInt(services.pricegate.stop_grace_period, 10)), 0);
    assert.equal(await redis.stop(10), 0);
  });
});
