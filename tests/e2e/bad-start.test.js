// What a newcomer gets wrong in the first hour. For each of it `run`, `check` (as far as it can know)
// and `doctor` say one sentence that names the file, the variable or the address, and the way out.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, runCommand, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument } from '../support/scene.js';
import { makeCerts } from '../support/certs.js';
import { fakeClock, noFakeClock } from '../support/fake_clock.js';
import { temporaryFolder } from '../support/wait.js';

const lines = (text) => text.split('\n').filter(Boolean);
const quiet = { listen: { port: 0 }, instruments: [external('coffee')] };

/** A folder with desk.json in it, which others may look into. */
function desk(t, config) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  chmodSync(folder.path, 0o755);
  const file = join(folder.path, 'desk.json');
  writeFileSync(file, JSON.stringify(config));
  return { path: folder.path, file, at: (name) => join(folder.path, name) };
}

const at = (file, command, env = {}) => runCommand([command, '--config', file], { env });
/** The one line on stderr, without "pricegate: " and the file's name. */
function sentence(result, file) {
  assert.equal(result.code, 1, result.stderr);
  assert.equal(lines(result.stderr).length, 1, result.stderr);
  return result.stderr.trim().replace('pricegate: ', '').replace(`${file}: `, '');
}
/** What the doctor says beside a state, the way out behind ->. */
const findings = (result, state) => result.stdout.replace(/\n +-> /g, ' -> ').split('\n')
  .filter((line) => line.startsWith(`  ${state} `)).map((line) => line.slice(11));

test('a variable that is not set: of a provider, and where it cannot be done without', async (t) => {
  const key = desk(t, {
    ...quiet,
    providers: { twelvedata: { api_key: '$TWELVE_KEY' } },
    instruments: [instrument('coffee', [['twelvedata', 'KC1']])],
  });
  const why = 'no api_key: TWELVE_KEY is not set';
  const wayOut = 'switch it on or set what is missing (in secrets.env under systemd), or take it out of the sources';
  const check = await at(key.file, 'check');
  assert.equal(check.code, 0, 'it starts without');
  assert.ok(lines(check.stdout).includes(`provider twelvedata is disabled: ${why}: ${wayOut}`), check.stdout);
  assert.ok(lines(check.stdout).includes('nobody can be asked for coffee: all its sources are disabled'), check.stdout);
  const off = 'REALTIME_PRICE_FEED_ENABLED is off: nobody is asked for anything';
  assert.ok(!lines(check.stdout).includes(off), check.stdout);
  assert.ok(lines((await at(key.file, 'check', { REALTIME_PRICE_FEED_ENABLED: 'false' })).stdout).includes(off));
  assert.ok(findings(await at(key.file, 'doctor'), 'warning').includes(`twelvedata is left out of every chain: ${why} -> ${wayOut}`));
  const gateway = await startGateway(JSON.parse(execFileSync('cat', [key.file], { encoding: 'utf8' })));
  t.after(() => gateway.stop());
  const line = await gateway.log('provider_disabled');
  assert.deepEqual([line.provider, line.why, line.advice], ['twelvedata', why, wayOut]);

  const secret = desk(t, { ...quiet, auth: { jwt: { alg: 'HS256', secret: '$TOKEN_SECRET' } } });
  const said = 'auth.jwt.secret: environment variable TOKEN_SECRET is not set: set it (in secrets.env under systemd), or write the value here';
  assert.equal(sentence(await at(secret.file, 'check'), secret.file), said);
  assert.equal(sentence(await at(secret.file, 'run'), secret.file), said);
  const problem = findings(await at(secret.file, 'doctor'), 'problem')[0];
  assert.ok(problem.includes(`${said} -> `), problem);
  assert.equal((await at(secret.file, 'check', { TOKEN_SECRET: 'x'.repeat(32) })).code, 0);
});

test('a port that is taken', async (t) => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address();
  const { file } = desk(t, { ...quiet, listen: { port } });
  const run = sentence(await at(file, 'run'), file);
  assert.equal(run, `127.0.0.1:${port}: address in use: another process listens there; stop it, or choose another listen.port`);
  assert.match(findings(await at(file, 'doctor'), 'problem')[0], new RegExp(`127\\.0\\.0\\.1:${port} is taken by node.* \\(pid ${process.pid}\\) -> stop it, or give another listen\\.port`));
  assert.equal((await at(file, 'check')).code, 0, 'check opens nothing');
});

test("Redis's password is wrong", async (t) => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const redis = await startRedis({ args: ['--port', String(port), '--requirepass', 'right'] });
  t.after(() => redis.stop());
  const config = { ...quiet, redis: { url: `redis://:wrong@127.0.0.1:${port}` } };
  const { file } = desk(t, config);
  const wayOut = 'correct the user or the password in redis.url';
  const why = new RegExp(`^Redis at 127\\.0\\.0\\.1:${port}: WRONGPASS `);
  const problem = findings(await at(file, 'doctor'), 'problem')[0];
  assert.match(problem, why);
  assert.ok(problem.endsWith(` -> ${wayOut}`), problem);
  const gateway = await startGateway(config);
  t.after(() => gateway.stop());
  const line = await gateway.log('bus_down');
  assert.match(line.why, why);
  assert.equal(line.advice, wayOut);
});

