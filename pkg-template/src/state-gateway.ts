// One endpoint of shared state over HTTP: how a request is made and how its failures are named. It knows no provider's protocol.

import type { StateHeaders } from "./state-config.js";
import { stateError } from "./state-error.js";

/** What Redis said: its reply, or its error. */
export type Reply = { readonly result: unknown; readonly error?: undefined } | { readonly error: string; readonly result?: undefined };

/** A Redis behind a gateway. */
export interface Gateway {
  /** What messages call it. */
  readonly url: string;
  /** Executes one command. Rejects when there is no reply. */
  command(args: readonly string[]): Promise<Reply>;
  /** Hears a channel until the stream ends or breaks. `opened` when it stands. */
  listen(channel: string, opened: () => void, heard: (message: string) => void, ending: Closing): Promise<void>;
}

/** What every endpoint needs to know. */
export interface Line {
  /** Without a slash at its end. */
  readonly url: string;
  /** Asked in this order; the last wins. */
  readonly headers: readonly (StateHeaders | undefined)[];
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds. */
  readonly timeout: number;
  /** Ends whatever is under way. */
  readonly closing: Closing;
}

/** Something that ends once, and who wants to hear of it. Not an AbortSignal: Node warns of eleven listeners to one. */
export class Closing {
  readonly #ends = new Set<() => void>();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Calls `end` once, also when it is over already. The function it returns takes it back. */
  on(end: () => void): () => void {
    if (this.#isOver) end();
    else this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  end(): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}

/** An answer, read to its end within the time of the line. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Makes a request and reads its answer. Rejects when there is none, or when it says that the endpoint cannot be used. */
export async function exchange(line: Line, path: string, init: RequestInit): Promise<Answer> {
  const limit = limited(line, line.closing);
  try {
    const response = await request(line, path, init, limit.signal);
    return { status: response.status, text: await response.text().catch((cause) => lost(line, limit.signal, cause)) };
  } finally {
    limit.end();
  }
}

/** The pieces of an answer that does not end by itself, as text; its head has to come in time. */
export async function* streamed(line: Line, path: string, init: RequestInit, ending: Closing): AsyncGenerator<string, void> {
  const limit = limited(line, ending);
  try {
    const response = await request(line, path, init, limit.signal);
    limit.relax();
    const { url } = line;
    if (!response.ok || !response.body) throw stateError("gateway", { url, detail: `HTTP ${response.status}`, httpStatus: response.status });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield decoder.decode(read.value, { stream: true });
  } finally {
    limit.end();
  }
}

/** A signal that fires after the time of the line, or when `ending` does; `end` must be called. */
function limited({ timeout }: Line, ending: Closing): { signal: AbortSignal; relax(): void; end(): void } {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort("timeout"), timeout);
  const relax = () => clearTimeout(timer);
  const forget = ending.on(() => limit.abort("closed"));
  const end = () => {
    relax();
    forget();
  };
  return { signal: limit.signal, relax, end };
}

async function request(line: Line, path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const { url, fetch } = line;
  if (signal.reason === "closed") throw stateError("closed", { url, outcome: "not-sent" });
  const headers = new Headers(init.headers);
  try {
    for (const given of line.headers) {
      const named = typeof given === "function" ? await given() : given;
      for (const [name, value] of Object.entries(named ?? {})) headers.set(name, value);
    }
  } catch (cause) {
    throw stateError("credentials", { url, cause, outcome: "not-sent", detail: "headers() failed" });
  }
  // Redirected, a command would go to somebody else, credentials and all.
  const whole: RequestInit = { cache: "no-store", redirect: "error", ...init, headers, signal };
  const response = await fetch(url + path, whole).catch((cause) => lost(line, signal, cause));
  const { status: httpStatus } = response;
  if (httpStatus === 401 || httpStatus === 403) throw stateError("credentials", { url, httpStatus, detail: `HTTP ${httpStatus}` });
  if (httpStatus >= 500) throw stateError("gateway", { url, httpStatus, outcome: "unknown", detail: await said(response) });
  return response;
}

async function said(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  return `HTTP ${response.status} ${text.trim()}`.trim();
}

function lost({ url }: Line, signal: AbortSignal, cause: unknown): never {
  if (signal.reason === "closed") throw stateError("closed", { url, outcome: "unknown" });
  throw stateError(signal.reason === "timeout" ? "timeout" : "unreachable", { url, cause, outcome: "unknown" });
}
