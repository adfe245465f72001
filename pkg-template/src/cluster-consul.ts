// Consul's health endpoint as a source of nodes: one request, one answer. It keeps no index and decides nothing; blocking queries are the
// core's to ask. An operator has to expose X-Consul-Index to browsers (Access-Control-Expose-Headers), or the list is polled.

import { Refused, asking, described, exchange, parsed, sorted, textOf, type DiscoveredNode, type HttpOptions, type Source } from "./cluster-source.js";

export interface ConsulOptions extends HttpOptions {
  readonly serviceName: string;
  /** Only nodes with all of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** Only nodes whose checks all pass; else those that warn too, with their weight for that. Default true. */
  readonly passing?: boolean | undefined;
  /** Instead of the datacenter of the agent. */
  readonly datacenter?: string | undefined;
  /** An ACL token; asked for with each request when a function. It is readable in the page: give it the right to read, no more. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
}

/** The parts of an entry that are read; each may be missing. */
interface Entry {
  Node?: { Node?: string; Address?: string; Datacenter?: string } | null;
  Service?: {
    ID?: string;
    Tags?: string[] | null;
    Address?: string;
    Port?: number;
    Meta?: Record<string, string> | null;
    Weights?: { Passing?: number; Warning?: number } | null;
  } | null;
  Checks?: { Status?: string }[] | null;
}

export function consul(options: ConsulOptions): Source {
  return {
    ask: (query, tell) =>
      asking(tell, async (signal, tell) => {
        if (query.kind === "watch") throw new Refused("failed", "Consul has no watches");
        const token = typeof options.token === "function" ? await options.token() : options.token;
        const path = `v1/health/service/${encodeURIComponent(options.serviceName)}?${search(options, Number(query.index), query.wait)}`;
        const response = await exchange(options, query.endpoint, path, { signal, headers: token ? { "X-Consul-Token": token } : {} });
        const text = await textOf(response);
        if (!response.ok) throw new Refused(/40[13]/.test(`${response.status}`) ? "unauthorized" : "failed", `${response.status} ${text.trim()}`);
        const entries = parsed(text, "the answer");
        if (!Array.isArray(entries)) throw new Refused("failed", "the answer is no list");
        const found = entries.filter((entry) => !has("critical", entry)).map(nodeOf);
        tell({ kind: "list", ...sorted(found), index: indexOf(response) });
      }),
  };
}

function search({ passing = true, tags = [], datacenter }: ConsulOptions, index: number, wait: number): string {
  const params = new URLSearchParams();
  if (passing) params.set("passing", "true");
  for (const tag of tags) params.append("tag", tag);
  if (datacenter) params.set("dc", datacenter);
  if (index > 0) {
    params.set("index", `${index}`);
    params.set("wait", `${Math.round(wait)}ms`);
  }
  return `${params}`;
}

/** 0 when the browser must not see it. Consul's documentation: one below 1 counts as 1. */
function indexOf({ headers }: Response): number {
  const index = headers.get("X-Consul-Index");
  return index === null ? 0 : Math.max(1, Math.trunc(Number(index)) || 0);
}

const has = (status: string, entry: Entry | null): boolean => !!entry?.Checks?.some(({ Status }) => Status === status);

function nodeOf(entry: Entry | null): DiscoveredNode | string {
  const { Node, Service } = entry ?? {};
  const meta = Service?.Meta ?? {};
  const { Passing = 1, Warning = 1 } = Service?.Weights ?? {};
  const host = Service?.Address || Node?.Address;
  const port = Service?.Port ? `:${Service.Port}` : "";
  const path = (meta["mcp-path"] ?? "mcp").replace(/^\/*/, "/");
  const address = host && `${meta["mcp-scheme"] ?? "http"}://${host.includes(":") ? `[${host}]` : host}${port}${path}`;
  // Services have the same ID on many machines when nobody gave them one.
  return described(`${Node?.Node}/${Service?.ID}`, {
    url: meta["mcp-url"] ?? address,
    weight: has("warning", entry) ? Warning : Passing,
    region: meta["mcp-region"] ?? Node?.Datacenter,
    zone: meta["mcp-zone"],
    tags: Service?.Tags ?? [],
  });
}
