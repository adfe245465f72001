// What servers ask of the application (input.ts), by the package over a fake core: rounds of a call, requests of legacy servers, -32042.
import assert from "node:assert/strict";
import { test } from "node:test";
import { McpError, open, settled } from "./client.mjs";

const FORM = {
  method: "elicitation/create",
  params: { message: "Who?", requestedSchema: { type: "object", properties: { name: { type: "string" } } } },
};
const VISIT = { method: "elicitation/create", params: { mode: "url", message: "Go", url: "https://example.com/a" } };
const accept = (content) => ({ action: "accept", ...(content && { content }) });

/** A client with a handler, its peer, and the questions the handler got. */
function asked(handler, { capabilities, era = "modern" } = {}) {
  const questions = [];
  const onInputRequired = (question) => (questions.push(question), handler(question));
  return { ...open({ protocol: { onInputRequired, ...(capabilities && { capabilities }) } }, { era }), questions };
}

test("a call that needs input goes on with the answers, under the server's keys", async () => {
  const { client, peer, questions } = asked(async ({ method }) => (method === "roots/list" ? { roots: [] } : accept({ name: "Ann" })), {
    capabilities: { elicitation: {}, roots: {} },
  });
  const result = client.callTool("greet", { loud: true }, { meta: { "com.example/a": 1 } });
  const [call] = peer.of("tools/call");
  const requestState = "\ud800 \u0000 {\"a\":1}";
  call.entry.ask(0, { resultType: "input_required", inputRequests: { who: FORM, "__proto__x": { method: "roots/list" } }, requestState });
  await settled();
  assert.deepEqual(questions.map((one) => one.method), ["elicitation/create", "roots/list"]);
  assert.deepEqual(peer.answers, [
    {
      slot: call.slot,
      params: {
        name: "greet",
        arguments: { loud: true },
        inputResponses: { who: { action: "accept", content: { name: "Ann" } }, "__proto__x": { roots: [] } },
        requestState,
        _meta: { "com.example/a": 1 },
      },
    },
  ]);
  peer.settle(call, { content: [] });
  assert.deepEqual(await result, { content: [] });
  assert.ok(!questions[0].signal.aborted, "nobody took the question back");
});

test("a later round carries nothing of the one before, and the params as they were given", async () => {
  const { client, peer } = asked(async () => accept({ name: "Ann" }));
  const args = { list: [1] };
  client.callTool("greet", args).catch(() => {});
  const [call] = peer.of("tools/call");
  args.list.push("changed since");
  call.entry.ask(0, { inputRequests: { who: FORM }, requestState: "one" });
  await settled();
  call.entry.ask(0, { inputRequests: { again: FORM } });
  await settled();
  const [first, second] = peer.answers.map((one) => one.params);
  assert.deepEqual(first.arguments, { list: [1] });
  assert.equal(first.requestState, "one");
  assert.deepEqual(second, { name: "greet", arguments: { list: [1] }, inputResponses: { again: accept({ name: "Ann" }) } });
});

test("a round with a state only is answered with that state, without a handler too", async () => {
  const { client, peer } = open({}, {});
  client.callTool("slow").catch(() => {});
  peer.of("tools/call")[0].entry.ask(0, { requestState: "s" });
  await settled();
  assert.deepEqual(peer.answers[0].params, { name: "slow", arguments: {}, requestState: "s" });
});

