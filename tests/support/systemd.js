// A systemd of the test's own (systemd-boot says how), with our unit in it, as far as this machine lets one run.
//
//   const systemd = await startSystemd({ config: {...}, files: {'ca.pem': text}, dropIn: '[Service]\n...' });
//   systemd.control('start', 'pricegate');    systemctl
//   systemd.show('pricegate', 'MainPID');     one property
//   systemd.configure({...}); systemd.write('a.env', text);   in its /etc/pricegate
//   systemd.inside(pid, 'touch', '/etc/x');   a command that sees the files as that process does
//   await systemd.log((l) => l.event === 'draining');   from its journal

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { binary, sanitized } from './gateway.js';
import { temporaryFolder, until } from './wait.js';

const boot = fileURLToPath(new URL('systemd-boot', import.meta.url));
const docker = fileURLToPath(new URL('../../docker/', import.meta.url));

/** Why none can be run here; false: one can. */
export function noSystemd() {
  if (sanitized) return 'sanitizers need what the unit forbids';
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
  if (process.getuid() !== 0) return 'only root can start a systemd';
  const tries = 'mount -t cgroup2 none /mnt && mkdir /mnt/pricegate-try && rmdir /mnt/pricegate-try && mount -t tmpfs none /mnt && '
    + 'mkdir /mnt/a /mnt/b /mnt/c && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/a,workdir=/mnt/b /mnt/c && '
    + 'unshare --user true'; // PrivateUsers=; a chroot may not have one
  const tried = spawnSync('unshare', ['--mount', '--pid', '--fork', '--cgroup', 'sh', '-c', tries], { encoding: 'utf8' });
  return tried.status === 0 ? false : `no namespaces, control groups or overlays here: ${tried.stderr.trim()}`;
}

/** units: further ones, name: text. dropIn: what is added to pricegate.service. */
export async function startSystemd({ config, files = {}, units = {}, dropIn = '' }) {
  const folder = temporaryFolder();
  chmodSync(folder.path, 0o755); // its user is not ours
  const etc = join(folder.path, 'etc');
  mkdirSync(etc);
  const write = (name, text) => writeFileSync(join(etc, name), text);
  const configure = (c) => write('pricegate.json', JSON.stringify(c));
  configure(config);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const all = [join(docker, 'pricegate.service')];
  for (const [name, text] of Object.entries(units)) {
    writeFileSync(join(folder.path, name), text);
    all.push(join(folder.path, name));
  }
  const child = spawn(boot, [binary, etc, ...all], { stdio: ['ignore', 'pipe', 'inherit'] });
  const orphan = () => child.kill();
  process.on('exit', orphan);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const pid = /^pid (\d+)$/.exec(line)[1];
  const within = (...command) => execFileSync('nsenter', ['-t', pid, '-m', '-u', '-i', '-p', '-C', '-r', '-w', '--', ...command], { encoding: 'utf8', stdio: 'pipe', timeout: 60_000 });

  const systemd = {
    within,
    write,
    configure,
    control: (...args) => within('systemctl', '--no-pager', ...args),
    show: (unit, property) => within('systemctl', 'show', '--value', '-p', property, unit).trim(),
    inside: (of, ...command) => within('nsenter', '-t', String(of), '-m', '-r', '-w', '--', ...command),
    journal: () => within('journalctl', '--no-pager', '-o', 'cat'),
    logs: () => systemd.journal().split('\n').flatMap((text) => {
      try {
        return [JSON.parse(text)];
      } catch {
        return [];
      }
    }),
    log: (matches, what = String(matches), ms = 20_000) => until(() => systemd.logs().find(matches), `in the journal: ${what}`, ms, 100),
    async stop() {
      process.off('exit', orphan);
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      folder.remove();
    },
  };
  try {
    await until(() => ['running', 'degraded'].includes(spawnSync('nsenter', ['-t', pid, '-m', '-u', '-i', '-p', '-C', '-r', '-w', '--', 'systemctl', 'is-system-running'], { encoding: 'utf8' }).stdout.trim()), 'systemd is up', 20_000, 50);
    if (dropIn) {
      within('sh', '-c', 'mkdir -p /run/systemd/system/pricegate.service.d && printf %s "$1" >/run/systemd/system/pricegate.service.d/test.conf', 'sh', dropIn);
      systemd.control('daemon-reload');
    }
  } catch (error) {
    await systemd.stop();
    throw error;
  }
  return systemd;
}
