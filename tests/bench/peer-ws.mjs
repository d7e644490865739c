// A relay as one writes it with the npm package `ws`: hears Redis, sends each message to everybody.
//
//   node peer-ws.mjs REDIS_SOCKET [CERT KEY] [--deflate]        prints {"port":N}

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

import { WebSocketServer } from 'ws';

const deflate = process.argv.includes('--deflate');
const [socket, cert, key] = process.argv.slice(2).filter((arg) => arg !== '--deflate');
const server = cert
  ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key) })
  : http.createServer();
const perMessageDeflate = deflate && { serverNoContextTakeover: true, threshold: 0 };
const clients = new WebSocketServer({ server, path: '/ws', perMessageDeflate }).clients;

const redis = net.connect(socket, () => redis.write('PSUBSCRIBE *:price:stream\r\n'));
let text = '';
redis.setEncoding('latin1'); // the benchmark's items are ASCII, so characters are bytes
redis.on('data', (bytes) => {
  text += bytes;
  // *4 $8 pmessage $pattern $channel $item: the item is the last line that begins with a brace.
  const lines = text.split('\r\n');
  text = lines.pop();
  for (const line of lines) {
    if (!line.startsWith('{')) continue;
    const frame = Buffer.from(`{"type":"quote","data":[${line}]}`);
    for (const client of clients) client.send(frame, { binary: false });
  }
});
redis.on('close', () => process.exit(1));
process.on('SIGTERM', () => process.exit(0));

server.listen(0, '127.0.0.1', 4096, () => console.log(JSON.stringify({ port: server.address().port })));
