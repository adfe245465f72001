// The HTTP faults, one function each: rows 1 to 40 of the fault matrix as far as one answer can show them.
// A fault receives the right answer (`good`) and spoils it. Which requests are spoiled is decided by fault.mjs.

import { createGzip } from "node:zlib";

import { bodyFaults, cut, duplicate, failure, otherId } from "./bodies.mjs";
import { CHUNK, sleep, TOO_MUCH, writeBig } from "./wire.mjs";

// Long enough for what was written to be read before the reset overtakes it.
const BEFORE_RESET_MS = 30;
const SLOW_BYTE_MS = 20;
const CROSS_TALK_WAIT_MS = 300;
const DRIP_MS = 10;
const BUFFERED_MS = 700;

const never = () => new Promise(() => {});

/** A fault with a memory: it serves all requests of its addresses itself. */
export class Stateful {
  constructor(serve) {
    this.serve = serve;
  }
}

export const httpFaults = {
  // No fault, as JSON and as an event stream: what the others are compared with.
  none: ({ reply, good }) => reply.good(good),
  "sse-good": ({ reply, good }) => {
    reply.stream();
    reply.event(good);
    reply.fin();
  },

  // The connection.
  rst: ({ reply }) => reply.rst(),
  fin: ({ reply }) => reply.fin(),
  "rst-body": async ({ reply, good, rng }) => {
    halfBody(reply, good, rng);
    await sleep(BEFORE_RESET_MS);
    reply.rst();
  },
  "short-body": ({ reply, good, rng }) => {
    halfBody(reply, good, rng);
    reply.fin();
  },
  stall: never,
  "body-stall": ({ reply, good, rng }) => {
    halfBody(reply, good, rng);
    return never();
  },
  slow: async ({ reply, good }) => {
    const body = JSON.stringify(good);
    reply.head(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    for (const byte of Buffer.from(body)) {
      if (reply.socket.destroyed) return;
      reply.socket.write(Buffer.of(byte));
      await sleep(SLOW_BYTE_MS);
    }
  },

  // A right answer in pieces, with pauses: what a cutting proxy needs to cut in the middle of something.
  drip: ({ reply, good, rng }) => drip(reply, good, rng),

  // The event stream.
  "sse-fin": ({ reply }) => {
    reply.stream();
    reply.fin();
  },
  "sse-rst": async ({ reply }) => {
    reply.stream();
    await sleep(BEFORE_RESET_MS);
    reply.rst();
  },
  "sse-stall": ({ reply }) => {
    reply.stream();
    return never();
  },
  // As through a proxy that keeps an event stream until it ends: its head at once, then nothing, then everything.
  "sse-buffered": async ({ reply, good }) => {
    reply.streamHead();
    await sleep(BUFFERED_MS);
    reply.socket.write(": open\n\n: alive\n\n");
    reply.event(good);
    reply.fin();
  },
  "sse-mid-event": ({ reply, good, rng }) => {
    reply.stream();
    reply.socket.write(cut(`data: ${JSON.stringify(good)}`, rng));
    reply.fin();
  },
  // A whole data line without the empty line that dispatches it: the event must not count.
  "sse-no-blank-line": ({ reply, good }) => {
    reply.stream();
    reply.socket.write(`data: ${JSON.stringify(good)}\n`);
    reply.fin();
  },
  "sse-malformed": ({ reply }) => {
    reply.stream();
    reply.socket.write("data: {this is not JSON\n\n");
    reply.fin();
  },
  "sse-malformed-then-good": ({ reply, good }) => {
    reply.stream();
    reply.socket.write("data: {this is not JSON\n\n");
    reply.event(good);
    reply.fin();
  },
  "sse-wrong-id": ({ reply, good, rng }) => {
    reply.stream();
    reply.event({ ...good, id: otherId(rng) });
    reply.fin();
  },
  "sse-server-request": ({ reply, good }) => {
    reply.stream();
    reply.event({ jsonrpc: "2.0", id: "server-1", method: "roots/list" });
    reply.event(good);
    reply.fin();
  },
  duplicate: ({ reply, good }) => {
    reply.stream();
    reply.event(good);
    reply.event(duplicate(good));
    reply.fin();
  },
  "cross-talk": crossTalk,

  // The status.
  "status-400": ({ reply }) => reply.send(400, { "content-type": "text/plain" }, "bad request"),
  "status-401": ({ reply }) => reply.json(401, { error: "invalid_token" }, { "www-authenticate": 'Bearer realm="fault"' }),
  "status-403": ({ reply }) => reply.send(403, { "content-type": "text/plain" }, "forbidden"),
  "status-404": ({ reply }) => reply.send(404, { "content-type": "text/html" }, page("404 Not Found")),
  "status-405": ({ reply }) => reply.send(405, { allow: "GET" }, ""),
  "status-429": ({ reply }) => reply.send(429, { "retry-after": "1", "content-type": "text/plain" }, "slow down"),
  "status-500": ({ reply }) => reply.send(500, { "content-type": "text/plain" }, "internal error"),
  "status-502-html": ({ reply }) => reply.send(502, { "content-type": "text/html" }, page("502 Bad Gateway")),
  "status-503": ({ reply }) => reply.send(503, { "retry-after": "1", "content-type": "text/plain" }, "try later"),
  "status-403-scope": ({ reply }) =>
    reply.json(403, { error: "insufficient_scope" }, { "www-authenticate": 'Bearer error="insufficient_scope", scope="tools"' }),
  "method-not-found": ({ reply, message }) => reply.json(404, failure(message.id, -32601, "Method not found")),
  "header-mismatch": ({ reply, message }) => reply.json(400, failure(message.id, -32020, "Header mismatch: Mcp-Param-Region")),
  "version-refused": ({ reply, message }) =>
    reply.json(400, failure(message.id, -32022, "Unsupported protocol version", { supported: ["2026-07-28"], requested: "2026-07-28" })),
  "accepted-202": ({ reply }) => reply.send(202, {}, ""),
  "no-content-204": ({ reply }) => reply.head(204, {}),
  "redirect-307": ({ reply, request }) => reply.send(307, { location: request.url.replace(/\/[^/?]+(\?|$)/, "/none$1") }, ""),
  "redirect-307-cross": ({ reply, request }) =>
    reply.send(307, { location: `http://localhost:${request.headers.host.split(":")[1]}/call/none` }, ""),

  // The body.
  html: ({ reply }) => reply.send(200, { "content-type": "text/html" }, page("Welcome to the hotel network")),
  empty: ({ reply }) => reply.send(200, { "content-type": "application/json" }, ""),
  "rpc-error": ({ reply, message }) => reply.json(200, failure(message.id, -32603, "It broke inside", { part: "engine" })),
  "error-null-id": ({ reply }) => reply.json(200, failure(null, -32600, "Invalid request")),
  ...Object.fromEntries(Object.entries(bodyFaults).map(([name, spoil]) => [name, (context) => raw(context.reply, spoil(context))])),

  // The size.
  oversize: ({ reply, good, n }) => {
    const [before, after] = around(good);
    reply.head(200, { "content-type": "application/json", "content-length": Buffer.byteLength(before + after) + n });
    return writeBig(reply.socket, before, n, after, reply.mark);
  },
  "oversize-unannounced": async ({ reply, good, n }) => {
    reply.head(200, { "content-type": "application/json", connection: "close" });
    await writeBig(reply.socket, ...spread(good, n), reply.mark);
    reply.fin();
  },
  "oversize-sse": async ({ reply, good, n }) => {
    reply.stream();
    const [before, after] = around(good);
    await writeBig(reply.socket, `data: ${before}`, n, `${after}\n\n`, reply.mark);
    reply.fin();
  },
  "gzip-bomb": async ({ reply, good, n }) => {
    reply.head(200, { "content-type": "application/json", "content-encoding": "gzip", connection: "close" });
    const gzip = createGzip();
    gzip.pipe(reply.socket);
    reply.socket.once("close", () => gzip.destroy());
    // What is too much leaves before it is noted: the compressor would keep 16 MB to itself.
    const first = Math.min(n, TOO_MUCH + CHUNK);
    const [before, after] = around(good);
    await writeBig(gzip, before, first, "");
    await new Promise((resolve) => gzip.flush(resolve));
    reply.mark();
    await writeBig(gzip, "", n - first, after);
    gzip.end();
  },

  // The browser.
  "no-cors": ({ reply, request, good }) => {
    if (request.method === "OPTIONS") return reply.head(204, {}, { cors: false });
    return reply.json(200, good, {}, { cors: false });
  },

  // The session: the first call finds it lost; a client that initializes again is served.
  "session-404": new Stateful(lostSession((reply, id) => reply.json(404, failure(id, -32600, "Session not found")))),
  // As server-everything says it (P76).
  "session-400": new Stateful(lostSession((reply) => reply.json(400, failure(null, -32000, "Bad Request: No valid session ID provided")))),

  // Chance: one answer in ten is one of these; `?rate=` changes how often.
  random: (context) => {
    const { request, rng, good, reply } = context;
    if (rng() >= Number(request.query.get("rate") ?? 0.1)) return reply.good(good);
    return httpFaults[FLAKY[Math.floor(rng() * FLAKY.length)]](context);
  },
};

/** Faults by which a server says that it executed nothing: there the work is not done (and not counted) before. */
export const refusals = new Set([
  "status-400", "status-401", "status-403", "status-403-scope", "status-404", "status-405", "status-429", "method-not-found",
  "version-refused", "redirect-307", "redirect-307-cross", "error-null-id",
]);

const FLAKY = ["rst", "fin", "rst-body", "short-body", "sse-fin", "sse-rst", "status-500", "status-502-html", "malformed", "wrong-id"];

// The first call waits for a second one and receives, on its own stream, the second one's answer before its own.
const waiting = new Map();
async function crossTalk({ reply, request, message, good }) {
  const partner = waiting.get(request.url);
  if (partner) {
    waiting.delete(request.url);
    partner(message.id);
    await sleep(CROSS_TALK_WAIT_MS);
    return reply.good(good);
  }
  const foreignId = await new Promise((resolve) => {
    waiting.set(request.url, resolve);
    setTimeout(() => resolve(undefined), CROSS_TALK_WAIT_MS);
  });
  waiting.delete(request.url);
  reply.stream();
  if (foreignId !== undefined) {
    reply.event({ ...good, id: foreignId, result: { ...good.result, content: [{ type: "text", text: "stolen" }] } });
  }
  await sleep(BEFORE_RESET_MS);
  reply.event(good);
  reply.fin();
}

/** The sessions of the older eras. */
export const sessions = {
  open() {
    sessions.last += 1;
    const session = `session-${sessions.last}`;
    sessions.known.add(session);
    return session;
  },
  has: (session) => sessions.known.has(session),
  known: new Set(),
  last: 0,
};

const losers = new Set();
function lostSession(refuse) {
  return ({ reply, request, message, answers, isCall }) => {
    if (message.method === "server/discover") {
      return reply.json(400, failure(null, -32000, "Bad Request: Server not initialized"));
    }
    if (message.method === "initialize") return reply.json(200, answers.answer(message), { "mcp-session-id": sessions.open() });
    const session = request.headers["mcp-session-id"];
    if (isCall && sessions.has(session) && !losers.has(request.url)) {
      losers.add(request.url);
      sessions.known.delete(session);
    }
    if (!sessions.has(session)) return refuse(reply, message.id ?? null);
    return message.id === undefined ? reply.send(202, {}, "") : reply.good(answers.answer(message));
  };
}

async function drip(reply, good, rng) {
  const body = JSON.stringify(good);
  await sleep(rng() * DRIP_MS);
  if (rng() < 0.5) {
    reply.stream();
    await sleep(rng() * DRIP_MS);
    reply.event(good);
    return reply.fin();
  }
  reply.head(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  const part = cut(body, rng);
  reply.socket.write(part);
  await sleep(rng() * DRIP_MS);
  reply.socket.write(body.slice(part.length));
}

function halfBody(reply, good, rng) {
  const body = JSON.stringify(good);
  reply.head(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  reply.socket.write(cut(body, rng));
}

function raw(reply, body) {
  return reply.send(200, { "content-type": "application/json" }, body);
}

// The good answer as text before and after a place for more text.
function around(good) {
  const filled = { jsonrpc: "2.0", id: good.id, result: { ...good.result, content: [{ type: "text", text: "@" }] } };
  return JSON.stringify(filled).split("@");
}

function spread(good, n) {
  const [before, after] = around(good);
  return [before, n, after];
}

function page(title) {
  return `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
}
