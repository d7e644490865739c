// A throw-away certificate authority and a server certificate for localhost, made with openssl.
// {ca, cert, key}: file names; the PEM texts under .pem. Nothing of it outlives the test run.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './wait.js';

function openssl(cwd, ...args) {
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const RSA = ['-newkey', 'rsa:2048', '-nodes'];

/** rsa: the server's key is one, so that what only such a key can do can be asked for. */
export function makeCerts({ rsa = false } = {}) {
  const folder = temporaryFolder();
  const dir = folder.path;
  openssl(dir, 'req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
    '-subj', '/CN=pricegate test CA');
  openssl(dir, 'req', ...(rsa ? RSA : EC), '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(join(dir, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n');
  openssl(dir, 'x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-CAcreateserial', '-out', 'server.pem', '-days', '2', '-extfile', 'ext');
  const files = { ca: join(dir, 'ca.pem'), cert: join(dir, 'server.pem'), key: join(dir, 'server.key') };
  const pem = Object.fromEntries(
    Object.entries(files).map(([name, path]) => [name, readFileSync(path, 'utf8')]),
  );
  return { ...files, pem, remove: folder.remove };
}
