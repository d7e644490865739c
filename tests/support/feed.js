// What a PriceFeed says, kept for a test; and the things in its way.
//
//   const feed = watch(t, new PriceFeed(gateway.url, { WebSocket }));
//   await feed.is('live'); feed.states, feed.quotes, feed.statuses, feed.errors
//   const gate = await startGate(gateway.port);   an HTTP proxy; gate.closed = true: no WebSocket passes

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

import { until } from './wait.js';

/** The feed, closed with its test, and what it has told since. */
export function watch(t, feed) {
  t.after(() => feed.close());
  const kept = { states: [], quotes: [], statuses: [], errors: [], messages: [] };
  const keep = (type, list) => feed.addEventListener(type, (event) => list.push(event.detail));
  keep('state', kept.states);
  keep('quote', kept.quotes);
  keep('status', kept.statuses);
  keep('error', kept.errors);
  keep('message', kept.messages);
  return Object.assign(feed, kept, {
    is: (state, transport, ms = 20_000) =>
      until(
        () => feed.state.state === state && (!transport || feed.state.transport === transport),
        `the feed is ${state} ${transport ?? ''}; it was ${JSON.stringify(kept.states.slice(-4))}`,
        ms,
      ),
    has: (symbol, price, ms = 20_000) =>
      until(() => Number(feed.quote(symbol)?.price) === price, `${symbol} at ${price}`, ms, 2),
  });
}

/** Passes HTTP on to a port of this machine, and WebSockets unless it is closed for them. */
export async function startGate(port) {
  const sockets = new Set();
  const server = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const far = http.request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    far.on('error', () => response.destroy());
    response.on('close', () => far.destroy());
    request.pipe(far);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, near, head) => {
    gate.refused += gate.closed ? 1 : 0;
    if (gate.closed) {
      near.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const far = net.connect(port, '127.0.0.1');
    const lines = request.rawHeaders.map((text, i) => (i % 2 ? `${text}\r\n` : `${text}: `)).join('');
    far.write(`GET ${request.url} HTTP/1.1\r\n${lines}\r\n`);
    far.write(head);
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gate = {
    closed: false,
    refused: 0,
    url: `http://127.0.0.1:${server.address().port}/`,
    /** Every connection ends at once. */
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      const gone = once(server, 'close');
      server.close();
      gate.cut();
      await gone;
    },
  };
  return gate;
}
