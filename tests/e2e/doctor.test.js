// `pricegate doctor`: what it finds on a real machine with a real Redis, with providers that answer,
// refuse or hang, and beside a running gateway. (Each judgement by itself: tests/unit/gateway/
// test_doctor.c. What it says of bad input: bad-start.test.js.)

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { binary, runCommand, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, testCerts } from '../support/scene.js';
import { hang, ok, providersAt, startUpstream, status } from '../support/upstream.js';
import { temporaryFolder, until } from '../support/wait.js';

const text = (name) => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');

/** Runs it with a configuration: {code, found: the JSON, of(check): its findings as "state: message -> advice"}. */
async function examine(t, config, { args = [], env } = {}) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'desk.json');
  writeFileSync(file, JSON.stringify(config));
  const result = await runCommand(['doctor', '--json', '--config', file, ...args], { env, cwd: folder.path });
  assert.equal(result.stderr, '');
  const found = JSON.parse(result.stdout);
  const of = (check) => found.findings.filter((f) => f.check === check).map((f) => `${f.state}: ${f.message} -> ${f.advice}`);
  return { ...result, file, found, of };
}

const quiet = { listen: { port: 0 }, instruments: [external('coffee')] };

test('a machine that is fine: exit 0, and a document that can be relied upon', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const { cert, key } = testCerts();
  chmodSync(key, 0o600);
  const { code, found, file, of } = await examine(t, { ...quiet, listen: { port: 0, tls: { cert, key } }, redis: { url: redis.url } });
  assert.deepEqual(Object.keys(found), ['version', 'config', 'state', 'counts', 'findings']);
  assert.equal(found.version, (await runCommand(['--version'])).stdout.split(' ')[1].trim());
  assert.equal(found.config, file);
  assert.deepEqual(Object.keys(found.counts), ['ok', 'unknown', 'warning', 'problem']);
  for (const state of Object.keys(found.counts)) {
    assert.equal(found.counts[state], found.findings.filter((f) => f.state === state).length);
  }
  for (const f of found.findings) {
    assert.deepEqual(Object.keys(f), ['check', 'state', 'message', 'advice']);
    assert.ok(f.message && (f.advice === null || f.advice));
    if (f.state !== 'ok') assert.ok(f.advice, `${f.check} names the way out`);
  }
  assert.equal(found.counts.problem, 0, JSON.stringify(found.findings.filter((f) => f.state === 'problem')));
  assert.equal(code, 0);
  assert.match(of('tls.dates')[0], /is valid for 1 more days|expires on/);
  assert.match(of('tls.names')[0], /localhost, 127\.0\.0\.1, ::1/);
  assert.match(of('tls.chain')[0], /ends at "pricegate test CA"/);
  assert.match(of('redis.link')[0], /^ok: Redis at .*redis\.sock answers/);
  assert.match(of('redis.version')[0], /^ok: Redis \d+\./);
  assert.match(of('redis.rights')[0], /^ok: GET, SET, PUBLISH and SUBSCRIBE are allowed/);
  for (const name of ['libwebsockets', 'hiredis', 'libcurl', 'jansson', 'OpenSSL', 'libuv']) {
    assert.ok(of('libraries.versions').some((line) => new RegExp(`: ${name} \\d+\\.\\d+`).test(line)), name);
  }
  assert.match(of('libraries.event_loop')[0], /^ok/);
});

