// The shared state of a cluster: from a configuration to the store it names. Nothing is opened and nothing thrown here: what is wrong with a
// configuration is told at the first use, since calls are routed without state.

import type { McpError } from "./errors.js";
import type { StateEndpoint, StateManagementConfig } from "./state-config.js";
import { stateInvalid, stateNeedsGateway } from "./state-error.js";
import { Closing, type Line } from "./state-gateway.js";
import { HazelcastStore } from "./state-hazelcast.js";
import { Database } from "./state-indexeddb.js";
import { LocalStore, Memory } from "./state-local.js";
import { RedisStore } from "./state-redis.js";
import { RefusingStore } from "./state-refusing.js";
import { Replicas, type Place } from "./state-replicas.js";
import { part } from "./state-text.js";
import type { StateStore } from "./types-state.js";
import { Upstash } from "./state-upstash.js";
import { Webdis } from "./state-webdis.js";

const DEFAULTS = { keyPrefix: "mcp:", ttl: 3_600_000, timeout: 5_000 };

/** The store that a configuration names; without one, memory. `fetch` carries what goes over the network. */
export function createStateStore(
  config: StateManagementConfig | undefined,
  clusterName: string,
  fetch: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
): StateStore {
  try {
    return storeOf(config ?? { provider: "memory" }, clusterName, fetch);
  } catch (problem) {
    return new RefusingStore(problem as McpError);
  }
}

function storeOf(config: StateManagementConfig, clusterName: string, fetch: typeof globalThis.fetch): StateStore {
  const { provider, region, keyPrefix = DEFAULTS.keyPrefix, ttl = DEFAULTS.ttl, timeout = DEFAULTS.timeout } = config;
  if (!(ttl > 0)) throw invalid("ttl must be more than 0 ms");
  if (!(timeout > 0)) throw invalid("timeout must be more than 0 ms");
  if (!/^[\w\-.~:{}]*$/.test(keyPrefix)) throw invalid("keyPrefix may have letters, digits and any of -_.~:{}");
  if (config.endpoints !== undefined && !Array.isArray(config.endpoints)) throw invalid("endpoints must be a list");
  const name = keyPrefix + part(clusterName);
  if (provider === "memory") return new LocalStore(new Memory(), `${name}:`, ttl);
  if (provider === "indexeddb") return new LocalStore(new Database(), `${name}:`, ttl);

  const closing = new Closing();
  const named = (config.endpoints ?? []).map((one) => (typeof one === "string" ? { url: one } : one));
  const lineOf = (endpoint: StateEndpoint, url: URL): Line => ({
    url: url.href.replace(/\/$/, ""),
    headers: [config.headers, endpoint.headers],
    fetch,
    timeout,
    closing,
  });
  if (provider === "redis") {
    const places = named.map((endpoint): Place => {
      const { url, isWebdis } = addressOf(endpoint.url);
      const line = lineOf(endpoint, url);
      return { gateway: isWebdis ? new Webdis(line) : new Upstash(line), isNear: region !== undefined && endpoint.region === region };
    });
    return new RedisStore(new Replicas(some(places)), `${name}:`, ttl, closing);
  }
  if (provider === "hazelcast") {
    if (config.ttl !== undefined) throw invalid("ttl: Hazelcast keeps it per map", "Set time-to-live-seconds of the map.");
    return new HazelcastStore(some(named.map((endpoint) => lineOf(endpoint, addressOf(endpoint.url).url))), name, closing);
  }
  throw invalid(`provider: there is no ${JSON.stringify(provider)}`, "One of redis, hazelcast, memory and indexeddb.");
}

function some<T>(list: readonly T[]): readonly [T, ...T[]] {
  const [first, ...others] = list;
  if (first === undefined) throw invalid("endpoints: this provider needs at least one");
  return [first, ...others];
}

/** An address that can be fetched, and which protocol is spoken there. */
function addressOf(given: string): { url: URL; isWebdis: boolean } {
  const isWebdis = /^webdis\+/i.test(given);
  let url: URL;
  try {
    url = new URL(isWebdis ? given.slice("webdis+".length) : given, globalThis.location?.href);
  } catch {
    throw invalid(`endpoints: ${JSON.stringify(given)} is no address`);
  }
  if (/^rediss?:$/.test(url.protocol)) throw stateNeedsGateway(url);
  if (!/^https?:$/.test(url.protocol)) throw invalid(`endpoints: ${url.protocol} is neither http: nor https:`);
  // No browser fetches it, and an error would show it.
  if (url.username || url.password) throw invalid("endpoints: no user and password in an address", "Use headers: { authorization }.");
  if (url.search || url.hash) throw invalid("endpoints: no query in an address", "Tokens belong into headers: addresses are logged.");
  return { url, isWebdis };
}

function invalid(detail: string, hint?: string): McpError {
  return stateInvalid(`stateManagementConfig.${detail}`, hint);
}

export { stateScripts } from "./state-lua.js";
