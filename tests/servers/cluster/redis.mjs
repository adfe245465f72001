// A real Redis 7.0, without persistence. A restart loses its data, as a crash without persistence does.

import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { HOST } from "../ports.mjs";
import { startPart } from "./part.mjs";

/** `settings`: more lines of its configuration, as `user mcpweb on >pw ~mcp:* -@all +get` or `replicaof 127.0.0.1 6379`. */
export async function startRedis({ port, settings = [] } = {}) {
  return startPart("redis", {
    port,
    command: (port, folder) => {
      const file = join(folder, "redis.conf");
      const own = [`port ${port}`, `bind ${HOST}`, `dir ${folder}`, 'save ""', "appendonly no"];
      writeFileSync(file, [...own, ...settings, ""].join("\n"));
      return [file];
    },
    ready: async (url) => /^(\+PONG|-NOAUTH)/.test(await said(new URL(url).port, "PING\r\n")),
  });
}

/** What it answers to one command first. */
function said(port, command) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: HOST });
    socket.once("error", reject).once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString("latin1"));
    });
    socket.write(command);
  });
}
