// The machine runs out of something: room for log and dead letters, files, or there is no place to
// write to from the start. Prices go on; what was lost is counted.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { startGateway } from '../support/gateway.js';
import { makeNetwork } from '../support/network.js';
import { instrument, scene } from '../support/scene.js';
import { ok } from '../support/upstream.js';
import { freePort, sleep, temporaryFolder, until } from '../support/wait.js';

/** The program alone, with prices of its own making. */
async function simulated(t, { listen, ...options }) {
  const gateway = await startGateway(
    { listen, instruments: [{ symbol: 'a', poll_ms: 100, sources: [{ provider: 'sim', symbol: 'a' }] }] }, options);
  t.after(() => gateway.stop());
  return { gateway };
}

const LOST = 'pricegate_log_lines_lost_total';

/** A scene whose program is begun by a line of the shell; what it logs is not seen. */
async function mute(t, line, words, setting) {
  const wrap = ['sh', '-c', line, ...words];
  return scene(t, { ...setting, wrap, mute: true, port: await freePort() });
}

const moving = () => {
  let n = 0;
  return () => ok({ price: String(10 + (n++ % 90) / 100) });
};
const simple = {
  script: (u) => u.set('yahoo', 'A', moving()),
  config: { instruments: [instrument('a', [['yahoo', 'A']])] },
};

/** New prices come, clients come and go, and the end is an orderly one. */
async function goesOn(made) {
  const client = await made.follow();
  const first = await client.nextQuote('a');
  await client.nextQuote('a', (q) => q.price !== first.price);
  await client.close();
  assert.equal((await made.gateway.get('/api/v1/quotes/a')).status, 200);
  assert.deepEqual(await made.gateway.stop(), { code: 0, signal: null });
}

