// Against the doubles of tests/servers/fault/doubles.mjs: batches, resumed streams, sessions, tasks, rounds and pages without end.
import assert from "node:assert/strict";

import { decode } from "../../schema/headers.mjs";
import { rejection, until } from "../checks.mjs";
import { executions, MODERN, textOf, watch, withClient } from "./client.mjs";

const RETRY_MS = 150;

export async function doubles({ fault }) {
  await older(fault);
  await refused(fault);
  await endless(fault);
  await tasks(fault);
}

async function older(fault) {
  await withClient("double: batches of 2025-03-26 are taken apart, as JSON and in a stream", fault, { at: "/call/batch" }, async (client) => {
    const lines = [];
    client.on("notification", ({ params }) => lines.push(params.data));
    const { protocolVersion } = await client.connect();
    assert.equal(protocolVersion, "2025-03-26");
    assert.equal(textOf(await client.callTool("echo", { text: "hi" })), "hi");
    assert.equal(textOf(await client.callTool("echo", { text: "stream" })), "stream");
    assert.deepEqual(lines, ["in a batch", "in a batch"]);
  });
  await withClient("double: a stream that ends before its answer is taken up again, and the tool runs once", fault, { at: "/call/resume" }, async (client) => {
    const gets = () => fault.wire.sent.filter(({ http, headers }) => http === "GET" && "last-event-id" in headers);
    await client.connect();
    const start = performance.now();
    assert.equal(textOf(await client.callTool("echo", { text: "kept", key: "resumed" })), "kept");
    assert.ok(performance.now() - start >= RETRY_MS, "sooner than the server said");
    assert.equal(gets().length, 1);
    assert.equal(await executions(fault, "resumed"), 1);
  });
  await withClient("double: where streams cannot be taken up again, a tool's outcome is unknown, and it ran once", fault, { at: "/call/resume-refused" }, async (client) => {
    const error = await rejection(client.callTool("echo", { text: "lost", key: "not-resumed" }));
    assert.equal(error.code, "OUTCOME_UNKNOWN");
    assert.equal(await executions(fault, "not-resumed"), 1);
  });
  for (const name of ["session-404", "session-400"]) {
    await withClient(`double: a lost session (${name}) is opened anew, and the tool runs once`, fault, { at: `/call/${name}?protocol` }, async (client) => {
      const hellos = watch(fault, "initialize");
      assert.equal(textOf(await client.callTool("echo", { text: "again", key: name })), "again");
      assert.equal(hellos().length, 2);
      assert.equal(await executions(fault, name), 1);
    });
  }
}

async function refused(fault) {
  for (const [name, rpcCode] of [["header-mismatch", -32020], ["version-refused", -32022]]) {
    await withClient(`double: a call refused for its ${name.split("-")[0]} (${rpcCode}) is sent once more`, fault, { at: `/call/${name}?times=1&protocol`, protocol: MODERN }, async (client) => {
      const sent = watch(fault, "tools/call");
      assert.equal(textOf(await client.callTool("echo", { text: "second" })), "second");
      assert.equal(sent().length, 2);
    });
  }
  await withClient("double: a call whose headers never fit ends after two sendings", fault, { at: "/call/header-mismatch?always", protocol: MODERN }, async (client) => {
    const sent = watch(fault, "tools/call");
    const error = await rejection(client.callTool("echo", { text: "never" }));
    assert.deepEqual([error.code, error.rpcCode], ["RPC_ERROR", -32020]);
    assert.equal(sent().length, 2);
  });
}

async function endless(fault) {
  await withClient("double: rounds that ask for nothing but another round are gone through with waits", fault, { at: "/call/input-rounds?times=2", protocol: MODERN }, async (client) => {
    const sent = watch(fault, "tools/call");
    assert.equal(textOf(await client.callTool("echo", { text: "at last" })), "at last");
    assert.deepEqual(sent().map(({ message }) => message.params.requestState), [undefined, "round |", "round ||"]);
    const [first, second] = sent().map(({ at }) => at);
    assert.ok(second - first >= 50, `${second - first} ms`);
  });
  const few = { at: "/call/input-rounds?always", protocol: { ...MODERN, maxInputRounds: 2 } };
  await withClient("double: rounds without end come to one", fault, few, async (client) => {
    const sent = watch(fault, "tools/call");
    assert.equal((await rejection(client.callTool("echo", { text: "never" }))).code, "INPUT_REQUIRED");
    assert.equal(sent().length, 3);
  });
  await withClient("double: pages that go round in circles are an error, not a hang", fault, { at: "/call/page-loop", protocol: MODERN }, async (client) => {
    const sent = watch(fault, "tools/list");
    assert.equal((await rejection(client.listTools())).code, "INVALID_RESULT");
    assert.ok(sent().length <= 3, `${sent().length} pages`);
  });
}

async function tasks(fault) {
  const at = "/call/tasks";
  const onInputRequired = async () => ({ action: "accept", content: { name: "Ada" } });
  const protocol = { ...MODERN, tasks: true, capabilities: { elicitation: { form: {} } }, onInputRequired };
  await withClient("double: a tool that goes on as a task is followed to its result", fault, { at, protocol }, async (client) => {
    const gets = watch(fault, "tasks/get");
    const progress = [];
    const result = await client.callTool("echo", { text: "quick" }, { onProgress: ({ message }) => progress.push(message) });
    assert.equal(textOf(result), "done: quick");
    assert.equal(gets().length, 2);
    assert.ok(gets()[1].at - gets()[0].at >= 100, "polled sooner than the server said");
    assert.equal(decode(gets()[0].headers["mcp-name"]), gets()[0].message.params.taskId);
    assert.ok(progress.length > 0);
  });
  await withClient("double: what a task asks on its way is answered once", fault, { at, protocol }, async (client) => {
    const updates = watch(fault, "tasks/update");
    assert.equal(textOf(await client.callTool("echo", { text: "ask" })), "done: accept Ada");
    assert.equal(updates().length, 1);
    assert.deepEqual(updates()[0].message.params.inputResponses.who.action, "accept");
  });
  await withClient("double: a task that fails rejects with the error of its work", fault, { at, protocol }, async (client) => {
    const error = await rejection(client.callTool("echo", { text: "fail" }));
    assert.deepEqual([error.code, error.rpcCode], ["RPC_ERROR", -32603]);
  });
  await withClient("double: a task is cancelled at the server, by its own method", fault, { at, protocol }, async (client) => {
    const cancels = watch(fault, "tasks/cancel");
    const polls = watch(fault, "tasks/get");
    const call = client.callTool("echo", { text: "stay" });
    call.catch(() => {});
    await until(() => polls().length > 0, "it was never polled");
    call.cancel();
    assert.equal((await rejection(call)).code, "ABORTED");
    await until(() => cancels().length === 1, "the server was never told");
    assert.equal(fault.wire.of("notifications/cancelled").length, 0);
  });
  await withClient("double: without the extension no task is accepted", fault, { at, protocol: MODERN }, async (client) => {
    const error = await rejection(client.callTool("echo", { text: "quick" }));
    assert.deepEqual([error.code, error.rpcCode], ["RPC_ERROR", -32021]);
  });
}
