// What the application allows to be sent again (resilience rules, section 5), as the flags of a call. The table of what follows from them
// is the core's.

import type { Call } from "./call.js";
import { wrongKey } from "./meta.js";
import type { CallToolOptions, MCPClientConfig, Tool } from "./types.js";

/** A bit of the core's flags: a second execution is harmless. */
const IDEMPOTENT = 16;

export class ReplayRules {
  /** Where an idempotency key goes in `_meta`. */
  readonly metaKey: string | undefined;
  /** Undefined: the core's own table. */
  readonly #safe: ReadonlySet<string> | undefined;
  readonly #tools: ReadonlySet<string>;
  readonly #trusts: boolean;
  readonly #always: boolean;
  /** Nothing is configured: the common case, and asked for every call. */
  readonly #isPlain: boolean;
  readonly #definition: (tool: string | undefined) => Tool | undefined;

  /** Throws a text that names the option which is wrong. */
  constructor({ replay = {} }: MCPClientConfig, definition: (tool: string | undefined) => Tool | undefined) {
    const { safeMethods, trustAnnotations, idempotentTools, idempotencyKey = "off", toolCallOnLostLink } = replay;
    const named = safeMethods === undefined || safeMethods === "default" ? undefined : safeMethods === "none" ? [] : safeMethods;
    demand(named === undefined || Array.isArray(named), `replay.safeMethods must be "default", "none" or a list of methods`);
    demand(idempotentTools === undefined || Array.isArray(idempotentTools), "replay.idempotentTools must be a list of tools");
    demand(trustAnnotations === undefined || typeof trustAnnotations === "boolean", "replay.trustAnnotations must be true or false");
    demand([undefined, "unknown", "replay"].includes(toolCallOnLostLink), `replay.toolCallOnLostLink must be "unknown" or "replay"`);
    const { metaKey } = idempotencyKey === "off" ? {} : ({ ...idempotencyKey } as { metaKey?: string });
    const isKey = typeof metaKey === "string" && wrongKey({ [metaKey]: "" }) === undefined;
    demand(isKey || idempotencyKey === "off", `replay.idempotencyKey must be "off" or { metaKey } with a key as options.meta takes`);
    this.metaKey = metaKey;
    this.#safe = named && new Set(named);
    this.#tools = new Set(idempotentTools);
    this.#trusts = !!trustAnnotations;
    this.#always = toolCallOnLostLink === "replay";
    this.#isPlain = !named && !idempotentTools?.length && !trustAnnotations && !this.#always;
    this.#definition = definition;
  }

  /** Whether a second execution is harmless, as far as the application has said so. */
  vouches(call: Call): boolean {
    const { method, options } = call;
    const { idempotent, idempotencyKey, replay } = options;
    if (idempotent || idempotencyKey !== undefined || replay) return true;
    if (this.#isPlain) return false;
    const { tool } = call;
    if (method !== "tools/call") return !!this.#safe?.has(method);
    if (this.#always || this.#tools.has(tool!)) return true;
    if (!this.#trusts) return false;
    const { annotations } = (options as CallToolOptions).toolDefinition ?? this.#definition(tool) ?? {};
    return !!(annotations?.readOnlyHint || annotations?.idempotentHint);
  }

  flags(call: Call): number {
    const vouched = this.vouches(call);
    const { replay } = call.options;
    const forbidden = replay === false || (this.#safe && !vouched);
    const most = forbidden ? 0 : typeof replay === "number" ? Math.min(replay, 254) : -1;
    // Above the other bits: one more than how often, or nothing.
    return (vouched ? IDEMPOTENT : 0) | ((most + 1) << 16);
  }
}

/** Throws what an option must be, unless it is. */
export function demand(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(what);
}
