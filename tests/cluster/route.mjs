// End to end: the built package's cluster over three real MCP servers, in Node and in headless Chromium. Who gets a call, and what becomes of
// calls when a node is killed with SIGKILL: reads never fail, no tool call is executed twice. `--place Node,Chromium` runs some.

import assert from "node:assert/strict";

import { WebSocket } from "ws";

import { check, finish, sleep, until } from "../e2e/checks.mjs";
import { startServers } from "../servers/index.mjs";
import { inChromium } from "./page.mjs";
import * as inNode from "./route/trial.js";

const NAMES = ["north", "south", "west"];
/** Quick enough to be waited for. */
const CLIENT = { enableWebSocket: false, reconnectOptions: { initialDelay: 100, maxDelay: 400 } };

/** Three servers, and how to see what they executed. */
async function servers() {
  const groups = await Promise.all(NAMES.map(() => startServers(["modern"], { say() {} })));
  const list = groups.map((group) => group.modern);
  return {
    list,
    /** Past the proxies: a killed one refuses connections. */
    nodes: NAMES.map((id, at) => ({ id, url: list[at].directUrl })),
    of: (id) => list[NAMES.indexOf(id)],
    stop: () => Promise.all(groups.map((group) => group.stop())),
  };
}

const config = (nodes, more = {}) => ({
  clusterName: "test",
  discoveryMethod: "static",
  discoveryConfig: { nodes },
  client: CLIENT,
  ...more,
});

/** How often each node answered. */
const shares = (ends) => Object.fromEntries(NAMES.map((id) => [id, ends.filter(({ node }) => node === id).length]));

