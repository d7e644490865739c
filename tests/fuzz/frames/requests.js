// HTTP/1.1 requests and WebSocket handshakes, right and wrong. Texts are latin-1: any byte can be
// in them.

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'PRI', 'get', 'G', ''];
const PATHS = [
  '/', '/healthz', '/readyz', '/metrics', '/ws', '/api/v1/instruments', '/api/v1/observations', '/api/v1/quotes',
  '/api/v1/quotes/coffee', '/api/v1/provenance/coffee', '/whoami', '/api/v1/quotes/EUR%2FUSD', '/api/v1/quotes/EUR/USD', '/api/v1/quotes/nothing',
  '/api/v1/quotes?symbols=coffee,EUR/USD', '/data-health/status', '/data-health/sources', '/data-health/jobs',
  '/openapi.json', '/asyncapi.json', '/docs', '/docs/', '/docs/main.js', '/admin/clients', '/index.html', '/dashboard.js', '/nothing', '/api/v1/stream?symbols=*', '/api/v1/stream?symbols=coffee',
];
const POSTS = [
  '/data-health/refresh-all', '/data-health/refresh-market', '/data-health/refresh-intelligence',
  '/data-health/reset-circuit/yahoo', '/data-health/reset-circuit/', '/admin/clients/nobody/close', '/admin/reload',
];
const ODD_PATHS = [
  '/../../etc/passwd', '/..%2f..%2fetc/passwd', '/%00', '/index.html%00.png', '//', '/./', '*', 'http://other/healthz', '?', '/?',
  '/%', '/%4', '/%zz', '/api/v1/quotes/%', '/api/v1/quotes/a%2F%2Fb', '/api/v1/quotes?symbols=', '/api/v1/quotes?symbols=%00',
  '/api/v1/quotes?symbols=a;symbols=b&symbols=c&&&=;=', '/ws?token=%ff', '/api/v1/stream?symbols=', '/api/v1/stream', 'a:443', '\\', '#',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'http/1.1', 'HTTP/', 'HTTQ/1.1', ''];

const HEADERS = [
  ['Host', ['localhost', '127.0.0.1', '[::1]:80', 'a,b', '', ' ', 'evil.example', 'a b', '\xff']],
  ['Origin', ['http://localhost', 'https://evil.example', 'null', '', `http://${'a'.repeat(300)}.example`, 'http://localhost, http://localhost']],
  ['Connection', ['close', 'keep-alive', 'Upgrade', 'upgrade, keep-alive', 'keep-alive, Upgrade, close', 'Transfer-Encoding', '']],
  ['Upgrade', ['websocket', 'WebSocket', 'h2c', 'foo', 'websocket, h2c', '', 'raw']],
  ['HTTP2-Settings', ['AAMAAABkAAQAAP__', '']],
  ['Content-Length', ['0', '1', '5', '-1', '+5', '5, 5', '18446744073709551616', '65536', '65537', '0x10', '', '5 5', '1e3', '00000000000000000005']],
  ['Transfer-Encoding', ['chunked', 'identity', 'gzip, chunked', '', 'xchunked']],
  ['Authorization', ['Bearer x', 'Bearer ', 'bearer eyJhbGciOiJub25lIn0.e30.', 'Basic eDp5', `Bearer ${'x'.repeat(5000)}`, '\x80']],
  ['X-Forwarded-For', ['192.0.2.1', '::1', '127.0.0.1', '[::1]:80, , x', ','.repeat(500), '1.2.3.4:99999']],
  ['Forwarded', ['for=1.2.3.4']],
  ['If-None-Match', ['*', '"x"', 'W/"x", "y"', ',,,', '"'.repeat(300)]],
  ['Last-Event-ID', ['19b2f0c6a00:1', 'x', '', ':', 'ffffffffffffffffff:99999999999999999999']],
  ['Access-Control-Request-Method', ['POST', '', 'G E T']],
  ['Sec-WebSocket-Key', ['dGhlIHNhbXBsZSBub25jZQ==', 'x', '', 'A'.repeat(300), '====']],
  ['Sec-WebSocket-Version', ['13', '8', '99', '', '13, 8', '013']],
  ['Sec-WebSocket-Protocol', ['pricegate.v1', 'other', 'other, pricegate.v1', '', ','.repeat(200)]],
  ['Expect', ['100-continue']],
  ['Accept-Encoding', ['gzip', '*']],
  ['Range', ['bytes=0-1']],
  ['Cookie', ['a=b', 'x'.repeat(2000)]],
];
const EXTENSIONS = [
  'permessage-deflate', 'permessage-deflate; client_max_window_bits', 'permessage-deflate; server_max_window_bits=12',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover', 'permessage-deflate; server_max_window_bits=8',
  'permessage-deflate; client_max_window_bits=16', 'permessage-deflate; server_max_window_bits', 'permessage-deflate, permessage-deflate',
  'permessage-deflate; x=y', 'permessage-deflate; server_no_context_takeover; server_no_context_takeover', 'x-webkit-deflate-frame',
  '', ';', ',', 'permessage-deflate;;', 'permessage-deflate; client_max_window_bits="10"', `permessage-deflate; ${'x'.repeat(300)}`,
  `${'a,'.repeat(120)}permessage-deflate`, ' permessage-deflate ; client_no_context_takeover ',
];

