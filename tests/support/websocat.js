// Stands in for websocat, as far as web/examples/shell/websocat.sh uses it: a line of the standard input is
// a message, a message is a line of the standard output; the end of the input does not end the connection.
import { createInterface } from 'node:readline';

import WebSocket from 'ws';

const [url, ...options] = process.argv.slice(2).reverse();
const headers = {};
for (let option; (option = options.pop()); ) {
  const [, name, value] = /^-H=(.+?): (.+)$/.exec(option) ?? [];
  if (name) headers[name] = value;
  else if (/^--ping-(interval|timeout)$/.test(option)) options.pop();
  else if (!/^--(text|no-close)$/.test(option)) throw new Error(`${option} is no option of websocat that is known here`);
}
const socket = new WebSocket(url, { headers });
socket.on('open', () => createInterface({ input: process.stdin }).on('line', (line) => socket.send(line)));
socket.on('message', (message) => console.log(String(message)));
socket.on('error', (error) => console.error(`websocat: ${error.message}`));
