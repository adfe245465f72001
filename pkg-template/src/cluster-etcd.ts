// An etcd prefix as a source of nodes, over etcd's JSON gateway (/v3/, from etcd 3.4 on): a range, and a watch over a fetch stream. The key
// after the prefix is the node's id, the value JSON: `{ url, weight, region, zone, tags }`. It keeps no revision; the core does.
//
// Without credentials a request is a plain text to the browser and needs no leave (CORS preflight); etcd reads it all the same. A WebSocket
// would carry a watch as well, but etcd below 3.5.32 takes no token there.

import { Refused, asking, described, exchange, linesOf, parsed, sorted, textOf, type HttpOptions, type Query, type Source, type Tell } from "./cluster-source.js";

export interface EtcdOptions extends HttpOptions {
  /** What the keys of all nodes begin with, as `/mcp/prod/nodes/`. */
  readonly prefix: string;
  /** A user who may read below the prefix. It is readable in the page: give it no other right. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of user and password: a token from elsewhere, asked for whenever one is needed. */
  readonly token?: (() => string | Promise<string>) | undefined;
}

/** gRPC's codes. */
const FAILED_PRECONDITION = 9;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
/** What etcd says when a token is missing, or older than the last change of users and roles; with code 3 (invalid argument). */
const STALE_TOKEN = /user name is empty|auth store is old|invalid auth token/;

type Watch = Query & { readonly kind: "watch" };

interface Header {
  revision?: string | number;
}

interface KeyValue {
  key?: string;
  value?: string;
  mod_revision?: string | number;
}

interface Watched {
  header?: Header;
  created?: boolean;
  canceled?: boolean;
  compact_revision?: string | number;
  cancel_reason?: string;
  events?: { type?: string; kv?: KeyValue }[];
}

/** What goes wrong: etcd 3.4 has `error` as a text beside it, streams have an object in it. */
interface Problem {
  code?: number;
  grpc_code?: number;
  message?: string;
}

