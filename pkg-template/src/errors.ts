// The errors applications see, and the one place that words them. It decides nothing: code, outcome and
// retryable come from the core as a `Failure`; here they become a class, a message and a hint.
// A message says what happened; `hint` says what to do about it. Neither is API: branch on `code`.

import type { InDoubtCall, McpErrorCode, Outcome, RequestOptions, RequestPromise, Transport } from "./types.js";

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
  scope?: string;
  resourceMetadataUrl?: string;
  timeout?: number;
  stage?: "queue" | "connect" | "response" | "total";
  /** A keyword of the table below (`html`, `wrong-id`, `cors`, ...), or a sentence for the message. */
  detail?: string;
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
  /** How long the server, `rateLimit` or `circuitBreaker` wants the next call to wait. Milliseconds. */
  declare readonly retryAfter?: number;
  /** What the server added to its error. */
  declare readonly data?: unknown;
  /** What to do about it. */
  declare readonly hint?: string;

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
    return !!it?.[BRAND] && (!code || it.code === code);
  }

  /** For logs: all but the stack, the cause and the abort reason. */
  toJSON(): Record<string, unknown> {
    const json: Record<string, unknown> = { name: this.name, message: this.message };
    return Object.assign(json, this, { reason: undefined });
  }
}

/** The server answered with a JSON-RPC error. Tool failures (`isError`) are results, not errors. */
export class McpRpcError extends McpError {
  declare readonly rpcCode: number;
}

/** The server answered with an HTTP error status and no JSON-RPC message. */
export class McpHttpError extends McpError {
  declare readonly httpStatus: number;
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
}

/** The caller cancelled. Its `name` is "AbortError", like that of every aborted browser call. */
export class McpAbortError extends McpError {
  /** What was given to `abort()` or `cancel()`. */
  declare readonly reason: unknown;
}

/** The server wants other credentials (`AUTH_REQUIRED`), or refuses these (`FORBIDDEN`). */
export class McpAuthError extends McpError {
  /** What a token needs, as the server says: with another one the call may be permitted. A browser shows it only if `www-authenticate` is exposed. */
  declare readonly scope?: string;
  /** Where the server says who gives tokens for it (RFC 9728). Under the same condition. Danger: an address of the server's choice. */
  declare readonly resourceMetadataUrl?: string;
}

/** The call was sent, its link was lost, and sending it again could execute it twice. */
export class McpOutcomeUnknownError extends McpError {
  declare readonly method: string;
  /** The tool's name, for `tools/call`. */
  declare readonly tool?: string;
  /** What is known of the call; it is in `client.inDoubt()` too. */
  declare readonly call: InDoubtCall;
  /**
   * Makes the same call once more, with the same idempotency key if it has one, and takes it off `client.inDoubt()`; `options` are what
   * is to be different from those of the first. Danger: the first may have been executed, and this one then is a second.
   */
  declare readonly retry: (options?: RequestOptions) => RequestPromise<unknown>;
}

const CLASSES = new Map<McpErrorCode, typeof McpError>();

/** The codes of a class, and its name: on the prototype, so that the stack's first line has it and minifying cannot change it. */
function define(type: typeof McpError, name: string, ...codes: McpErrorCode[]): void {
  Object.defineProperty(type.prototype, "name", { value: name });
  for (const code of codes) CLASSES.set(code, type);
}

define(McpError, "McpError");
define(McpRpcError, "McpRpcError", "RPC_ERROR");
define(McpHttpError, "McpHttpError", "HTTP_ERROR", "RATE_LIMITED");
define(McpTimeoutError, "McpTimeoutError", "REQUEST_TIMEOUT", "QUEUE_TIMEOUT", "CONNECT_TIMEOUT", "HEARTBEAT_TIMEOUT");
define(McpAbortError, "AbortError", "ABORTED");
define(McpAuthError, "McpAuthError", "AUTH_REQUIRED", "FORBIDDEN");
define(McpOutcomeUnknownError, "McpOutcomeUnknownError", "OUTCOME_UNKNOWN");

/**
 * Turns what the core knows into the error the application gets.
 * @internal
 */