test("a form that is accepted gets the defaults of what was left out, and of nothing else", async () => {
  const properties = {
    name: { type: "string", default: "John" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status: { type: "string", enum: ["active", "off"], default: "active" },
    verified: { type: "boolean", default: false },
    colours: { type: "array", items: { type: "string", enum: ["red"] }, default: ["red"] },
    constructor: { type: "string", default: "own" },
    free: { type: "string" },
  };
  const answers = [accept({ age: 7 }), accept(), { action: "decline" }];
  const { client, peer } = asked(async () => answers.shift());
  client.callTool("form").catch(() => {});
  const form = { method: "elicitation/create", params: { message: "", requestedSchema: { type: "object", properties } } };
  peer.of("tools/call")[0].entry.ask(0, { inputRequests: { a: form, b: form, c: form } });
  await settled();
  const { a, b, c } = peer.answers[0].params.inputResponses;
  const defaults = { name: "John", age: 30, score: 95.5, status: "active", verified: false, colours: ["red"], constructor: "own" };
  assert.deepEqual(a, accept({ ...defaults, age: 7 }));
  assert.deepEqual(b, accept(defaults));
  assert.deepEqual(c, { action: "decline" });
});

test("without a handler the call rejects with what was asked for, and can be made again with the answers", async () => {
  const { client, peer } = open({}, {});
  const result = client.readResource("file:///a");
  const [call] = peer.of("resources/read");
  assert.ok(call.key > 0);
  const required = { resultType: "input_required", inputRequests: { who: FORM }, requestState: "s" };
  call.entry.ask(0, required);
  await settled();
  assert.deepEqual(peer.answers, [{ slot: call.slot, params: undefined }]);
  peer.fail(call, "INPUT_REQUIRED", { kind: "input", value: required });
  const error = await result.catch((one) => one);
  assert.ok(McpError.is(error, "INPUT_REQUIRED"));
  assert.deepEqual(error.data, required);
  assert.equal(error.cause, undefined);

  client.readResource("file:///a", { inputResponses: { who: accept() }, requestState: error.data.requestState });
  const [again] = peer.of("resources/read");
  assert.deepEqual(again.params, { uri: "file:///a", inputResponses: { who: accept() }, requestState: "s" });
  assert.equal(again.key, 0, "the result is neither taken from the cache nor put there");
});

test("a handler that rejects fails the call with its error as the cause, and the other questions are taken back", async () => {
  const boom = new Error("no form today");
  const { client, peer, questions } = asked(({ params }) => (params.message === "Who?" ? Promise.reject(boom) : new Promise(() => {})));
  const result = client.callTool("greet");
  const [call] = peer.of("tools/call");
  call.entry.ask(0, { inputRequests: { a: { ...FORM, params: { ...FORM.params, message: "Other" } }, b: FORM } });
  await settled();
  assert.deepEqual(peer.answers, [{ slot: call.slot, params: undefined }]);
  peer.fail(call, "INPUT_REQUIRED", { kind: "input", value: {} });
  const error = await result.catch((one) => one);
  assert.equal(error.cause, boom);
  assert.match(error.message, /no form today/);
  assert.ok(questions[0].signal.aborted);
});

test("an answer that is no JSON object fails the call instead of being sent", async () => {
  for (const value of [undefined, "yes", { big: 1n }]) {
    const { client, peer } = asked(async () => value);
    client.callTool("greet").catch(() => {});
    peer.of("tools/call")[0].entry.ask(0, { inputRequests: { a: FORM } });
    await settled();
    assert.equal(peer.answers[0].params, undefined);
  }
});

test("a question of a kind that was not declared is refused before anyone sees it", async () => {
  const sampling = { method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } };
  const withTools = { ...sampling, params: { ...sampling.params, tools: [] } };
  const cases = [
    [undefined, VISIT, false],
    [undefined, FORM, true],
    [undefined, sampling, false],
    [{ elicitation: {} }, FORM, true],
    [{ elicitation: {} }, VISIT, false],
    [{ elicitation: { url: {} } }, VISIT, true],
    [{ elicitation: { url: {} } }, FORM, false],
    [{ sampling: {} }, sampling, true],
    [{ sampling: {} }, withTools, false],
    [{ sampling: { tools: {} } }, withTools, true],
    [{ sampling: {} }, { method: "roots/list" }, false],
    [{ roots: {} }, { method: "roots/list" }, true],
    [{ roots: {} }, { method: "tools/call" }, false],
  ];
  for (const [capabilities, question, allowed] of cases) {
    const { client, peer, questions } = asked(async () => ({ action: "decline" }), { capabilities });
    client.callTool("greet").catch(() => {});
    peer.of("tools/call")[0].entry.ask(0, { inputRequests: { a: question } });
    await settled();
    assert.equal(questions.length, allowed ? 1 : 0, JSON.stringify([capabilities, question]));
    assert.equal(peer.answers[0].params !== undefined, allowed);
  }
});

