// Making keys and tokens on the command line, and using them.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { runCommand, startGateway } from '../support/gateway.js';
import { temporaryFolder } from '../support/wait.js';

const instruments = [
  { symbol: 'coffee', sources: [] },
  { symbol: 'cocoa', sources: [] },
];

async function seenBy(gateway, token) {
  const { status, json } = await gateway.get('/api/v1/instruments', {
    headers: { authorization: `Bearer ${token}` },
  });
  return status === 200 ? json.data.map((i) => i.symbol) : status;
}

test('a key and its line of configuration', async (t) => {
  const made = await runCommand(['key', 'desk', '--role', 'analyst', '--symbols', 'coffee,EUR/*']);
  assert.equal(made.code, 0, made.stderr);
  const [key, line] = made.stdout.trim().split('\n');
  assert.match(key, /^pg_[0-9a-f]{64}$/);
  const entry = JSON.parse(line);
  const sha256 = createHash('sha256').update(key).digest('hex');
  assert.deepEqual(entry, { name: 'desk', role: 'analyst', sha256, symbols: ['coffee', 'EUR/*'] });
  assert.notEqual((await runCommand(['key', 'desk'])).stdout, made.stdout);

  const gateway = await startGateway({ auth: { anonymous_role: null, keys: [entry] }, instruments });
  t.after(() => gateway.stop());
  assert.deepEqual(await seenBy(gateway, key), ['coffee']);
  assert.equal(await seenBy(gateway, `${key}0`), 401);
});

test('a token that the configured gateway takes', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = { public: join(folder.path, 'public.pem'), private: join(folder.path, 'private.pem') };
  writeFileSync(files.public, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(files.private, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const ways = [
    [{ alg: 'HS256', secret: 'a secret of more than 32 bytes, yes' }, []],
    [{ alg: 'ES256', public_key_file: files.public }, ['--private-key', files.private]],
  ];
  for (const [jwt, more] of ways) {
    const config = { auth: { anonymous_role: null, jwt: { ...jwt, issuer: 'me', audience: 'pg' } }, instruments };
    const gateway = await startGateway(config);
    try {
      const args = ['token', 'ann', '--config', gateway.file, '--symbols', 'cocoa', ...more];
      const made = await runCommand(args);
      assert.equal(made.code, 0, made.stderr);
      assert.deepEqual(await seenBy(gateway, made.stdout.trim()), ['cocoa']);
    } finally {
      await gateway.stop();
    }
  }
});

test('what is refused, and why', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = join(folder.path, 'c.json');
  const write = (jwt) => writeFileSync(file, JSON.stringify({ auth: { jwt } }));
  const refused = async (args, code, why) => {
    const result = await runCommand(args, { cwd: folder.path });
    assert.equal(result.code, code, args.join(' '));
    assert.equal(result.stdout, '');
    assert.match(result.stderr, why);
  };
  await refused(['key'], 2, /usage: pricegate key NAME/);
  await refused(['key', 'x', '--role', 'root'], 2, /--role: root is none of viewer, analyst, admin/);
  await refused(['key', 'x', '--symbols', 'a b'], 2, /--symbols: symbols\[0\]/);
  await refused(['key', 'x', '--ttl', '5'], 2, /--ttl: not an option of `key`/);
  await refused(['token', '--ttl', '0'], 2, /--ttl: 0 is not 1\.\.31536000 seconds/);
  await refused(['token'], 1, /auth\.jwt is not configured/);
  write({ alg: 'ES256', public_key_file: 'x.pem' });
  await refused(['token', '--config', file], 1, /--private-key FILE is needed/);
  await refused(['token', '--config', file, '--private-key', 'nowhere.pem'], 1, /nowhere\.pem: No such file/);
  await refused(['token', '--config', file, '--private-key', file], 1, /it cannot be signed/);
});