export function errorFrom(failure: Failure): McpError {
  const { detail, rpcMessage, url = "the server", cause, ...fields } = failure;
  const { code, method, tool, rpcCode, httpStatus, closeCode, stage } = fields;
  const [baseText, baseHint] = TEXTS.get(code) ?? TEXTS.get("INTERNAL")!;
  const keywords = [detail, rpcCode, httpStatus! < 400 ? "redirect" : httpStatus, stage, closeCode, closeCode && "ws"];
  const [text, hint = baseHint] = keywords.map((word) => TEXTS.get(`${code} ${word}`)).find(Boolean) ?? [];

  // Without what may be secret in an address: user, password, query and fragment.
  const values: Record<string, unknown> = { ...failure, url: url.replace(/(?<=\/\/)[^/]*@|[?#].*/gs, "") };
  const what = (text || baseText)!.replace(/\$(\w+)/g, (_, name) => `${values[name] ?? "?"}`);
  const why = (detail?.includes(" ") && detail) || rpcMessage || (cause as Error | undefined)?.message;
  const joined = (parts: unknown[], by: string) => parts.filter(Boolean).join(by);
  const doubt = fields.outcome === "unknown" && code !== "OUTCOME_UNKNOWN" && "The server may have executed the call.";

  return new (CLASSES.get(code) ?? McpError)(
    joined([joined([method, tool], " "), what, why && `${why}`.slice(0, 300)], ": "),
    { ...fields, hint: joined([hint, doubt], " ") || undefined },
    cause,
  );
}

const PATH = "Check the path of serverUrl; it often ends in /mcp.";
const HOST = "Check that the server runs, and its host and port.";
const FAULT = "A fault of the server or a proxy, or no MCP endpoint.";
const EXECUTED = "The tool was executed. Set validateOutput to false to take any result.";
const HEADERS =
  "The server must answer OPTIONS, allow this origin, content-type, authorization, mcp-*, and expose mcp-session-id, www-authenticate, retry-after.";

/**
 * A code; what happened; what to do. Below a code what is different for a keyword: a detail, a status, a close code, ... One string,
 * because the quotes and brackets of so many small ones weigh a tenth of what they hold.
 */
const TEXTS = new Map<string, string[]>();

/**
 * Adds rows to the table: an entry that has codes of its own brings their words.
 * @internal
 */
export function addTexts(rows: string): void {
  let above = "";
  for (const row of rows.split("\n")) {
    const [key = "", ...texts] = row.split("|");
    if (key[0] !== " ") above = key;
    TEXTS.set(key[0] === " " ? above + key : key, texts);
  }
}

addTexts(`CONNECTION_CLOSED|$url closed the connection|Call connect(), or leave enableReconnection on.
 1006|the connection to $url broke off
 1008|$url closed the connection by its policy (1008)|Wrong Origin or credentials?
 session|$url ended the session|Call again.
 reconnect|reconnect() replaced the connection|Call again.
 frozen|the page was frozen
 hidden|the page is hidden
 manual|suspend() closed it|Call resume().
CONNECT_TIMEOUT|no connection to $url in time|${HOST}
HEARTBEAT_TIMEOUT|no answer of $url within $timeout ms
OFFLINE|this device is offline
CONNECT_FAILED|cannot connect to $url|${HOST}
 ws|WebSocket handshake with $url failed|${HOST} Leave enableHttpFallback on, or set transport.webSocketUrl.
 class|there is no WebSocket here|Set WebSocket; in Node to that of the package ws.
 404|no WebSocket at $url: 404|${PATH}
 405|no WebSocket at $url: 405|Set enableHttpFallback to true.
CORS_OR_NETWORK|no readable answer of $url: CORS headers missing, or it is down|${HOST} ${HEADERS}
 cors|$url answers, but without CORS headers for this page|${HEADERS}
MIXED_CONTENT|a page on https cannot call $url|Use https and wss.
CSP_BLOCKED|the page's Content-Security-Policy forbids $url|Name it in connect-src.
LOCAL_NETWORK_BLOCKED|the page has no permission to call $url|Allow it local network access; a frame needs allow="loopback-network".
RECONNECT_EXHAUSTED|gave up reconnecting to $url|Call connect(), or set reconnectOptions.onExhausted to "suspend".
REQUEST_TIMEOUT|no answer within $timeout ms|Raise timeout, or pass onProgress: progress restarts it.
 queue|not sent within $timeout ms|Not connected, or too many calls: raise maxTotalTimeout.
 total|not finished within $timeout ms|Raise maxTotalTimeout.
QUEUE_FULL|too many calls are waiting|Raise queue.maxQueued.
CIRCUIT_OPEN|$url failed too often|Wait retryAfter ms.
NOT_CACHED|no answer is kept
QUEUE_TIMEOUT|not sent within $timeout ms
NOT_CONNECTED|no connection to $url|Call connect().
CLIENT_CLOSED|the client is closed|Make a new one.
SEND_FAILED|the call cannot be sent|transport.headers threw?
 json|the params are not JSON|No cycles, no BigInt.
 key|idempotencyKey has no place|Set replay.idempotencyKey.
 meta|a key of options.meta is reserved or malformed|As com.example/name.
 wrong|an argument is wrong|See RequestOptions.
CAPABILITY_NOT_SUPPORTED|the server does not offer $detail|See connection.server.capabilities.
ABORTED|cancelled by the caller
 task|the task was cancelled at the server
OUTCOME_UNKNOWN|link lost after sending: the call may have been executed|Look for its effect before calling again; set idempotent if that is harmless.
 cors||${HEADERS}
STREAM_ENDED|the answer of $url broke off|Some proxies cut long answers.
RPC_ERROR|the server answered with error $rpcCode
 -32601||Compare with discover().
 -32602||Compare with listTools().
HTTP_ERROR|HTTP $httpStatus from $url|The server's log has the reason.
 redirect|$url redirects|Set serverUrl to the address it leads to. Or a login page of the network?
 404||No MCP endpoint there? ${PATH}
 405||No MCP endpoint there? ${PATH}
 502||A proxy answers, the server behind it does not.
 503||A proxy answers, the server behind it does not.
 504||A proxy answers, the server behind it does not.
RATE_LIMITED|beyond rateLimit|Wait retryAfter ms.
 429|$url asks to slow down (429)
AUTH_REQUIRED|$url wants authorization (401)|Send a token in transport.headers. A WebSocket cannot: set enableWebSocket to false.
FORBIDDEN|$url refuses access (403)|Allow this Origin on the server, or use a token with the error's scope. A page sees that only with Access-Control-Expose-Headers: www-authenticate.
PARSE_ERROR|the answer of $url is no JSON-RPC message|${FAULT}
 html|the answer of $url is a web page|A login page, of the network even? ${PATH}
 json|the answer of $url is malformed JSON
 binary|the answer of $url is binary
 content-type|the answer of $url has a wrong content type|${PATH}
 empty|the answer of $url is empty
 no-answer|$url took the request and gives no answer
 wrong-id|the answer of $url has a wrong id
 endpoint|$url wants its messages sent to another origin, or nowhere|An HTTP+SSE server must name an endpoint of its own origin; a proxy may have to rewrite it.
INVALID_RESULT|the result is of an unknown kind|${FAULT}
 output|the result does not fit the tool's outputSchema|${EXECUTED}
 schema|the tool's outputSchema cannot be used|${EXECUTED}
MESSAGE_TOO_LARGE|a message is larger than allowed|Raise transport.maxMessageBytes.
PROTOCOL_VERSION|no protocol version in common with $url|Update the older one, or set protocol.era to "auto".
INPUT_REQUIRED|the server wants user input|Set protocol.onInputRequired, or call again with inputResponses.
 rounds|the server wants input without end|Raise protocol.maxInputRounds.
INVALID_CONFIG|invalid configuration
WASM_LOAD_FAILED|the WebAssembly core could not be loaded|A Content-Security-Policy needs 'wasm-unsafe-eval'; bowline/slim needs bowline_bg.wasm beside it.
INTERNAL|a fault inside bowline ($detail)|Please report it.
 crashed|the core crashed and was started again
 down|the core crashed three times|Reload the page. Please report it.`);
