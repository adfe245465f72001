// The errors applications see, and the one place that words them. It decides nothing: code, outcome and
// retryable come from the core as a `Failure`; here they become a class, a message and a hint.
// A message says what happened; `hint` says what to do about it. Neither is API: branch on `code`.

import type { McpErrorCode, Outcome, Transport } from "./types.js";

const BRAND = Symbol.for("bowline.McpError");

/**
 * What the core knows about a failure. `retryAfter` and `timeout` are milliseconds.
 * @internal
 */
export interface Failure {
  code: McpErrorCode;
  outcome: Outcome;
  retryable: boolean;
  method?: string;
  /** The tool's name, for `tools/call`. */
  tool?: string;
  requestId?: string;
  transport?: Transport;
  attempt?: number;
  httpStatus?: number;
  closeCode?: number;
  retryAfter?: number;
  rpcCode?: number;
  rpcMessage?: string;
  data?: unknown;
  timeout?: number;
  stage?: "queue" | "connect" | "response" | "total";
  /** A keyword of the table below (`html`, `wrong-id`, `cors`, ...), or a sentence for the message. */
  detail?: string;
  /** The beginning of the body of an HTTP error. */
  body?: string;
  reason?: unknown;
  url?: string;
  cause?: unknown;
}

/** Every error of this package. Recognise it with `McpError.is(e)` or `McpError.is(e, "QUEUE_FULL")`. */
export class McpError extends Error {
  declare readonly code: McpErrorCode;
  /** What may be assumed about the server's side. */
  declare readonly outcome: Outcome;
  /** The same call may succeed later without a change. Whether that may do harm is told by `outcome`. */
  declare readonly retryable: boolean;
  declare readonly method?: string;
  declare readonly requestId?: string;
  declare readonly transport?: Transport;
  /** How many sendings or connection attempts were made. */
  declare readonly attempt?: number;
  declare readonly httpStatus?: number;
  /** Close code of the WebSocket. */
  declare readonly closeCode?: number;
  /** What the server added to its error. */
  declare readonly data?: unknown;
  /** What to do about it. */
  declare readonly hint?: string;

  static {
    named(this, "McpError");
  }

  /** Applications receive errors and make none. */
  constructor(message: string, fields: object, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true });
    }
  }

  get [BRAND](): boolean {
    return true;
  }

  /** Also true for an error of another copy of this package, or of another realm. */
  static is(error: unknown, code?: McpErrorCode): error is McpError {
    const it = error as { [BRAND]?: unknown; code?: unknown } | null | undefined;
    return it?.[BRAND] === true && (code === undefined || it.code === code);
  }

  /** For logs: all but the stack, the cause, the abort reason and the body of an HTTP error. */
  toJSON(): Record<string, unknown> {
    const json: Record<string, unknown> = { name: this.name, message: this.message };
    return Object.assign(json, this, { body: undefined, reason: undefined });
  }
}

/** The server answered with a JSON-RPC error. Tool failures (`isError`) are results, not errors. */
export class McpRpcError extends McpError {
  declare readonly rpcCode: number;
  static {
    named(this, "McpRpcError");
  }
}

/** The server answered with an HTTP error status and no JSON-RPC message. */
export class McpHttpError extends McpError {
  declare readonly httpStatus: number;
  /** How long the server asks to wait. Milliseconds. */
  declare readonly retryAfter?: number;
  /** The beginning of the body. Danger: foreign text, often HTML; never insert it into a page. */
  declare readonly body?: string;
  static {
    named(this, "McpHttpError");
  }
  /** The same as `httpStatus`. */
  get status(): number {
    return this.httpStatus;
  }
}

/** Something took too long. */
export class McpTimeoutError extends McpError {
  /** The limit that was reached. Milliseconds. */
  declare readonly timeout: number;
  /** `queue`: never sent; `connect`: no link; `response`: no answer in time; `total`: not done in time. */
  declare readonly stage: "queue" | "connect" | "response" | "total";
  static {
    named(this, "McpTimeoutError");
  }
}

/** The caller cancelled. Its `name` is "AbortError", like that of every aborted browser call. */
export class McpAbortError extends McpError {
  /** What was given to `abort()` or `cancel()`. */
  declare readonly reason: unknown;
  static {
    named(this, "AbortError");
  }
}

