// End to end: calls in doubt kept in IndexedDB (`indexedDbJournal` of `bowline/persist`), in a real Chromium whose pages are reloaded and
// crashed, and whose workers are killed, against a real server that counts what it executes.
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { inRoot, say } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startServers } from "../servers/index.mjs";
import { bowline, check, finish, until } from "./checks.mjs";

const servers = await startServers(["modern"]);
const { url, directUrl } = servers.modern;
const site = await serveFolder(inRoot());
const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });

const counting = bowline.createClient({ serverUrl: directUrl, enableWebSocket: false, journal: "none" });
/** How often the server executed calls with this key. */
const executed = async (key) => Number((await counting.callTool("count", { key })).content[0].text);
const LONG = 60_000;

/** Pages of one user: what one of them keeps the others can read. */
async function profile() {
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    await visit(page);
    return page;
  };
  return { context, open, close: () => context.close() };
}

async function visit(page) {
  await page.goto(`${site.url}/tests/e2e/journal/page.html`);
  await page.waitForFunction(() => "trial" in globalThis);
}

const inPage = (page) => (...message) => page.evaluate((message) => globalThis.trial(...message), message);
const inWorker = (page) => (...message) => page.evaluate((message) => globalThis.inWorker.trial(...message), message);
const inService = (page) => (...message) => page.evaluate((message) => globalThis.inService.trial(...message), message);
/** Puts entries of others' making there, by their names. */
const put = (page, values) =>
  page.evaluate(
    (values) =>
      new Promise((resolve) => {
        const opening = indexedDB.open("bowline-journal", 1);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("calls", "readwrite");
          for (const [name, value] of Object.entries(values)) transaction.objectStore("calls").put(value, name);
          transaction.oncomplete = () => (opening.result.close(), resolve());
        };
      }),
    values,
  );
/** The names of the entries. */
const entries = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("bowline-journal", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const request = opening.result.transaction("calls").objectStore("calls").getAllKeys();
          request.onsuccess = () => (opening.result.close(), resolve(request.result));
        };
      }),
  );

/** Begins a call that the server executes at once and does not answer for long. */
async function begin(trial, key) {
  await trial("begin", "counter", { key, ms: LONG });
  await until(async () => (await executed(key)) === 1, "the server never executed it");
}

/** What the next one finds of that call, which is sent by nobody else. */
async function foundBy(trial, key, options) {
  const [doubt, ...more] = await trial("open", url, options);
  assert.ok(doubt, "nothing was restored");
  assert.deepEqual([more.length, doubt.tool, doubt.restored, doubt.reason.code], [0, "counter", true, "CONNECTION_CLOSED"]);
  assert.equal(await trial("call", "echo", { text: "works" }), "works");
  assert.equal(await executed(key), 1);
  return doubt;
}

