// node everything.mjs PORT: the official @modelcontextprotocol/server-everything over Streamable HTTP (legacy
// eras), unmodified except that it listens on loopback only.

import "./loopback.mjs";
import "./stdin-watch.mjs";

const port = process.argv[2];
process.env.PORT = port;
process.argv[2] = "streamableHttp";

await import("@modelcontextprotocol/server-everything/dist/index.js");
