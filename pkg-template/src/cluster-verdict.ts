// What the end of an attempt says of its node: the errors of a client as the verdicts of the cluster's core. What follows from them is the core's.

import { McpError } from "./errors.js";
import { OUTCOMES } from "./cluster-told.js";
import type { McpErrorCode } from "./types.js";

export const ANSWERED = 0;
const BUSY = 1;
const TRANSPORT = 2;
const TIMEOUT = 3;
const SERVER = 4;
const SURROUNDINGS = 5;
/** Nothing is learnt of the node, and nobody else is asked: the fault is in the call, or in this page. */
const OWN_FAULT = 6;

/** What is not here is an answer: the node has done its part. */
const VERDICTS: { [C in McpErrorCode]?: number } = {
  CONNECTION_CLOSED: TRANSPORT,
  CONNECT_TIMEOUT: TRANSPORT,
  CONNECT_FAILED: TRANSPORT,
  HEARTBEAT_TIMEOUT: TRANSPORT,
  RECONNECT_EXHAUSTED: TRANSPORT,
  NOT_CONNECTED: TRANSPORT,
  CORS_OR_NETWORK: TRANSPORT,
  STREAM_ENDED: TRANSPORT,
  OUTCOME_UNKNOWN: TRANSPORT,
  CLIENT_CLOSED: TRANSPORT,
  // Never sent; other nodes may speak another one.
  PROTOCOL_VERSION: TRANSPORT,
  REQUEST_TIMEOUT: TIMEOUT,
  PARSE_ERROR: SERVER,
  // Its client has enough to do: never sent.
  QUEUE_FULL: BUSY,
  QUEUE_TIMEOUT: BUSY,
  RATE_LIMITED: BUSY,
  OFFLINE: SURROUNDINGS,
  INTERNAL: SURROUNDINGS,
  WASM_LOAD_FAILED: SURROUNDINGS,
  SEND_FAILED: OWN_FAULT,
  INVALID_CONFIG: OWN_FAULT,
  NOT_CACHED: OWN_FAULT,
  ABORTED: OWN_FAULT,
};

/** A verdict, an outcome and a `retryAfter` (NaN for none) as the core takes them. */
export type Numbers = readonly [verdict: number, outcome: number, retry: number];

/** The verdict on an attempt that failed; without a network none on its node. */
export function verdictOf(error: unknown, isOnline: boolean): Numbers {
  // What is thrown by handlers of the application is its own.
  if (!McpError.is(error)) return [OWN_FAULT, OUTCOMES.indexOf("unknown"), NaN];
  const { code, httpStatus = 0, retryAfter = NaN } = error;
  const outcome = OUTCOMES.indexOf(error.outcome);
  let verdict = VERDICTS[code] ?? ANSWERED;
  if (code === "HTTP_ERROR") {
    // Some proxies say 503 of a call that was executed behind them; only who names a time has refused it.
    const refused = httpStatus === 503 && (error.outcome !== "unknown" || !Number.isNaN(retryAfter));
    verdict = refused ? BUSY : httpStatus >= 500 || httpStatus === 0 ? SERVER : ANSWERED;
  }
  if (verdict === TRANSPORT && !isOnline) verdict = SURROUNDINGS;
  return [verdict, outcome, retryAfter];
}
