// Which of several endpoints is asked: reads go to the nearest, writes home, and both on to the next when one cannot be reached. What was
// written is seen by whoever wrote it: a replica that has not come so far is passed by. It knows no command's meaning.

import { McpError } from "./index.js";
import { ofRead, stateError } from "./state-error.js";
import type { Gateway, Reply } from "./state-gateway.js";
import type { StateVersion } from "./types-state.js";

/** An endpoint that failed is asked last for so long, then for twice as long, up to a minute. */
const SHUN_MS = 5_000;
const SHUN_MOST_MS = 60_000;
/** A version of the own is believed to be on its way for so long. What no replica has by then was lost with a primary. */
const TRUST_MS = 60_000;

/** An endpoint, and where it stands. */
export interface Place {
  readonly gateway: Gateway;
  readonly isNear: boolean;
}

/** What a read brought, and how far its endpoint had come; 0 when nobody counts. */
export interface Seen {
  readonly value: unknown;
  readonly version: StateVersion;
}

interface Known extends Place {
  failures: number;
  shunnedUntil: number;
}

export class Replicas {
  readonly #places: readonly Known[];
  /** Who took the last write; before the first, whoever is named first. */
  #home: Known;
  #version: StateVersion = 0;
  #writtenAt = -Infinity;

  /** At least one. */
  constructor(places: readonly [Place, ...Place[]]) {
    this.#places = places.map((one) => ({ ...one, failures: 0, shunnedUntil: 0 }));
    this.#home = this.#places[0]!;
  }

  /** Whether versions have to be counted. */
  get areMany(): boolean {
    return this.#places.length > 1;
  }

  /** Reads at the nearest that is at least as new as `after`, or as what was written here. */
  async read(ask: (gateway: Gateway) => Promise<Seen>, after?: StateVersion): Promise<unknown> {
    const wanted = after ?? (performance.now() - this.#writtenAt < TRUST_MS ? this.#version : 0);
    const near = this.#places.filter((one) => one.isNear);
    let problem: unknown;
    let behind: string | undefined;
    for (const place of this.#ordered([...near, this.#home, ...this.#places])) {
      try {
        const { value, version } = await ask(place.gateway);
        this.#answered(place);
        // What home has is the truth, even when it has lost what came before it was home.
        if (version >= wanted || place === this.#home) return value;
        behind ??= place.gateway.url;
      } catch (error) {
        problem = this.#failed(place, ofRead(error));
      }
    }
    throw behind === undefined ? problem : stateError("behind", { url: behind, cause: problem });
  }

  /**
   * Writes at home, or at the next that takes it. `again`: twice does no harm. What may have been executed and must not be repeated is not
   * taken elsewhere, but rejects with outcome `unknown`. `isProof`: only who takes writes executes it.
   */
  async write(ask: (gateway: Gateway) => Promise<Reply>, again: boolean, isProof = true): Promise<unknown> {
    let problem: unknown;
    for (const place of this.#ordered([this.#home, ...this.#places])) {
      try {
        const { result, error } = await ask(place.gateway);
        this.#answered(place);
        if (error === undefined) {
          if (isProof && place !== this.#home) this.#moved(place);
          return result;
        }
        problem ??= stateError("readonly", { url: place.gateway.url });
      } catch (error) {
        problem = this.#failed(place, error);
        if (!again && (error as McpError).outcome === "unknown") throw error;
      }
    }
    throw problem;
  }

  /** A write of the own has this version. */
  wrote(version: StateVersion): void {
    // Answers overtake each other.
    this.#version = Math.max(this.#version, version);
    this.#writtenAt = performance.now();
  }

  /** The gateway to hear channels of: the nearest that answers. A replica is told what its primary is. */
  get nearest(): Gateway {
    const near = this.#places.filter((one) => one.isNear);
    return this.#ordered([...near, this.#home, ...this.#places])[0]!.gateway;
  }

  /** The nearest did not let itself be heard. */
  failedToHear(gateway: Gateway): void {
    const place = this.#places.find((one) => one.gateway === gateway);
    if (place) this.#shun(place);
  }

  /** Each once; those that are shunned last. */
  #ordered(places: readonly Known[]): Known[] {
    const now = performance.now();
    const order = [...new Set(places)];
    const isShunned = (place: Known) => place.shunnedUntil > now;
    return [...order.filter((one) => !isShunned(one)), ...order.filter(isShunned)];
  }

  #moved(place: Known): void {
    this.#home = place;
    // Its own count: what it has not got by now is lost.
    this.#version = 0;
  }

  #answered(place: Known): void {
    place.failures = 0;
    place.shunnedUntil = 0;
  }

  /** Gives the error back when others may do better; what no other would answer otherwise ends the search. */
  #failed(place: Known, error: unknown): unknown {
    if (!McpError.is(error) || !error.retryable) throw error;
    this.#shun(place);
    return error;
  }

  #shun(place: Known): void {
    place.failures += 1;
    place.shunnedUntil = performance.now() + Math.min(SHUN_MOST_MS, SHUN_MS * 2 ** (place.failures - 1));
  }
}
