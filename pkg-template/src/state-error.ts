// Why shared state could not be read or written: one place that words it, as errors.ts does for calls. It decides nothing.

import { McpError } from "./index.js";
import type { Outcome } from "./types.js";

/** What is known of a failure of state. */
export interface StateFailure {
  readonly url?: string;
  /** What somebody else said: a status, an error of Redis; or the name of what it is about. */
  readonly detail?: string;
  /** What became of a write. */
  readonly outcome?: Outcome;
  readonly httpStatus?: number;
  readonly cause?: unknown;
}

const GATEWAYS =
  "Put a gateway in front of it and name that: webdis (webdis.json with redis_host and redis_port, then `webdis webdis.json`) as " +
  '"webdis+http://HOST:7379"; or an Upstash-compatible one (Upstash, or the image hiett/serverless-redis-http with SRH_MODE=env, SRH_TOKEN and ' +
  'SRH_CONNECTION_STRING behind a proxy that adds CORS) as "https://HOST" with headers { authorization: "Bearer TOKEN" }. ' +
  "Calls are routed without it.";

/** What happened, what to do, and whether the same may succeed later. */
const TEXTS = {
  unreachable: [
    "no readable answer of $url: CORS headers missing, or it is down",
    "Check that it runs, that it answers OPTIONS, and that it allows this origin, authorization and content-type.",
    true,
  ],
  timeout: ["no answer of $url in time", "Raise stateManagementConfig.timeout.", true],
  gateway: ["$url failed: $detail", "The log of the gateway, or of what is behind it, has the reason.", true],
  credentials: [
    "$url refuses access: $detail",
    "Check stateManagementConfig.headers (a token that expires needs a function), and which commands the gateway lets through.",
    false,
  ],
  refused: [
    "$url refuses the command: $detail",
    "Its user needs the commands and keys named in the README; with CROSSSLOT, keyPrefix needs a hash tag.",
    false,
  ],
  script: ["$url refuses a script: $detail", "Its user needs evalsha and every script loaded (stateScripts), or eval.", false],
  answer: ["the answer of $url is none of its protocol", "A webdis is named webdis+http://HOST; is it the right address?", false],
  value: ["what is stored at $detail is not JSON in UTF-8", "Somebody else wrote it: delete the key, or use another keyPrefix.", false],
  json: ["the value is not JSON", "No undefined, no functions, no cycles, no BigInt.", false],
  key: ["the key is no well-formed text", "It holds half of a surrogate pair.", false],
  readonly: ["no endpoint takes writes", "Wait for a replica to be promoted, or name the primary in endpoints.", true],
  behind: ["no endpoint in reach has what was written before", "Read again, or with { after: 0 } what there is.", true],
  missing: ["$detail is nothing that this provider can do", "See capabilities(); redis, indexeddb and memory can.", false],
  storage: ["IndexedDB is not to be had", "Private windows and some workers have none: use provider memory.", false],
  closed: ["the cluster is closed", "Make a new one.", false],
} as const satisfies Record<string, readonly [string, string, boolean]>;

/** An error of state: `what` names its text. */
export function stateError(what: keyof typeof TEXTS, failure: StateFailure = {}): McpError {
  const [text, hint, retryable] = TEXTS[what];
  const { url, detail, outcome = "not-applied", httpStatus, cause } = failure;
  const message = text.replace("$url", url ?? "the gateway").replace("$detail", () => detail?.slice(0, 200) ?? "?");
  return new McpError(`shared state: ${message}`, { code: "STATE_STORE_FAILED", outcome, retryable, httpStatus, hint }, cause);
}

/** A failure of something that only read: whatever became of it, nothing was changed. */
export function ofRead(error: unknown): unknown {
  return McpError.is(error) ? new McpError(error.message, { ...error, outcome: "not-applied" }, error.cause) : error;
}

/** An option or argument that cannot be used. */
export function stateInvalid(detail: string, hint?: string): McpError {
  const fields = { code: "INVALID_CONFIG", outcome: "not-sent", retryable: false, hint };
  return new McpError(`invalid configuration: ${detail}`, fields);
}

/** An address of Redis itself, as servers name it. */
export function stateNeedsGateway({ protocol, hostname, port }: URL): McpError {
  const address = `${protocol}//${hostname}${port && ":"}${port}`;
  return stateInvalid(`stateManagementConfig.endpoints: a browser cannot speak to ${address}`, GATEWAYS);
}
