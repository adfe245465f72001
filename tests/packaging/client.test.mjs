// The client's methods (client.ts, lists.ts, meta.ts) over a fake core: what is asked, in which pages, with which metadata, and what is not
// sent at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { McpError, open, settled } from "./client.mjs";

const modern = { era: "modern" };
const legacy = (capabilities = {}) => ({ era: "legacy", capabilities });

/** Answers list requests with what the cursor names; counts them. */
async function serve(peer, method, pages, until) {
  let asked = 0;
  let done = false;
  until.then(() => (done = true), () => (done = true));
  for (await settled(); !done; await settled()) {
    const [call] = peer.of(method);
    if (!call) continue;
    asked += 1;
    const page = pages[call.params.cursor ?? "start"];
    if (page) peer.settle(call, page);
    else peer.rpcError(call, -32602);
  }
  return asked;
}

const LISTS = {
  listTools: ["tools/list", "tools", "tools"],
  listResources: ["resources/list", "resources", "resources"],
  listResourceTemplates: ["resources/templates/list", "resourceTemplates", "resourceTemplates"],
  listPrompts: ["prompts/list", "prompts", "prompts"],
};

for (const [name, [method, member, iterator]] of Object.entries(LISTS)) {
  test(`${name} gathers the pages, and ${iterator}() asks for a page when it is reached`, async () => {
    const pages = { start: { [member]: [1, 2], nextCursor: "" }, "": { [member]: [3], nextCursor: "z" }, z: { [member]: [4] } };
    const { client, peer } = open({}, modern);
    const all = client[name]();
    assert.equal(await serve(peer, method, pages, all), 3);
    assert.deepEqual(await all, [1, 2, 3, 4]);

    const one = client[name]({ cursor: "" });
    assert.equal(await serve(peer, method, pages, one), 1);
    assert.deepEqual(await one, [3]);

    const got = [];
    const loop = (async () => {
      for await (const item of client[iterator]()) if (got.push(item) === 3) break;
    })();
    assert.equal(await serve(peer, method, pages, loop), 2);
    assert.deepEqual(got, [1, 2, 3]);
  });
}

test("a list whose cursor has gone stale is read once more from the start", async () => {
  const { client, peer } = open({}, modern);
  const pages = { start: { tools: [], nextCursor: "old" } };
  const list = client.listTools();
  peer.settle(peer.of("tools/list")[0], pages.start);
  await settled();
  peer.rpcError(peer.of("tools/list")[0], -32602);
  await settled();
  const [again] = peer.of("tools/list");
  assert.deepEqual(again.params, {});
  peer.settle(again, { tools: [2], nextCursor: "new" });
  await settled();
  peer.settle(peer.of("tools/list")[0], { tools: [3] });
  assert.deepEqual(await list, [2, 3]);

  const failing = client.listTools();
  assert.equal(await serve(peer, "tools/list", pages, failing), 4);
  await assert.rejects(failing, { code: "RPC_ERROR", rpcCode: -32602 });
});

test("a list is the caller's own, and all its pages are asked for with the options of its beginning", async () => {
  const { client, peer } = open({}, modern);
  const options = { meta: { at: "first" } };
  const listing = client.listTools(options);
  options.meta = { at: "later" };
  peer.settle(peer.of("tools/list")[0], { tools: [{ name: "a" }], nextCursor: "more" });
  await settled();
  const [more] = peer.of("tools/list");
  assert.deepEqual(more.params, { cursor: "more", _meta: { at: "first" } });
  peer.settle(more, { tools: [{ name: "b" }] });
  assert.deepEqual(await listing, [{ name: "a" }, { name: "b" }]);

  const single = client.listTools({ cursor: "" });
  peer.settle(peer.of("tools/list")[0], { tools: [{ name: "c" }] });
  (await single).pop();
  assert.deepEqual(peer.host.tools.get("c"), { name: "c" });
});

test("a server whose pages go round in circles, or that sends no list, is told so", async () => {
  const { client, peer } = open({}, modern);
  const round = client.listTools();
  await serve(peer, "tools/list", { start: { tools: [], nextCursor: "a" }, a: { tools: [], nextCursor: "a" } }, round);
  await assert.rejects(round, /circles/);
  const none = client.listTools();
  await serve(peer, "tools/list", { start: {} }, none);
  await assert.rejects(none, { code: "INVALID_RESULT" });
});

