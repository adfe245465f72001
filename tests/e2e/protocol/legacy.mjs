// What only the older eras have: sessions, cancelling by notification, requests of servers, subscribing by method, HTTP+SSE.
import assert from "node:assert/strict";

import { rejection, until } from "../checks.mjs";
import { textOf, watch, withClient } from "./client.mjs";

const OLD = { era: "legacy" };

export async function legacy(servers) {
  await cancelling(servers);
  await sessions(servers);
  await questions(servers.everything);
  await subscribing(servers.everything);
  await eventSource(servers["everything-sse"]);
}

async function cancelling(servers) {
  for (const [name, tool, args] of [
    ["python-ws", "slow", { ms: 8000, steps: 80 }],
    ["everything", "trigger-long-running-operation", { duration: 8, steps: 80 }],
  ]) {
    const server = servers[name];
    await withClient(`${name}: a cancelled call is taken back by a notification with its id`, server, {}, async (client) => {
      const sent = watch(server, "tools/call");
      const cancelled = watch(server, "notifications/cancelled");
      let begun;
      const running = new Promise((resolve) => (begun = resolve));
      const call = client.callTool(tool, args, { onProgress: begun });
      await running;
      call.cancel("no longer needed");
      assert.equal((await rejection(call)).code, "ABORTED");
      await until(() => cancelled().length === 1, "it was never sent");
      assert.equal(cancelled()[0].message.params.requestId, sent()[0].message.id);
    });
  }
}

async function sessions(servers) {
  for (const [name, tool, args, said] of [
    ["python-http", "counter", { key: "after-the-session" }, /^1$/],
    ["everything", "get-sum", { a: 1, b: 2 }, /\b3\b/],
  ]) {
    const server = servers[name];
    await withClient(`${name}: a session that the server forgot is opened anew, and the call is done once`, server, { protocol: OLD }, async (client) => {
      const hellos = watch(server, "initialize");
      await client.connect();
      const { epoch } = client.connection;
      await client.listTools();
      const session = await endSession(server, "tools/list");
      assert.match(textOf(await client.callTool(tool, args)), said);
      assert.equal(hellos().length, 2);
      assert.notEqual(server.wire.of("tools/call").at(-1).headers["mcp-session-id"], session);
      assert.ok(client.connection.epoch > epoch);
    });
  }
}

