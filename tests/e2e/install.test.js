// What is installed: `cmake --install` and the Debian package, made from the build folder of the program under
// test. Every file at its place, every path in them true, and the program runs from there. LONG=1, as root with
// debootstrap: the package in a fresh Debian (tests/install/chroot).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { binary, sanitized, startGateway } from '../support/gateway.js';
import { temporaryFolder } from '../support/wait.js';

const source = fileURLToPath(new URL('../../', import.meta.url));
const build = dirname(binary);
const no = (program) => (process.env.PATH.split(':').some((folder) => existsSync(join(folder, program)))
  ? false : `${program} is not installed`);
const noBuild = existsSync(join(build, 'cmake_install.cmake')) ? no('cmake') : `${build} is no build folder`;
const shipped = sanitized && 'a sanitized program is not what is shipped';

/** Runs a command to its end; what it said is the failure's reason. */
async function run(command, args, { env = {}, ...options } = {}) {
  try {
    const all = { maxBuffer: 1e8, env: { ...process.env, LC_ALL: 'C.UTF-8', ...env }, ...options };
    return (await promisify(execFile)(command, args, all)).stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

/** Every file below, as "/usr/bin/pricegate". */
const files = (root) => readdirSync(root, { withFileTypes: true })
  .flatMap((e) => (e.isDirectory() ? files(join(root, e.name)).map((f) => `/${e.name}${f}`) : [`/${e.name}`])).sort();

async function install(t, prefix) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const again = () => run('cmake', ['--install', build, '--prefix', prefix], { env: { DESTDIR: folder.path } });
  await again();
  const read = (path) => readFileSync(join(folder.path, path), 'utf8');
  return { root: folder.path, at: (path) => join(folder.path, path), read, again };
}

/** The program at that path says its version, takes the configuration, and serves the installed page. */
async function works(t, { at }, prefix, etc) {
  const program = at(`${prefix}/bin/pricegate`);
  assert.match(await run(program, ['--version']), /^pricegate \d+\.\d+\.\d+\n$/);
  assert.match(await run(program, ['check', '--config', at(`${etc}/pricegate.json`)]), /: ok, /);
  const web = at(`${prefix}/share/pricegate/web`);
  const wrap = ['sh', '-c', 'shift && exec "$0" "$@"', program]; // that one, not the one of the build
  const gateway = await startGateway(
    { listen: { web_root: realpathSync(web) }, instruments: [{ symbol: 'coffee', sources: [] }] }, { wrap });
  t.after(() => gateway.stop());
  for (const path of ['index.html', 'client/index.js', 'vendor/lightweight-charts.js']) {
    const answer = await gateway.get(`/${path}`);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.body, readFileSync(join(source, 'web', path), 'utf8'), path);
  }
}

