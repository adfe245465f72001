// What is wrong with how a call is made. Types tell whoever compiles; a page's own JavaScript is told by an error. What passes here are
// numbers that the core can take: at a BigInt among them it would end.

import type { RequestOptions } from "./types.js";

/** What the core calls a cache mode by is its place here; "bypass" never gets there. */
export const MODES = ["use", "refresh", "only-if-cached", "stale-while-revalidate"];
const PRIORITIES: unknown[] = [0, 1, 2, 3, "low", "normal", "high", "critical"];

/** A priority as a number from 0 to 3, or below 0 when it is none. */
export const level = (priority?: unknown): number => (priority === undefined ? 1 : PRIORITIES.indexOf(priority) % 4);

/** Whether something can be a length of time, or is left out. */
export const isSpan = (value: unknown): boolean => value === undefined || (typeof value === "number" && value >= 0);

type Rule = readonly [holds: (value: never) => boolean, what: string];
const SPAN: Rule = [isSpan, "a number of at least 0"];
const RULES: Record<string, Rule | undefined> = {
  timeout: SPAN,
  maxTotalTimeout: SPAN,
  queueTimeout: SPAN,
  cacheTTL: SPAN,
  priority: [(value) => level(value) >= 0, `one of ${PRIORITIES}`],
  cacheMode: [(value) => !value || value === "bypass" || MODES.includes(value), `one of bypass,${MODES}`],
  signal: [(value: AbortSignal) => !value || !!value.addEventListener, "an AbortSignal"],
  onProgress: [(value) => !value || typeof value === "function", "a function"],
  replay: [(value) => typeof value === "boolean" || isSpan(value), "a boolean or a number of at least 0"],
};

/** What an option must be; nothing when it is. */
export const wrongOption = (name: string, value: unknown): string | undefined => {
  const [holds, what] = RULES[name] ?? [];
  return holds && !holds(value as never) ? `${name} must be ${what}` : undefined;
};

/** The first thing that is wrong; nothing when all is well. */
export function wrongIn(method: unknown, options: RequestOptions): string | undefined {
  if (typeof method !== "string") return "the method must be a text";
  // Most have none.
  for (const name in options) {
    const wrong = wrongOption(name, options[name as keyof RequestOptions]);
    if (wrong) return wrong;
  }
}
