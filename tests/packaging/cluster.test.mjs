// The cluster as it is built, over a network that is inside the test: what it asks of its clients, what it makes of their ends, what
// applications see. Real servers: tests/cluster.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCluster } from "../../pkg/dist/cluster.js";
import { McpError } from "../../pkg/dist/index.js";
import { broken, Net, never, open, rejection, status, TOOLS } from "./cluster-net.mjs";

const INVALID = [
  ["no name", { clusterName: "" }, /clusterName/],
  ["another method", { discoveryMethod: "dns" }, /discoveryMethod must be one of static, custom, consul, etcd/],
  ["no nodes", { discoveryConfig: {} }, /discoveryConfig\.nodes/],
  ["a wrong URL", { discoveryConfig: { nodes: [{ id: "a", url: "ftp://a" }] } }, /discoveryConfig\.nodes: a: its url/],
  ["a name twice", { discoveryConfig: { nodes: [{ id: "a", url: "http://a" }, { id: "a", url: "http://b" }] } }, /two nodes are called a/],
  ["a negative weight", { discoveryConfig: { nodes: [{ id: "a", url: "http://a", weight: -1 }] } }, /weight/],
  ["an unknown strategy", { loadBalancingStrategy: "best" }, /loadBalancingStrategy must be one of adaptive/],
  ["a threshold of 0", { circuitBreakerConfig: { enabled: true, failureThreshold: 0 } }, /circuitBreakerConfig\.failureThreshold must be a number from 1/],
  ["a text for a number", { healthCheckConfig: { timeout: "5s" } }, /healthCheckConfig\.timeout/],
  ["no service", { discoveryMethod: "consul", discoveryConfig: { endpoints: ["http://c"] } }, /serviceName/],
  ["no agent", { discoveryMethod: "consul", discoveryConfig: { serviceName: "mcp" } }, /endpoints/],
  ["no function", { discoveryMethod: "custom", discoveryConfig: {} }, /discoveryConfig\.discover must be a function/],
  ["one socket for all", { client: { transport: { webSocketUrl: "ws://a" } } }, /client\.transport\.webSocketUrl/],
  ["wrong rules", { client: { replay: { safeMethods: "all" } } }, /client\.replay\.safeMethods/],
  ["a hedge without a time", { hedge: {} }, /hedge\.after/],
];

for (const [name, wrong, message] of INVALID) {
  test(`a configuration with ${name} is refused at once, by name`, () => {
    const right = { clusterName: "test", discoveryMethod: "static", discoveryConfig: { nodes: [{ id: "a", url: "http://a" }] } };
    assert.throws(
      () => createCluster({ ...right, ...wrong }),
      (error) => McpError.is(error, "INVALID_CONFIG") && message.test(error.message),
    );
  });
}

test("the configuration of the specification's example is taken as it is", async (t) => {
  const net = new Net();
  const cluster = createCluster({
    clusterName: "production-cluster",
    discoveryMethod: "consul",
    discoveryConfig: { endpoints: ["http://consul:8500"], serviceName: "mcp-server" },
    loadBalancingStrategy: "least-connections",
    circuitBreakerConfig: { enabled: true, failureThreshold: 5, resetTimeout: 60000 },
    stateManagementConfig: { provider: "redis", endpoints: ["redis://cluster:6379"] },
    // Beyond it: where the agent and the node are in this test.
    client: {
      enableWebSocket: false,
      fetch: async (url, init) => {
        if (!String(url).startsWith("http://consul:8500/v1/health/service/mcp-server")) return net.fetch(url, init);
        if (/[?&]index=/.test(url)) await never();
        const entry = { Node: { Node: "m1" }, Service: { ID: "node-west-1", Address: "west.test", Port: 0, Meta: {} } };
        return new Response(JSON.stringify([entry]), { headers: { "X-Consul-Index": "7" } });
      },
    },
  });
  t.after(() => cluster.close());
  net.serve("west", () => ({ value: 1 }));
  const call = cluster.route("api.method", {}, { sessionId: "user-123", preferredNode: "node-west-1" });
  assert.deepEqual(await call, { resultType: "complete", value: 1 });
  assert.equal(await call.node, "m1/node-west-1");
});

test("nothing is loaded or sent before the first call", (t) => {
  const net = new Net();
  const cluster = open(t, net, net.nodes("a", "b"));
  assert.deepEqual(cluster.nodes().map(({ id, breaker, connection, health }) => [id, breaker, connection.state, health.status]), [
    ["a", "closed", "idle", "unknown"],
    ["b", "closed", "idle", "unknown"],
  ]);
  assert.deepEqual([cluster.metrics().totalNodes, cluster.metrics().totalRequests, cluster.health().status], [2, 0, "unknown"]);
  assert.deepEqual(net.requests, []);
});

