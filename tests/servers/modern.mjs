// node modern.mjs PORT: an MCP server of both eras on the official @modelcontextprotocol/server, with our tools and what extras.mjs has.
// It adds to the library only what the library leaves to its host: node:http, CORS, aborts and paging.
// With EXECUTED=FILE in its environment it writes the key of each execution of `counter` there, which outlives `kill -9`.
// POST /control?event=toolsChanged|promptsChanged|resourcesChanged, ?event=resourceUpdated&uri=URI: tells all who listen.

import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";

import { createMcpHandler, fromJsonSchema, McpServer } from "@modelcontextprotocol/server";

import { corsHeaders, preflightHeaders } from "./cors.mjs";
import { EXTRA_TOOLS, registerExtras } from "./extras.mjs";
import { HOST } from "./ports.mjs";
import "./stdin-watch.mjs";

const PAGE_SIZE = 4;
const MAX_BODY = 64 * 1024 * 1024;

const tools = JSON.parse(readFileSync(new URL("tools.json", import.meta.url), "utf8"));
const schemas = new Map(tools.map((tool) => [tool.name, fromJsonSchema(tool.inputSchema)]));
const outputSchemas = new Map(
  tools.filter((tool) => tool.outputSchema).map((tool) => [tool.name, fromJsonSchema(tool.outputSchema)]),
);
// The library asks for a fresh server per request; what has to be remembered lives here.
const counters = new Map();

const handler = createMcpHandler(createDemoServer, {
  maxRequestBodySize: MAX_BODY,
  // Often enough for a test to wait for one.
  keepAliveMs: 500,
  onerror: (error) => console.error(error.message),
});

const http = createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
// Restarts and idle tests must not meet a connection that the server is about to close on its own.
http.keepAliveTimeout = 120_000;
http.listen(Number(process.argv[2]), HOST);

async function serve(request, response) {
  if (request.method === "OPTIONS") {
    response.writeHead(204, preflightHeaders(request.headers["access-control-request-headers"])).end();
    return;
  }
  const { pathname, searchParams } = new URL(request.url, `http://${HOST}`);
  if (pathname === "/control" && request.method === "POST") {
    handler.notify[searchParams.get("event")](searchParams.get("uri"));
    response.writeHead(200, { ...corsHeaders(), "content-type": "application/json" }).end("{}");
    return;
  }
  if (pathname !== "/mcp") {
    response.writeHead(404, corsHeaders()).end("not found");
    return;
  }
  const aborter = new AbortController();
  // In the modern era a client cancels by closing the stream; the library learns of it only through this signal.
  response.once("close", () => {
    if (!response.writableFinished) aborter.abort();
  });
  const answer = await handler.fetch(webRequest(request, aborter.signal));
  response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...corsHeaders() });
  response.flushHeaders();
  if (answer.body) await pump(answer.body, response);
  response.end();
}

function webRequest(request, signal) {
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  return new Request(`http://${request.headers.host ?? HOST}${request.url}`, {
    method: request.method,
    headers: request.headers,
    body: hasBody ? Readable.toWeb(request) : undefined,
    duplex: "half",
    signal,
  });
}

async function pump(body, response) {
  const reader = body.getReader();
  response.once("close", () => reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done || response.destroyed) return;
    if (!response.write(value)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
}

function createDemoServer() {
  const mcp = new McpServer(
    { name: "bowline-modern", title: "Modern demo server", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      instructions: "A small server for trying Bowline: echo, add, slow, counter, count, big, fail, greet, route, log.",
      cacheHints: {
        "server/discover": { ttlMs: 60_000, cacheScope: "public" },
        "tools/list": { ttlMs: 60_000, cacheScope: "public" },
        "resources/list": { ttlMs: 60_000, cacheScope: "public" },
      },
    },
  );
  for (const { name, title, description, annotations } of tools) {
    mcp.registerTool(
      name,
      { title, description, annotations, inputSchema: schemas.get(name), outputSchema: outputSchemas.get(name) },
      (args, context) => run[name](args, context),
    );
  }
  mcp.server.setRequestHandler("tools/list", (request) => page(request.params?.cursor));
  registerResources(mcp);
  registerExtras(mcp);
  return mcp;
}

// The library lists everything at once; pages make clients prove that they follow the cursor.
function page(cursor) {
  const all = [...tools, ...EXTRA_TOOLS];
  const from = cursor === undefined ? 0 : Number.parseInt(cursor.replace("from:", ""), 10);
  const to = from + PAGE_SIZE;
  const more = to < all.length ? { nextCursor: `from:${to}` } : {};
  return { tools: all.slice(from, to), ...more };
}

function registerResources(mcp) {
  const readme = { title: "Read me", description: "What this server is for.", mimeType: "text/markdown" };
  mcp.registerResource(
    "readme",
    "demo://readme",
    { ...readme, cacheHint: { ttlMs: 60_000, cacheScope: "public" } },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: readme.mimeType, text: "# Demo server\n\nA small MCP server to try Bowline with.\n" }],
    }),
  );
  const time = { title: "Time", description: "The server's clock, different on every read.", mimeType: "text/plain" };
  mcp.registerResource("time", "demo://time", { ...time, cacheHint: { ttlMs: 0, cacheScope: "private" } }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: time.mimeType, text: new Date().toISOString() }],
  }));
}

const run = {
  echo: ({ text: said }) => text(said),
  add: ({ a, b }) => ({ ...text(String(a + b)), structuredContent: { sum: a + b } }),
  slow: async ({ ms = 3000, steps = 10 }, context) => {
    increment("slow:started");
    const { signal, notify, _meta } = context.mcpReq;
    for (let step = 1; step <= steps; step += 1) {
      await wait(ms / steps, signal);
      if (signal.aborted) {
        increment("slow:cancelled");
        return { ...text(`cancelled after ${step - 1} of ${steps} steps`), isError: true };
      }
      if (_meta?.progressToken !== undefined) {
        const message = `step ${step} of ${steps}`;
        await notify({
          method: "notifications/progress",
          params: { progressToken: _meta.progressToken, progress: step, total: steps, message },
        });
      }
    }
    increment("slow:finished");
    return text(`done in ${steps} steps`);
  },
  counter: async ({ key, ms = 0 }) => {
    const count = increment(key);
    if (process.env.EXECUTED) appendFileSync(process.env.EXECUTED, `${key}\n`);
    if (ms > 0) await wait(ms);
    return text(String(count));
  },
  count: ({ key }) => text(String(counters.get(key) ?? 0)),
  big: ({ bytes }) => text("x".repeat(bytes)),
  fail: ({ message = "it did not work" }) => ({ ...text(message), isError: true }),
};

function text(value) {
  return { content: [{ type: "text", text: value }] };
}

function increment(key) {
  const count = (counters.get(key) ?? 0) + 1;
  counters.set(key, count);
  return count;
}

function wait(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