test('README lists every check, and no other', () => {
  const names = [...text('gateway/doctor/doctor.c').matchAll(/^ {4}\{"([a-z_.]+)",/gm)].map((m) => m[1]);
  assert.ok(names.length >= 25);
  const [, told] = text('README.md').match(/^### The doctor\n([^]*?)^### /m);
  const rows = [...told.matchAll(/^\| ((?:`[a-z]+\.[a-z_]+`(?:, )?)+) \| .* \|$/gm)]
    .flatMap((row) => [...row[1].matchAll(/`([a-z_.]+)`/g)].map((m) => m[1]));
  assert.deepEqual(rows, names);
});

test('no configuration that is valid: its problems, and what can be known without', async (t) => {
  const { code, of, found } = await examine(t, { listen: { prot: 1 }, drain_s: -1 }, { env: { PRICEGATE_LISTEN_PROT: '1' } });
  assert.equal(code, 1);
  assert.equal(found.state, 'problem');
  assert.equal(of('config.valid').length, 2);
  assert.match(of('config.valid').join('\n'), /desk\.json: listen\.prot: .*did you mean/);
  assert.match(of('config.environment')[0], /^warning: PRICEGATE_LISTEN_PROT/);
  assert.equal(of('machine.files').length, 1);
  assert.deepEqual(of('redis.link'), []);
  const absent = await runCommand(['doctor', '--config', '/nonexistent/x.json']);
  assert.equal(absent.code, 1);
  assert.match(absent.stdout, /problem {2}\/nonexistent\/x\.json: No such file/);
  const wrong = await runCommand(['doctor', 'coffee']);
  assert.equal(wrong.code, 2);
});

test('for people: plain into a pipe; in a terminal coloured, and no wider than it', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const plain = await runCommand(['doctor'], { cwd: folder.path, env: { TERM: 'xterm' } });
  assert.doesNotMatch(plain.stdout, /\x1b/);
  assert.match(plain.stdout, /^libraries\n {2}ok {7}lib/);
  assert.match(plain.stdout, /\n {2}warning {2}twelvedata is left out of every chain: no api_key: TWELVE_DATA_API_KEY is not set\n {11}-> /);
  assert.match(plain.stdout.split('\n').at(-2), /^(\d+ problems?, )?\d+ warnings?, \d+ unknown, \d+ ok$/);

  const inTerminal = async (env) => {
    const command = `stty cols 72; exec ${binary} doctor`;
    const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {
      cwd: folder.path, env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
    });
    return stdout.replaceAll('\r', '');
  };
  const coloured = await inTerminal({});
  assert.match(coloured, /^\x1b\[1mlibraries\x1b\[0m\n {2}\x1b\[32mok\x1b\[0m /);
  const bare = coloured.replace(/\x1b\[[0-9;]*m/g, '');
  for (const line of bare.split('\n')) assert.ok(line.length <= 72, line);
  assert.equal(bare.replace(/\s+/g, ' '), plain.stdout.replace(/\s+/g, ' '), 'the same words');
  assert.doesNotMatch(await inTerminal({ NO_COLOR: '1' }), /\x1b/);
});

test('who has a port: another program, or a gateway that runs, beside which it changes nothing', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address();
  const taken = await examine(t, { ...quiet, listen: { port } });
  assert.equal(taken.code, 1);
  assert.match(taken.of('listen.port')[0], new RegExp(`^problem: listen\\.port: 127\\.0\\.0\\.1:${port} is taken by node.* \\(pid ${process.pid}\\) -> stop it, or`));

  const redis = await startRedis();
  t.after(() => redis.stop());
  for (const share of [false, true]) {
    const gateway = await startGateway({ ...quiet, listen: { share }, redis: { url: redis.url } });
    t.after(() => gateway.stop());
    await until(async () => (await gateway.metric('pricegate_bus_up')) === 1, 'the bus is up');
    const running = await examine(t, { ...quiet, listen: { port: gateway.port, share }, redis: { url: redis.url } });
    const said = share
      ? `^ok: listen\\.port: 127\\.0\\.0\\.1:${gateway.port} can be had`
      : `^ok: listen\\.port: 127\\.0\\.0\\.1:${gateway.port} is served by a running pricegate \\(pid ${gateway.pid}\\)`;
    assert.match(running.of('listen.port')[0], new RegExp(said));
    assert.equal(running.found.counts.problem, 0);
    assert.equal(await gateway.metric('pricegate_bus_invalid_total'), 0);
    assert.equal(await gateway.metric('pricegate_bus_up'), 1);
  }
});

test('a unix socket: free, in a folder that is not there, or served by a gateway', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const host = `unix:${folder.path}/desk.sock`;
  const look = async (name) => (await examine(t, { ...quiet, listen: { host: name } })).of('listen.port')[0];
  assert.equal(await look(host), `ok: listen.port: ${host} can be had -> null`);
  assert.match(await look(`unix:${folder.path}/no/desk.sock`), /^problem: unix:.*: the folder .*\/no cannot be opened: No such file or directory: make it /);
  const gateway = await startGateway({ ...quiet, listen: { host, metrics_port: 0 } });
  t.after(() => gateway.stop());
  assert.match(await look(host), /^ok: listen\.port: unix:.*desk\.sock is served by a running pricegate/);
});

test('Redis: a wrong password, too few rights, a replica, tight limits', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const port = await (async () => {
    const probe = net.createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const free = probe.address().port;
    await new Promise((resolve) => probe.close(resolve));
    return free;
  })();
  await redis.command('CONFIG', 'SET', 'port', port);
  await redis.command('ACL', 'SETUSER', 'poor', 'on', '>pw', '~*', '&*', '-@all', '+get', '+subscribe', '+ping');
  const as = (user, more) => examine(t, { ...quiet, redis: { url: `redis://${user}127.0.0.1:${port}` }, ...more });

  const wrong = await as('desk:wrong@');
  assert.equal(wrong.code, 1);
  assert.match(wrong.of('redis.link')[0], /^problem: Redis at 127\.0\.0\.1:\d+: WRONGPASS .* -> correct the user or the password in redis\.url$/);
  assert.ok(!wrong.stdout.includes('wrong@'), 'no password is told');

  const poor = await as('poor:pw@');
  assert.equal(poor.code, 1);
  assert.deepEqual(poor.of('redis.rights').map((line) => line.match(/: (\w+) (?:of|to) .* is refused: NOPERM/)?.[1]), ['SET', 'PUBLISH', 'SET']);
  assert.match(poor.of('redis.version')[0], /^unknown: .*INFO is refused/);

  await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 4kb 4kb 1');
  await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
  const tight = await as('', { instruments: [external('coffee'), external('tea')] });
  assert.match(tight.of('redis.buffers')[0], /^warning: client-output-buffer-limit pubsub \d+ \d+ 1: .* -> CONFIG SET/);
  assert.match(tight.of('redis.memory')[0], /^warning: .*noeviction: when it is full, prices are refused -> raise maxmemory/);
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await redis.command('REPLICAOF', '127.0.0.1', '1');
  const replica = await as('');
  assert.equal(replica.code, 1);
  assert.match(replica.of('redis.role')[0], /^problem: it is a replica, .* name its primary$/);
});

test('whoever does not answer is a finding, not a wait', async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  upstream.set('yahoo', '*', hang());
  const dead = net.createServer().listen(0, '127.0.0.1'); // takes connections, says nothing
  await once(dead, 'listening');
  t.after(() => dead.close());
  redis.pause();
  t.after(() => redis.resume());
  const begin = Date.now();
  const { code, of } = await examine(t, {
    listen: { port: dead.address().port },
    redis: { url: redis.url },
    limits: { upstream_ms: 1000 },
    providers: providersAt(upstream),
    instruments: [instrument('coffee', [['yahoo', 'KC=F']])],
  }, { args: ['--providers'], env: { SSL_CERT_FILE: testCerts().ca } });
  t.diagnostic(`${Date.now() - begin} ms`);
  assert.ok(Date.now() - begin < 25_000);
  assert.equal(code, 1);
  assert.match(of('redis.link')[0], /^problem: .*connected, but no answer for 2 s -> Redis hangs/);
  assert.match(of('providers.answers')[0], /^warning: yahoo, asked for KC=F: timeout/);
  assert.match(of('providers.answers')[1], /^problem: no provider gave a price/);
});

test('--providers asks each once, and says what it thinks of key, symbol and clock', async (t) => {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  upstream.set('twelvedata', '*', ok({ price: '2.94' }));
  upstream.set('yahoo', '*', ok({ price: '294' }));
  const config = {
    ...quiet,
    providers: providersAt(upstream),
    instruments: [instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F'], ['sim', 'coffee']]), instrument('tea', [['yahoo', 'TEA']])],
  };
  const env = { SSL_CERT_FILE: testCerts().ca };
  const asked = async () => {
    const result = await examine(t, config, { args: ['--providers'], env });
    return { ...result, answers: result.of('providers.answers') };
  };

  const without = await examine(t, config, { env });
  assert.match(without.of('providers.answers')[0], /^unknown: 2 providers were not asked, .*--providers` asks each once, which spends a credit/);
  assert.equal(upstream.requests('twelvedata').length + upstream.requests('yahoo').length, 0);

  const good = await asked();
  assert.equal(good.code, 0);
  assert.equal(good.answers.length, 2, 'sim needs no network');
  assert.match(good.answers[0], /^ok: twelvedata answered for KC1 in \d+ ms/);
  assert.match(good.answers[1], /^ok: yahoo answered for KC=F in \d+ ms/);
  assert.match(good.of('providers.clock')[0], /^ok: the providers' clock agrees with this machine's, give or take/);
  assert.equal(upstream.requests('twelvedata').length, 1);
  assert.equal(upstream.requests('yahoo').length, 1);

  const late = new Date(Date.now() + 60_000).toUTCString();
  upstream.set('twelvedata', '*', status(200, JSON.stringify({ code: 401, message: 'apikey', status: 'error' }), { date: late }));
  upstream.set('yahoo', '*', status(404, '{"chart":{"result":null,"error":{"code":"Not Found"}}}', { date: late }));
  const bad = await asked();
  assert.equal(bad.code, 1);
  assert.match(bad.answers[0], /^problem: twelvedata, asked for KC1: auth: .* -> correct the key: providers\.twelvedata\.api_key/);
  assert.match(bad.answers[1], /^warning: yahoo, asked for KC=F: not_found/);
  assert.match(bad.of('providers.clock')[0], /^problem: the providers' clock is (59|60|61)\.\d s ahead of this machine's/);
  assert.ok(!bad.stdout.includes('test-key'), 'no key is told');
});

test('a key that is missing, and an instrument that nobody can be asked for', async (t) => {
  const { code, of } = await examine(t, {
    ...quiet,
    providers: { twelvedata: { api_key: '$TWELVE_KEY' } },
    instruments: [instrument('coffee', [['twelvedata', 'KC1']])],
  });
  assert.equal(code, 1);
  assert.match(of('providers.keys')[0], /^warning: twelvedata is left out of every chain: no api_key: TWELVE_KEY is not set -> .*set what is missing/);
  assert.match(of('providers.keys')[1], /^problem: nobody can be asked for coffee/);
});

test('polling is off: a reader needs no keys, but a Redis', async (t) => {
  const config = { ...quiet, instruments: [instrument('coffee', [['twelvedata', 'KC1']])] };
  const off = { REALTIME_PRICE_FEED_ENABLED: 'false' };
  assert.deepEqual((await examine(t, config, { env: off })).of('providers.keys'), [
    'problem: REALTIME_PRICE_FEED_ENABLED is off and redis.url is empty: no price will ever come'
    + " -> unset that variable, or set redis.url to where another gateway's prices are"]);
  const reader = { ...config, redis: { url: 'unix:///nowhere' } };
  assert.deepEqual((await examine(t, reader, { env: off })).of('providers.keys'), ['ok: REALTIME_PRICE_FEED_ENABLED is off: prices come from Redis -> null']);
});

test('too few files for limits.connections, or for a start', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'desk.json');
  writeFileSync(file, JSON.stringify({ ...quiet, limits: { connections: 1000 } }));
  const limited = (files) => {
    try {
      return execFileSync('bash', ['-c', `ulimit -n ${files}; exec ${binary} doctor --config ${file}`], { encoding: 'utf8' });
    } catch (error) {
      return error.stdout;
    }
  };
  assert.match(limited(512), /warning {2}limits\.connections is 1000, but 512 open files are room for 416\n *-> raise it to 1096: LimitNOFILE=/);
  assert.match(limited(100), /problem {2}only 100 open files are allowed, at least 128 are needed/);
});
