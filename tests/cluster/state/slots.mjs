// A real Redis in cluster mode, of one node that has all slots: keys of one script must lie in one, which a hash tag in keyPrefix sees to.
import assert from "node:assert/strict";

import { check, until } from "../../e2e/checks.mjs";
import { state } from "../../packaging/state.mjs";
import { startRedis } from "../../servers/cluster/redis.mjs";
import { startUpstash } from "../../servers/cluster/upstash.mjs";
import { operate } from "./rig.mjs";

export async function slots() {
  const redis = await startRedis({ settings: ["cluster-enabled yes"] });
  await operate(redis, "CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(async () => String(await operate(redis, "CLUSTER", "INFO")).includes("cluster_state:ok"), "the cluster does not serve", 15_000);
  const gateway = await startUpstash({ redis: redis.port });
  const endpoint = { url: gateway.url, headers: { authorization: `Bearer ${gateway.token}` } };
  // Named twice, so that versions are counted: those are keys of their own.
  const open = (keyPrefix) => state.createStateStore({ provider: "redis", endpoints: [endpoint, endpoint], keyPrefix }, "prod");

  await check("Redis Cluster: with a hash tag in keyPrefix everything works", async () => {
    const store = open("{mcp}:");
    await store.set("a", 1);
    assert.equal(await store.get("a"), 1);
    assert.equal(await store.cas("a", 1, 2), true);
    assert.equal(await store.incr("a"), 3);
    assert.equal((await store.lock("a", 1000)).fence, 1);
    assert.equal((await store.limit("a", { requestsPerSecond: 1 })).allowed, true);
    await store.delete("a");
    assert.equal(await store.get("a"), undefined);
  });

  await check("Redis Cluster: without one the error says so", async () => {
    const error = await open("mcp:")
      .lock("a", 1000)
      .catch((error) => error);
    assert.equal(error.code, "STATE_STORE_FAILED");
    assert.match(error.message, /CROSSSLOT|different slots|same slot/i);
    assert.match(error.hint, /hash tag/);
  });

  await gateway.close();
  await redis.close();
}
