// A throw-away certificate authority and a server certificate for localhost, made with openssl.
// {ca, cert, key}: file names; the PEM texts under .pem. wrong() makes three that nobody may
// believe: {expired, elsewhere (another host's), unknown (signed by itself)}, each {cert, key} as PEM.
// Nothing of it outlives the test run.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './wait.js';

function openssl(cwd, ...args) {
  execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const RSA = ['-newkey', 'rsa:2048', '-nodes'];

const pemsOf = (dir, name) => ({
  cert: readFileSync(join(dir, `${name}.pem`), 'utf8'),
  key: readFileSync(join(dir, `${name}.key`), 'utf8'),
});

/** A certificate by the folder's authority: name.pem and name.key. */
function sign(dir, name, { kind = EC, subject = 'localhost', names = 'DNS:localhost', days = 2 } = {}) {
  openssl(dir, 'req', ...kind, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  writeFileSync(join(dir, 'ext'), `subjectAltName=${names}\n`);
  openssl(dir, 'x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-CAcreateserial', '-out', `${name}.pem`, '-days', String(days), '-extfile', 'ext');
  return pemsOf(dir, name);
}

/** rsa: the server's key is one, so that what only such a key can do can be asked for. */
export function makeCerts({ rsa = false } = {}) {
  const folder = temporaryFolder();
  const dir = folder.path;
  openssl(dir, 'req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
    '-subj', '/CN=pricegate test CA');
  sign(dir, 'server', { kind: rsa ? RSA : EC, names: 'DNS:localhost,IP:127.0.0.1,IP:::1' });
  const files = { ca: join(dir, 'ca.pem'), cert: join(dir, 'server.pem'), key: join(dir, 'server.key') };
  const pem = Object.fromEntries(
    Object.entries(files).map(([name, path]) => [name, readFileSync(path, 'utf8')]),
  );
  const wrong = () => {
    openssl(dir, 'req', '-x509', ...EC, '-keyout', 'unknown.key', '-out', 'unknown.pem', '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost');
    return {
      expired: sign(dir, 'expired', { days: 0 }), // that ends the moment it begins; OpenSSL 3.4 takes no -1
      elsewhere: sign(dir, 'elsewhere', { subject: 'elsewhere.test', names: 'DNS:elsewhere.test' }),
      unknown: pemsOf(dir, 'unknown'),
    };
  };
  return { ...files, pem, wrong, remove: folder.remove };
}
