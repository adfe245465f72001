// Tool calls that become tasks (P86, P87): polling, its pace, inputs, cancelling, bad ends; on a setting core and a clock that is set by hand.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { served } from "./served.mjs";

const ID = "786512e2-9e0d-44bd-8f29-789f320fe840";
const RESULT = { content: [{ type: "text", text: "done" }] };
const task = (status, more) => ({
  resultType: "complete",
  taskId: ID,
  status,
  createdAt: "2025-11-25T10:30:00Z",
  lastUpdatedAt: "2025-11-25T10:40:00Z",
  ttlMs: null,
  ...more,
});
const created = (more) => ({ ...task("working", more), resultType: "task" });
const completed = (more) => task("completed", { result: RESULT, ...more });
const ask = (message) => ({ method: "elicitation/create", params: { message } });

/** Runs what is due, timers left aside. */
const rest = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A client whose server answers a tool call with the first and each `tasks/get` with the next of `states`; a function is called for it, and
 * the last one stays.
 */
async function following(states, protocol) {
  const left = [...states];
  const serve = ({ method }) => {
    if (method !== "tools/call" && method !== "tasks/get") return { resultType: "complete" };
    const state = left.length > 1 ? left.shift() : left[0];
    return typeof state === "function" ? state() : state;
  };
  const setting = served(serve, { protocol: { tasks: true, ...protocol } });
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  const methods = () => setting.sent.map(({ method }) => method);
  const after = async (ms) => {
    await rest();
    mock.timers.tick(ms);
    await rest();
  };
  return { ...setting, methods, after };
}

async function ends(promise) {
  const [end] = await Promise.allSettled([promise]);
  return end.reason ?? end.value;
}

test("the extension is declared when it is switched on, beside the capabilities given, and only then", async () => {
  const extensions = { "com.example/own": { a: 1 } };
  const { host } = served(() => ({}), { protocol: { tasks: true, capabilities: { sampling: {}, extensions } } });
  assert.deepEqual(host.capabilities, { sampling: {}, extensions: { ...extensions, "io.modelcontextprotocol/tasks": {} } });
  assert.deepEqual(served(() => ({})).host.capabilities, {});
});

test("a task is polled at the pace its server names, as that changes, and its result is the call's", async () => {
  const states = [created({ pollIntervalMs: 5000 }), task("working", { pollIntervalMs: 300 }), task("working"), completed()];
  const { client, sent, methods, after } = await following(states);
  const call = client.callTool("slow");
  await after(4999);
  assert.deepEqual(methods(), ["tools/call"]);
  assert.equal(call.phase, "sent");
  await after(1);
  assert.deepEqual(methods(), ["tools/call", "tasks/get"]);
  assert.deepEqual(sent[1].params, { taskId: ID });
  await after(300);
  assert.equal(methods().length, 3);
  await after(999);
  assert.equal(methods().length, 3, "a second is the pace of a server that names none");
  await after(1);
  assert.deepEqual(await call, RESULT);
  assert.equal(call.phase, "settled");
  await after(100_000);
  assert.equal(methods().length, 4, "nothing is asked once it is over");
});

test("a server that tells how the task goes is not asked, whenever it tells", async () => {
  const { client, host, methods, after } = await following([created({ pollIntervalMs: 60_000 }), task("working", { pollIntervalMs: 60_000 })]);
  const seen = [];
  client.on("task", ({ task: { statusMessage } }) => seen.push(statusMessage));
  const call = client.callTool("slow");
  await after(1000);
  const push = (params) => host.onNotification({ method: "notifications/tasks", params });
  push(task("working", { taskId: "another", statusMessage: "not mine" }));
  push(task("working", { statusMessage: "halfway" }));
  await after(0);
  assert.deepEqual(methods(), ["tools/call"]);
  push(completed());
  await after(0);
  assert.deepEqual(await call, RESULT);
  assert.deepEqual(methods(), ["tools/call"]);
  assert.deepEqual(seen.slice(0, 2), [undefined, "halfway"]);
});

test("the pace has limits: never faster than 100 ms, never slower than a minute", async () => {
  for (const [pollIntervalMs, ms] of [[0, 100], [-5, 100], [1e12, 60_000], ["soon", 1000], [null, 1000]]) {
    const { client, methods, after } = await following([created({ pollIntervalMs }), completed()]);
    const call = client.callTool("slow");
    await after(ms - 1);
    assert.equal(methods().length, 1, String(pollIntervalMs));
    await after(1);
    assert.deepEqual(await call, RESULT);
  }
});

test("a server that does not make a task of it answers as ever", async () => {
  const { client, tasks } = await following([RESULT]);
  assert.deepEqual(await client.callTool("quick"), RESULT);
  assert.deepEqual(tasks, []);
});

test("request() is given the task itself", async () => {
  const { client, methods, after } = await following([created()]);
  assert.equal((await client.request("tools/call", { name: "slow" })).taskId, ID);
  assert.equal((await client.request("tasks/get", { taskId: ID })).status, "working");
  await after(60_000);
  assert.equal(methods().length, 2);
});

