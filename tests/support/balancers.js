// A real nginx or HAProxy (Debian's packages) with its example of docker/, in which nothing is changed but addresses,
// ports and paths of files.
//
//   const proxy = await startBalancer(t, 'nginx', [a, b], { secure: true });   a, b: {port, metricsPort}; or
//                                                        [a] alone: {socket, metricsPort}
//   proxy.url, proxy.wsUrl, proxy.plainUrl; proxy.ca to trust; proxy.accessLog()
//
// secure: the example's variant with TLS to the gateways.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { networkInterfaces } from 'node:os';

import { docker } from './compose.js';
import { request } from './gateway.js';
import { testCerts } from './scene.js';
import { freePort, temporaryFolder, until, within } from './wait.js';

const folders = [...process.env.PATH.split(':'), '/usr/sbin'];
const find = (name) => folders.map((folder) => join(folder, name)).find(existsSync);
/** Why a test that needs the program is left out; false: it is there. */
export const missing = (name) => (find(name) ? false : `${name} is not installed (Debian: ${name})`);

const v6 = Object.values(networkInterfaces()).flat().some((i) => i.address === '::1');

/** Every place of `from` becomes `to`; there must be one. */
function swap(text, from, to) {
  if (!text.includes(from)) throw new Error(`the example has no "${from}" any more`);
  return text.replaceAll(from, to);
}

const kinds = {
  nginx(folder, { plain, tls, backends: [a, b], secure }) {
    const certs = testCerts();
    let text = readFileSync(join(docker, 'nginx/pricegate.conf'), 'utf8');
    for (const [old, port] of [['443', tls], ['80', plain]]) {
      text = swap(text, `listen ${old}`, `listen 127.0.0.1:${port}`);
      text = v6 ? swap(text, `listen [::]:${old}`, `listen [::1]:${port}`) : text.replace(new RegExp(`listen \\[::\\]:${old}.*`), '');
    }
    if (a.socket) {
      text = text.replace(/^ +server 127.*\n/gm, '');
      text = swap(text, '    #server unix:/run/pricegate/a.sock', `    server unix:${a.socket}`);
    } else {
      text = swap(text, '127.0.0.1:8081', `127.0.0.1:${a.port}`);
      text = swap(text, '127.0.0.1:8082', `127.0.0.1:${b.port}`);
    }
    text = swap(text, 'server_name prices.example', 'server_name localhost');
    text = swap(text, '/etc/ssl/certs/prices.example.pem', certs.cert);
    text = swap(text, '/etc/ssl/private/prices.example.key', certs.key);
    text = swap(text, '/var/log/nginx/pricegate.log', join(folder, 'access.log'));
    if (secure) {
      text = swap(text, '    #proxy_ssl', '    proxy_ssl');
      text = swap(text, 'proxy_pass http://', 'proxy_pass https://');
      text = swap(text, '/etc/ssl/certs/gateways-ca.pem', certs.ca);
    }
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${join(folder, n)};`).join(' ');
    const own = process.getuid() === 0 ? 'user root;' : ''; // the temporary folder is for its owner only
    const main = `${own} daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events { } http { ${paths} include ${folder}/example; }`;
    return { text, files: { main }, args: ['-p', folder, '-e', 'stderr', '-c', join(folder, 'main')], log: 'access.log' };
  },
  haproxy(folder, { plain, tls, backends: [a, b], secure }) {
    const certs = testCerts();
    let text = readFileSync(join(docker, 'haproxy/haproxy.cfg'), 'utf8');
    // In this order: the port in place of 80 may begin with 443, that of 443 never with 80.
    text = swap(text, 'bind :::443', `bind ${v6 ? '::' : '127.0.0.1'}:${tls}`);
    text = swap(text, 'bind :::80', `bind ${v6 ? '::' : '127.0.0.1'}:${plain}`);
    if (!v6) text = swap(text, ' v4v6', '');
    if (a.socket) {
      text = text.replace(/^ +server . 127.*\n/gm, '');
      text = swap(text, '    #server a unix@/run/pricegate/a.sock addr 127.0.0.1 port 9181', `    server a unix@${a.socket} addr 127.0.0.1 port ${a.metricsPort}`);
    } else {
      text = swap(text, '127.0.0.1:8081 port 9181', `127.0.0.1:${a.port} port ${a.metricsPort}`);
      text = swap(text, '127.0.0.1:8082 port 9182', `127.0.0.1:${b.port} port ${b.metricsPort}`);
    }
    text = swap(text, '/etc/haproxy/prices.example.pem', join(folder, 'both.pem'));
    text = swap(text, 'maxconn 20000', 'maxconn 200'); // more than the files that a test may have
    text = swap(text, 'log /dev/log local0', 'log stdout format raw local0');
    if (process.getuid() !== 0 || a.socket) text = swap(swap(text, '    user haproxy\n', ''), '    group haproxy\n', '');
    if (secure) text = swap(swap(text, '    #default-server', '    default-server'), '/etc/ssl/certs/gateways-ca.pem', certs.ca);
    return { text, files: { 'both.pem': certs.pem.cert + certs.pem.key }, args: ['-db', '-f', join(folder, 'example')] };
  },
};

export async function startBalancer(t, name, backends, { secure = false } = {}) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const [plain, tls] = [await freePort(), await freePort()];
  const { text, files, args, log } = kinds[name](folder.path, { plain, tls, backends, secure });
  for (const [file, content] of Object.entries({ ...files, example: text })) writeFileSync(join(folder.path, file), content);

  const child = spawn(find(name), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
  const exited = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  const orphan = () => child.kill('SIGKILL');
  process.on('exit', orphan);
  t.after(async () => {
    process.off('exit', orphan);
    child.kill('SIGTERM'); // at once, both
    await within(exited, `${name} ends`);
  });

  const proxy = {
    url: `https://localhost:${tls}/`,
    wsUrl: `wss://localhost:${tls}/ws`,
    plainUrl: `http://localhost:${plain}/`,
    ca: testCerts().pem.ca,
    accessLog: () => (log ? readFileSync(join(folder.path, log), 'utf8') : said),
    get: (path, options) => request(proxy.url, { ca: proxy.ca, ...options, path }),
    post: (path, options) => request(proxy.url, { ca: proxy.ca, method: 'POST', body: '', ...options, path }),
  };
  const passes = async () => child.exitCode !== null || (await proxy.get('/healthz')).status === 200;
  await until(passes, `${name} passes requests on`).catch((error) => {
    throw new Error(`${error.message}\n${said}`);
  });
  if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
  return proxy;
}