/** The server wants other credentials (`AUTH_REQUIRED`), or refuses these (`FORBIDDEN`). */
export class McpAuthError extends McpError {
  static {
    named(this, "McpAuthError");
  }
}

/** The call was sent, its link was lost, and sending it again could execute it twice. */
export class McpOutcomeUnknownError extends McpError {
  declare readonly method: string;
  /** The tool's name, for `tools/call`. */
  declare readonly tool?: string;
  static {
    named(this, "McpOutcomeUnknownError");
  }
}

/**
 * Turns what the core knows into the error the application gets.
 * @internal
 */
export function errorFrom(failure: Failure): McpError {
  const { detail, rpcMessage, url, cause, ...fields } = failure;
  const { code, rpcCode, httpStatus, closeCode, stage, transport = closeCode && "websocket" } = fields;
  const base = TEXTS[code] ?? TEXTS.INTERNAL!;
  const keyword = [detail, rpcCode, httpStatus, closeCode, stage, transport].find((key) => TEXTS[`${code}:${key}`]);
  const text = TEXTS[`${code}:${keyword}`] ?? base;

  const values: Record<string, unknown> = { ...failure, url: shown(url) };
  const fill = (template = "") => template.replace(/\$(\w+)/g, (_, name) => `${values[name] ?? "?"}`);
  const why = (detail?.includes(" ") && detail) || rpcMessage || (cause as Error | undefined)?.message;
  const subject = [fields.method, fields.tool].filter(Boolean).join(" ");
  const message = [subject, fill(text[0] || base[0]), why?.slice(0, 300)].filter(Boolean).join(": ");
  let hint = fill(text[1] ?? base[1]);
  if (failure.outcome === "unknown" && code !== "OUTCOME_UNKNOWN") hint += " The server may have executed the call.";

  return new (CLASSES[code] ?? McpError)(message, { ...fields, hint: hint.trim() || undefined }, cause);
}

const CLASSES: { [code in McpErrorCode]?: typeof McpError } = {
  RPC_ERROR: McpRpcError,
  HTTP_ERROR: McpHttpError,
  RATE_LIMITED: McpHttpError,
  REQUEST_TIMEOUT: McpTimeoutError,
  CONNECT_TIMEOUT: McpTimeoutError,
  ABORTED: McpAbortError,
  AUTH_REQUIRED: McpAuthError,
  FORBIDDEN: McpAuthError,
  OUTCOME_UNKNOWN: McpOutcomeUnknownError,
};

