// Tests of the shell's snippet (src/web/glue.js and its siblings) that need no wasm: header values, texts of messages, sharing of results,
// cache keys, subscriptions.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as glue from "../../src/web/glue.js";
import { heardListen } from "../../src/web/listening.js";

const heard = [];
glue.connect({ hear: (...told) => heard.push(told) });
for (const version of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]) glue.addVersion(version);
glue.addMethod("tools/call", 0);
glue.addMethod("tools/list", 1);
const host = { clientInfo: { name: "test", version: "1" }, capabilities: {}, url: "http://127.0.0.1/" };
const client = glue.open(host, 1000);
const { attach, key, methodId, params } = glue.api();

const LEGACY = 3;
const MODERN = 4;

/** What a request looks like on a socket. */
function written(method, given, { version = MODERN, progress = 0 } = {}) {
  let text;
  const socket = { readyState: 1, send: (sent) => (text = sent) };
  const handle = params(methodId(method), given);
  assert.ok(glue.send(socket, client, 0, 7, methodId(method), handle, version, progress) > 0);
  glue.release(handle);
  return JSON.parse(text);
}

/** The handle under which the snippet tells an answer. */
function told(text) {
  heard.length = 0;
  glue.receiveBytes(new TextEncoder().encode(text), client, 1);
  return heard[0];
}

test("header values follow the vectors of the specification", () => {
  const vectors = {
    "us-west1": "us-west1",
    "Hello, 世界": "=?base64?SGVsbG8sIOS4lueVjA==?=",
    " padded ": "=?base64?IHBhZGRlZCA=?=",
    "line1\nline2": "=?base64?bGluZTEKbGluZTI=?=",
    "=?base64?literal?=": "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
    "inner space stays": "inner space stays",
    "": "",
  };
  for (const [plain, encoded] of Object.entries(vectors)) assert.equal(glue.headerValue(plain), encoded, plain);
});

test("a modern request carries its metadata and keeps the caller's", () => {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  assert.deepEqual(written("tools/list").params, { _meta: meta });
  assert.deepEqual(written("tools/call", { name: "a", arguments: {} }).params, { _meta: meta, name: "a", arguments: {} });
  const own = written("tools/call", { name: "a", _meta: { traceparent: "00-1" } }, { progress: 1 });
  assert.deepEqual(own.params._meta, { progressToken: 7, traceparent: "00-1", ...meta });
});

test("a legacy request carries no metadata but what was asked for", () => {
  assert.deepEqual(written("tools/call", { name: "a" }, { version: LEGACY }), {
    jsonrpc: "2.0",
    id: 7,
    method: "tools/call",
    params: { name: "a" },
  });
  assert.deepEqual(written("tools/call", { name: "a" }, { version: LEGACY, progress: 1 }).params._meta, { progressToken: 7 });
});

test("a client without a name gives none where the protocol allows it", () => {
  const nameless = glue.open({ capabilities: {} }, 1000);
  const sent = (kind, version) => {
    let text;
    glue.send({ readyState: 1, send: (one) => (text = one) }, nameless, kind, 7, 0, 0, version, 0);
    return JSON.parse(text).params;
  };
  assert.deepEqual(Object.keys(sent(2, MODERN)._meta), [
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
  ]);
  assert.deepEqual(sent(3, LEGACY).clientInfo, { name: "client", version: "0" });
});

test("params that are no JSON object are refused before anything is sent", () => {
  const cycle = {};
  cycle.cycle = cycle;
  for (const given of [cycle, { big: 1n }, [1], "text"]) assert.throws(() => params(0, given), TypeError);
});

test("a closing socket takes no frame", () => {
  const socket = { readyState: 2, send: () => assert.fail("sent") };
  assert.equal(glue.send(socket, client, 4, 0, 0, 0, LEGACY, 0), -1);
});

test("those who share a result cannot change each other's", () => {
  const handle = told('{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}')[4];
  const got = [];
  const take = () => {
    glue.retain(handle);
    glue.settle(client, attach(client, { resolve: (value) => got.push(value) }), handle);
  };
  take();
  got[0].tools.push("changed");
  take();
  take();
  assert.deepEqual(got[1], { tools: [{ name: "a" }] });
  assert.ok(Object.isFrozen(got[1].tools[0]));
  assert.equal(got[1], got[2]);
});

test("keys are equal up to the order of members and only for cacheable methods", () => {
  const list = methodId("tools/list");
  assert.equal(key(client, list, { a: 1, b: [1, { c: 2, d: undefined }] }, false), key(client, list, { b: [1, { c: 2 }], a: 1 }, false));
  assert.notEqual(key(client, list, { a: 1 }, false), key(client, list, { a: "1" }, false));
  assert.equal(key(client, methodId("tools/call"), {}, false), 0);
  const kept = key(client, list, { a: 9 }, false);
  glue.forget(client, kept);
  assert.notEqual(key(client, list, { a: 9 }, false), kept);
});

test("what arrives is told by kind", () => {
  const kind = (text) => told(text)[2];
  assert.equal(kind('{"jsonrpc":"2.0","id":1,"result":{}}'), 0);
  assert.equal(kind('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"x"}}'), 1);
  assert.equal(kind('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'), 2);
  assert.equal(kind('{"jsonrpc":"2.0","id":"x","method":"ping"}'), 3);
  assert.equal(kind(`{"jsonrpc":"2.0","id":1,"result":{"text":"${"x".repeat(1000)}"}}`), 4);
  assert.equal(kind("{"), 5);
  assert.equal(told("[]"), undefined);
  assert.equal(kind('"text"'), 6);
  assert.equal(kind("null"), 6);
});

test("a batch is taken apart", () => {
  told('[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"2","result":{}}]');
  assert.deepEqual(heard.map((one) => [one[2], one[3]]), [[0, 1], [0, 2]]);
});

test("a notification is told with the request that it is about", () => {
  const about = (method, params) => told(JSON.stringify({ jsonrpc: "2.0", method, params }))[3];
  const subscription = (id) => ({ progressToken: 1, requestId: 2, _meta: { "io.modelcontextprotocol/subscriptionId": id } });
  assert.equal(about("notifications/progress", subscription(3)), 1);
  assert.equal(about("notifications/cancelled", subscription(3)), 2);
  assert.equal(about("notifications/tools/list_changed", subscription(3)), 3);
  assert.equal(about("notifications/subscriptions/acknowledged", subscription("3")), 3, "some servers send ids back as text");
  for (const params of [undefined, null, "text", {}, { _meta: null }, subscription("mine")]) {
    assert.ok(Number.isNaN(about("notifications/resources/updated", params)), JSON.stringify(params));
  }
});

test("the package hears of the listen, and of the filter that is honoured", () => {
  const phases = [];
  host.onListen = (...told) => phases.push(told);
  const message = { method: "notifications/subscriptions/acknowledged", params: { notifications: { toolsListChanged: true } } };
  heardListen(client, 0, told(JSON.stringify({ jsonrpc: "2.0", ...message }))[4]);
  heardListen(client, 1, 0);
  assert.deepEqual(phases, [[0, { toolsListChanged: true }], [1, undefined]]);
});