test('under /usr everything is where Debian looks for it', { skip: noBuild }, async (t) => {
  const { root, at, read } = await install(t, '/usr');
  const there = files(root).filter((path) => !/^\/usr\/share\/(pricegate\/web|doc\/pricegate\/examples)\//.test(path));
  assert.deepEqual(there, [
    '/etc/pricegate/pricegate.json',
    '/usr/bin/pricegate',
    '/usr/lib/systemd/system/pricegate.service',
    '/usr/share/bash-completion/completions/pricegate',
    '/usr/share/doc/pricegate/README.md',
    '/usr/share/doc/pricegate/SECURITY.md',
    '/usr/share/doc/pricegate/changelog.Debian.gz',
    '/usr/share/doc/pricegate/changelog.gz',
    '/usr/share/doc/pricegate/copyright',
    '/usr/share/man/man1/pricegate.1.gz',
    '/usr/share/man/man5/pricegate.json.5.gz',
    '/usr/share/pricegate/pricegate.schema.json',
    `/usr/share/zsh/${existsSync('/etc/debian_version') ? 'vendor-completions' : 'site-functions'}/_pricegate`,
  ]);
  assert.match(read('/usr/lib/systemd/system/pricegate.service'),
    /^ExecStart=\/usr\/bin\/pricegate run --config \/etc\/pricegate\/pricegate\.json$/m);
  assert.equal(JSON.parse(read('/etc/pricegate/pricegate.json')).$schema, '/usr/share/pricegate/pricegate.schema.json');
  for (const page of ['man1/pricegate.1', 'man5/pricegate.json.5']) {
    assert.deepEqual(gunzipSync(readFileSync(at(`/usr/share/man/${page}.gz`))), readFileSync(join(source, 'docker/man', page.slice(5))));
  }
  assert.deepEqual(files(at('/usr/share/pricegate/web/client')), files(join(source, 'web/client')), 'the client package is whole');
  await works(t, { at }, '/usr', '/etc/pricegate');
});

test('under another prefix, too; what is configured stays', { skip: noBuild }, async (t) => {
  const { root, at, read, again } = await install(t, '/opt/desk');
  for (const path of files(root)) assert.match(path, /^\/opt\/desk\//);
  const unit = read('/opt/desk/lib/systemd/system/pricegate.service');
  assert.match(unit, /^ExecStart=\/opt\/desk\/bin\/pricegate run --config \/opt\/desk\/etc\/pricegate\/pricegate\.json$/m);
  assert.match(unit, /^EnvironmentFile=-\/opt\/desk\/etc\/pricegate\/secrets\.env$/m);
  assert.ok(existsSync(at('/opt/desk/share/zsh/site-functions/_pricegate')));
  const config = at('/opt/desk/etc/pricegate/pricegate.json');
  writeFileSync(config, '{"instruments": []}\n');
  utimesSync(config, 1, 1); // CMake copies what is not of the same second
  await again();
  assert.equal(readFileSync(config, 'utf8'), '{"instruments": []}\n');
});

/** The package, made once: its path. */
let making;
const makePackage = () => (making ??= (async () => {
  const folder = temporaryFolder();
  process.on('exit', () => folder.remove());
  const cpack = 'umask 022 && exec cpack --config "$0" -B .'; // as ./dev package has it
  await run('sh', ['-c', cpack, join(build, 'CPackConfig.cmake')], { cwd: folder.path });
  const name = readdirSync(folder.path).filter((n) => n.endsWith('.deb'));
  assert.equal(name.length, 1, 'one package');
  return join(folder.path, name[0]);
})());
const noPackage = noBuild || shipped || no('dpkg-shlibdeps') || no('cpack');

test('the Debian package says what it needs and brings what runs', { skip: noPackage }, async (t) => {
  const deb = await makePackage();
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  await run('dpkg-deb', ['-R', deb, folder.path]);
  const at = (path) => join(folder.path, path);
  const control = readFileSync(at('DEBIAN/control'), 'utf8');
  const field = (name) => control.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
  const needs = field('Depends').split(', ').map((d) => d.split(' ')[0]);

  // Each library that the linker wrote into the program is in a package that is asked for.
  const program = at('usr/bin/pricegate');
  const needed = [...(await run('readelf', ['-d', program])).matchAll(/NEEDED.*\[(.*)\]/g)].map((m) => m[1]);
  assert.ok(needed.length > 8, needed.join(' '));
  const map = new Map([...(await run('ldd', [program])).matchAll(/^\s+(\S+) => (\S+)/gm)].map((m) => [m[1], m[2]]));
  const owners = await Promise.all(needed.filter((name) => map.has(name)).map(async (name) => {
    const paths = [map.get(name), realpathSync(map.get(name))];
    const said = await run('sh', ['-c', 'dpkg-query -S "$@" 2>/dev/null || true', 'sh', ...paths, ...paths.map((p) => `/usr${p}`)]);
    return said.split(/[:\n]/)[0];
  }));
  for (const owner of owners) assert.ok(needs.includes(owner), `${owner} in ${needs.join(' ')}`);
  // And what the linker does not know of.
  for (const name of ['libwebsockets-evlib-uv', 'ca-certificates', 'tzdata']) assert.ok(needs.includes(name), name);

  assert.equal(field('Package'), 'pricegate');
  assert.equal(field('Architecture'), (await run('dpkg', ['--print-architecture'])).trim());
  assert.match(await run(program, ['--version']), new RegExp(`^pricegate ${field('Version').replace(/-\d+$/, '')}\n$`));
  assert.equal(readFileSync(at('DEBIAN/conffiles'), 'utf8'), '/etc/pricegate/pricegate.json\n');
  assert.ok(existsSync(at('usr/lib/systemd/system/pricegate.service')));
  for (const script of ['postinst', 'prerm', 'postrm']) await run('sh', ['-n', at(`DEBIAN/${script}`)]);
  await works(t, { at }, 'usr', 'etc/pricegate');

  // Sums, owners and rights, as Debian wants them.
  const sums = readFileSync(at('DEBIAN/md5sums'), 'utf8').trim().split('\n').map((line) => line.split(/ +/));
  const packed = files(folder.path).map((path) => path.slice(1)).filter((path) => !path.startsWith('DEBIAN/'));
  assert.deepEqual(sums.map(([, path]) => path).sort(), packed);
  for (const [sum, path] of sums) assert.equal(createHash('md5').update(readFileSync(at(path))).digest('hex'), sum, path);
  for (const line of (await run('dpkg-deb', ['-c', deb])).trim().split('\n')) {
    assert.match(line, /^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root\/root /);
  }
  assert.equal(lstatSync(program).mode & 0o777, 0o755);
});

const notPermitted = !process.env.LONG ? 'LONG=1 is not set'
  : process.getuid() !== 0 ? 'debootstrap needs root'
    : noPackage || no('debootstrap') || no('unshare') || no('curl');

test('apt installs it in a fresh Debian, where it runs', { skip: notPermitted }, async () => {
  const said = await run(join(source, 'tests/install/chroot'), [await makePackage()]);
  assert.match(said, /"ready":true/);
  assert.match(said, /chroot: installed, answered and purged/);
});
