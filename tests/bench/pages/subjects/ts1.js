// The official TypeScript SDK v1 (`@modelcontextprotocol/sdk`) with its own transports. It speaks the
// legacy era only. Its WebSocket transport takes no injection, so the page's global is replaced.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";

export async function open({ transport, url, link }) {
  globalThis.WebSocket = link.WebSocket;
  const client = new Client({ name: "ts1", version: "1" });
  await client.connect(
    transport === "ws"
      ? new WebSocketClientTransport(new URL(url.replace(/^http/, "ws")))
      : new StreamableHTTPClientTransport(new URL(url), { fetch: link.fetch }),
  );
  return {
    call: () => client.callTool({ name: "echo", arguments: { text: "hello" } }),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}
