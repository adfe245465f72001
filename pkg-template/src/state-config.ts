// How the shared state of a cluster is configured: every option with its unit, default and danger. Types only; state.ts reads them.

/** Headers for a gateway, or what makes them: asked before every request, so that a token may be short-lived. */
export type StateHeaders = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** One of several gateways. */
export interface StateEndpoint {
  /** As a string in `endpoints`. */
  readonly url: string;
  /** Where it stands. A client in the same `region` reads here. */
  readonly region?: string;
  /** Beside, and before, those of the whole configuration. */
  readonly headers?: StateHeaders;
}

/** Where a cluster keeps what its clients share: session pins, session values, locks, limits. */
export interface StateManagementConfig {
  /**
   * `redis`: through a gateway, since a browser cannot speak to Redis itself; everything works. `hazelcast`: its REST interface, behind a
   * proxy that adds CORS; experimental, values only (`capabilities()` tells). `indexeddb`: the pages and workers of one origin in one
   * browser. `memory`: this cluster object alone.
   */
  provider: "redis" | "hazelcast" | "memory" | "indexeddb";
  /**
   * Gateways of `redis`: `https://HOST` speaks the REST of Upstash, `webdis+https://HOST` that of webdis. Of `hazelcast`: `https://HOST`.
   * A path without a host is one of the page's own origin. With several, the first that takes writes is home, the others are
   * its replicas: values are read from one in the own `region`, writes go home, and when home is gone to the next that takes them.
   * Danger: an old primary that comes back must come back as a replica. A `redis://` address cannot be used: the first use of state then
   * fails with `INVALID_CONFIG`, and calls are routed without it.
   */
  endpoints?: readonly (string | StateEndpoint)[];
  /**
   * What all keys begin with; the cluster's name follows. Restrict the gateway's user to it. Letters, digits and any of `-_.~:{}`: in a Redis
   * Cluster it needs a hash tag, as in `{mcp}:`, since keys of one script must lie in one slot.
   * @default "mcp:"
   */
  keyPrefix?: string;
  /**
   * How long a value lives that was written without a life of its own, and how long a session stays pinned after its last call. Milliseconds;
   * `Infinity` for ever. Hazelcast has no such life per value, so with it this must be absent: set `time-to-live-seconds` of the map.
   * @default 3600000
   */
  ttl?: number;
  /**
   * For every endpoint, for example `{ authorization: "Bearer TOKEN" }`. Danger: whoever uses the page can read them. Give a token that is
   * limited to `keyPrefix` and to the commands in use, and short-lived; never a master password.
   */
  headers?: StateHeaders;
  /** Where this client stands. Without, values are read at home. */
  region?: string;
  /**
   * How long one gateway may take to answer. Milliseconds.
   * @default 5000
   */
  timeout?: number;
}
