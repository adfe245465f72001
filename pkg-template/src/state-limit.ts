// The arithmetic of shared limits (GCRA, the generic cell rate algorithm): a limit as numbers, and what it says at a time. Redis does the same in
// a script (state-lua.ts). It keeps nothing.

import { stateInvalid } from "./state-error.js";
import type { StateLimit, StateVerdict } from "./types-state.js";

/** In microseconds. */
export interface Gcra {
  /** From one to the next. */
  readonly each: number;
  /** How far a burst may run ahead. */
  readonly ahead: number;
  readonly cost: number;
}

export function gcra({ requestsPerSecond, burst = Math.ceil(requestsPerSecond), cost = 1 }: StateLimit): Gcra {
  if (!(requestsPerSecond > 0 && requestsPerSecond <= 1e6)) throw stateInvalid("limit: requestsPerSecond must be more than 0 and at most 1000000");
  if (!(burst >= 1)) throw stateInvalid("limit: burst must be at least 1");
  if (!(cost >= 1 && cost <= burst)) throw stateInvalid("limit: cost must be at least 1 and at most burst");
  const each = Math.round(1e6 / requestsPerSecond);
  return { each, ahead: Math.round(each * burst), cost };
}

/** What a limit says `now`, when all it let through would evenly have been let through by `until`. Microseconds; the new `until` with it. */
export function ask({ each, ahead, cost }: Gcra, now: number, until: number): { verdict: StateVerdict; until: number } {
  const from = Math.max(now, until);
  const to = from + each * cost;
  const late = to - ahead - now;
  if (late > 0) {
    const verdict = { allowed: false, remaining: Math.floor((ahead - from + now) / each), retryAfter: Math.ceil(late / 1000) };
    return { verdict, until };
  }
  return { verdict: { allowed: true, remaining: Math.floor(-late / each), retryAfter: 0 }, until: to };
}
