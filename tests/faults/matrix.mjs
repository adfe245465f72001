// The fault matrix as data: one entry per fault and transport. How a fault looks on the wire is tests/servers/fault's, how an
// entry is run run.mjs's, and what `expect` means judge.mjs's.
//
// row        its number in the matrix; a letter tells variants apart
// name       what happens
// transport  "http" or "ws"
// send       the fault's name at the fault server; `first: true`: from the very first answer on; `query`: more for its address
// action     what the client does (trial.js): "call" (a tools/call, the default), "read", "connect", "pair", "inject"
// expect     what must come of it: `text` of the result, or `code` (with `outcome`, `status`, `rpcCode`, `retryAfter`, `scope`, `hint`);
//            `pause` between the two sendings, `violations` counted at least, `header` that must not arrive, `stalled` told once:
//            after how many milliseconds, and a part of the hint, if there is one
// limit      milliseconds from the fault's last byte to the settling; with `since: "start"` from the call
// keep       false: connections are not kept alive, so that Chromium cannot repeat the POST by itself
// during     what happens while the call is under way: "restart" of the server, "offline" of the page
// patience   how long the official client may wait, where the fault itself takes long
// engines    where it makes sense; default both
// short      also in the short run
// elsewhere  which test shows it, where no server can produce it
// missing    why it is not met yet; it is run and shown all the same, if it has `send`

const MB = 1024 * 1024;
const UNKNOWN = { code: "OUTCOME_UNKNOWN", outcome: "unknown" };
const GOOD = { text: "good" };
const parse = (more) => ({ code: "PARSE_ERROR", outcome: "unknown", ...more });

const http = (row, name, send, expect, more) => [{ row, name, transport: "http", send, expect, ...more }];
const ws = (row, name, send, expect, more) => [{ row, name, transport: "ws", send, expect, ...more }];
const both = (...entry) => [...http(...entry), ...ws(...entry)];
/** A row that nothing can be sent for before the client has the feature. */
const absent = (row, name, missing) => [{ row, name, transport: "-", missing }];
/** A row that no server can produce; which test shows it. */
const elsewhere = (row, name, elsewhere) => [{ row, name, transport: "-", elsewhere }];

/** A link that lived shorter than `minUptime` counts as an attempt: the next comes after 0.45 to 1.1 of 1500 ms. */
const YOUNG = 1800;

const timeout = (timeout, stage) => ({ options: { timeout }, since: "start", limit: timeout + 100, stage });

