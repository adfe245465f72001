// The loopback side: serves the bundles, and answers MCP over HTTP and WebSocket on /mcp with the
// same texts as the fake links. One origin, so no preflight is in the figures. Not a real MCP server.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { WebSocketServer } from "ws";

import { out } from "./paths.mjs";
import { answer } from "./pages/answers.js";

const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
const blank = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>bench</title>";

/** Starts on a free loopback port; gives `origin` and `close()`. */
export async function startServer() {
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  const sockets = new WebSocketServer({
    server,
    path: "/mcp",
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered][0],
  });
  sockets.on("connection", (socket) => {
    socket.on("message", (data) => {
      const text = answer(data.toString());
      if (text !== null) socket.send(text);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(request, response) {
  const { pathname } = new URL(request.url, "http://bench");
  if (pathname === "/mcp") return answerPost(request, response);
  if (pathname === "/blank.html") {
    response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
    return response.end(blank);
  }
  const name = path.basename(pathname);
  const type = types[path.extname(name)];
  const body = type && (await readFile(path.join(out, name)).catch(() => null));
  if (!body) return response.writeHead(404).end();
  // no-store: a cold start must find neither the bytes nor compiled code in a cache.
  const headers = { "content-type": type, "content-length": body.length, "cache-control": "no-store" };
  response.writeHead(200, headers).end(body);
}

async function answerPost(request, response) {
  if (request.method !== "POST") return response.writeHead(405).end();
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  const text = answer(body);
  if (text === null) return response.writeHead(202).end();
  response.writeHead(200, { "content-type": "application/json" }).end(text);
}