/** CPU seconds that a process has used. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

describe('the machine runs out', { concurrency: 6 }, () => {
  test('the log goes to a full disk', async (t) => {
    const made = await mute(t, 'exec "$@" 2>/dev/full', ['sh'], simple);
    assert.ok((await made.gateway.metric(LOST)) >= 2, 'the first lines are lost');
    await goesOn(made);
  });

  test('stdin, stdout and stderr are closed: no socket gets what is meant for them', async (t) => {
    const made = await mute(t, 'exec "$@" <&- >&- 2>&-', ['sh'], simple);
    assert.ok((await made.gateway.metric(LOST)) >= 2);
    for (const fd of readdirSync(`/proc/${made.gateway.pid}/fd`).filter((n) => n < 3)) {
      const info = readFileSync(`/proc/${made.gateway.pid}/fdinfo/${fd}`, 'utf8');
      assert.match(info, /^flags:\s+0?1?0+$/m, `${fd} can only be read`);
    }
    await goesOn(made);
  });

  test('nobody reads the log any more', async (t) => {
    const made = await scene(t, { ...simple, args: ['--log-level', 'debug'] });
    await made.gateway.log('listening');
    made.gateway.closeLog();
    await until(async () => (await made.gateway.metric(LOST)) >= 3, 'lines are lost');
    await goesOn(made);
  });

  test('the file may grow no further', async (t) => {
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    const log = join(folder.path, 'log');
    const made = await mute(t, 'ulimit -f 8 && exec "$@" 2>"$0"', [log], { ...simple, args: ['--log-level', 'debug'] });
    await until(async () => (await made.gateway.metric(LOST)) >= 3, 'lines are lost', 30_000);
    await goesOn(made);
    for (const line of readFileSync(log, 'utf8').split('\n').slice(0, -1)) JSON.parse(line);
  });

  test('log and dead letters on a disk of 64 KB', async (t) => {
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    const disk = join(folder.path, 'disk');
    mkdirSync(disk);
    const mount = ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@" 2>"$0"/log', disk];
    if (spawnSync('unshare', [...mount, 'true']).status !== 0) return t.skip('a mount namespace is needed');
    const made = await scene(t, {
      wrap: ['unshare', ...mount],
      mute: true,
      port: await freePort(),
      args: ['--log-level', 'debug'],
      script: (u) => {
        u.set('yahoo', 'A', moving());
        for (let i = 0; i < 10; i++) u.set('yahoo', `L${i}`, ok({ price: '-1' }));
      },
      config: {
        quality: { dead_letter_dir: join(disk, 'dlq') },
        instruments: [
          instrument('a', [['yahoo', 'A']]),
          ...Array.from({ length: 10 }, (_, i) => instrument(`l${i}`, [['yahoo', `L${i}`]])),
        ],
      },
    });
    await until(async () => (await made.gateway.metric(LOST)) >= 3, 'lines are lost', 30_000);
    const asked = made.upstream.requests().length;
    await until(() => made.upstream.requests().length > asked + 30, 'more dead letters');
    // What is there is whole: a file that could not be written is none.
    const inside = `/proc/${made.gateway.pid}/root${disk}`;
    const letters = readdirSync(join(inside, 'dlq'));
    for (const name of letters.filter((n) => n.startsWith('dlq_') && n.endsWith('.json')))
      JSON.parse(readFileSync(join(inside, 'dlq', name), 'utf8'));
    t.diagnostic(`${letters.length} dead letters, ${await made.gateway.metric(LOST)} lines lost`);
    await goesOn(made);
  });

  test('160 files and 400 connections: no spinning, no flood of lines, service afterwards', { timeout: 60_000 }, async (t) => {
    const { upstream, gateway, follow } = await scene(t, { ...simple, files: '160:160' });
    const client = await follow();
    await client.nextQuote('a');
    const flood = Array.from({ length: 400 }, () => {
      const socket = net.connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    });
    t.after(() => flood.forEach((socket) => socket.destroy()));
    await gateway.log('accept_paused');
    // Silent ones are closed after 5 s; until then there is not one file left for others.
    const [cpu, at, asked] = [cpuSeconds(gateway.pid), Date.now(), upstream.requests().length];
    await sleep(3000);
    const share = (cpuSeconds(gateway.pid) - cpu) / ((Date.now() - at) / 1000);
    t.diagnostic(`${(100 * share).toFixed(1)} % of a core, ${gateway.logs.length} log lines`);
    assert.ok(share < 0.05, `${(100 * share).toFixed(1)} % of a core`);
    assert.ok(gateway.logs.length < 100, `${gateway.logs.length} lines`);
    assert.ok(upstream.requests().length > asked, 'providers are asked meanwhile');
    const before = client.messages.length;
    await until(() => client.messages.length > before, 'who is there gets prices');
    flood.forEach((socket) => socket.destroy());
    const late = await follow();
    await late.nextQuote('a');
    await until(async () => (await gateway.get('/healthz')).status === 200, 'others are served');
    assert.ok(gateway.logs.length < 100, `${gateway.logs.length} lines`);
  });

  test('fewer than 128 files: it says so and does not begin', async () => {
    const begun = startGateway({ instruments: [] }, { files: '127:127' });
    await assert.rejects(begun, /"code":1.*only 127 open files are allowed, at least 128 are needed/s);
  });

  // libwebsockets 4.3 ends clients that have nothing to do with it (gateway/server/netlink.c).
  test('addresses and routes come and go: nobody is thrown out', async (t) => {
    const network = makeNetwork();
    if (network.missing) {
      t.skip(network.missing);
      return;
    }
    t.after(() => network.remove());
    const port = 18080; // all are free there
    const { gateway } = await simulated(t, { wrap: network.wrap, port, listen: { host: '0.0.0.0' } });
    const request = http.get({ host: network.address, port, path: '/api/v1/stream?symbols=a' });
    t.after(() => request.destroy());
    const [stream] = await once(request, 'response');
    let [heard, ended] = [0, false];
    stream.on('data', () => heard++).on('close', () => (ended = true)).on('error', () => {});
    const change = (...words) => execFileSync('ip', ['-n', network.name, ...words]);
    for (let i = 0; i < 10; i++) {
      for (const what of [['route', 'add', '10.99.0.0/16', 'dev', 'eth0'], ['route', 'del', '10.99.0.0/16', 'dev', 'eth0'],
        ['address', 'add', '10.98.0.1/24', 'dev', 'lo'], ['address', 'del', '10.98.0.1/24', 'dev', 'lo']]) change(...what);
      const before = heard;
      await until(() => ended || heard > before + 1, 'it hears more');
      assert.ok(!ended, `closed after ${i + 1} changes`);
    }
    assert.equal(gateway.other.join(), '');
  });
});
