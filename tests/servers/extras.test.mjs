// What the two modern servers offer beyond tools, checked with the official client and with plain `fetch`. Nothing of Bowline is used.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { STATE } from "./extras.mjs";
import { startServers } from "./index.mjs";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
};

let servers;

before(async () => {
  servers = await startServers(["modern", "python-http"]);
}, { timeout: 50_000 });

after(async () => {
  // Registered last, so that the runner has had its say: Node's own cleanup after this can spin for ever (see reset() in proxy.mjs).
  process.on("exit", (code) => process.reallyExit(code));
  await servers.stop();
});

for (const name of ["modern", "python-http"]) {
  test(`${name} has a prompt, a template and completion for the official client`, async () => {
    const client = await connect(servers[name].url);
    const { prompts } = await client.listPrompts();
    assert.deepEqual(prompts.find((prompt) => prompt.name === "review").arguments.map(({ name }) => name), ["language", "code"]);
    const { messages } = await client.getPrompt({ name: "review", arguments: { language: "rust", code: "fn" } });
    assert.equal(messages[0].content.text, "Review this rust: fn");
    const { resourceTemplates } = await client.listResourceTemplates();
    assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), ["note://{name}"]);
    assert.equal((await client.readResource({ uri: "note://today" })).contents[0].text, "note today");
    const { completion } = await client.complete({ ref: { type: "ref/prompt", name: "review" }, argument: { name: "language", value: "ru" } });
    assert.deepEqual(completion.values, ["ruby", "rust"]);
    await client.close();
  });

  test(`${name} acknowledges who listens, and tells what its control says`, async () => {
    const { url, directUrl } = servers[name];
    const abort = new AbortController();
    const listen = ask("subscriptions/listen", { notifications: { toolsListChanged: true, resourceSubscriptions: ["demo://time"] } });
    const answer = await post(url, listen, {}, abort.signal);
    const next = events(answer.body);
    assert.equal((await next()).method, "notifications/subscriptions/acknowledged");
    const control = (query) => fetch(new URL(`/control?${query}`, directUrl), { method: "POST" });
    assert.ok((await control("event=toolsChanged")).ok);
    assert.equal((await next()).method, "notifications/tools/list_changed");
    await control("event=resourceUpdated&uri=demo://time");
    const { method, params } = await next();
    assert.equal(method, "notifications/resources/updated");
    assert.equal(params.uri, "demo://time");
    assert.equal(params._meta["io.modelcontextprotocol/subscriptionId"], 1);
    abort.abort();
  });
}

test("modern asks by a form and wants its state back byte for byte", async () => {
  const { url } = servers.modern;
  const first = await (await post(url, ask("tools/call", { name: "greet", arguments: {} }), { "mcp-name": "greet" })).json();
  assert.equal(first.result.resultType, "input_required");
  assert.equal(first.result.requestState, STATE);
  assert.equal(first.result.inputRequests.who.method, "elicitation/create");
  const again = { name: "greet", arguments: {}, requestState: STATE, inputResponses: { who: { action: "accept", content: { name: "Ada" } } } };
  const second = await (await post(url, ask("tools/call", again), { "mcp-name": "greet" })).json();
  assert.equal(second.result.content[0].text, "hello Ada");
});

test("modern refuses a call whose mirrored argument is missing or different", async () => {
  const { url } = servers.modern;
  const call = ask("tools/call", { name: "route", arguments: { region: "eu", zone: 7 } });
  const said = async (headers) => (await post(url, call, { "mcp-name": "route", ...headers })).json();
  assert.equal((await said({})).error.code, -32020);
  assert.equal((await said({ "mcp-param-region": "us", "mcp-param-zone": "7" })).error.code, -32020);
  assert.equal((await said({ "mcp-param-region": "eu", "mcp-param-zone": "7" })).result.content[0].text, "eu 7 eu");
});

test("modern logs into the answer of who asked for it", async () => {
  const call = ask("tools/call", { name: "log", arguments: { text: "here" }, _meta: { ...META, "io.modelcontextprotocol/logLevel": "debug" } });
  const next = events((await post(servers.modern.url, call, { "mcp-name": "log" })).body);
  const { method, params } = await next();
  assert.equal(method, "notifications/message");
  assert.equal(params.data, "here");
});

async function connect(url) {
  const client = new Client({ name: "self-test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const ask = (method, params) => ({ jsonrpc: "2.0", id: 1, method, params: { _meta: META, ...params } });

function post(url, message, more = {}, signal) {
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": message.method,
    ...more,
  };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(message), signal });
}

/** Gives the messages of an event stream, one at each call. */
function events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async () => {
    for (;;) {
      const [, data, rest] = /data: ?(\{.*?\})\r?\n\r?\n([^]*)$/.exec(text) ?? [];
      if (data !== undefined) {
        text = rest;
        return JSON.parse(data);
      }
      const { value, done } = await reader.read();
      assert.ok(!done, `the stream ended after ${text}`);
      text += value;
    }
  };
}