test("a read goes to another node when the first breaks, the caller sees only the answer", async (t) => {
  const net = new Net();
  const nodes = [net.serve("a", broken), net.serve("b", () => TOOLS)];
  const cluster = open(t, net, nodes);
  const failovers = [];
  cluster.on("failover", (event) => failovers.push(event));
  const call = cluster.route("tools/list", {}, { preferredNode: "a" });
  assert.equal((await call).tools.length, 2);
  assert.equal(await call.node, "b");
  assert.deepEqual(failovers, [{ from: "a", to: "b", method: "tools/list", outcome: "not-applied" }]);
  assert.equal(cluster.metrics().failovers, 1);
});

test("a tool call that may have been executed goes nowhere else", async (t) => {
  const net = new Net();
  const nodes = [net.serve("a", broken), net.serve("b", () => ({ content: [] }))];
  const cluster = open(t, net, nodes);
  const call = cluster.callTool("pay", {}, { preferredNode: "a" });
  const error = await rejection(call);
  assert.deepEqual([error.code, error.outcome, await call.node], ["OUTCOME_UNKNOWN", "unknown", "a"]);
  assert.deepEqual(net.count("tools/call"), { a: 1 });
  assert.equal(cluster.client("a").inDoubt().length, 1);
});

const VOUCHED = [
  ["idempotent: true", { idempotent: true }, {}],
  ["replay.idempotentTools", {}, { replay: { idempotentTools: ["pay"] } }],
  ["replay.toolCallOnLostLink", {}, { replay: { toolCallOnLostLink: "replay" } }],
];
for (const [name, options, client] of VOUCHED) {
  test(`a tool call that ${name} vouches for goes elsewhere`, async (t) => {
    const net = new Net();
    const nodes = [net.serve("a", broken), net.serve("b", () => ({ content: [] }))];
    const call = open(t, net, nodes, { client }).callTool("pay", {}, { preferredNode: "a", ...options });
    await call;
    assert.equal(await call.node, "b");
    assert.deepEqual(net.count("tools/call"), { a: 1, b: 1 });
  });
}

test("with trustAnnotations a tool that only reads goes elsewhere, once a list told of it", async (t) => {
  for (const [tool, listed, node] of [["look", true, "b"], ["look", false, undefined], ["pay", true, undefined]]) {
    const net = new Net();
    const nodes = [net.serve("a", (method) => (method === "tools/list" ? TOOLS : broken())), net.serve("b", () => ({ content: [] }))];
    const cluster = open(t, net, nodes, { client: { replay: { trustAnnotations: true } } });
    if (listed) await cluster.route("tools/list", {}, { preferredNode: "a" });
    const call = cluster.callTool(tool, {}, { preferredNode: "a" });
    if (!node) assert.equal((await rejection(call)).outcome, "unknown");
    else assert.deepEqual([await call, await call.node].at(-1), node);
  }
});

test("replay: false keeps a read where it was", async (t) => {
  const net = new Net();
  const nodes = [net.serve("a", broken), net.serve("b", () => TOOLS)];
  await rejection(open(t, net, nodes).route("tools/list", {}, { preferredNode: "a", replay: false }));
  assert.deepEqual(net.count("tools/list"), { a: 1 });
});

test("a tool call that a node refused with 429 goes elsewhere at once, and the node is left alone as long as it wants", async (t) => {
  const net = new Net();
  const nodes = [net.serve("a", () => status(429, { "retry-after": "60" })), net.serve("b", () => ({ content: [] }))];
  const cluster = open(t, net, nodes);
  const start = performance.now();
  for (let n = 0; n < 5; n++) await cluster.callTool("pay", {}, { preferredNode: "a" });
  assert.ok(performance.now() - start < 1000);
  assert.deepEqual(net.count("tools/call"), { a: 1, b: 5 });
  assert.equal(cluster.metrics().circuitBreakerTrips, 0);
});

test("503 with Retry-After has refused a call, 503 without may be a proxy's word on one that was executed", async (t) => {
  for (const [headers, outcome] of [[{ "retry-after": "9" }, "elsewhere"], [{}, "unknown"]]) {
    const net = new Net();
    const nodes = [net.serve("a", () => status(503, headers)), net.serve("b", () => ({ content: [] }))];
    const call = open(t, net, nodes).callTool("pay", {}, { preferredNode: "a" });
    if (outcome === "elsewhere") await call;
    else assert.equal((await rejection(call)).outcome, "unknown");
    assert.equal(net.count("tools/call").b, outcome === "elsewhere" ? 1 : undefined);
  }
});