export function etcd(options: EtcdOptions): Source {
  const { prefix } = options;
  const range = { key: encoded(prefix), range_end: encoded(after(prefix)) };
  let token: string | undefined;

  /** Gets a token, when there are credentials to get one with. */
  async function authenticate(endpoint: number, signal: AbortSignal): Promise<void> {
    if (options.token) {
      token = await options.token();
    } else if (options.user !== undefined) {
      const response = await exchange(options, endpoint, "v3/auth/authenticate", {
        method: "POST",
        signal,
        body: JSON.stringify({ name: options.user, password: options.password }),
      });
      const text = await textOf(response);
      const answer = parsed(text, "the answer to authenticate") as Problem & { token?: string };
      // Access control is off: nobody needs a token.
      if (response.ok || answer.code === FAILED_PRECONDITION) token = answer.token;
      else throw new Refused(response.status < 500 ? "unauthorized" : "failed", `${response.status} ${answer.message ?? text}`);
    }
  }

  /** Does it again when a token was refused that had been good before: they run out, and a restart forgets them. */
  async function renewing(work: () => Promise<void>): Promise<void> {
    const had = token;
    try {
      await work();
    } catch (error) {
      if (had === undefined || token !== undefined) throw error;
      await work();
    }
  }

  async function post(endpoint: number, path: string, body: object, signal: AbortSignal): Promise<Response> {
    if (token === undefined) await authenticate(endpoint, signal);
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: token };
    const response = await exchange(options, endpoint, path, { method: "POST", signal, body: JSON.stringify(body), headers });
    if (response.ok) return response;
    throw refused(await problemOf(response), `${response.status}`);
  }

  function refused(problem: Problem, status: string): Refused {
    const code = problem.grpc_code ?? problem.code;
    const isStale = code === UNAUTHENTICATED || STALE_TOKEN.test(problem.message ?? "");
    if (isStale) token = undefined;
    const isUnauthorized = isStale || code === PERMISSION_DENIED;
    return new Refused(isUnauthorized ? "unauthorized" : "failed", `${status} ${problem.message ?? ""}`);
  }

  async function list(endpoint: number, signal: AbortSignal, tell: Tell): Promise<void> {
    const response = await post(endpoint, "v3/kv/range", range, signal);
    const answer = parsed(await textOf(response), "the answer") as { header?: Header; kvs?: KeyValue[] };
    if (!answer?.header) throw new Refused("failed", "the answer is not etcd's");
    tell({ kind: "list", ...sorted((answer.kvs ?? []).map(nodeOf)), index: Number(answer.header.revision) });
  }

  async function watch(query: Watch, signal: AbortSignal, tell: Tell): Promise<void> {
    const silence = new AbortController();
    const stop = () => silence.abort();
    signal.addEventListener("abort", stop);
    let timer = setTimeout(stop, query.idle);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(stop, query.idle);
    };
    try {
      await renewing(() => follow(query, silence.signal, alive, tell));
    } catch (error) {
      if (!silence.signal.aborted) throw error;
      tell({ kind: "ended", detail: `silent for ${query.idle} ms` });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      stop();
    }
  }

  async function follow({ endpoint, revision }: Watch, signal: AbortSignal, alive: () => void, tell: Tell): Promise<void> {
    const start = Number(revision);
    const body = { create_request: { ...range, start_revision: `${revision}`, progress_notify: true } };
    const response = await post(endpoint, "v3/watch", body, signal);
    let last = start - 1;
    for await (const line of linesOf(response, alive)) {
      const { result = {}, error } = parsed(line, "a line of the watch") as { result?: Watched; error?: Problem };
      if (error) throw refused(error, "the watch ended:");
      const detail = over(result, start);
      if (detail !== undefined) return tell({ kind: "compacted", detail });
      const events = result.events ?? [];
      // Only a change moves the revision: that of a header may be ahead of changes that are still to come.
      last = Math.max(last, ...events.map(({ kv }) => Number(kv?.mod_revision ?? 0)));
      tell({ kind: "changes", ...changesOf(events), revision: last });
    }
    tell({ kind: "ended" });
  }

  /** Why a watch cannot go on from its revision, when it cannot. */
  function over({ canceled, created, compact_revision, cancel_reason = "", header }: Watched, start: number): string | undefined {
    if (canceled) {
      if (Number(compact_revision ?? 0) > 0) return `compacted up to revision ${compact_revision}`;
      const code = /code = PermissionDenied/.test(cancel_reason) ? PERMISSION_DENIED : 0;
      throw refused({ code, message: cancel_reason }, "the watch was refused:");
    }
    // The store has been put back to an earlier state, and would say nothing until it is as far again.
    const isBehind = created && Number(header?.revision ?? start) < start - 1;
    return isBehind ? `the store is at revision ${header?.revision}, before ${start}` : undefined;
  }

  function changesOf(events: readonly { type?: string; kv?: KeyValue }[]) {
    // The last word on each node is the one that counts.
    const latest = new Map(events.map((event) => [idOf(event.kv), event]));
    const found = [...latest.values()].filter(({ type }) => type !== "DELETE").map(({ kv }) => nodeOf(kv ?? {}));
    const { nodes: put, odd } = sorted(found);
    const described = new Set(put.map(({ id }) => id));
    // Also one whose new description is none.
    const gone = [...latest.keys()].filter((id) => !described.has(id));
    return odd ? { put, gone, odd } : { put, gone };
  }

  const idOf = (kv?: KeyValue): string => decoded(kv?.key).slice(prefix.length);

  function nodeOf(kv: KeyValue) {
    const id = idOf(kv);
    try {
      return described(id, JSON.parse(decoded(kv.value)));
    } catch {
      return `${id}: its value is not JSON`;
    }
  }

  return {
    ask: (query, tell) =>
      asking(tell, (signal, tell) =>
        query.kind === "list" ? renewing(() => list(query.endpoint, signal, tell)) : watch(query, signal, tell),
      ),
  };
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await textOf(response);
  try {
    return JSON.parse(text) as Problem;
  } catch {
    // A proxy's page, not etcd's words.
    return { message: text.slice(0, 80) };
  }
}

/** The end of the range of all keys that begin with this. UTF-8 has no byte that could not be one more. */
function after(prefix: string): Uint8Array {
  const bytes = new TextEncoder().encode(prefix);
  bytes[bytes.length - 1]! += 1;
  return bytes;
}

function encoded(text: string | Uint8Array): string {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return btoa(String.fromCharCode(...bytes));
}

function decoded(base64 = ""): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
}
