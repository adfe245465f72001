// The facade's own parts (errors.ts, emitter.ts), built by esbuild and run in Node; no wasm, no network.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { CAUSES, CODES, ERAS, OUTCOMES, STATES, TRANSPORTS } from "../../src/web/glue.js";

const root = new URL("../../", import.meta.url);
const cache = new URL(".cache/facade-test/", root);
const source = (name) => fileURLToPath(new URL(`pkg-template/src/${name}.ts`, root));

async function load(name, copy = "") {
  const output = new URL(`${name}${copy}.mjs`, cache);
  const options = { bundle: true, minify: true, format: "esm", target: "es2022" };
  await build({ ...options, entryPoints: [source(name)], outfile: fileURLToPath(output) });
  return import(output.href);
}

const errors = await load("errors");
const { Emitter, SnapshotStore } = await load("emitter");
const { CLUSTER_TEXTS } = await load("cluster-errors");
const { errorFrom, McpError } = errors;

const URL_ = "http://127.0.0.1:3000/mcp";
const failure = (fields) => ({ code: "INTERNAL", outcome: "not-sent", retryable: false, url: URL_, ...fields });

// What a user can run into: [name, failure, class, words of the message, words of the hint].
const SITUATIONS = [
  // A browser hides the status of a redirect that it does not follow.
  ["redirect", { code: "HTTP_ERROR", httpStatus: 0 }, "McpHttpError", /redirects/, /serverUrl/],
  ["wrong path", { code: "HTTP_ERROR", httpStatus: 404 }, "McpHttpError", /HTTP 404/, /no MCP endpoint.*path of serverUrl/i],
  ["wrong method", { code: "HTTP_ERROR", httpStatus: 405 }, "McpHttpError", /HTTP 405/, /no MCP endpoint.*path of serverUrl/i],
  ["HTML", { code: "PARSE_ERROR", detail: "html" }, "McpError", /a web page$/, /login page/],
  ["malformed JSON", { code: "PARSE_ERROR", detail: "json" }, "McpError", /malformed JSON/, /fault of the server/],
  ["empty answer", { code: "PARSE_ERROR", detail: "empty" }, "McpError", /is empty$/, /MCP endpoint/],
  ["202 for a request", { code: "PARSE_ERROR", detail: "no-answer" }, "McpError", /gives no answer/, /server/],
  ["an image", { code: "PARSE_ERROR", detail: "content-type" }, "McpError", /content type/, /serverUrl/],
  ["binary frame", { code: "PARSE_ERROR", detail: "binary" }, "McpError", /binary/, /server/],
  ["other JSON", { code: "PARSE_ERROR", detail: "envelope" }, "McpError", /no JSON-RPC message$/, /server/],
  ["wrong id", { code: "PARSE_ERROR", detail: "wrong-id" }, "McpError", /wrong id$/, /proxy/],
  ["401", { code: "AUTH_REQUIRED", httpStatus: 401 }, "McpAuthError", /401/, /transport\.headers/],
  ["403", { code: "FORBIDDEN", httpStatus: 403 }, "McpAuthError", /403/, /Origin.*scope.*Access-Control-Expose-Headers: www-authenticate/],
  ["429", { code: "RATE_LIMITED", httpStatus: 429, retryAfter: 1500 }, "McpHttpError", /slow down/, /retryAfter/],
  ["500", { code: "HTTP_ERROR", httpStatus: 500 }, "McpHttpError", /HTTP 500/, /log/],
  ["502", { code: "HTTP_ERROR", httpStatus: 502 }, "McpHttpError", /HTTP 502/, /behind it/],
  ["503", { code: "HTTP_ERROR", httpStatus: 503 }, "McpHttpError", /HTTP 503/, /behind it/],
  ["lost session", { code: "CONNECTION_CLOSED", detail: "session" }, "McpError", /session/, /again/],
  ["oversize", { code: "MESSAGE_TOO_LARGE", detail: "too-large" }, "McpError", /larger than allowed$/, /transport\.maxMessageBytes/],
  ["CORS", { code: "CORS_OR_NETWORK", detail: "cors" }, "McpError", /without CORS headers/, /mcp-session-id/],
  ["down", { code: "CONNECT_FAILED", detail: "network" }, "McpError", /cannot connect to http:/, /server runs/],
  ["CORS or down", { code: "CORS_OR_NETWORK" }, "McpError", /CORS headers missing, or it is down/, /OPTIONS/],
  ["mixed content", { code: "MIXED_CONTENT" }, "McpError", /page on https cannot call http:/, /https and wss/],
  ["the page's policy", { code: "CSP_BLOCKED" }, "McpError", /Content-Security-Policy forbids http:/, /connect-src/],
  ["the local network", { code: "LOCAL_NETWORK_BLOCKED" }, "McpError", /no permission to call http:/, /local network access.*frame/],
  ["no WebSocket there", { code: "CONNECT_FAILED", httpStatus: 404 }, "McpError", /no WebSocket at http:.*404/, /path of serverUrl/],
  ["an HTTP endpoint", { code: "CONNECT_FAILED", httpStatus: 405 }, "McpError", /no WebSocket at http:.*405/, /enableHttpFallback/],
  ["bare 1006 at open", { code: "CONNECT_FAILED", closeCode: 1006 }, "McpError", /WebSocket handshake/, /webSocketUrl/],
  ["link cut", { code: "CONNECTION_CLOSED", closeCode: 1006 }, "McpError", /broke off/, /enableReconnection/],
  ["policy close", { code: "CONNECTION_CLOSED", closeCode: 1008 }, "McpError", /1008/, /Origin/],
  ["no common version", { code: "PROTOCOL_VERSION" }, "McpError", /no protocol version/, /protocol\.era/],
  ["reserved metadata", { code: "SEND_FAILED", detail: "meta" }, "McpError", /options\.meta/, /com\.example/],
  ["headers that throw", { code: "SEND_FAILED" }, "McpError", /cannot be sent/, /transport\.headers/],
  ["no prompts", { code: "CAPABILITY_NOT_SUPPORTED", detail: "prompts" }, "McpError", /does not offer prompts$/, /capabilities/],
  ["input wanted", { code: "INPUT_REQUIRED" }, "McpError", /wants user input/, /onInputRequired.*inputResponses/],
  ["input without end", { code: "INPUT_REQUIRED", detail: "rounds" }, "McpError", /without end/, /maxInputRounds/],
  ["cyclic params", { code: "SEND_FAILED", detail: "json" }, "McpError", /not JSON/, /cycles/],
  ["slow answer", { code: "REQUEST_TIMEOUT", timeout: 60000, stage: "response" }, "McpTimeoutError", /60000 ms/, /onProgress/],
  ["never sent", { code: "REQUEST_TIMEOUT", timeout: 300000, stage: "queue" }, "McpTimeoutError", /not sent within 300000 ms/, /maxTotalTimeout/],
  ["slow in all", { code: "REQUEST_TIMEOUT", timeout: 300000, stage: "total" }, "McpTimeoutError", /300000/, /maxTotalTimeout/],
  ["slow connect", { code: "CONNECT_TIMEOUT", timeout: 10000, stage: "connect" }, "McpTimeoutError", /no connection/, /host and port/],
  ["unknown method", { code: "RPC_ERROR", rpcCode: -32601, rpcMessage: "nope" }, "McpRpcError", /error -32601: nope$/, /discover/],
  ["refused params", { code: "RPC_ERROR", rpcCode: -32602, rpcMessage: "nope" }, "McpRpcError", /error -32602: nope$/, /listTools/],
  ["server's own error", { code: "RPC_ERROR", rpcCode: 7, rpcMessage: "odd" }, "McpRpcError", /error 7: odd$/, undefined],
  ["gave up", { code: "RECONNECT_EXHAUSTED", attempt: 10 }, "McpError", /gave up/, /onExhausted/],
  ["unfit result", { code: "INVALID_RESULT", outcome: "applied", detail: "output" }, "McpError", /outputSchema$/, /was executed.*validateOutput/],
  ["unfit schema", { code: "INVALID_RESULT", outcome: "applied", detail: "schema" }, "McpError", /cannot be used$/, /was executed/],
  ["full queue", { code: "QUEUE_FULL" }, "McpError", /too many/, /queue\.maxQueued/],
  ["lost tool call", { code: "OUTCOME_UNKNOWN", outcome: "unknown", method: "tools/call", tool: "pay" }, "McpOutcomeUnknownError", /^tools\/call pay: link lost/, /idempotent/],
];

