// The test servers, checked with the official clients and with raw sockets: that they are what Bowline's tests
// take them for. Nothing of Bowline itself is used here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import WebSocket from "ws";

import { startServers } from "./index.mjs";
import { freePort, refusedUrl } from "./ports.mjs";

const OUR_TOOLS = ["echo", "add", "slow", "counter", "count", "big", "fail"];
const MODERN_TOOLS = [...OUR_TOOLS, "greet", "route", "log"];

let servers;

before(async () => {
  servers = await startServers(undefined, { control: true, seed: 7 });
}, { timeout: 50_000 });

after(async () => {
  // Registered last, so that the runner has had its say: Node's own cleanup after this can spin for ever (see reset() in proxy.mjs).
  process.on("exit", (code) => process.reallyExit(code));
  const pids = servers.list.map(({ pid }) => pid);
  assert.equal(pids.length, 6);
  await servers.stop();
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" }, `process ${pid} is still there`);
});

for (const [name, mode, era] of [
  ["modern", "auto", "modern"],
  ["modern", "legacy", "legacy"],
  ["python-http", "auto", "modern"],
  ["python-http", "legacy", "legacy"],
]) {
  test(`${name} serves the official client in the ${era} era`, async () => {
    const client = await connect(servers[name].url, mode);
    assert.equal(client.getProtocolEra(), era);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), name === "modern" ? MODERN_TOOLS : OUR_TOOLS);
    assert.ok(tools.every((tool) => tool.title && tool.inputSchema.properties));

    assert.equal(await say(client, "echo", { text: "hé" }), "hé");
    const sum = await client.callTool({ name: "add", arguments: { a: 2, b: 40 } });
    assert.deepEqual(sum.structuredContent, { sum: 42 });
    assert.equal((await say(client, "big", { bytes: 100_000 })).length, 100_000);
    assert.equal((await client.callTool({ name: "fail", arguments: {} })).isError, true);

    const progress = [];
    const options = { onprogress: ({ progress: step, total }) => progress.push(`${step}/${total}`) };
    await client.callTool({ name: "slow", arguments: { ms: 120, steps: 3 } }, options);
    assert.deepEqual(progress, ["1/3", "2/3", "3/3"]);

    const key = `${name}-${mode}`;
    assert.equal(await say(client, "counter", { key }), "1");
    assert.equal(await say(client, "counter", { key }), "2");
    assert.equal(await say(client, "count", { key }), "2");

    const { resources } = await client.listResources();
    assert.deepEqual(resources.map(({ uri }) => uri), ["demo://readme", "demo://time"]);
    const { contents } = await client.readResource({ uri: "demo://readme" });
    assert.match(contents[0].text, /Demo server/);
    await client.close();
  });
}

test("everything serves the official client in the legacy era", async () => {
  const client = await connect(servers.everything.url, "auto");
  assert.equal(client.getProtocolEra(), "legacy");
  assert.ok((await client.listTools()).tools.length >= 10);
  assert.match(await say(client, "echo", { message: "hello" }), /hello/);
  await client.close();
});

test("modern and python-http answer tools/list in pages with cache hints", async () => {
  for (const [name, more] of [["modern", 4], ["python-http", 3]]) {
    const first = await post(servers[name].url, modernRequest("tools/list"));
    assert.equal(first.result.tools.length, 4, name);
    assert.equal(first.result.ttlMs, 60_000, name);
    assert.equal(first.result.cacheScope, "public", name);
    const second = await post(servers[name].url, modernRequest("tools/list", { cursor: first.result.nextCursor }));
    assert.equal(second.result.tools.length, more, name);
    assert.equal(second.result.nextCursor !== undefined, name === "modern", name);
  }
});

test("modern learns of a cancelled call from the closed stream", async () => {
  const client = await connect(servers.modern.url, "auto");
  const aborter = new AbortController();
  const call = client.callTool({ name: "slow", arguments: { ms: 20_000, steps: 20 } }, { signal: aborter.signal });
  setTimeout(() => aborter.abort(), 150);
  await assert.rejects(call);
  await until(async () => (await say(client, "count", { key: "slow:cancelled" })) === "1");
  await client.close();
});

