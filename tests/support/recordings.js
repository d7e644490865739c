// The recorded replies that hold a quote, and what must come of each. The folder lies beside the
// repository or where PRICEGATE_PAYLOADS says; it may be absent.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { raw } from './upstream.js';

const wanted =
  process.env.PRICEGATE_PAYLOADS ?? fileURLToPath(new URL('../../../shared/payloads', import.meta.url));
export const folder = existsSync(join(wanted, 'twelvedata')) ? wanted : null;

export const recording = (provider, file) => readFileSync(join(folder, provider, file));

const quote = (symbol, price, currency, ts) => ({ symbol, price, currency, ts });
const row = (provider, file, ...quotes) => ({ provider, file, quotes });

export const recordings = [
  row('twelvedata', 'quote-amzn-2026.json', quote('AMZN', '248.39', 'USD', 1790343900)),
  row('twelvedata', 'quote-spy-2026.json', quote('SPY', '769.465', 'USD', 1790343900)),
  row(
    'twelvedata',
    'batch-quote.json',
    quote('AAPL', '229.87000', 'USD', 1732305600),
    quote('MSFT', '414.17000', 'USD', 1732305600),
  ),
  row('yahoo', 'chart-aapl-1m-weekend-no-timestamp.json', quote('AAPL', '244.87', 'USD', 1739998801)),
  row('yahoo', 'chart-btcusd-1d.json', quote('BTC-USD', '97208.17', 'USD', 1740051840)),
  row('yahoo', 'chart-eurusd-1d.json', quote('EURUSD=X', '1.0436', 'USD', 1740052002)),
  row('yahoo', 'chart-gc-future-1d.json', quote('GC=F', '2952.5', 'USD', 1740051311)),
  row('yahoo', 'chart-inrx-with-null-bars.json', quote('INR=X', '83.89', 'INR', 1726284616)),
  // Pence: a hundredth of a pound.
  row('yahoo', 'chart-ocdo-l-gbp-pence-1d.json', quote('OCDO.L', '3.053', 'GBP', 1740051143)),
  // A dead fund: its newest bar is younger than what calls itself the market price.
  row('yahoo', 'chart-stale-fund.json', quote('0P0000XTS7', '11892.19', 'USD', 1726234200)),
  row('yahoo', 'chart-mutualfund-cad-1d.json', quote('0P000071W8.TO', '153.9', 'CAD', 1739995200)),
  row('yahoo', 'chart-tsla-1d-range.json', quote('TSLA', '230.29', 'USD', 1726257600)),
  row('yahoo', 'chart-wskt-jk-idr-1d.json', quote('WSKT.JK', '202', 'IDR', 1721764800)),
  row('yahoo', 'chart-wsu-de-eur-1d.json', quote('WSU.DE', '38.9', 'EUR', 1740049420)),
];

/** Lets the upstream answer with the recording for each of its symbols. */
export function serve(upstream, provider, file, quotes) {
  for (const { symbol } of quotes) upstream.set(provider, symbol, raw(recording(provider, file)));
}
