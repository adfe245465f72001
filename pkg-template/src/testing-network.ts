// The server of `bowline/testing` and its network: what answers, over a `fetch` and a WebSocket that never leave the process, and how links end.

import type { Clock } from "./testing-clock.js";
import type { Execution } from "./testing.js";

type Message = { id?: number; method: string; params?: any };
type How = "clean" | "abrupt" | "half-open" | "mid-stream";

const INFO = { name: "fake", version: "1" };
const METHOD_NOT_FOUND = -32601;
const INTERNAL = -32603;
/** Not counted as executions: a client sends them by itself. */
const OWN = ["server/discover", "initialize", "ping", "subscriptions/listen"];

/** A link or an exchange of HTTP that can be ended from outside. */
interface Link {
  end(how: How): void;
}

export class Network {
  isOnline = true;
  readonly executions: Execution[] = [];
  readonly handlers = new Map<string, (params: any) => unknown>();
  readonly links = new Set<Link>();
  readonly #transports: readonly string[];
  readonly #clock: Clock;
  readonly #isModern: boolean;

  constructor(era: "modern" | "legacy", transports: readonly string[], clock: Clock) {
    this.#isModern = era === "modern";
    this.#transports = transports;
    this.#clock = clock;
    const defaults: Record<string, object> = {
      ping: {},
      "tools/list": { tools: [] },
      "prompts/list": { prompts: [] },
      "resources/list": { resources: [] },
      "resources/templates/list": { resourceTemplates: [] },
    };
    const capabilities = { tools: {}, prompts: {}, resources: {} };
    if (this.#isModern) {
      defaults["server/discover"] = {
        supportedVersions: ["2026-07-28"], capabilities, ttlMs: 0, cacheScope: "private", _meta: { "io.modelcontextprotocol/serverInfo": INFO },
      };
    } else {
      defaults.initialize = { protocolVersion: "2025-11-25", capabilities, serverInfo: INFO };
    }
    for (const [method, result] of Object.entries(defaults)) this.handlers.set(method, () => result);
  }

  /** The text of the answer; undefined for what gets none. */
  async answer(text: string): Promise<string | undefined> {
    const { id, method, params } = JSON.parse(text) as Message;
    if (id === undefined) return undefined;
    const handler = this.handlers.get(method);
    const respond = (body: object): string => JSON.stringify({ jsonrpc: "2.0", id, ...body });
    if (!handler) return respond({ error: { code: METHOD_NOT_FOUND, message: `no handler of ${method}` } });
    if (!OWN.includes(method)) this.executions.push({ method, params, at: this.#clock.now() });
    try {
      const result = (await handler(params)) as object;
      return respond({ result: this.#isModern ? { resultType: "complete", ...result } : result });
    } catch (error) {
      const { code = INTERNAL, message = String(error), data } = (error ?? {}) as { code?: number; message?: string; data?: unknown };
      return respond({ error: { code, message, data } });
    }
  }

  drop(how: How): void {
    for (const link of [...this.links]) {
      this.links.delete(link);
      link.end(how);
    }
  }

  readonly fetch = (async (_: unknown, { method = "GET", body, signal }: RequestInit = {}): Promise<Response> => {
    signal?.throwIfAborted();
    if (!this.isOnline) throw new TypeError("fetch failed");
    if (!this.#transports.includes("http")) return new Response(null, { status: 404 });
    if (method !== "POST") return new Response(null, { status: method === "DELETE" ? 200 : 405 });
    const link = {} as Link;
    const over = new AbortController();
    const ended = new Promise<Response>((resolve, reject) => {
      // The signal serves again for later fetches.
      signal?.addEventListener("abort", () => reject(signal.reason), over);
      link.end = (how) => {
        if (how === "mid-stream") resolve(new Response(broken(), { headers: { "content-type": "application/json" } }));
        else if (how !== "half-open") reject(new TypeError("fetch failed"));
      };
    });
    this.links.add(link);
    const answered = this.answer(body as string).then(async (text) => {
      if (!this.isOnline || !this.links.has(link)) return ended;
      if (text === undefined) return new Response(null, { status: 202 });
      return new Response(text, { headers: { "content-type": "application/json", "content-length": `${text.length}` } });
    });
    return Promise.race([ended, answered]).finally(() => {
      over.abort();
      this.links.delete(link);
    });
  }) as typeof globalThis.fetch;

  readonly WebSocket = socketsOf(this, () => this.#transports.includes("websocket")) as unknown as typeof globalThis.WebSocket;
}

/** The beginning of an answer, and then the end of the link. */
function broken(): ReadableStream<Uint8Array> {
  let isBegun = false;
  return new ReadableStream({
    pull(control) {
      if (isBegun) control.error(new TypeError("terminated"));
      else control.enqueue(new TextEncoder().encode('{"jsonrpc":"2.0",'));
      isBegun = true;
    },
  });
}

function socketsOf(network: Network, isOffered: () => boolean): object {
  return class Socket implements Link {
    readyState = 0;
    bufferedAmount = 0;
    onopen?: ((event: object) => void) | null;
    onmessage?: ((event: { data: string }) => void) | null;
    onclose?: ((event: { code: number; wasClean: boolean }) => void) | null;

    constructor() {
      queueMicrotask(() => {
        if (this.readyState !== 0) return;
        if (!network.isOnline || !isOffered()) return this.end("abrupt");
        this.readyState = 1;
        network.links.add(this);
        this.onopen?.({});
      });
    }

    send(text: string): void {
      if (!network.isOnline || !network.links.has(this)) return;
      void network.answer(text).then((answer) => {
        if (answer !== undefined && network.isOnline && network.links.has(this)) this.onmessage?.({ data: answer });
      });
    }

    close(): void {
      this.readyState = 3;
      network.links.delete(this);
    }

    end(how: How): void {
      if (how === "half-open") return;
      this.readyState = 3;
      this.onclose?.({ code: how === "clean" ? 1001 : 1006, wasClean: how === "clean" });
    }
  };
}
