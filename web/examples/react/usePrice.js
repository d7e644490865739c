// The newest price of a symbol as a React hook, with what it takes to show it honestly; and the feed's own state.
//
//   const { quote, state, reason } = usePrice(feed, 'coffee');
//   const { state, reason } = useFeedState(feed);        connecting, live, reconnecting, offline
//
// quote: the item, or undefined before there is one. state: live, delayed, stale, closed or unavailable. It
// may change without a new quote; when the line to the gateway is lost it is `stale`, reason `disconnected`.

import { useCallback, useMemo, useSyncExternalStore } from 'react';

function makeStore(feed, symbol) {
  let snapshot;
  const look = () => (snapshot = { state: 'unavailable', reason: '', ...feed.status(symbol), quote: feed.quote(symbol) });
  look();
  return {
    get: () => snapshot,
    subscribe(changed) {
      const update = () => (look(), changed());
      const subscription = feed.subscribe([symbol], { onQuote: update, onStatus: update });
      return () => subscription.close();
    },
  };
}

export function usePrice(feed, symbol) {
  const { subscribe, get } = useMemo(() => makeStore(feed, symbol), [feed, symbol]);
  return useSyncExternalStore(subscribe, get, get);
}

export function useFeedState(feed) {
  const subscribe = useCallback((changed) => {
    feed.addEventListener('state', changed);
    return () => feed.removeEventListener('state', changed);
  }, [feed]);
  const get = () => feed.state;
  return useSyncExternalStore(subscribe, get, get);
}