/** How often a key was counted by the servers that still know. */
async function counted(peers, key) {
  const counts = await Promise.all(
    peers.map(async ({ directUrl }) => {
      const headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "count",
      };
      const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}, "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" } };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "count", arguments: { key }, _meta: meta } });
      const text = await (await fetch(directUrl, { method: "POST", headers, body })).text();
      const found = /"text":"(\d+)"/.exec(text);
      assert.ok(found, `no count in ${text.slice(0, 200)}`);
      return Number(found[1]);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function checks(place, trial) {
  const name = (text) => `${place}: ${text}`;
  const peers = await servers();

  await check(name("round robin gives each node the same, and each call says who answered"), async () => {
    let ends;
    // A machine that stalls makes a call so slow that another node is asked beside it: that is no turn then, and told as a failover.
    for (let tries = 0; tries < 3; tries++) {
      assert.equal((await trial.open(config(peers.nodes, { loadBalancingStrategy: "round-robin" }))).error, undefined);
      ends = await trial.calls(60, "tools/list", {});
      assert.deepEqual(ends.filter(({ error }) => error), []);
      if ((await trial.metrics()).failovers === 0) break;
      await trial.close();
    }
    assert.deepEqual(shares(ends), { north: 20, south: 20, west: 20 });
    const { totalNodes, healthyNodes, totalRequests, successfulRequests, failovers, balanceCv, nodes } = await trial.metrics();
    assert.deepEqual({ totalNodes, healthyNodes, totalRequests, successfulRequests, failovers }, { totalNodes: 3, healthyNodes: 3, totalRequests: 60, successfulRequests: 60, failovers: 0 });
    assert.equal(balanceCv, 0);
    assert.deepEqual([...nodes].sort(), NAMES);
    assert.equal((await trial.health()).status, "healthy");
    await trial.close();
  });

  await check(name("the default strategy asks all nodes, the faster ones more often"), async () => {
    assert.equal((await trial.open(config(peers.nodes))).error, undefined);
    const ends = await trial.calls(60, "tools/list", {});
    assert.deepEqual(ends.filter(({ error }) => error), []);
    const had = shares(ends);
    for (const id of NAMES) assert.ok(had[id] >= 1, JSON.stringify(had));
  });

  await check(name("a session stays on its node, under the default strategy as well; other sessions go elsewhere"), async () => {
    const homes = new Set();
    for (let user = 0; user < 12; user++) {
      const ends = await trial.calls(4, "tools/list", {}, { sessionId: `user-${user}` });
      assert.equal(new Set(ends.map(({ node }) => node)).size, 1, JSON.stringify(ends));
      homes.add(ends[0].node);
    }
    assert.ok(homes.size > 1, "all sessions on one node");
  });

  await check(name("preferredNode is taken, excludeNodes are not"), async () => {
    const preferred = await trial.calls(10, "tools/list", {}, { preferredNode: "west" });
    assert.equal(shares(preferred).west, 10);
    const left = await trial.calls(20, "tools/list", {}, { excludeNodes: ["west", "north"] });
    assert.equal(shares(left).south, 20);
    const [none] = await trial.calls(1, "tools/list", {}, { excludeNodes: NAMES });
    assert.equal(none.error.code, "NO_HEALTHY_NODE");
    assert.match(none.error.hint, /nodes\(\)/);
  });

  await check(name("an error in words of the server is the caller's, and no reason to go elsewhere"), async () => {
    const [end] = await trial.calls(1, "no/such/method", {});
    assert.deepEqual([end.error.code, end.error.outcome], ["RPC_ERROR", "not-applied"]);
    assert.deepEqual(await trial.seen("failover"), []);
  });

  await check(name("a call that is cancelled rejects at once"), async () => {
    const { error } = await trial.cancelled("tools/call", { name: "slow", arguments: { ms: 5000 } }, 100);
    assert.equal(error.code, "ABORTED");
  });

  await check(name("a drained node gets nothing new, an isolated one nothing at all, until they are let go"), async () => {
    await trial.drain("north");
    assert.equal(shares(await trial.calls(20, "tools/list", {})).north, 0);
    await trial.isolate("south");
    assert.equal(shares(await trial.calls(20, "tools/list", {})).west, 20);
    const status = Object.fromEntries((await trial.nodes()).map((node) => [node.id, node]));
    assert.deepEqual([status.north.draining, status.south.breaker, status.west.breaker], [true, "isolated", "closed"]);
    await trial.undrain("north");
    await trial.release();
    // They get their share slowly (slow start), but whoever names one gets it at once.
    for (const id of NAMES) assert.equal(shares(await trial.calls(2, "tools/list", {}, { preferredNode: id }))[id], 2);
  });

  await check(
    name("a node killed with SIGKILL costs no read anything and executes no tool call twice; it comes back"),
    async () => {
      await trial.startLoad(`${place}-kill`);
      await sleep(500);
      process.kill(peers.of("south").pid, "SIGKILL");
      await until(async () => (await trial.nodes()).find(({ id }) => id === "south").state !== "ready", "the loss of a node was not noticed", 30_000);
      await sleep(1500);
      const during = await trial.calls(30, "tools/list", {});
      assert.equal(shares(during).south, 0, "a dead node was asked");
      await peers.of("south").restart();
      await until(async () => {
        const { breaker, suspect, state } = (await trial.nodes()).find(({ id }) => id === "south");
        return breaker === "closed" && !suspect && state === "ready";
      }, "the node did not come back", 60_000);
      await until(async () => shares(await trial.calls(10, "tools/list", {})).south > 0, "the node that came back gets nothing", 40_000);
      const { reads, readErrors, tools } = await trial.stopLoad();
      assert.deepEqual(readErrors, []);
      assert.ok(reads > 50 && tools.length > 50, `only ${reads} reads and ${tools.length} tool calls`);
      const failed = tools.filter(({ error }) => error);
      // Those that had left when the node died: nobody knows, so nobody sends them again.
      for (const { error } of failed) assert.equal(error.outcome, "unknown", JSON.stringify(error));
      assert.ok(failed.length <= 2, `${failed.length} tool calls failed: ${JSON.stringify(failed)}`);
      const alive = ["north", "west"].map(peers.of);
      for (const { key } of failed) assert.equal(await counted(alive, key), 0, `${key} was executed elsewhere`);
      for (const { key } of tools.slice(-40)) assert.ok((await counted(peers.list, key)) <= 1, `${key} was executed twice`);
    },
    180_000,
  );

  await check(name("closing it settles what comes later with CLIENT_CLOSED"), async () => {
    assert.equal((await trial.close()).error.code, "CLIENT_CLOSED");
  });

  await check(name("when every node is down, connect() and calls say so"), async () => {
    const dead = NAMES.map((id) => ({ id, url: "http://127.0.0.1:9/mcp" }));
    const { error } = await trial.open(config(dead));
    assert.equal(error.code, "NO_HEALTHY_NODE");
    const [end] = await trial.calls(1, "tools/list", {}, { timeout: 3000 });
    assert.ok(["CONNECT_FAILED", "CORS_OR_NETWORK", "NO_HEALTHY_NODE"].includes(end.error.code), JSON.stringify(end));
    assert.equal(end.error.outcome, "not-sent");
    await trial.close();
  });

  await check(name("an address without an MCP server costs its node, not the cluster"), async () => {
    const wrong = { id: "wrong", url: peers.nodes[0].url.replace("/mcp", "/nothing") };
    await trial.open(config([wrong, peers.nodes[1]]));
    const ends = await trial.calls(10, "tools/list", {});
    assert.ok(ends.some(({ node, error }) => node === "south" && !error), JSON.stringify(ends));
    await trial.close();
  });

  await peers.stop();
}

