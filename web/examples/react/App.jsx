// App.jsx - a small watchlist. With vite:
//
//   npm create vite@latest desk -- --template react && cd desk
//   npm install PATH/TO/pricegate/web/client
//   cp PATH/TO/pricegate/web/examples/react/* src/
//   npm run dev                     http://localhost:5173, which the gateway lists under `origins`

import { useEffect, useState } from 'react';
import { PriceFeed } from 'pricegate-client';
import { parseExact } from 'pricegate-client/exact.js'; // 150.10 stays that: numbers are their own text

import { useFeedState, usePrice } from './usePrice.js';

const feed = new PriceFeed('http://127.0.0.1:8080', { parse: parseExact });

function useNow() {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Price({ symbol }) {
  const { quote, state, reason } = usePrice(feed, symbol);
  const now = useNow();
  return (
    <tr data-state={state}>
      <th scope="row">{symbol}</th>
      <td>{quote ? `${quote.price} ${quote.unit ?? ''}` : '–'}</td>
      <td>{state} {reason}</td>
      <td>{quote && `${quote.source}${quote.fallback ? ' (fallback)' : ''}`}</td>
      <td>{quote && `${Math.max(0, Math.round((now + feed.clockSkewMs - (quote.recv ?? quote.ts)) / 1000))} s`}</td>
    </tr>
  );
}

export default function App({ symbols = ['coffee', 'EUR/USD'] }) {
  const line = useFeedState(feed);
  return (
    <>
      <p role="status">{line.state} {line.reason}</p>
      <table><tbody>{symbols.map((symbol) => <Price key={symbol} symbol={symbol} />)}</tbody></table>
    </>
  );
}
