// What shared state sends to gateways and makes of their answers, good and bad. The gateways are functions here; tests/cluster has real ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import { state } from "./state.mjs";

const { createStateStore, McpError } = state;

/** A store before a gateway that answers with what `answer(request)` gives: a Response, or what makes one; an error is a network's. */
function behind(answer, config = {}) {
  const seen = [];
  const fetch = async (url, { method, headers, body, signal, ...rest }) => {
    seen.push({ url, method, headers: Object.fromEntries(headers), body, rest });
    const given = await answer(seen.at(-1), signal);
    return given instanceof Response ? given : new Response(...[given].flat());
  };
  const endpoints = ["https://state.example/base/"];
  return { seen, store: createStateStore({ provider: "redis", endpoints, ...config }, "my cluster", fetch) };
}

const json = (value, status = 200) => new Response(JSON.stringify(value), { status });
const webdis = { endpoints: ["webdis+https://state.example/"] };

async function failed(promise) {
  const error = await promise.then(() => assert.fail("resolved"), (error) => error);
  assert.ok(McpError.is(error, "STATE_STORE_FAILED"), error);
  assert.ok(error.hint);
  return error;
}

test("Upstash: a command is a list in a POST to the endpoint, with the headers of the configuration", async () => {
  const { seen, store } = behind(() => json({ result: "OK" }), { headers: { authorization: "Bearer t" } });
  assert.equal(await store.set("a:b/c", { x: 1 }, 1500.2), 0);
  assert.equal(await store.set("endless", 1, Infinity), 0);
  const [{ url, method, headers, body, rest }, endless] = seen;
  assert.deepEqual([url, method, headers], ["https://state.example/base", "POST", { authorization: "Bearer t", "content-type": "application/json" }]);
  assert.deepEqual(JSON.parse(body), ["SET", "mcp:my%20cluster:value:a:b%2Fc", '{"x":1}', "PX", "1501"]);
  assert.deepEqual(JSON.parse(endless.body), ["SET", "mcp:my%20cluster:value:endless", "1"]);
  assert.deepEqual(rest, { cache: "no-store", redirect: "error" }, "a redirect would carry the token away");
});

test("headers are asked for before every request, and those of an endpoint win", async () => {
  let tokens = 0;
  const headers = async () => ({ authorization: `Bearer ${(tokens += 1)}`, "x-tenant": "a" });
  const endpoints = [{ url: "https://state.example", headers: () => ({ "X-Tenant": "b" }) }];
  const { seen, store } = behind(() => json({ result: null }), { headers, endpoints });
  await store.get("a");
  await store.get("b");
  assert.deepEqual(seen.map((one) => [one.headers.authorization, one.headers["x-tenant"]]), [["Bearer 1", "b"], ["Bearer 2", "b"]]);
});

test("headers that throw send nothing", async () => {
  const { seen, store } = behind(() => json({ result: null }), { headers: () => Promise.reject(new Error("signed out")) });
  const error = await failed(store.set("a", 1));
  assert.deepEqual([error.outcome, error.cause.message, seen.length], ["not-sent", "signed out", 0]);
});

test("webdis: a command is a path in a body that needs no preflight, with slashes and dots escaped", async () => {
  const { seen, store } = behind(() => json({ SET: [true, "OK"] }), webdis);
  await store.set("a.b/c", "x/y.z", 10);
  const [{ url, method, headers, body }] = seen;
  assert.deepEqual([url, method, headers], ["https://state.example/", "POST", {}]);
  assert.equal(body, "SET/mcp%3Amy%2520cluster%3Avalue%3Aa%2Eb%252Fc/%22x%2Fy%2Ez%22/PX/10");
});

test("webdis: an error of Redis is found in a 200, a list is not taken for one", async () => {
  const refused = behind(() => json({ SET: [false, "NOPERM this user has no permissions"] }), webdis);
  const error = await failed(refused.store.set("a", 1));
  assert.match(error.message, /refuses the command: NOPERM/);
  assert.deepEqual([error.outcome, error.retryable], ["not-applied", false]);
  const verdict = behind(() => json({ EVALSHA: [0, 0, 70] }), webdis);
  assert.deepEqual(await verdict.store.limit("a", { requestsPerSecond: 1 }), { allowed: false, remaining: 0, retryAfter: 70 });
});

test("webdis: bytes that are no UTF-8 come back as an object and are told", async () => {
  const { store } = behind(() => json({ GET: {} }), webdis);
  assert.match((await failed(store.get("picture"))).message, /picture is not JSON/);
});