test('certificates: not there, no certificate, not of this key, encrypted, expired', async (t) => {
  const certs = makeCerts();
  t.after(() => certs.remove());
  const wrong = certs.wrong();
  const folder = desk(t, quiet);
  for (const [name, pem] of [['old.pem', wrong.expired.cert], ['old.key', wrong.expired.key], ['text.pem', 'no certificate\n']]) {
    writeFileSync(folder.at(name), pem);
  }
  execFileSync('openssl', ['pkey', '-in', certs.key, '-aes128', '-passout', 'pass:x', '-out', folder.at('locked.key')]);
  const cases = [
    [folder.at('none.pem'), certs.key, `listen.tls.cert: ${folder.at('none.pem')}: No such file or directory: put it there, or correct the path`],
    [certs.cert, folder.at('none.key'), `listen.tls.key: ${folder.at('none.key')}: No such file or directory: put it there, or correct the path`],
    [folder.at('text.pem'), certs.key, `listen.tls.cert: ${folder.at('text.pem')}: there is no certificate in PEM form in it`],
    [certs.cert, folder.at('locked.key'), `listen.tls.key: ${folder.at('locked.key')}: there is no private key in PEM form, without a passphrase, in it`],
    [certs.cert, folder.at('old.key'), `listen.tls.key: ${folder.at('old.key')}: this is not the key of the certificate in ${certs.cert}, which must be the first one in that file`],
  ];
  for (const [cert, key, said] of cases) {
    const { file } = desk(t, { ...quiet, listen: { port: 0, tls: { cert, key } } });
    assert.equal(sentence(await at(file, 'check'), file), said);
    assert.equal(sentence(await at(file, 'run'), file), said);
    assert.deepEqual(findings(await at(file, 'doctor'), 'problem'), [said]);
  }

  // Expired: who serves it is told, and serves it: without it there would be nothing at all.
  const tls = { cert: folder.at('old.pem'), key: folder.at('old.key') };
  const { file } = desk(t, { ...quiet, listen: { port: 0, tls } });
  const said = new RegExp(`^listen\\.tls\\.cert: ${tls.cert}: the certificate has expired, clients refuse it since \\d{4}-.*Z`);
  const wayOut = 'put a renewed one in its place and reload (SIGHUP)';
  const check = sentence(await at(file, 'check'), file);
  assert.match(check, said);
  assert.ok(check.endsWith(`: ${wayOut}`), check);
  assert.match(findings(await at(file, 'doctor'), 'problem')[0], /old\.pem has expired on \d{4}-.*: clients refuse it -> put a renewed certificate in its place and reload/);
  const gateway = await startGateway({ ...quiet, listen: { tls } });
  t.after(() => gateway.stop());
  const line = await gateway.log((l) => l.event === 'file_warning' && l.setting === 'listen.tls.cert');
  assert.match(line.why, said);
  assert.equal(line.advice, wayOut);
  gateway.signal('SIGHUP');
  await gateway.log('reloaded');
  await gateway.log(() => gateway.logs.filter((l) => l.event === 'file_warning').length === 2);
});

