// HTTP/1.1 by hand over a net socket: requests in, bytes out. By hand because a proper HTTP library refuses to
// send what the faults need. It understands Content-Length bodies only, which is what fetch sends for text.

import { reset } from "../proxy.mjs";
import { corsHeaders, preflightHeaders } from "../cors.mjs";

const HEAD_LIMIT = 64 * 1024;
const HEAD_END = "\r\n\r\n";
export const CHUNK = 64 * 1024;
/** The default limit of a message in the clients: from here on what is written is too much. */
export const TOO_MUCH = 16 * 1024 * 1024;
const REASONS = {
  200: "OK", 202: "Accepted", 204: "No Content", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized",
  403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 429: "Too Many Requests",
  500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
};

/** Calls `handle(request, rest)` for each request in turn; the next one waits for the returned promise. */
export function readRequests(socket, handle) {
  let buffer = Buffer.alloc(0);
  let busy = false;

  async function next() {
    if (busy) return;
    const found = takeRequest(buffer);
    if (!found) {
      if (buffer.length > HEAD_LIMIT && buffer.indexOf(HEAD_END) < 0) socket.destroy();
      return;
    }
    busy = true;
    buffer = found.rest;
    // An upgraded socket is the handler's from here on, with what has already arrived.
    if (found.request.headers.upgrade) socket.off("data", onData);
    await handle(found.request, found.rest);
    busy = false;
    if (!found.request.headers.upgrade) next();
  }

  function onData(chunk) {
    buffer = Buffer.concat([buffer, chunk]);
    next();
  }
  socket.on("data", onData);
}

/** The first whole request of `buffer` and what follows it; null when there is none yet. */
export function takeRequest(buffer) {
  const headEnd = buffer.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const [first, ...lines] = buffer.toString("latin1", 0, headEnd).split("\r\n");
  const [method, url] = first.split(" ");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const start = headEnd + HEAD_END.length;
  const end = start + Number(headers["content-length"] ?? 0);
  if (buffer.length < end) return null;
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  const body = buffer.toString("utf8", start, end);
  return { request: { method, url, path: pathname, query: searchParams, headers, body }, rest: buffer.subarray(end) };
}

/** The ways to answer one request. `cors: false` in the options of `head` leaves the CORS headers out. */
export function responder(socket, request) {
  const once = request.query.get("keep") === "0" ? { connection: "close" } : {};
  const reply = {
    socket,
    mark: () => {},
    head(status, headers, { cors = true } = {}) {
      const all = { ...(cors ? corsHeaders() : {}), ...once, ...headers };
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${status} ${REASONS[status] ?? "Unknown"}\r\n${lines.join("")}\r\n`);
    },
    send(status, headers, body, options) {
      reply.head(status, { ...headers, "content-length": Buffer.byteLength(body) }, options);
      socket.write(body);
    },
    json: (status, value, headers = {}, options = {}) =>
      reply.send(status, { "content-type": "application/json", ...headers }, JSON.stringify(value), options),
    /** A right answer in the right way: an unknown method is 404 in the modern era. */
    good: (answer) => reply.json(answer.error?.code === -32601 ? 404 : 200, answer),
    /** Opens an event stream that ends with the connection. */
    streamHead: () => reply.head(200, { "content-type": "text/event-stream", "cache-control": "no-store", connection: "close" }),
    stream() {
      reply.streamHead();
      socket.write(": open\n\n");
    },
    event: (value) => socket.write(`event: message\ndata: ${JSON.stringify(value)}\n\n`),
    preflight() {
      reply.head(204, preflightHeaders(request.headers["access-control-request-headers"]), { cors: false });
    },
    fin: () => socket.end(),
    rst: () => reset(socket),
  };
  return reply;
}

/** Writes `before`, then `n` times `x`, then `after`, no faster than the reader takes it. Calls `mark` when it is too much for anybody. */
export async function writeBig(stream, before, n, after, mark = () => {}) {
  stream.write(before);
  const full = Buffer.alloc(CHUNK, "x");
  for (let left = n; left > 0 && !stream.destroyed; left -= CHUNK) {
    if (n - left > TOO_MUCH) mark();
    const room = stream.write(left < CHUNK ? full.subarray(0, left) : full);
    if (!room) await drained(stream);
  }
  if (!stream.destroyed) stream.write(after);
}

function drained(stream) {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
