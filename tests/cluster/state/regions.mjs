// Two regions: a primary Redis in the east behind an Upstash-style gateway, its replica in the west behind webdis, and the wire between them
// in our hands. Reads are near, writes go home, the own writes are seen; then the primary is killed and the replica promoted.
import assert from "node:assert/strict";

import { check, until } from "../../e2e/checks.mjs";
import { say } from "../../../pkg-template/proc.mjs";
import { state } from "../../packaging/state.mjs";
import { startUpstash } from "../../servers/cluster/upstash.mjs";
import { startWebdis } from "../../servers/cluster/webdis.mjs";
import { startProxy } from "../../servers/proxy.mjs";
import { loadScripts, operate, startProtected, TOKEN, USER } from "./rig.mjs";

const WRITES = 200;

/** `newPage()` gives a page in which state can be used. */
export async function regions(newPage) {
  const east = await startProtected();
  const wire = await startProxy(east.port);
  const west = await startProtected([`replicaof 127.0.0.1 ${wire.port}`]);
  const upstash = await startUpstash({ redis: east.port, auth: USER, token: TOKEN });
  const webdis = await startWebdis({ redis: west.port, auth: USER });
  const endpoints = [
    { url: upstash.url, region: "east", headers: { authorization: `Bearer ${TOKEN}` } },
    { url: `webdis+${webdis.url}`, region: "west" },
  ];
  const configIn = (region) => ({ provider: "redis", endpoints, region, timeout: 2000 });
  const clientIn = (region) => state.createStateStore(configIn(region), "prod");
  const isLinked = async () => String(await operate(west, "INFO", "replication")).includes("master_link_status:up");
  await until(isLinked, "the replica did not find its primary", 30_000);

  // The same client for the whole of its page's life.
  const page = await newPage();
  await page.evaluate((config) => (globalThis.store = globalThis.open(config)), configIn("west"));
  const inPage = (method, ...args) => page.evaluate(([method, ...args]) => globalThis.store[method](...args), [method, ...args]);

  const here = clientIn("west");
  const there = clientIn("east");
  const asked = (from) => upstash.requests.slice(from).filter(({ body }) => body.includes("MGET")).length;

  await check("regions: reads are near, writes go home", async () => {
    await there.set("a", "from the east");
    await until(async () => (await here.get("a")) === "from the east", "it did not arrive");
    const from = upstash.requests.length;
    for (let index = 0; index < 20; index += 1) await here.get("a");
    assert.equal(upstash.requests.length, from, "home was asked");
    await here.set("b", 1);
    assert.equal(upstash.requests.length, from + 1);
  });

  await check(`regions: of ${WRITES} own writes each is read back at once`, async () => {
    const from = upstash.requests.length;
    for (let index = 0; index < WRITES; index += 1) {
      await here.set("own", index);
      assert.equal(await here.get("own"), index);
    }
    say(`         ${asked(from)} of ${WRITES} reads went home, the others found the replica there already`);
  });

  await check("regions: while the replica lags, the writer reads at home, others what is near, and a version is enough to see more", async () => {
    await here.set("lag", "old");
    await until(async () => (await clientIn("west").get("lag")) === "old", "it did not arrive");
    wire.pause();
    const version = await here.set("lag", "new");
    assert.equal(await here.get("lag"), "new");
    const other = clientIn("west");
    assert.equal(await other.get("lag"), "old");
    assert.equal(await other.get("lag", { after: version }), "new");
    assert.equal(await here.get("lag", { after: 0 }), "old");
    await here.delete("lag");
    assert.equal(await here.get("lag"), undefined, "a deletion is a write too");
    assert.equal(await here.cas("lag", undefined, "again"), true);
    assert.equal(await here.get("lag"), "again");
    wire.resume();
    await until(async () => (await other.get("lag")) === "again", "it did not arrive");
    const from = upstash.requests.length;
    assert.equal(await here.get("lag"), "again");
    assert.equal(upstash.requests.length, from, "the replica has come so far: home need not be asked");
  });

  await check("regions: a page in the west reads its own writes at once, too", async () => {
    for (let index = 0; index < 20; index += 1) {
      await inPage("set", "page", index);
      assert.equal(await inPage("get", "page"), index);
    }
    assert.equal(await there.get("page"), 19);
  });

  await check("regions: a session pinned in the east is found in the west", async () => {
    const pins = (store) => new state.Sessions(store, assert.fail);
    await pins(there).of("user-123").served("node-west-1");
    await until(async () => (await pins(clientIn("west")).of("user-123").find()) === "node-west-1", "it did not arrive");
  });

  await check("regions: without its primary the west still reads, and says that nobody takes writes", async () => {
    await there.set("kept", "before the end");
    await until(async () => (await here.get("kept", { after: 0 })) === "before the end", "it did not arrive");
    await east.kill();
    assert.equal(await clientIn("east").get("kept"), "before the end", "also clients of the east");
    assert.equal(await inPage("get", "kept", { after: 0 }), "before the end", "also pages");
    await assert.rejects(inPage("set", "kept", "nobody takes it"), /shared state/);
    const error = await rejected(here.set("kept", "nobody takes it"));
    assert.deepEqual([error.code, error.retryable], ["STATE_STORE_FAILED", true]);
    const fresh = await rejected(clientIn("west").incr("counted"));
    assert.equal(fresh.retryable, true);
  });

  await check("regions: when the replica is promoted, writes and locks go on there, for old clients and new", async () => {
    const start = performance.now();
    await operate(west, "REPLICAOF", "NO", "ONE");
    let tries = 0;
    await until(async () => (tries += 1) && here.set("kept", "after").then(() => true, () => false), "no write was taken");
    say(`         ${Math.round(performance.now() - start)} ms from promotion to the first write, ${tries} tries`);
    assert.equal(await here.get("kept"), "after");
    await inPage("set", "kept", "by the page");
    assert.equal(await inPage("get", "kept"), "by the page");
    for (const store of [there, clientIn("east"), clientIn("west")]) {
      await store.set("kept", "after");
      assert.equal(await store.get("kept"), "after");
    }
    const lock = await here.lock("leader", 5000);
    assert.equal(await there.lock("leader", 5000), null);
    assert.equal(await lock.unlock(), true);
    assert.equal(await new state.Sessions(clientIn("west"), assert.fail).of("user-123").find(), "node-west-1", "sessions are still pinned");
  });

  await check("regions: the old primary that came back as a replica takes no writes, and new clients find the new one", async () => {
    await east.restart();
    await operate(east, "REPLICAOF", "127.0.0.1", `${west.port}`);
    await loadScripts(east).catch(() => {});
    const isBack = async () => String(await operate(east, "INFO", "replication")).includes("master_link_status:up");
    await until(isBack, "it did not follow", 30_000);
    const fresh = clientIn("east");
    await fresh.set("kept", "for ever");
    assert.equal(await fresh.get("kept"), "for ever");
    assert.equal(String(await operate(west, "GET", "mcp:prod:value:kept")), '"for ever"');
    await until(async () => String(await operate(east, "GET", "mcp:prod:value:kept")) === '"for ever"', "it did not arrive");
  });

  await page.close();
  for (const part of [webdis, upstash, west, east]) await part.close();
  await wire.stop();
}

async function rejected(promise) {
  const [ended] = await Promise.allSettled([promise]);
  assert.equal(ended.status, "rejected", `resolved with ${JSON.stringify(ended.value)}`);
  return ended.reason;
}