test("prompts and completions are asked for as the protocol names them", async () => {
  const { client, peer } = open({}, modern);
  client.getPrompt("review", { code: "x" }).catch(() => {});
  assert.deepEqual(peer.of("prompts/get")[0].params, { name: "review", arguments: { code: "x" } });
  const ref = { type: "ref/prompt", name: "review" };
  const found = client.complete(ref, { name: "language", value: "py" }, { context: { style: "short" } });
  const [call] = peer.of("completion/complete");
  assert.deepEqual(call.params, { ref, argument: { name: "language", value: "py" }, context: { arguments: { style: "short" } } });
  peer.settle(call, { completion: { values: ["python"], hasMore: false } });
  assert.deepEqual(await found, { values: ["python"], hasMore: false });
  client.complete(ref, { name: "language", value: "" }).catch(() => {});
  assert.ok(!("context" in peer.of("completion/complete")[0].params));
});

test("discover asks a modern server, and tells again what a legacy one said", async () => {
  const now = open({}, modern);
  const asked = now.client.discover();
  await settled();
  const _meta = { "io.modelcontextprotocol/serverInfo": { name: "new", version: "2" } };
  now.peer.settle(now.peer.of("server/discover")[0], { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, _meta });
  const { instructions: _, ...server } = await asked;
  assert.deepEqual(server, { name: "new", version: "2", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });

  const old = open();
  const told = old.client.discover();
  old.peer.ready(legacy({ logging: {} }));
  const { name, capabilities } = await told;
  assert.deepEqual([name, capabilities], ["fake", { logging: {} }]);
  assert.deepEqual(old.peer.calls, []);
});

test("what a legacy server does not declare is not sent to it", async () => {
  const { client, peer } = open({}, legacy({ resources: {} }));
  const calls = {
    complete: () => client.complete({ type: "ref/resource", uri: "x" }, { name: "a", value: "" }),
    setLogLevel: () => client.setLogLevel("error"),
    listPrompts: () => client.listPrompts(),
    getPrompt: () => client.getPrompt("a"),
    "resources/subscribe": () => client.request("resources/subscribe", { uri: "x" }),
  };
  for (const [name, call] of Object.entries(calls)) {
    await assert.rejects(call(), { code: "CAPABILITY_NOT_SUPPORTED", outcome: "not-sent" }, name);
  }
  assert.deepEqual(peer.calls, []);
  client.listResources().catch(() => {});
  client.listTools().catch(() => {});
  assert.deepEqual(peer.calls.map((call) => call.method), ["resources/list", "tools/list"]);

  const now = open({}, modern);
  now.client.listPrompts().catch(() => {});
  assert.equal(now.peer.calls.length, 1, "a modern server answers for itself");
});

test("a legacy server is told the log level, and told again on a new link", async () => {
  const { client, peer } = open({}, legacy({ logging: {} }));
  const set = client.setLogLevel("warning");
  await settled();
  peer.settle(peer.of("logging/setLevel")[0], {});
  await set;
  peer.ready(legacy({ logging: {} }));
  const [again] = peer.of("logging/setLevel");
  assert.deepEqual(again.params, { level: "warning" });
  const errors = [];
  client.on("error", ({ code }) => errors.push(code));
  peer.rpcError(again, -32603);
  await settled();
  assert.deepEqual(errors, ["RPC_ERROR"]);
  client.callTool("a").catch(() => {});
  assert.equal(peer.of("tools/call")[0].params._meta, undefined);
});

test("a modern server reads the log level from each request that follows", async () => {
  const { client, peer } = open({}, modern);
  await client.setLogLevel("debug");
  client.listTools().catch(() => {});
  client.notify("vendor/note").catch(() => {});
  const [list] = peer.of("tools/list");
  assert.deepEqual(list.params._meta, { "io.modelcontextprotocol/logLevel": "debug" });
  assert.ok(list.key > 0);
  assert.equal(peer.of("vendor/note")[0].params._meta, undefined);
});

