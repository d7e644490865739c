// The two ways to a gateway, made alike: a line tells what it hears and, once, how it ended. After
// close() it says nothing more.

/** WebSocket: of a browser, of Node 22, or of the `ws` package. on: text(text), end({code}). */
export function openSocket(WebSocket, url, on) {
  let socket;
  try {
    socket = new WebSocket(url);
  } catch (error) {
    queueMicrotask(() => on.end?.({ detail: error.message }));
    return { close: () => (on = {}) };
  }
  socket.onmessage = (event) => on.text?.(event.data);
  socket.onclose = (event) => on.end?.(event);
  socket.onerror = () => {}; // says nothing that the close does not say
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    close(dead) {
      on = {};
      if (dead && socket.terminate) socket.terminate();
      else socket.close();
    },
  };
}

/** Server-Sent Events by fetch (EventSource can't send a token). on: open(), heard() for every sign of
 *  life, event({id, event, data}), end({status, retryMs, ...problem}, or {}). */
export function openEvents(fetch, url, headers, on) {
  const stop = new AbortController();
  const take = (block) => {
    const event = {};
    for (const line of block.split('\n')) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      event[name] = name === 'data' && event.data ? `${event.data}\n${value}` : value;
    }
    if (event.data) on.event?.(event);
  };
  const read = async () => {
    const reply = await fetch(url, { headers, signal: stop.signal, cache: 'no-store' });
    const { ok, status, body } = reply;
    if (!ok) {
      const retryMs = reply.headers.get('retry-after') * 1000 || undefined;
      return { ...(await reply.json().catch(() => null)), status, retryMs };
    }
    on.open?.();
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return {};
      on.heard?.();
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      blocks.forEach(take);
    }
  };
  read()
    .catch(() => ({}))
    .then((how) => on.end?.(how));
  return {
    close() {
      on = {};
      stop.abort();
    },
  };
}
