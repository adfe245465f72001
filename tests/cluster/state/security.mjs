// What a browser's user of Redis may not do, through either gateway: the rights that the README names are enough for everything (the contract
// ran with them) and for nothing else.
import assert from "node:assert/strict";

import WebSocket from "ws";

import { check } from "../../e2e/checks.mjs";
import { state } from "../../packaging/state.mjs";
import { loadScripts, operate } from "./rig.mjs";

const FORBIDDEN = [
  ["FLUSHALL"],
  ["CONFIG", "GET", "*"],
  ["KEYS", "*"],
  ["SCAN", "0"],
  ["ACL", "WHOAMI"],
  ["SET", "elsewhere", "1"],
  ["GET", "elsewhere"],
  ["EVAL", "return 1", "0"],
  ["SCRIPT", "FLUSH"],
  ["PUBLISH", "elsewhere", "1"],
  ["SUBSCRIBE", "elsewhere"],
];

export async function security({ redis, upstash, webdis, configs }) {
  await operate(redis, "SET", "elsewhere", "secret");

  await check("security: nothing but state is to be had through the Upstash-style gateway", async () => {
    const headers = { authorization: `Bearer ${upstash.token}` };
    for (const command of FORBIDDEN) {
      const { error } = await (await fetch(upstash.url, { method: "POST", headers, body: JSON.stringify(command) })).json();
      assert.match(error ?? "", /^NOPERM/, command.join(" "));
    }
  });

  await check("security: nor through webdis", async () => {
    for (const command of FORBIDDEN.filter(([name]) => name !== "SUBSCRIBE")) {
      const body = command.map((part) => encodeURIComponent(part).replaceAll(".", "%2E")).join("/");
      const text = await (await fetch(webdis.url, { method: "POST", body })).text();
      assert.match(text, /NOPERM/, command.join(" "));
    }
  });

  await check("security: nor through its WebSocket, which asks no origin and no ACL of its own", async () => {
    const socket = new WebSocket(`${webdis.url.replace("http", "ws")}/.json`, { origin: "http://evil.example" });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    for (const command of FORBIDDEN.filter(([name]) => name !== "SUBSCRIBE")) {
      const answer = new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));
      socket.send(JSON.stringify(command));
      assert.match(await answer, /NOPERM/, command.join(" "));
    }
    socket.close();
  });

  await check("security: after a restart of Redis without its scripts, the error says to load them", async () => {
    await operate(redis, "SCRIPT", "FLUSH");
    for (const [name, config] of Object.entries({ upstash: configs.upstash, webdis: configs.webdis })) {
      const store = state.createStateStore(config, "prod");
      const error = await store.lock(name, 1000).catch((error) => error);
      assert.equal(error.code, "STATE_STORE_FAILED");
      assert.match(error.hint, /every script loaded \(stateScripts\)/);
      await loadScripts(redis);
      assert.equal((await store.lock(name, 1000)).fence, 1);
      await operate(redis, "SCRIPT", "FLUSH");
      store.close();
    }
    await loadScripts(redis);
  });

  await check("security: a user that may send scripts needs none to be loaded", async () => {
    await operate(redis, "SCRIPT", "FLUSH");
    await operate(redis, "ACL", "SETUSER", "mcpweb", "+eval");
    const store = state.createStateStore(configs.webdis, "prod");
    assert.equal(await store.incr("evaluated"), 1);
    assert.equal(await store.incr("evaluated"), 2);
    store.close();
  });
}
