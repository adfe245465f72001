// A real webdis 0.1.22 before a Redis. It always gets a configuration file of ours: without one it starts a daemon on all addresses.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { HOST } from "../ports.mjs";
import { startPart } from "./part.mjs";

/**
 * `redis`: the port of the Redis. `auth`: `["user", "password"]` of a Redis user, whose rights are then the only ones that count (webdis' own
 * ACL is not asked over WebSocket). `acl`: entries of webdis' own.
 */
export async function startWebdis({ port, redis, auth, acl, websockets = true }) {
  return startPart("webdis", {
    port,
    command: (port, folder) => {
      const file = join(folder, "webdis.json");
      const settings = {
        redis_host: HOST,
        redis_port: redis,
        redis_auth: auth,
        acl,
        http_host: HOST,
        http_port: port,
        threads: 2,
        pool_size: 4,
        daemonize: false,
        websockets,
        database: 0,
        verbosity: 3,
        logfile: join(folder, "webdis.log"),
      };
      writeFileSync(file, JSON.stringify(settings));
      return [file];
    },
    // Also a refusal is an answer: the rights are the caller's business.
    ready: async (url) => (await fetch(`${url}/PING`)).status < 500,
  });
}
