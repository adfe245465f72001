// The checks of messages and headers, checked: right ones of every revision pass, and each kind of wrong one is named.

import assert from "node:assert/strict";
import { test } from "node:test";

import { check, MODERN, REVISIONS } from "./check.mjs";
import { checkGet, checkPost, decode } from "./headers.mjs";

const META = { "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {} };
const LEGACY = REVISIONS.filter((revision) => revision !== MODERN);
const request = (method, params, more) => ({ jsonrpc: "2.0", id: 1, method, ...(params ? { params } : {}), ...more });
const modern = (method, params) => request(method, { ...params, _meta: { ...META, ...params?._meta } });
const notice = (method, params) => ({ jsonrpc: "2.0", method, ...(params ? { params } : {}) });
const wrong = (revision, message) => check(revision, JSON.stringify(message)).join("\n");
const right = (revision, message) => assert.equal(wrong(revision, message), "", `${revision} ${JSON.stringify(message)}`);

test("messages of every older revision pass", () => {
  const clientInfo = { name: "test", version: "1" };
  for (const revision of LEGACY) {
    right(revision, request("initialize", { protocolVersion: revision, capabilities: { roots: {} }, clientInfo }));
    right(revision, notice("notifications/initialized"));
    right(revision, request("ping"));
    right(revision, request("tools/list", { cursor: "" }));
    right(revision, request("tools/call", { name: "t", arguments: { a: [1] }, _meta: { progressToken: 7 } }));
    right(revision, request("resources/subscribe", { uri: "demo://a" }));
    right(revision, request("logging/setLevel", { level: "warning" }));
    right(revision, notice("notifications/cancelled", { requestId: 3, reason: "no longer needed" }));
    right(revision, { jsonrpc: "2.0", id: "server-1", result: {} });
    right(revision, { jsonrpc: "2.0", id: 4, result: { roots: [{ uri: "file:///a" }] } });
    right(revision, { jsonrpc: "2.0", id: 4, error: { code: -32601, message: "Method not found" } });
  }
  for (const revision of ["2025-06-18", "2025-11-25"]) {
    right(revision, { jsonrpc: "2.0", id: 4, result: { action: "accept", content: { name: "x", height: 1.5 } } });
  }
});

test("messages of the newest revision pass", () => {
  right(MODERN, modern("server/discover"));
  right(MODERN, modern("tools/call", { name: "t", arguments: {}, requestState: "s", inputResponses: { a: { action: "decline" } } }));
  right(MODERN, modern("subscriptions/listen", { notifications: { toolsListChanged: true, resourceSubscriptions: ["demo://a"] } }));
  right(MODERN, notice("notifications/cancelled", { requestId: 3 }));
  right(MODERN, modern("tasks/get", { taskId: "t-1" }));
  right(MODERN, modern("ext.example/any", {}));
  right(MODERN, modern("tools/list", { _meta: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, "example.com/key": 1 } }));
});

for (const [name, revision, message, said] of [
  ["an id of null", "2025-11-25", request("ping", undefined, { id: null }), /id must be string,integer/],
  ["an id that is no integer", MODERN, { ...modern("tools/list"), id: 1.5 }, /must be string,integer/],
  ["no protocol version of JSON-RPC", "2025-11-25", { id: 1, method: "ping" }, /required property 'jsonrpc'/],
  ["a method of its revision without what it needs", "2025-06-18", request("tools/call", { arguments: {} }), /required property 'name'/],
  ["arguments that are no object", "2024-11-05", request("tools/call", { name: "t", arguments: [] }), /arguments must be object/],
  ["params that are an array", "2025-11-25", request("no/such", []), /params must be object/],
  ["a member that JSON-RPC does not have", "2025-11-25", request("ping", undefined, { result: {} }), /no member "result"/],
  ["a notification with an id", "2025-11-25", { ...notice("notifications/initialized"), id: 1 }, /no member "id"/],
  ["a request without an id", "2025-11-25", notice("tools/list"), /required property 'id'/],
  ["a request without `_meta` in the newest revision", MODERN, request("tools/list"), /required property 'params'/],
  ["`_meta` without the capabilities", MODERN, request("tools/list", { _meta: { "io.modelcontextprotocol/protocolVersion": MODERN } }), /clientCapabilities/],
  ["an unknown method without `_meta`", MODERN, request("no/such"), /RequestMetaObject must be object/],
  ["a capability that is no object", MODERN, modern("tools/list", { _meta: { ...META, "io.modelcontextprotocol/clientCapabilities": { roots: true } } }), /roots must be object/],
  ["a state that is no text", MODERN, modern("tools/call", { name: "t", requestState: { a: 1 } }), /requestState must be string/],
  ["a method that the newest revision no longer has", MODERN, modern("ping"), /ping is not of this revision/],
  ["a method that an older revision does not have yet", "2025-11-25", request("subscriptions/listen", { notifications: {} }), /not of this revision/],
  ["a response in the newest revision", MODERN, { jsonrpc: "2.0", id: 1, result: {} }, /clients send none/],
  ["a response with neither result nor error", "2025-06-18", { jsonrpc: "2.0", id: 1 }, /required property 'result'/],
  ["an elicitation answered with a word that is none", "2025-11-25", { jsonrpc: "2.0", id: 1, result: { action: "yes" } }, /ElicitResult\/action/],
  ["roots without an address", "2025-03-26", { jsonrpc: "2.0", id: 1, result: { roots: [{ name: "a" }] } }, /required property 'uri'/],
  ["an error code that is no integer", "2025-11-25", { jsonrpc: "2.0", id: 1, error: { code: "x", message: "" } }, /code must be integer/],
  ["a batch", "2025-03-26", [request("ping")], /batch/],
  ["a key under a reserved prefix", MODERN, modern("tools/list", { _meta: { "com.mcp/own": 1 } }), /reserved prefix/],
  ["a key outside the grammar", MODERN, modern("tools/list", { _meta: { "-a b": 1 } }), /grammar/],
  ["a trace that is not in the W3C form", MODERN, modern("tools/list", { _meta: { traceparent: "00-1-2-3" } }), /W3C/],
  ["a revision that is none", "2026-01-01", request("ping"), /no revision/],
]) {
  test(`refused: ${name}`, () => assert.match(wrong(revision, message), said));
}

