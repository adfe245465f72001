// A small HTTP control over started servers, for tests that run inside a browser and cannot call Node.
// POST /cut?name=X, /block?name=X&ms=N, /pause?name=X, /resume?name=X, /restart?name=X; GET /peers.

import { createServer } from "node:http";

import { corsHeaders, preflightHeaders } from "./cors.mjs";
import { HOST } from "./ports.mjs";

const actions = {
  "/cut": (server) => server.proxy.cut(),
  "/block": (server, query) => server.proxy.block(Number(query.get("ms") ?? 1000)),
  "/pause": (server) => server.proxy.pause(),
  "/resume": (server) => server.proxy.resume(),
  "/restart": (server) => server.restart(),
};

export async function startControl(servers) {
  const http = createServer((request, response) => {
    answer(servers, request, response).catch((error) => send(response, 500, { error: error.message }));
  });
  await new Promise((resolve) => http.listen(0, HOST, resolve));
  return {
    url: `http://${HOST}:${http.address().port}`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

async function answer(servers, request, response) {
  if (request.method === "OPTIONS") {
    response.writeHead(204, preflightHeaders(request.headers["access-control-request-headers"])).end();
    return;
  }
  const { pathname, searchParams } = new URL(request.url, `http://${HOST}`);
  if (request.method === "GET" && pathname === "/peers") {
    send(response, 200, servers.urls());
    return;
  }
  const action = actions[pathname];
  if (!action || request.method !== "POST") {
    send(response, 404, { error: `no ${request.method} ${pathname}` });
    return;
  }
  const server = servers.find(searchParams.get("name"));
  if (!server) {
    send(response, 404, { error: `no server named ${searchParams.get("name")}` });
    return;
  }
  await action(server, searchParams);
  send(response, 200, { ok: true, connections: server.proxy.connections });
}

function send(response, status, value) {
  response.writeHead(status, { ...corsHeaders(), "content-type": "application/json" }).end(JSON.stringify(value));
}
