// Rates of single methods and tools: which of the core's lanes a call keeps to. When it may leave is the core's.

import { limit } from "bowline-core";
import type { Call } from "./call.js";
import { demand } from "./replay.js";
import type { MCPClientConfig } from "./types.js";

/** Where the number of a lane is in the core's flags. */
const SHIFT = 24;
const MOST = 127;

export class Lanes {
  readonly #numbers = new Map<string, number>();
  readonly #rates: [perSecond: number, burst: number][] = [];
  readonly #rejects: number;

  /** Throws a text that names the option which is wrong. */
  constructor({ rateLimit: { methods, tools, onLimit } = {} }: MCPClientConfig) {
    this.#rejects = +(onLimit === "reject");
    const named = [methods, tools].flatMap((group, at) => Object.entries(group ?? {}).map(([name, rate]) => [at ? `tools/call ${name}` : name, rate] as const));
    demand(named.length <= MOST, `rateLimit must name at most ${MOST}`);
    for (const [name, { requestsPerSecond: rate, burst = Math.ceil(rate) }] of named) {
      demand(rate > 0 && burst >= 1, `rateLimit: ${name} must have requestsPerSecond above 0, and a burst of at least 1`);
      this.#numbers.set(name, this.#rates.push([rate, burst]));
    }
  }

  /** Tells a new core of them. */
  open(client: number): void {
    for (const [rate, burst] of this.#rates) limit(client, rate, burst, this.#rejects);
  }

  /** As a part of the core's flags. A tool's own rate counts in the place of that of all tools. */
  flags({ method, tool }: Call): number {
    return (this.#numbers.get(`${method} ${tool}`) ?? this.#numbers.get(method) ?? 0) << SHIFT;
  }
}
