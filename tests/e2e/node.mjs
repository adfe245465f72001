// End to end in Node: the built package against three real servers, one WebSocket, one HTTP of each era.
// Connect, list, call, read, lose the link and come back. The page around a client is tested in browser.mjs,
// malformed answers in bad-input.mjs.
import assert from "node:assert/strict";

import WebSocket from "ws";

import { startServers } from "../servers/index.mjs";
import { bowline, built, check, finish, rejection, state } from "./checks.mjs";

const { createClient } = bowline;
const { cfworker } = await built("cfworker.js");

const BLOCKED_MS = 700;
// The call was told as lost, the reading one sent again, the link opened anew.
const LOSS_EVENTS = ["outcomeUnknown", "replay", "reconnecting", "reconnected"];

const ours = { add: ["add", "a", "b"], slow: (ms, steps) => ["slow", { ms, steps }] };
const subjects = [
  { name: "python-ws", transport: "websocket", era: "legacy", ...ours },
  {
    name: "everything",
    transport: "http",
    era: "legacy",
    resumes: true,
    add: ["get-sum", "a", "b"],
    slow: (ms, steps) => ["trigger-long-running-operation", { duration: ms / 1000, steps }],
  },
  { name: "modern", transport: "http", era: "modern", version: "2026-07-28", ...ours },
];

/** A WebSocket that notes what it is given, in the task in which it is. */
const written = [];
class Noting extends WebSocket {
  send(text) {
    written.push(JSON.parse(text));
    super.send(text);
  }
}

/** Calls made in one task leave in that task, in one pass: nobody waits for a timer to put them into a batch. */
async function together(url) {
  const client = createClient({ serverUrl: url, WebSocket: Noting });
  await check("calls made in one task leave in that task, in order, and the rest by priority", async () => {
    await client.connect();
    written.length = 0;
    const made = Array.from({ length: 40 }, (_, key) => client.callTool("add", { a: key, b: 0 }, { priority: key === 39 ? 3 : 1 }));
    const left = written.map(({ params }) => params.arguments.a);
    // 32 are in flight at most, one of them for a critical call.
    assert.deepEqual(left, [...Array(31).keys(), 39]);
    const results = await Promise.all(made);
    assert.deepEqual(results.map(({ content }) => Number(content[0].text)), [...Array(40).keys()]);
  });
  await client.close();
}

async function calls(subject, client) {
  const { name } = subject;
  const sum = async (a, b) => {
    const [tool, left, right] = subject.add;
    const result = await client.callTool(tool, { [left]: a, [right]: b });
    assert.match(result.content[0].text, new RegExp(`\\b${a + b}\\b`));
  };

  await check(`${name}: connects, ${subject.era} over ${subject.transport}`, async () => {
    const snapshot = await client.connect();
    assert.equal(snapshot.state, "ready");
    assert.equal(snapshot.transport, subject.transport);
    assert.equal(snapshot.era, subject.era);
    assert.ok(snapshot.protocolVersion);
    if (subject.version) assert.equal(snapshot.protocolVersion, subject.version);
    assert.ok(snapshot.server.name);
  });
  await check(`${name}: lists all pages of its tools`, async () => {
    const names = (await client.listTools()).map((tool) => tool.name);
    assert.ok(names.length >= 5, names.join());
    for (const [tool] of [subject.add, subject.slow(1, 1)])
      assert.ok(names.includes(tool), `${tool} of ${names.join()}`);
  });
  await check(`${name}: calls a tool, and many at once`, async () => {
    await sum(20, 22);
    await Promise.all(Array.from({ length: 40 }, (_, i) => sum(i, 1000)));
  });
  await check(`${name}: holds structured results against their schema`, async () => {
    const [tool, left, right] = subject.add;
    const definition = (await client.listTools()).find((one) => one.name === tool);
    const { structuredContent } = await client.callTool(tool, { [left]: 1, [right]: 2 });
    if (definition.outputSchema) assert.ok(structuredContent, "the tool promises a structured result");
    const toolDefinition = { ...definition, outputSchema: { type: "object", required: ["no such member"] } };
    const error = await rejection(client.callTool(tool, { [left]: 1, [right]: 2 }, { toolDefinition }));
    assert.deepEqual([error.code, error.outcome], ["INVALID_RESULT", "applied"]);
  });
  await check(`${name}: reports progress in order`, async () => {
    const seen = [];
    const [tool, args] = subject.slow(600, 6);
    await client.callTool(tool, args, { onProgress: ({ progress }) => seen.push(progress) });
    assert.ok(seen.length >= 2, `saw ${seen.join()}`);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
  });
  await check(`${name}: reads a resource`, async () => {
    const [{ uri }] = await client.listResources();
    const { contents } = await client.readResource(uri);
    assert.equal(contents[0].uri, uri);
    assert.ok((contents[0].text ?? contents[0].blob).length > 0);
  });
  await check(`${name}: keeps a list, and asks again when told to`, async () => {
    await client.listTools();
    const before = client.metrics().cachedResponses;
    await client.listTools();
    assert.ok(client.metrics().cachedResponses > before);
    const kept = client.metrics().cachedResponses;
    await client.listTools({ useCache: false });
    assert.equal(client.metrics().cachedResponses, kept);
  });
  await check(`${name}: an unknown method is a typed error with a hint`, async () => {
    const error = await rejection(client.request("no/such/method"));
    assert.equal(error.code, "RPC_ERROR");
    // -32601 by the specification; the Python library says -32602.
    assert.ok(error.rpcCode < 0);
    assert.ok(error.hint);
  });
  await check(`${name}: a call can be cancelled and can run out of time`, async () => {
    const abort = new AbortController();
    const [tool, args] = subject.slow(5000, 5);
    const cancelled = client.callTool(tool, args, { signal: abort.signal });
    const slow = client.callTool(tool, args, { timeout: 300 });
    setTimeout(() => abort.abort(), 100);
    assert.equal((await rejection(cancelled)).code, "ABORTED");
    assert.equal((await rejection(slow)).code, "REQUEST_TIMEOUT");
    await sum(1, 1);
  });
  await check(`${name}: ping measures the way there and back`, async () => {
    const { latency, via } = await client.ping();
    assert.ok(latency > 0 && latency < 5000, String(latency));
    assert.equal(via, subject.transport);
  });
}

