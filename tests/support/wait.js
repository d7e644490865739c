// Waiting for a condition, and the temporary folder of a test. No test sleeps for its result: it
// waits until the thing is so, or fails with a sentence that says what never came.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls check() until it returns something true (and returns that). What it throws is reported. */
export async function until(check, what, ms = 10_000, every = 20) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${ms} ms${last ? ` (${last.message})` : ''}`);
    }
    await sleep(every);
  }
}

/** The promise's value, or a failure that names what was waited for. */
export async function within(promise, what, ms = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'pricegate-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** One that nobody had a moment ago, for programs that cannot be told 0. */
export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