test("every HTTP server answers a browser's preflight", async () => {
  for (const server of servers.list.filter(({ transport }) => transport === "http")) {
    const url = server.name === "fault" ? `${server.url}/call/none` : server.url;
    const asked = "authorization, content-type, mcp-method, mcp-param-region, mcp-protocol-version";
    const answer = await fetch(url, {
      method: "OPTIONS",
      headers: {
        origin: "http://127.0.0.1:9",
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
      },
    });
    assert.ok(answer.ok, server.name);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", server.name);
    const allowed = answer.headers.get("access-control-allow-headers").toLowerCase();
    for (const header of asked.split(", ")) assert.ok(allowed.includes(header), `${server.name} allows ${header}`);
  }
});

test("python-ws speaks MCP over a WebSocket with the mcp subprotocol", async () => {
  const socket = await openSocket(servers["python-ws"].url, "mcp");
  assert.equal(socket.protocol, "mcp");
  assert.equal((await socket.ask("server/discover")).error.code, -32602);
  const hello = await socket.initialize();
  assert.equal(hello.result.protocolVersion, "2025-11-25");

  const first = await socket.ask("tools/list", {});
  const second = await socket.ask("tools/list", { cursor: first.result.nextCursor });
  assert.deepEqual([...first.result.tools, ...second.result.tools].map(({ name }) => name), OUR_TOOLS);
  assert.equal(second.result.nextCursor, undefined);

  const slow = { name: "slow", arguments: { ms: 90, steps: 3 }, _meta: { progressToken: "p" } };
  assert.equal((await socket.ask("tools/call", slow)).result.content[0].text, "done in 3 steps");
  const steps = socket.notifications.filter(({ method }) => method === "notifications/progress");
  assert.deepEqual(steps.map(({ params }) => params.progress), [1, 2, 3]);

  const missing = await socket.ask("resources/read", { uri: "demo://nothing" });
  assert.equal(missing.error.code, -32002);
  const readme = await socket.ask("resources/read", { uri: "demo://readme" });
  assert.match(readme.result.contents[0].text, /Demo server/);
  socket.close();
});

test("cut, block and restart break the link and let it come back", async () => {
  const server = servers["python-ws"];
  const socket = await openSocket(server.url, "mcp");
  await socket.initialize();
  await socket.ask("tools/call", { name: "counter", arguments: { key: "cut" } });
  assert.equal(server.proxy.connections, 1);
  server.proxy.block(300);
  server.proxy.cut();
  assert.equal((await socket.closed).code, 1006);
  assert.equal(server.proxy.connections, 0);
  await assert.rejects(openSocket(server.url, "mcp"));

  await until(async () => openSocket(server.url, "mcp").then((again) => again.close() ?? true, () => false));
  const again = await openSocket(server.url, "mcp");
  await again.initialize();
  const count = () => again.ask("tools/call", { name: "count", arguments: { key: "cut" } });
  assert.equal((await count()).result.content[0].text, "1");

  const { pid } = server;
  await server.restart();
  assert.notEqual(server.pid, pid);
  await again.closed;
  const fresh = await openSocket(server.url, "mcp");
  assert.equal((await fresh.initialize()).result.serverInfo.name, "bowline-python-ws");
  fresh.close();
});

test("a paused proxy keeps the connection and holds the bytes", async () => {
  const { proxy, url } = servers["python-ws"];
  const socket = await openSocket(url, "mcp");
  await socket.initialize();
  proxy.pause();
  let answered = false;
  const answer = socket.ask("ping").then((value) => ((answered = true), value));
  await sleep(150);
  assert.equal(answered, false);
  proxy.resume();
  assert.deepEqual((await answer).result, {});
  socket.close();
});

