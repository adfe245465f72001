// What only a browser does to shared state: CORS, tabs of one origin, streams that break under a page.
import assert from "node:assert/strict";

import { check, sleep, until } from "../../e2e/checks.mjs";
import { startUpstash } from "../../servers/cluster/upstash.mjs";
import { HOST } from "../../servers/ports.mjs";
import { startProxy } from "../../servers/proxy.mjs";
import { operate, TOKEN, USER } from "./rig.mjs";

const use = (page, ...args) => page.evaluate((args) => globalThis.use(...args), args);

export async function inBrowser(rig, page) {
  const { redis, configs } = rig;

  await check("Chromium: a gateway without CORS headers is told so, with what it needs", async () => {
    const bare = await startUpstash({ redis: redis.port, auth: USER, token: TOKEN, cors: false });
    const { error } = await use(page, { ...configs.upstash, endpoints: [bare.url] }, "get", "a");
    await bare.close();
    assert.deepEqual([error.code, error.retryable], ["STATE_STORE_FAILED", true]);
    assert.match(error.message, /CORS headers missing, or it is down/);
    assert.match(error.hint, /answers OPTIONS.*allows this origin, authorization and content-type/);
  });

  await check("Chromium: Hazelcast itself, which knows no CORS, is told so", async () => {
    const { error } = await use(page, { provider: "hazelcast", endpoints: [rig.hazelcast.url] }, "get", "a");
    assert.match(error.message, /CORS headers missing/);
  });

  await check("Chromium: an expired token is told so", async () => {
    const { error } = await use(page, { ...configs.upstash, headers: { authorization: "Bearer expired" } }, "set", "a", 1);
    assert.deepEqual([error.httpStatus, error.outcome, error.retryable], [401, "not-applied", false]);
    assert.match(error.hint, /a token that expires needs a function/);
  });

  await check("Chromium: with the address of Redis itself only state fails, and says what to do", async () => {
    const { error } = await use(page, { provider: "redis", endpoints: ["redis://cluster:6379"] }, "get", "a");
    assert.equal(error.code, "INVALID_CONFIG");
    assert.match(error.hint, /webdis\+http:\/\/HOST:7379.*Upstash-compatible/);
  });

  await check("Chromium: webdis is asked without a preflight, the Upstash-style gateway with one", async () => {
    // Read on the wire: a browser shows its preflights to nobody.
    const methods = async (port, config) => {
      let sent = "";
      const proxy = await startProxy(port, { connection: () => ({ sent: (chunk) => (sent += chunk), heard() {} }) });
      const address = `http://${HOST}:${proxy.port}`;
      assert.deepEqual(await use(page, { ...config, endpoints: config.endpoints.map((one) => one.replace(/http:.*/, address)) }, "set", "preflight", 1), { value: 0 });
      await proxy.stop();
      return sent.match(/^[A-Z]+(?= \/\S* HTTP\/1.1)/gm);
    };
    assert.deepEqual(await methods(rig.webdis.port, configs.webdis), ["POST"]);
    assert.deepEqual(await methods(rig.upstash.port, configs.upstash), ["OPTIONS", "POST"]);
  });

  for (const [name, cut] of [["upstash", () => rig.upstash.cut()], ["webdis", () => rig.webdis.restart()]]) {
    await check(`Chromium, ${name}: a page that listens gets over a gateway that breaks off, and knows of the gap`, async () => {
      const channel = `gap ${name}`;
      await page.evaluate(([config, channel]) => globalThis.listen(config, channel), [configs[name], channel]);
      const heard = () => page.evaluate(() => globalThis.heard);
      /** Publishes until it is heard: before the stream stands it is lost. */
      const reach = async (message) => {
        const round = async () => {
          await operate(redis, "PUBLISH", `mcp:prod:channel:${encodeURIComponent(channel)}`, JSON.stringify(message));
          await sleep(100);
          return (await heard()).includes(message);
        };
        await until(round, () => `${message} was not heard`, 15_000);
      };
      await reach("before");
      await cut();
      await reach("after");
      const said = (await heard()).filter((one, index, all) => one !== all[index - 1]);
      assert.deepEqual(said, ["before", "gap", "after"]);
    });
  }

  await check("Chromium: tabs of one origin share IndexedDB, limits and channels, also after a reload", async () => {
    const context = page.context();
    const other = await rig.newPage(context);
    const config = { provider: "indexeddb" };
    await page.evaluate((config) => globalThis.listen(config, "tabs"), config);
    await use(page, config, "set", "shared", { from: "page" });
    assert.deepEqual((await use(other, config, "get", "shared")).value, { from: "page" });
    await use(other, config, "publish", "tabs", "hello");
    await until(async () => (await page.evaluate(() => globalThis.heard)).includes("hello"), "not heard in the other tab");
    const rule = { requestsPerSecond: 0.01, burst: 50 };
    const hundred = (page) =>
      page.evaluate(
        async ([config, rule]) => {
          const store = globalThis.open(config);
          const verdicts = await Promise.all(Array.from({ length: 100 }, () => store.limit("tabs", rule)));
          store.close();
          return verdicts.filter(({ allowed }) => allowed).length;
        },
        [config, rule],
      );
    const [mine, theirs] = await Promise.all([hundred(page), hundred(other)]);
    assert.equal(mine + theirs, 50, `${mine} and ${theirs}`);
    await other.reload();
    await other.waitForFunction(() => globalThis.isReady);
    assert.deepEqual((await use(other, config, "get", "shared")).value, { from: "page" });
    await other.close();
  });

  await check("Chromium: what is over leaves IndexedDB although nobody asks for it", async () => {
    const config = { provider: "indexeddb" };
    await use(page, config, "set", "forgotten", 1, 20);
    await sleep(50);
    // Opening sweeps.
    await use(page, config, "ping");
    const keys = () =>
      page.evaluate(async () => {
        const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
        const database = await done(indexedDB.open("bowline-state"));
        const keys = await done(database.transaction("entries").objectStore("entries").getAllKeys());
        database.close();
        return keys;
      });
    await until(async () => !(await keys()).some((key) => key.endsWith("forgotten")), "it is still there");
    assert.ok((await keys()).some((key) => key.endsWith("shared")), "what lives stays");
  });
}
