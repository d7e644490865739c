// What providers are called by people, and what their failures mean in words. Pure.

const NAMES = {
  alphavantage: 'Alpha Vantage',
  coinbase: 'Coinbase',
  ecb: 'ECB',
  eia: 'EIA',
  exchangerate: 'ExchangeRate-API',
  finnhub: 'Finnhub',
  frankfurter: 'Frankfurter',
  fred: 'FRED',
  ico: 'ICO',
  nasdaqdatalink: 'Nasdaq Data Link',
  oanda: 'OANDA',
  openmeteo: 'Open-Meteo',
  perplexity: 'Perplexity',
  sim: 'Simulator',
  stooq: 'Stooq',
  twelvedata: 'Twelve Data',
  worldbank: 'World Bank',
  yahoo: 'Yahoo',
};

/** Another program's name stays as it is written. */
export const providerName = (provider) => (Object.hasOwn(NAMES, provider) ? NAMES[provider] : provider);

// What a source did; "said 429" where the answer had such a status.
const DID = {
  not_found: () => 'did not know the symbol',
  auth: (code) => `refused our key${code ? ` (${code})` : ''}`,
  rate_limited: (code) => (code ? `said ${code} (too many requests)` : 'said \u201ctoo many requests\u201d'),
  blocked: (code) => `shut us out${code ? ` (${code})` : ''}`,
  no_data: () => 'had no data',
  bad_schema: () => 'gave an answer that was not believed',
  upstream_error: (code) => (code ? `said ${code} (an error of its own)` : 'failed'),
  timeout: () => 'did not answer in time',
  dns: () => 'was not found (no address for its name)',
  tls: () => 'could not prove who it is (TLS)',
  connect: () => 'could not be reached',
  older: () => 'had only an older price',
};

/** "said 429 (too many requests)". status: of HTTP, or null. */
export function did(error, status) {
  const code = status >= 400 ? status : 0;
  return Object.hasOwn(DID, error) ? DID[error](code) : `failed (${error})`;
}

// Why a source is not asked at the moment.
const NOT_ASKED = {
  breaker_open: 'left alone because it failed',
  budget: 'its credits are to last',
  disabled: 'switched off, or without its key',
  not_found: 'it does not know the symbol',
  older: 'not needed while a price is held',
};

export const notAsked = (error) => (Object.hasOwn(NOT_ASKED, error) ? NOT_ASKED[error] : error);

/** A reason of a status message, in words. */
export function because(reason) {
  const own = { removed: 'it is no longer configured', disconnected: 'the gateway is away', unknown_symbol: 'it is not configured', symbol_limit: 'this connection has as many symbols as it may have' };
  if (Object.hasOwn(own, reason)) return own[reason];
  if (Object.hasOwn(DID, reason)) return `the last source asked ${did(reason)}`;
  return Object.hasOwn(NOT_ASKED, reason) ? `no source may be asked now: ${notAsked(reason)}` : reason;
}
