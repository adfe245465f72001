// DOUBLE: the REST interface of a Hazelcast member, as it was recorded from one built of the sources of 5.0 (no package of it can be had here). Maps
// and health only: 204 for what is missing, the content type of a value comes back with it, no CORS, and OPTIONS is not answered but
// the connection closed.

import { createServer } from "node:http";

import { HOST } from "../ports.mjs";

/** `ttl`: milliseconds that entries of every map live, as its configuration would say; there is no other way to a life. */
export async function startHazelcast({ port = 0, ttl = Infinity } = {}) {
  const maps = new Map();
  const requests = [];
  const server = createServer(async (request, response) => {
    const { method, url } = request;
    requests.push(`${method} ${url}`);
    if (method === "OPTIONS") return request.socket.destroy();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [, map, key] = /^\/hazelcast\/rest\/maps\/([^/]+)(?:\/(.+))?$/.exec(url) ?? [];
    if (map && key) return entry(maps, { map, key, method, ttl, type: request.headers["content-type"], body: Buffer.concat(chunks) }, response);
    if (url === "/hazelcast/health/ready") return response.writeHead(200).end();
    if (url === "/hazelcast/health") {
      const health = { nodeState: "ACTIVE", clusterState: "ACTIVE", clusterSafe: true, migrationQueueSize: 0, clusterSize: 1 };
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(health));
    }
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(port, HOST, resolve));
  return {
    url: `http://${HOST}:${server.address().port}`,
    requests,
    maps,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function entry(maps, { map, key, method, ttl, type, body }, response) {
  const entries = maps.get(map) ?? new Map();
  if (method === "POST" || method === "PUT") {
    maps.set(map, entries.set(key, { body, type, over: Date.now() + ttl }));
    return response.writeHead(200).end();
  }
  if (method === "DELETE") {
    entries.delete(key);
    return response.writeHead(200).end();
  }
  const found = entries.get(key);
  if (!found || found.over <= Date.now()) return response.writeHead(204).end();
  response.writeHead(200, { "content-type": found.type ?? "application/octet-stream" }).end(found.body);
}
