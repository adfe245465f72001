// End to end: the cache across reloads (`bowline/persist`), in IndexedDB of a real Chromium and on a shelf of a test's own in Node, against a
// real server that counts what it is asked.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startServers } from "../servers/index.mjs";
import { bowline, built, check, finish, until } from "./checks.mjs";

const { persisted } = await built("persist.js");
const servers = await startServers(["modern"]);
const url = servers.modern.directUrl;
let reads = 0;
/** Counts what the server is asked to read. */
const counting = (url, init) => {
  reads += /"resources\/read"/.test(init?.body ?? "") ? 1 : 0;
  return fetch(url, init);
};

/** In Node: a client that keeps its cache on `shelf`. */
function open(shelf, options) {
  const store = persisted(shelf, { includePrivate: true, delay: 20, ...options });
  const client = bowline.createClient({ serverUrl: url, fetch: counting, enableWebSocket: false, cacheOptions: { persist: store } });
  return { client, store };
}
/** The server calls it public, and fresh for a minute. */
const read = (client, uri = "demo://readme", options) => client.readResource(uri, options);
const kept = { cacheMode: "only-if-cached" };

function shelfOf(state) {
  const shelf = { state, writes: 0, read: async () => structuredClone(shelf.state), write: async (state) => void ((shelf.state = state), (shelf.writes += 1)) };
  return shelf;
}

await check("what one client has read the next one knows, without asking", async () => {
  const shelf = shelfOf();
  const first = open(shelf);
  const result = await read(first.client);
  await until(() => shelf.state?.entries.length === 1, "it is written after the delay");
  await first.client.close();
  const second = open(shelf);
  await second.store.ready;
  assert.deepEqual(await read(second.client, undefined, kept), result);
  assert.equal(reads, 1);
  await second.client.close();
});

await check("what is private stays in memory unless the application says so", async () => {
  const shelf = shelfOf();
  const first = open(shelf, { includePrivate: false });
  first.client.cache.set("acme/mine", {}, 1, 60_000);
  await read(first.client);
  await first.store.flush();
  assert.deepEqual(shelf.state.entries.map(([method]) => method), ["resources/read"]);
  await first.client.close();
});

await check("nothing is written when nothing changed, and nothing by a client that is closed", async () => {
  const shelf = shelfOf();
  const { client, store } = open(shelf, { delay: 1e9 });
  await read(client);
  for (let i = 0; i < 3; i += 1) await store.flush();
  await read(client);
  await store.flush();
  assert.equal(shelf.writes, 1);
  await client.close();
  await store.flush();
  assert.deepEqual([shelf.writes, shelf.state.entries.length], [1, 1]);
});

await check("what is too much stays out, what was used longest ago first", async () => {
  const shelf = shelfOf();
  const { client, store } = open(shelf, { maxBytes: 500 });
  client.cache.set("acme/old", {}, "x".repeat(300), 60_000);
  client.cache.set("acme/new", {}, "x".repeat(300), 60_000);
  await client.connect();
  await store.flush();
  assert.deepEqual(shelf.state.entries.map(([method]) => method), ["acme/new"]);
  await client.close();
});

await check("a shelf that fails, or holds something else, is a cache that is not kept", async () => {
  for (const shelf of [
    { read: async () => Promise.reject(new Error("no")), write: async () => Promise.reject(new Error("no")) },
    shelfOf({ version: 99 }),
    shelfOf("nonsense"),
  ]) {
    const { client, store } = open(shelf);
    await store.ready;
    await read(client);
    await store.flush();
    await client.close();
  }
});

await check("after clear() nothing is there and nothing is written", async () => {
  const shelf = shelfOf();
  const { client, store } = open(shelf);
  await read(client);
  await store.flush();
  await store.clear();
  await client.listTools();
  await store.flush();
  assert.equal(shelf.state, undefined);
  await client.close();
});

await check("another user gets nothing private of it", async () => {
  const shelf = shelfOf();
  const of = (partition) => {
    const store = persisted(shelf, { includePrivate: true });
    return { store, client: bowline.createClient({ serverUrl: url, enableWebSocket: false, cacheOptions: { partition, persist: store } }) };
  };
  const ann = of("ann");
  ann.client.cache.set("acme/mine", {}, 1, 60_000);
  await read(ann.client);
  await ann.store.flush();
  assert.equal(shelf.state.entries.length, 2);
  const bob = of("bob");
  await bob.store.ready;
  await bob.client.connect();
  assert.equal(bob.client.cache.get("acme/mine", {}), undefined);
  assert.ok(await read(bob.client, undefined, kept), "but for what is everybody's");
  await Promise.all([ann.client.close(), bob.client.close()]);
});

const site = await serveFolder(inRoot());
const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const visit = async () => {
    await page.goto(`${site.url}/tests/e2e/lifecycle/other.html`);
    await page.evaluate(async () => {
      globalThis.open = async (serverUrl, name, options) => {
        const [{ createClient }, { indexedDb }] = await Promise.all([import("/pkg/dist/index.js"), import("/pkg/dist/persist.js")]);
        const store = indexedDb({ name, includePrivate: true, ...options });
        const client = createClient({ serverUrl, enableWebSocket: false, cacheOptions: { persist: store } });
        return { client, store };
      };
    });
  };

  await check("in IndexedDB it survives a reload of the page", async () => {
    await visit();
    const result = await page.evaluate(async (url) => {
      const { client, store } = await globalThis.open(url, "docs");
      const result = await client.readResource("demo://readme");
      await store.flush();
      return result;
    }, url);
    await visit();
    const again = await page.evaluate(async (url) => {
      const { client, store } = await globalThis.open(url, "docs");
      await store.ready;
      return client.readResource("demo://readme", { cacheMode: "only-if-cached" });
    }, url);
    assert.deepEqual(again, result);
  });

  await check("a page that is left writes what it has not written yet", async () => {
    await visit();
    await page.evaluate(async (url) => {
      const { client } = await globalThis.open(url, "left", { delay: 1e9 });
      await client.readResource("demo://readme");
      // As the browser says it when the tab is hidden.
      Object.defineProperty(document, "visibilityState", { value: "hidden" });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }, url);
    await until(
      () =>
        page.evaluate(
          () =>
            new Promise((resolve) => {
              const opening = indexedDB.open("bowline-cache", 1);
              opening.onsuccess = () => {
                const request = opening.result.transaction("states").objectStore("states").get("left");
                request.onsuccess = () => resolve(request.result?.entries.length === 1);
              };
            }),
        ),
      "it is written",
    );
  });
} finally {
  await Promise.all([browser.close(), site.close(), servers.stop()]);
}
finish();