test("meta goes into the request beside what the params have, and tells cached results apart", async () => {
  const { client, peer } = open({}, modern);
  const ask = (options, params = {}) => {
    client.request("tools/list", params, options).catch(() => {});
    return peer.of("tools/list").at(-1);
  };
  const one = ask({ meta: { "com.example/a": 1, plain: 2 } }, { _meta: { "com.example/b": 3 } });
  assert.deepEqual(one.params, { _meta: { "com.example/a": 1, plain: 2, "com.example/b": 3 } });
  assert.notEqual(one.key, ask({}).key);
  client.request("vendor/none", undefined, { meta: { plain: 1 } }).catch(() => {});
  assert.deepEqual(peer.of("vendor/none")[0].params, { _meta: { plain: 1 } });
});

test("keys of the protocol, and what is no key, are refused before anything is sent", async () => {
  const { client, peer } = open({}, modern);
  const parent = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
  const good = {
    "com.example/a": 1, "com.example.mcp/a": 1, "example/a": 1, name: 1, "a.b_c-d": 1, "mcp/a": 1, traceparent: parent,
    tracestate: "rojo=00f067aa0ba902b7,tenant@system=t61rcWkgMzE", baggage: "userId=alice,serverNode=DF%2028;prop=1",
  };
  const bad = {
    progressToken: 1, "io.modelcontextprotocol/protocolVersion": "x", "dev.mcp/a": 1, "com.mcp.tools/a": 1, "IO.ModelContextProtocol/a": 1,
    "": 1, "-a": 1, "a-": 1, "1a/b": 1, "a..b/c": 1, "a/b/c": 1, "a b": 1, "/a": 1, traceparent: "00-1", tracestate: "Rojo=1", baggage: "a b",
  };
  for (const [key, value] of Object.entries(good)) {
    client.callTool("a", {}, { meta: { [key]: value } }).catch(() => {});
    assert.deepEqual(peer.of("tools/call").at(-1)?.params._meta, { [key]: value }, key);
  }
  const sent = peer.calls.length;
  for (const [key, value] of Object.entries(bad)) {
    const error = await client.callTool("a", {}, { meta: { [key]: value } }).catch((one) => one);
    assert.ok(McpError.is(error, "SEND_FAILED"), key);
    assert.equal(error.outcome, "not-sent");
    assert.match(error.hint, /com\.example\/name/);
    assert.ok(error.message.endsWith(`: ${key}`) || key === "", error.message);
  }
  assert.equal(peer.calls.length, sent);
});

