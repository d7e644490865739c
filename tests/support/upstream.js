// A scriptable stand-in for the providers, over HTTP or HTTPS. It answers Twelve Data's /quote
// (single and batch), Yahoo's /v8/finance/chart/SYMBOL, EIA's and FRED's series and Open-Meteo's
// /v1/forecast (one place or several) in their formats, with bodies made here.
//
//   const upstream = await startUpstream({ certs });         // HTTPS; without certs plain HTTP
//   upstream.set('twelvedata', 'AAPL', ok({ price: '150.10' }));
//   upstream.set('yahoo', '*', status(429, 'Too Many Requests'));
//   upstream.requests('yahoo')                               // what came: path, symbols, headers
//
// A mode is a plain object made by one of the functions below, or a function () => mode that is
// asked anew for each request. A mode set for '*' holds for every symbol without one of its own; a
// symbol without any is answered as the provider answers an unknown one. In a batch, a mode that
// is more than a record or an error of one symbol holds for the whole request.

import http from 'node:http';
import https from 'node:https';
import { gzipSync } from 'node:zlib';

export const KEY = 'test-key-of-twelvedata';

/** An answer. Members: price (text keeps its digits), ts (s), open high low prev_close volume
 *  currency market ('open'|'closed', of twelvedata also 'unknown': it does not say); and by gzip:
 *  true compressed. Of a series: value (text), unit, period. Of the weather: values, units, ts. */
export const ok = (members) => ({ kind: 'ok', ...members });
/** The provider's error for this symbol alone. */
export const unknown = () => ({ kind: 'unknown' });
/** Any status with any text. */
export const status = (code, body = '', headers = {}) => ({ kind: 'reply', code, body, headers });
export const text = (body, headers = {}) => status(200, body, headers);
export const html = (code = 200) =>
  status(code, '<!DOCTYPE html><html><body>Please verify that you are a person</body></html>', {
    'content-type': 'text/html',
  });
/** Twelve Data's way to refuse: the code stands in the body, the HTTP status says 200. */
export const creditsGone = (window = 'minute', code = 200) =>
  status(
    code,
    JSON.stringify({
      code: 429,
      message: `You have run out of API credits for the current ${window}. 9 API credits were used, with the current limit being 8.`,
      status: 'error',
    }),
    { 'content-type': 'application/json' },
  );
/** The bytes of a recorded reply. */
export const raw = (bytes, code = 200, headers = {}) => status(code, bytes, headers);
export const hang = () => ({ kind: 'hang' });
export const reset = () => ({ kind: 'reset' });
/** A byte of a good answer now and then, for ever. */
export const drip = (everyMs = 200) => ({ kind: 'drip', everyMs });
/** Half of the body that was announced, then the connection is reset. */
export const cut = (body) => ({ kind: 'cut', body });
/** A body in chunks that has no end, as fast as it is read. */
export const endless = () => ({ kind: 'endless' });
/** So many headers before a good-looking body. */
export const headers = (count) => ({ kind: 'headers', count });
/** The answer of another mode, once the promise is kept. */
export const after = (promise, mode) => ({ kind: 'after', promise, mode });

// --- bodies ---

// A JSON number with exactly these digits, which JSON.stringify could not write ("150.10").
const digits = (value) => (value === undefined ? undefined : `@digits:${value}`);
const withDigits = (object) => JSON.stringify(object).replace(/"@digits:([^"]*)"/g, '$1');

const nowSeconds = () => Math.floor(Date.now() / 1000);

function twelvedataQuote(symbol, mode) {
  const ts = mode.ts ?? nowSeconds();
  const pair = symbol.includes('/') ? symbol.split('/') : null;
  const price = String(mode.price);
  return {
    symbol,
    name: `Instrument ${symbol}`,
    exchange: pair ? 'Physical Currency' : 'NASDAQ',
    ...(pair
      ? { currency_base: pair[0], currency_quote: pair[1] }
      : { mic_code: 'XNGS', currency: mode.currency ?? 'USD' }),
    datetime: new Date(ts * 1000).toISOString().slice(0, 10),
    timestamp: ts - 600,
    last_quote_at: ts,
    open: mode.open ?? price,
    high: mode.high ?? price,
    low: mode.low ?? price,
    close: price,
    ...(pair ? {} : { volume: String(mode.volume ?? 1000) }),
    previous_close: mode.prev_close ?? price,
    change: '0.00000',
    percent_change: '0.00000',
    is_market_open: mode.market === 'unknown' ? undefined : (mode.market ?? 'open') === 'open',
    fifty_two_week: { low: price, high: price, range: `${price} - ${price}` },
  };
}

