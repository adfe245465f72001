// The official TypeScript client v2 (`@modelcontextprotocol/client`). It has no WebSocket transport,
// so it gets the smallest one its Transport interface allows; over HTTP it uses its own.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

export async function open({ transport, url, era, link }) {
  const mode = era === "modern" ? "auto" : "legacy";
  const client = new Client({ name: "ts2", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(
    transport === "ws"
      ? new WebSocketTransport(url, link.WebSocket)
      : new StreamableHTTPClientTransport(new URL(url), { fetch: link.fetch }),
  );
  return {
    call: () => client.callTool({ name: "echo", arguments: { text: "hello" } }),
    list: async () => (await client.listTools()).tools,
    close: () => client.close(),
  };
}

class WebSocketTransport {
  constructor(url, WebSocket) {
    this.open = () => new WebSocket(url.replace(/^http/, "ws"), ["mcp"]);
  }

  start() {
    return new Promise((resolve, reject) => {
      this.socket = this.open();
      this.socket.onopen = () => resolve();
      this.socket.onerror = () => reject(new Error("bench: the WebSocket did not open"));
      this.socket.onclose = () => this.onclose?.();
      this.socket.onmessage = (event) => this.onmessage?.(JSON.parse(event.data));
    });
  }

  async send(message) {
    this.socket.send(JSON.stringify(message));
  }

  async close() {
    this.socket.close();
  }
}
