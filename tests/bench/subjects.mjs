// Who is measured, under which name, and from which page module. Not how.

/** `module` is a file of pages/subjects; two subjects may share one (the A/A control). */
export const subjects = {
  raw: { module: "raw", label: "raw" },
  "raw again": { module: "raw", label: "raw again (A/A)" },
  ts1: { module: "ts1", label: "TS1" },
  ts2: { module: "ts2", label: "TS2" },
  "ts2 again": { module: "ts2", label: "TS2 again (A/A)" },
  bowline: { module: "bowline", label: "bowline" },
  "bowline inline": { module: "bowline-inline", label: "bowline, inline entry" },
};

/** What each peer's page loads when only the client is counted (row 6). */
export const sizeEntries = {
  ts1: `export { Client } from "@modelcontextprotocol/sdk/client/index.js";
        export { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
        export { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";`,
  ts2: `export { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";`,
  bowline: `export { createClient } from "bowline/slim";`,
  "bowline inline": `export { createClient } from "bowline";`,
};

export const isBowline = (name) => name.startsWith("bowline");