for (const [name, fields, type, message, hint] of SITUATIONS) {
  test(`${name}: a typed error that says what happened and what to do`, () => {
    const error = errorFrom(failure(fields));
    assert.ok(error instanceof errors[type]);
    assert.equal(error.name, type);
    assert.equal(error.code, fields.code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint, hint);
    else assert.equal(error.hint, undefined);
    assert.doesNotMatch(error.message + error.hint, /\$|\?\?|\? ms|HTTP \?|error \?/, "a placeholder was left empty");
  });
}

test("no two situations are told with the same words", () => {
  const messages = SITUATIONS.map(([, fields]) => errorFrom(failure(fields)).message);
  assert.equal(new Set(messages).size, messages.length);
});

test("an error carries the fields it knows and no others", () => {
  const error = errorFrom(failure({ code: "RATE_LIMITED", httpStatus: 429, retryAfter: 1500, requestId: "7" }));
  assert.deepEqual({ ...error, hint: 0 }, { code: "RATE_LIMITED", outcome: "not-sent", retryable: false, requestId: "7", httpStatus: 429, retryAfter: 1500, hint: 0 });
  assert.equal(error.status, 429);
  assert.throws(() => { "use strict"; error.code = "INTERNAL"; }, TypeError);
  assert.equal(JSON.parse(JSON.stringify(error)).message, error.message);
  assert.match(error.stack, /^McpHttpError: /);
});

