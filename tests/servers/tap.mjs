// Reads what passes through a proxy, HTTP and WebSocket, and keeps what clients said: for tests that ask what was on the wire, and
// for the check of every message against the specification's schema. It changes nothing and delays nothing.

import { PerMessageDeflate, Receiver } from "ws";

import { check, kindOf, MODERN } from "../schema/check.mjs";
import { checkGet, checkPost } from "../schema/headers.mjs";
import { takeRequest } from "./fault/wire.mjs";

const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const HEAD_END = "\r\n\r\n";
// What a server that predates the header assumes of a request without one (S0618/basic/transports).
const ASSUMED = "2025-03-26";
const OLDEST = "2024-11-05";
const HELLO_LIMIT = 256 * 1024;
const SHOWN = 600;

/** What the clients of one server said. `old`: over the HTTP+SSE of 2024-11-05, which has no version header whatever is agreed (P83). */
export class Wire {
  /** In the order of their passing: `{ at, transport, http?, url?, headers?, text, message, talk }`; no message with GET and DELETE. */
  sent = [];
  // What was agreed with whom: by session id, or for all who have none.
  #talks = new Map();
  #unreadable = [];

  constructor({ old = false } = {}) {
    this.old = old;
  }

  /** A reader of one connection: `sent(chunk)` and `heard(chunk)` take its two directions. */
  connection() {
    return new Tap(this);
  }

  /** What was sent of one method. */
  of(method) {
    return this.sent.filter(({ message }) => message?.method === method);
  }

  talk(session) {
    if (!this.#talks.has(session)) this.#talks.set(session, { version: undefined });
    return this.#talks.get(session);
  }

  unreadable(why) {
    this.#unreadable.push(why);
  }

  /** What is wrong with what was said so far, each with the message itself; nothing when all is right. */
  problems() {
    const used = new Map();
    const wrong = this.sent.flatMap((entry) => {
      const found = [...problemsOf(entry, this.old ? OLDEST : entry.talk.version), ...reused(entry, used)];
      const shown = entry.text === undefined ? `${entry.http} ${entry.url}` : entry.text.slice(0, SHOWN);
      return found.length > 0 ? [`${found.join("\n")}\n  in ${entry.transport} ${revisionOf(entry)} ${shown}`] : [];
    });
    return [...this.#unreadable, ...wrong];
  }
}

// P2: an id is used once in a session. Without one, other clients may use it too.
function reused({ talk, message }, used) {
  if (!talk.alone || message?.id === undefined || kindOf(message) !== "request") return [];
  if (!used.has(talk)) used.set(talk, new Set());
  const ids = used.get(talk);
  if (ids.has(message.id)) return [`id ${message.id} was used before (P2)`];
  ids.add(message.id);
  return [];
}

/** The revision that a message has to follow. */
export function revisionOf({ message, headers = {}, talk }) {
  const own = message?.params?._meta?.[VERSION_KEY];
  if (own !== undefined) return own;
  if (message?.method === "initialize") return message.params?.protocolVersion;
  const header = headers["mcp-protocol-version"];
  return header === MODERN ? MODERN : (talk.version ?? header ?? ASSUMED);
}

function problemsOf(entry, negotiated) {
  const { transport, http, headers, text, message } = entry;
  const revision = revisionOf(entry);
  if (http === "GET") return checkGet(revision, headers, negotiated);
  if (http === "DELETE") return [];
  const found = check(revision, text);
  if (transport === "ws" || message === undefined) return found;
  return [...found, ...checkPost(revision, headers, message, negotiated)];
}

class Tap {
  #wire;
  #buffer = Buffer.alloc(0);
  #frames = null;
  #talk = null;
  // What the server says, read only as far as the answer to `initialize` and the frames of a WebSocket need it.
  #answer = "";
  #greeted = null;
  #server = null;

  constructor(wire) {
    this.#wire = wire;
  }

  sent(chunk) {
    // A copy: the library unmasks in place what the proxy is about to pass on.
    if (this.#frames) return void this.#frames.write(Buffer.from(chunk));
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let found; (found = takeRequest(this.#buffer)); ) {
      this.#buffer = found.rest;
      if (found.request.headers.upgrade) return this.#upgrade(found.rest);
      this.#request(found.request);
    }
  }

  heard(chunk) {
    if (this.#server) return void this.#server.write(chunk);
    if (!this.#frames && !this.#greeted) return;
    this.#answer += chunk.toString("latin1");
    if (this.#frames) return this.#open();
    const version = /"protocolVersion"\s*:\s*"([\d-]+)"/.exec(this.#answer)?.[1];
    if (version) {
      const session = /^mcp-session-id:[ \t]*(.*?)\r$/im.exec(this.#answer)?.[1];
      Object.assign(this.#wire.talk(session), { version, alone: session !== undefined });
    }
    if (version || this.#answer.length > HELLO_LIMIT) this.#greeted = null;
  }

  #request({ method: http, url, headers, body }) {
    if (!headers["content-type"]?.includes("json") && !headers.accept?.includes("text/event-stream") && http !== "DELETE") return;
    if (headers["transfer-encoding"]) this.#wire.unreadable(`${http} ${url}: a body without its length`);
    const talk = this.#wire.talk(headers["mcp-session-id"]);
    if (http !== "POST") return this.#keep({ transport: "http", http, url, headers, talk });
    const message = parsed(body);
    if (message?.method === "initialize") {
      this.#greeted = message;
      this.#answer = "";
    }
    this.#keep({ transport: "http", http, url, headers, talk, text: body, message });
  }

  // P1: one message per text frame. Both ends may compress, so the frames are read by the library that also tests use as a peer.
  #upgrade(rest) {
    const talk = { version: undefined, alone: true };
    this.#frames = receiver(true, (text, binary) => {
      if (binary) this.#wire.unreadable("a binary frame (P84)");
      this.#keep({ transport: "ws", talk, text, message: parsed(text) });
    });
    this.#frames.on("error", (error) => this.#wire.unreadable(`not a WebSocket frame: ${error.message}`));
    this.#talk = talk;
    if (rest.length > 0) this.#frames.write(rest);
  }

  #open() {
    const end = this.#answer.indexOf(HEAD_END);
    if (end < 0) return;
    this.#server = receiver(false, (text) => {
      this.#talk.version ??= parsed(text)?.result?.protocolVersion;
    });
    this.#server.on("error", () => {});
    const rest = Buffer.from(this.#answer.slice(end + HEAD_END.length), "latin1");
    this.#answer = "";
    if (rest.length > 0) this.#server.write(rest);
  }

  #keep(entry) {
    this.#wire.sent.push({ at: performance.now(), ...entry });
  }
}

function receiver(isServer, hear) {
  const deflate = new PerMessageDeflate({ isServer });
  deflate.accept([{}]);
  const frames = new Receiver({ isServer, extensions: { [PerMessageDeflate.extensionName]: deflate } });
  return frames.on("message", (data, binary) => hear(data.toString(), binary));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
