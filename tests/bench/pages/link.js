// The links a subject is given: the page's own WebSocket and fetch, or fakes of the same shape that
// answer in a microtask, so that what is left is the client's own cost. Not a test double for
// behaviour: no errors, no closes by the server, no streams.
import { answer } from "./answers.js";

/** The real thing, for the loopback rows. */
export function realLink() {
  return { WebSocket: globalThis.WebSocket, fetch: globalThis.fetch.bind(globalThis), sent: () => 0 };
}

/** A pair of fakes and a count of the requests that reached them. */
export function fakeLink() {
  let sent = 0;

  class FakeWebSocket {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;

    constructor(url, protocols) {
      this.url = String(url);
      this.protocol = (Array.isArray(protocols) ? protocols[0] : protocols) ?? "";
      this.extensions = "";
      this.binaryType = "blob";
      this.bufferedAmount = 0;
      this.readyState = 0;
      this.onopen = this.onmessage = this.onclose = this.onerror = null;
      this.listeners = { open: [], message: [], close: [], error: [] };
      queueMicrotask(() => {
        this.readyState = 1;
        emit(this, { type: "open", target: this });
      });
    }

    send(text) {
      const reply = answer(text);
      if (reply === null) return;
      sent++;
      queueMicrotask(() => emit(this, { type: "message", data: reply, target: this }));
    }

    close(code = 1000, reason = "") {
      if (this.readyState > 1) return;
      this.readyState = 3;
      queueMicrotask(() => emit(this, { type: "close", code, reason, wasClean: true, target: this }));
    }

    addEventListener(type, listener, options) {
      this.listeners[type].push({ listener, once: options?.once === true });
    }

    removeEventListener(type, listener) {
      this.listeners[type] = this.listeners[type].filter((entry) => entry.listener !== listener);
    }
  }
  FakeWebSocket.prototype.CONNECTING = 0;
  FakeWebSocket.prototype.OPEN = 1;
  FakeWebSocket.prototype.CLOSING = 2;
  FakeWebSocket.prototype.CLOSED = 3;

  function fetch(url, init) {
    // The session stream of the legacy era: this server offers none.
    if (init?.method !== "POST") return Promise.resolve(new Response(null, { status: 405 }));
    if (typeof init.body !== "string") throw new TypeError("bench: fetch needs a string body");
    const text = answer(init.body);
    if (text === null) return Promise.resolve(new Response(null, { status: 202 }));
    sent++;
    const headers = { "content-type": "application/json", "content-length": String(text.length) };
    return Promise.resolve(new Response(text, { headers }));
  }

  return { WebSocket: FakeWebSocket, fetch, sent: () => sent };
}

function emit(socket, event) {
  const handler = socket[`on${event.type}`];
  if (handler) handler.call(socket, event);
  const entries = socket.listeners[event.type];
  if (entries.length === 0) return;
  for (const { listener, once } of [...entries]) {
    if (once) socket.removeEventListener(event.type, listener);
    if (typeof listener === "function") listener.call(socket, event);
    else listener.handleEvent(event);
  }
}
