// The one JavaScript snippet of the shell. It owns what must not cross into wasm memory: message texts, parsed values, promises'
// settlers, header objects. Wasm sees numbers: handles of values, slots of calls, ids of methods. It decides nothing.

import { lastWall, now } from "./env.js";
import { headerValue, stop } from "./http.js";
import { keeping } from "./keeping.js";
import { about } from "./listening.js";

export const values = [undefined];
const texts = [undefined]; // the JSON text a result came in, while somebody may need a second, independent copy of it
const counts = [0];
const free = [];
export const LAZY = {}; // stands for a value that was handed out; the next taker gets a frozen copy made from the text

/** A handle on a value; `text` is what a result was parsed from. */
export function put(value, text) {
  const handle = free.length ? free.pop() : values.length;
  values[handle] = value;
  texts[handle] = text;
  counts[handle] = 1;
  return handle;
}

export function retain(handle) {
  counts[handle]++;
}

export function release(handle) {
  if (--counts[handle] === 0) {
    values[handle] = texts[handle] = undefined;
    free.push(handle);
  }
}

// The first taker gets the parsed value itself. Whoever shares it (the cache, callers that joined the same read) gets one frozen
// copy, made when it is first asked for: nothing that is handed out can be changed into the cache, and a miss costs nothing extra.
export function take(handle) {
  let value = values[handle];
  if (value === LAZY) {
    value = values[handle] = freeze(JSON.parse(texts[handle]).result);
    texts[handle] = undefined;
  } else if (counts[handle] > 1 && texts[handle] !== undefined) {
    values[handle] = LAZY;
  }
  release(handle);
  return value;
}

function freeze(value, depth = 0) {
  // Deeper than this is an attack on the stack, not data.
  if (value !== null && typeof value === "object" && depth < 1000) {
    Object.freeze(value);
    for (const key in value) freeze(value[key], depth + 1);
  }
  return value;
}

/** The revisions a handshake answer names, as bits by their place in the core's table. */
export function revisions(handle) {
  const value = values[handle];
  const named = [value?.supportedVersions ?? value?.data?.supported ?? value?.protocolVersion].flat();
  return versions.reduce((bits, version, at) => bits | (named.includes(version) << at), 0);
}

const methods = new Map();
export const names = []; // by id
const quoted = []; // the same, as JSON
const cacheable = [];
export const versions = [];

/** Whether this instance's tables were taken over already. */
export const isSetUp = () => versions.length;

/** Takes over the core's tables (names with bars between, bits) and its two ears as wasm exports them: called directly, without a wrapper. */
export function setUp(exports, methods, cacheableBits, revisions) {
  ({ call, hear } = exports);
  versions.push(...revisions.split("|"));
  for (const [at, name] of methods.split("|").entries()) cacheable[methodId(name)] = (cacheableBits >> at) & 1;
}

function methodId(name) {
  let id = methods.get(name);
  if (id === undefined) {
    id = names.length;
    methods.set(name, id);
    names.push(name);
    quoted.push(JSON.stringify(name));
  }
  return id;
}

// Two requests share a result when method and params are equal up to the order of members.
function canonical(value) {
  if (typeof value?.toJSON === "function") value = value.toJSON();
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = [];
  for (const key of Object.keys(value).sort()) {
    if (value[key] !== undefined) members.push(JSON.stringify(key) + ":" + canonical(value[key]));
  }
  return `{${members.join()}}`;
}

export const clients = [];

/** Registers a client; `host` is the package's side of it, `limit` that of one message, `mark` that of a socket's buffer. */
export function open(host, limit, mark) {
  const meta =
    `"io.modelcontextprotocol/protocolVersion":"${versions.at(-1)}",` +
    (host.clientInfo ? `"io.modelcontextprotocol/clientInfo":${JSON.stringify(host.clientInfo)},` : "") +
    `"io.modelcontextprotocol/clientCapabilities":${JSON.stringify(host.capabilities)}`;
  const tables = { calls: [], free: [], keys: new Map(), keyTexts: [""], running: [], spare: [], sockets: [] };
  return clients.push({ host, limit, mark, meta, ...tables }) - 1;
}

