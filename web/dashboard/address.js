// The part of the page's address behind the #: what is looked at, so that a link shows it to
// somebody else, and the token, which is taken out at once (access.js).
//
//   #list=Morning&symbols=coffee,EUR/USD&symbol=coffee
//
// list and symbols: a watchlist with its name and content; symbol: whose detail is open. Pure.

/** {token, list: {name, symbols} | null, symbol}; null for what is not there. */
export function readAddress(hash) {
  // A second # is what comes of writing #token=... at the end of an address that has one.
  const given = new URLSearchParams(hash.slice(1).replaceAll('#', '&'));
  const symbols = (given.get('symbols') ?? '').split(',').filter(Boolean);
  const name = (given.get('list') ?? '').trim();
  return {
    token: given.get('token') || null,
    list: name || symbols.length > 0 ? { name: name || 'Shared list', symbols: [...new Set(symbols)] } : null,
    symbol: given.get('symbol') || null,
  };
}

/** '' when there is nothing to say. Commas and slashes stay readable. */
export function writeAddress({ list = null, symbol = null }) {
  const encode = (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%20', '+');
  const parts = [];
  if (list) parts.push(`list=${encode(list.name)}`, `symbols=${encode(list.symbols.join(','))}`);
  if (symbol) parts.push(`symbol=${encode(symbol)}`);
  return parts.length > 0 ? `#${parts.join('&')}` : '';
}