test('a certificate that is not valid yet: most often it is the clock', { skip: noFakeClock }, async (t) => {
  const certs = makeCerts();
  t.after(() => certs.remove());
  const clock = fakeClock(-86_400);
  t.after(() => clock.remove());
  const { file } = desk(t, { ...quiet, listen: { port: 0, tls: { cert: certs.cert, key: certs.key } } });
  const check = sentence(await at(file, 'check', clock.env), file);
  assert.match(check, /^listen\.tls\.cert: \S+: the certificate is not valid yet, clients refuse it until \d{4}-.*Z: wait, or see that this machine's clock is right$/);
  assert.match(findings(await at(file, 'doctor', clock.env), 'problem')[0], /is not valid before \d{4}-.* -> wait, or see that this machine's clock is right$/);
  assert.doesNotMatch((await at(file, 'check')).stderr, /not valid yet/);
});

// --- what root may do, and others may not ---

/** Runs the program's command as a user who owns nothing; null: that cannot be done here. */
function asNobody(folder, command, file) {
  const program = folder.at('pricegate');
  copyFileSync(binary, program);
  chmodSync(program, 0o755);
  const counts = folder.at('counts'); // of lines, if it was built to count them: it says so where it cannot
  mkdirSync(counts, { recursive: true });
  chmodSync(counts, 0o777);
  const words = [program, command, '--config', file];
  const [name, ...args] = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...words] : words;
  return new Promise((resolve) => {
    execFile(name, args, { env: { PATH: process.env.PATH, GCOV_PREFIX: counts }, timeout: 30_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}
const nobody = process.getuid() !== 0 || spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'true']).status === 0
  ? false : 'no other user can be had here';

test('a configuration that is not there, is a folder, or may not be read', { skip: nobody }, async (t) => {
  const folder = desk(t, quiet);
  chmodSync(folder.file, 0);
  for (const [file, said] of [
    [folder.at('none.json'), 'No such file or directory: put it there, or correct the path'],
    [folder.path, 'Is a directory: name the file in that folder'],
    [folder.file, 'Permission denied: let the user that runs pricegate read it'],
  ]) {
    for (const command of ['check', 'run']) assert.equal(sentence(await asNobody(folder, command, file), file), said);
    assert.ok(findings(await asNobody(folder, 'doctor', file), 'problem')[0].startsWith(`${file}: ${said}`));
  }
});

test('a key that may not be read, a folder that may not be written to', { skip: nobody }, async (t) => {
  const certs = makeCerts();
  t.after(() => certs.remove());
  const folder = desk(t, quiet);
  for (const [name, from, mode] of [['desk.pem', certs.cert, 0o644], ['desk.key', certs.key, 0]]) {
    copyFileSync(from, folder.at(name));
    chmodSync(folder.at(name), mode);
  }
  const { file } = desk(t, { ...quiet, listen: { port: 0, tls: { cert: folder.at('desk.pem'), key: folder.at('desk.key') } } });
  const said = `listen.tls.key: ${folder.at('desk.key')}: Permission denied: let the user that runs pricegate read it`;
  assert.equal(sentence(await asNobody(folder, 'check', file), file), said);
  assert.equal(sentence(await asNobody(folder, 'run', file), file), said);
  assert.ok(findings(await asNobody(folder, 'doctor', file), 'problem').includes(said));

  mkdirSync(folder.at('letters'), { mode: 0o555 });
  chmodSync(folder.at('letters'), 0o555);
  const letters = desk(t, { ...quiet, quality: { dead_letter_dir: folder.at('letters') } });
  const why = `quality.dead_letter_dir: ${folder.at('letters')}: Permission denied`;
  const wayOut = 'let the user that runs pricegate write there';
  assert.equal(sentence(await asNobody(folder, 'check', letters.file), letters.file), `${why}: ${wayOut}`);
  assert.ok(findings(await asNobody(folder, 'doctor', letters.file), 'problem').includes(`${why} -> ${wayOut}`));
});

/** Runs words in a world of its own in which the folder is on a disk that may not be written to. */
const readOnly = (folder, words) => ['-m', 'sh', '-c', 'mount -t tmpfs -o ro none "$0" && exec "$@"', folder, ...words];
const noMounts = spawnSync('unshare', readOnly('/mnt', ['true'])).status === 0 ? false : 'nothing can be mounted here';

test('a disk that may only be read', { skip: noMounts }, async (t) => {
  const folder = desk(t, quiet);
  mkdirSync(folder.at('disk'));
  const socket = `unix:${folder.at('disk/http.sock')}`;
  writeFileSync(folder.file, JSON.stringify({ ...quiet, listen: { host: socket } }));
  const started = spawnSync('unshare', readOnly(folder.at('disk'), [binary, 'run', '--config', folder.file]), { encoding: 'utf8', env: { PATH: process.env.PATH } });
  assert.equal(
    sentence({ ...started, code: started.status }, folder.file),
    `${socket}: Read-only file system: choose a folder that may be written to (RuntimeDirectory= in the unit), or change listen.host`,
  );

  const config = { ...quiet, quality: { dead_letter_dir: folder.at('disk/letters') } };
  writeFileSync(folder.file, JSON.stringify(config));
  const why = `quality.dead_letter_dir: ${folder.at('disk/')}: Read-only file system`;
  const wayOut = 'name a folder on a disk that may be written to (with the shipped service: below /var/lib/pricegate)';
  const run = (command) => {
    const { status, stdout, stderr } = spawnSync('unshare', readOnly(folder.at('disk'), [binary, command, '--config', folder.file]), { encoding: 'utf8', env: { PATH: process.env.PATH } });
    return { code: status, stdout, stderr };
  };
  assert.equal(sentence(run('check'), folder.file), `${why}: ${wayOut}`);
  assert.ok(findings(run('doctor'), 'problem').includes(`${why} -> ${wayOut}`));
  const gateway = await startGateway(config, { wrap: ['unshare', ...readOnly(folder.at('disk'), [])] });
  t.after(() => gateway.stop());
  const line = await gateway.log((l) => l.event === 'file_warning' && l.setting === 'quality.dead_letter_dir');
  assert.deepEqual([line.why, line.advice], [why, wayOut]);
});
