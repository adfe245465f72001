// The reader of the proxies, checked with clients and servers of its own: what passes is kept whole and unchanged, what is wrong is told.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import WebSocket, { WebSocketServer } from "ws";

import { HOST } from "./ports.mjs";
import { startProxy } from "./proxy.mjs";
import { Wire } from "./tap.mjs";

const VERSION = "2025-11-25";
const hello = (id = 1) => ({ jsonrpc: "2.0", id, method: "initialize", params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: "t", version: "1" } } });
const welcome = { jsonrpc: "2.0", id: 1, result: { protocolVersion: VERSION, capabilities: {}, serverInfo: { name: "s", version: "1" } } };
const base = { accept: "application/json, text/event-stream", "content-type": "application/json" };

/** A proxy with a reader before `http`; ends both with the test. */
async function behind(context, http) {
  http.listen(0, HOST);
  await once(http, "listening");
  const wire = new Wire();
  const proxy = await startProxy(http.address().port, wire);
  context.after(async () => {
    http.closeAllConnections();
    http.close();
    await proxy.stop();
  });
  return { wire, authority: `${HOST}:${proxy.port}` };
}

test("an HTTP session is known by its answer, and each wrong request is named", async (context) => {
  const http = createServer((request, response) => {
    response.setHeader("mcp-session-id", "s-1").setHeader("content-type", "application/json").end(JSON.stringify(welcome));
  });
  const { wire, authority } = await behind(context, http);
  const session = { ...base, "mcp-session-id": "s-1" };
  const post = async (message, headers) => (await fetch(`http://${authority}/mcp`, { method: "POST", headers, body: JSON.stringify(message) })).text();
  await post(hello(), base);
  await post({ jsonrpc: "2.0", id: 2, method: "ping" }, { ...session, "mcp-protocol-version": VERSION });
  await post({ jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "long", arguments: { text: "ü".repeat(200_000) } } }, { ...session, "mcp-protocol-version": VERSION });
  assert.deepEqual(wire.problems(), []);
  assert.deepEqual(wire.sent.map(({ message }) => message.method), ["initialize", "ping", "tools/call"]);
  assert.equal(wire.of("tools/call")[0].message.params.arguments.text.length, 200_000);

  await post({ jsonrpc: "2.0", id: 4, method: "ping" }, session);
  await post({ jsonrpc: "2.0", id: 2, method: "ping" }, { ...session, "mcp-protocol-version": VERSION });
  await post({ jsonrpc: "2.0", id: 5, method: "tools/call" }, { ...session, "mcp-protocol-version": VERSION });
  const [versionless, again, invalid] = wire.problems();
  assert.match(versionless, /mcp-protocol-version is missing[^]*"id":4/);
  assert.match(again, /id 2 was used before/);
  assert.match(invalid, /required property 'params'/);
  assert.equal(wire.problems().length, 3);
});

for (const perMessageDeflate of [false, true]) {
  test(`a WebSocket ${perMessageDeflate ? "with" : "without"} compression is read frame by frame and passes unchanged`, async (context) => {
    const http = createServer();
    const server = new WebSocketServer({ server: http, perMessageDeflate: perMessageDeflate && { threshold: 0 } });
    const arrived = [];
    server.on("connection", (socket) =>
      socket.on("message", (data) => {
        arrived.push(data.toString());
        if (arrived.length === 1) socket.send(JSON.stringify(welcome));
      }),
    );
    const { wire, authority } = await behind(context, http);
    const socket = new WebSocket(`ws://${authority}/`, { perMessageDeflate: perMessageDeflate && { threshold: 0 } });
    await once(socket, "open");
    const messages = [hello(), { jsonrpc: "2.0", method: "notifications/initialized" }, { jsonrpc: "2.0", id: 2, method: "tools/list", params: { cursor: "ü".repeat(70_000) } }];
    socket.send(JSON.stringify(messages[0]));
    await once(socket, "message");
    for (const message of [...messages.slice(1), { jsonrpc: "2.0", id: 2, method: "no/such" }]) socket.send(JSON.stringify(message));
    socket.send(Buffer.from("{}"), { binary: true });
    while (arrived.length < 5 || wire.sent.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.terminate();

    assert.deepEqual(arrived.slice(0, 3), messages.map((message) => JSON.stringify(message)));
    assert.deepEqual(wire.sent.slice(0, 3).map(({ message }) => message), messages);
    assert.deepEqual(wire.sent[0].talk.version, VERSION);
    const found = wire.problems().join("\n");
    assert.match(found, /a binary frame/);
    assert.match(found, /id 2 was used before/);
  });
}