test("each change is told by the task event, and a message as progress", async () => {
  const states = [created(), task("working", { statusMessage: "half" }), task("working", { statusMessage: "half" }), completed({ statusMessage: "all" })];
  const { client, tasks, after } = await following(states);
  const reports = [];
  const call = client.callTool("slow", {}, { onProgress: (report) => reports.push(report) });
  for (let i = 0; i < 3; i += 1) await after(1000);
  await call;
  assert.deepEqual(tasks.map(({ id, task }) => [id, task.taskId, task.status, task.statusMessage]), [
    [call.requestId, ID, "working", undefined],
    [call.requestId, ID, "working", "half"],
    [call.requestId, ID, "completed", "all"],
  ]);
  assert.deepEqual(reports.map(({ message }) => message), ["half", "all"]);
  assert.ok(reports[0].progress < reports[1].progress);
});

test("what the task asks is answered once, however often it is shown, and what comes later too", async () => {
  const asking = (inputRequests) => task("input_required", { inputRequests });
  const states = [created(), asking({ a: ask("a?") }), asking({ a: ask("a?") }), asking({ a: ask("a?"), b: ask("b?") }), completed()];
  const asked = [];
  const onInputRequired = async ({ params }) => {
    asked.push(params.message);
    return { action: "accept" };
  };
  const { client, sent, after } = await following(states, { onInputRequired });
  const call = client.callTool("slow");
  for (let i = 0; i < 4; i += 1) await after(1000);
  await call;
  assert.deepEqual(asked, ["a?", "b?"]);
  const updates = sent.filter(({ method }) => method === "tasks/update").map(({ params }) => params);
  assert.deepEqual(updates, [
    { taskId: ID, inputResponses: { a: { action: "accept" } } },
    { taskId: ID, inputResponses: { b: { action: "accept" } } },
  ]);
});

test("a task that begins with a question is asked for it at once", async () => {
  const { client, methods, after } = await following([created({ status: "input_required", pollIntervalMs: 60_000 }), completed()]);
  const call = client.callTool("slow");
  await after(0);
  assert.deepEqual(await call, RESULT);
  assert.deepEqual(methods(), ["tools/call", "tasks/get"]);
});

test("a question that nobody answers ends the call, which says where the task stands", async () => {
  const asking = task("input_required", { inputRequests: { a: ask("a?") } });
  const boom = new Error("no");
  const onInputRequired = async () => { throw boom; };
  const { client, methods, after } = await following([created(), asking], { onInputRequired });
  const end = ends(client.callTool("slow"));
  await after(1000);
  const error = await end;
  assert.deepEqual([error.code, error.outcome, error.cause], ["INPUT_REQUIRED", "unknown", boom]);
  assert.deepEqual(error.data, asking);
  assert.ok(!methods().includes("tasks/cancel"), "somebody else may answer");
});

test("cancelling the call cancels the task at the server, and whoever is being asked hears of it", async () => {
  let heard;
  const onInputRequired = ({ signal }) => new Promise(() => (heard = signal));
  const states = [created(), task("input_required", { inputRequests: { a: ask("a?") } })];
  const { client, sent, methods, after } = await following(states, { onInputRequired });
  const call = client.callTool("slow");
  const end = ends(call);
  await after(1000);
  assert.equal(heard.aborted, false);
  call.cancel("enough");
  const error = await end;
  assert.deepEqual([error.name, error.reason, error.outcome, error.tool], ["AbortError", "enough", "unknown", "slow"]);
  assert.equal(heard.aborted, true);
  await after(100_000);
  assert.deepEqual(methods(), ["tools/call", "tasks/get", "tasks/cancel"]);
  assert.deepEqual(sent.at(-1).params, { taskId: ID });
});

test("an abort while waiting for the next poll, and one while polling, ends the call at once", async () => {
  for (const state of [task("working"), () => new Promise(() => {})]) {
    const { client, methods, after } = await following([created(), state]);
    const controller = new AbortController();
    const end = ends(client.callTool("slow", {}, { signal: controller.signal }));
    await after(1000);
    controller.abort("left");
    assert.equal((await end).reason, "left");
    await after(100_000);
    assert.deepEqual(methods(), ["tools/call", "tasks/get", "tasks/cancel"]);
  }
});

