// Types of pricegate-client. What the members mean: README.md.

/** Prices and times are numbers, or their own text where `parse` keeps that. */
export type Figure = number | string;
export type State = 'live' | 'delayed' | 'stale' | 'closed' | 'unavailable';
export type Market = 'open' | 'closed' | 'pre' | 'post' | 'unknown';

export interface Quote {
  symbol: string;
  price: Figure;
  bid?: Figure;
  ask?: Figure;
  open?: Figure;
  high?: Figure;
  low?: Figure;
  prev_close?: Figure;
  change?: Figure;
  change_pct?: Figure;
  volume?: Figure;
  currency?: string;
  unit?: string;
  /** The market's own time of the price, and when the gateway last heard it: ms since 1970. */
  ts: Figure;
  recv?: Figure;
  seq?: string;
  source?: string;
  source_symbol?: string;
  /** True: not from the first source of the chain. */
  fallback?: boolean;
  delayed_s?: Figure;
  stale_after_ms?: Figure;
  state?: State;
  market?: Market;
  /** Whatever else came: unknown members may appear, for ever. */
  [member: string]: unknown;
}

export interface Observation {
  symbol: string;
  name?: string;
  kind?: 'observation';
  category?: string;
  region?: string;
  value?: Figure;
  unit?: string;
  values?: Record<string, Figure>;
  units?: Record<string, string>;
  text?: string;
  citations?: string[];
  ts: Figure;
  recv?: Figure;
  seq?: string;
  source?: string;
  state?: State;
  [member: string]: unknown;
}

export interface Status {
  symbol: string;
  state: State;
  since?: Figure;
  /** Why: of the gateway; or `disconnected`, `removed`, `unknown_symbol`, `forbidden`, `symbol_limit`. */
  reason?: string;
  /** A sentence, where a symbol was refused. */
  message?: string;
  source?: string;
  market?: Market;
}

export interface FeedState {
  state: 'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed';
  /** A sentence for people, or ''. */
  reason: string;
  /** Milliseconds until the next attempt; null when none is waited for. */
  retryMs: number | null;
  transport: 'ws' | 'sse' | null;
}

export interface FeedError {
  /** `unknown_symbol`, `auth_failed`, ... */
  error: string;
  /** A sentence for people. */
  message: string;
  /** The gateway's number for it. */
  code?: Figure;
  symbol?: string;
}

/** Any message of the gateway. Over events: `quote`, `observation` and `status`, with one of `data`. */
export interface Message {
  type: string;
  [member: string]: unknown;
}

export interface SubscribeOptions {
  /** At most one value per symbol in this time; 0, all, is the default. */
  interval_ms?: number;
  /** Only these members, and always symbol, seq, ts and state. */
  fields?: string[];
  onQuote?(quote: Quote): void;
  onObservation?(observation: Observation): void;
  onStatus?(status: Status): void;
}

export interface Subscription extends AsyncIterable<Quote | Observation> {
  readonly symbols: readonly string[];
  readonly closed: boolean;
  /** No callback after this; loops over it end. */
  close(): void;
}

export interface FeedOptions {
  /** A key or a signed token. */
  token?: string | null;
  /** Asked for a token when there is none, before a signed one ends, and when one is refused. */
  getToken?(): string | null | Promise<string | null>;
  /** `auto`: WebSocket, and Server-Sent Events where that does not open. */
  transport?: 'auto' | 'ws' | 'sse';
  /** How long a line may be away until its prices are called stale: 2000. */
  graceMs?: number;
  /** Instead of JSON.parse, to keep the digits of numbers for example. */
  parse?(text: string): any;
  /** The class to use; in Node before 22 that of the `ws` package. */
  WebSocket?: any;
  fetch?: typeof fetch;
}

export interface FeedEvents {
  state: FeedState;
  quote: Quote;
  observation: Observation;
  status: Status;
  stale: Status;
  flow: { type: 'flow'; merged: Figure; ms: Figure };
  error: FeedError;
  message: Message;
}

export interface FeedEvent<T> extends Event {
  readonly detail: T;
}

export class PriceFeed extends EventTarget {
  /** The address of a gateway: https://host/, wss://host/. Without one: where the page is from. */
  constructor(url?: string | URL, options?: FeedOptions);

  readonly state: FeedState;
  /** The gateway's clock minus ours, in ms. */
  readonly clockSkewMs: number;

  subscribe(symbols: string | readonly string[], options?: SubscribeOptions): Subscription;
  /** The newest item of a symbol that some subscription wants. */
  quote(symbol: string): Quote | Observation | undefined;
  /** What is known of its state now. */
  status(symbol: string): Status | undefined;
  /** Lets the gateway ask the providers now. Needs the role analyst and a WebSocket. */
  refresh(symbols: string | readonly string[]): Promise<Message>;
  setToken(token: string | null): void;
  /** The device has lost, or found, its network. Browsers are listened to. */
  setOnline(online: boolean): void;
  /** For good: no timer, socket or listener stays. */
  close(): void;

  addEventListener<K extends keyof FeedEvents>(
    type: K,
    listener: ((event: FeedEvent<FeedEvents[K]>) => void) | { handleEvent(event: FeedEvent<FeedEvents[K]>): void } | null,
    options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener<K extends keyof FeedEvents>(
    type: K,
    listener: ((event: FeedEvent<FeedEvents[K]>) => void) | { handleEvent(event: FeedEvent<FeedEvents[K]>): void } | null,
    options?: boolean | { capture?: boolean },
  ): void;
}

/** The wait before attempt n in ms: anywhere between 0 and a doubling bound. */
export function backoff(attempt: number, random: () => number): number;
