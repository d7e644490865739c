// What most tests of the whole program need, taken down again when the test ends: upstream over
// HTTPS with its own authority, Redis if asked for, the gateway, WebSocket clients.

import { makeCerts } from './certs.js';
import { startGateway } from './gateway.js';
import { startRedis } from './redis.js';
import { providersAt, startUpstream } from './upstream.js';
import { connectWs } from './wsclient.js';

let certs = null;
/** One authority for all tests of a file. */
export function testCerts() {
  if (!certs) {
    certs = makeCerts();
    process.on('exit', () => certs.remove());
  }
  return certs;
}

const merged = (base, more) =>
  Object.fromEntries(Object.entries(base).map(([name, value]) => [name, { ...value, ...more[name] }]));

/** t: the test's context. config: what differs from two providers at the upstream that are asked
 *  several times a second; providers: what differs there. script(upstream): what it says from the
 *  first request on.
 *  redis: true for a real one, or the handle of one. */
export async function scene(t, { config = {}, providers = {}, script, redis = false, env = {}, ...options } = {}) {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  script?.(upstream);
  let store = null;
  if (redis) {
    store = redis === true ? await startRedis() : redis;
    t.after(() => store.stop());
  }
  const complete = {
    providers: merged(providersAt(upstream), providers),
    // Failures are wanted here; the breaker has tests of its own.
    breaker: { threshold: 1000, timeout_s: 1 },
    ...(store ? { redis: { url: store.url } } : {}),
    ...config,
  };
  const gateway = await startGateway(complete, {
    env: { SSL_CERT_FILE: testCerts().ca, ...env },
    ...options,
  });
  t.after(() => gateway.stop());

  const connect = async (wsOptions) => {
    const client = await connectWs(gateway.wsUrl, wsOptions);
    t.after(() => client.terminate());
    return client;
  };
  /** A client that follows everything; its snapshot is the next message. */
  const follow = async (symbols = ['*']) => {
    const client = await connect();
    client.send({ action: 'subscribe', symbols });
    await client.nextType('subscribed');
    return client;
  };
  return { upstream, redis: store, gateway, connect, follow };
}

/** An instrument that is polled every 200 ms. */
export function instrument(symbol, sources, more = {}) {
  return {
    symbol,
    poll_ms: 200,
    sources: sources.map(([provider, name]) => ({ provider, symbol: name })),
    ...more,
  };
}

/** An instrument that other programs feed through Redis. */
export const external = (symbol, more = {}) => ({ symbol, sources: [], ...more });
