// A container engine (podman, Debian's package) with a storage of its own, for what docker/ builds and runs. There is no
// registry in it: what an image begins with is made by debootstrap, without the files that Debian's
// slim images leave out, and what Compose would fetch is made of Debian's packages.
//
//   const engine = await startEngine(t, 'debian:bookworm-20260824-slim');
//   await engine.podman('build', ...);
//   const container = await engine.run('pricegate', service, { image, add: ['--network', 'none'] });
//   await container.exec(...)  await container.curl('http://127.0.0.1:8080/')  await container.stop()
//
// Needs root. Containers get the limits of the machine where those of the file are above them.

import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { mounts } from './compose.js';
import { temporaryFolder } from './wait.js';

const mirror = process.env.MIRROR ? [process.env.MIRROR] : []; // debootstrap's own choice
const installed = (name) => [...process.env.PATH.split(':'), '/usr/sbin'].some((folder) => existsSync(join(folder, name)));

/** Why there can't be one here; false: there can. */
export function noEngine() {
  if (process.getuid() !== 0) return 'containers need root here';
  const missing = ['podman', 'runc', 'debootstrap', 'nsenter', 'curl'].find((name) => !installed(name));
  return missing ? `${missing} is not installed` : false;
}

async function run(command, args, options = {}) {
  try {
    return (await promisify(execFile)(command, args, { maxBuffer: 1e8, ...options })).stdout;
  } catch (error) {
    const words = args.slice(args.indexOf('fatal') + 1).join(' '); // without podman's own flags
    throw new Error(`${command} ${words}: ${error.code ?? error.signal}\n${`${error.stdout}${error.stderr}`.slice(-4000)}`);
  }
}

/** Debian's slim images are minbase without documentation and translations, now and with later packages. */
async function makeBase(suite, folder) {
  await run('debootstrap', ['--variant=minbase', suite, folder, ...mirror]);
  const without = ['doc', 'groff', 'info', 'lintian', 'linda', 'locale', 'man'];
  const rules = without.map((name) => `path-exclude /usr/share/${name}/*\n`).join('');
  appendFileSync(join(folder, 'etc/dpkg/dpkg.cfg.d/docker'), `${rules}path-include /usr/share/doc/*/copyright\n`);
  execFileSync('find', [join(folder, 'usr/share/doc'), '!', '-type', 'd', '!', '-name', 'copyright', '-delete']);
  const empty = (path) => {
    for (const name of existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : []) rmSync(join(folder, path, name), { recursive: true });
  };
  for (const name of without.slice(1)) empty(`usr/share/${name}`);
  for (const path of ['var/cache/apt', 'var/lib/apt/lists', 'var/log']) empty(path);
}

const hardLimit = (name) => Number(new RegExp(`^Max ${name} +\\S+ +(\\d+)`, 'm').exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 65536);
const files = hardLimit('open files');

/** What `docker compose` would tell the engine of a service. */
function options(service, volumes) {
  const list = (option, values = []) => values.flatMap((value) => [option, String(value)]);
  const one = (option, value) => (value === undefined ? [] : [`${option}=${value}`]);
  const nofile = Math.min(service.ulimits?.nofile ?? 4096, files);
  return [
    ...(service.read_only ? ['--read-only', '--read-only-tmpfs=false'] : []), // Docker adds none
    ...list('--cap-drop', service.cap_drop),
    ...list('--security-opt', service.security_opt?.map((text) => text.replace(':true', ''))),
    ...one('--memory', service.mem_limit), ...one('--cpus', service.cpus), ...one('--pids-limit', service.pids_limit),
    ...one('--user', service.user), ...one('--workdir', service.working_dir),
    ...list('--env', Object.entries(service.environment ?? {}).map(([name, value]) => `${name}=${value}`)),
    ...list('--tmpfs', service.tmpfs),
    ...list('--volume', mounts({ volumes }).map(({ from, to, readOnly }) => `${from}:${to}${readOnly ? ':ro' : ''}`)),
    ...one('--entrypoint', service.entrypoint && JSON.stringify(service.entrypoint)),
    '--ulimit', `nofile=${nofile}:${nofile}`, '--ulimit', 'nproc=1024:1024', '--ulimit', 'core=0',
  ];
}

export async function startEngine(t, base) {
  const folder = temporaryFolder();
  const at = (name) => join(folder.path, name);
  const flags = ['--root', at('storage'), '--runroot', at('run'), '--tmpdir', at('tmp'), '--volumepath', at('volumes'), '--storage-driver', 'vfs',
    '--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--runtime', 'runc', '--log-level', 'fatal'];
  const podman = (...args) => run('podman', [...flags, ...args]);
  t.after(async () => {
    // Those in the network of another one go first.
    for (const again of [true, false]) await podman('rm', '--all', '--force', '--time', '0').catch((error) => again || Promise.reject(error));
    folder.remove();
  });
  mkdirSync(at('base'));
  await makeBase(base.split(':')[1].split('-')[0], at('base'));
  await run('tar', ['-C', at('base'), '-cf', at('base.tar'), '.']);
  await podman('import', at('base.tar'), `docker.io/library/${base}`);
  rmSync(at('base'), { recursive: true });
  rmSync(at('base.tar'));

  const engine = {
    folder: folder.path,
    podman,
    inspect: async (what) => JSON.parse(await podman('inspect', what))[0],
    build: (...args) => podman('build', '--pull=never', '--isolation', 'chroot', '--format', 'docker', '--network', 'host', ...args),
    volume: (name) => join(at('volumes'), name, '_data'),

    /** Runs a service to its end: what it said. */
    once: (service, { image = service.image, add = [] } = {}) =>
      podman('run', '--rm', '--pull=never', '--no-healthcheck', ...options(service, service.volumes), ...add, image, ...(service.command ?? [])),

    async run(name, service, { image = service.image, add = [] } = {}) {
      const command = service.command ?? [];
      await podman('run', '--detach', '--name', name, '--pull=never', '--no-healthcheck', ...options(service, service.volumes), ...add, image, ...command);
      const state = async () => (await engine.inspect(name)).State;
      return {
        name,
        state,
        exec: (...words) => podman('exec', name, ...words),
        logs: () => run('sh', ['-c', 'exec "$@" 2>&1', 'sh', 'podman', ...flags, 'logs', name]),
        signal: (signal) => podman('kill', '--signal', signal, name),
        stop: async (seconds) => {
          await podman('stop', '--time', String(seconds), name);
          return (await state()).ExitCode;
        },
        /** curl, from within its network. */
        curl: async (...words) => run('nsenter', [`--net=/proc/${(await state()).Pid}/ns/net`, 'curl', '-sS', '--fail', '--max-time', '20', ...words]),
      };
    },
  };
  return engine;
}
