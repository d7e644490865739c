// docker/k8s, rendered by kustomize: it is what Kubernetes takes (by the published types), its parts meet (names,
// labels, ports), it leaves enough time to drain, and what it runs (these variables, this configuration, these
// probes) works with the real program: one poller, readers, a Redis with a password.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parseAllDocuments } from 'yaml';

import { binary, request, runCommand, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { testCerts } from '../support/scene.js';
import { ok, startUpstream } from '../support/upstream.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const tests = fileURLToPath(new URL('..', import.meta.url));
const k8s = fileURLToPath(new URL('../../docker/k8s', import.meta.url));

/** kubectl's kustomize understands components and labels from version 4 (kubectl 1.22) on. */
function missing() {
  try {
    const { kustomizeVersion } = JSON.parse(execFileSync('kubectl', ['version', '--client', '--output=json'], { stdio: 'pipe' }));
    return Number(/^v?(\d+)/.exec(kustomizeVersion ?? '')?.[1] ?? 0) >= 4 ? false : 'kubectl is too old: 1.22 or later is needed';
  } catch (error) {
    return error.code === 'ENOENT' ? 'kubectl is not installed' : `kubectl: ${error.message.split('\n')[0]}`;
  }
}

const folder = temporaryFolder();
process.on('exit', () => folder.remove());
cpSync(k8s, folder.path, { recursive: true });
const kustomize = (name) => execFileSync('kubectl', ['kustomize', join(folder.path, name)], { stdio: 'pipe' }).toString();

const secretsFile = join(folder.path, 'example', 'secrets.env');
const example = readFileSync(`${secretsFile}.example`, 'utf8');
const fill = () => writeFileSync(secretsFile, example.replace('=FILL-IN\n', '=s3cret\n').replace(/=FILL-IN: (.*)the password(.*)\n/, '=$1s3cret$2\n'));

describe('docker/k8s', { skip: missing() }, () => {
  let text;
  let docs;
  const all = (kind) => docs.filter((d) => d.kind === kind);
  const one = (kind, name) => {
    const found = all(kind).filter((d) => d.metadata.name === name);
    assert.equal(found.length, 1, `${kind} ${name}`);
    return found[0];
  };
  const contains = (labels, selector) => Object.entries(selector).every(([key, value]) => labels?.[key] === value);
  const pods = (selector) => all('Deployment').filter((d) => contains(d.spec.template.metadata.labels, selector));
  const portsOf = (pod) => pod.spec.template.spec.containers.flatMap((c) => c.ports ?? []);
  const roles = () => ({ reader: one('Deployment', 'pricegate'), poller: one('Deployment', 'pricegate-poller') });
  const program = (deployment) => deployment.spec.template.spec.containers.find((c) => c.name === 'pricegate');
  const config = () => JSON.parse(all('ConfigMap')[0].data['pricegate.json']);
  const secrets = () => Object.fromEntries(Object.entries(all('Secret')[0].data).map(([k, v]) => [k, Buffer.from(v, 'base64').toString()]));
  const environment = (deployment) => ({ ...secrets(), ...Object.fromEntries((program(deployment).env ?? []).map((e) => [e.name, e.value])) });

  test('without secrets it is not made, and says so; placeholders are refused by the program', async () => {
    assert.throws(() => kustomize('example'), (error) => /secrets\.env.*no such file/.test(error.stderr.toString()));
    copyFileSync(`${secretsFile}.example`, secretsFile);
    docs = parseAllDocuments(kustomize('example')).map((d) => d.toJS());
    const file = join(folder.path, 'rendered.json');
    writeFileSync(file, JSON.stringify(config()));
    const { code, stderr, stdout } = await runCommand(['check', '--config', file], { env: secrets() });
    assert.equal(code, 1);
    assert.match(stdout + stderr, /redis\.url: /);
    fill();
    text = kustomize('example');
    docs = parseAllDocuments(text).map((d) => d.toJS());
    assert.ok(!text.includes('FILL-IN'));
  });

  test('Kubernetes takes it: each object, to its last member, by the published types', () => {
    const modules = { v1: 'core/v1', 'apps/v1': 'apps/v1', 'policy/v1': 'policy/v1', 'networking.k8s.io/v1': 'networking/v1' };
    const source = docs.map((d, i) => {
      assert.ok(modules[d.apiVersion], d.apiVersion);
      return `import type { ${d.kind} as K${i} } from 'kubernetes-types/${modules[d.apiVersion]}';\nexport const d${i}: K${i} = ${JSON.stringify(d, null, 1)};\n`;
    }).join('');
    // Beside the types, where they are found.
    const file = join(tests, 'node_modules', `.k8s-${process.pid}.ts`);
    writeFileSync(file, source);
    try {
      execFileSync(process.execPath, [join(tests, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck',
        '--module', 'esnext', '--moduleResolution', 'bundler', file], { encoding: 'utf8' });
    } catch (error) {
      assert.fail(error.stdout ?? error.message);
    } finally {
      rmSync(file, { force: true });
    }
    assert.deepEqual([...new Set(docs.map((d) => d.kind))].sort(),
      ['ConfigMap', 'Deployment', 'Ingress', 'Namespace', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret', 'Service']);
  });

  test('what names another names one that is there', () => {
    const namespaces = new Set(docs.filter((d) => d.kind !== 'Namespace').map((d) => d.metadata.namespace));
    assert.deepEqual([...namespaces], [all('Namespace')[0].metadata.name]);
    for (const d of all('Deployment')) {
      const { spec } = d;
      assert.ok(contains(spec.template.metadata.labels, spec.selector.matchLabels), d.metadata.name);
      assert.equal(pods(spec.selector.matchLabels).length, 1, `${d.metadata.name} owns its pods alone`);
      for (const spread of spec.template.spec.topologySpreadConstraints ?? []) assert.deepEqual(pods(spread.labelSelector.matchLabels), [d]);
      for (const { configMap } of spec.template.spec.volumes ?? []) one('ConfigMap', configMap.name);
      for (const c of spec.template.spec.containers) {
        for (const from of c.envFrom ?? []) one('Secret', from.secretRef.name);
        for (const e of c.env ?? []) if (e.valueFrom) assert.ok(e.valueFrom.secretKeyRef.key in one('Secret', e.valueFrom.secretKeyRef.name).data);
        for (const m of c.volumeMounts ?? []) assert.ok(spec.template.spec.volumes.some((v) => v.name === m.name), m.name);
        for (const probe of [c.readinessProbe, c.livenessProbe]) {
          const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
          if (port) assert.ok(c.ports.some((p) => p.name === port), `${c.name}: ${port}`);
        }
      }
    }
    for (const s of all('Service')) {
      const behind = pods(s.spec.selector);
      assert.ok(behind.length > 0, s.metadata.name);
      for (const pod of behind) for (const p of s.spec.ports) assert.ok(portsOf(pod).some((c) => c.name === p.targetPort), `${s.metadata.name}: ${p.targetPort}`);
    }
    const { reader, poller } = roles();
    const behind = (name) => pods(one('Service', name).spec.selector);
    assert.deepEqual(behind('pricegate'), [reader]);
    assert.deepEqual(behind('pricegate-poller'), [poller]);
    assert.equal(behind('pricegate-metrics').length, 2);
    assert.deepEqual(pods(all('PodDisruptionBudget')[0].spec.selector.matchLabels), [reader]);
    for (const { spec } of all('NetworkPolicy')) {
      const names = pods(spec.podSelector.matchLabels).flatMap(portsOf).map((p) => p.name);
      for (const { port } of spec.ingress.flatMap((i) => i.ports)) assert.ok(names.includes(port), port);
      for (const { podSelector } of spec.ingress.flatMap((i) => i.from ?? [])) if (podSelector) assert.equal(pods(podSelector.matchLabels).length, 2);
    }
    const ingress = all('Ingress')[0].spec;
    for (const { backend } of ingress.rules.flatMap((r) => r.http.paths)) {
      assert.ok(one('Service', backend.service.name).spec.ports.some((p) => p.name === backend.service.port.name));
    }
    assert.deepEqual(ingress.tls[0].hosts, ingress.rules.map((r) => r.host));
    // A name of ours that Kubernetes would take for a setting.
    for (const { name } of all('Service').map((s) => s.metadata)) {
      if (/^pricegate(-|$)/.test(name)) for (const d of all('Deployment')) assert.equal(d.spec.template.spec.enableServiceLinks, false);
    }
  });

  test('the ports and the redis of the manifests are those of the configuration', () => {
    const { listen } = config();
    for (const deployment of Object.values(roles())) {
      assert.deepEqual(program(deployment).ports, [
        { name: 'http', containerPort: listen.port }, { name: 'metrics', containerPort: listen.metrics_port },
      ]);
      const [mount] = program(deployment).volumeMounts;
      assert.deepEqual(program(deployment).command, ['pricegate', 'run', '--config', `${mount.mountPath}/pricegate.json`]);
      assert.equal(program(deployment).readinessProbe.httpGet.path, '/readyz');
      assert.equal(program(deployment).livenessProbe.httpGet.path, '/healthz');
    }
    const redis = new URL(secrets().REDIS_URL);
    assert.equal(Number(redis.port), one('Service', redis.hostname).spec.ports[0].port);
    assert.equal(redis.password, secrets().REDIS_PASSWORD);
  });

  test('one polls, never two; there is time to drain, and memory for who may connect', () => {
    const { reader, poller } = roles();
    assert.equal(poller.spec.replicas, 1);
    assert.equal(poller.spec.strategy.type, 'Recreate');
    const { drain_s, limits } = config();
    for (const deployment of [reader, poller]) {
      const hook = program(deployment).lifecycle?.preStop?.exec.command;
      const sleeps = hook ? Number(hook[1]) : 0;
      assert.ok(deployment.spec.template.spec.terminationGracePeriodSeconds >= sleeps + drain_s + 5, deployment.metadata.name);
    }
    assert.ok(Number(program(reader).lifecycle.preStop.exec.command[1]) > 0, 'the Service hears of it first');
    const mb = Number.parseInt(program(reader).resources.limits.memory, 10);
    assert.ok(mb * 1024 >= 20 * 1024 + limits.connections * 10, `${mb} MiB`);
    assert.ok(reader.spec.replicas >= 2 && all('PodDisruptionBudget')[0].spec.maxUnavailable < reader.spec.replicas);
  });

  test('nothing runs as root, writes to its image, or may do more than it needs', () => {
    for (const { metadata, spec: { template: { spec } } } of all('Deployment')) {
      assert.equal(spec.automountServiceAccountToken, false, metadata.name);
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.ok(spec.securityContext.runAsUser > 0);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
      for (const c of spec.containers) {
        const where = `${metadata.name}/${c.name}`;
        assert.deepEqual(c.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }, where);
        assert.ok(c.resources.requests.cpu && c.resources.requests.memory && c.resources.limits.memory, where);
        assert.match(c.image, /:[^:@]+$/, where);
        assert.doesNotMatch(c.image, /:latest$/, where);
      }
    }
    assert.equal(all('Namespace')[0].metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
  });

  test('the whole of it, with the real program: the poller asks, readers serve, their clients change over', { timeout: 60_000 }, async (t) => {
    const upstream = await startUpstream({ certs: testCerts() });
    t.after(() => upstream.stop());
    for (const symbol of ['KC=F', 'EURUSD=X', 'BTC-USD']) upstream.set('yahoo', symbol, ok({ price: '1.25' }));
    const redisPort = await freePort();
    const redis = await startRedis({ args: ['--requirepass', secrets().REDIS_PASSWORD, '--port', String(redisPort), '--bind', '127.0.0.1'] });
    t.after(() => redis.stop());
    const { reader, poller } = roles();
    const start = async (deployment) => {
      const env = {
        ...environment(deployment),
        // What a pod has, and a test has not: ports, and these addresses, to itself.
        REDIS_URL: secrets().REDIS_URL.replace('pricegate-redis:6379', `127.0.0.1:${redisPort}`),
        PRICEGATE_LISTEN_METRICS_PORT: '0', PRICEGATE_DRAIN_S: '1',
        PRICEGATE_PROVIDERS_YAHOO_BASE_URL: upstream.url, SSL_CERT_FILE: testCerts().ca,
      };
      const gateway = await startGateway(config(), { env });
      t.after(() => gateway.stop());
      const { metrics_port: port } = await gateway.log('listening');
      const { readinessProbe, livenessProbe } = program(deployment);
      const probe = async ({ httpGet: { path } }) => (await request(`http://127.0.0.1:${port}`, { path })).status;
      await until(async () => (await probe(readinessProbe)) === 200, 'ready');
      assert.equal(await probe(livenessProbe), 200);
      gateway.ready = () => probe(readinessProbe);
      gateway.started = () => {
        const [command, ...args] = program(deployment).startupProbe.exec.command;
        return spawnSync(command, args.map((a) => a.replace(`/${config().listen.metrics_port}`, `/${port}`))).status === 0;
      };
      return gateway;
    };
    const asking = await start(poller);
    const [a, b] = [await start(reader), await start(reader)];
    assert.deepEqual([asking, a, b].map((g) => g.logs.some((l) => l.event === 'feeds_off')), [false, true, true]);
    const follow = async (gateway) => {
      const client = await connectWs(gateway.wsUrl);
      t.after(() => client.terminate());
      client.send({ action: 'subscribe', symbols: ['EUR/USD'] });
      return client;
    };
    const price = async (client) => (await client.next((m) => /^(snapshot|quote)$/.test(m.type) && m.data.length > 0, 20_000)).data[0];
    const same = async (gateway) => {
      const client = await follow(gateway);
      const { price: p, source } = await price(client);
      assert.deepEqual([p, source], [1.25, 'yahoo']);
      return client;
    };
    // The follower beside the poller, as it is started there.
    const follower = poller.spec.template.spec.containers.find((c) => c.name === 'follower');
    const line = follower.command[2].replace('pricegate', binary).replace(`http://127.0.0.1:${config().listen.port}`, asking.url);
    const watching = spawn('sh', ['-c', line], { stdio: 'ignore' });
    t.after(() => watching.kill());
    await until(async () => (await asking.metric('pricegate_connections')) === 1, 'it follows');

    // A reader goes: no more readiness while it drains, its clients are told, and have the same elsewhere.
    const moved = await same(a);
    a.signal('SIGTERM');
    assert.equal((await moved.nextType('goaway')).reason, 'shutdown');
    await same(b);
    assert.deepEqual(await a.exited, { code: 0, signal: null });
    // Nobody but the poller has asked anybody.
    assert.doesNotMatch((await b.get('/metrics')).body, /^pricegate_provider_requests_total\{/m);
    assert.match((await asking.get('/metrics')).body, /^pricegate_provider_requests_total\{provider="yahoo"/m);

    // Without Redis an old reader stays ready, for it has prices; a new one never counts as started.
    await until(() => b.started(), 'it has started');
    await redis.kill();
    await until(async () => (await b.get('/readyz')).json.degraded.includes('bus'), 'it notices');
    assert.equal(await b.ready(), 200);
    const late = await start(reader);
    assert.equal(late.started(), false);
  });
});