test("an abort looks like every browser's abort and keeps its reason", () => {
  const reason = { why: "page left" };
  const error = errorFrom(failure({ code: "ABORTED", outcome: "unknown", reason }));
  assert.equal(error.name, "AbortError");
  assert.equal(error.reason, reason);
  assert.match(error.hint, /may have executed/);
  assert.ok(!("reason" in JSON.parse(JSON.stringify(error))));
});

test("the cause is kept and its words are in the message", () => {
  const cause = new TypeError("fetch failed");
  const error = errorFrom(failure({ code: "CONNECT_FAILED", cause }));
  assert.equal(error.cause, cause);
  assert.match(error.message, /: fetch failed$/);
});

test("no message shows the secrets an address may hold", () => {
  const error = errorFrom(failure({ code: "CONNECT_FAILED", url: "https://me:pass@example.com/mcp?token=abc#frag" }));
  assert.match(error.message, /https:\/\/example\.com\/mcp$/);
  assert.doesNotMatch(JSON.stringify(error), /pass|abc|frag/);
});

test("foreign text cannot fill the log, and its $ signs are not placeholders", () => {
  const error = errorFrom(failure({ code: "RPC_ERROR", rpcCode: 1, rpcMessage: "$url$&".repeat(1000) }));
  assert.ok(error.message.length < 400);
  assert.match(error.message, /\$url\$&/);
});

test("McpError.is knows errors of another copy, and nothing else", async () => {
  const other = await load("errors", "-copy");
  const error = other.errorFrom(failure({ code: "QUEUE_FULL" }));
  assert.ok(!(error instanceof McpError));
  assert.ok(McpError.is(error) && McpError.is(error, "QUEUE_FULL") && !McpError.is(error, "INTERNAL"));
  for (const value of [null, undefined, "x", 1, new Error("x"), { code: "QUEUE_FULL" }]) assert.ok(!McpError.is(value));
});

test("a code this copy does not know still becomes an error with that code", () => {
  const error = errorFrom(failure({ code: "FROM_THE_FUTURE", detail: "some words" }));
  assert.equal(error.code, "FROM_THE_FUTURE");
  assert.match(error.message, /some words/);
});

