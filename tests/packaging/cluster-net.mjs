// A network for tests of the built cluster: servers of 2026-07-28 inside the process, asked by HTTP through one `fetch`, that answer what the
// test says; and clusters over it. It decides nothing.

import assert from "node:assert/strict";

import { createCluster } from "../../pkg/dist/cluster.js";
import { McpError } from "../../pkg/dist/index.js";

const UNKNOWN = { code: -32601, message: "no such method" };

export class Net {
  /** By host name: `(request, { signal }) => result`, what it throws is the end: a `Response`, or an error of the network. */
  #servers = new Map();
  /** Every request that came: { host, method, params, headers }. */
  requests = [];

  /** Adds a server; `answer` gets method, params and what goes with them. */
  serve(host, answer = () => undefined) {
    this.#servers.set(host, answer);
    return { id: host, url: `http://${host}.test/mcp` };
  }

  nodes(...hosts) {
    return hosts.map((host) => this.serve(host));
  }

  /** How often each host was asked for a method. */
  count(method) {
    const counts = {};
    for (const one of this.requests) if (one.method === method) counts[one.host] = (counts[one.host] ?? 0) + 1;
    return counts;
  }

  fetch = async (url, { body, signal, headers } = {}) => {
    const host = new URL(url).hostname.replace(".test", "");
    const answer = this.#servers.get(host);
    const { id, method, params } = body ? JSON.parse(body) : {};
    if (method) this.requests.push({ host, method, params, headers });
    if (!answer) throw new TypeError("fetch failed");
    if (method === "server/discover") {
      const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } };
      return json({ jsonrpc: "2.0", id, result });
    }
    const gone = new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    gone.catch(() => {});
    const result = await Promise.race([Promise.resolve().then(() => answer(method, params, { signal })), gone]);
    if (result instanceof Response) return result;
    if (result?.error) return json({ jsonrpc: "2.0", id, error: result.error });
    if (result === undefined && method !== "ping") return json({ jsonrpc: "2.0", id, error: UNKNOWN });
    return json({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } });
  };
}

const json = (value) => new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });

export const status = (code, headers = {}) => new Response("", { status: code, headers });

/** What a page sees of a connection that broke. */
export const broken = () => {
  throw new TypeError("fetch failed");
};

export const never = () => new Promise(() => {});

export const TOOLS = { tools: [{ name: "look", inputSchema: {}, annotations: { readOnlyHint: true } }, { name: "pay", inputSchema: {} }] };

/** A cluster over a network, closed with the test. */
export function open(t, net, nodes, more = {}) {
  const { client, ...rest } = more;
  const cluster = createCluster({
    clusterName: "test",
    discoveryMethod: "static",
    discoveryConfig: { nodes },
    client: { enableWebSocket: false, fetch: net.fetch, reconnectOptions: { initialDelay: 10, maxDelay: 20 }, ...client },
    ...rest,
  });
  t.after(() => cluster.close());
  return cluster;
}

/** The error of this package that a promise rejects with. */
export async function rejection(promise) {
  const [{ status: how, value, reason }] = await Promise.allSettled([promise]);
  assert.equal(how, "rejected", `resolved with ${JSON.stringify(value)}`);
  assert.ok(McpError.is(reason) && reason instanceof McpError, `not an McpError of this package: ${reason?.stack}`);
  return reason;
}
