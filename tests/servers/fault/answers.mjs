// The good answers of the fault server, and its count of executions. Just enough MCP of both eras for a client to
// connect and call; the transports and the faults are elsewhere.

const VERSION = "2026-07-28";
const LEGACY_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

const serverInfo = { name: "bowline-fault", version: "1.0.0" };
const capabilities = { tools: {}, resources: {} };
const fresh = { ttlMs: 0, cacheScope: "private" };

const results = {
  "server/discover": () => ({ supportedVersions: [VERSION], capabilities, serverInfo, ...fresh }),
  initialize: ({ protocolVersion }) => ({
    protocolVersion: LEGACY_VERSIONS.includes(protocolVersion) ? protocolVersion : LEGACY_VERSIONS[0],
    capabilities,
    serverInfo,
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [tool("echo", "Echo"), tool("counter", "Count an execution")], ...fresh }),
  "tools/call": ({ arguments: args = {} }) => ({ content: [{ type: "text", text: args.text ?? "good" }] }),
  "resources/list": () => ({ resources: [{ uri: "demo://readme", name: "readme", mimeType: "text/plain" }], ...fresh }),
  "resources/read": ({ uri }) => ({ contents: [{ uri, mimeType: "text/plain", text: "good" }], ...fresh }),
};

export class Answers {
  executions = new Map();

  /** The right answer to a request; a call is counted under its `arguments.key` as executed. */
  answer({ id, method, params = {} }) {
    if (method === "tools/call") this.#count(params.arguments?.key ?? "");
    const result = results[method];
    if (!result) return { jsonrpc: "2.0", id, error: { code: -32601, message: `Method not found: ${method}` } };
    const modern = params._meta?.[VERSION_KEY] !== undefined;
    return { jsonrpc: "2.0", id, result: { ...(modern ? { resultType: "complete" } : {}), ...result(params) } };
  }

  #count(key) {
    this.executions.set(key, (this.executions.get(key) ?? 0) + 1);
  }
}

function tool(name, title) {
  const properties = { key: { type: "string" }, text: { type: "string" } };
  return { name, title, description: `${title} (fault server)`, inputSchema: { type: "object", properties } };
}
