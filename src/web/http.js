// One HTTP exchange: its headers, its `fetch`, and the reading of its answer, of which wasm hears by numbers. It decides nothing.

import {
  ALIVE, CHUNK, clients, encode, ENDED, FAILED, HEAD, INITIALIZE, MODERN, names, NOTIFICATION, on, put, receive, REQUEST, TOO_LARGE, values, versions,
} from "./glue.js";

const JSON_BODY = 0, EVENT_STREAM = 1; // by their place in the list of media types that mean something
const END = -1, PROBE = -3; // kinds of an exchange without a message; the one between them is a stream
const SMALL = 16384; // a body declared to be shorter cannot inflate beyond the limit, even compressed

/** Starts an exchange and returns the length of its body. */
export function exchange(client, source, kind, id, method, handle, version, flags, session, resume, endpoint) {
  const own = clients[client];
  const { host } = own;
  const aborter = kind === END ? OVER : begin(own, source);
  const { signal } = aborter;
  const headers = { accept: "application/json, text/event-stream" };
  // A redirect that is followed hands the message, and what a function of headers added, to whoever it names (security A25, I5).
  const init = { method: "POST", headers, redirect: "manual", signal };
  if (kind >= REQUEST) {
    init.body = encode(client, kind, id, method, handle, version, flags);
    headers["content-type"] = "application/json";
  } else if (kind === END) {
    // The end of a session goes on when the client is gone, and outlives the page that ends it.
    Object.assign(init, { method: "DELETE", keepalive: true });
  } else {
    Object.assign(init, { method: "GET", cache: "no-store" });
    headers.accept = "text/event-stream";
  }
  // What revision is spoken is `initialize`'s very question: only its body names one (P75).
  if (version >= 0 && kind !== INITIALIZE) headers["mcp-protocol-version"] = versions[version];
  if (version >= MODERN && kind !== NOTIFICATION) {
    headers["mcp-method"] = kind === REQUEST ? names[method] : "server/discover";
    const { name, headers: mirrored } = (kind === REQUEST && values[handle]) || {};
    if (name !== undefined) headers["mcp-name"] = headerValue(name);
    if (mirrored) for (const [header, value] of mirrored) headers[header] = value;
  }
  if (session) headers["mcp-session-id"] = values[session];
  if (resume) headers["last-event-id"] = values[resume];
  const address = kind === PROBE ? host.webSocketUrl.replace(/^ws/, "http") : host.url;
  run(client, source, kind, aborter, init, endpoint ? values[endpoint] : address);
  return init.body ? init.body.length : 0;
}

/** Of an exchange that nothing is told of. */
const OVER = { source: 0 };

/** What aborts an exchange, with its signal, which is costly to ask for; its source is 0 once the exchange is over. */
function begin({ running, spare }, source) {
  const aborter = spare.pop() ?? aborterOf(new AbortController());
  aborter.source = source;
  aborter.at = running.push(aborter) - 1;
  return aborter;
}

const aborterOf = (controller) => ({ controller, signal: controller.signal, source: 0, at: 0 });

/** Forgets an exchange, and says whether it ran. */
function finish({ running }, aborter) {
  if (!aborter.source) return false;
  const last = running.pop();
  if (last !== aborter) running[(last.at = aborter.at)] = last;
  aborter.source = 0;
  return true;
}

/** Ends an exchange; nothing more is told of it. Harmless when it is over. */
export const abort = (client, source) => stop(clients[client], source);

/** Ends this exchange of a client, or all. */
export function stop(own, source) {
  for (const aborter of own.running.filter((one) => !source || one.source === source)) {
    finish(own, aborter);
    aborter.controller.abort();
  }
}

// A runtime may keep something on a signal for each `fetch` it was given to, so each serves some 250 times. A prime, so that none of several
// in turn is left out.
const REUSED = 251;

const UNKNOWN = 0, BLOCKED = 1, DOWN = 2, UNSENT = 3, POLICY = 4, LOCAL = 5;
// Why a first `fetch` failed (P90): a request whose answer may not be read succeeds when only the CORS headers are missing. The limit
// keeps the diagnosis from delaying the failure.
async function reach(own, url) {
  const { fetch, isLocal } = own.host;
  try {
    await fetch(url, { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(80) });
    return BLOCKED;
  } catch (error) {
    if (own.barred) return POLICY;
    if (error?.name === "TimeoutError") return UNKNOWN;
    return isLocal && (await isDenied()) ? LOCAL : DOWN;
  }
}

// The permission a page of the internet needs for addresses behind it (P91); who knows no such permission needs none.
async function isDenied() {
  try {
    return (await navigator.permissions.query({ name: "local-network-access" })).state === "denied";
  } catch {
    return false;
  }
}