test("the HTTP control cuts, restarts and lists, with CORS", async () => {
  const peers = await fetch(`${servers.control}/peers`);
  assert.equal(peers.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual(await peers.json(), servers.urls());
  const socket = await openSocket(servers["python-ws"].url, "mcp");
  assert.equal((await fetch(`${servers.control}/cut?name=python-ws`, { method: "POST" })).status, 200);
  assert.equal((await socket.closed).code, 1006);
  const { pid } = servers.modern;
  assert.equal((await fetch(`${servers.control}/restart?name=modern`, { method: "POST" })).status, 200);
  assert.notEqual(servers.modern.pid, pid);
  assert.equal((await fetch(`${servers.control}/cut?name=nobody`, { method: "POST" })).status, 404);
});

test("fault: the official client connects to /call and the executions are counted", async () => {
  const client = await connect(`${servers.fault.url}/call/none`, "auto");
  assert.equal(client.getProtocolEra(), "modern");
  assert.equal((await client.listTools()).tools.length, 2);
  assert.equal(await say(client, "echo", { text: "hi", key: "official" }), "hi");
  await client.close();
  const broken = await connect(`${servers.fault.url}/call/rst`, "auto");
  await assert.rejects(say(broken, "counter", { key: "official" }));
  await broken.close();
  const executions = await (await fetch(`${servers.fault.url}/executions`)).json();
  assert.equal(executions.official, 2);
});

test("fault: every HTTP fault but the endless ones ends, and differs from the good answer", async () => {
  const { http } = await (await fetch(`${servers.fault.url}/faults`)).json();
  const good = await observe("none");
  assert.match(good, /^200 application\/json .*"good"/);
  for (const name of http.filter((name) => !ENDLESS.has(name) && !SEEN_ELSEWHERE.has(name))) {
    const seen = await observe(name);
    assert.equal(seen === good, name === "none", `${name}: ${seen.slice(0, 200)}`);
  }
  for (const name of ENDLESS) assert.equal(await observe(name), "timeout", name);
});

test("fault: what single faults look like on the wire", async () => {
  assert.match(await observe("status-503"), /^503 .*retry-after 1/);
  assert.match(await observe("status-401"), /^401 .*www-authenticate Bearer/);
  assert.match(await observe("accepted-202"), /^202/);
  assert.match(await observe("rst"), /^failed/);
  assert.match(await observe("rst-body"), /^200 .* broken/);
  assert.match(await observe("short-body"), /^200 .* broken/);
  assert.match(await observe("sse-fin"), /^200 text\/event-stream .*: open\n\n$/s);
  assert.doesNotMatch(await observe("sse-mid-event"), /\n\n.*\n\n/s);
  assert.match(await observe("no-cors"), /no cors/);
  assert.match(await observe("wrong-id"), /"id":1\d{6}/);
  assert.match(await observe("status-500", "first"), /^500/);
  assert.match(await observe("status-500", "first", "?times=0"), /^200/);
});

test("fault: an oversize answer is as big as asked for", async () => {
  for (const name of ["oversize", "oversize-unannounced", "oversize-sse", "gzip-bomb"]) {
    const answer = await ask(`${servers.fault.url}/call/${name}?n=300000`);
    const length = (await answer.text()).length;
    assert.ok(length > 300_000 && length < 301_000, `${name}: ${length}`);
  }
});

test("fault: slow answers well in the end, and random is good or bad as its rate says", async () => {
  const good = await observe("none");
  const start = performance.now();
  assert.equal(await observe("slow"), good);
  assert.ok(performance.now() - start > 1000);
  assert.equal(await observe("random", "call", "?rate=0"), good);
  assert.notEqual(await observe("random", "call", "?rate=1"), good);
});

test("fault: times= makes the fault pass, and cross-talk puts a foreign id on the stream", async () => {
  const url = `${servers.fault.url}/call/status-503?times=1&run=self`;
  assert.equal((await ask(url)).status, 503);
  assert.equal((await ask(url)).status, 200);

  const crossed = `${servers.fault.url}/call/cross-talk`;
  const [first, second] = await Promise.all([ask(crossed, 11), sleep(50).then(() => ask(crossed, 12))]);
  assert.match(await first.text(), /"id":12.*stolen.*"id":11/s);
  assert.equal((await second.json()).id, 12);
});

test("fault: a lost session answers 404 once, and a new one serves", async () => {
  const client = await connect(`${servers.fault.url}/call/session-404?run=self`, "legacy");
  await assert.rejects(say(client, "echo", { text: "lost" }));
  await client.close();
  const again = await connect(`${servers.fault.url}/call/session-404?run=self`, "legacy");
  assert.equal(await say(again, "echo", { text: "found" }), "found");
  await again.close();
});

test("fault: the WebSocket faults", async () => {
  const url = servers.fault.url.replace("http:", "ws:");
  const call = { name: "echo", arguments: { text: "hi" } };
  for (const name of ["none", "fragments"]) {
    const good = await openSocket(`${url}/ws/${name}`, ["mcp", "mcp.version.2026-07-28"]);
    assert.equal(good.protocol, "mcp");
    assert.deepEqual((await good.ask("server/discover")).result.supportedVersions, ["2026-07-28"]);
    assert.equal((await good.ask("tools/call", call)).result.content[0].text, "hi", name);
    good.close();
  }
  for (const code of [1006, 1011, 4401]) {
    const closing = await openSocket(`${url}/ws/close-${code}`, "mcp");
    assert.equal((await closing.ask("tools/list")).result.tools.length, 2);
    closing.ask("tools/call", call);
    assert.equal((await closing.closed).code, code);
  }
  const early = await openSocket(`${url}/ws/first/close-1011`, "mcp");
  early.ask("server/discover");
  assert.equal((await early.closed).code, 1011);
  await assert.rejects(openSocket(`${url}/ws/refuse-403`, "mcp"), /403/);
  await assert.rejects(openSocket(`${url}/ws/bad-accept`, "mcp"), /Sec-WebSocket-Accept/);

  for (const [name, expected] of [
    ["malformed", /^text \{"jsonrpc".*[^}]$/],
    ["binary", /^binary .*"hi"/],
    ["wrong-id", /^text .*"id":1\d{6}/],
  ]) {
    const odd = await openSocket(`${url}/ws/${name}`, "mcp");
    odd.ask("tools/call", call);
    assert.match(await odd.nextFrame, expected, name);
    odd.close();
  }
  const big = await openSocket(`${url}/ws/oversize?n=200000`, "mcp");
  big.ask("tools/call", call);
  const { length } = await big.nextFrame;
  assert.ok(length > 200_000 && length < 201_000, String(length));
  big.close();
});

test("a refused address refuses, and an unknown name is an error", async () => {
  await assert.rejects(fetch(await refusedUrl()), (error) => error.cause?.code === "ECONNREFUSED");
  assert.ok((await freePort()) < 32_768);
  await assert.rejects(startServers(["nobody"]), /no such server: nobody/);
});

const ENDLESS = new Set(["stall", "body-stall", "sse-stall"]);
// They have tests of their own (or are what a good answer reads like): by nature slow, or dependent on a partner, a session, chance or a size.
const SEEN_ELSEWHERE = new Set(["slow", "drip", "bom", "cross-talk", "session-404", "session-400", "random", "oversize", "oversize-unannounced", "oversize-sse", "gzip-bomb"]);

async function connect(url, mode) {
  const client = new Client({ name: "self-test", version: "1.0.0" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

async function say(client, name, args) {
  const { content } = await client.callTool({ name, arguments: args });
  return content[0].text;
}

function modernRequest(method, params = {}, id = 1) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
}

function send(url, message, options = {}) {
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": message.method,
  };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(message), redirect: "manual", ...options });
}

