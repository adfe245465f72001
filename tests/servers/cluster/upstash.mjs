// A gateway that speaks the REST of Upstash in front of a real Redis, as the official client (@upstash/redis 1.39.0) uses it: commands in a POST or
// a path, /pipeline, /multi-exec, /subscribe as an event stream, a bearer token, base64 on request, CORS. It keeps nothing itself.

import { createServer } from "node:http";

import { preflightHeaders, corsHeaders } from "../cors.mjs";
import { HOST } from "../ports.mjs";
import { openRedis, RedisError, Status } from "./resp.mjs";

/**
 * `redis`: the port of the Redis; `token`: who may use it; `auth`: `["user", "password"]` of the Redis user whose rights count. `cors: false`
 * leaves the headers out. `hold`: milliseconds before each answer.
 */
export async function startUpstash({ redis, token = "secret", auth, port = 0, cors = true, hold = 0 }) {
  const setup = auth ? [["AUTH", ...auth]] : [];
  const streams = new Set();
  /** What was asked for: method, path, and the body. */
  const requests = [];
  let shared;

  async function connection(onPush) {
    const opened = await openRedis(redis, onPush);
    for (const reply of await opened.send(setup)) if (reply instanceof RedisError) throw reply;
    return opened;
  }

  /** One connection for all commands; made anew when it broke. */
  async function send(commands) {
    if (shared && !(await shared.catch(() => null))?.isOpen) shared = undefined;
    shared ??= connection();
    return (await shared).send(commands);
  }

  async function answer(request, response) {
    const url = new URL(request.url, `http://${HOST}`);
    const body = await text(request);
    requests.push({ method: request.method, path: url.pathname, body });
    const reply = (status, value) => {
      const headers = { ...(cors && corsHeaders()), "content-type": "application/json" };
      response.writeHead(status, headers).end(JSON.stringify(value));
    };
    const given = request.headers.authorization?.replace(/^Bearer /, "") ?? url.searchParams.get("_token");
    if (given !== token) return reply(401, { error: "Unauthorized" });
    if (hold > 0) await new Promise((resolve) => setTimeout(resolve, hold));
    const encode = request.headers["upstash-encoding"] === "base64" ? base64 : plain;
    const path = url.pathname.split("/").slice(1).map(decodeURIComponent);
    if (path[0].toLowerCase() === "subscribe") return subscribe(path[1], response);
    if (path[0] === "pipeline" || path[0] === "multi-exec") {
      const commands = JSON.parse(body);
      const isAtomic = path[0] === "multi-exec";
      const replies = await send(isAtomic ? [["MULTI"], ...commands, ["EXEC"]] : commands);
      const results = isAtomic ? replies.at(-1) : replies;
      if (results instanceof RedisError) return reply(400, { error: results.message });
      return reply(200, results.map((one) => (one instanceof RedisError ? { error: one.message } : { result: encode(one) })));
    }
    const command = path[0] === "" ? JSON.parse(body) : [...path, ...(body ? [body] : [])];
    const [result] = await send([command.map(String)]);
    if (result instanceof RedisError) return reply(400, { error: result.message });
    return reply(200, { result: encode(result) });
  }

  async function subscribe(channel, response) {
    const tell = (push) => response.write(`data: ${push.map((one) => plain(one)).join(",")}\n\n`);
    const opened = await connection(tell);
    response.writeHead(200, { ...(cors && corsHeaders()), "content-type": "text/event-stream" });
    streams.add(response);
    response.on("close", () => {
      streams.delete(response);
      opened.close();
    });
    opened.closed.then(() => response.end());
    const [confirmed] = await opened.send([["SUBSCRIBE", channel]]);
    tell(confirmed);
  }

  const server = createServer((request, response) => {
    if (request.method === "OPTIONS") {
      response.writeHead(204, cors ? preflightHeaders(request.headers["access-control-request-headers"]) : {}).end();
      return;
    }
    answer(request, response).catch((error) => {
      if (response.headersSent) return response.destroy();
      const headers = { ...(cors && corsHeaders()), "content-type": "application/json" };
      response.writeHead(502, headers).end(JSON.stringify({ error: error.message }));
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, HOST, resolve));
  return {
    url: `http://${HOST}:${server.address().port}`,
    port: server.address().port,
    token,
    requests,
    /** Breaks off all event streams. */
    cut() {
      for (const stream of streams) stream.destroy();
    },
    async close() {
      (await shared?.catch(() => null))?.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function plain(reply) {
  if (Array.isArray(reply)) return reply.map(plain);
  if (reply instanceof RedisError) return reply.message;
  return reply === null || typeof reply === "number" ? reply : reply.toString();
}

/** Values as base64 of their bytes; the status OK and numbers as they are. */
function base64(reply) {
  if (Array.isArray(reply)) return reply.map(base64);
  if (reply instanceof Status) return String(reply) === "OK" ? "OK" : Buffer.from(String(reply)).toString("base64");
  return Buffer.isBuffer(reply) ? reply.toString("base64") : plain(reply);
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
