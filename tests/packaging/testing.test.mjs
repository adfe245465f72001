// Tests of `bowline/testing` as it is built, and with it of what an application's tests can see of a client: reconnecting on a clock that
// moves only when told to, links that end in each way, both eras and transports.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeServer, createTestClient, recordStates } from "../../pkg/dist/testing.js";

const never = () => new Promise(() => {});
const states = (seen) => seen.map(({ connection }) => connection.state);

for (const era of ["modern", "legacy"]) {
  for (const transport of ["websocket", "http"]) {
    test(`a ${era} fake server answers over ${transport} what its handlers say`, async (t) => {
      const server = createFakeServer({ era, transports: [transport] });
      const client = createTestClient(server);
      t.after(() => client.close());
      server.handle("tools/call", ({ name, arguments: args }) => ({ content: [{ type: "text", text: `${name} ${args.n}` }] }));
      server.handle("resources/read", () => {
        throw Object.assign(new Error("no such thing"), { code: -32002 });
      });
      assert.deepEqual((await client.callTool("add", { n: 1 })).content, [{ type: "text", text: "add 1" }]);
      await assert.rejects(client.readResource("x:y"), { code: "RPC_ERROR", rpcCode: -32002 });
      await assert.rejects(client.request("no/such"), { code: "RPC_ERROR", rpcCode: -32601 });
      assert.deepEqual(await client.listTools(), []);
      const { connection } = client;
      assert.deepEqual([connection.era, connection.transport], [era, transport]);
      assert.deepEqual(server.executions.map(({ method }) => method), ["tools/call", "resources/read", "tools/list"]);
    });
  }
}

test("a client reconnects when the clock says so, and not before", async (t) => {
  const server = createFakeServer({ transports: ["websocket"] });
  const client = createTestClient(server);
  t.after(() => client.close());
  await client.connect();
  const seen = recordStates(client);
  server.setOnline(false);
  server.drop();
  await server.clock.advance(0);
  assert.equal(client.state, "reconnecting");
  await server.clock.advance(30_000);
  const { attempt } = client.connection;
  assert.ok(attempt > 2, `attempt ${attempt}`);
  server.setOnline(true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(client.state, "reconnecting", "time passed by itself");
  await server.clock.advance(60_000);
  assert.equal(client.state, "ready");
  assert.equal(states(seen)[0], "ready");
  assert.equal(states(seen).at(-1), "ready");
  assert.ok(states(seen).includes("reconnecting"));
});

test("the same seed gives the same delays, another one others", async () => {
  const delays = async (seed) => {
    const server = createFakeServer({ transports: ["websocket"], seed });
    const client = createTestClient(server);
    await client.connect();
    const told = [];
    client.on("reconnecting", ({ delay }) => told.push(delay));
    server.setOnline(false);
    server.drop();
    await server.clock.advance(20_000);
    await client.close();
    return told;
  };
  const first = await delays(7);
  assert.ok(first.length > 2);
  assert.deepEqual(await delays(7), first);
  assert.notDeepEqual(await delays(8), first);
});

for (const how of ["clean", "abrupt", "mid-stream"]) {
  for (const transport of ["websocket", "http"]) {
    test(`a ${transport} link that ends ${how} leaves a sent call in doubt, executed once, and the next one is served`, async (t) => {
      const server = createFakeServer({ transports: [transport] });
      const client = createTestClient(server);
      t.after(() => client.close());
      server.handle("tools/call", ({ name }) => (name === "slow" ? never() : { content: [] }));
      await client.connect();
      const slow = client.callTool("slow");
      slow.catch(() => {});
      await server.clock.advance(0);
      server.drop(how);
      await assert.rejects(Promise.race([slow, server.clock.advance(5000).then(() => "still waiting")]), { outcome: "unknown" });
      const next = client.callTool("quick");
      await server.clock.advance(5000);
      await next;
      assert.deepEqual(server.executions.map(({ params }) => params.name), ["slow", "quick"]);
    });
  }
}

test("a half-open link says nothing, and a call over it ends by its timeout", async (t) => {
  const server = createFakeServer({ transports: ["http"] });
  const client = createTestClient(server);
  t.after(() => client.close());
  server.handle("tools/call", never);
  await client.connect();
  const call = client.callTool("slow", {}, { timeout: 10_000 });
  const ended = assert.rejects(call, { code: /TIMEOUT|OUTCOME_UNKNOWN/ });
  await server.clock.advance(0);
  server.drop("half-open");
  let isOver = false;
  ended.then(() => (isOver = true));
  await server.clock.advance(9_000);
  assert.equal(isOver, false);
  await server.clock.advance(2_000);
  await ended;
});

test("two servers have clocks of their own", async (t) => {
  const [one, other] = [createFakeServer(), createFakeServer()];
  const client = createTestClient(other);
  t.after(() => client.close());
  other.handle("tools/call", never);
  const ended = assert.rejects(client.callTool("slow", {}, { timeout: 1000 }));
  await one.clock.advance(5000);
  assert.equal(client.metrics().activeRequests, 1);
  await other.clock.advance(1001);
  await ended;
  assert.equal(one.clock.now() - other.clock.now(), 3999);
});

test("many calls over HTTP leave no listeners behind", async (t) => {
  const warned = [];
  const warn = (warning) => warned.push(warning.name);
  process.on("warning", warn);
  t.after(() => process.off("warning", warn));
  const server = createFakeServer({ transports: ["http"] });
  const client = createTestClient(server);
  t.after(() => client.close());
  server.handle("tools/call", () => ({ content: [] }));
  for (let i = 0; i < 30; i += 1) await client.callTool("add");
  await new Promise(setImmediate);
  assert.deepEqual(warned, []);
});
