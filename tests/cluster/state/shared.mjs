// What clients of one cluster tell each other: a page of Chromium behind webdis and this process behind the Upstash-style gateway, over one
// real Redis. Where a session lives, and which node is to be left alone.
import assert from "node:assert/strict";

import { check, sleep, until } from "../../e2e/checks.mjs";
import { state } from "../../packaging/state.mjs";

export async function shared({ configs }, page) {
  const store = state.createStateStore(configs.upstash, "prod");
  const sessions = () => new state.Sessions(store, assert.fail);
  await page.evaluate((config) => {
    globalThis.store = globalThis.open(config);
    globalThis.sessions = () =>
      new globalThis.state.Sessions(globalThis.store, (error) => {
        throw error;
      });
  }, configs.webdis);

  await check("a session that a page pinned is found here, with its values", async () => {
    await page.evaluate(async () => {
      const session = globalThis.sessions().of("user-123");
      await session.find();
      await session.served("node-west-1");
      await session.set("cart", { items: [1, 2] });
    });
    const session = sessions().of("user-123");
    assert.equal(await session.find(), "node-west-1");
    assert.deepEqual(await session.get("cart"), { items: [1, 2] });
    session.unpin();
    await until(async () => (await page.evaluate(() => globalThis.sessions().of("user-123").find())) === null, "it is still pinned");
  });

  await check("of a page and this process that pin a session at once, both end on one node", async () => {
    for (let round = 0; round < 20; round += 1) {
      const id = `race ${round}`;
      const there = page.evaluate(async (id) => {
        const session = globalThis.sessions().of(id);
        await session.served("theirs");
        return session.node;
      }, id);
      const mine = sessions().of(id);
      await mine.served("mine");
      assert.equal(await there, mine.node, id);
      assert.equal(await sessions().of(id).find(), mine.node, id);
    }
  });

  await check("a hint at a node is heard by the page, found by who comes later, and ends by the clock of Redis", async () => {
    await page.evaluate(() => {
      globalThis.hints = new globalThis.state.BreakerHints(globalThis.store);
      globalThis.heard = [];
      globalThis.hints.hear((hint) => globalThis.heard.push(hint));
    });
    const hints = new state.BreakerHints(store);
    const hint = { node: "node-west-1", openFor: 1500 };
    const heard = async () => {
      await hints.tell(hint);
      await sleep(50);
      return (await page.evaluate(() => globalThis.heard)).length > 0;
    };
    await until(heard, "not heard");
    assert.deepEqual((await page.evaluate(() => globalThis.heard))[0], hint);
    const left = await page.evaluate(() => globalThis.hints.of("node-west-1"));
    assert.ok(left > 0 && left <= 1500, `${left} ms`);
    await until(async () => (await hints.of("node-west-1")) === 0, "it did not end", 3000);
  });
  store.close();
  await page.evaluate(() => globalThis.store.close());
}
