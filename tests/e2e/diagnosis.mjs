// End to end: why a connection could not be had, as the application is told it in a real Chromium: the page's own policy, mixed content, the
// permission for the local network, and what hides behind a WebSocket's bare 1006. Servers are real ones on loopback; what a page's origin
// has to be for a fault is made by the browser (its address space) or given to it (https).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

import { chromium } from "playwright-core";

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startServers } from "../servers/index.mjs";
import { check, finish } from "./checks.mjs";

const PAGE = "tests/e2e/lifecycle/other.html";
const SECURE = "https://app.example";
const TYPES = { ".js": "text/javascript", ".html": "text/html" };

/** What `connect()` of a client with this configuration ends in, and the state it leaves. */
const connect = async (page, config) =>
  (await page).evaluate(async (config) => {
    const { createClient } = await import("/pkg/dist/index.js");
    const client = createClient(config);
    try {
      await client.connect();
      return { state: client.state, transport: client.connection.transport };
    } catch ({ code, hint, message, httpStatus, closeCode, outcome }) {
      return { code, hint, message, httpStatus, closeCode, outcome, state: client.state };
    } finally {
      await client.close();
    }
  }, config);

const servers = await startServers(["fault"]);
const fault = servers.fault.directUrl.replace(/\/$/, "");
const ws = (name) => `${fault.replace(/^http/, "ws")}/ws/${name}`;
const site = await serveFolder(inRoot());
const near = Number(new URL(site.url).port);
const executablePath = await ensureChromium();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
// The same site, as if it came from the internet.
const outside = `http://app.example:${near}`;
const guarded = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    `--ip-address-space-overrides=127.0.0.1:${near}=public`,
    "--host-resolver-rules=MAP app.example 127.0.0.1",
    `--unsafely-treat-insecure-origin-as-secure=${outside}`,
  ],
});
// A login page of a hotel, whatever is asked for.
const portal = createServer((_, response) => {
  response.writeHead(200, { "content-type": "text/html", "access-control-allow-origin": "*", "access-control-allow-headers": "*" }).end("<html>");
});
await new Promise((resolve) => portal.listen(0, "127.0.0.1", resolve));

/** In a context of its own: Chromium keeps a renderer whose sockets fail waiting, longer each time. */
async function pageOf(browser, url = site.url, permissions) {
  const context = await browser.newContext(permissions && { permissions });
  const page = await context.newPage();
  await page.route(`${SECURE}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    await route.fulfill({ body: await readFile(inRoot(path.slice(1))), contentType: TYPES[extname(path)] ?? "application/octet-stream" });
  });
  await page.goto(`${url}/${PAGE}`);
  return page;
}

try {
  for (const [status, code, state] of [[401, "AUTH_REQUIRED", "auth_required"], [403, "FORBIDDEN", "failed"]]) {
    await check(`a handshake refused with ${status} is told as that`, async () => {
      const seen = await connect(pageOf(browser), { serverUrl: ws(`refuse-${status}`) });
      assert.deepEqual([seen.code, seen.httpStatus, seen.outcome, seen.state], [code, status, "not-sent", state]);
    });
  }

  await check("a server that is overloaded is tried again, and its status is told", async () => {
    const seen = await connect(pageOf(browser), { serverUrl: ws("refuse-503") });
    assert.deepEqual([seen.code, seen.httpStatus, seen.state], ["CONNECT_FAILED", 503, "reconnecting"]);
  });

  await check("an HTTP endpoint is no WebSocket, and the hint says what to set", async () => {
    const seen = await connect(pageOf(browser), { serverUrl: `${fault}/call/none`, enableHttpFallback: false });
    assert.deepEqual([seen.code, seen.httpStatus], ["CONNECT_FAILED", 405]);
    assert.match(seen.hint, /enableHttpFallback/);
  });

  await check("a WebSocket whose handshake goes wrong for another reason stays a bare 1006", async () => {
    const seen = await connect(pageOf(browser), { serverUrl: ws("bad-accept") });
    assert.deepEqual([seen.code, seen.closeCode], ["CONNECT_FAILED", 1006]);
  });

  // The question why has 80 ms, which a busy machine can use up: then a bare 1006 is all that is told.
  const unhurried = async (serverUrl, left = 4) => {
    const seen = await connect(pageOf(browser), { serverUrl });
    return seen.closeCode === 1006 && left > 0 ? unhurried(serverUrl, left - 1) : seen;
  };
  await check("a server that is not there is told as that, over both transports", async () => {
    const [http, socket] = [await connect(pageOf(browser), { serverUrl: "http://127.0.0.1:9/none" }), await unhurried("ws://127.0.0.1:9/none")];
    assert.deepEqual([socket.code, socket.closeCode, http.code], ["CONNECT_FAILED", undefined, "CONNECT_FAILED"]);
    assert.match(socket.hint, /server runs/);
  });

  await check("a login page in the way is named, also to a WebSocket", async () => {
    const address = `127.0.0.1:${portal.address().port}/mcp`;
    for (const serverUrl of [`http://${address}`, `ws://${address}`]) {
      const seen = await connect(pageOf(browser), { serverUrl });
      assert.equal(seen.code, "PARSE_ERROR", serverUrl);
      assert.match(seen.hint, /login page/i);
    }
  });

  await check("what the page's own policy forbids is told as that, over both transports", async () => {
    for (const serverUrl of ["http://localhost.example:8080/mcp", "ws://localhost.example:8080/mcp"]) {
      const seen = await connect(pageOf(browser), { serverUrl });
      assert.deepEqual([seen.code, seen.state], ["CSP_BLOCKED", "failed"], serverUrl);
      assert.match(seen.hint, /connect-src/);
    }
  });

  await check("a policy that forbids only the WebSocket leaves HTTP", async () => {
    const seen = await connect(pageOf(browser), { serverUrl: `${fault}/call/none`, transport: { webSocketUrl: "ws://localhost.example/ws" } });
    assert.deepEqual([seen.state, seen.transport], ["ready", "http"]);
  });

  const secure = await pageOf(browser, SECURE);
  await check("mixed content is told before anything is dialled", async () => {
    const dialled = [];
    secure.on("request", (request) => dialled.push(request.url()));
    for (const serverUrl of ["http://plain.example/mcp", "ws://plain.example/mcp"]) {
      const seen = await connect(secure, { serverUrl });
      assert.deepEqual([seen.code, seen.outcome, seen.state], ["MIXED_CONTENT", "not-sent", "failed"], serverUrl);
      assert.match(seen.hint, /https and wss/);
    }
    assert.deepEqual(dialled.filter((url) => url.includes("plain.example")), []);
  });

  await check("a page on https may use a server on this machine", async () => {
    const granted = await pageOf(browser, SECURE, ["local-network-access"]);
    const seen = await connect(granted, { serverUrl: `${fault.replace("127.0.0.1", "localhost")}/call/none` });
    assert.equal(seen.state, "ready", JSON.stringify(seen));
  });

  await check("a page of the internet without the permission for this machine is told so", async () => {
    for (const serverUrl of [`${fault}/call/none`, ws("none")]) {
      const seen = await connect(pageOf(guarded, outside), { serverUrl });
      assert.deepEqual([seen.code, seen.state], ["LOCAL_NETWORK_BLOCKED", "failed"], JSON.stringify(seen));
      assert.match(seen.hint, /local network/);
    }
  });
} finally {
  await Promise.all([browser.close(), guarded.close(), site.close(), servers.stop()]);
  portal.close();
}
finish();