test("a task that failed is the JSON-RPC error it failed with; one cancelled by others is an abort", async () => {
  const failed = task("failed", { error: { code: -32603, message: "broke", data: [1] } });
  const ended = async (state) => {
    const { client, after } = await following([created(), state]);
    const end = ends(client.callTool("slow"));
    await after(1000);
    return end;
  };
  const error = await ended(failed);
  assert.deepEqual([error.name, error.code, error.rpcCode, error.outcome], ["McpRpcError", "RPC_ERROR", -32603, "unknown"]);
  assert.deepEqual(error.data, [1]);
  assert.match(error.message, /^tools\/call slow: the server answered with error -32603: broke$/);
  assert.equal((await ended(task("failed", { error: null }))).code, "RPC_ERROR");

  const cancelled = await ended(task("cancelled", { statusMessage: "by the owner" }));
  assert.deepEqual([cancelled.code, cancelled.reason, cancelled.outcome], ["ABORTED", "by the owner", "unknown"]);
  assert.match(cancelled.message, /cancelled at the server/);

  for (const odd of [null, {}, task("paused"), task("completed"), task("completed", { result: 5 })]) {
    assert.equal((await ended(odd)).code, "INVALID_RESULT", JSON.stringify(odd));
  }
  const { client } = await following([{ resultType: "task", status: "working" }]);
  assert.equal((await ends(client.callTool("slow"))).code, "INVALID_RESULT");
});

test("a poll that fails for the moment is tried again, one that is refused ends the call", async () => {
  const down = () => { throw ["STREAM_ENDED", { retryable: 1 }]; };
  const { client, methods, after } = await following([created(), down, down, completed()]);
  const call = client.callTool("slow");
  for (let i = 0; i < 3; i += 1) await after(1000);
  assert.deepEqual(await call, RESULT);
  assert.equal(methods().length, 4);

  const gone = () => { throw ["RPC_ERROR", { kind: "rpc", number: -32602, value: { message: "no such task" } }]; };
  for (const [state, polls, code] of [[gone, 1, "RPC_ERROR"], [down, 5, "STREAM_ENDED"]]) {
    const { client, methods, after } = await following([created(), state]);
    const end = ends(client.callTool("slow"));
    for (let i = 0; i < 7; i += 1) await after(1000);
    const error = await end;
    assert.deepEqual([error.code, error.outcome, error.tool, error.method], [code, "unknown", "slow", "tools/call"]);
    assert.equal(methods().length, 1 + polls);
  }
});

test("a limit that no timer can hold is none", async () => {
  for (const maxTotalTimeout of [Infinity, 2 ** 31]) {
    const { client, after } = await following([created(), task("working"), completed()]);
    const end = ends(client.callTool("slow", {}, { maxTotalTimeout }));
    for (let i = 0; i < 3; i += 1) await after(1000);
    assert.deepEqual(await end, RESULT);
  }
});

test("the time that somebody takes for an answer does not count towards the limit", async () => {
  let answer;
  const onInputRequired = () => new Promise((resolve) => (answer = resolve));
  const states = [created(), task("input_required", { inputRequests: { a: ask("a?") } }), task("working")];
  const { client, after } = await following(states, { onInputRequired });
  const end = ends(client.callTool("slow", {}, { maxTotalTimeout: 2500 }));
  for (let i = 0; i < 5; i += 1) await after(1000);
  let error;
  void end.then((reason) => (error = reason));
  answer({ action: "decline" });
  await after(1000);
  assert.equal(error, undefined);
  for (let i = 0; i < 3; i += 1) await after(1000);
  assert.deepEqual([error.code, error.stage], ["REQUEST_TIMEOUT", "total"]);
});

test("a limit given with the call ends and cancels the task; closing the client ends it and leaves the task alone", async () => {
  const { client, methods, after } = await following([created()]);
  const end = ends(client.callTool("slow", {}, { maxTotalTimeout: 2500 }));
  for (let i = 0; i < 4; i += 1) await after(1000);
  const error = await end;
  assert.deepEqual([error.code, error.stage, error.timeout, error.outcome], ["REQUEST_TIMEOUT", "total", 2500, "unknown"]);
  assert.equal(methods().at(-1), "tasks/cancel");

  const other = await following([created()]);
  const closed = ends(other.client.callTool("slow"));
  await other.after(10);
  await other.client.close();
  assert.deepEqual([(await closed).code, (await closed).outcome], ["CLIENT_CLOSED", "unknown"]);
  await other.after(100_000);
  assert.deepEqual(other.methods(), ["tools/call"]);
});

test("a task of earlier is taken up again by its id", async () => {
  const { client, methods, after, tasks } = await following([task("working"), completed()]);
  const call = client.resumeTask(ID);
  await after(1000);
  assert.deepEqual(await call, RESULT);
  assert.deepEqual(methods(), ["tasks/get", "tasks/get"]);
  assert.equal(tasks[0].id, call.requestId);

  const done = await following([completed()]);
  assert.deepEqual(await done.client.resumeTask(ID), RESULT);
});

test("the result of a task is checked like any other", async () => {
  const validator = { dialects: ["https://json-schema.org/draft/2020-12/schema"], compile: () => () => ["#: wrong"] };
  const { client, after } = await following([created(), completed({ result: { structuredContent: 1 } })], { validator });
  const toolDefinition = { name: "slow", inputSchema: {}, outputSchema: {} };
  const end = ends(client.callTool("slow", {}, { toolDefinition }));
  await after(1000);
  assert.equal((await end).code, "INVALID_RESULT");
});
