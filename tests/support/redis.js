// A real redis-server in a temporary folder, on a Unix socket, and a small client of its protocol.
//
//   const redis = await startRedis();          redis.url is what the configuration wants
//   ... startRedis({ args: ['--tcp-backlog', '1'], wrap: ['ip', 'netns', 'exec', 'a'] })
//   await redis.command('GET', 'a')            one command, its reply
//   const heard = await redis.subscribe('c')   heard.messages grows; heard.next() waits
//   redis.kill(); await redis.start(); redis.pause(); redis.resume(); await redis.stop();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';

import { temporaryFolder, until } from './wait.js';

/** Reads one reply of the Redis protocol at `at`: {value, end}, or null when it is not complete. */
function readReply(buffer, at) {
  const eol = buffer.indexOf('\r\n', at);
  if (eol < 0) return null;
  const line = buffer.toString('utf8', at + 1, eol);
  const next = eol + 2;
  switch (String.fromCharCode(buffer[at])) {
    case '+':
      return { value: line, end: next };
    case '-':
      return { value: new Error(line), end: next };
    case ':':
      return { value: Number(line), end: next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, end: next };
      if (buffer.length < next + length + 2) return null;
      return { value: buffer.toString('utf8', next, next + length), end: next + length + 2 };
    }
    case '*': {
      const list = [];
      let end = next;
      for (let i = 0; i < Number(line); i++) {
        const part = readReply(buffer, end);
        if (!part) return null;
        list.push(part.value);
        end = part.end;
      }
      return { value: list, end };
    }
    default:
      throw new Error(`not the Redis protocol: ${line}`);
  }
}

function encode(args) {
  const parts = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

class Connection {
  constructor(path, onReply) {
    this.waiting = [];
    this.pending = Buffer.alloc(0);
    this.onReply = onReply ?? ((value) => this.waiting.shift()?.(value));
    this.socket = net.connect(path);
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      for (const resolve of this.waiting.splice(0)) resolve(new Error('Redis: connection closed'));
    });
    this.socket.on('data', (bytes) => this.#take(bytes));
  }

  #take(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    let at = 0;
    for (let reply; at < this.pending.length && (reply = readReply(this.pending, at)); at = reply.end) {
      this.onReply(reply.value);
    }
    this.pending = this.pending.subarray(at);
  }

  async command(...args) {
    if (this.socket.destroyed) throw new Error('Redis: not connected');
    const value = await new Promise((resolve) => {
      this.waiting.push(resolve);
      this.socket.write(encode(args));
    });
    if (value instanceof Error) throw value;
    return value;
  }

  close() {
    this.socket.destroy();
  }
}

/** args: of redis-server, the last of a kind wins; wrap: a command to start it by, which must become
 *  it (exec), so that signals reach it. */
export async function startRedis({ args = [], wrap = [] } = {}) {
  const folder = temporaryFolder();
  const socket = join(folder.path, 'redis.sock');
  let child = null;
  let connection = null;
  const listeners = new Set();

  const redis = {
    socket,
    url: `unix://${socket}?db=0`,

    /** Returns when it answers, with an error also (it may still be loading, or want a password). */
    async start() {
      const standard = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'];
      const [program, ...all] = [...wrap, 'redis-server', ...standard, '--dir', folder.path, ...args];
      child = spawn(program, all, { stdio: 'ignore' });
      const orphan = child;
      const end = () => orphan.kill('SIGKILL');
      process.on('exit', end); // whatever becomes of the test
      child.on('exit', () => process.off('exit', end));
      await until(async () => {
        connection?.close();
        connection = new Connection(socket);
        const reply = await connection.command('PING').catch((error) => error.message);
        return reply === 'PONG' || /^(NOAUTH|LOADING)/.test(reply);
      }, 'redis-server answers');
    },

    command(...args) {
      return connection.command(...args);
    },

    /** What is published on a channel from now on. */
    async subscribe(...channels) {
      const messages = [];
      let confirmed = 0;
      const own = new Connection(socket, (value) => {
        if (value[0] === 'message') messages.push({ channel: value[1], text: value[2] });
        if (value[0] === 'subscribe') confirmed++;
      });
      own.socket.write(encode(['SUBSCRIBE', ...channels]));
      listeners.add(own);
      await until(() => confirmed === channels.length, 'Redis confirms SUBSCRIBE');
      return {
        messages,
        next: (matches = () => true, ms = 10_000) =>
          until(() => messages.find(matches), `a message on ${channels}`, ms),
        close: () => own.close(),
      };
    },

    /** SIGKILL: nothing is said to anybody. Its data are gone. */
    async kill(signal = 'SIGKILL') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      connection?.close();
      const gone = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill(signal);
      await gone;
    },
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),

    async stop() {
      for (const own of listeners) own.close();
      await redis.kill('SIGTERM');
      folder.remove();
    },
  };
  await redis.start();
  return redis;
}

/** The place of a Redis that is not (yet) running: same handle, nothing started. */
export async function absentRedis() {
  const redis = await startRedis();
  await redis.kill();
  return redis;
}
