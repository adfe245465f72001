// Tests of the shell's snippet (src/web/glue.js and its siblings) that need no wasm: header values, texts of messages, sharing of results,
// cache keys, subscriptions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, asked } from "../../src/web/asking.js";
import * as env from "../../src/web/env.js";
import * as glue from "../../src/web/glue.js";
import { abort, exchange, headerValue } from "../../src/web/http.js";
import { heardListen } from "../../src/web/listening.js";

const heard = [];
glue.setUp({ hear: (_now, ...told) => void heard.push(told) }, "tools/call|tools/list", 0b10, "2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28");
const host = { clientInfo: { name: "test", version: "1" }, capabilities: {}, url: "http://127.0.0.1/" };
const client = glue.open(host, 1000);
const { attach, key, message, methodId, params } = glue.api();

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

const depth = (levels, filler = "") => `{"jsonrpc":"2.0","id":1,"result":{"a":${"[".repeat(levels)}"${filler}"${"]".repeat(levels)}}}`;
const [RESULT, ERROR, BAD_JSON, ODD_ID] = [0, 1, 5, 32];

test("a long message that is nested too deeply is no message; a short one, or one that only looks so, is", () => {
  const patient = glue.open(host, 1e6);
  const kind = (text) => (glue.receiveBytes(new TextEncoder().encode(text), patient, 1), heard.at(-1)[2]);
  const long = "x".repeat(20_000);
  assert.equal(kind(depth(100_000)), BAD_JSON);
  assert.equal(kind(depth(600, long)), BAD_JSON);
  assert.equal(kind(depth(500, long)), RESULT);
  assert.equal(kind(depth(600)), RESULT);
  // Brackets in strings, behind escaped quotes, and side by side do not nest.
  assert.equal(kind(depth(1, `${long}${'\\\\\\"'.repeat(50)}${"[{".repeat(2000)}`)), RESULT);
  assert.equal(kind(`{"jsonrpc":"2.0","id":1,"result":[${Array(9000).fill("[]").join()}]}`), RESULT);
  assert.equal(kind(`{"a":"${long}`), BAD_JSON);
});

test("an id that comes back as text is taken, and told of", () => {
  assert.deepEqual(told('{"jsonrpc":"2.0","id":"7","result":{}}').slice(2, 4), [RESULT, 7]);
  assert.equal(heard[0][5] & ODD_ID, ODD_ID);
  assert.equal(told('{"jsonrpc":"2.0","id":7,"result":{}}')[5] & ODD_ID, 0);
  assert.equal(told('{"jsonrpc":"2.0","id":"7","error":{"code":-1,"message":""}}')[2], ERROR);
  assert.equal(heard[0][5], ODD_ID);
});

test("header values follow the vectors of the specification", () => {
  const vectors = {
    "us-west1": "us-west1",
    "Hello, 世界": "=?base64?SGVsbG8sIOS4lueVjA==?=",
    " padded ": "=?base64?IHBhZGRlZCA=?=",
    "line1\nline2": "=?base64?bGluZTEKbGluZTI=?=",
    "=?base64?literal?=": "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
    "inner space stays": "inner space stays",
    "": "",
    "tab\tinside": "tab\tinside",
    "=?base64?unfinished": "=?base64?unfinished",
    "\ttab": "=?base64?CXRhYg==?=",
    "return\r": "=?base64?cmV0dXJuDQ==?=",
    "del\x7f": "=?base64?ZGVsfw==?=",
  };
  for (const [plain, encoded] of Object.entries(vectors)) assert.equal(headerValue(plain), encoded, plain);
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
  assert.deepEqual(sent(3, LEGACY), { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "client", version: "0" } });
});

test("params that are no JSON object are refused before anything is sent", () => {
  const cycle = {};
  cycle.cycle = cycle;
  for (const given of [cycle, { big: 1n }, [1], "text"]) assert.throws(() => params(0, given), TypeError);
});

test("a closing socket takes no frame", () => {
  const socket = { readyState: 2, send: () => assert.fail("sent") };
  assert.equal(glue.send(socket, client, 4, 0, 0, 0, LEGACY, 0), 0);
});

test("a socket that holds back more than the mark is told by the sign", () => {
  const other = glue.open(host, 1000, 500);
  const sent = (bufferedAmount) => glue.send({ readyState: 1, send: () => {}, bufferedAmount }, other, 4, 0, 0, 0, LEGACY, 0);
  assert.ok(sent(500) > 0);
  assert.equal(sent(501), -sent(0));
  assert.ok(sent(undefined) > 0, "a double without the number");
});