try {
  for (const [how, leave] of [
    ["is reloaded", (page) => visit(page)],
    ["is closed", async (page, open) => (await page.close(), open())],
    ["crashes", async (page, open) => crash(page).then(open)],
  ]) {
    await check(`a page that ${how} in the middle of a call: the next one knows`, async () => {
      const { open, close } = await profile();
      const page = await open();
      assert.deepEqual(await inPage(page)("open", url, { journalArgs: true }), []);
      const key = `page ${how}`;
      await begin(inPage(page), key);
      const next = (await leave(page, open)) ?? page;
      const doubt = await foundBy(inPage(next), key);
      assert.deepEqual(doubt.args, { key, ms: LONG });
      // It stays until somebody says what became of it.
      await visit(next);
      assert.equal((await foundBy(inPage(next), key)).id, doubt.id);
      await inPage(next)("settle", doubt.id);
      assert.deepEqual(await inPage(next)("doubts"), []);
      await until(async () => (await entries(next)).length === 0, "its entry is still there");
      await close();
    });
  }

  await check("a worker that is terminated in the middle of a call: the next one knows", async () => {
    const { open, close } = await profile();
    const page = await open();
    const start = () => page.evaluate(() => globalThis.inWorker.start());
    await start();
    await inWorker(page)("open", url);
    await begin(inWorker(page), "worker");
    await page.evaluate(() => globalThis.inWorker.terminate());
    await start();
    await gone(page);
    const doubt = await foundBy(inWorker(page), "worker");
    assert.equal(doubt.args, undefined);
    await close();
  });

  await check("a service worker that is killed in the middle of a call knows when it is started again", async () => {
    const { context, open, close } = await profile();
    const page = await open();
    await page.evaluate(() => globalThis.inService.start());
    assert.deepEqual(await inService(page)("open", url), []);
    await begin(inService(page), "service worker");
    const devtools = await context.newCDPSession(page);
    await devtools.send("ServiceWorker.enable");
    await devtools.send("ServiceWorker.stopAllWorkers");
    await gone(page);
    await foundBy(inService(page), "service worker");
    await close();
  });

  await check("of two tabs neither takes what the other still knows, and one alone what is left", async () => {
    const { open, close } = await profile();
    const [first, second, third] = [await open(), await open(), await open()];
    await inPage(first)("open", url);
    await begin(inPage(first), "tabs");
    assert.deepEqual(await inPage(second)("open", url), []);
    await visit(second);
    await first.close();
    await gone(second);
    const found = await Promise.all([second, third].map((page) => inPage(page)("open", url)));
    assert.equal(found.flat().length, 1);
    await close();
  });

  await check("what was answered, refused or cancelled is not in doubt, and reads are not noted", async () => {
    const { open, close } = await profile();
    const page = await open();
    const trial = inPage(page);
    await trial("open", url);
    assert.ok((await trial("tools")) > 0);
    assert.deepEqual(await entries(page), []);
    assert.equal(await trial("call", "echo", { text: "hi" }), "hi");
    assert.deepEqual(await trial("cleared", "echo", { text: "kept" }), [1, 2, "ABORTED", "kept"]);
    assert.equal(await trial("changed", "echo"), "before");
    assert.equal(await trial("closed", "counter", { key: "closed" }), "CLIENT_CLOSED not-sent");
    assert.equal(await executed("closed"), 0);
    await until(async () => (await entries(page)).length === 0, "something was left");
    await visit(page);
    assert.deepEqual(await trial("open", url), []);
    assert.deepEqual(await trial("warnings"), []);
    await close();
  });

  await check("a call that times out stays in doubt for the next page", async () => {
    const { open, close } = await profile();
    const page = await open();
    await inPage(page)("open", url);
    assert.equal(await inPage(page)("call", "counter", { key: "late", ms: LONG }, { timeout: 300 }), "REQUEST_TIMEOUT unknown");
    assert.deepEqual((await inPage(page)("doubts")).map(({ restored }) => restored), [false]);
    await visit(page);
    await foundBy(inPage(page), "late");
    await close();
  });

  await check("entries that make no sense are dropped, and the others are restored", async () => {
    const { open, close } = await profile();
    const page = await open();
    await inPage(page)("open", url);
    await begin(inPage(page), "nonsense");
    await put(page, [undefined, 7, {}, { scope: 1, owner: null, text: "{}" }, { scope: "a", owner: "b", text: "{" }]);
    await visit(page);
    await foundBy(inPage(page), "nonsense");
    assert.equal((await entries(page)).length, 1);
    assert.match((await inPage(page)("warnings")).join(), /makes no sense/);
    await close();
  });

  await check("entries of servers that are never used again are dropped after a month, and no others", async () => {
    const { open, close } = await profile();
    const [page, other] = [await open(), await open()];
    await inPage(other)("open", url);
    await begin(inPage(other), "living");
    const [living] = await entries(page);
    const of = (server, days, owner = "gone") => ({
      scope: `default:${server}`,
      owner,
      text: JSON.stringify({ id: "x", method: "tools/call", tool: "counter", sentAt: Date.now() - days * 86_400_000 }),
    });
    await put(page, {
      old: of("https://old.example/mcp", 31),
      young: of("https://young.example/mcp", 29),
      held: of("https://held.example/mcp", 31, living.split(".")[0]),
      own: of(url, 400),
    });
    assert.deepEqual((await inPage(page)("open", url)).map(({ id }) => id), ["own"]);
    assert.deepEqual(await entries(page), [living, "held", "own", "young"].sort());
    assert.deepEqual(await inPage(page)("warnings"), []);
    await close();
  });

  for (const [what, words, spoil] of [
    ["no IndexedDB", /not kept.*indexedDB/, () => delete globalThis.indexedDB || Object.defineProperty(globalThis, "indexedDB", { value: undefined })],
    ["no Web Locks", /not kept/, () => Object.defineProperty(navigator, "locks", { value: undefined })],
    ["a full disk", /not kept.*Quota/, () => (IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError");
    })],
    ["a disk that hangs", /took longer/, () => (IDBFactory.prototype.open = () => ({}))],
  ]) {
    await check(`with ${what} calls are sent all the same, and it is told once`, async () => {
      const { open, close } = await profile();
      const page = await open();
      await page.evaluate(`(${spoil})()`);
      await inPage(page)("open", url);
      const key = `with ${what}`;
      for (const count of ["1", "2", "3"]) assert.equal(await inPage(page)("call", "counter", { key }), count);
      const warnings = await inPage(page)("warnings");
      assert.equal(warnings.length, 1, warnings.join());
      assert.match(warnings[0], words);
      await close();
    });
  }

  await check("what a call pays", async () => {
    const { open, close } = await profile();
    const page = await open();
    for (const together of [1, 20]) {
      const cost = {};
      for (const journal of ["none", "session", "indexeddb", "none", "session", "indexeddb"]) {
        cost[journal] = Math.min(cost[journal] ?? Infinity, await inPage(page)("time", journal, 200 / together, together));
      }
      say(`       ${together} at a time: ${Object.entries(cost).map(([journal, us]) => `${journal} ${us.toFixed(0)} us`).join(", ")} per call`);
      // Far from the second that a call would wait for an entry that does not come.
      assert.ok(cost.indexeddb < 50_000);
    }
    await close();
  });
} finally {
  await counting.close();
  await Promise.all([browser.close(), site.close()]);
  await servers.stop();
}
finish();

/** Ends the page's process without a word. */
async function crash(page) {
  const devtools = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  devtools.send("Page.crash").catch(() => {});
  await crashed;
}

/** Waits until only those hold locks that still live: a killed worker's are gone a moment later. */
async function gone(page) {
  const held = () => page.evaluate(async () => (await navigator.locks.query()).held.length);
  await until(async () => (await held()) === 0, "the lock is still held");
}