/** Nodes need not be alike: two eras, and one that has nothing but WebSocket. */
async function mixture() {
  await check("Node: servers of both eras and of both transports are nodes of one cluster", async () => {
    const group = await startServers(["everything", "modern", "python-ws"], { say() {} });
    const nodes = group.list.map(({ name, url }) => ({ id: name, url }));
    const client = { ...CLIENT, enableWebSocket: true, WebSocket };
    assert.equal((await inNode.open(config(nodes, { loadBalancingStrategy: "round-robin", client }))).error, undefined);
    const ends = await inNode.calls(12, "tools/list", {});
    assert.deepEqual(ends.filter(({ error }) => error), []);
    for (const { id } of nodes) assert.equal(ends.filter(({ node }) => node === id).length, 4);
    const spoken = inNode.it().nodes().map(({ id, connection }) => [id, connection.era, connection.transport]);
    assert.deepEqual(spoken, [["everything", "legacy", "http"], ["modern", "modern", "http"], ["python-ws", "legacy", "websocket"]]);
    await inNode.close();
    await group.stop();
  }, 60_000);
}

/** Every byte that is sent passes a proxy, which cuts its connections; in Node, as a browser sends some requests again by itself. */
async function cuts() {
  await check("Node: links that are cut under load: no read fails, no tool call is on the wire twice", async () => {
    const groups = await Promise.all(NAMES.map(() => startServers(["modern"], { say() {}, wire: true })));
    const list = groups.map((group) => group.modern);
    await inNode.open(config(NAMES.map((id, at) => ({ id, url: list[at].url }))));
    inNode.startLoad("cut");
    const isEnough = ({ reads, tools }) => reads > 50 && tools.length > 50 && tools.some(({ error }) => error);
    for (let cut = 0; cut < 20 || (cut < 200 && !isEnough(inNode.loaded())); cut++) {
      await sleep(150);
      list[cut % list.length].proxy.cut();
    }
    await sleep(500);
    const { reads, readErrors, tools } = await inNode.stopLoad();
    await inNode.close();
    const sent = new Map();
    for (const { message } of list.flatMap(({ wire }) => wire.of("tools/call"))) {
      const { key } = message.params.arguments;
      sent.set(key, (sent.get(key) ?? 0) + 1);
    }
    assert.deepEqual(readErrors, []);
    assert.ok(reads > 50 && tools.length > 50, `only ${reads} reads and ${tools.length} tool calls`);
    const failed = tools.filter(({ error }) => error);
    assert.ok(failed.length > 0, "no cut has hit a call");
    for (const { error } of failed) assert.equal(error.outcome, "unknown", JSON.stringify(error));
    assert.deepEqual([...sent].filter(([, times]) => times > 1), []);
    await Promise.all(groups.map((group) => group.stop()));
  }, 60_000);
}

const at = process.argv.indexOf("--place");
const places = at < 0 ? ["Node", "Chromium"] : process.argv[at + 1].split(",");
if (places.includes("Node")) {
  await checks("Node", inNode);
  await cuts();
  await mixture();
}
if (places.includes("Chromium")) {
  const names = Object.keys(inNode).filter((name) => name !== "it");
  const { trial, close } = await inChromium("tests/cluster/route/page.html", names);
  await checks("Chromium", trial);
  await close();
}
finish();
