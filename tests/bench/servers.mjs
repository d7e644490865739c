// The servers that are compared. start(place) gives {pid, port, load, publish, stop}: the process to
// be watched, the options that bench_load and bench_publish need for it.
//
// place: {workload, redis, certs, bin}. Whatever is started here runs on core 0.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { binary, startGateway } from '../support/gateway.js';
import { freePort, temporaryFolder, until, within } from '../support/wait.js';

// None outlives us. SIGTERM, because a killed nginx leaves its worker.
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGTERM')));

function start(command, args, stdout) {
  const child = spawn('taskset', ['-c', SERVER_CORE, command, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
  });
  running.add(child);
  const exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  exited.then(() => running.delete(child));
  return { child, exited };
}

export const SERVER_CORE = '0';
export const LOAD_CORE = '1';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const symbol = (i) => `S${String(i).padStart(4, '0')}`;

/** Moves all threads of a process; what it starts later inherits. */
export function pin(pid, core) {
  execFileSync('taskset', ['-acp', core, String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
}

function version(command, args, pattern) {
  try {
    // nginx tells its version on stderr
    const text = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' });
    return text.match(pattern)?.[1] ?? null;
  } catch {
    return null;
  }
}

async function end(child, exited) {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  try {
    await within(exited, 'the server ends after SIGTERM', 15_000);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** A program that prints {"port":N} once it listens. */
async function startPrinting(command, args) {
  const { child, exited } = start(command, args, 'pipe');
  const line = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const first = await within(Promise.race([line, exited]), `${command} listens`);
  if (typeof first !== 'string') throw new Error(`${command} ended at once`);
  return { pid: child.pid, port: JSON.parse(first).port, load: [], stop: () => end(child, exited) };
}

const floor = {
  name: 'floor',
  version: () => 'bare send()',
  start: ({ workload, redis, certs, bin }) =>
    startPrinting(join(bin, 'bench_floor'), [
      '--redis', redis.socket, '--symbols', String(workload.symbols),
      '--flush-ms', String(workload.floor),
      ...(workload.tls ? ['--cert', certs.cert, '--key', certs.key] : []),
    ]),
};

const pricegate = {
  name: 'pricegate',
  version: () => version(binary, ['--version'], /(\d\S*)/),
  async start({ workload, redis, certs }) {
    const instruments = Array.from({ length: workload.symbols }, (_, i) => ({
      symbol: symbol(i), sources: [],
    }));
    const listen = workload.tls ? { tls: { cert: certs.cert, key: certs.key } } : {};
    const fanout = workload.deflate ? { fanout: { compression: true } } : {};
    const gateway = await startGateway({ listen, redis: { url: redis.url }, instruments, ...fanout });
    pin(gateway.pid, SERVER_CORE);
    await until(async () => (await redis.command('PUBSUB', 'NUMPAT')) > 0 ||
      (await redis.command('PUBSUB', 'NUMSUB', `${symbol(0)}:price:stream`))[1] > 0,
    'pricegate subscribes');
    return { pid: gateway.pid, port: gateway.port, load: [], stop: () => gateway.stop() };
  },
};

const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';

function nginxConfig({ dir, port, tlsPort, certs }) {
  const tls = tlsPort
    ? `listen 127.0.0.1:${tlsPort} ssl backlog=4096; ssl_certificate ${certs.cert}; ssl_certificate_key ${certs.key};`
    : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/${name};`).join(' ');
  return `load_module ${NCHAN};
daemon off; worker_processes 1; worker_rlimit_nofile 20000; ${process.getuid() === 0 ? 'user root;' : ''}
pid ${dir}/nginx.pid; error_log ${dir}/error.log warn;
events { worker_connections 19000; }
http {
  access_log off; ${temporary} keepalive_requests 1000000000; nchan_shared_memory_size 512M;
  server {
    listen 127.0.0.1:${port} backlog=4096; ${tls}
    location = /pub { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1000; }
    location = /ws { nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }
  }
}
`;
}

const nchan = {
  name: 'Nchan',
  peer: true,
  cannot: (workload) => workload.deflate, // an option of each channel's location, not tried here
  version: () => existsSync(NCHAN)
    ? `nginx ${version('nginx', ['-v'], /nginx\/(\S+)/)}, package ${version('dpkg-query', ['-W', 'libnginx-mod-nchan'], /\t(\S+)/)}`
    : null,
  async start({ workload, certs }) {
    const folder = temporaryFolder();
    const port = await freePort();
    const tlsPort = workload.tls ? await freePort() : 0;
    const file = join(folder.path, 'nginx.conf');
    writeFileSync(file, nginxConfig({ dir: folder.path, port, tlsPort, certs }));
    const { child, exited } = start('nginx', ['-p', folder.path, '-c', file, '-e', join(folder.path, 'error.log')], 'ignore');
    const children = `/proc/${child.pid}/task/${child.pid}/children`;
    const pid = await until(
      () => existsSync(join(folder.path, 'nginx.pid')) && Number(readFileSync(children, 'utf8').trim().split(' ')[0]),
      'nginx has a worker',
    );
    return {
      pid,
      port: tlsPort || port,
      load: ['--no-subscribe', '--ready-open'],
      publish: ['--http', String(port), '--path', '/pub'],
      async stop() {
        await end(child, exited);
        folder.remove();
      },
    };
  },
};

const ws = {
  name: 'ws',
  peer: true,
  version() {
    try {
      const { version: found } = JSON.parse(readFileSync(here('../node_modules/ws/package.json'), 'utf8'));
      return `${found}, node ${process.versions.node}`;
    } catch {
      return null;
    }
  },
  async start({ workload, redis, certs }) {
    const tls = workload.tls ? [certs.cert, certs.key] : [];
    const deflate = workload.deflate ? ['--deflate'] : [];
    const server = await startPrinting(process.execPath, [here('peer-ws.mjs'), redis.socket, ...tls, ...deflate]);
    return { ...server, load: ['--no-subscribe', '--ready-open'] };
  },
};

export const servers = [floor, pricegate, nchan, ws];
