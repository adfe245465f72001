// node everything.mjs PORT SEED [sse]: the official @modelcontextprotocol/server-everything over Streamable HTTP (legacy eras) or over
// the HTTP+SSE of 2024-11-05, unmodified except that it listens on loopback only. It has no use for a seed.

import "./loopback.mjs";
import "./stdin-watch.mjs";

const [, , port, , mode = "streamableHttp"] = process.argv;
process.env.PORT = port;
process.argv[2] = mode;

await import("@modelcontextprotocol/server-everything/dist/index.js");
