// What every source of nodes has in common: the questions it is asked, the answers it gives, what a node has to look like, how a body is
// read. When to ask, and what an answer is worth, is the core's.

/** A node as a source describes it, checked. */
export interface DiscoveredNode {
  readonly id: string;
  readonly url: string;
  /** At least 0. */
  readonly weight: number;
  /** `""` where nobody named one; `zone` likewise. */
  readonly region: string;
  readonly zone: string;
  readonly tags: readonly string[];
}

/** A question of the core. Times in milliseconds. */
export type Query =
  /** All nodes, from the endpoint of this number; where the source can wait: for something newer than `index` (0: do not), at most `wait`. */
  | { readonly kind: "list"; readonly endpoint: number; readonly index: number | string; readonly wait: number }
  /** What happens from this revision on. Without a byte for `idle`, the stream is dead. */
  | { readonly kind: "watch"; readonly endpoint: number; readonly revision: number | string; readonly idle: number };

/** `detail` says why, for people; `odd` what was left out because it describes no node. */
export type DiscoveryAnswer =
  /** `index`: 0 where the source has none, or hides it. */
  | { readonly kind: "list"; readonly nodes: readonly DiscoveredNode[]; readonly index: number; readonly odd?: readonly string[] }
  /** Neither `put` nor `gone`: a sign of life. */
  | { readonly kind: "changes"; readonly put: readonly DiscoveredNode[]; readonly gone: readonly string[]; readonly revision: number; readonly odd?: readonly string[] }
  | { readonly kind: "compacted" | "unauthorized" | "failed" | "ended"; readonly detail?: string };

export type Tell = (answer: DiscoveryAnswer) => void;

export interface Source {
  /** Tells one answer to a list, and any number to a watch until it has ended: never before this returns, nothing after the stop that it returns. */
  ask(query: Query, tell: Tell): () => void;
}

/** What sources that are asked over HTTP share. */
export interface HttpOptions {
  /** Addresses, with or without a path. */
  readonly endpoints: readonly string[];
  /** For what stands before the source. Each makes the browser ask for leave first (CORS); etcd's own CORS lets none through. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** No source describes its nodes in more. Bytes. */
const MAX_BODY = 16 * 1024 * 1024;

/** An answer that is none of those that were hoped for. */
export class Refused extends Error {
  readonly kind: "unauthorized" | "failed";

  constructor(kind: "unauthorized" | "failed", detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** Runs one question; what it throws is told as its answer. */
export function asking(tell: Tell, work: (signal: AbortSignal, tell: Tell) => Promise<void>): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const heard: Tell = (answer) => {
    if (!signal.aborted) tell(answer);
  };
  Promise.resolve()
    .then(() => work(signal, heard))
    .catch((error: unknown) => heard({ kind: error instanceof Refused ? error.kind : "failed", detail: `${(error as Error)?.message ?? error}` }))
    // Also when it threw in the middle of a body.
    .finally(() => abort.abort());
  return () => abort.abort();
}

/** One HTTP exchange with an endpoint. The path may have a query. */
export async function exchange(options: HttpOptions, endpoint: number, path: string, init: RequestInit): Promise<Response> {
  const base = options.endpoints[endpoint]?.replace(/\/+$/, "");
  // Called without `this`, as browsers demand of their own.
  const call = options.fetch ?? globalThis.fetch;
  try {
    return await call(`${base}/${path}`, { cache: "no-store", credentials: "omit", ...init, headers: { ...options.headers, ...init.headers } });
  } catch (error) {
    throw new Refused("failed", `no answer that could be read (${(error as Error)?.message ?? error}): it is down, or does not allow this origin (CORS)`);
  }
}

/** The text of a body, piece by piece. */
async function* pieces(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

export async function textOf(response: Response): Promise<string> {
  let text = "";
  for await (const piece of pieces(response)) text = bounded(text + piece);
  return text;
}

/** Calls `piece` for each piece that came, and yields the lines, however they were cut. */
export async function* linesOf(response: Response, piece: () => void): AsyncGenerator<string> {
  let rest = "";
  for await (const text of pieces(response)) {
    piece();
    const [more, ...lines] = text.split("\n");
    rest = bounded(rest + more);
    for (const line of lines) {
      if (rest.trim()) yield rest;
      rest = line;
    }
  }
  if (rest.trim()) yield rest;
}

function bounded(text: string): string {
  if (text.length > MAX_BODY) throw new Refused("failed", `more than ${MAX_BODY} bytes`);
  return text;
}

/** JSON from outside; `what` is in the complaint. */
export function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused("failed", `${what} is not JSON: ${JSON.stringify(text.slice(0, 80))}`);
  }
}

/** The node that this describes, or why it describes none. */
export function described(id: unknown, from: unknown): DiscoveredNode | string {
  if (typeof id !== "string" || id === "") return "a node needs an id";
  const { url, weight = 1, region = "", zone = "", tags = [] } = Object(from) as Record<string, unknown>;
  const address = typeof url === "string" ? addressOf(url) : undefined;
  if (!address) return `${id}: its url is no http(s) or ws(s) address without user and password`;
  if (typeof weight !== "number" || !(weight >= 0 && weight < Infinity)) return `${id}: its weight is not a number from 0`;
  if (typeof region !== "string" || typeof zone !== "string") return `${id}: its region and its zone must be texts`;
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== "string")) return `${id}: its tags must be texts`;
  return { id, url: address, weight, region, zone, tags };
}

function addressOf(text: string): string | undefined {
  try {
    const { protocol, username, password, href } = new URL(text);
    return /^(http|ws)s?:$/.test(protocol) && !username && !password ? href : undefined;
  } catch {
    return undefined;
  }
}

/** Nodes apart from complaints. */
export function sorted(found: readonly (DiscoveredNode | string)[]): { nodes: DiscoveredNode[]; odd?: string[] } {
  const nodes = found.filter((one) => typeof one !== "string");
  const odd = found.filter((one) => typeof one === "string");
  return odd.length ? { nodes, odd } : { nodes };
}