test("a value that somebody else wrote and that is not JSON is told with its key", async () => {
  const { store } = behind(() => json({ result: "not json" }));
  const error = await failed(store.get("foreign"));
  assert.match(error.message, /stored at foreign is not JSON/);
  assert.equal(error.retryable, false);
});

for (const [name, answer, words, fields] of [
  ["no network", () => Promise.reject(new TypeError("Failed to fetch")), /no readable answer of https:\/\/state\.example\/base: CORS/, { retryable: true }],
  ["an expired token", () => json({ error: "Unauthorized" }, 401), /refuses access: HTTP 401/, { httpStatus: 401, retryable: false }],
  ["a forbidden command", () => ["", { status: 403 }], /refuses access: HTTP 403/, { httpStatus: 403, retryable: false }],
  ["a Redis that is down", () => json({ error: "no connection" }, 502), /failed: HTTP 502 \{"error":"no connection"\}/, { httpStatus: 502, retryable: true }],
  ["a web page", () => "<!doctype html>", /none of its protocol/, { retryable: false }],
  ["another protocol", () => json({ SET: [true, "OK"] }), /none of its protocol/, { retryable: false }],
  ["a wrong command", () => json({ error: "ERR wrong number of arguments" }, 400), /refuses the command: ERR wrong/, { retryable: false }],
]) {
  test(`${name}: a typed error that says what happened and what to do`, async () => {
    const { store } = behind(answer);
    const error = await failed(store.set("a", 1));
    assert.match(error.message, words);
    for (const [field, value] of Object.entries(fields)) assert.equal(error[field], value, field);
    assert.equal((await failed(store.get("a"))).outcome, "not-applied", "nothing is changed by reading");
  });
}

test("a write that got no answer is of unknown outcome", async () => {
  const { store } = behind(() => Promise.reject(new TypeError("Failed to fetch")));
  for (const write of [store.set("a", 1), store.incr("a"), store.cas("a", 1, 2), store.lock("a", 10), store.limit("a", { requestsPerSecond: 1 })])
    assert.equal((await failed(write)).outcome, "unknown");
});

