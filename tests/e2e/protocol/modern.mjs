// What only 2026-07-28 has: hints for caching, cancelling by closing, rounds of input, mirrored arguments, `_meta` of requests.
import assert from "node:assert/strict";

import { decode } from "../../schema/headers.mjs";
import { STATE } from "../../servers/extras.mjs";
import { rejection, sleep, until } from "../checks.mjs";
import { textOf, watch, withClient } from "./client.mjs";

const FORMS = { elicitation: { form: {} } };
const TRACE = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

export async function modern({ modern: server }) {
  await caching(server);
  await cancelling(server);
  await input(server);
  await headers(server);
  await meta(server);
}

async function caching(server) {
  await withClient("modern: what the server says may be kept is kept, what it says may not is not", server, {}, async (client) => {
    const sent = watch(server, "resources/read");
    for (let i = 0; i < 3; i += 1) {
      await client.readResource("demo://readme");
      await client.readResource("demo://time");
    }
    const uris = sent().map(({ message }) => message.params.uri);
    assert.equal(uris.filter((uri) => uri === "demo://readme").length, 1);
    assert.equal(uris.filter((uri) => uri === "demo://time").length, 3);
  });
}

async function cancelling(server) {
  await withClient("modern: a cancelled call closes its stream, which ends the work, and nothing more is sent", server, {}, async (client) => {
    const cancelled = watch(server, "notifications/cancelled");
    const count = async () => Number(textOf(await client.callTool("count", { key: "slow:cancelled" })));
    const before = await count();
    const abort = new AbortController();
    let begun;
    const running = new Promise((resolve) => (begun = resolve));
    const call = client.callTool("slow", { ms: 8000, steps: 80 }, { signal: abort.signal, onProgress: begun });
    call.catch(() => {});
    await running;
    abort.abort();
    assert.equal((await rejection(call)).code, "ABORTED");
    await until(async () => (await count()) === before + 1, "the server never learned of it");
    assert.deepEqual(cancelled(), []);
  });
}

async function input(server) {
  const handler = (asked) => async (request) => {
    asked.push(request);
    return { action: "accept", content: { name: "Ada" } };
  };
  const asked = [];
  const config = { protocol: { capabilities: FORMS, onInputRequired: handler(asked) } };
  await withClient("modern: a tool that needs input gets it, with the server's state byte for byte and under a new id", server, config, async (client) => {
    const sent = watch(server, "tools/call");
    // The form's default of what the handler left out makes the greeting an excited one.
    assert.equal(textOf(await client.callTool("greet")), "hello Ada!");
    assert.equal(asked.length, 1);
    assert.equal(asked[0].method, "elicitation/create");
    assert.equal(asked[0].params.message, "Who are you?");
    const [first, second] = sent().map(({ message }) => message);
    assert.equal("requestState" in first.params, false);
    assert.equal(second.params.requestState, STATE);
    assert.deepEqual(second.params.inputResponses, { who: { action: "accept", content: { name: "Ada", excited: true } } });
    assert.notEqual(second.id, first.id);
  });
  const manual = { protocol: { capabilities: FORMS } };
  await withClient("modern: without a handler the question is in the error, and the application can answer by itself", server, manual, async (client) => {
    const error = await rejection(client.callTool("greet"));
    assert.equal(error.code, "INPUT_REQUIRED");
    const { inputRequests, requestState } = error.data;
    assert.equal(inputRequests.who.params.message, "Who are you?");
    const inputResponses = { who: { action: "accept", content: { name: "Bo", excited: false } } };
    assert.equal(textOf(await client.callTool("greet", {}, { inputResponses, requestState })), "hello Bo");
  });
  const broken = { protocol: { capabilities: FORMS, onInputRequired: () => Promise.reject(new Error("the user left")) } };
  await withClient("modern: a handler that fails fails the call, with its error as the cause", server, broken, async (client) => {
    const error = await rejection(client.callTool("greet"));
    assert.equal(error.code, "INPUT_REQUIRED");
    assert.equal(error.cause.message, "the user left");
  });
  let told;
  const patient = new Promise((resolve) => (told = resolve));
  const waiting = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      told(signal);
    });
  const slow = { timeout: 300, protocol: { capabilities: FORMS, onInputRequired: waiting } };
  await withClient("modern: a user may take longer than any limit, and a cancelled call asks no more", server, slow, async (client) => {
    const call = client.callTool("greet");
    call.catch(() => {});
    const signal = await patient;
    await sleep(500);
    assert.equal(signal.aborted, false);
    call.cancel();
    assert.equal((await rejection(call)).code, "ABORTED");
    assert.equal(signal.aborted, true);
  });
  await withClient("modern: a question that was never declared is the server's own error", server, {}, async (client) => {
    const error = await rejection(client.callTool("greet"));
    assert.equal(error.code, "RPC_ERROR");
    assert.equal(error.rpcCode, -32021);
  });
}

async function headers(server) {
  await withClient("modern: annotated arguments travel as headers too, the others do not", server, {}, async (client) => {
    await client.listTools();
    const sent = watch(server, "tools/call");
    assert.match(textOf(await client.callTool("route", { region: "Zürich", zone: 7 })), /^Zürich 7 /);
    await client.callTool("route", { region: "eu" });
    await client.callTool("echo", { text: "plain" });
    const params = sent().map((entry) => Object.entries(entry.headers).filter(([name]) => name.startsWith("mcp-param-")));
    assert.deepEqual(params.map((list) => list.map(([name, value]) => [name, decode(value)]).sort()), [
      [["mcp-param-region", "Zürich"], ["mcp-param-zone", "7"]],
      [["mcp-param-region", "eu"]],
      [],
    ]);
  });
  await withClient("modern: a tool called unseen is learned when the server misses its headers, and called once more", server, {}, async (client) => {
    const lists = watch(server, "tools/list");
    const sent = watch(server, "tools/call");
    assert.match(textOf(await client.callTool("route", { region: "eu", zone: 1 })), /^eu 1 eu$/);
    assert.equal(sent().length, 2);
    assert.ok(lists().length > 0);
  });
}

async function meta(server) {
  let traceparent = TRACE;
  const config = { traceContext: () => ({ traceparent }) };
  await withClient("modern: `meta` of a call and the trace context go into `_meta`, a malformed one does not", server, config, async (client) => {
    const sent = watch(server, "tools/call");
    await client.callTool("echo", { text: "a" }, { meta: { "example.com/key": 1 } });
    traceparent = "nonsense";
    await client.callTool("echo", { text: "b" });
    const [first, second] = sent().map(({ message }) => message.params._meta);
    assert.equal(first.traceparent, TRACE);
    assert.equal(first["example.com/key"], 1);
    assert.equal("traceparent" in second, false);
  });
  await withClient("modern: a key of `meta` that is the protocol's own is refused before anything is sent", server, {}, async (client) => {
    const error = await rejection(client.callTool("echo", { text: "a" }, { meta: { "io.modelcontextprotocol/protocolVersion": "1" } }));
    assert.equal(error.code, "SEND_FAILED");
    assert.equal(error.outcome, "not-sent");
  });
  await withClient("modern: logging is asked for in each request, and the lines arrive", server, {}, async (client) => {
    const lines = [];
    client.on("notification", ({ method, params }) => method === "notifications/message" && lines.push(params.data));
    await client.callTool("log", { text: "unheard" });
    await client.setLogLevel("debug");
    await client.callTool("log", { text: "heard" });
    assert.deepEqual(lines, ["heard"]);
    assert.equal(server.wire.of("tools/call").at(-1).message.params._meta["io.modelcontextprotocol/logLevel"], "debug");
  });
}
