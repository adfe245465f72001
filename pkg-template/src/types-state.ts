// The shapes of a cluster's shared state, as applications see them. Types only.
// Values are JSON; durations are milliseconds. What fails rejects with `STATE_STORE_FAILED`, what cannot be used (an option, an argument) with
// `INVALID_CONFIG`.

import type { McpError } from "./errors.js";

/** What a provider can do, and for whom. */
export interface StateCapabilities {
  /** Who else sees what is written: nobody, the pages and workers of this origin in this browser, or every client with the same gateway. */
  readonly reach: "client" | "origin" | "everyone";
  /** Values may have a life of their own. */
  readonly ttl: boolean;
  readonly cas: boolean;
  readonly incr: boolean;
  readonly lock: boolean;
  readonly limit: boolean;
  readonly subscribe: boolean;
}

/**
 * How far the state had come when something was written: give it to another client, and its `get(key, { after })` sees the write, whichever
 * replica it reads. 0 where there is but one endpoint, and nothing to wait for.
 */
export type StateVersion = number;

/** Options of a read. */
export interface StateReadOptions {
  /**
   * At least as new as this.
   * @default what this store wrote itself in the last minute; 0 takes whatever the nearest endpoint has
   */
  after?: StateVersion;
}

/** How often something may happen, for all clients together. */
export interface StateLimit {
  /** On average; more than 0, and may be a fraction. */
  readonly requestsPerSecond: number;
  /**
   * How many may follow each other at once after a pause. A count, at least 1.
   * @default requestsPerSecond, rounded up
   */
  readonly burst?: number;
  /**
   * How many this one counts as. At least 1, at most `burst`.
   * @default 1
   */
  readonly cost?: number;
}

/** What a shared limit says. */
export interface StateVerdict {
  readonly allowed: boolean;
  /** How many more may follow now. */
  readonly remaining: number;
  /** When the same may be asked again with success. Milliseconds; 0 when allowed. */
  readonly retryAfter: number;
}

/** A lock that is held. It ends by itself: nothing that a page promises outlives the page. */
export interface StateLock {
  /**
   * Greater than that of every earlier holder. Pass it on with what is done under the lock, and let the other side refuse a smaller one than
   * it has seen: a holder that slept may believe in its lock longer than the store.
   */
  readonly fence: number;
  /** Holds it for so long from now. `false`: it had ended already. */
  extend(ttl: number): Promise<boolean>;
  /** `false`: it had ended already, and may be another's. */
  unlock(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the clients of a cluster share. Keys are any text. */
export interface StateStore {
  /** What is wrong with the configuration; every use rejects with it. `null`: nothing. */
  readonly problem: McpError | null;
  /** How long a value lives that is written without a life of its own. Milliseconds; `Infinity`: for ever, or as its server has it. */
  readonly ttl: number;
  capabilities(): StateCapabilities;
  /** `undefined` when there is nothing, or not any more. */
  get<T = unknown>(key: string, options?: StateReadOptions): Promise<T | undefined>;
  /** `ttl`: how long it lives; that of the configuration when absent, `Infinity` for ever. */
  set(key: string, value: unknown, ttl?: number): Promise<StateVersion>;
  delete(key: string): Promise<StateVersion>;
  /**
   * Writes when there is still what was expected: a value as `get` gave it, compared as text of JSON, or `undefined` for nothing. `false`: there
   * is something else. An error with outcome `unknown`: it may have been written.
   */
  cas(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean>;
  /** Adds a whole number, to 0 when there is nothing, and tells the sum. The life begins when the key does. */
  incr(key: string, by?: number, ttl?: number): Promise<number>;
  /** How long a value still lives, by the store's own clock. `Infinity`: for ever; `undefined`: there is none. */
  expiresIn(key: string): Promise<number | undefined>;
  /** Takes a lock for so long, or resolves with `null` when somebody else has it. It does not wait. */
  lock(key: string, ttl: number): Promise<StateLock | null>;
  /**
   * Asks a shared limit, by the store's own clock. Danger: it is kept by those who ask; a server that has to be protected must keep
   * its own.
   */
  limit(key: string, limit: StateLimit): Promise<StateVerdict>;
  /** Tells all who listen now. Nobody keeps it. */
  publish(channel: string, message: unknown): Promise<void>;
  /**
   * Hears what is published from now on, own messages included, until the function it returns is called. `onGap`: the stream broke off and is
   * there again; what was published in between is lost. Messages that follow each other at once may overtake each other (webdis
   * does that). It takes one connection, of which a page has six per origin over HTTP/1.1.
   */
  subscribe(channel: string, listener: (message: unknown) => void, onGap?: () => void): () => void;
  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** Ends subscriptions and whatever is under way. Nothing that is stored goes. */
  close(): void;
}
