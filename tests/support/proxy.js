// A proxy that is in the way: it passes bytes on late, or one by one.
//
//   const proxy = await startProxy({ path: redis.socket });     or { port, host }
//   proxy.delayMs = 200;            each way, from now on
//   proxy.single = true;            byte by byte
//   proxy.reset();                  every connection ends with a TCP reset
//   proxy.seen = (toServer, bytes) => {}    is called before bytes are passed on, and waited for
//   proxy.port, proxy.connections (accepted since the start); await proxy.stop();
//
// What was delayed when its sender closed is passed on before the close is.

import net from 'node:net';

import { sleep } from './wait.js';

const turn = () => new Promise(setImmediate);

export async function startProxy(target) {
  const pairs = new Set();

  async function write(to, bytes) {
    if (!proxy.single) {
      to.write(bytes);
      return;
    }
    for (let i = 0; i < bytes.length && !to.destroyed; i++) {
      to.write(bytes.subarray(i, i + 1));
      await turn(); // one of its own, so a segment of its own
    }
  }

  function pass(from, to, toServer) {
    let last = Promise.resolve();
    const then = (step) => {
      last = last.then(step).catch(() => to.destroy());
    };
    from.on('data', (bytes) => {
      const due = Date.now() + proxy.delayMs;
      then(async () => {
        await sleep(Math.max(0, due - Date.now()));
        await proxy.seen?.(toServer, bytes);
        if (!to.destroyed) await write(to, bytes);
      });
    });
    from.on('error', () => {});
    from.on('close', () => then(() => to.end(() => to.destroy())));
  }

  const server = net.createServer({ noDelay: true }, (near) => {
    const far = net.connect({ ...target, noDelay: true });
    const pair = [near, far];
    proxy.connections++;
    pairs.add(pair);
    near.on('close', () => pairs.delete(pair));
    pass(near, far, true);
    pass(far, near, false);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const proxy = {
    port: server.address().port,
    delayMs: 0,
    single: false,
    seen: null,
    connections: 0,
    reset() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.destroy();
      }
    },
    async stop() {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