export function shut(client) {
  stop(clients[client]);
  clients[client] = undefined;
}

/**
 * Takes away what an instance that trapped had, so that nothing of it reaches the next one, whose handles and clients are counted from the
 * start again (I6). Gives the clients it had.
 */
function reset() {
  const lost = clients.splice(0).filter(Boolean);
  values.length = texts.length = counts.length = 1;
  free.length = versions.length = notes.length = 0;
  for (const own of lost) {
    const { host, timer, sockets, watching } = own;
    (host.clock ?? globalThis).clearTimeout(timer);
    watching?.abort();
    sockets.forEach(hangup);
    stop(own);
  }
  return lost;
}

/** What the package uses of this module; it reaches it through the wasm module, so that there is one instance of both. */
export function api() {
  const printed = (handle) => values[handle];
  const calls = (client) => clients[client].calls;
  return { attach, calls, clients, make, methodId, params, key, message, names, printed, headerValue, reset, ...keeping };
}

// The entry has resolve(value, text), serve(value), reject(failure), ask(need, value), leave(id) and, if it listens, progress(value).
function attach(client, entry) {
  const { calls, free } = clients[client];
  const slot = free.length ? free.pop() : calls.length;
  calls[slot] = entry;
  return slot;
}

// A whole message of the package's own. Throws what JSON.stringify throws.
const message = (value) => put(JSON.stringify(value));

// Throws what JSON.stringify throws. Params are printed when they are given, so that later changes to them change nothing. The headers,
// pairs of a name and a value, go with them over modern HTTP.
function params(method, given, headers) {
  let name;
  let meta = "";
  if (given !== undefined && given !== null) {
    if (given._meta !== undefined) {
      const { _meta, ...rest } = given;
      if (_meta) meta = JSON.stringify(_meta).slice(1, -1);
      given = rest;
    }
    // P13: the name of the thing, where the method has one. A text from here on: making one of what an application gives may throw.
    name = method === 0 ? given.name : (given.uri ?? given.name ?? given.taskId);
    if (name !== undefined) name = `${name}`;
  }
  const text = given === undefined || given === null ? "{}" : JSON.stringify(given);
  if (text === undefined || text[0] !== "{") throw new TypeError("params must be an object");
  return put({ text, meta, headers, name });
}

// `always`: whether the method's results are kept; undefined for what the protocol says of it.
function key(client, method, given, always) {
  if (!(always ?? cacheable[method])) return 0;
  const { keys, keyTexts } = clients[client];
  const text = method + canonical(given ?? {});
  let id = keys.get(text);
  if (id === undefined) {
    id = keyTexts.push(text) - 1;
    keys.set(text, id);
  }
  return id;
}

export function forget(client, id) {
  const { keys, keyTexts } = clients[client];
  const text = keyTexts[id];
  delete keyTexts[id];
  // The same text may have a new number by now.
  if (keys.get(text) === id) keys.delete(text);
}

function detach(client, slot) {
  const { calls, free } = clients[client];
  const entry = calls[slot];
  calls[slot] = undefined;
  free.push(slot);
  return entry;
}

export function settle(client, slot, handle) {
  const text = texts[handle]; // before it is taken; of handle 0 there is none, and no value either
  detach(client, slot).resolve(handle === 0 ? undefined : take(handle), text);
}

// Of the core's enums, by their places in src/core (error.rs, link/mod.rs, wire/version.rs) and of `Detail` in driver.rs.
export const CODES =
  ("CONNECTION_CLOSED SEND_FAILED REQUEST_TIMEOUT CONNECT_TIMEOUT HEARTBEAT_TIMEOUT OFFLINE CONNECT_FAILED RECONNECT_EXHAUSTED CLIENT_CLOSED OUTCOME_UNKNOWN ABORTED " +
  "NOT_CACHED QUEUE_FULL QUEUE_TIMEOUT NOT_CONNECTED CIRCUIT_OPEN RPC_ERROR HTTP_ERROR STREAM_ENDED PARSE_ERROR MESSAGE_TOO_LARGE PROTOCOL_VERSION INPUT_REQUIRED INVALID_RESULT AUTH_REQUIRED " +
  "FORBIDDEN CORS_OR_NETWORK CSP_BLOCKED LOCAL_NETWORK_BLOCKED RATE_LIMITED INTERNAL").split(" ");
