// What the etcd source does with a real etcd of each JSON style: run by discovery.mjs in each place.

import assert from "node:assert/strict";

import { check, sleep } from "../e2e/checks.mjs";
import { etcdCall, startEtcd } from "../servers/cluster/etcd.mjs";

export const PREFIX = "/mcp/prød/nodes/";
/** What a change may take until it is told, on a busy machine: less than a question waits for one. Milliseconds. */
const SOON = 4000;

const base64 = (text) => Buffer.from(text).toString("base64");

/** The store, as an operator uses it. */
export function store(url, token) {
  const put = (id, value, more = {}) =>
    etcdCall(url, "kv/put", { key: base64(`${PREFIX}${id}`), value: base64(typeof value === "string" ? value : JSON.stringify(value)), ...more }, token);
  return {
    put,
    remove: (id) => etcdCall(url, "kv/deleterange", { key: base64(`${PREFIX}${id}`) }, token),
    lease: async (seconds) => (await etcdCall(url, "lease/grant", { TTL: seconds }, token)).ID,
    signIn: async (name, password) => (await etcdCall(url, "auth/authenticate", { name, password })).token,
    compact: (revision) => etcdCall(url, "kv/compaction", { revision: `${revision}` }, token),
    elsewhere: () => etcdCall(url, "kv/put", { key: base64("/other"), value: base64("x") }, token),
  };
}

const node = (port, more = {}) => ({ url: `http://127.0.0.1:${port}/mcp`, ...more });
const ids = (answer) => answer.nodes?.map(({ id }) => id).sort();

export async function etcdChecks(place, version) {
  const name = (text) => `etcd ${version}, ${place.name}: ${text}`;
  const etcd = await startEtcd({ version });
  const operator = store(etcd.url);
  const options = { endpoints: [etcd.url], prefix: PREFIX };
  const list = () => place.list("etcd", options);
  const watch = (revision, idle = 20_000) => place.ask("etcd", options, { kind: "watch", revision: `${revision}`, idle });

  /** A watch after all there is now, that has said that it is there. */
  async function watching(idle) {
    const { index } = await list();
    const asking = await watch(index + 1, idle);
    assert.deepEqual(await asking.next(), { kind: "changes", put: [], gone: [], revision: index });
    return asking;
  }

  /** What the watch says next after `act`, and that it comes soon. */
  async function after(asking, act, soon = SOON) {
    const start = performance.now();
    await act();
    const answer = await asking.next();
    const took = Math.round(performance.now() - start);
    assert.equal(answer.kind, "changes", JSON.stringify(answer));
    assert.ok(took < soon, `told after ${took} ms`);
    return answer;
  }

  try {
    await check(name("an empty prefix is an empty list with a revision"), async () => {
      const answer = await list();
      assert.deepEqual({ ...answer, index: answer.index > 0 }, { kind: "list", nodes: [], index: true });
    });

    await check(name("a node is what its key and value say; what describes none is left out"), async () => {
      await operator.put("öne", node(1, { weight: 3, zone: "b", region: "nørth", tags: ["blue"] }));
      await operator.put("two", node(2));
      await operator.put("broken", "{");
      await operator.put("nowhere", { url: "ftp://127.0.0.1/" });
      await operator.elsewhere();
      const answer = await list();
      assert.deepEqual(answer.nodes, [
        { id: "two", url: "http://127.0.0.1:2/mcp", weight: 1, region: "", zone: "", tags: [] },
        { id: "öne", url: "http://127.0.0.1:1/mcp", weight: 3, region: "nørth", zone: "b", tags: ["blue"] },
      ]);
      assert.equal(answer.odd.length, 2);
      await operator.remove("broken");
      await operator.remove("nowhere");
    });

    await check(name("who comes, changes and goes is told within a second, with the revision to go on from"), async () => {
      const asking = await watching();
      const came = await after(asking, () => operator.put("three", node(3)));
      assert.deepEqual([came.put.map(({ id }) => id), came.gone], [["three"], []]);
      assert.equal(came.revision, (await list()).index);
      await operator.elsewhere();
      const heavier = await after(asking, () => operator.put("three", node(3, { weight: 2 })));
      assert.equal(heavier.put[0].weight, 2);
      assert.equal(heavier.revision, came.revision + 2);
      const spoilt = await after(asking, () => operator.put("three", "none"));
      assert.deepEqual([spoilt.put, spoilt.gone, spoilt.odd.length], [[], ["three"], 1]);
      const went = await after(asking, () => operator.remove("two"));
      assert.deepEqual(went.gone, ["two"]);
      await operator.remove("three");
      await asking.stop();
    });

    await check(name("a node whose lease runs out is gone"), async () => {
      const asking = await watching();
      const lease = await operator.lease(2);
      await after(asking, () => operator.put("leased", node(4), { lease }));
      const gone = await after(asking, async () => {}, 5000);
      assert.deepEqual(gone.gone, ["leased"]);
      await asking.stop();
    });

    await check(name("much at once comes in pieces and is put together"), async () => {
      const { index } = await list();
      const long = "x".repeat(20_000);
      for (let n = 0; n < 60; n += 1) await operator.put(`many-${n}`, node(5, { tags: [long] }));
      const asking = await watch(index + 1);
      const put = [];
      while (put.length < 60) {
        const answer = await asking.next();
        assert.equal(answer.kind, "changes", JSON.stringify(answer).slice(0, 200));
        put.push(...answer.put);
      }
      assert.deepEqual([put.length, put[59].tags[0].length], [60, 20_000]);
      await asking.stop();
      for (let n = 0; n < 60; n += 1) await operator.remove(`many-${n}`);
    });

    await check(name("a silent watch ends when its time is over"), async () => {
      const asking = await watching(2000);
      const ended = await asking.next();
      assert.deepEqual(ended, { kind: "ended", detail: "silent for 2000 ms" });
    });

    await check(name("a watch that is stopped tells nothing, also of later changes"), async () => {
      const asking = await watching();
      await asking.stop();
      await operator.put("five", node(5));
      await sleep(500);
      assert.equal((await asking.next()).kind, "silence");
      await operator.remove("five");
    });

    await check(name("a revision that is compacted, or not there yet, begins with the list again"), async () => {
      const { index } = await list();
      await operator.put("six", node(6));
      await operator.remove("six");
      await operator.compact((await list()).index);
      const asking = await watch(index + 1);
      // It says first that it is there.
      assert.deepEqual([(await asking.next()).kind, (await asking.next()).kind], ["changes", "compacted"]);
      const ahead = await (await watch(index + 1000)).next();
      assert.equal(ahead.kind, "compacted");
      assert.match(ahead.detail, /before/);
    });

    await check(name("kill -9 ends the watch, and what happened meanwhile is told after the restart"), async () => {
      const asking = await watching();
      const seen = await after(asking, () => operator.put("seven", node(7)));
      await etcd.kill();
      assert.match((await asking.next()).kind, /failed|ended/);
      const down = await list();
      assert.equal(down.kind, "failed");
      await etcd.restart();
      await operator.put("eight", node(8));
      await operator.remove("seven");
      const again = await watch(seen.revision + 1);
      const told = { put: [], gone: [] };
      while (told.gone.length === 0) {
        const answer = await again.next();
        assert.equal(answer.kind, "changes", JSON.stringify(answer));
        told.put.push(...answer.put.map(({ id }) => id));
        told.gone.push(...answer.gone);
      }
      assert.deepEqual(told, { put: ["eight"], gone: ["seven"] });
      assert.deepEqual(ids(await list()), ["eight", "öne"]);
      await again.stop();
    });
  } finally {
    await etcd.close();
  }
  await authChecks(place, version, name);
}

