// Shared state in Hazelcast by its REST interface: values and nothing else. Experimental: the interface is deprecated, off by default, knows no
// CORS (a proxy has to add it) and no authorization. The map is `<keyPrefix><clusterName>`; how long its entries live is configured there.

import { ofRead, stateError } from "./state-error.js";
import { exchange, type Answer, type Closing, type Line } from "./state-gateway.js";
import { RefusingStore } from "./state-refusing.js";
import { named, packed, part, unpacked } from "./state-text.js";
import type { StateCapabilities, StateVersion } from "./types-state.js";

export class HazelcastStore extends RefusingStore {
  readonly #lines: readonly Line[];
  readonly #map: string;
  readonly #closing: Closing;

  /** One member after the other is asked, all of one cluster. `closing` ends what is under way. */
  constructor(lines: readonly Line[], map: string, closing: Closing) {
    super(null);
    this.#lines = lines;
    this.#map = map;
    this.#closing = closing;
  }

  override capabilities(): StateCapabilities {
    return { ...super.capabilities(), reach: "everyone" };
  }

  override async get<T>(key: string): Promise<T | undefined> {
    const { status, text } = await this.#asked(key, { method: "GET" }).catch((error) => {
      throw ofRead(error);
    });
    return unpacked(status === 204 ? undefined : text, key) as T | undefined;
  }

  override async set(key: string, value: unknown, ttl?: number): Promise<StateVersion> {
    // A life that is not kept would be a promise broken silently.
    if (ttl !== undefined) throw this.refusal("a life per value (ttl)");
    // As text/plain, which needs no preflight.
    await this.#asked(key, { method: "POST", body: packed(value) });
    return 0;
  }

  override async delete(key: string): Promise<StateVersion> {
    await this.#asked(key, { method: "DELETE" });
    return 0;
  }

  override async ping(): Promise<void> {
    await this.#anywhere("/hazelcast/health/ready", { method: "GET" });
  }

  override close(): void {
    this.#closing.end();
  }

  #asked(key: string, init: RequestInit): Promise<Answer> {
    // Twice encoded: whether the server decodes the path once or not at all, no two keys become one.
    return this.#anywhere(`/hazelcast/rest/maps/${this.#map}/${part(named(key))}`, init);
  }

  /** Each of these does no harm when it is done twice. */
  async #anywhere(path: string, init: RequestInit): Promise<Answer> {
    let problem: unknown;
    for (const line of this.#lines) {
      try {
        const answer = await exchange(line, path, init);
        if (answer.status === 200 || answer.status === 204) return answer;
        problem = stateError("gateway", { url: line.url, httpStatus: answer.status, detail: `HTTP ${answer.status}` });
      } catch (error) {
        problem = error;
      }
    }
    throw problem;
  }
}