test("a controller serves again after an answer that was read, and never after one that was given up or still streams", async () => {
  const signals = [];
  let answer;
  const fetch = async (_, { signal }) => {
    signals.push(signal);
    return answer();
  };
  const other = glue.open({ ...host, fetch }, 1000);
  let source = 0;
  const ask = async () => {
    source += 1;
    exchange(other, source, 0, 7, methodId("tools/call"), params(0, {}), MODERN, 0, 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return signals.at(-1);
  };
  const body = '{"jsonrpc":"2.0","id":7,"result":{}}';
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  answer = () => new Response(body, { headers });
  const first = await ask();
  assert.equal(await ask(), first);
  answer = () => new Promise(() => {});
  assert.equal(await ask(), first);
  const beside = await ask();
  assert.notEqual(beside, first, "it is in use");
  abort(other, source - 1);
  assert.ok(first.aborted && !beside.aborted);
  answer = () => new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream" } });
  const streaming = await ask();
  answer = () => new Response(body, { headers });
  assert.ok(![first, beside, streaming].includes(await ask()));
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
  assert.equal(key(client, list, { a: 1, b: [1, { c: 2, d: undefined }] }), key(client, list, { b: [1, { c: 2 }], a: 1 }));
  assert.notEqual(key(client, list, { a: 1 }), key(client, list, { a: "1" }));
  assert.equal(key(client, methodId("tools/call"), {}), 0);
  assert.equal(key(client, list, {}, false), 0, "unless the application says otherwise");
  const kept = key(client, list, { a: 9 });
  glue.forget(client, kept);
  assert.notEqual(key(client, list, { a: 9 }), kept);
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

test("a result is told by its kind, and whether it names a lifetime", () => {
  const info = (result, by = client) => {
    heard.length = 0;
    glue.receiveBytes(new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id: 1, result })), by, 1);
    return heard[0][5];
  };
  assert.equal(info({}), 0);
  assert.equal(info({ resultType: "complete", ttlMs: 5 }), 8);
  assert.equal(info({ resultType: "input_required", inputRequests: { a: {} } }), 1);
  assert.equal(info({ resultType: "input_required", requestState: "s" }), 2);
  assert.equal(info({ resultType: "task" }), 7, "nobody said that it is understood");
  assert.equal(info({ resultType: "other" }), 7);
  assert.equal(info(null), 0);
  const capabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } };
  assert.equal(info({ resultType: "task" }, glue.open({ ...host, capabilities }, 1000)), 3);
});

/** The headers of a call over HTTP. */
function posted(method, given, { version = MODERN, mirrored } = {}) {
  return new Promise((resolve) => {
    const fetch = (url, init) => {
      resolve(init.headers);
      return new Promise(() => {});
    };
    exchange(glue.open({ ...host, fetch }, 1000), 1, 0, 7, methodId(method), params(methodId(method), given, mirrored), version, 0, 0);
  });
}

test("over modern HTTP a request names its thing and mirrors its params", async () => {
  const mirrored = [["Mcp-Param-Region", "us-west1"]];
  const headers = await posted("tools/call", { name: "a" }, { mirrored });
  assert.equal(headers["mcp-name"], "a");
  assert.equal(headers["Mcp-Param-Region"], "us-west1");
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    assert.equal((await posted(method, { taskId: "t 1" }))["mcp-name"], "t 1", method);
  }
  assert.equal((await posted("resources/read", { uri: "demo://é" }))["mcp-name"], "=?base64?ZGVtbzovL8Op?=");
  assert.equal("mcp-name" in (await posted("tools/list", {})), false);
});

test("over legacy HTTP no header tells of the params", async () => {
  const headers = await posted("tools/call", { name: "a" }, { version: LEGACY, mirrored: [["Mcp-Param-Region", "x"]] });
  assert.deepEqual(Object.keys(headers).sort(), ["accept", "content-type", "mcp-protocol-version"]);
});

test("the package's response to a server goes out as it was given", () => {
  let text;
  const response = { jsonrpc: "2.0", id: "x", result: { roots: [] } };
  const handle = message(response);
  response.id = "changed";
  glue.send({ readyState: 1, send: (sent) => (text = sent) }, client, 7, 0, 0, handle, LEGACY, 0);
  assert.deepEqual(JSON.parse(text), { jsonrpc: "2.0", id: "x", result: { roots: [] } });
  const cycle = {};
  cycle.cycle = cycle;
  assert.throws(() => message(cycle), TypeError);
});

