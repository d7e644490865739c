// Runs one attack over a socket of its own. Says what the program did wrong in its answers; that it
// refuses, closes or resets is its right.

import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';

import { Judge } from './judge.js';

const ANSWER_MS = 800; // so long is an answer waited for
const END_MS = 400; // and the other side's end
const MOST_MS = 6000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A socket between TLS and the network that cuts what is written into small pieces and turns a
 *  bit of the byte at damageAt (-1: none). */
class Chopper extends Duplex {
  constructor(socket, { size, damageAt }) {
    super();
    Object.assign(this, { socket, size, damageAt, at: 0 });
    socket.on('data', (bytes) => this.push(bytes));
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
  }

  _read() {}

  async _write(chunk, encoding, done) {
    const bytes = Buffer.from(chunk);
    if (this.damageAt >= this.at && this.damageAt < this.at + bytes.length) bytes[this.damageAt - this.at] ^= 4;
    this.at += bytes.length;
    for (let at = 0; at < bytes.length && !this.socket.destroyed; at += this.size) {
      this.socket.write(bytes.subarray(at, at + this.size));
      if (at < 2000) await turn();
    }
    done();
  }

  _final(done) {
    this.socket.end(done);
  }

  _destroy(error, done) {
    this.socket.destroy();
    done(error);
  }
}

function dial(target, attack) {
  const raw = net.connect({ port: target.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  raw.on('error', () => {});
  if (!target.tls || attack.kind === 'noise') return { raw, socket: raw, ready: 'connect' };
  const below = attack.chop ? new Chopper(raw, attack.chop) : raw;
  if (below !== raw) below.on('error', () => {});
  const socket = tls.connect({ socket: below, ca: target.ca, servername: 'localhost', allowHalfOpen: true });
  return { raw, socket, ready: 'secureConnect' };
}

/** Resolves when the emitter has said so, has closed, or the time is over. */
function event(emitter, name, ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      emitter.off(name, done);
      emitter.off('close', done);
      resolve();
    }
    emitter.once(name, done);
    emitter.once('close', done);
  });
}

async function end({ raw, socket }, how) {
  if (raw.destroyed) return;
  if (how === 'reset') raw.resetAndDestroy();
  if (how === 'half') socket.end();
  if (how === 'finish') {
    socket.end();
    await turn();
  }
  if (how === 'half' || how === 'wait') await event(raw, 'close', END_MS);
}

/** {fault, seen}: fault null = nothing wrong. target: {port, tls, ca}. */
export async function run(attack, target) {
  const judge = new Judge(attack);
  const sockets = dial(target, attack);
  const { raw, socket, ready } = sockets;
  let fault = null;
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    if (fault) return;
    try {
      judge.push(bytes);
    } catch (error) {
      fault = error.message;
      raw.destroy();
    }
  });
  const late = setTimeout(() => raw.destroy(), MOST_MS);
  await event(socket, ready, 1500);
  if (attack.deaf !== 'never') socket.pause();
  for (const step of attack.steps) {
    if (raw.destroyed || socket.destroyed) break;
    if (step.write && socket.writable) {
      socket.write(step.write);
      await turn();
    } else if (step.answer && judge.seen.length === 0) {
      await event(socket, 'data', ANSWER_MS);
    }
  }
  if (attack.deaf === 'at first') socket.resume();
  await end(sockets, attack.end);
  clearTimeout(late);
  raw.destroy();
  socket.destroy();
  return { fault, seen: judge.seen };
}
