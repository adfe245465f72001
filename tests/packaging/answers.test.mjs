// What odd but harmless servers answer, over real HTTP in Node, to the built package.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { createClient } from "../../pkg/dist/index.js";

const DISCOVERED = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, ttlMs: 0, cacheScope: "private" };
const MET = { resultType: "complete", content: [{ type: "text", text: "met" }] };
const open = new Set();
after(() => open.forEach((close) => close()));

/** A client of a server that answers each `tools/call` as told: with the response, the id, and the request. */
async function against(answer, options) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += part;
    const { id, method } = JSON.parse(text);
    if (method === "tools/call") return answer(response, id, request);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result: DISCOVERED }));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = createClient({ serverUrl: `http://127.0.0.1:${server.address().port}/mcp`, enableWebSocket: false, ...options });
  open.add(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const met = (response, id) => response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result: MET }));

test("events of other names in a stream are nobody's message", async () => {
  const client = await against((response, id) => {
    response.setHeader("content-type", "text/event-stream").write("event: ping\ndata: 2026-11-23T08:00:00Z\n\n");
    response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id, result: MET })}\n\n`);
  });
  assert.deepEqual((await client.callTool("a")).content, MET.content);
  assert.equal(client.metrics().violations, 0);
});

test("an error beside a result of null is an error", async () => {
  const error = { code: -32000, message: "no" };
  const client = await against((response, id) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, result: null, error }));
  });
  await assert.rejects(client.callTool("a"), { code: "RPC_ERROR", rpcCode: -32000 });
});

test("headers of the application take the place of ours, however their names are written", async () => {
  let seen;
  const headers = { Accept: "text/event-stream, application/json", "CONTENT-TYPE": "application/json; charset=utf-8", Authorization: "Bearer t" };
  const answer = (response, id, request) => {
    seen = request.headers;
    met(response, id);
  };
  for (const given of [headers, Object.entries(headers), new Headers(headers), () => headers, async () => new Headers(headers)]) {
    const client = await against(answer, { transport: { headers: given } });
    await client.callTool("a");
    const { accept, "content-type": type, authorization } = seen;
    assert.deepEqual([accept, type, authorization], Object.values(headers));
  }
});