test("refused: text that is no JSON", () => assert.match(check(MODERN, "{").join(), /not JSON/));

const call = modern("tools/call", { name: "täg", arguments: { region: "us-west1", deep: { count: 42, on: true } } });
const headers = {
  accept: "application/json, text/event-stream",
  "content-type": "application/json",
  "mcp-protocol-version": MODERN,
  "mcp-method": "tools/call",
  "mcp-name": "=?base64?dMOkZw==?=",
  "mcp-param-region": "us-west1",
  "mcp-param-count": "42",
  "mcp-param-on": "true",
};

test("headers that repeat the body pass", () => {
  assert.deepEqual(checkPost(MODERN, headers, call), []);
  const { accept, "content-type": type } = headers;
  assert.deepEqual(checkPost("2025-11-25", { accept, "content-type": type }, request("initialize", {})), []);
  assert.deepEqual(checkPost("2025-11-25", { accept, "content-type": type, "mcp-protocol-version": "2025-11-25" }, request("ping")), []);
  assert.deepEqual(checkPost("2025-03-26", { accept, "content-type": type }, request("ping")), []);
  assert.deepEqual(checkGet("2025-11-25", { accept: "text/event-stream", "mcp-protocol-version": "2025-11-25" }), []);
});

for (const [name, change, said] of [
  ["a version that is not the body's", { "mcp-protocol-version": "2025-11-25" }, /mcp-protocol-version is 2025-11-25/],
  ["no method", { "mcp-method": undefined }, /mcp-method is missing/],
  ["another method", { "mcp-method": "Tools/Call" }, /mcp-method is Tools/],
  ["another name", { "mcp-name": "other" }, /mcp-name is other/],
  ["a name in base64 that is not canonical", { "mcp-name": "=?base64?dMOkZw?=" }, /mcp-name/],
  ["only one accepted type", { accept: "application/json" }, /accept/],
  ["no content type", { "content-type": undefined }, /content-type is missing/],
  ["a session", { "mcp-session-id": "s" }, /mcp-session-id/],
  ["a parameter that is not the body's", { "mcp-param-region": "eu" }, /mcp-param-region/],
]) {
  test(`refused in the headers of the newest revision: ${name}`, () => {
    const changed = Object.fromEntries(Object.entries({ ...headers, ...change }).filter(([, value]) => value !== undefined));
    assert.match(checkPost(MODERN, changed, call).join("\n"), said);
  });
}

test("refused in the newest revision: a GET, a notification over HTTP, a name where none belongs", () => {
  assert.match(checkGet(MODERN, { accept: "text/event-stream" }).join(), /no such stream/);
  assert.match(checkPost(MODERN, headers, notice("notifications/cancelled", { requestId: 1 })).join(), /none over HTTP/);
  assert.match(checkPost(MODERN, { ...headers, "mcp-method": "tools/list" }, modern("tools/list")).join(), /mcp-name on tools\/list/);
});

test("refused in older revisions: a missing version, headers of the newest, a session on initialize", () => {
  const { accept, "content-type": type } = headers;
  const plain = { accept, "content-type": type };
  assert.match(checkPost("2025-06-18", plain, request("ping")).join(), /mcp-protocol-version is missing/);
  assert.match(checkPost("2025-03-26", { ...plain, "mcp-method": "ping" }, request("ping")).join(), /mcp-method is not of/);
  assert.match(checkPost("2025-11-25", { ...plain, "mcp-session-id": "s" }, request("initialize", {})).join(), /on initialize/);
});

test("the specification's examples of header values are read", () => {
  for (const [text, value] of [
    ["us-west1", "us-west1"],
    ["Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="],
    [" padded ", "=?base64?IHBhZGRlZCA=?="],
    ["line1\nline2", "=?base64?bGluZTEKbGluZTI=?="],
    ["=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="],
  ]) {
    assert.equal(decode(value), text);
  }
  assert.equal(decode("pädded"), null);
  assert.equal(decode(" padded"), null);
});