async function run(client, source, kind, aborter, init, url) {
  const own = clients[client];
  const { host, limit } = own;
  const { fetch, headers: more } = host;
  let end = ENDED;
  let how = UNSENT;
  try {
    // By the names that ours have, or `fetch` would join both values; what it would not take is found before it is asked.
    if (more) new Headers((typeof more === "function" ? await more() : more) ?? {}).forEach((value, name) => (init.headers[name] = value));
    how = UNKNOWN;
    if (kind === PROBE && own.barred) throw own.barred;
    const response = await fetch(url, init);
    // Every getter of a response makes an object; `body` a whole stream. Only what is needed is touched.
    const { status, headers } = response;
    host.answered = true;
    const type = headers.get("content-type");
    const content = type === "application/json" ? JSON_BODY : contentOf(type ?? "");
    // Only the handshake begins a session. A refusal may say what credentials would do; nothing else of it is asked for.
    let session = kind === INITIALIZE && status < 300 && headers.get("mcp-session-id");
    const challenge = (status === 401 || status === 403) && headers.get("www-authenticate");
    if (session && /[^!-~]/.test(session)) {
      // No such id is one (P76), and two that were joined on the way are none either.
      host.warn("Mcp-Session-Id is not visible ASCII: ignored");
      session = "";
    }
    const length = content === JSON_BODY ? +headers.get("content-length") : 0;
    let text = "";
    if (length > 0 && length <= SMALL) {
      text = await response.text();
      if (status === 200 && !session && text[0] === "{") {
        // The common case, told in one: a message without a head is the whole of a plain answer.
        if (!finish(own, aborter)) return;
        // Its body was read to the end: nothing listens to its signal any more, and the next can have it.
        if (source % REUSED) own.spare.push(aborter);
        return receive(text, client, source);
      }
      head(aborter, client, source, status, headers, content, session || challenge);
    } else {
      head(aborter, client, source, status, headers, content, session || challenge);
      const reader = response.body?.getReader();
      // What means nothing may have no end, and would keep its connection.
      if (content !== JSON_BODY && content !== EVENT_STREAM) reader?.cancel().catch(() => {});
      const decoder = new TextDecoder();
      const parts = [];
      for (let bytes = 0; reader && aborter.source; ) {
        const { done, value } = await reader.read();
        if (done || !aborter.source) break;
        parts.push(value);
        if (content === EVENT_STREAM && (value.includes(10) || value.includes(13))) {
          bytes = 0;
          for (const part of parts.splice(0)) if (aborter.source) on(client, source, CHUNK, 0, put(part), 0, 0, part.length);
        } else if ((bytes += value.length) > limit) {
          // Nothing beyond the limit is read, and nothing of the rest kept. An endless line has not even touched wasm memory.
          reader.cancel().catch(() => {});
          parts.length = 0;
          on(client, source, TOO_LARGE);
          break;
        } else on(client, source, ALIVE); // a long message on a slow link is no silence
      }
      // Only now: a body that turns out to be too large never becomes text, and the unfinished line of a stream means nothing.
      if (content === JSON_BODY) for (const part of parts) text += decoder.decode(part, { stream: true });
    }
    if (text && !challenge && aborter.source) receive(text, client, source);
  } catch {
    end = FAILED;
    if (how === UNKNOWN && !host.answered && aborter.source) how = await reach(own, url);
  }
  // Forgotten first: aborting what is over costs a DOMException.
  if (finish(own, aborter)) on(client, source, end, 0, 0, how);
}

const contentOf = (type) => ["json", "event-stream", "html"].findIndex((kind) => type.toLowerCase().includes(kind));

function head(aborter, client, source, status, headers, content, text) {
  const wait = retryAfter(status < 300 ? null : headers.get("retry-after"));
  if (aborter.source) on(client, source, HEAD, 0, text ? put(text) : 0, content, wait, status);
}

function retryAfter(text) {
  if (text === null) return -1;
  const ms = /^\d+$/.test(text) ? text * 1000 : Date.parse(text) - Date.now();
  return ms >= 0 ? ms : -1;
}

// P15: a header carries printable ASCII without blanks at its ends; anything else, and what looks like an encoded value, goes as base64
// of its UTF-8, so that decoding is unambiguous and no CR or LF can reach a header line.
export function headerValue(text) {
  if (text === text.trim() && /^(?!=\?base64\?.*\?=$)[\t -~]*$/.test(text)) return text;
  return `=?base64?${btoa(encoder.encode(text).reduce((all, byte) => all + String.fromCharCode(byte), ""))}?=`;
}

const encoder = new TextEncoder();