async function post(url, message) {
  return (await send(url, message)).json();
}

function ask(url, id = 1, options) {
  return send(url, modernRequest("tools/call", { name: "echo", arguments: {} }, id), options);
}

/** What one call to a fault looks like, as one line of text. */
async function observe(name, form = "call", query = "") {
  const signal = AbortSignal.timeout(ENDLESS.has(name) ? 400 : 5000);
  let line = "failed";
  try {
    const answer = await ask(`${servers.fault.url}/${form}/${name}${query}`, 1, { signal });
    const { headers } = answer;
    const cors = headers.get("access-control-allow-origin") === "*" ? "" : "no cors ";
    const extra = ["retry-after", "www-authenticate", "location"].filter((header) => headers.has(header));
    line = `${answer.status} ${headers.get("content-type")} ${cors}${extra.map((header) => `${header} ${headers.get(header)}`)}`;
    return `${line} ${await answer.text()}`;
  } catch (error) {
    return error.name === "TimeoutError" ? "timeout" : `${line} broken`;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function openSocket(url, protocols) {
  const socket = new WebSocket(url, protocols);
  const pending = new Map();
  let lastId = 0;
  let onFrame;
  socket.notifications = [];
  socket.nextFrame = new Promise((resolve) => (onFrame = resolve));
  socket.closed = new Promise((resolve) => socket.on("close", (code) => resolve({ code })));
  socket.on("message", (data, isBinary) => {
    const text = data.toString();
    onFrame(`${isBinary ? "binary" : "text"} ${text}`);
    const message = parsed(text);
    if (!message) return;
    if (message.id === undefined) socket.notifications.push(message);
    pending.get(message.id)?.(message);
  });
  socket.ask = (method, params = {}) =>
    new Promise((resolve) => {
      lastId += 1;
      pending.set(lastId, resolve);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params }));
    });
  socket.initialize = async () => {
    const clientInfo = { name: "self-test", version: "1.0.0" };
    const hello = await socket.ask("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
    socket.send(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
    return hello;
  };
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.on("error", reject);
  });
}

async function until(check) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await check()) return;
    await sleep(50);
  }
  assert.fail("it did not happen in time");
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
