// Sessions, shared state and forecast of the cluster as it is built, over a network that is inside the test. Real stores: tests/cluster.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Net, never, open, rejection, status, TOOLS } from "./cluster-net.mjs";

test("a session knows its node and keeps values; unpinned, it may go anywhere", async (t) => {
  const net = new Net();
  const cluster = open(t, net, ["a", "b", "c"].map((host) => net.serve(host, () => TOOLS)));
  const session = cluster.session("user-1");
  assert.deepEqual([session.id, session.node], ["user-1", null]);
  const call = cluster.route("tools/list", {}, { sessionId: "user-1" });
  await call;
  const home = await call.node;
  assert.equal(session.node, home);
  await session.set("cart", { items: 2 });
  assert.deepEqual(await cluster.session("user-1").get("cart"), { items: 2 });
  assert.equal(await cluster.session("user-2").get("cart"), undefined);
  await session.delete("cart");
  assert.equal(await session.get("cart"), undefined);
  // Sent elsewhere once, it lives there.
  const other = ["a", "b", "c"].find((id) => id !== home);
  await cluster.route("tools/list", {}, { sessionId: "user-1", preferredNode: other });
  for (let n = 0; n < 5; n++) assert.equal(await cluster.route("tools/list", {}, { sessionId: "user-1" }).node, other);
  session.unpin();
  assert.equal(session.node, null);
  assert.equal(await cluster.route("tools/list", {}, { sessionId: "user-1" }).node, home, "where the hash leads");
});

test("state that is only Redis itself is told once and refuses clearly; calls with sessions are routed without it", async (t) => {
  const net = new Net();
  const stateManagementConfig = { provider: "redis", endpoints: ["redis://cluster:6379"] };
  const cluster = open(t, net, [net.serve("a", () => TOOLS)], { stateManagementConfig });
  const errors = [];
  cluster.on("error", (error) => errors.push(error.code));
  for (let n = 0; n < 3; n++) await cluster.route("tools/list", {}, { sessionId: "user-123" });
  assert.deepEqual(errors, ["INVALID_CONFIG"]);
  const error = await rejection(cluster.session("user-123").get("cart"));
  assert.equal(error.code, "INVALID_CONFIG");
  assert.match(`${error.message} ${error.hint}`, /redis:\/\/cluster:6379.*webdis/s);
});

test("where a session lives is found in the shared state by another client, and routing does not wait for a store that is silent", async (t) => {
  const net = new Net();
  const nodes = ["a", "b", "c"].map((host) => net.serve(host, () => TOOLS));
  const pins = new Map();
  let isSilent = false;
  // As much of an Upstash-compatible gateway as pins need.
  const gateway = async (_url, { body }) => {
    if (isSilent) await never();
    const [command, key, value, ...args] = JSON.parse(body);
    if (command === "GET") return answer(pins.get(key) ?? null);
    if (command === "SET") return pins.set(key, value), answer("OK");
    // The script of `cas`: how many keys, the keys, the value.
    const [name, text] = [args[0], args[Number(value)]];
    const isFree = !pins.has(name);
    if (isFree) pins.set(name, text);
    return answer([isFree ? 1 : 0, 0]);
  };
  const answer = (result) => new Response(JSON.stringify({ result }));
  const fetch = (url, init) => (String(url).startsWith("https://state.test") ? gateway(url, init) : net.fetch(url, init));
  const make = () => open(t, net, nodes, { client: { fetch }, stateManagementConfig: { provider: "redis", endpoints: ["https://state.test"] } });
  const [one, other] = [make(), make()];
  const first = one.route("tools/list", {}, { sessionId: "u", preferredNode: "b" });
  await first;
  const where = await first.node;
  const end = performance.now() + 2000;
  while (!pins.size && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(await other.route("tools/list", {}, { sessionId: "u" }).node, where);
  isSilent = true;
  const start = performance.now();
  await make().route("tools/list", {}, { sessionId: "v" });
  assert.ok(performance.now() - start < 3000);
});

test("a forecast has its shape from the beginning, and says nothing as long as it knows nothing", async (t) => {
  const net = new Net();
  const cluster = open(t, net, [net.serve("a", () => TOOLS)], { forecastConfig: { bin: 20, nodeRate: 100 } });
  assert.deepEqual(cluster.forecast(), { bin: 0, observed: 0, total: [], byNode: {}, nodesNeeded: null });
  const end = performance.now() + 800;
  while (performance.now() < end) {
    await cluster.route("tools/list");
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const { bin, observed, total, byNode, nodesNeeded } = cluster.forecast();
  assert.equal(bin, 20);
  assert.ok(observed > 20, `${observed}`);
  assert.deepEqual(total.map(({ after }) => after), [20, 240]);
  for (const { rate, low, high } of [...total, ...byNode.a]) assert.ok(low <= rate && rate <= high && rate > 0);
  assert.ok(nodesNeeded >= 1);
});

test("a node that one client leaves alone is taken last by the others, and by those that come later", async (t) => {
  const net = new Net();
  let isWell = true;
  const serve = (host) => net.serve(host, () => (isWell || host !== "a" ? TOOLS : status(500)));
  const nodes = ["a", "b", "c"].map(serve);
  const [kept, listeners] = [new Map(), new Set()];
  // As much of an Upstash-compatible gateway as hints need.
  const gateway = (url, { body, signal }) => {
    if (new URL(url).pathname.startsWith("/subscribe/")) {
      const channel = decodeURIComponent(new URL(url).pathname.slice("/subscribe/".length));
      const stream = new ReadableStream({
        start(controller) {
          const say = (text) => controller.enqueue(new TextEncoder().encode(`data: ${text}\n\n`));
          const listener = (to, message) => to === channel && say(`message,${to},${message}`);
          listeners.add(listener);
          signal?.addEventListener("abort", () => listeners.delete(listener));
          say(`subscribe,${channel},1`);
        },
      });
      return new Response(stream, { headers: { "content-type": "text/event-stream" } });
    }
    const [command, key, value] = JSON.parse(body);
    if (command === "SET") kept.set(key, value);
    if (command === "PUBLISH") for (const listener of listeners) listener(key, value);
    return Response.json({ result: command === "PTTL" ? (kept.has(key) ? 5000 : -2) : command === "SET" ? "OK" : 1 });
  };
  const fetch = (url, init) => (String(url).startsWith("https://state.test") ? Promise.resolve(gateway(url, init)) : net.fetch(url, init));
  const stateManagementConfig = { provider: "redis", endpoints: ["https://state.test"] };
  const more = { stateManagementConfig, client: { enableWebSocket: false, fetch }, circuitBreakerConfig: { enabled: true, failureThreshold: 2, resetTimeout: 60_000 } };
  const begin = async () => {
    const cluster = open(t, net, nodes, more);
    await cluster.route("tools/list", {}, { preferredNode: "b" });
    return cluster;
  };
  const suspects = (cluster) => cluster.nodes().filter(({ suspect }) => suspect).map(({ id }) => id);
  const until = async (holds) => {
    for (let n = 0; n < 100 && !holds(); n++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(holds());
  };
  const [first, second] = [await begin(), await begin()];
  await first.route("tools/list", {}, { preferredNode: "a" });
  await until(() => listeners.size === 2);
  assert.deepEqual(suspects(second), []);
  isWell = false;
  for (let n = 0; n < 2; n++) await first.route("tools/list", {}, { preferredNode: "a" });
  assert.equal(first.nodes().find(({ id }) => id === "a").breaker, "open");
  await until(() => suspects(second).includes("a"));
  const late = await begin();
  await until(() => suspects(late).includes("a"));
});