test("errors in words and statuses below 500 are the caller's: nobody else is asked, and the node stays", async (t) => {
  for (const end of [() => ({ error: { code: -32602, message: "no" } }), () => status(404), () => status(403)]) {
    const net = new Net();
    const cluster = open(t, net, [net.serve("a", end), net.serve("b", () => TOOLS)]);
    await rejection(cluster.route("tools/list", {}, { preferredNode: "a" }));
    assert.deepEqual(net.count("tools/list"), { a: 1 });
    assert.deepEqual(cluster.nodes().map(({ suspect, breaker }) => [suspect, breaker]), [[false, "closed"], [false, "closed"]]);
  }
});

test("params that are no JSON are the caller's fault and no node's", async (t) => {
  const net = new Net();
  const cluster = open(t, net, net.nodes("a", "b"));
  await cluster.connect();
  const cycle = {};
  cycle.self = cycle;
  const error = await rejection(cluster.route("tools/list", cycle));
  assert.deepEqual([error.code, error.outcome], ["SEND_FAILED", "not-sent"]);
  assert.ok(cluster.nodes().every(({ suspect }) => !suspect));
});

test("a breaker opens after the failures that the application named", async (t) => {
  const net = new Net();
  const breakers = [];
  const downs = [];
  const circuitBreakerConfig = { enabled: true, failureThreshold: 2, resetTimeout: 60_000, mode: "consecutive" };
  const nodes = [net.serve("a", () => status(500)), ...["b", "c"].map((host) => net.serve(host, () => TOOLS))];
  const cluster = open(t, net, nodes, { circuitBreakerConfig });
  cluster.on("breaker", (event) => breakers.push(event));
  cluster.on("nodeDown", ({ id, breaker }) => downs.push([id, breaker]));
  for (let n = 0; n < 2; n++) assert.equal((await rejection(cluster.callTool("pay", {}, { preferredNode: "a" }))).code, "HTTP_ERROR");
  assert.deepEqual([breakers, downs], [[{ node: "a", from: "closed", to: "open" }], [["a", "open"]]]);
  assert.deepEqual(cluster.nodes().map(({ breaker }) => breaker), ["open", "closed", "closed"]);
  for (let n = 0; n < 10; n++) await cluster.route("tools/list", {}, { preferredNode: "a" });
  assert.equal(net.count("tools/list").a, undefined);
  assert.deepEqual([cluster.metrics().circuitBreakerTrips, cluster.metrics().healthyNodes, cluster.health().status], [1, 2, "degraded"]);
});

test("the one node that is left wants to be left alone: calls are refused here, and do not reach it", async (t) => {
  const net = new Net();
  const cluster = open(t, net, [net.serve("a", () => status(429, { "retry-after": "60" }))]);
  assert.equal((await rejection(cluster.route("tools/list"))).code, "RATE_LIMITED");
  for (let n = 0; n < 10; n++) {
    const error = await rejection(cluster.route("tools/list"));
    assert.deepEqual([error.outcome, error.retryable], ["not-sent", true]);
    // Some are refused by chance without a look at the node, since all that were asked refused (adaptive throttling).
    if (error.code !== "NO_HEALTHY_NODE") {
      assert.equal(error.code, "CIRCUIT_OPEN");
      assert.ok(error.retryAfter > 50_000 && error.retryAfter <= 66_000, `${error.retryAfter}`);
    }
  }
  assert.deepEqual(net.count("tools/list"), { a: 1 });
});