/** Ends the session in which a method was last called, as someone else would; the client learns of it with its next call. */
async function endSession(server, method) {
  const session = server.wire.of(method).at(-1).headers["mcp-session-id"];
  assert.ok(session);
  await fetch(server.directUrl, { method: "DELETE", headers: { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" } });
  return session;
}

/** The server has some tools only for clients that declared a capability, some time after they said "initialized". */
async function offered(client, tool) {
  await until(async () => (await client.listTools({ useCache: false })).some(({ name }) => name === tool), `no tool ${tool}`);
}

async function questions(server) {
  const asked = [];
  const answers = {
    "elicitation/create": { action: "accept", content: { name: "Ada", check: true } },
    "sampling/createMessage": { role: "assistant", model: "none", content: { type: "text", text: "sampled" } },
    "roots/list": { roots: [{ uri: "file:///project", name: "home" }] },
  };
  const onInputRequired = async ({ method }) => {
    asked.push(method);
    return answers[method];
  };
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  await withClient("everything: its questions are answered while a call waits for them", server, { protocol: { capabilities, onInputRequired } }, async (client) => {
    await offered(client, "trigger-elicitation-request");
    const form = await client.callTool("trigger-elicitation-request");
    assert.match(JSON.stringify(form.content), /Ada/);
    const sampled = await client.callTool("trigger-sampling-request", { prompt: "say something", maxTokens: 10 });
    assert.match(JSON.stringify(sampled.content), /sampled/);
    assert.match(textOf(await client.callTool("get-roots-list")), /file:\/\/\/project/);
    assert.ok(asked.includes("elicitation/create") && asked.includes("sampling/createMessage"), asked.join());
    const replies = server.wire.sent.filter(({ message }) => message?.result !== undefined);
    assert.ok(replies.some(({ message }) => message.result.action === "accept"));
  });
  const visits = [];
  const visit = async ({ params }) => {
    visits.push(params.url);
    return { action: "accept" };
  };
  const urls = { protocol: { capabilities: { elicitation: { form: {}, url: {} } }, onInputRequired: visit } };
  await withClient("everything: addresses it wants visited first (-32042) are, then the call is made once more", server, urls, async (client) => {
    await offered(client, "trigger-url-elicitation");
    const sent = watch(server, "tools/call");
    const result = await client.callTool("trigger-url-elicitation", { url: "https://example.com/visit", errorPath: true });
    assert.notEqual(result.isError, true, JSON.stringify(result));
    assert.deepEqual(visits, ["https://modelcontextprotocol.io", "https://example.com/visit"]);
    assert.equal(sent().length, 2);
    assert.notEqual(sent()[0].message.id, sent()[1].message.id);
  });
  const shy = { protocol: { capabilities: { elicitation: { form: {} } }, onInputRequired: () => Promise.reject(new Error("secret words")) } };
  await withClient("everything: a handler that fails is told to the server as an error without its words", server, shy, async (client) => {
    await offered(client, "trigger-elicitation-request");
    const before = server.wire.sent.length;
    const [call] = await Promise.allSettled([client.callTool("trigger-elicitation-request")]);
    assert.equal(call.status === "rejected" || call.value.isError, true);
    const errors = server.wire.sent.slice(before).filter(({ message }) => message?.error !== undefined);
    assert.deepEqual(errors.map(({ message }) => message.error.code), [-32603]);
    assert.doesNotMatch(errors[0].text, /secret/);
  });
}

async function subscribing(server) {
  await withClient("everything: subscribing to a resource asks once, hears of it, and asks again in a new session", server, {}, async (client) => {
    const asked = watch(server, "resources/subscribe");
    const uri = "demo://resource/dynamic/text/1";
    const seen = [];
    const first = client.subscribe({ resourceSubscriptions: [uri] }, ({ params }) => seen.push(params.uri));
    const second = client.subscribe({ resourceSubscriptions: [uri] });
    await Promise.all([first.ready, second.ready]);
    assert.equal(asked().length, 1);
    await client.callTool("toggle-subscriber-updates");
    await until(() => seen.length > 0, "nothing was heard");
    assert.equal(seen[0], uri);
    const left = watch(server, "resources/unsubscribe");
    await second.close();
    assert.equal(left().length, 0);
    await endSession(server, "tools/call");
    await client.callTool("toggle-subscriber-updates");
    await until(() => asked().length === 2, "it was not asked for again");
    await first.close();
    await until(() => left().length === 1, "it was never left");
  });
  await withClient("everything: a cut standing stream is taken up again where it was, without a new session", server, {}, async (client) => {
    const gets = () => server.wire.sent.filter(({ http }) => http === "GET");
    const before = gets().length;
    const { epoch } = await client.connect();
    await until(() => gets().length > before, "there is none");
    await client.callTool("toggle-simulated-logging");
    server.proxy.cut();
    await until(() => gets().length > before + 1, "it was not asked for again");
    assert.equal(gets().at(-1).headers["mcp-session-id"], gets().at(before).headers["mcp-session-id"]);
    assert.equal(client.connection.epoch, epoch);
  });
  await withClient("everything: the log level is set by a request", server, {}, async (client) => {
    const sent = watch(server, "logging/setLevel");
    await client.setLogLevel("warning");
    assert.equal(sent()[0].message.params.level, "warning");
  });
}

async function eventSource(server) {
  await withClient("everything-sse: the transport of 2024-11-05 is found and used", server, {}, async (client) => {
    const { state: reached, era } = await client.connect();
    assert.deepEqual([reached, era], ["ready", "legacy"]);
    assert.ok((await client.listTools()).length >= 10);
    assert.match(textOf(await client.callTool("get-sum", { a: 20, b: 22 })), /\b42\b/);
    const progress = [];
    await client.callTool("trigger-long-running-operation", { duration: 0.4, steps: 4 }, { onProgress: (step) => progress.push(step.progress) });
    assert.ok(progress.length >= 2, String(progress));
    const posts = server.wire.of("tools/call");
    assert.match(posts[0].url, /^\/message\?sessionId=/);
  });
  await withClient("everything-sse: a cut stream is a lost link, and what can be repeated is", server, {}, async (client) => {
    await client.connect();
    let begun;
    const running = new Promise((resolve) => (begun = resolve));
    const lost = rejection(client.callTool("trigger-long-running-operation", { duration: 5, steps: 50 }, { onProgress: begun }));
    await running;
    server.proxy.cut();
    assert.equal((await lost).code, "OUTCOME_UNKNOWN");
    assert.ok((await client.listTools({ useCache: false })).length >= 10);
  });
}
