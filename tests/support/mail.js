// What takes notifications: a real mail server (aiosmtpd, Debian's python3-aiosmtpd) and a webhook's
// receiver, each on a free port of 127.0.0.1, gone with the test.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { until } from './wait.js';

const script = fileURLToPath(new URL('./smtp_server.py', import.meta.url));

function hasMailServer(python) {
  try {
    execFileSync(python, ['-c', 'import aiosmtpd'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
// Debian's own Python has Debian's packages, another one may stand before it.
const python = ['python3', '/usr/bin/python3'].find(hasMailServer);

/** Why tests of mail cannot run here; false: they can. */
export const noMailServer = python ? false : 'python3-aiosmtpd is not installed';

/** "=?UTF-8?B?...?=" and what is folded, as a reader shows it. */
const decodeWords = (text) =>
  text.replace(/\?=\r\n =\?/g, '?==?').replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, b64) => Buffer.from(b64, 'base64').toString('latin1'));

const decodeQuoted = (text) =>
  text.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

const utf8 = (latin1) => Buffer.from(latin1, 'latin1').toString('utf8');

/** A mail's bytes as a reader shows them: {headers, subject, text}. */
export function readMail(data) {
  const end = data.indexOf('\r\n\r\n');
  const lines = data.slice(0, end).replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 2)]));
  const raw = data.slice(0, end).split(/\r\n(?![ \t])/).find((l) => l.startsWith('Subject: ')).slice(9);
  return { headers, subject: utf8(decodeWords(raw)), text: utf8(decodeQuoted(data.slice(end + 4))).replaceAll('\r\n', '\n') };
}

/** options: {certs: {cert, key}, implicit: TLS from the first byte, starttls: false = not offered, user, password,
 *  refuse: the answer to each recipient, or only to those in `refused`, port}. Its mails gather in `mails`, read by readMail(). */
export async function startMailServer(t, { certs, ...options } = {}) {
  const child = spawn(python, [script, JSON.stringify({ ...options, cert: certs?.cert, key: certs?.key })], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const server = { port: 0, mails: [], refused: 0, errors: '' };
  child.stderr.on('data', (bytes) => { server.errors += bytes; });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line);
    if (said.port) server.port = said.port;
    if (said.refused) server.refused++;
    if (said.mail) server.mails.push({ ...said.mail, ...readMail(said.mail.data) });
  });
  const exited = once(child, 'exit');
  server.stop = async () => {
    child.stdin.destroy();
    child.kill('SIGTERM');
    await exited;
  };
  t.after(server.stop);
  await until(() => server.port, `the mail server listens ${server.errors}`, 30_000);
  return server;
}

/** answer: what it says to each request, a status or {status, headers}; may be changed. What came gathers in
 *  `texts` (of {"text": ...}) and `requests`. */
export async function startWebhook(t, { answer = 200, port = 0 } = {}) {
  const hook = { texts: [], requests: [], answer };
  const server = http.createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    const { status, headers = {} } = typeof hook.answer === 'number' ? { status: hook.answer } : hook.answer;
    hook.requests.push({ method: req.method, url: req.url, type: req.headers['content-type'], body, status });
    if (status === 200) hook.texts.push(JSON.parse(body).text);
    res.writeHead(status, headers).end(status === 200 ? 'ok' : 'no');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  hook.port = server.address().port;
  hook.url = `http://127.0.0.1:${hook.port}/services/SECRETPATH-1f2e`;
  hook.stop = () => new Promise((resolve) => {
    server.closeAllConnections?.();
    server.close(resolve);
  });
  t.after(() => server.listening && hook.stop());
  return hook;
}
