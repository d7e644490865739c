// The real program in a temporary folder: configuration in, log lines and addresses out.
//
//   const gateway = await startGateway({instruments: [...]}, {env: {...}});
//   gateway.url, gateway.wsUrl; await gateway.get('/readyz'); await gateway.stop();
//
// Only the process started here is ever signalled. stop() insists on exit code 0: a sanitizer's
// complaint at the end is a failed test.

import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { temporaryFolder, until, within } from './wait.js';

export const binary =
  process.env.PRICEGATE_BIN ?? fileURLToPath(new URL('../../build/pricegate', import.meta.url));

/** AddressSanitizer keeps what is freed: memory grows, whatever the program does. */
export const sanitized = readFileSync(binary).includes('__asan_init');

// Nothing of the caller's settings reaches the program: what a test does not give is not there.
function environment(extra) {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'];
  const base = Object.fromEntries(kept.filter((k) => k in process.env).map((k) => [k, process.env[k]]));
  return { ...base, ...extra };
}

/** Runs a command of the program to its end: {code, signal, stdout, stderr}. */
export function runCommand(args, { env = {}, cwd, ms = 30_000 } = {}) {
  return new Promise((resolve) => {
    const options = { env: environment(env), cwd, timeout: ms, killSignal: 'SIGKILL' };
    execFile(binary, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, signal: error?.signal ?? null, stdout, stderr });
    });
  });
}

/** One HTTP request, nothing followed, nothing thrown for a status: {status, headers, body, json}. To a
 *  URL unix:/path it needs the `path` that is asked for. */
export function request(url, { method = 'GET', headers = {}, body, ca, path, ms = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const client = target.protocol === 'https:' ? https : http;
    // path: sent as it is, where URL would tidy it up ("/a//b", "/a/../b"). The URL is not handed
    // over: https.request() of Node 18 would take the path out of that.
    const { protocol, hostname, port, pathname, search } = target;
    const to =
      protocol === 'unix:'
        ? { socketPath: pathname, path }
        : { protocol, hostname: hostname.replace(/[[\]]/g, ''), port, path: path ?? pathname + search };
    const req = client.request({ ...to, method, headers, ca, agent: false }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({
          status: res.statusCode,
          headers: res.headers,
          body: text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    req.setTimeout(ms, () => req.destroy(new Error(`${method} ${url}: no answer in ${ms} ms`)));
    req.on('error', reject);
    req.end(body);
  });
}

// The program under limits of open files ("256:1000" for soft and hard), by a shell that becomes it.
const ULIMIT = 'ulimit -Sn "${0%:*}" && ulimit -Hn "${0#*:}" && exec "$@"';
const underLimit = (files, command) => (files ? ['sh', ['-c', ULIMIT, files, ...command]] : [command[0], command.slice(1)]);

/** files: the limits of open files, as "soft:hard". wrap: a command that becomes the program, given as
 *  its last words. mute: its log can't be seen, so its port must be given. */
export async function startGateway(config, { env = {}, args = [], rawConfig, port = 0, files, wrap = [], mute = false } = {}) {
  const folder = temporaryFolder();
  const file = join(folder.path, 'pricegate.json');
  writeFileSync(file, rawConfig ?? JSON.stringify(config, null, 1));

  const [command, words] = underLimit(files, [...wrap, binary, 'run', '--config', file, '--port', String(port), ...args]);
  const child = spawn(command, words, {
    env: environment(env),
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logs = [];
  const other = []; // what is no JSON line on stderr: a sanitizer's report, an error sentence
  const stdout = [];
  let startError = null;
  const exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      startError = error;
      resolve({ code: null, signal: null });
    });
  });
  const lines = createInterface({ input: child.stderr });
  const said = new Promise((resolve) => lines.on('close', resolve)); // the last word, which may come behind the end
  lines.on('line', (line) => {
    try {
      logs.push(JSON.parse(line));
    } catch {
      other.push(line);
    }
  });
  createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line));
  let gone = null;
  // A test that fails to clean up neither hangs for it nor leaves the program behind.
  child.unref();
  child.stdout.unref();
  child.stderr.unref();
  let killed = false;
  const orphan = () => child.kill('SIGKILL');
  process.on('exit', orphan);
  exited.then((how) => {
    gone = how;
    process.off('exit', orphan);
  });

  const gateway = {
    config,
    env, // with config: what another one needs to be started like this one
    pid: child.pid,
    logs,
    other,
    stdout,
    exited,
    file,
    folder: folder.path,

    /** The first log line that matches, waiting for it. */
    log: (matches, ms = 10_000, what = String(matches)) => {
      const match = typeof matches === 'string' ? (l) => l.event === matches : matches;
      return until(() => logs.find(match), `log line ${what}`, ms);
    },
    logText: () => [...logs.map((l) => JSON.stringify(l)), ...other].join('\n'),

    get: (path, options) => request(gateway.url, { ...options, path }),
    post: (path, options) =>
      request(gateway.url, { method: 'POST', body: '', ...options, path }),

    /** The value of one metric line, for example 'pricegate_connections'; NaN when it is absent. */
    async metric(name, options) {
      const { body } = await gateway.get('/metrics', options);
      const line = body.split('\n').find((l) => l.startsWith(`${name} `));
      return line ? Number(line.slice(name.length + 1)) : NaN;
    },

    signal: (name) => child.kill(name),
    /** Nobody reads what it logs from now on. */
    closeLog: () => child.stderr.destroy(),

    async kill() {
      killed = true;
      child.kill('SIGKILL');
      await within(exited, 'the killed program ends');
      folder.remove();
    },

    async stop() {
      if (!gone) child.kill('SIGTERM');
      let how;
      try {
        how = await within(exited, 'the program ends after SIGTERM', 15_000);
      } catch (error) {
        child.kill('SIGKILL');
        throw error;
      }
      folder.remove();
      if (how.code !== 0 && !killed) {
        throw new Error(`the program ended with ${JSON.stringify(how)}\n${gateway.logText().slice(-6000)}`);
      }
      return how;
    },
  };

  try {
    const listening = async () => {
      if (gone) return { ended: gone };
      if (!mute) return logs.find((l) => l.event === 'listening');
      const url = `http://127.0.0.1:${port}`;
      return (await request(`${url}/healthz`)).status === 200 && { url };
    };
    const line = await until(listening, 'the program listens', 15_000);
    if (line.ended) await within(said, 'its last word', 2000).catch(() => {});
    if (line.ended) throw new Error(`the program ended at once: ${JSON.stringify(line.ended)}`);
    gateway.url = line.url;
    gateway.wsUrl = line.url.startsWith('unix:') ? `ws+${line.url}:/ws` : `${line.url.replace(/^http/, 'ws')}/ws`;
    gateway.port = Number(new URL(line.url).port);
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    folder.remove();
    throw new Error(`${error.message}; ${startError?.message ?? ''}\n${gateway.logText().slice(-4000)}`);
  }
  return gateway;
}