test("forms are declared when there is a handler, nothing is without, and what is given is taken", () => {
  const declared = (protocol) => open({ protocol }).peer.host.capabilities;
  const onInputRequired = async () => ({});
  assert.deepEqual(declared({}), {});
  assert.deepEqual(declared({ onInputRequired }), { elicitation: { form: {} } });
  assert.deepEqual(declared({ onInputRequired, capabilities: { roots: {} } }), { roots: {} });
});

test("a call that ends while the application thinks takes its question back, and the answer is dropped", async () => {
  let answer;
  const { client, peer, questions } = asked(() => new Promise((resolve) => (answer = resolve)));
  const result = client.callTool("greet");
  peer.of("tools/call")[0].entry.ask(0, { inputRequests: { a: FORM } });
  await settled();
  result.cancel("never mind");
  await assert.rejects(result, { code: "ABORTED" });
  assert.ok(questions[0].signal.aborted);
  answer(accept());
  await settled();
  assert.deepEqual(peer.answers, []);
});

test("refused headers are made anew from a fresh list of tools", async () => {
  const { client, peer } = open({}, {});
  client.callTool("greet", { a: 1 }).catch(() => {});
  const [call] = peer.of("tools/call");
  call.entry.ask(1, { code: -32020, message: "mismatch" });
  await settled();
  const [list] = peer.of("tools/list");
  assert.equal(list.key, 0, "the server is asked, not the cache");
  peer.settle(list, { tools: [] });
  await settled();
  assert.deepEqual(peer.answers, [{ slot: call.slot, params: { name: "greet", arguments: { a: 1 } } }]);
});

test("a list of tools that fails leaves the call with its first error", async () => {
  const { client, peer } = open({}, {});
  client.callTool("greet").catch(() => {});
  peer.of("tools/call")[0].entry.ask(1, { code: -32020, message: "mismatch" });
  await settled();
  peer.rpcError(peer.of("tools/list")[0], -32603);
  await settled();
  assert.equal(peer.answers[0].params, undefined);
});

// ---- legacy ----

const response = (peer) => peer.replies.at(-1);

test("a legacy server's request is answered with the handler's result", async () => {
  const { peer, questions } = asked(async () => accept({ name: "Ann" }), { era: "legacy" });
  peer.host.onRequest(3, { jsonrpc: "2.0", id: "q1", ...FORM });
  await settled();
  assert.deepEqual(response(peer), { link: 3, jsonrpc: "2.0", id: "q1", result: accept({ name: "Ann" }) });
  assert.deepEqual(questions[0].params, FORM.params);
});

test("a request that is not declared, or that nobody answers, is refused with the specified code", async () => {
  const code = async ({ peer }, message) => {
    peer.host.onRequest(1, { jsonrpc: "2.0", id: 1, ...message });
    await settled();
    return response(peer).error.code;
  };
  const declined = (capabilities) => asked(async () => ({}), { era: "legacy", capabilities });
  assert.equal(await code(open({}, { era: "legacy" }), FORM), -32601);
  assert.equal(await code(declined(), { method: "roots/list" }), -32601);
  assert.equal(await code(declined(), { method: "vendor/method" }), -32601);
  assert.equal(await code(declined({ roots: {} }), FORM), -32601);
  assert.equal(await code(declined(), VISIT), -32602);
});

test("a handler that fails is an error for the server that gives nothing away", async () => {
  const { peer } = asked(() => Promise.reject(new Error("secret path")), { era: "legacy", capabilities: { elicitation: {}, sampling: {} } });
  peer.host.onRequest(1, { jsonrpc: "2.0", id: 1, ...FORM });
  await settled();
  assert.deepEqual(response(peer).error, { code: -32603, message: "The client could not answer" });
  peer.host.onRequest(1, { jsonrpc: "2.0", id: 2, method: "sampling/createMessage", params: {} });
  await settled();
  assert.deepEqual(response(peer).error.code, -1);
});