const line = ([name, value]) => `${name}: ${value}\r\n`;
const anyHeader = (random) => {
  const [name, values] = random.pick(HEADERS);
  return [name, random.pick(values)];
};

/** What stands in the way of a parser of headers. */
function oddLine(random) {
  return random.pick([
    () => 'no colon at all\r\n',
    () => ': no name\r\n',
    () => 'a space : before\r\n',
    () => ' folded: line\r\n',
    () => `X-Long: ${'x'.repeat(random.int(1, 20_000))}\r\n`,
    () => `${'N'.repeat(random.int(1, 5000))}: x\r\n`,
    () => Array.from({ length: random.int(10, 2000) }, (_, i) => `X-${i}: ${i}\r\n`).join(''),
    () => 'X-NUL: a\0b\r\n',
    () => `X-Bytes: ${random.bytes(random.int(1, 60)).toString('latin1')}\r\n`,
    () => 'X-LF: only\n',
    () => 'X-CR: only\r',
    () => '\r',
    () => ':path: /\r\n',
    () => random.pick(HEADERS)[0],
  ])();
}

function target(random, method) {
  if (method === 'POST' && !random.one(4)) return random.pick(POSTS);
  return random.weighted([
    [8, () => random.pick(PATHS)],
    [2, () => random.pick(ODD_PATHS)],
    [1, () => `/${'a'.repeat(random.length(20_000))}`],
    [1, () => `${random.pick(PATHS)}?${random.bytes(random.int(0, 30)).toString('latin1').replace(/[\r\n ]/g, '&')}`],
  ])();
}

/** {bytes, method, plain}: plain = nothing is wrong with it, so that its answer is one of this method. */
export function request(random) {
  const plain = !random.one(3);
  const method = random.weighted([[8, 'GET'], [2, 'HEAD'], [3, 'POST'], [2, random.pick(METHODS)]]);
  if (plain) return plainRequest(random, ['GET', 'HEAD', 'POST'].includes(method) ? method : 'OPTIONS');
  const lines = random.one(5) ? '' : line(['Host', 'localhost']);
  const more = Array.from({ length: random.int(0, 5) }, () => (random.one(4) ? oddLine(random) : line(anyHeader(random)))).join('');
  const body = random.one(3) ? random.bytes(random.length(70_000)).toString('latin1') : '';
  const end = random.one(12) ? '' : random.one(10) ? '\n\n' : '\r\n';
  const first = [method, target(random, method), random.pick(VERSIONS)].join(random.one(20) ? '  ' : ' ');
  return { bytes: Buffer.from(`${first}\r\n${lines}${more}${end}${body}`, 'latin1'), method, plain: false };
}

function plainRequest(random, method) {
  const path = method === 'POST' ? random.pick(POSTS) : random.pick(PATHS.filter((p) => !p.startsWith('/ws') && !p.includes('stream')));
  const body = method === 'POST' ? 'x'.repeat(random.pick([0, 0, 5, 300])) : '';
  const length = method === 'POST' ? line(['Content-Length', body.length]) : '';
  const more = random.one(3) ? line(['If-None-Match', random.pick(['*', '"x"'])]) : '';
  return { bytes: Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${more}${length}\r\n${body}`, 'latin1'), method, plain: true };
}

/** A handshake: {bytes, key, plain}. plain = it must be answered with 101. */
export function handshake(random) {
  const key = random.bytes(16).toString('base64');
  const headers = [
    ['Host', 'localhost'], ['Upgrade', 'websocket'], ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key], ['Sec-WebSocket-Version', '13'],
  ];
  if (random.one(4)) headers.push(['Sec-WebSocket-Protocol', 'pricegate.v1']);
  if (!random.one(3)) headers.push(['Sec-WebSocket-Extensions', random.one(2) ? EXTENSIONS[0] : random.pick(EXTENSIONS)]);
  const plain = !random.one(4) && !headers.some(([, value]) => String(value).length > 200);
  const lines = headers.map(line);
  if (!plain) for (let n = random.int(1, 3); n > 0; n--) spoil(random, lines);
  const first = plain ? 'GET /ws HTTP/1.1' : `${random.weighted([[9, 'GET'], [1, random.pick(METHODS)]])} /ws ${random.pick(VERSIONS)}`;
  return { bytes: Buffer.from(`${first}\r\n${lines.join('')}\r\n`, 'latin1'), key, plain, compressed: false };
}

function spoil(random, lines) {
  const at = random.int(0, lines.length - 1);
  random.pick([
    () => lines.splice(at, 1),
    () => lines.splice(at, 0, lines[at] ?? ''),
    () => lines.splice(at, 0, line(anyHeader(random))),
    () => lines.splice(at, 0, oddLine(random)),
    () => (lines[at] = random.damaged(Buffer.from(lines[at] ?? '', 'latin1')).toString('latin1')),
    () => lines.reverse(),
  ])();
  if (lines.length === 0) lines.push(line(['Host', 'localhost']));
}