function yahooChart(symbol, mode) {
  const ts = mode.ts ?? nowSeconds();
  const open = (mode.market ?? 'open') === 'open';
  const now = nowSeconds();
  const zone = { timezone: 'UTC', gmtoffset: 0 };
  // The session now, or the one of two days ago.
  const [start, end] = open ? [now - 7200, now + 7200] : [now - 180_000, now - 160_000];
  const price = digits(mode.price);
  return {
    chart: {
      result: [
        {
          meta: {
            currency: mode.currency === undefined ? 'USD' : mode.currency,
            symbol,
            exchangeName: 'TST',
            fullExchangeName: 'Test Exchange',
            instrumentType: 'EQUITY',
            regularMarketTime: ts,
            gmtoffset: 0,
            timezone: 'UTC',
            exchangeTimezoneName: 'UTC',
            regularMarketPrice: price,
            regularMarketDayHigh: digits(mode.high),
            regularMarketDayLow: digits(mode.low),
            regularMarketVolume: mode.volume ?? 1000,
            chartPreviousClose: digits(mode.prev_close),
            previousClose: digits(mode.prev_close),
            priceHint: 2,
            currentTradingPeriod: {
              pre: { ...zone, start: start - 3600, end: start },
              regular: { ...zone, start, end },
              post: { ...zone, start: end, end: end + 3600 },
            },
            dataGranularity: '1m',
            range: '1d',
          },
          timestamp: [ts - 60, ts],
          indicators: {
            quote: [
              {
                open: [price, null],
                high: [price, null],
                low: [price, null],
                close: [price, null],
                volume: [10, null],
              },
            ],
          },
        },
      ],
      error: null,
    },
  };
}

const dayBeforeYesterday = () => new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);

function eiaSeries(symbol, mode) {
  const row = {
    period: mode.period ?? dayBeforeYesterday(),
    series: symbol.replace(/^PET\./, '').replace(/\.D$/, ''),
    value: String(mode.value),
    ...(mode.unit === undefined ? {} : { units: mode.unit }),
  };
  return { response: { total: '1', dateFormat: 'YYYY-MM-DD', data: [row] } };
}

function fredSeries(symbol, mode) {
  return { observations: [{ date: mode.period ?? dayBeforeYesterday(), value: String(mode.value) }] };
}

function openmeteoPlace(place, mode) {
  const [latitude, longitude] = place.split(',').map(Number);
  const values = Object.entries(mode.values).map(([name, value]) => [name, digits(value)]);
  return {
    latitude,
    longitude,
    utc_offset_seconds: 0,
    timezone: 'GMT',
    current_units: { time: 'unixtime', interval: 'seconds', ...mode.units },
    current: { time: mode.ts ?? nowSeconds() - 60, interval: 900, ...Object.fromEntries(values) },
  };
}

const errors = {
  twelvedata: (symbol) => ({
    code: 404,
    message: `**symbol** ${symbol} is missing or invalid. Please provide a valid symbol`,
    status: 'error',
  }),
  yahoo: () => ({
    chart: {
      result: null,
      error: { code: 'Not Found', description: 'No data found, symbol may be delisted' },
    },
  }),
  eia: () => ({ error: 'The series was not found.', code: 404 }),
  fred: () => ({ error_code: 400, error_message: 'Bad Request.  The series does not exist.' }),
  openmeteo: () => ({ error: true, reason: 'Latitude must be in range of -90 to 90°. Given: 999.0.' }),
};

// Those that answer one symbol with one object: how a good one is made, the status of an error.
const single = {
  yahoo: { make: yahooChart, failed: 404 },
  eia: { make: eiaSeries, failed: 404 },
  fred: { make: fredSeries, failed: 400 },
};

// --- the server ---

/** Which provider and symbols a request means; null for any other path. */
function readRequest(url) {
  const chart = /^\/v8\/finance\/chart\/([^/]+)$/.exec(url.pathname);
  if (chart) return { provider: 'yahoo', symbols: [decodeURIComponent(chart[1])] };
  if (url.pathname === '/quote' && url.searchParams.has('symbol')) {
    return { provider: 'twelvedata', symbols: url.searchParams.get('symbol').split(',') };
  }
  const eia = /^\/v2\/seriesid\/([^/]+)$/.exec(url.pathname);
  if (eia) return { provider: 'eia', symbols: [decodeURIComponent(eia[1])] };
  if (url.pathname === '/fred/series/observations') {
    return { provider: 'fred', symbols: [url.searchParams.get('series_id')] };
  }
  if (url.pathname === '/v1/forecast') {
    const longitudes = url.searchParams.get('longitude').split(',');
    const latitudes = url.searchParams.get('latitude').split(',');
    return { provider: 'openmeteo', symbols: latitudes.map((at, i) => `${at},${longitudes[i]}`) };
  }
  return null;
}

