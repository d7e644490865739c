// The two ways to a gateway, made alike: a line tells what it hears and, once, how it ended. After
// close() it says nothing more.

/** WebSocket: of a browser, of Node 22, or the `ws` package. onText(text), onEnd({code}). */
export function openSocket(WebSocket, url, { onText, onEnd }) {
  let socket;
  try {
    socket = new WebSocket(url);
  } catch (error) {
    queueMicrotask(() => onEnd?.({ reason: `no WebSocket to ${url}: ${error.message}` }));
    return { close: () => (onEnd = null) };
  }
  socket.onmessage = (event) => onText?.(event.data);
  socket.onclose = (event) => onEnd?.(event);
  socket.onerror = () => {}; // says nothing that the close does not say
  return {
    open: () => socket.readyState === 1,
    send: (message) => socket.send(JSON.stringify(message)),
    close(dead) {
      onText = onEnd = null;
      if (dead && socket.terminate) socket.terminate();
      else socket.close();
    },
  };
}

/** Server-Sent Events by fetch (EventSource can send no token). onOpen(), onHeard() for every sign of
 *  life, onEvent({id, event, data}), onEnd({status, retryMs, ...problem} or {}). */
export function openEvents(fetch, url, headers, { onOpen, onHeard, onEvent, onEnd }) {
  const stop = new AbortController();
  const { signal } = stop;
  const read = async () => {
    const reply = await fetch(url, { headers, signal, cache: 'no-store' });
    if (!reply.ok || !reply.body) {
      const seconds = Number(reply.headers.get('retry-after'));
      const problem = await reply.json().catch(() => ({}));
      return { ...problem, status: reply.status, retryMs: seconds ? seconds * 1000 : null };
    }
    if (signal.aborted) return {};
    onOpen();
    const reader = reply.body.getReader();
    const decoder = new TextDecoder();
    for (let rest = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return {};
      if (signal.aborted) return {};
      onHeard();
      const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) if (!signal.aborted) take(block);
    }
  };
  const take = (block) => {
    const event = { data: [] };
    for (const line of block.split('\n')) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name === 'data') event.data.push(value);
      else if (name) event[name] = value;
    }
    if (event.data.length) onEvent({ ...event, data: event.data.join('\n') });
  };
  read()
    .catch(() => ({}))
    .then((how) => signal.aborted || onEnd(how));
  return { close: () => stop.abort() };
}