export const matrix = [
  // The connection.
  ...http("1", "RST before headers", "rst", UNKNOWN, { keep: false, short: true }),
  ...http("1r", "RST before headers, a read", "rst", GOOD, { action: "read", keep: false, limit: YOUNG }),
  ...ws("1", "RST before the answer", "rst", UNKNOWN, { short: true }),
  ...ws("1r", "RST before the answer, a read", "rst", GOOD, { action: "read", limit: YOUNG }),
  ...http("1k", "RST on a kept-alive connection: Chromium sends the POST again by itself, unseen by the page", "rst", GOOD, {
    engines: ["chromium"],
    executions: 2,
  }),
  ...http("2", "FIN before headers", "fin", UNKNOWN, { keep: false }),
  ...ws("2", "FIN before the answer", "fin", UNKNOWN),
  ...http("3", "RST in the JSON body", "rst-body", UNKNOWN),
  ...ws("3", "RST in the frame", "rst-body", UNKNOWN),
  ...http("4", "body shorter than Content-Length", "short-body", UNKNOWN, { short: true }),
  ...ws("4", "frame shorter than its length", "short-body", UNKNOWN),
  ...http("5", "event stream: RST before the response", "sse-rst", UNKNOWN, { short: true }),
  ...http("6", "event stream: FIN before the response", "sse-fin", UNKNOWN),
  ...http("6r", "event stream: FIN before the response, a read", "sse-fin", GOOD, { action: "read", limit: 1200 }),
  ...http("7", "event stream: FIN in the event", "sse-mid-event", UNKNOWN),
  ...http("7b", "event stream: FIN before the event's blank line", "sse-no-blank-line", UNKNOWN),
  ...http("8", "event stream: silence (half-open), told before it ends the call", "sse-stall", { ...UNKNOWN, stalled: [150] }, {
    options: { transport: { streamIdleTimeout: 300 } },
    since: "start",
    limit: 500,
  }),
  ...ws("8", "silence, no pongs either (half-open)", "silent", UNKNOWN, {
    options: { heartbeat: { interval: 100, timeout: 200 } },
    since: "start",
    limit: 500,
  }),
  ...http("9", "no headers, at first contact", "stall", { code: "CONNECT_TIMEOUT", outcome: "not-sent" }, {
    first: true,
    action: "connect",
    options: { reconnectOptions: { connectTimeout: 400 } },
    since: "start",
    limit: 500,
  }),
  ...ws("9", "no handshake answer", "handshake-stall", { code: "CONNECT_TIMEOUT", outcome: "not-sent" }, {
    action: "connect",
    options: { reconnectOptions: { connectTimeout: 400 } },
    since: "start",
    limit: 500,
  }),
  ...http("9b", "no headers, later", "stall", UNKNOWN, {
    options: { transport: { headersTimeout: 300 } },
    since: "start",
    limit: 400,
  }),
  ...http("9c", "no headers: the call's own timeout holds", "stall", { code: "REQUEST_TIMEOUT", outcome: "unknown" }, timeout(400)),
  ...ws("9c", "no answer: the call's own timeout holds", "stall", { code: "REQUEST_TIMEOUT", outcome: "unknown" }, timeout(400)),
  ...both("10", "one byte every 20 ms", "slow", GOOD, { patience: 20_000 }),
  ...both("10b", "one byte every 20 ms: maxTotalTimeout holds", "slow", { code: "REQUEST_TIMEOUT", outcome: "unknown" }, {
    options: { maxTotalTimeout: 500 },
    since: "start",
    limit: 600,
  }),

  // The status.
  ...http("11", "500", "status-500", { code: "HTTP_ERROR", outcome: "unknown", status: 500 }, { short: true }),
  ...ws("11", "close 1011", "close-1011", UNKNOWN),
  ...http("12", "502 with a web page", "status-502-html", { code: "HTTP_ERROR", outcome: "unknown", status: 502 }),
  ...http("13", "503 with Retry-After 1, a read: again after 1.0 to 1.3 s", "status-503", { ...GOOD, pause: [1000, 1300] }, {
    action: "read",
    limit: 1400,
  }),
  ...http("13b", "503 with Retry-After 1, a call: told when", "status-503", {
    code: "HTTP_ERROR",
    outcome: "unknown",
    status: 503,
    retryAfter: 1000,
  }),
  ...ws("13", "close 1013 (try again later)", "close-1013", UNKNOWN),
  ...http("14", "429 with Retry-After 1: again after 1.0 to 1.3 s", "status-429", { ...GOOD, pause: [1000, 1300] }, { limit: 1400 }),
  ...http("15", "401 without a token provider", "status-401", { code: "AUTH_REQUIRED", outcome: "not-applied", status: 401 }, { short: true }),
  ...ws("15", "close 4401", "close-4401", UNKNOWN),
  ...http("16", "403", "status-403", { code: "FORBIDDEN", outcome: "not-applied", status: 403 }),
  ...http("16b", "403 insufficient_scope: the scope is told", "status-403-scope", {
    code: "FORBIDDEN",
    outcome: "not-applied",
    status: 403,
    scope: "tools",
    hint: "scope",
  }, {
    short: true,
  }),
  ...ws("16", "403 instead of the handshake", "refuse-403", { code: "FORBIDDEN", outcome: "not-sent", status: 403 }, { action: "connect" }),
  ...http("17", "404 with a web page", "status-404", { code: "HTTP_ERROR", outcome: "not-applied", status: 404 }),
  ...http("17s", "404: the legacy session is lost; a new one is begun", "session-404", GOOD, {
    limit: 1200,
    legacy: true,
    options: { protocol: { era: "legacy" } },
  }),
  ...http("18", "404 with JSON-RPC -32601", "method-not-found", { code: "RPC_ERROR", outcome: "not-applied", rpcCode: -32601 }, { short: true }),
  ...ws("18", "JSON-RPC -32601", "method-not-found", { code: "RPC_ERROR", rpcCode: -32601 }, { untrue: true }),

  // The body.
  ...http("19", "200 with a web page (captive portal)", "html", parse({ hint: "login page" }), { short: true }),
  ...http("19b", "the same at first contact", "html", { code: "PARSE_ERROR", outcome: "not-sent", hint: "login page" }, {
    first: true,
    action: "connect",
  }),
  ...both("20", "malformed JSON", "malformed", parse(), { short: true }),
  ...both("21", "empty message", "empty", parse()),
  ...http("21b", "204", "no-content-204", parse()),
  ...http("22", "202 for a request", "accepted-202", parse()),
  ...http("23", "malformed event, then the end", "sse-malformed", parse(), { short: true }),
  ...http("24", "malformed event, then the right answer", "sse-malformed-then-good", { ...GOOD, violations: 1 }),
  ...ws("24", "malformed frame, then the right answer", "malformed-then-good", parse({ violations: 1 })),
  ...http("25", "wrong id", "wrong-id", parse(), { short: true }),
  ...ws("25", "wrong id: nobody's; the call goes on", "wrong-id", { code: "REQUEST_TIMEOUT", outcome: "unknown", violations: 1 }, timeout(400)),
  ...http("26", "event stream: wrong id, then the end", "sse-wrong-id", parse()),
  ...both("27", "the id comes back as text", "string-id", { ...GOOD, violations: 1 }),
  ...http("28", "error without an id", "error-null-id", { code: "RPC_ERROR", outcome: "not-applied", rpcCode: -32600 }),
  ...ws("28", "error without an id: nobody's; the call goes on", "error-null-id", {
    code: "REQUEST_TIMEOUT",
    outcome: "unknown",
    violations: 1,
  }, timeout(400)),
  ...both("29", "a second answer", "duplicate", { ...GOOD, violations: 1 }),
  ...both("30", "duplicate keys: the last one wins, as in JSON.parse", "duplicate-keys", { text: "duplicate" }),
  ...http("31", "invalid UTF-8", "invalid-utf8", { text: "g\ufffdod" }),
  ...ws("31", "invalid UTF-8: the browser closes (RFC 6455)", "invalid-utf8", UNKNOWN),
  ...http("31b", "byte order mark", "bom", GOOD),
  ...ws("31b", "byte order mark: no JSON", "bom", parse()),
  ...both("31c", "lone surrogate", "lone-surrogate", { text: "g\\ud800od" }),
  ...both("32", "100,000 levels of nesting", "deep-nesting", parse()),
  ...both("33", "a __proto__ key: an own property", "proto-key", GOOD),
  ...both("34", "unknown resultType", "bad-result-type", { code: "INVALID_RESULT", outcome: "unknown" }),
  ...http("35", "a request of the server on the stream", "sse-server-request", GOOD),
  ...ws("35", "a request of the server", "server-request", GOOD),
  ...http("36", "another call's answer on the stream", "cross-talk", { text: "good+second", violations: 1 }, { action: "pair", limit: 400 }),
  ...ws("36", "answers in another order", "reorder", { text: "good+second" }, { action: "pair" }),
  ...http("37", "307 to another origin: not followed", "redirect-307-cross", { code: "HTTP_ERROR", outcome: "not-applied", hint: "redirect" }, {
    short: true,
  }),
  ...http("38", "307 within the origin: a clear error", "redirect-307", { code: "HTTP_ERROR", outcome: "not-applied", hint: "redirect" }),

  // The size: these run in a process of their own (memory.mjs).
  ...http("39", "256 MB, gzip", "gzip-bomb", { code: "MESSAGE_TOO_LARGE", outcome: "unknown", extra: 48 * MB }, {
    query: { n: 256 * MB },
    memory: true,
    patience: 20_000,
    // To inflate 16 MiB takes its time after the bytes are there.
    limit: 500,
  }),
  ...http("40", "256 MB in one line of an event stream", "oversize-sse", { code: "MESSAGE_TOO_LARGE", outcome: "unknown", extra: 48 * MB }, {
    query: { n: 256 * MB },
    memory: true,
    patience: 20_000,
  }),
  ...ws("40", "a frame of 17 MB", "oversize", { code: "MESSAGE_TOO_LARGE", outcome: "unknown" }, { limit: 500 }),

  // The surroundings.
  ...absent("41", "token endpoint: RST, 503", "no authorization yet"),
  ...both("42", "12 s offline under a read: its answer within 2 s of being online", "stall", GOOD, {
    action: "read",
    during: "offline",
    engines: ["chromium"],
    limit: 2000,
    options: { timeout: 20_000 },
  }),
  ...elsewhere("42b", "sleep; the clock jumps", "tests/core/lifecycle.rs, tests/packaging/signals.test.mjs"),
  ...elsewhere("43b", "page frozen in the background, in the back/forward cache, discarded", "tests/e2e/lifecycle.mjs, tests/e2e/doubt.mjs"),
  ...http("44a", "CORS headers missing", "no-cors", { code: "CORS_OR_NETWORK", outcome: "not-sent", hint: "mcp-session-id" }, {
    first: true,
    action: "connect",
    engines: ["chromium"],
  }),
  ...http("44b", "a tool name that would end its header line", "none", { ...GOOD, header: "x-injected" }, { action: "inject", since: "start" }),
  ...both("44c", "the server dies and comes back", "stall", UNKNOWN, { during: "restart" }),
  ...http("44d", "-32022 in the middle of a session: negotiated anew, once", "version-refused", GOOD, {
    limit: 1200,
  }),
  ...http("44e", "a proxy buffers the event stream: told with what to set, and the call goes on", "sse-buffered", {
    ...GOOD,
    stalled: [500, "X-Accel-Buffering: no"],
  }, {
    // Of the ten seconds that it takes otherwise, tests/core/silence.rs knows.
    options: { transport: { streamIdleTimeout: 1000 } },
    short: true,
  }),
  ...elsewhere("44f", "local network access denied; mixed content; the page's policy", "tests/e2e/diagnosis.mjs"),
  ...elsewhere("44g", "subscriptions come and go", "tests/core/listen.rs, tests/core/standing.rs"),
];
