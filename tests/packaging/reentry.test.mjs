// Listeners that use the client they are told by, with the built package: what they do counts for the call or the result that they hear of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeServer, createTestClient } from "../../pkg/dist/testing.js";

const LIST = { tools: [{ name: "add", inputSchema: { type: "object" } }], ttlMs: 60_000 };

/** A client that is connected, and its server. */
async function open(t) {
  const server = createFakeServer();
  server.handle("tools/list", () => LIST);
  server.handle("tools/call", () => ({ content: [] }));
  const client = createTestClient(server);
  t.after(() => client.close());
  await client.connect();
  return { client, server };
}

/** What is kept was asked for once, and can be carried elsewhere. */
async function assertKept({ client, server }) {
  await client.listTools();
  assert.equal(server.executions.length, 1);
  assert.equal(client.cache.size, 1);
  assert.equal(client.cache.dehydrate().entries.length, 1);
}

test("a listener that finds nothing kept and asks for it has it kept", async (t) => {
  const server = createFakeServer();
  server.handle("tools/list", () => LIST);
  const client = createTestClient(server);
  t.after(() => client.close());
  const read = new Promise((resolve) => {
    client.on("state", ({ current }) => {
      if (current.state === "ready" && !client.cache.get("tools/list", {})) resolve(client.listTools());
    });
  });
  await client.connect();
  await read;
  await assertKept({ client, server });
});

test("a listener that asks again for a read that failed has it kept", async (t) => {
  const { client, server } = await open(t);
  let fails = true;
  server.handle("tools/list", () => {
    if (fails) throw { code: -32603, message: "not now" };
    return LIST;
  });
  const again = new Promise((resolve) => {
    client.on("request", ({ error }) => {
      if (!error) return;
      fails = false;
      resolve(client.listTools());
    });
  });
  await assert.rejects(client.listTools(), { rpcCode: -32603 });
  await again;
  server.executions.shift();
  await assertKept({ client, server });
});

test("a listener that hears of a read and looks for it, or drops what is kept, leaves the read its key", async (t) => {
  const opened = await open(t);
  const { client } = opened;
  client.on("request", () => {
    client.cache.get("tools/list", {});
    client.cache.invalidate({ method: "prompts/list" });
  });
  await client.listTools();
  await assertKept(opened);
});

test("a call that is cancelled, or whose client is closed, as soon as it is heard of is not sent", async (t) => {
  for (const code of ["ABORTED", "CLIENT_CLOSED"]) {
    const { client, server } = await open(t);
    const control = new AbortController();
    const heard = [];
    client.on("request", ({ phase }) => {
      heard.push(phase);
      if (phase === "queued") code === "ABORTED" ? control.abort() : void client.close();
    });
    await assert.rejects(client.callTool("add", {}, { signal: control.signal }), { code, outcome: "not-sent" });
    assert.deepEqual([heard, server.executions.length], [["queued", "settled"], 0]);
  }
});