test("the trace of a request travels with it, and no trace can keep it from being sent", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
  const long = "a".repeat(8200);
  const cases = [
    [{ traceparent, tracestate: "a=1", baggage: "k=v" }, { traceparent, tracestate: "a=1", baggage: "k=v" }, 0],
    [{}, undefined, 0],
    [{ traceparent: undefined }, undefined, 0],
    [{ traceparent: traceparent.toUpperCase(), tracestate: "a=1" }, undefined, 1],
    [{ traceparent: `ff${traceparent.slice(2)}` }, undefined, 1],
    [{ traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` }, undefined, 1],
    [{ traceparent, tracestate: "A=1" }, { traceparent }, 1],
    [{ traceparent, tracestate: Array(33).fill("a=1").join() }, { traceparent }, 1],
    [{ baggage: `k=${long}` }, undefined, 1],
    [{ baggage: 'k="v"' }, undefined, 1],
    [new Error("no tracer"), undefined, 1],
  ];
  for (const [given, meta, warned] of cases) {
    const traceContext = () => {
      if (given instanceof Error) throw given;
      return given;
    };
    const { client, peer } = open({ traceContext }, modern);
    const warnings = [];
    client.on("warning", ({ message }) => warnings.push(message));
    client.listTools().catch(() => {});
    const [list] = peer.of("tools/list");
    assert.deepEqual(list.params._meta, meta, JSON.stringify(given));
    assert.equal(warnings.length, warned, JSON.stringify(given));
    client.listTools().catch(() => {});
    assert.equal(peer.of("tools/list").at(-1).key, list.key, "a trace makes no difference to what is cached");
  }
});

test("a client without a name gives none to a modern server", () => {
  const named = (clientInfo) => open({ protocol: { clientInfo } }).peer.host.clientInfo;
  assert.equal(named(undefined).name, "bowline");
  assert.equal(named({ name: "app", version: "1" }).name, "app");
  assert.equal(named(null), undefined);
});

test("a refusal tells what a token needs, as the server's challenge says", async () => {
  const told = async (value) => {
    const { client, peer } = open({}, modern);
    const call = client.callTool("a");
    peer.fail(peer.calls[0], "FORBIDDEN", { kind: "http", number: 403, value });
    return call.catch((error) => error);
  };
  const challenges = [
    ['Bearer error="insufficient_scope", scope="files:read files:write"', "files:read files:write", undefined],
    ["Bearer scope = tools", "tools", undefined],
    ['Negotiate YWJj==, BEARER resource_metadata="https://a.test/.well-known/x", Scope="a"', "a", "https://a.test/.well-known/x"],
    // The first that says it counts; what stands inside a quoted text is none.
    ['Basic realm="a, scope=\\"b\\", scope=c", my-scope="d", Bearer scope="e", DPoP scope="f"', "e", undefined],
    ["Bearer", undefined, undefined],
    ['Bearer scope=""', undefined, undefined],
    [`${"a".repeat(200_000)} ${"scope ".repeat(20_000)}"`, undefined, undefined],
  ];
  for (const [text, scope, address] of challenges) {
    const error = await told(text);
    const name = text.slice(0, 100);
    assert.deepEqual([error.name, error.code, error.httpStatus, error.outcome], ["McpAuthError", "FORBIDDEN", 403, "not-applied"], name);
    assert.deepEqual([error.scope || undefined, error.resourceMetadataUrl], [scope, address], name);
  }
});

test("a stream that says nothing is told of with its call, and a proxy is named while nothing of it came", async () => {
  const { client, peer } = open({}, modern);
  const told = [];
  client.on("stalled", (event) => told.push(event));
  const call = client.callTool("a");
  call.catch(() => {});
  const { entry } = peer.calls[0];
  peer.host.onStalled(entry, 10_000, 0);
  peer.host.onStalled(entry, 10_000, 1);
  peer.host.onStalled(undefined, 10_000, 0);
  const { requestId: id } = call;
  const [{ hint }] = told;
  assert.match(hint, /proxy_buffering off.*X-Accel-Buffering: no/);
  assert.deepEqual(told, [
    { id, method: "tools/call", silent: 10_000, hint },
    { id, method: "tools/call", silent: 10_000, hint: undefined },
    { id: undefined, method: "subscriptions/listen", silent: 10_000, hint },
  ]);
});

test("the example of a call is of the same shape as one that was sent", () => {
  setFlagsFromString("--allow-natives-syntax");
  const haveSameMap = new Function("one", "other", "return %HaveSameMap(one, other)");
  setFlagsFromString("--no-allow-natives-syntax");
  const { client, peer } = open({}, modern);
  for (let at = 0; at < 3; at += 1) client.callTool("a").catch(() => {});
  for (const { entry } of peer.calls) {
    entry.leave(1, Date.now());
    assert.ok(haveSameMap(entry, entry.constructor.example), Object.keys(entry).join());
  }
});

test("a tool's annotations vouch for nothing unless the application trusts them", async () => {
  const inputSchema = { type: "object" };
  const tools = [{ name: "look", inputSchema, annotations: { readOnlyHint: true } }, { name: "pay", inputSchema }];
  const flags = async (replay) => {
    const { client, peer } = open({ replay }, modern);
    const listed = client.listTools();
    peer.settle(peer.calls[0], { tools });
    await listed;
    for (const { name } of tools) client.callTool(name).catch(() => {});
    return peer.of("tools/call").map((call) => call.flags);
  };
  const VOUCHED = 16;
  const [look, pay] = await flags(undefined);
  assert.equal(look, pay);
  assert.deepEqual(await flags({ trustAnnotations: true }), [pay | VOUCHED, pay]);
});
