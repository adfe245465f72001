// End to end: calls of which nobody knows whether the server executed them. In Chromium a page is left with a call under way and the next
// one knows of it; in Node an answer comes after the call was given up, and a lost call is made again.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";
import { WebSocket, WebSocketServer } from "ws";

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startServers } from "../servers/index.mjs";
import { bowline, check, finish, rejection, until } from "./checks.mjs";

/** A modern server whose tools do what the test says: `onCall` gets each `tools/call` and how to answer it. */
async function peer(onCall) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "mcp" });
  await new Promise((resolve) => server.on("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const { id, method, params } = JSON.parse(data);
      const answer = (result) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } }));
      if (method === "server/discover") answer({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
      if (method === "tools/call") onCall({ id, params, answer, socket });
    });
  });
  const client = bowline.createClient({
    serverUrl: `ws://127.0.0.1:${server.address().port}/mcp`,
    WebSocket,
    reconnectOptions: { initialDelay: 20, maxDelay: 50 },
    replay: { idempotencyKey: { metaKey: "com.example/key" }, idempotentTools: ["twice"] },
  });
  const close = async () => {
    await client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { client, close };
}

const text = (text) => ({ content: [{ type: "text", text }] });

async function inNode() {
  await check("Node: an answer after the timeout resolves the doubt and brings the result", async () => {
    const { client, close } = await peer(({ answer }) => setTimeout(() => answer(text("paid")), 300));
    const resolved = client.once("outcomeResolved");
    const error = await rejection(client.callTool("pay", { euros: 5 }, { timeout: 100 }));
    assert.deepEqual([error.code, error.outcome], ["REQUEST_TIMEOUT", "unknown"]);
    const [doubt] = client.inDoubt();
    assert.deepEqual([doubt.tool, doubt.args, doubt.restored], ["pay", { euros: 5 }, false]);
    const { call, verdict, source, result } = await resolved;
    assert.deepEqual([call, verdict, source, result.content[0].text], [doubt, "applied", "late-response", "paid"]);
    assert.deepEqual(client.inDoubt(), []);
    assert.equal(client.metrics().violations, 0);
    await close();
  });

  await check("Node: a call whose link was cut is retried by hand, with its own arguments", async () => {
    const seen = [];
    const { client, close } = await peer(({ params, answer, socket }) => (seen.push(params) > 1 ? answer(text("second")) : socket.terminate()));
    const args = { euros: 5 };
    const call = client.callTool("pay", args);
    args.euros = 500;
    const error = await rejection(call);
    assert.equal(error.code, "OUTCOME_UNKNOWN");
    assert.equal(error.call, client.inDoubt()[0]);
    assert.equal((await error.retry()).content[0].text, "second");
    assert.deepEqual(seen.map((params) => params.arguments), [{ euros: 5 }, { euros: 5 }]);
    assert.deepEqual(client.inDoubt(), []);
    await close();
  });

  await check("Node: a call with a key is sent again by itself, with the same key and another id", async () => {
    const seen = [];
    const { client, close } = await peer(({ id, params, answer, socket }) =>
      seen.push([id, params._meta["com.example/key"]]) > 1 ? answer(text("once")) : socket.terminate(),
    );
    const replay = client.once("replay");
    assert.equal((await client.callTool("pay", {}, { idempotencyKey: "order-7" })).content[0].text, "once");
    assert.deepEqual(seen.map(([, key]) => key), ["order-7", "order-7"]);
    assert.notEqual(seen[0][0], seen[1][0]);
    const { newId, method, attempt } = await replay;
    assert.deepEqual([newId, method, attempt], [String(seen[1][0]), "tools/call", 2]);
    await close();
  });

  await check("Node: a tool that may run twice is sent again, unless the call forbids it", async () => {
    let calls = 0;
    const { client, close } = await peer(({ answer, socket }) => (++calls % 2 ? socket.terminate() : answer(text("ok"))));
    assert.equal((await client.callTool("twice")).content[0].text, "ok");
    assert.equal((await rejection(client.callTool("twice", {}, { replay: false }))).code, "OUTCOME_UNKNOWN");
    assert.equal(calls, 3);
    await close();
  });
}

async function inChromium(url) {
  const site = await serveFolder(inRoot());
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const open = async (config) => {
    await page.goto(`${site.url}/tests/e2e/bad-input/page.html`);
    await page.waitForFunction(() => "trial" in globalThis);
    await page.evaluate(([serverUrl, config]) => globalThis.trial("doubtful", serverUrl, config), [url, config]);
  };
  const doubts = () => page.evaluate(() => globalThis.client.inDoubt());
  const stored = () => page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.includes("doubt")).length);
  const begin = async () => {
    const before = await page.evaluate(() => globalThis.client.metrics().bytesSent);
    await page.evaluate(() => void globalThis.client.callTool("slow", { ms: 8000, steps: 8 }).catch(() => {}));
    await until(() => page.evaluate((sent) => globalThis.client.metrics().bytesSent > sent, before), "the call never left");
  };
  try {
    for (const [journal, args] of [["unload", false], ["session", true]]) {
      const config = { journal, journalArgs: args };
      await check(`Chromium: a page left with a call under way is told so by the next one (journal "${journal}")`, async () => {
        await open(config);
        await begin();
        assert.equal(await stored(), journal === "session" ? 1 : 0);
        await open(config);
        const [doubt, ...more] = await doubts();
        assert.equal(more.length, 0);
        assert.deepEqual([doubt.tool, doubt.restored, doubt.safeToRetry], ["slow", true, false]);
        assert.deepEqual(doubt.args, args ? { ms: 8000, steps: 8 } : undefined);
        assert.match(doubt.argsDigest, /^[\da-f]{16}$/);
        // It stays until somebody says what became of it.
        await open(config);
        assert.deepEqual((await doubts()).map(({ id }) => id), [doubt.id]);
        await page.evaluate((id) => globalThis.client.settleInDoubt(id, "applied"), doubt.id);
        assert.deepEqual([await doubts(), await stored()], [[], 0]);
      });
    }
    await check("Chromium: an entry that makes no sense hides no other, and goes", async () => {
      await open({ journal: "session" });
      await begin();
      await page.evaluate(() => {
        const name = Object.keys(sessionStorage).find((name) => name.includes("doubt"));
        // One on either side, whatever the order.
        for (const last of ["!", "~"]) sessionStorage.setItem(name.replace(/[^:]+$/, last), "{");
      });
      await open({ journal: "session" });
      const [doubt, ...more] = await doubts();
      assert.deepEqual([doubt?.tool, more.length], ["slow", 0]);
      await until(async () => (await stored()) === 1, "what makes no sense is still there");
      await page.evaluate((id) => globalThis.client.settleInDoubt(id, "dismissed"), doubt.id);
    });
    await check("Chromium: a call that was answered is not in doubt after a reload", async () => {
      await open({ journal: "session" });
      await page.evaluate(() => globalThis.client.callTool("add", { a: 1, b: 2 }));
      await open({ journal: "session" });
      assert.deepEqual([await doubts(), await stored()], [[], 0]);
    });
    await check("Chromium: with journal \"none\" nothing is written", async () => {
      await open({ journal: "none" });
      await begin();
      await open({});
      assert.deepEqual([await doubts(), await stored()], [[], 0]);
    });
  } finally {
    await browser.close();
    await site.close();
  }
}

const servers = await startServers(["modern"], {});
try {
  await inNode();
  await inChromium(servers.modern.url);
} finally {
  await servers.stop();
}
finish();