test("questions reach the call that asks and the host, and what they throw does not unwind", () => {
  const reached = [];
  const open = glue.open({ ...host, onRequest: (...given) => reached.push(given) }, 1000);
  const slot = attach(open, { ask: (...given) => reached.push(given) });
  ask(open, slot, 1, message("why"));
  asked(open, 3, message("who"));
  assert.deepEqual(reached, [[1, '"why"'], [3, '"who"']]);
});

test("a list option names what it does not know", () => {
  const known = "a|b|c";
  const set = (versions) => env.optionSet({ protocol: { versions } }, "protocol.versions", known);
  assert.equal(env.optionSet({}, "protocol.versions", known), 0);
  assert.equal(set(["c", "a", "c"]), 5);
  for (const wrong of [[], ["a", "d"], "d", null, [undefined], [1]]) {
    assert.throws(() => set(wrong), /^TypeError: protocol\.versions must be a or b or c$/, JSON.stringify(wrong));
  }
});

test("verdicts on an address are remembered until they end, each for itself", () => {
  const [FALLBACK, LEGACY_ERA] = [0, 1];
  const there = { webSocketUrl: "wss://example.test/a" };
  const elsewhere = { webSocketUrl: "wss://example.test/b" };
  env.remember(there, LEGACY_ERA, 60_000);
  assert.ok(env.remembered({ webSocketUrl: "wss://example.test/a?token=1" }, LEGACY_ERA) > 59_000);
  assert.equal(env.remembered(elsewhere, LEGACY_ERA), 0, "one origin may have servers of both eras");
  assert.equal(env.remembered(there, FALLBACK), 0);
  assert.equal(env.remembered({ webSocketUrl: "wss://other.test/" }, LEGACY_ERA), 0);
  env.remember(there, LEGACY_ERA, 0);
  assert.equal(env.remembered(there, LEGACY_ERA), 0);
});

test("a batch is taken apart", () => {
  told('[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"2","result":{}}]');
  assert.deepEqual(heard.map((one) => [one[2], one[3]]), [[0, 1], [0, 2]]);
});

/** What the snippet tells of an exchange that is answered so, and how it was asked for. */
async function exchanged(answer, { kind = 0, version = MODERN } = {}) {
  let asked;
  const warnings = [];
  const fetch = async (_, init) => {
    asked = init;
    return answer;
  };
  const other = glue.open({ ...host, fetch, answered: true, warn: (text) => warnings.push(text) }, 1000);
  const handle = params(methodId("tools/call"), { name: "a" });
  heard.length = 0;
  exchange(other, 1, kind, 7, methodId("tools/call"), handle, version, 0, 0);
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  glue.release(handle);
  return { asked, kinds: heard.map(([, , kind]) => kind), told: [...heard], warnings };
}

test("a redirect is not followed but told by its status", async () => {
  const { asked, told } = await exchanged(new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } }));
  assert.equal(asked.redirect, "manual");
  assert.equal(told[0][7], 307);
});

test("a session is begun with an id of visible ASCII and with no other", async () => {
  const INITIALIZE = 3, HEAD = 10, RESULT = 0;
  const begun = async (id) => {
    const headers = { "content-type": "application/json", "mcp-session-id": id };
    const answer = new Response('{"jsonrpc":"2.0","id":7,"result":{}}', { headers });
    const { kinds, told, warnings } = await exchanged(answer, { kind: INITIALIZE, version: LEGACY });
    assert.ok(kinds.includes(RESULT), id);
    const handle = told.find(([, , kind]) => kind === HEAD)?.[4] ?? 0;
    return { named: handle ? glue.values[handle] : undefined, warnings };
  };
  for (const id of ["s-1", "!~", "0123456789abcdef-._"]) assert.deepEqual(await begun(id), { named: id, warnings: [] }, id);
  // Two that were joined on the way, a blank, a control character, bytes beyond ASCII.
  for (const id of ["s-1, s-2", "s 1", "s\t1", "s\x7f", "s\xe9"]) {
    const { named, warnings } = await begun(id);
    assert.equal(named, undefined, id);
    assert.match(warnings.join(), /^Mcp-Session-Id .*visible ASCII/, id);
  }
});

test("the answer to a call begins no session, whatever its head says, and is told in one", async () => {
  const body = '{"jsonrpc":"2.0","id":7,"result":{}}';
  const headers = { "content-type": "application/json", "content-length": String(body.length), "mcp-session-id": "s 1" };
  const { kinds, warnings } = await exchanged(new Response(body, { headers }), { version: LEGACY });
  assert.deepEqual([kinds, warnings], [[0], []]);
});