export async function startUpstream({ certs, credits } = {}) {
  const modes = Object.fromEntries(Object.keys(errors).map((provider) => [provider, new Map()]));
  const seen = [];
  const sockets = new Set();
  const timers = new Set();

  const modeOf = (provider, symbol) => {
    const mode = modes[provider].get(symbol) ?? modes[provider].get('*') ?? unknown();
    return typeof mode === 'function' ? mode() : mode;
  };

  function send(res, code, body, headers, gzip) {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
    const out = gzip ? gzipSync(bytes) : bytes;
    res.writeHead(code, {
      'content-type': 'application/json; charset=utf-8',
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      'content-length': out.length,
      ...headers,
    });
    res.end(out);
  }

  function sendRecords(res, provider, symbols, found) {
    const gzip = found.some((mode) => mode.gzip);
    const creditHeaders =
      provider === 'twelvedata' && upstream.credits
        ? { 'Api-Credits-Used': upstream.credits.used, 'Api-Credits-Left': upstream.credits.left }
        : {};
    if (single[provider]) {
      const { make, failed } = single[provider];
      const good = found[0].kind === 'ok';
      const body = good ? make(symbols[0], found[0]) : errors[provider]();
      return send(res, good ? 200 : failed, withDigits(body), {}, gzip);
    }
    if (provider === 'openmeteo') {
      const good = found.every((mode) => mode.kind === 'ok');
      const places = symbols.map((place, i) => good && openmeteoPlace(place, found[i]));
      const body = !good ? errors.openmeteo() : places.length === 1 ? places[0] : places;
      return send(res, good ? 200 : 400, withDigits(body), {}, gzip);
    }
    const records = symbols.map((symbol, i) =>
      found[i].kind === 'ok' ? twelvedataQuote(symbol, found[i]) : errors.twelvedata(symbol),
    );
    // A batch of one comes back flat, as the real one does it.
    const body =
      records.length === 1
        ? records[0]
        : Object.fromEntries(symbols.map((symbol, i) => [symbol, records[i]]));
    return send(res, 200, JSON.stringify(body), creditHeaders, gzip);
  }

  function answer(req, res) {
    const url = new URL(req.url, 'http://upstream');
    const asked = readRequest(url);
    seen.push({
      provider: asked?.provider ?? null,
      symbols: asked?.symbols ?? [],
      path: req.url,
      headers: req.headers,
      at: Date.now(),
    });
    if (!asked) return send(res, 404, '{"message":"no such path"}', {});
    if (asked.provider === 'twelvedata' && req.headers.authorization !== `apikey ${KEY}`) {
      const refusal = { code: 401, message: '**apikey** parameter is incorrect', status: 'error' };
      return send(res, 200, JSON.stringify(refusal), {});
    }
    const found = asked.symbols.map((symbol) => modeOf(asked.provider, symbol));
    return say(res, asked, found);
  }

  function say(res, asked, found) {
    const whole = found.find((mode) => mode.kind !== 'ok' && mode.kind !== 'unknown');
    if (!whole) return sendRecords(res, asked.provider, asked.symbols, found);
    if (whole.kind !== 'after') return misbehave(res, whole);
    return whole.promise.then(() => say(res, asked, found.map((mode) => (mode === whole ? mode.mode : mode))));
  }

  function misbehave(res, mode) {
    if (mode.kind === 'reply') return send(res, mode.code, mode.body, mode.headers);
    if (mode.kind === 'reset') return res.socket.destroy();
    if (mode.kind === 'cut') {
      const body = Buffer.from(mode.body);
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      res.write(body.subarray(0, body.length / 2), () => res.socket?.destroy());
      return undefined;
    }
    if (mode.kind === 'endless') {
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(65_536, ' ')));
      };
      res.on('drain', more);
      return more();
    }
    if (mode.kind === 'headers') {
      res.socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n');
      res.socket.write('X-More: of the same\r\n'.repeat(mode.count));
      return res.socket.write('Content-Length: 2\r\n\r\n{}');
    }
    if (mode.kind === 'drip') {
      res.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => res.write(' '), mode.everyMs);
      timers.add(timer);
      res.on('close', () => clearInterval(timer));
    }
    return undefined; // hang: nothing at all
  }

  const server = certs
    ? https.createServer({ key: certs.pem.key, cert: certs.pem.cert }, answer)
    : http.createServer(answer);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const upstream = {
    url: `${certs ? 'https' : 'http'}://${certs ? 'localhost' : '127.0.0.1'}:${server.address().port}`,
    credits,
    set: (provider, symbol, mode) => modes[provider].set(symbol, mode),
    requests: (provider) => seen.filter((r) => !provider || r.provider === provider),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}

/** The `providers` part of a configuration that sends them all here, with nothing scarce. */
export function providersAt(upstream) {
  const plenty = { credits_per_minute: 100_000, credits_per_day: 100_000_000 };
  return {
    twelvedata: { enabled: true, api_key: KEY, base_url: upstream.url, ...plenty },
    yahoo: { enabled: true, base_url: upstream.url },
    eia: { api_key: 'test-key-of-eia', base_url: upstream.url, ...plenty },
    fred: { api_key: 'test-key-of-fred', base_url: upstream.url, ...plenty },
    openmeteo: { base_url: upstream.url, ...plenty },
  };
}