test("a request that the server takes back, or whose link is gone, gets no response", async () => {
  const end = {
    "notifications/cancelled": (peer) => peer.host.onNotification({ method: "notifications/cancelled", params: { requestId: 1 } }),
    "another link": (peer) => peer.ready({ era: "legacy" }),
    close: (_, client) => client.close(),
  };
  for (const [name, act] of Object.entries(end)) {
    let answer;
    const { client, peer, questions } = asked(() => new Promise((resolve) => (answer = resolve)), { era: "legacy" });
    peer.host.onRequest(1, { jsonrpc: "2.0", id: 1, ...FORM });
    await settled();
    assert.ok(!questions[0].signal.aborted);
    act(peer, client);
    assert.ok(questions[0].signal.aborted, name);
    answer(accept());
    await settled();
    assert.deepEqual(peer.replies, [], name);
  }
});

test("an answer that cannot be printed is an error for the server", async () => {
  const { peer } = asked(async () => ({ big: 1n }), { era: "legacy", capabilities: { roots: {} } });
  peer.host.onRequest(1, { jsonrpc: "2.0", id: 1, method: "roots/list" });
  await settled();
  assert.equal(response(peer).error.code, -32603);
});

// ---- -32042 ----

const elicitations = [{ mode: "url", elicitationId: "e1", url: "https://example.com/a", message: "Go" }];
const url = { era: "legacy", capabilities: { elicitation: { url: {} } } };

test("a call refused until the user has visited an address is made once more, and only once", async () => {
  const { client, peer, questions } = asked(async () => accept(), url);
  const args = { a: 1 };
  const result = client.callTool("pay", args);
  args.a = 2;
  peer.rpcError(peer.of("tools/call")[0], -32042, { elicitations });
  await settled();
  assert.deepEqual(questions.map((one) => one.params), elicitations);
  const [again] = peer.of("tools/call");
  assert.deepEqual(again.params, { name: "pay", arguments: { a: 1 } });
  peer.rpcError(again, -32042, { elicitations });
  await assert.rejects(result, { code: "RPC_ERROR", rpcCode: -32042 });
  assert.equal(questions.length, 1);
});

test("without consent the refusal stands; a handler that fails is its cause", async () => {
  const declined = asked(async () => ({ action: "decline" }), url);
  const first = declined.client.callTool("pay");
  declined.peer.rpcError(declined.peer.of("tools/call")[0], -32042, { elicitations });
  await assert.rejects(first, { code: "RPC_ERROR", data: { elicitations } });

  const boom = new Error("popup blocked");
  const failing = asked(() => Promise.reject(boom), url);
  const second = failing.client.callTool("pay");
  failing.peer.rpcError(failing.peer.of("tools/call")[0], -32042, { elicitations });
  await assert.rejects(second, { code: "INPUT_REQUIRED", outcome: "not-applied", cause: boom, data: { elicitations } });

  const formsOnly = asked(async () => accept(), { era: "legacy" });
  const third = formsOnly.client.callTool("pay");
  formsOnly.peer.rpcError(formsOnly.peer.of("tools/call")[0], -32042, { elicitations });
  await assert.rejects(third, { code: "RPC_ERROR" });
  assert.equal(formsOnly.questions.length, 0);
});

test("while the user visits the address the call can be cancelled, and closing the client ends it", async () => {
  const ends = { ABORTED: (_, call) => call.cancel(), CLIENT_CLOSED: (client) => client.close() };
  for (const [code, end] of Object.entries(ends)) {
    const { client, peer, questions } = asked(() => new Promise(() => {}), url);
    const result = client.callTool("pay");
    peer.rpcError(peer.of("tools/call")[0], -32042, { elicitations });
    await settled();
    end(client, result);
    await assert.rejects(result, { code, outcome: "not-applied" });
    assert.ok(questions[0].signal.aborted);
  }
});