test("a client that goes aborts all that runs, and one exchange that ends leaves the others their places", async () => {
  const signals = new Map();
  const answers = new Map();
  const fetch = (_, { signal, body }) => {
    signals.set(JSON.parse(body).id, signal);
    return new Promise((resolve) => answers.set(JSON.parse(body).id, resolve));
  };
  const other = glue.open({ ...host, fetch }, 1000);
  for (const id of [1, 2, 3, 4]) exchange(other, id, 0, id, methodId("tools/call"), params(0, {}), MODERN, 0, 0);
  const body = '{"jsonrpc":"2.0","id":2,"result":{}}';
  answers.get(2)(new Response(body, { headers: { "content-type": "application/json", "content-length": String(body.length) } }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  abort(other, 4);
  abort(other, 2);
  const aborted = () => [1, 2, 3, 4].filter((id) => signals.get(id).aborted);
  assert.deepEqual(aborted(), [4]);
  glue.shut(other);
  assert.deepEqual(aborted(), [1, 3, 4]);
});

test("what a refusal says of credentials is told with its head, and nothing more of it", async () => {
  const HEAD = 10, ENDED = 12;
  const challenge = 'Bearer error="insufficient_scope", scope="tools"';
  const refused = (status, body = '{"error":"insufficient_scope"}') =>
    new Response(body, { status, headers: { "content-type": "application/json", "content-length": "30", "www-authenticate": challenge } });
  for (const status of [401, 403]) {
    const { kinds, told } = await exchanged(refused(status));
    assert.deepEqual([kinds, told[0][7], glue.values[told[0][4]]], [[HEAD, ENDED], status, challenge]);
  }
  const { kinds, told } = await exchanged(refused(500));
  assert.equal(told[kinds.indexOf(HEAD)][4], 0, "a challenge belongs to a refusal");
});

test("of a body that is too large nothing but that is told", async () => {
  const HEAD = 10, TOO_LARGE = 4, ALIVE = 16, ENDED = 12;
  const parts = ['{"jsonrpc":"2.0",', `"id":7,"result":"${"x".repeat(2000)}`, '"}'].map((text) => new TextEncoder().encode(text));
  const body = new ReadableStream({ pull: (stream) => (parts.length ? stream.enqueue(parts.shift()) : stream.close()) });
  const { kinds } = await exchanged(new Response(body, { headers: { "content-type": "application/json" } }));
  assert.deepEqual(kinds, [HEAD, ALIVE, TOO_LARGE, ENDED]);
});

test("a body that means nothing is not waited for, and its connection is given back", async () => {
  const HEAD = 10, ENDED = 12;
  let given = false;
  const body = new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(10)), cancel: () => (given = true) });
  const { kinds } = await exchanged(new Response(body, { status: 500, headers: { "content-type": "text/html" } }));
  assert.deepEqual([kinds, given], [[HEAD, ENDED], true]);
});

test("an endless line of an event stream is too large before any of it is handed to wasm, and no silence until then", async () => {
  const HEAD = 10, TOO_LARGE = 4, CHUNK = 11, ENDED = 12, ALIVE = 16;
  const lines = (...texts) => {
    const parts = texts.map((text) => new TextEncoder().encode(text));
    const body = new ReadableStream({ pull: (stream) => (parts.length ? stream.enqueue(parts.shift()) : stream.close()) });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
  const endless = await exchanged(lines(": open\n", "data: ", "x".repeat(600), "x".repeat(600), "\n\n"));
  assert.deepEqual(endless.kinds, [HEAD, CHUNK, ALIVE, ALIVE, TOO_LARGE, ENDED]);
  const long = await exchanged(lines("data: ", "x".repeat(600), "\n\n", `${"data: 1\n\n".repeat(200)}`, "data: unfinished"));
  assert.deepEqual(long.kinds, [HEAD, ALIVE, ALIVE, CHUNK, CHUNK, CHUNK, CHUNK, ALIVE, ENDED]);
});

test("a body cut in the middle of a character is read whole", async () => {
  const bytes = new TextEncoder().encode('{"jsonrpc":"2.0","id":7,"result":{"text":"é"}}');
  const at = bytes.indexOf(0xc3) + 1;
  const parts = [bytes.subarray(0, at), bytes.subarray(at)];
  const body = new ReadableStream({ pull: (stream) => (parts.length ? stream.enqueue(parts.shift()) : stream.close()) });
  const { told } = await exchanged(new Response(body, { headers: { "content-type": "application/json" } }));
  const RESULT = 0;
  const [, , , , handle] = told.find(([, , kind]) => kind === RESULT);
  assert.ok(handle > 0);
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
