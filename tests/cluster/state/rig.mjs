// What the live tests of shared state stand on: a Redis whose only user for browsers has the rights that the README names, both kinds of
// gateway before it, the double of Hazelcast behind a proxy that adds CORS, and a page of headless Chromium.
import { chromium } from "playwright-core";

import { inRoot } from "../../../pkg-template/proc.mjs";
import { ensureChromium } from "../../../pkg-template/setup.mjs";
import { startCorsProxy } from "../../conformance/cors-proxy.mjs";
import { folder, state } from "../../packaging/state.mjs";
import { serveFolder } from "../../packaging/static.mjs";
import { startHazelcast } from "../../servers/cluster/hazelcast.mjs";
import { startRedis } from "../../servers/cluster/redis.mjs";
import { openRedis, RedisError } from "../../servers/cluster/resp.mjs";
import { startUpstash } from "../../servers/cluster/upstash.mjs";
import { startWebdis } from "../../servers/cluster/webdis.mjs";

export const USER = ["mcpweb", "pw"];
/** The line of README, security. */
export const RIGHTS =
  "resetkeys ~mcp:* resetchannels &mcp:* -@all +get +set +mget +del +incr +incrby +pexpire +pttl +time +evalsha +publish +subscribe +ping";
export const TOKEN = "short-lived";

const settings = [`user ${USER[0]} on >${USER[1]} ${RIGHTS}`];

/** One command of an operator, who may do everything. */
export async function operate(redis, ...command) {
  const connection = await openRedis(redis.port);
  const [reply] = await connection.send([command]);
  connection.close();
  if (reply instanceof RedisError) throw reply;
  return reply;
}

/** A Redis as an operator sets it up for browsers: the user, and all scripts loaded. */
export async function startProtected(more = []) {
  const redis = await startRedis({ settings: [...settings, ...more] });
  await loadScripts(redis);
  return redis;
}

export async function loadScripts(redis) {
  for (const script of state.stateScripts) await operate(redis, "SCRIPT", "LOAD", script);
}

export async function startRig() {
  const redis = await startProtected();
  const parts = [redis];
  const kept = (part) => parts.push(part) && part;
  const webdis = kept(await startWebdis({ redis: redis.port, auth: USER }));
  const upstash = kept(await startUpstash({ redis: redis.port, auth: USER, token: TOKEN }));
  const hazelcast = kept(await startHazelcast());
  const hazelcastCors = kept(await startCorsProxy(hazelcast.url));
  const site = kept(await serveFolder(inRoot()));
  const browser = kept(await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] }));
  const headers = { authorization: `Bearer ${TOKEN}` };
  return {
    redis,
    webdis,
    upstash,
    hazelcast,
    configs: {
      upstash: { provider: "redis", endpoints: [upstash.url], headers },
      webdis: { provider: "redis", endpoints: [`webdis+${webdis.url}`] },
      // Two gateways of one Redis: the same commands as with replicas, and no lag.
      replicated: { provider: "redis", endpoints: [{ url: upstash.url, headers, region: "east" }, { url: `webdis+${webdis.url}`, region: "west" }], region: "west" },
      hazelcast: { provider: "hazelcast", endpoints: [hazelcastCors.url] },
    },
    /** A page of a browser of its own, or beside another in the same one. */
    async newPage(context) {
      const page = await (context ?? (await browser.newContext())).newPage();
      await page.goto(`${site.url}/tests/cluster/state/page.html?state=/${folder.slice(inRoot("/").length)}/state.js`);
      await page.waitForFunction(() => globalThis.isReady);
      return page;
    },
    async close() {
      for (const part of parts.reverse()) await part.close();
    },
  };
}
