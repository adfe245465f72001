// node fault.mjs PORT [SEED]: a server that misbehaves on purpose, on raw sockets, over HTTP and WebSocket.
//
//   /first/NAME      the fault is the answer to every request, the very first included
//   /call/NAME       server/discover, initialize and the lists are answered well; tools/call and resources/read fail
//   /ws/NAME         the same as /call over WebSocket;  /ws/first/NAME: the fault from the first message on
//   /call/asked, /ws/asked  each call names its fault: `arguments.fault`, or what follows # in the address of a resource
//   ?times=N         only the first N faults of this exact address, then good answers (vary the query to start anew)
//   ?n=BYTES         size for the oversize faults (default 17 MiB)
//   ?pid=N           the fault passes when the server is restarted
//   ?keep=0          every answer closes its connection, so that the fault meets a fresh one
//   GET /executions  how often tools/call ran, per arguments.key;  GET /requests?match=TEXT: what was received, and when
//                    (`at`) and when the last byte of a fault was written (`done`), in milliseconds of the Unix epoch
//   GET /faults      the names;  POST /reset: forgets executions, requests and sessions
//
// It routes and counts; the faults themselves are in fault/http.mjs and fault/ws.mjs, the doubles of what no real server does on command
// in fault/doubles.mjs (/call/NAME too). It never listens beyond
// loopback, and it is no model of a correct server.

import { createServer } from "node:net";

import { Answers } from "./fault/answers.mjs";
import { askedFault } from "./fault/bodies.mjs";
import { doubles } from "./fault/doubles.mjs";
import { httpFaults, refusals, Stateful } from "./fault/http.mjs";
import { random } from "./fault/random.mjs";
import { readRequests, responder } from "./fault/wire.mjs";
import { serveWebSocket, webSocketFaultNames } from "./fault/ws.mjs";
import { HOST } from "./ports.mjs";
import "./stdin-watch.mjs";

const DEFAULT_OVERSIZE = 17 * 1024 * 1024;
const LOG_LIMIT = 2000;
const CALLS = new Set(["tools/call", "resources/read"]);

const rng = random(Number(process.argv[3] ?? 1));
const answers = new Answers();
const faulted = new Map();
let log = [];

createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  readRequests(socket, async (request, rest) => {
    try {
      await route(socket, request, rest);
    } catch (error) {
      console.error(error);
      socket.destroy();
    }
  });
}).listen(Number(process.argv[2]), HOST);

// The promise it gives holds back the next request of the same connection.
async function route(socket, request, rest) {
  const reply = responder(socket, request);
  try {
    await answer(socket, request, rest, reply);
  } finally {
    if (request.query.get("keep") === "0") socket.end();
  }
}

async function answer(socket, request, rest, reply) {
  if (request.method === "OPTIONS" && !request.path.startsWith("/first/no-cors")) return reply.preflight();
  const [, form, ...names] = request.path.split("/");
  if (request.headers.upgrade?.toLowerCase() === "websocket" && form === "ws") {
    const first = names[0] === "first";
    return serveWebSocket(socket, request, rest, {
      fault: first ? names[1] : names[0],
      isDue: (message) => (first || CALLS.has(message.method)) && isDue(request),
      ...shared(request),
      receive: (message) => record(request, message),
    });
  }
  // What the same address answers to HTTP: a refusal is one for both, else it is a WebSocket's.
  const refused = form === "ws" && (/refuse-(\d{3})/.exec(request.path)?.[1] ?? 426);
  if (refused) return reply.send(Number(refused), {}, "");
  if (form === "first" || form === "call") return serveFault(form, names[0], request, reply);
  return serveAdmin(request, reply);
}

async function serveFault(form, name, request, reply) {
  const wanted = form === "call" && name === "asked" ? parse(request.body) : null;
  if (wanted) return serveFault(form, askedFault(wanted), request, reply);
  const fault = httpFaults[name] ?? doubles[name];
  if (!fault) return reply.json(404, { error: `no fault named ${name}` });
  if (request.method !== "POST") {
    // A legacy client's GET stream and DELETE are not what these addresses are about.
    record(request, null);
    if (fault.get && request.method === "GET") return fault.get({ request, reply });
    if (form === "first" && typeof fault === "function" && isDue(request)) return fault({ request, reply, message: {}, good: {}, ...shared(request) });
    return reply.send(405, { allow: "POST, OPTIONS" }, "");
  }
  const message = parse(request.body);
  if (!message) return reply.json(400, error(null, -32700, "Parse error"));
  reply.mark = record(request, message);
  const context = { request, reply, message, form, ...shared(request) };
  if (fault instanceof Stateful) {
    const isCall = CALLS.has(message.method);
    return fault.serve({ ...context, isCall, isDue: (isCall || message.method === "subscriptions/listen") && isDue(request) });
  }
  if ((form === "first" || CALLS.has(message.method)) && isDue(request)) {
    // The work is done before the answer goes wrong: the worst case for a client that would send it again.
    await fault({ ...context, good: refusals.has(name) ? undefined : answers.answer(message) });
    return reply.mark();
  }
  if (message.id === undefined) return reply.send(202, {}, "");
  return reply.good(answers.answer(message));
}

function shared(request) {
  return { answers, rng, n: Number(request.query.get("n") ?? DEFAULT_OVERSIZE) };
}

function isDue(request) {
  const { query } = request;
  if (query.has("pid") && Number(query.get("pid")) !== process.pid) return false;
  const times = Number(query.get("times") ?? Infinity);
  const before = faulted.get(request.url) ?? 0;
  if (before >= times) return false;
  faulted.set(request.url, before + 1);
  return true;
}

/** Keeps what was received; the function it gives notes that the answer's last byte was written. */
function record(request, message) {
  const entry = {
    at: Date.now(),
    url: request.url,
    http: request.method,
    method: message?.method,
    id: message?.id,
    params: message?.params,
    headers: request.headers,
  };
  log.push(entry);
  if (log.length > LOG_LIMIT) log = log.slice(-LOG_LIMIT / 2);
  return () => (entry.done ??= Date.now());
}

function serveAdmin(request, reply) {
  const match = request.query.get("match") ?? "";
  if (request.path === "/executions") return reply.json(200, Object.fromEntries(answers.executions));
  if (request.path === "/requests") return reply.json(200, log.filter(({ url }) => url.includes(match)));
  if (request.path === "/faults") {
    return reply.json(200, { http: Object.keys(httpFaults), doubles: Object.keys(doubles), ws: webSocketFaultNames });
  }
  if (request.path === "/reset" && request.method === "POST") {
    answers.executions.clear();
    faulted.clear();
    log = [];
    return reply.json(200, { ok: true });
  }
  return reply.json(404, { error: `no ${request.method} ${request.path}` });
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function error(id, code, message) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}