async function losses(subject, client, server) {
  const { name } = subject;
  const quick = () => {
    const [tool, left, right] = subject.add;
    return client.callTool(tool, { [left]: 3, [right]: 4 });
  };

  const resumed = async () => {
    const [tool, args] = subject.slow(900, 3);
    const { epoch } = client.connection;
    let progressed;
    const running = new Promise((resolve) => (progressed = resolve));
    const call = client.callTool(tool, args, { onProgress: progressed });
    await running;
    server.proxy.cut();
    assert.match((await call).content[0].text, /completed/);
    assert.equal(client.connection.epoch, epoch, "the session went on");
    assert.match((await quick()).content[0].text, /\b7\b/);
  };
  const lost = async () => {
    const { epoch } = client.connection;
    const before = client.metrics().unknownOutcomes;
    const events = [];
    const offs = LOSS_EVENTS.map((event) =>
      client.on(event, () => events.push(event)),
    );
    let progressed;
    const running = new Promise((resolve) => (progressed = resolve));
    const [tool, args] = subject.slow(8000, 80);
    const doubtful = rejection(client.callTool(tool, args, { onProgress: progressed }));
    await running;
    const read = client.listTools({ useCache: false });
    read.catch(() => {});
    server.proxy.block(BLOCKED_MS);
    server.proxy.cut();
    const error = await doubtful;
    assert.equal(error.code, "OUTCOME_UNKNOWN");
    assert.equal(error.outcome, "unknown");
    assert.equal(error.tool, tool);
    await state(client, "reconnecting");
    const waiting = quick();
    assert.equal(waiting.phase, "queued");
    const [tools, sum] = await Promise.all([read, waiting]);
    assert.ok(tools.length >= 5);
    assert.match(sum.content[0].text, /\b7\b/);
    await state(client, "ready");
    assert.ok(client.connection.epoch > epoch, "the epoch did not grow");
    offs.forEach((off) => off());
    for (const event of LOSS_EVENTS)
      assert.ok(events.includes(event), events.join());
    assert.equal(client.metrics().unknownOutcomes, before + 1);
  };
  if (subject.resumes) await check(`${name}: a cut link: the answer is taken up where its stream broke off`, resumed);
  else await check(`${name}: a cut link: the call in flight is of unknown outcome, a waiting one survives`, lost);
  await check(`${name}: a restarted server is found again`, async () => {
    await server.restart();
    assert.match((await quick()).content[0].text, /\b7\b/);
    await state(client, "ready");
  });
  await check(`${name}: a closed client says so, and closing twice is harmless`, async () => {
    await client.close();
    await client.close();
    assert.equal(client.state, "closed");
    assert.equal((await rejection(quick())).code, "CLIENT_CLOSED");
  });
}

const servers = await startServers(subjects.map(({ name }) => name), { wire: true });
try {
  await together(servers["python-ws"].url);
  for (const subject of subjects) {
    const server = servers[subject.name];
    const client = createClient({
      serverUrl: server.url,
      WebSocket,
      // The servers' endpoints have no WebSocket beside HTTP; the fallback itself is tested in the browser.
      enableWebSocket: subject.transport === "websocket",
      // So many, because on a busy machine a server takes seconds to start again.
      reconnectOptions: { initialDelay: 100, maxDelay: 400, maxAttempts: 100 },
      protocol: { validator: cfworker() },
    });
    await calls(subject, client);
    await losses(subject, client, server);
  }
  await check("every message that was sent is right by the schema of its revision", async () => {
    for (const { name, wire } of servers.list) assert.ok(wire.sent.length > 50, `${name} saw ${wire.sent.length} messages`);
    assert.deepEqual(servers.problems(), []);
  });
} finally {
  await servers.stop();
}
finish();