/** The address without what may be secret in it: user, password, query and fragment. */
function shown(url = "the server"): string {
  return url.replace(/[?#].*/s, "").replace(/\/\/[^/]*@/, "//");
}

/** On the prototype, so that the stack's first line has it and minifying cannot change it. */
function named(type: { prototype: Error }, name: string): void {
  Object.defineProperty(type.prototype, "name", { value: name });
}

const PATH = "Check the path of serverUrl; it often ends in /mcp.";
const HOST = "Check that the server runs, and its host and port.";
const PROXY = "A proxy answers, the server behind it does not.";
const LOG = "The server's log has the reason.";
const FAULT = "A fault of the server or a proxy, or no MCP endpoint at all.";
const BACK = "Call connect(), or leave enableReconnection on.";
const HEADERS =
  "The server must answer OPTIONS, allow this origin and the requested headers (content-type, authorization, mcp-*) and expose mcp-session-id, www-authenticate, retry-after: see README.";

/**
 * Code, or code and keyword (a detail, a status, a close code, ...): [what happened, what to do].
 * A keyword's missing or empty text is that of its code.
 */
const TEXTS: Record<string, readonly [what: string, hint?: string]> = {
  CONNECTION_CLOSED: ["$url closed the connection", BACK],
  "CONNECTION_CLOSED:1006": ["the connection to $url broke off", "The network, a proxy or the server cut it. " + BACK],
  "CONNECTION_CLOSED:1008": ["$url closed the connection by its policy (1008)", "Wrong Origin or credentials?"],
  "CONNECTION_CLOSED:reconnect": ["reconnect() replaced the connection", "Call again."],
  "CONNECTION_CLOSED:session": ["$url ended the session", "Call again."],
  SEND_FAILED: ["the message could not be sent", "Call again."],
  "SEND_FAILED:json": ["the params are not JSON", "Use plain data: no cycles, no BigInt."],
  REQUEST_TIMEOUT: ["no answer within $timeout ms", "Raise timeout, or pass onProgress: progress restarts it."],
  "REQUEST_TIMEOUT:queue": ["not sent within $timeout ms: no connection, or its turn did not come", "Raise maxTotalTimeout."],
  "REQUEST_TIMEOUT:total": ["not finished within $timeout ms", "Raise maxTotalTimeout."],
  CONNECT_TIMEOUT: ["no connection to $url in time", HOST],
  CONNECT_FAILED: ["cannot connect to $url", HOST],
  "CONNECT_FAILED:websocket": ["WebSocket handshake with $url failed", "Browsers hide why. Leave enableHttpFallback on, or set transport.webSocketUrl."],
  RECONNECT_EXHAUSTED: ["gave up reconnecting to $url", 'Call connect(), or set reconnectOptions.onExhausted to "suspend".'],
  CLIENT_CLOSED: ["the client is closed", "Make a new one with createClient()."],
  OUTCOME_UNKNOWN: ["link lost after sending: the call may or may not have been executed", "Look for its effect before calling again. If repeating is harmless, set idempotent."],
  ABORTED: ["cancelled by the caller"],
  QUEUE_FULL: ["too many calls are waiting", "Call less, or raise queue.maxQueued."],
  RPC_ERROR: ["the server answered with error $rpcCode"],
  "RPC_ERROR:-32601": ["the server has no such method (-32601)", "Compare with the capabilities of discover()."],
  "RPC_ERROR:-32602": ["the server refused the params (-32602)", "Compare with the inputSchema of listTools()."],
  HTTP_ERROR: ["HTTP $httpStatus from $url", LOG],
  "HTTP_ERROR:404": ["no MCP endpoint at this path: HTTP 404 from $url", PATH],
  "HTTP_ERROR:405": ["no MCP endpoint at this path: HTTP 405 from $url", PATH],
  "HTTP_ERROR:502": ["", PROXY],
  "HTTP_ERROR:503": ["", PROXY],
  "HTTP_ERROR:504": ["", PROXY],
  STREAM_ENDED: ["the response of $url ended before the answer", "Some proxies cut long responses."],
  PARSE_ERROR: ["the answer of $url is no JSON-RPC message", FAULT],
  "PARSE_ERROR:html": ["$url answered with a web page instead of JSON", "A login page, or a wrong address? " + PATH],
  "PARSE_ERROR:json": ["the answer of $url is malformed JSON"],
  "PARSE_ERROR:binary": ["$url sent binary data instead of text"],
  "PARSE_ERROR:content-type": ["$url answered with a wrong content type", PATH],
  "PARSE_ERROR:empty": ["the answer of $url is empty"],
  "PARSE_ERROR:no-answer": ["$url took the request, but gives no answer"],
  "PARSE_ERROR:wrong-id": ["the answer of $url has a wrong id"],
  MESSAGE_TOO_LARGE: ["a message is larger than allowed", "Ask for less, or raise transport.maxMessageBytes."],
  PROTOCOL_VERSION: ["$url and this client share no protocol version", 'Update the older one, or set protocol.era to "auto".'],
  INPUT_REQUIRED: ["the server asks for user input, which this client cannot give"],
  INVALID_RESULT: ["the result is of an unknown kind", FAULT],
  AUTH_REQUIRED: ["$url wants authorization (401)", "Send a token in transport.headers. Browsers cannot on a WebSocket: set enableWebSocket to false."],
  FORBIDDEN: ["$url refuses access (403)", "Allow this Origin on the server, or use a token with more rights."],
  CORS_OR_NETWORK: ["no readable answer from $url: CORS headers missing, or it is down", HOST + " " + HEADERS],
  "CORS_OR_NETWORK:cors": ["$url answers, but its CORS headers do not let this page read it", HEADERS],
  "CORS_OR_NETWORK:network": ["$url cannot be reached", HOST + " A page on https cannot call http."],
  RATE_LIMITED: ["$url asks to slow down (429)", "Wait for retryAfter ms."],
  INVALID_CONFIG: ["the configuration is not valid"],
  WASM_LOAD_FAILED: ["the WebAssembly core could not be loaded", "A Content-Security-Policy needs script-src 'wasm-unsafe-eval'; bowline/slim needs bowline_bg.wasm beside it."],
  INTERNAL: ["a fault inside bowline ($detail)", "Please report it."],
};