async function authChecks(place, version, name) {
  const etcd = await startEtcd({ version, auth: { prefix: PREFIX } });
  const options = { endpoints: [etcd.url], prefix: PREFIX, user: "reader", password: "reader" };
  const watch = (options) => place.ask("etcd", options, { kind: "watch", revision: "1", idle: 20_000 });
  try {
    await check(name("with access control: refused without a user, with a wrong password, beyond the prefix"), async () => {
      await store(etcd.url, await store(etcd.url).signIn("root", "root")).put("one", node(1));
      for (const wrong of [{ user: undefined, password: undefined }, { password: "wrong" }, { prefix: "/other/" }]) {
        const answer = await place.list("etcd", { ...options, ...wrong });
        assert.equal(answer.kind, "unauthorized", JSON.stringify([wrong, answer]));
        const watched = await (await watch({ ...options, ...wrong })).next();
        assert.equal(watched.kind, "unauthorized", JSON.stringify([wrong, watched]));
      }
    });

    await check(name("with access control: the list and the watch of a reader"), async () => {
      const answer = await place.list("etcd", options);
      assert.deepEqual(ids(answer), ["one"]);
      const asking = await watch(options);
      let seen = await asking.next();
      if (seen.put?.length === 0) seen = await asking.next();
      assert.deepEqual(seen.put?.map(({ id }) => id), ["one"], JSON.stringify(seen));
      await asking.stop();
    });

    await check(name("with access control: a token that is no longer known is replaced, for lists and for watches"), async () => {
      for (const kind of ["list", "watch"]) {
        assert.deepEqual(ids(await place.list("etcd", options)), ["one"]);
        // Its tokens live in memory.
        await etcd.restart();
        if (kind === "list") {
          assert.deepEqual(ids(await place.list("etcd", options)), ["one"]);
        } else {
          const asking = await watch(options);
          assert.equal((await asking.next()).kind, "changes");
          await asking.stop();
        }
      }
    });
  } finally {
    await etcd.close();
  }
  await check(name("a user where access control is off is no hindrance"), async () => {
    const open = await startEtcd({ version });
    try {
      const answer = await place.list("etcd", { ...options, endpoints: [open.url] });
      assert.deepEqual([answer.kind, ids(answer)], ["list", []]);
    } finally {
      await open.close();
    }
  });
}
