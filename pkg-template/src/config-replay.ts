// The options of sending again, with their defaults and dangers. Types only, as config.ts.

/**
 * What may be sent again after it was lost. What never left, and what the server refused before executing it (429, a lost session), is
 * sent again in any case.
 */
export interface ReplayOptions {
  /**
   * The methods that may be executed twice: `"default"` those of the protocol that read, `"none"` none, or these and no others.
   * Danger: a method in the list that changes something may change it twice.
   * @default "default"
   */
  safeMethods?: "default" | "none" | string[];
  /**
   * Whether a tool whose definition says `readOnlyHint` or `idempotentHint` may be executed twice. Danger: the server says so of
   * itself; trust only your own.
   * @default false
   */
  trustAnnotations?: boolean;
  /**
   * Tools that may be executed twice.
   * @default none
   */
  idempotentTools?: string[];
  /**
   * Under which key of `_meta` the server expects `idempotencyKey` of a call. There is no standard one.
   * @default "off"
   */
  idempotencyKey?: "off" | { metaKey: string };
  /**
   * How often one call may be sent again. A count.
   * @default 2
   */
  maxReplays?: number;
  /**
   * What becomes of a tool call that was sent when the link was lost: `"unknown"` rejects with `OUTCOME_UNKNOWN`, `"replay"` sends it
   * again. Danger: with `"replay"` every tool may be executed twice.
   * @default "unknown"
   */
  toolCallOnLostLink?: "unknown" | "replay";
}