// The core names the codes, the types publish them, the facade words them, the manual lists them.
const read = (path) => readFileSync(new URL(path, root), "utf8");
const coreCodes = [...read("src/core/error.rs").matchAll(/^ {4}\w+ = "([A-Z_]+)"/gm)].map((match) => match[1]);
const union = /type McpErrorCode =([^;]*);/.exec(read("pkg-template/src/types.ts"))[1];
const publicCodes = [...union.matchAll(/"([A-Z_]+)"/g)].map((match) => match[1]);

/** The variants of an enum of the core, as public names are written. */
function variants(path, name) {
  const body = new RegExp(`pub enum ${name} {([^}]*)}`).exec(read(path))[1];
  return [...body.matchAll(/^ {4}(\w+),/gm)].map((match) => match[1].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase());
}

test("the snippet has the names of the core's enums, each at its place", () => {
  assert.deepEqual(CODES, coreCodes);
  assert.deepEqual(OUTCOMES.map((name) => name.replace("-", "_")), variants("src/core/error.rs", "Outcome"));
  assert.deepEqual(STATES, variants("src/core/link/mod.rs", "State"));
  assert.deepEqual(CAUSES, variants("src/core/link/lifecycle.rs", "Cause"));
  assert.deepEqual(TRANSPORTS, variants("src/core/link/mod.rs", "Transport").map((name) => name.replace("_", "")));
  assert.deepEqual(ERAS, variants("src/core/wire/version.rs", "Era"));
});

test("the published error codes are those of the core, four of the package, and three of the cluster", () => {
  assert.ok(coreCodes.length > 15, `${coreCodes.length} codes found in the core`);
  const others = ["CAPABILITY_NOT_SUPPORTED", "INVALID_CONFIG", "MIXED_CONTENT", "WASM_LOAD_FAILED", "NO_HEALTHY_NODE", "DISCOVERY_FAILED", "STATE_STORE_FAILED"];
  assert.deepEqual([...publicCodes].sort(), [...coreCodes, ...others].sort());
});

test("every published error code has words of its own, and a place in the manual", () => {
  const manual = read("pkg-template/README.md");
  errors.addTexts(CLUSTER_TEXTS);
  for (const code of publicCodes) {
    const { message } = errorFrom(failure({ code, timeout: 1, rpcCode: 1, httpStatus: 418 }));
    assert.equal(/a fault inside/.test(message), code === "INTERNAL", `${code}: ${message}`);
    assert.ok(manual.includes(`\`${code}\``), `${code} is not in the manual`);
  }
});

// Public option: what it is called in the core's config.rs. `concurrency` has two values and is not here.
const DEFAULTS = {
  enableWebSocket: "websocket", enableHttpFallback: "http", enableReconnection: "reconnection",
  timeout: "timeout", maxTotalTimeout: "max_total", maxAttempts: "max_attempts", initialDelay: "initial_delay",
  maxDelay: "max_delay", backoffMultiplier: "multiplier", suspendedInterval: "suspended_interval",
  minUptime: "min_uptime", connectTimeout: "connect_timeout", maxSize: "max_size", defaultTTL: "default_ttl",
  maxTTL: "max_ttl", headStart: "head_start", probeTimeout: "probe_timeout",
  rememberFallback: "remember_fallback", maxQueued: "max_queued", reserve: "reserve", aging: "aging", streamIdleTimeout: "stream_idle", headersTimeout: "headers_timeout", adaptive: "adaptive",
  interval: "interval", hiddenTimeout: "hidden_timeout", wakeProbeTimeout: "wake_timeout",
};

