// A program of web/examples (or any command) whose lines of output are read as they come.
//
//   const run = start(t, 'bash', ['stream.sh', 'coffee'], { env: { PRICEGATE: gateway.url } });
//   await run.says(/coffee 2\.943/);        the line, waiting for it; those before it are not looked at again
//   await run.ended();                      its exit code
//
// Everything it has started itself goes with it at the end of the test: it has a process group of its own.

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { until, within } from './wait.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const examples = fileURLToPath(new URL('../../web/examples/', import.meta.url));

export function isInstalled(command, ...args) {
  try {
    execFileSync(command, args.length ? args : ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A PATH on which python3 has redis-py; null: there is none. Debian's own Python has Debian's packages, another one
 *  that comes first may not. */
const hasRedisPy = (python) => isInstalled(python, '-c', 'import redis');
export const redisPyPath = () =>
  hasRedisPy('python3') ? process.env.PATH : hasRedisPy('/usr/bin/python3') ? `/usr/bin:${process.env.PATH}` : null;

export function start(t, command, args, { env = {}, cwd = examples } = {}) {
  const { PATH, HOME } = process.env;
  const child = spawn(command, args, { cwd, env: { PATH, HOME, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  const exit = new Promise((resolve) => child.on('close', resolve).on('error', (error) => lines.push(error.message)));
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  };
  process.on('exit', end);
  t.after(() => {
    end();
    process.off('exit', end);
  });
  let read = 0;
  return {
    lines,
    async says(pattern, ms = 20_000) {
      const find = () => lines.findIndex((line, i) => i >= read && pattern.test(line));
      try {
        read = await until(() => find() + 1, `${args.join(' ')} says ${pattern}`, ms);
      } catch (error) {
        throw new Error(`${error.message}; it said:\n${lines.slice(-20).join('\n')}`);
      }
      return lines[read - 1];
    },
    ended: () => within(exit, `${args.join(' ')} ends`, 20_000),
  };
}