test("an abort signal ends a call at once and tells the server", async (t) => {
  const net = new Net();
  let told = 0;
  const answer = (_method, _params, { signal }) => (signal.addEventListener("abort", () => (told += 1)), never());
  const cluster = open(t, net, [net.serve("a", answer)]);
  await cluster.connect();
  const controller = new AbortController();
  const call = cluster.callTool("pay", {}, { signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort("changed my mind");
  const error = await rejection(call);
  assert.deepEqual([error.code, error.outcome, error.reason, error.name], ["ABORTED", "unknown", "changed my mind", "AbortError"]);
  assert.equal(told, 1);
  const early = await rejection(cluster.route("tools/list", {}, { signal: AbortSignal.abort("before") }));
  assert.deepEqual([early.code, early.outcome, early.reason], ["ABORTED", "not-sent", "before"]);
});

test("a call ends at its time, however many nodes it visited", async (t) => {
  const net = new Net();
  const cluster = open(t, net, [net.serve("a", never), net.serve("b", never)]);
  const start = performance.now();
  const error = await rejection(cluster.route("tools/list", {}, { timeout: 200 }));
  assert.equal(error.code, "REQUEST_TIMEOUT");
  assert.ok(performance.now() - start < 1000);
});

test("a slow read is tried on a second node after hedgeAfter, and the first answer counts", async (t) => {
  const net = new Net();
  const cluster = open(t, net, [net.serve("a", never), net.serve("b", () => TOOLS)]);
  await cluster.connect();
  const call = cluster.route("tools/list", {}, { preferredNode: "a", hedgeAfter: 30 });
  await call;
  assert.equal(await call.node, "b");
  assert.deepEqual([cluster.metrics().hedges, cluster.metrics().hedgesWon], [1, 1]);
});

test("progress reaches the caller", async (t) => {
  const net = new Net();
  const progress = ({ _meta }) => `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: _meta.progressToken, progress: 1, total: 2 } })}\n\n`;
  const nodes = [net.serve("a", (_method, params) => new Response(progress(params), { headers: { "content-type": "text/event-stream" } }))];
  const seen = [];
  await rejection(open(t, net, nodes).callTool("pay", {}, { onProgress: (report) => seen.push(report) }));
  assert.deepEqual(seen, [{ progress: 1, total: 2 }]);
});

test("a function as source: nodes come, change and go; an error keeps those of before", async (t) => {
  const net = new Net();
  let nodes = net.nodes("a", "b");
  const cluster = open(t, net, undefined, {
    discoveryMethod: "custom",
    discoveryConfig: { discover: async () => nodes, refreshInterval: 50 },
  });
  const seen = [];
  cluster.on("discovery", (event) => seen.push(event));
  await cluster.connect();
  assert.deepEqual(seen, [{ added: ["a", "b"], removed: [], source: "custom" }]);
  nodes = net.nodes("b", "c");
  await cluster.once("discovery");
  assert.deepEqual(seen[1], { added: ["c"], removed: ["a"], source: "custom" });
  assert.deepEqual(cluster.nodes().map(({ id }) => id).sort(), ["b", "c"]);
  nodes = undefined;
  const error = await cluster.once("error");
  assert.equal(error.code, "DISCOVERY_FAILED");
  assert.match(error.message, /discover\(\) gave no list/);
  assert.deepEqual(cluster.store.getSnapshot().discovery.ok, false);
  assert.equal(cluster.nodes().length, 2);
});

test("a call waits for the first nodes, and says what is wrong when none can be found", async (t) => {
  const net = new Net();
  const [node] = [net.serve("a", () => TOOLS)];
  const late = open(t, net, undefined, {
    discoveryMethod: "custom",
    discoveryConfig: { discover: () => new Promise((resolve) => setTimeout(resolve, 50, [node])) },
  });
  assert.equal((await late.route("tools/list")).tools.length, 2);
  const lost = open(t, net, undefined, {
    discoveryMethod: "custom",
    discoveryConfig: { discover: () => Promise.reject(new Error("registry is down")) },
  });
  const error = await rejection(lost.route("tools/list"));
  assert.deepEqual([error.code, error.outcome], ["DISCOVERY_FAILED", "not-sent"]);
  assert.match(error.message, /registry is down/);
  assert.match(error.hint, /discoveryConfig/);
  assert.equal((await rejection(lost.connect())).code, "DISCOVERY_FAILED");
});

test("a node at another address is another server", async (t) => {
  const net = new Net();
  net.serve("a", () => ({ from: "a" }));
  net.serve("b", () => ({ from: "b" }));
  let url = "http://a.test/mcp";
  const cluster = open(t, net, undefined, {
    discoveryMethod: "custom",
    discoveryConfig: { discover: async () => [{ id: "one", url, weight: url.length }], refreshInterval: 30 },
  });
  assert.equal((await cluster.route("who")).from, "a");
  url = "http://b.test/mcp2";
  const end = performance.now() + 3000;
  while ((await cluster.route("who")).from !== "b") {
    assert.ok(performance.now() < end, "the old address is still asked");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

test("a call under way at the old address of a node is finished there", async (t) => {
  const net = new Net();
  let answer;
  net.serve("a", () => new Promise((resolve) => (answer = () => resolve({ from: "a" }))));
  net.serve("b", () => ({ from: "b" }));
  let url = "http://a.test/mcp";
  const cluster = open(t, net, undefined, {
    discoveryMethod: "custom",
    discoveryConfig: { discover: async () => [{ id: "one", url, weight: url.length }], refreshInterval: 30 },
  });
  const call = cluster.route("who");
  const until = async (holds) => {
    for (let n = 0; n < 300 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(holds());
  };
  await until(() => answer);
  url = "http://b.test/mcp2";
  await until(() => cluster.nodes()[0].url === url);
  assert.equal((await cluster.route("who")).from, "b");
  answer();
  assert.equal((await call).from, "a");
});

test("regions: reads stay near, writes go home, and both go on when nobody is left there", async (t) => {
  const net = new Net();
  const answers = { east: () => TOOLS, west: () => TOOLS };
  const nodes = ["east", "west"].map((host) => ({ ...net.serve(host, () => answers[host]()), region: host }));
  const cluster = open(t, net, nodes, { region: "east", homeRegion: "west" });
  for (let n = 0; n < 10; n++) await cluster.route("tools/list");
  for (let n = 0; n < 10; n++) await cluster.callTool("pay");
  assert.deepEqual([net.count("tools/list"), net.count("tools/call")], [{ east: 10 }, { west: 10 }]);
  answers.east = broken;
  const call = cluster.route("tools/list");
  await call;
  assert.equal(await call.node, "west");
});

test("the store gives the same snapshot until something changes, and tells when it does", async (t) => {
  const net = new Net();
  const cluster = open(t, net, [net.serve("a", () => TOOLS)]);
  const { store } = cluster;
  const first = store.getSnapshot();
  assert.equal(store.getSnapshot(), first);
  assert.equal(store.getServerSnapshot(), first);
  assert.ok(Object.isFrozen(first.nodes[0]));
  const changed = new Promise((resolve) => store.subscribe(resolve));
  await cluster.connect();
  await changed;
  const next = store.getSnapshot();
  assert.notEqual(next, first);
  assert.deepEqual([next.healthy, next.nodes[0].connection.state, next.discovery.ok], [1, "ready", true]);
});

test("a drained node finishes what it has, and only then the promise resolves", async (t) => {
  const net = new Net();
  let finish;
  const cluster = open(t, net, [net.serve("a", () => new Promise((resolve) => (finish = () => resolve({ content: [] })))), net.serve("b", () => TOOLS)]);
  await cluster.connect();
  const call = cluster.callTool("pay", {}, { preferredNode: "a" });
  while (!finish) await new Promise((resolve) => setTimeout(resolve, 5));
  let drained = false;
  const draining = cluster.drain("a").then(() => (drained = true));
  for (let n = 0; n < 10; n++) assert.equal(await cluster.route("tools/list").node, "b");
  assert.equal(drained, false);
  finish();
  await call;
  await draining;
  assert.equal((await rejection(cluster.drain("nobody"))).code, "INVALID_CONFIG");
});

test("a core that traps ends its clusters with a clear error, and a new cluster works", async (t) => {
  const net = new Net();
  // A trap cannot be had from outside of a module that works: the export is made to throw what a trap throws.
  const { instantiate } = WebAssembly;
  let traps = false;
  WebAssembly.instantiate = async (...args) => {
    const { instance, module } = await instantiate(...args);
    const route = (...numbers) => {
      if (traps) throw new WebAssembly.RuntimeError("unreachable");
      return instance.exports.route(...numbers);
    };
    return { module, instance: { exports: instance.exports.spell ? { ...instance.exports, route } : instance.exports } };
  };
  t.after(() => (WebAssembly.instantiate = instantiate));
  const { createCluster: create } = await import("../../pkg/dist/cluster.js?trap");
  const make = () => create({ clusterName: "t", discoveryMethod: "static", discoveryConfig: { nodes: [net.serve("a", never)] }, client: { enableWebSocket: false, fetch: net.fetch } });
  const cluster = make();
  await cluster.connect();
  const errors = [];
  cluster.on("error", (error) => errors.push(error.code));
  const call = rejection(cluster.callTool("pay"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  traps = true;
  const second = rejection(cluster.route("tools/list"));
  const first = await call;
  assert.deepEqual([first.code, first.outcome, (await second).code, errors], ["INTERNAL", "unknown", "INTERNAL", ["INTERNAL"]]);
  assert.match(first.message, /make a new cluster/);
  assert.equal((await rejection(cluster.route("tools/list"))).code, "INTERNAL");
  traps = false;
  const next = make();
  net.serve("a", () => TOOLS);
  assert.equal((await next.route("tools/list")).tools.length, 2);
  await next.close();
});
