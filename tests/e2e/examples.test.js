// The subscribers of web/examples, each as it is shipped, against the real program and a real Redis: they
// say source, age and state with each price, notice what turns stale, and come back when the other end does.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { examples, isInstalled, redisPyPath, root, start } from '../support/example.js';
import { startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { external, instrument, scene } from '../support/scene.js';
import { hang, ok } from '../support/upstream.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';

/** A Node example as its reader has it: beside a node_modules with what it needs. */
function nodeExample(t, name) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(join(root, 'web/client'), join(folder.path, 'node_modules/pricegate-client'));
  symlinkSync(join(root, 'tests/node_modules/ioredis'), join(folder.path, 'node_modules/ioredis'));
  copyFileSync(join(examples, 'node', name), join(folder.path, name));
  return join(folder.path, name);
}

// --- of the gateway ---

const DIGITS = { price: '150.10', prev_close: '149.00' };

/** websocat is in no Debian: where it is missing, a stand-in for it shows at least what the script makes of it. */
const websocat = isInstalled('websocat') ? {} : { PATH: `${join(root, 'tests/support/bin')}:${process.env.PATH}` };

/** digits: how 150.10 is written by those whose numbers are floats. */
const subscribers = [
  { name: 'python/stream.py', needs: ['python3'], run: () => ['python3', ['python/stream.py']] },
  { name: 'shell/stream.sh', needs: ['bash', 'curl'], run: () => ['bash', ['shell/stream.sh']] },
  {
    name: `shell/websocat.sh${websocat.PATH ? ', by a stand-in for websocat' : ''}`,
    needs: ['bash'],
    env: websocat,
    run: () => ['bash', ['shell/websocat.sh']],
  },
  { name: 'node/watch.mjs', needs: [], run: (t) => [process.execPath, [nodeExample(t, 'watch.mjs')]] },
];

function followsTheGateway({ name, needs, run, digits = '150\\.10', env: own = {} }) {
  const missing = needs.find((command) => !isInstalled(command));
  test(`${name}: source, age and state; stale, away and back`, { skip: missing && `${missing} is not installed` }, async (t) => {
    const { upstream, gateway } = await scene(t, {
      script: (u) => u.set('twelvedata', 'KC1', ok(DIGITS)),
      config: {
        instruments: [
          instrument('coffee', [['yahoo', 'KC=F'], ['twelvedata', 'KC1']], { unit: 'USD/lb', stale_after_ms: 1500 }),
          external('EUR/USD'),
        ],
      },
    });
    const [command, args] = run(t);
    const env = { PRICEGATE: gateway.url, ...own };
    const program = start(t, command, [...args, 'coffee', 'EUR/USD'], { env });
    await program.says(new RegExp(`^coffee ${digits} USD/lb +(live|delayed) +twelvedata \\(fallback\\) \\d+(\\.\\d)? s old`));
    upstream.set('twelvedata', 'KC1', hang());
    upstream.set('yahoo', 'KC=F', hang());
    await program.says(/^coffee .*stale/);
    await gateway.kill();
    await program.says(/not connected|disconnected/);
    upstream.set('yahoo', 'KC=F', ok({ price: '151.25', currency: 'USD' }));
    const again = await startGateway(gateway.config, { env: gateway.env, port: gateway.port });
    t.after(() => again.stop());
    await program.says(/^coffee 151\.25 USD\/lb +(live|delayed) +yahoo \d/, 60_000);
  });
}

test('a wrong symbol or token: the reason, not another attempt', { skip: !isInstalled('python3') && 'python3 is not installed' }, async (t) => {
  const gateway = await startGateway({ instruments: [external('coffee')], auth: { keys: [{ name: 'a', role: 'viewer', sha256: '0'.repeat(64) }] } });
  t.after(() => gateway.stop());
  for (const [command, file] of [['python3', 'python/stream.py'], ['bash', 'shell/stream.sh']]) {
    for (const [symbol, token, why] of [['FOO', undefined, /not configured: FOO/], ['coffee', 'wrong', /token is not valid/]]) {
      const program = start(t, command, [file, symbol], { env: { PRICEGATE: gateway.url, ...(token && { TOKEN: token }) } });
      await program.says(why);
      assert.equal(await program.ended(), 1);
    }
  }
});

// --- of Redis ---

const readers = [
  {
    name: 'python/redis_prices.py',
    missing: !redisPyPath() && 'redis-py is not installed',
    env: { PATH: redisPyPath() },
    run: () => ['python3', ['python/redis_prices.py']],
  },
  { name: 'shell/redis.sh', missing: !isInstalled('redis-cli') && 'redis-cli is not installed', run: () => ['bash', ['shell/redis.sh']] },
  { name: 'node/redis.mjs', digits: '150\\.1', run: (t) => [process.execPath, [nodeExample(t, 'redis.mjs')]] },
];

function followsRedis({ name, missing, run, digits = '150\\.10', env = {} }) {
  test(`${name}: what pricegate puts into Redis; gone, lost and back`, { skip: missing }, async (t) => {
    const port = await freePort();
    const redis = await startRedis({ args: ['--port', String(port), '--bind', '127.0.0.1'] });
    const { upstream, gateway } = await scene(t, {
      redis,
      script: (u) => u.set('twelvedata', 'KC1', ok(DIGITS)),
      config: { instruments: [instrument('coffee', [['twelvedata', 'KC1']], { unit: 'USD/lb', stale_after_ms: 1500 })] },
    });
    await until(() => redis.command('EXISTS', 'coffee:price:latest'), 'the key');
    const [command, args] = run(t);
    const program = start(t, command, [...args, 'coffee'], { env: { REDIS_URL: `redis://127.0.0.1:${port}/0`, ...env } });
    await program.says(new RegExp(`coffee .*${digits} .*twelvedata .*s old`)); // GET
    upstream.set('twelvedata', 'KC1', ok({ price: '151.25' }));
    await program.says(/coffee .*151\.25 .*twelvedata .*s old/); // SUBSCRIBE
    upstream.set('twelvedata', 'KC1', hang());
    await program.says(/coffee .*stale/);
    await gateway.stop();
    await redis.command('DEL', 'coffee:price:latest'); // as when its time is over
    await program.says(/coffee .*unavailable .*no key in Redis/, 30_000);
    await redis.kill();
    await program.says(/no Redis/);
    await redis.start();
    const item = `{"symbol":"coffee","price":152.50,"ts":${Date.now()},"recv":${Date.now()},"source":"desk","state":"live"}`;
    await redis.command('SET', 'coffee:price:latest', item, 'EX', 120);
    await program.says(/coffee .*152\.50? .*desk/, 30_000);
  });
}

// They wait, most of the time: for ages, expiries and returns.
describe('examples', { concurrency: 4 }, () => {
  subscribers.forEach(followsTheGateway);
  readers.forEach(followsRedis);
});
