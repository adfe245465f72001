// What is wrong with how a call is made. Types tell whoever compiles; a page's own JavaScript is told by an error. What passes here are
// numbers that the core can take: at a BigInt among them it would end.

import type { RequestOptions } from "./types.js";

/** What the core calls a cache mode by is its place here; "bypass" never gets there. */
export const MODES = ["use", "refresh", "only-if-cached", "stale-while-revalidate"];
const LIMITS = ["timeout", "maxTotalTimeout", "queueTimeout", "cacheTTL"] as const;
const PRIORITIES: unknown[] = [0, 1, 2, 3, "low", "normal", "high", "critical"];

/** What a priority must be. */
export const PRIORITY = "priority must be low, normal, high, critical or 0 to 3";

/** A priority as a number from 0 to 3, or below 0 when it is none. */
export const level = (priority?: unknown): number => (priority === undefined ? 1 : PRIORITIES.indexOf(priority) % 4);

/** Whether something can be a length of time, or is left out. */
export const isSpan = (value: unknown): boolean => value === undefined || (typeof value === "number" && value >= 0);

/** What it must be; nothing when all is well. */
export function wrongIn(method: unknown, options: RequestOptions): string | undefined {
  const { timeout, maxTotalTimeout, queueTimeout, cacheTTL, priority, cacheMode, signal, onProgress, replay } = options;
  if (typeof method !== "string") return "the method must be a text";
  if (!isSpan(timeout) || !isSpan(maxTotalTimeout) || !isSpan(queueTimeout) || !isSpan(cacheTTL)) {
    return `${LIMITS.find((name) => !isSpan(options[name]))} must be a number of at least 0`;
  }
  if (level(priority) < 0) return PRIORITY;
  if (cacheMode && cacheMode !== "bypass" && !MODES.includes(cacheMode)) return `cacheMode must be bypass, ${MODES.join(", ")}`;
  if (signal && !signal.addEventListener) return "signal must be an AbortSignal";
  if (onProgress && typeof onProgress !== "function") return "onProgress must be a function";
  if (typeof replay !== "boolean" && !isSpan(replay)) return "replay must be true, false or a number of at least 0";
}