export const OUTCOMES = ["not-sent", "not-applied", "applied", "unknown"];
export const STATES = "idle connecting ready reconnecting suspended auth_required closed failed".split(" ");
export const TRANSPORTS = ["websocket", "http"];
export const ERAS = ["legacy", "modern"];
export const CAUSES = ["exhausted", "offline", "hidden", "frozen", "manual"];
export const KINDS = ["", "rpc", "http", "close", "time", "note", "input"];

export function failure(code, outcome, retryable, kind, number, extra, note, handle) {
  const value = handle === 0 ? undefined : take(handle);
  return put({ code: CODES[code], outcome: OUTCOMES[outcome], retryable: !!retryable, kind: KINDS[kind], number, extra, note, value });
}

export function fail(client, slot, failure) {
  detach(client, slot).reject(take(failure));
}

// What is thrown there must not unwind through wasm: it becomes an uncaught error of its own.
export function tell(work) {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export function progress(client, slot, handle) {
  const { progressToken, ...report } = take(handle).params;
  tell(() => clients[client].calls[slot].progress(report));
}

export function state(client, state, transport, era, version, attempt, retryAt, epoch, cause, reason) {
  const why = reason === 0 ? null : take(reason);
  const names = [STATES[state], TRANSPORTS[transport] ?? "", ERAS[era] ?? "", versions[version] ?? ""];
  tell(() => clients[client].host.onState(...names, attempt, retryAt, epoch, CAUSES[cause] ?? "", why));
}

export function server(client, handle) {
  tell(() => clients[client].host.onServer(take(handle)));
}

export function notification(client, handle) {
  tell(() => clients[client].host.onNotification(take(handle)));
}

const notes = [];

/** One of the numbers that `noted` gives, in the order of the core's shell; the package has their names. */
export const note = (value) => void notes.push(value);
export const noted = () => notes.splice(0);

export function breaker(client, state) {
  tell(() => clients[client].host.onBreaker(["closed", "open", "half-open"][state]));
}

export function stalled(client, slot, ms, flows) {
  tell(() => clients[client].host.onStalled(clients[client].calls[slot], ms, flows));
}

export function replay(client, slot, id, nth) {
  tell(() => clients[client].host.onReplay(clients[client].calls[slot], id, nth));
}

export function late(client, id, applied, handle) {
  tell(() => clients[client].host.onLate(id, applied, take(handle)));
}

export const REQUEST = 0, NOTIFICATION = 1, INITIALIZE = 3;
const DISCOVER = 2, INITIALIZED = 4, CANCELLED = 5, PONG = 6, PING = 8;
export const MODERN = 4; // index of 2026-07-28 among the versions

/**
 * The text of a message; the kinds are those above. The flags: 1, it asks for progress; 2, it is a call that may change the world, whose
 * entry hears of it before the bytes leave.
 */
export function encode(client, kind, id, method, handle, version, flags) {
  const { host, meta } = clients[client];
  const modern = version >= MODERN;
  switch (kind) {
    case REQUEST:
    case NOTIFICATION: {
      const { text, meta: own } = values[handle];
      // See `RequestId` in the core's ids.rs.
      if (flags & 2) clients[client].calls[(id >>> 1) & (id & 1 ? 0xfffff : 0x3ff)].leave(id, lastWall);
      let inner = flags & 1 ? `"progressToken":${id}` : "";
      if (own) inner += inner ? "," + own : own;
      if (modern && kind === REQUEST) inner += inner ? "," + meta : meta;
      const head = kind === REQUEST ? `{"jsonrpc":"2.0","id":${id},"method":` : '{"jsonrpc":"2.0","method":';
      if (!inner) return `${head}${quoted[method]},"params":${text}}`;
      return `${head}${quoted[method]},"params":{"_meta":{${inner}}${text.length === 2 ? "" : ","}${text.slice(1)}}`;
    }
    case DISCOVER:
      return `{"jsonrpc":"2.0","id":${id},"method":"server/discover","params":{"_meta":{${meta}}}}`;
    case INITIALIZE: {
      // Here the protocol wants a name: one that says nothing, when the application gives none (P9).
      const { capabilities, clientInfo = { name: "client", version: "0" } } = host;
      const params = { protocolVersion: versions[version], capabilities, clientInfo };
      return `{"jsonrpc":"2.0","id":${id},"method":"initialize","params":${JSON.stringify(params)}}`;
    }
    case INITIALIZED:
      return '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    case CANCELLED:
      return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
    case PONG:
      return `{"jsonrpc":"2.0","id":${JSON.stringify(values[handle].id)},"result":{}}`;
    case PING:
      return `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
    default:
      return values[handle];
  }
}

/** How much was handed to the socket, negative when it holds back more than it should now; 0 when it takes nothing. */
export function send(socket, client, kind, id, method, handle, version, flags) {
  // A socket that is closing swallows frames without a word.
  if (socket.readyState !== 1) return 0;
  const text = encode(client, kind, id, method, handle, version, flags);
  try {
    socket.send(text);
  } catch {
    return 0;
  }
  return socket.bufferedAmount > clients[client].mark ? -text.length : text.length;
}

const SUBPROTOCOLS = ["mcp", "mcp.version.2026-07-28", "mcp.version.2025-11-25"];

export function dial(client, subprotocols) {
  const own = clients[client];
  const { WebSocket, webSocketUrl } = own.host;
  try {
    const socket = subprotocols ? new WebSocket(webSocketUrl, SUBPROTOCOLS) : new WebSocket(webSocketUrl);
    own.sockets = [...own.sockets.filter(({ readyState }) => readyState < 2), socket];
    return socket;
  } catch {
    // A URL that the browser refuses, or no WebSocket at all.
  }
}

const RESULT = 0, ERROR = 1, NOTICE = 2, ASKED = 3, BAD_JSON = 5, BAD_ENVELOPE = 6, BAD_BINARY = 7;
const OPENED = 8, CLOSED = 9, WAKE = 14, ODD_ID = 32;
export const TOO_LARGE = 4, HEAD = 10, CHUNK = 11, ENDED = 12, FAILED = 13, SIGNAL = 15, ALIVE = 16;

// What wasm hears of: calls that are made, and everything that happens. Both are told the time, and give back a handle to be released, or 0:
// two crossings less than if they asked for both.
let call, hear;

/** Hands over the call in a slot; the numbers are those of `call` in the bindings. */
function make(client, slot, method, params, priority, timeout, maxTotal, maxQueueTime, flags, key, ttl) {
  const left = call(now(client), client, slot, method, params, priority, timeout, maxTotal, maxQueueTime, flags, key, ttl);
  if (left) release(left);
}

/**
 * Tells what happened. The source is an exchange, or a link with its sign turned. What is left out arrives as 0, and as NaN for the two
 * floats, id and number.
 */
export function on(client, source, kind, id, handle, info, number, size) {
  const left = hear(now(client), client, source, kind, id, handle, info, number, size);
  if (left) release(left);
}

/** Tells what happens on a socket. */
export function listen(socket, client, link) {
  const source = -link;
  socket.onopen = () => on(client, source, OPENED);
  socket.onclose = (event) => on(client, source, CLOSED, 0, 0, event.code);
  socket.onmessage = (event) => {
    const text = event.data;
    if (typeof text === "string") receive(text, client, source);
    else on(client, source, BAD_BINARY);
  };
  // An error event says nothing; the close event that follows it does, unless it was the page's policy. Without a listener Node's `ws`
  // would throw.
  socket.onerror = () => clients[client]?.barred && socket.onclose?.({ code: 1006 });
}

/** Takes the listeners off and closes. Harmless when it is closed already; no code means 1005, a normal end. */
export function hangup(socket) {
  socket.onopen = socket.onmessage = socket.onclose = null;
  try {
    socket.close();
  } catch {
    // What an application gives for a WebSocket may do anything.
  }
}

/** Copies the bytes behind a handle into wasm memory. */
export function copyBytes(handle, into) {
  into.set(values[handle]);
}

/** The text of one event of an event stream. */
export function receiveBytes(bytes, client, source) {
  receive(decoder.decode(bytes), client, source);
}

const decoder = new TextDecoder();

const LONG = 16384; // a shorter text cannot be nested so deeply that it matters
const DEEPEST = 512;

/** Whether a text is nested deeper than what works through it afterwards can bear. */
function isDeep(text) {
  for (let at = 0, depth = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 34) {
      // A string ends at a quote behind an even number of backslashes.
      for (let back = 1; back & 1; ) {
        at = text.indexOf('"', at + 1);
        if (at < 0) return false;
        for (back = 0; text[at - 1 - back] === "\\"; ) back++;
      }
    } else if ((unit | 32) === 123) {
      if (++depth > DEEPEST) return true;
    } else if ((unit | 32) === 125) depth--;
  }
}

/** What a text says. */
export function receive(text, client, source) {
  const { limit } = clients[client];
  // Beyond four times the limit not even the id is worth the memory of a parse.
  if (text.length > 4 * limit) return on(client, source, TOO_LARGE);
  let message;
  if (text.length > LONG && text.length <= limit && isDeep(text)) return on(client, source, BAD_JSON);
  try {
    message = JSON.parse(text);
  } catch {
    return on(client, source, BAD_JSON);
  }
  if (!Array.isArray(message)) return deliver(message, text, client, source);
  for (const one of message) deliver(one, JSON.stringify(one), client, source); // a batch of 2025-03-26 (P6)
}

function deliver(message, text, client, source) {
  const size = text.length;
  const id = number(message?.id);
  const odd = typeof message?.id === "string" ? ODD_ID : 0;
  // Some servers write both, of which one is null.
  if (message?.result !== undefined && !(message.result === null && message.error)) {
    if (size > clients[client].limit) return on(client, source, TOO_LARGE, id);
    const { result } = message;
    const kind = result?.resultType;
    const ttl = result?.ttlMs;
    let info = 7;
    if (kind === undefined || kind === "complete") info = 0;
    else if (kind === "input_required") info = result.inputRequests ? 1 : 2;
    else if (kind === "task" && clients[client].host.capabilities.extensions?.["io.modelcontextprotocol/tasks"]) info = 3;
    if (typeof ttl === "number") info |= 8;
    if (result?.cacheScope === "public") info |= 16;
    on(client, source, RESULT, id, put(result, text), info | odd, ttl, size);
  } else if (message?.error) {
    const { code } = message.error;
    on(client, source, ERROR, id, put(message.error), odd, typeof code === "number" ? code : 0, size);
  } else if (typeof message?.method !== "string") {
    on(client, source, BAD_ENVELOPE);
  } else if (typeof message.id === "number" || typeof message.id === "string") {
    on(client, source, ASKED, NaN, put(message), message.method === "ping" ? 1 : 0, 0, size);
  } else {
    on(client, source, NOTICE, number(about(message)), put(message), methodId(message.method), 0, size);
  }
}

// Ids are ours and numbers; some servers send them back as text, which is counted.
function number(id) {
  return typeof id === "number" ? id : typeof id === "string" && /^\d{1,16}$/.test(id) ? +id : NaN;
}

// No timer of a page that is seen is so late, and none of a hidden one seven times so: there they may come once a minute.
const ASLEEP = 10_000;

/** Sets the client's one timer; a negative delay only clears it. */
export function wake(client, delay) {
  const own = clients[client];
  const { setTimeout, clearTimeout } = own.host.clock ?? globalThis;
  const due = Date.now() + delay;
  clearTimeout(own.timer);
  const fire = () => on(client, 0, WAKE, 0, 0, Date.now() - due > ASLEEP * (globalThis.document?.hidden ? 7 : 1) ? 1 : 0);
  if (delay >= 0) own.timer = setTimeout(fire, delay);
}