test("an endpoint that does not answer in time is told so", async () => {
  const never = (_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { store } = behind(never, { timeout: 20 });
  const error = await failed(store.get("a"));
  assert.match(error.message, /no answer of https:\/\/state\.example\/base in time/);
  assert.equal(error.retryable, true);
});

test("closing ends what is under way, with its outcome unknown", async () => {
  const never = (_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { store } = behind(never);
  const writing = failed(store.set("a", 1));
  await new Promise((resolve) => setImmediate(resolve));
  store.close();
  const { message, outcome } = await writing;
  assert.match(message, /closed/);
  assert.equal(outcome, "unknown");
});

test("a script is called by name, and sent whole only when Redis does not know it", async () => {
  let isKnown = false;
  const { seen, store } = behind(({ body }) => {
    const [command] = JSON.parse(body);
    if (command === "EVALSHA" && !isKnown) return json({ error: "NOSCRIPT No matching script. Please use EVAL." }, 400);
    isKnown = true;
    return json({ result: [1, 0] });
  });
  await store.incr("n");
  await store.incr("n");
  assert.deepEqual(seen.map(({ body }) => JSON.parse(body)[0]), ["EVALSHA", "EVAL", "EVALSHA"]);
  const [, sent] = seen.map(({ body }) => JSON.parse(body));
  assert.deepEqual([sent[1], sent.slice(2)], [state.INCR.text, ["1", "mcp:my%20cluster:value:n", "1", "3600000"]]);
});

test("a user who may not send scripts is told to load them", async () => {
  const { store } = behind(({ body }) => json({ error: body.includes("EVALSHA") ? "NOSCRIPT No matching script" : "NOPERM no permissions to run 'eval'" }, 400));
  const error = await failed(store.lock("a", 10));
  assert.match(error.hint, /every script loaded \(stateScripts\)/);
  assert.equal(error.outcome, "not-applied");
});

/** An event stream that is told what to say. */
function stream() {
  let writer;
  const body = new ReadableStream({ start: (controller) => (writer = controller) });
  return { body, say: (said) => writer.enqueue(typeof said === "string" ? new TextEncoder().encode(said) : said), end: () => writer.close() };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("Upstash: messages of a channel are found in an event stream, however it is cut", async () => {
  const streams = [];
  const { seen, store } = behind(() => new Response(streams[streams.push(stream()) - 1].body));
  const heard = [];
  store.subscribe("news, local", (message) => heard.push(message));
  await settled();
  const name = "mcp:my%20cluster:channel:news%2C%20local";
  assert.equal(seen[0].url, `https://state.example/base/subscribe/${encodeURIComponent(name)}`);
  assert.equal(seen[0].headers.accept, "text/event-stream");
  const text = `data: subscribe,${name},1\n\ndata: message,${name},{"a":"1,2 ü"}\n\ndata: message,${name},no json\n\n: comment\r\n\r\ndata: message,${name},2\r\n\r\n`;
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 3) streams[0].say(bytes.slice(at, at + 3));
  await settled();
  store.close();
  assert.deepEqual(heard, [{ a: "1,2 ü" }, 2]);
});

test("webdis: messages of a channel are found in a stream of objects", async () => {
  const it = stream();
  const { seen, store } = behind(() => new Response(it.body), webdis);
  const heard = [];
  store.subscribe("a.b", (message) => heard.push(message));
  await settled();
  assert.equal(seen[0].url, "https://state.example/SUBSCRIBE/mcp%3Amy%2520cluster%3Achannel%3Aa%2Eb");
  it.say('{"SUBSCRIBE":["subscribe","c",1]}{"SUBSCRIBE":["message","c","{\\"x\\":');
  it.say('\\"}\\"}"]}');
  await settled();
  store.close();
  assert.deepEqual(heard, [{ x: "}" }]);
});

test("a channel that broke off is opened again, and who listens is told of the gap", async (context) => {
  context.mock.method(Math, "random", () => 0);
  const streams = [];
  const { seen, store } = behind(() => (streams.length === 1 && seen.length === 2 ? ["", { status: 503 }] : new Response(streams[streams.push(stream()) - 1].body)));
  const told = [];
  const name = "mcp:my%20cluster:channel:c";
  store.subscribe("c", (message) => told.push(message), () => told.push("gap"));
  await settled();
  streams[0].say(`data: subscribe,${name},1\n\n`);
  await settled();
  assert.deepEqual(told, [], "the first opening is no gap");
  streams[0].end();
  await settled();
  await settled();
  assert.equal(seen.length, 3, "the second was refused");
  streams[1].say(`data: subscribe,${name},1\n\ndata: message,${name},7\n\n`);
  await settled();
  assert.deepEqual(told, ["gap", 7]);
  store.close();
  await settled();
  assert.equal(seen.length, 3);
});

test("Hazelcast: keys are paths that no decoding confuses, a missing one is a 204, the rest is refused", async () => {
  const { seen, store } = behind(({ method }) => (method === "GET" ? [null, { status: 204 }] : ""), { provider: "hazelcast", endpoints: ["https://h.example:5701"] });
  await store.set("a:b/ü", [1]);
  assert.equal(await store.get("a:b/ü"), undefined);
  await store.delete("x");
  await store.ping();
  const base = "https://h.example:5701/hazelcast";
  assert.deepEqual(seen.map(({ method, url, body }) => [method, url, body]), [
    ["POST", `${base}/rest/maps/mcp:my%20cluster/a%3Ab%252F%25C3%25BC`, "[1]"],
    ["GET", `${base}/rest/maps/mcp:my%20cluster/a%3Ab%252F%25C3%25BC`, undefined],
    ["DELETE", `${base}/rest/maps/mcp:my%20cluster/x`, undefined],
    ["GET", `${base}/health/ready`, undefined],
  ]);
  assert.deepEqual(store.capabilities(), { reach: "everyone", ttl: false, cas: false, incr: false, lock: false, limit: false, subscribe: false });
  for (const use of [() => store.set("a", 1, 100), () => store.cas("a", 1, 2), () => store.incr("a"), () => store.expiresIn("a")]) {
    assert.equal((await failed(use())).outcome, "not-sent");
  }
  assert.equal(seen.length, 4);
});

test("Hazelcast: a member that fails is passed by for the next", async () => {
  const endpoints = ["https://one.example", "https://two.example"];
  const { seen, store } = behind(({ url }) => (url.startsWith("https://one") ? Promise.reject(new TypeError("down")) : "5"), { provider: "hazelcast", endpoints });
  assert.equal(await store.get("a"), 5);
  assert.equal(seen.length, 2);
  const dead = behind(() => ["", { status: 404 }], { provider: "hazelcast", endpoints });
  assert.match((await failed(dead.store.get("a"))).message, /HTTP 404/);
});