test("the documented defaults are the core's", () => {
  const types = read("pkg-template/src/config.ts") + read("pkg-template/src/config-queue.ts");
  const core = read("src/core/config.rs").split("impl Default for Config")[1];
  for (const [name, field] of Object.entries(DEFAULTS)) {
    const documented = new RegExp(`@default (\\S+)[^/]*\\*/\\s+${name}\\?:`).exec(types)?.[1];
    const actual = new RegExp(`\\b${field}: (?:Duration::from_millis\\()?([\\w.:]+)`).exec(core)?.[1]?.replace("Duration::ZERO", "0");
    assert.ok(documented && actual, `${name}: documented ${documented}, in the core ${actual}`);
    assert.equal(documented, actual.replaceAll("_", ""), name);
  }
});

test("the CORS recipe is the same in both READMEs, and the one for Node does what a browser needs", async () => {
  const section = (path) => /## What a server must allow[^]*?\n(?=## )/.exec(read(path))[0];
  const recipe = section("README.md");
  assert.equal(section("pkg-template/README.md"), recipe);

  const code = /```js\n([^]*?)```/.exec(recipe)[1];
  const { cors } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const server = createServer((request, response) => cors(request, response, () => response.writeHead(401).end()));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const ask = (method, headers) => fetch(`http://127.0.0.1:${server.address().port}/mcp`, { method, headers });
    const origin = "https://app.example.com";
    const names = "authorization,content-type,mcp-method,mcp-param-region";
    const preflight = await ask("OPTIONS", { origin, "access-control-request-headers": names });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
    assert.equal(preflight.headers.get("access-control-allow-headers"), names);
    assert.match(preflight.headers.get("access-control-allow-methods"), /POST.*DELETE/);

    const refused = await ask("POST", { origin });
    assert.equal(refused.status, 401, "the page must be able to read that it is not authorized");
    assert.equal(refused.headers.get("access-control-allow-origin"), origin);
    assert.match(refused.headers.get("access-control-expose-headers"), /mcp-session-id.*www-authenticate.*retry-after/i);

    const stranger = await ask("POST", { origin: "https://evil.example" });
    assert.equal(stranger.headers.get("access-control-allow-origin"), null);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("the errors weigh less than 3,000 bytes in brotli", async () => {
  const { outputFiles } = await build({ entryPoints: [source("errors")], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  const size = brotliCompressSync(outputFiles[0].contents).length;
  assert.ok(size < 3000, `${size} bytes`);
});

test("listeners are called in order, and one that comes or goes during the round does not disturb it", () => {
  const emitter = new Emitter();
  const calls = [];
  emitter.on("e", () => {
    calls.push("first");
    stop();
    emitter.on("e", () => calls.push("late"));
  });
  const stop = emitter.on("e", () => calls.push("removed"));
  emitter.on("e", (detail) => calls.push(detail));
  emitter.emit("e", "detail");
  assert.deepEqual(calls, ["first", "detail"]);
});

test("unsubscribing twice is harmless and takes nobody else's place", () => {
  const emitter = new Emitter();
  let count = 0;
  const listener = () => count++;
  const stop = emitter.on("e", listener);
  emitter.on("e", listener);
  stop();
  stop();
  emitter.emit("e");
  assert.equal(count, 1);
  emitter.on("other", listener);
  emitter.off("e", listener);
  emitter.off("e", listener);
  emitter.emit("e");
  assert.equal(count, 1);
  emitter.emit("other");
  assert.equal(count, 2, "the same listener of another event stays");
});

test("a throwing listener is reported as an uncaught error and stops nobody", async () => {
  const emitter = new Emitter();
  const boom = new Error("boom");
  const original = globalThis.queueMicrotask;
  const reported = [];
  globalThis.queueMicrotask = (task) => original(() => { try { task(); } catch (error) { reported.push(error); } });
  try {
    let reached = false;
    emitter.on("e", () => { throw boom; });
    emitter.on("e", () => { reached = true; });
    emitter.emit("e");
    assert.ok(reached);
    await Promise.resolve();
    assert.deepEqual(reported, [boom]);
  } finally {
    globalThis.queueMicrotask = original;
  }
});

test("once and signal each remove the listener, and leave nothing on the signal", () => {
  const emitter = new Emitter();
  const controller = new AbortController();
  let held = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args) => (held++, add(...args));
  signal.removeEventListener = (...args) => (held--, remove(...args));

  let count = 0;
  emitter.on("e", () => count++, { once: true, signal });
  emitter.emit("e");
  emitter.emit("e");
  assert.equal(count, 1);
  assert.equal(held, 0);

  emitter.on("e", () => count++, { signal });
  controller.abort();
  emitter.emit("e");
  emitter.on("e", () => count++, { signal });
  emitter.emit("e");
  assert.equal(count, 1);
});

test("a listener that emits again sees a once listener only once", () => {
  const emitter = new Emitter();
  let count = 0;
  emitter.on("e", () => { count++; emitter.emit("e"); }, { once: true });
  emitter.emit("e");
  assert.equal(count, 1);
});

test("once() resolves with the next event, and rejects with the signal's reason", async () => {
  const emitter = new Emitter();
  const next = emitter.once("e");
  emitter.emit("e", 5);
  assert.equal(await next, 5);

  const controller = new AbortController();
  const aborted = emitter.once("e", { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(aborted, (reason) => reason === "enough");
  await assert.rejects(emitter.once("e", { signal: controller.signal }), (reason) => reason === "enough");

  const unheard = new AbortController();
  const got = emitter.once("e", { signal: unheard.signal });
  emitter.emit("e", 6);
  unheard.abort("too late");
  assert.equal(await got, 6);
});

test("a store's snapshot is the same frozen object until its content changes", () => {
  let state = { connection: { state: "idle", server: null }, queued: 0 };
  let reads = 0;
  const store = new SnapshotStore(() => (reads++, structuredClone(state)));
  const { subscribe, getSnapshot, getServerSnapshot } = store;
  const first = getSnapshot();
  let told = 0;
  const stop = subscribe(() => told++);

  store.changed();
  store.changed();
  assert.equal(reads, 1, "a change nobody looks at is not read");
  assert.equal(getSnapshot(), first);
  assert.equal(reads, 2);

  state = { ...state, queued: 1 };
  store.changed();
  const second = getSnapshot();
  assert.notEqual(second, first);
  assert.deepEqual(second, state);
  assert.equal(second.connection, first.connection, "the part that did not change stays the same object");
  assert.ok(Object.isFrozen(second) && Object.isFrozen(second.connection));
  assert.equal(getServerSnapshot(), first);
  assert.equal(told, 3);
  stop();
  stop();
  store.changed();
  assert.equal(told, 3);
});

test("parts of a snapshot keep their identity, and data of a server never touches a prototype", () => {
  const read = () => JSON.parse('{"list":[1,{"a":2}],"__proto__":{"polluted":true},"other":{"b":null}}');
  let state = read();
  const store = new SnapshotStore(() => state);
  const first = store.getSnapshot();
  assert.deepEqual(Object.keys(first), ["list", "__proto__", "other"]);
  assert.equal(Object.getPrototypeOf(first), Object.prototype);
  assert.equal({}.polluted, undefined);
  assert.ok(Array.isArray(first.list) && Object.isFrozen(first.list[1]));

  state = { ...read(), list: [1, { a: 2 }, 3] };
  store.changed();
  const second = store.getSnapshot();
  assert.deepEqual(second.list, [1, { a: 2 }, 3]);
  assert.equal(second.list[1], first.list[1]);
  assert.equal(second.other, first.other);

  // A part that is kept by who reads is frozen by now, and may come again.
  state = { list: second.list, other: null };
  store.changed();
  assert.deepEqual(store.getSnapshot(), { list: [1, { a: 2 }, 3], other: null });
  assert.equal(store.getSnapshot().list, second.list);
});

test("what the journal in IndexedDB lets pass is what the core's table calls safe", async () => {
  const { HARMLESS } = await load("journal-indexeddb");
  const table = readFileSync(new URL("src/core/wire/method.rs", root), "utf8");
  const safe = [...table.matchAll(/^ {4}(?:Read|Safe) "([^"]+)",$/gm)].map(([, name]) => name);
  assert.ok(safe.length > 10);
  assert.deepEqual([...HARMLESS].sort(), safe.sort());
});
