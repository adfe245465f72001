// Real sources asked by the core's real decisions: whatever is killed, put back, compacted, emptied or hidden, no node that is there is lost
// and none is missed. Run by discovery.mjs in each place. Not in registry.mjs, which is a whole cluster under load: what is believed there is seen
// through its calls, and neither which questions were asked, nor a registry that forgot, compacted, hides or wants credentials. Here the core
// decides without nodes that answer.

import assert from "node:assert/strict";

import { say } from "../../pkg-template/proc.mjs";
import { check, sleep, until } from "../e2e/checks.mjs";
import { startConsul } from "../servers/cluster/consul.mjs";
import { startEtcd } from "../servers/cluster/etcd.mjs";
import { refusedUrl } from "../servers/ports.mjs";
import { agent } from "./consul.mjs";
import { Deciding } from "./deciding.mjs";
import { PREFIX, store } from "./etcd.mjs";

/**
 * What a change may take until it is believed while all is well, and after an outage, backoff included: on a busy machine, and less than the 30 s
 * after which it would be asked again anyway. How long it took is told. Milliseconds.
 */
const SOON = 5000;
const LATER = 20_000;

/** Waits until these nodes are believed; says how long it took. */
async function believes(deciding, names, limit) {
  const start = performance.now();
  const wanted = [...names].sort().join();
  await until(() => deciding.nodes.join() === wanted, () => `believes ${deciding.nodes}, not ${wanted}; asked ${deciding.queries.slice(-5)}`, limit);
  return Math.round(performance.now() - start);
}

const here = (...ids) => ids.map((id) => `bowline/${id}`);

export async function decidedChecks(place) {
  const tries = (text, work) => check(`decided, ${place.name}: ${text}`, work, 4 * LATER);

  /** With a Consul and what asks it. */
  async function withConsul(server, limits, work) {
    const consul = await startConsul(server);
    const options = { endpoints: [consul.url], serviceName: "mcp" };
    const deciding = await Deciding.start(place, "consul", options, limits);
    try {
      await work({ consul, operator: agent(consul.url), deciding });
    } finally {
      await deciding.stop();
      await consul.close();
    }
  }

  async function withEtcd(server, work) {
    const etcd = await startEtcd(server);
    const options = { endpoints: [etcd.url], prefix: PREFIX, ...(server.auth && { user: "reader", password: "reader" }) };
    const deciding = await Deciding.start(place, "etcd", options);
    try {
      await work({ etcd, operator: store(etcd.url), deciding });
    } finally {
      await deciding.stop();
      await etcd.close();
    }
  }

  await tries("Consul: who comes, fails and goes is believed when it happens, with one query per change", () =>
    withConsul({}, {}, async ({ operator, deciding }) => {
      const times = [];
      await operator.register("one");
      times.push(await believes(deciding, here("one"), SOON));
      await sleep(2000);
      await operator.register("two");
      times.push(await believes(deciding, here("one", "two"), SOON));
      await operator.say("fail", "one");
      times.push(await believes(deciding, here("two"), SOON));
      await operator.deregister("two");
      await operator.say("pass", "one");
      times.push(await believes(deciding, here("one"), SOON));
      say(`       believed after ${times.join(", ")} ms`);
      assert.ok(deciding.queries.length < 12, deciding.queries.join("; "));
    }),
  );

  await tries("Consul: an agent that is killed and loses its state loses no node, and what it learns anew is seen", () =>
    withConsul({}, {}, async ({ consul, operator, deciding }) => {
      for (const id of ["one", "two"]) await operator.register(id);
      await believes(deciding, here("one", "two"), SOON);
      const before = deciding.sets.length;
      await consul.kill();
      await until(() => deciding.events.includes("failed 1"), "no failure was told", SOON);
      await consul.restart();
      await until(() => deciding.events.includes("empty"), "it was not asked again", LATER);
      assert.deepEqual(deciding.nodes, here("one", "two"), "an empty list was believed");
      for (const id of ["one", "two", "three"]) await operator.register(id);
      const took = await believes(deciding, here("one", "two", "three"), LATER);
      say(`       believed ${took} ms after it was registered again`);
      assert.ok(deciding.sets.slice(before).every((set) => set.length > 0));
    }),
  );

  await tries("Consul: an agent that keeps its state is followed again after kill -9", () =>
    withConsul({ keep: true }, {}, async ({ consul, operator, deciding }) => {
      // Without checks: a restarted agent holds those that nobody has reported to it for failed.
      for (const id of ["one", "two"]) await operator.register(id, { Check: undefined });
      await believes(deciding, here("one", "two"), LATER);
      await consul.kill();
      await consul.restart();
      await operator.register("three", { Check: undefined });
      const took = await believes(deciding, here("one", "three", "two"), LATER);
      say(`       believed ${took} ms after it was registered`);
      assert.ok(deciding.sets.every((set) => set.length > 0));
    }),
  );

  await tries("Consul: the next endpoint is asked when one is dead", async () => {
    const dead = await refusedUrl("http:", "");
    await withConsul({}, {}, async ({ consul, operator }) => {
      await operator.register("one");
      const deciding = await Deciding.start(place, "consul", { endpoints: [dead, consul.url, dead], serviceName: "mcp" }, { seed: 1 });
      try {
        await believes(deciding, here("one"), LATER);
        assert.ok(deciding.queries.at(-1).startsWith("list 1 "), deciding.queries.join("; "));
      } finally {
        await deciding.stop();
      }
    });
  });

  await tries("Consul: with an index that browsers must not see, the list is polled there, and followed", () =>
    withConsul({ cors: "bare" }, { interval: 400 }, async ({ operator, deciding }) => {
      await operator.register("one");
      await believes(deciding, here("one"), SOON);
      await operator.register("two");
      await believes(deciding, here("one", "two"), SOON);
      const blocks = deciding.queries.some((query) => /^list 0 [1-9]/.test(query));
      assert.equal(blocks, place.name === "Node", deciding.queries.join("; "));
    }),
  );

  for (const version of ["3.4", "3.5"]) {
    await tries(`etcd ${version}: what happens around a kill -9 is believed: the watch goes on where it was`, () =>
      withEtcd({ version }, async ({ etcd, operator, deciding }) => {
        for (const id of ["one", "two"]) await operator.put(id, { url: "http://127.0.0.1:1/" });
        const times = [await believes(deciding, ["one", "two"], SOON)];
        await sleep(100);
        const { header } = await operator.put("three", { url: "http://127.0.0.1:1/" });
        times.push(await believes(deciding, ["one", "three", "two"], SOON));
        const before = deciding.queries.length;
        await etcd.kill();
        await until(() => deciding.events.length > 0, "no failure was told", SOON);
        await etcd.restart();
        await operator.remove("one");
        await operator.put("four", { url: "http://127.0.0.1:1/" });
        times.push(await believes(deciding, ["four", "three", "two"], LATER));
        say(`       believed after ${times.join(", ")} ms`);
        assert.ok(deciding.sets.every((set) => set.length > 0));
        assert.equal(deciding.queries[before], `watch 0 ${Number(header.revision) + 1} 60000`, deciding.queries.join("; "));
      }),
    );

    await tries(`etcd ${version}: a revision that was compacted meanwhile is listed again`, () =>
      withEtcd({ version }, async ({ etcd, operator, deciding }) => {
        for (const id of ["one", "two"]) await operator.put(id, { url: "http://127.0.0.1:1/" });
        await believes(deciding, ["one", "two"], SOON);
        await etcd.kill();
        await until(() => deciding.events.length >= 3, "it does not try again", LATER);
        await etcd.restart();
        await operator.remove("one");
        const { header } = await operator.put("five", { url: "http://127.0.0.1:1/" });
        await operator.compact(header.revision);
        await believes(deciding, ["five", "two"], LATER);
      }),
    );

    await tries(`etcd ${version}: the last node that goes is kept; one that comes then takes its place`, () =>
      withEtcd({ version }, async ({ operator, deciding }) => {
        await operator.put("one", { url: "http://127.0.0.1:1/" });
        await believes(deciding, ["one"], SOON);
        await operator.remove("one");
        await until(() => deciding.events.includes("empty"), "nothing was told", SOON);
        assert.deepEqual(deciding.nodes, ["one"]);
        await operator.put("two", { url: "http://127.0.0.1:1/" });
        await believes(deciding, ["two"], SOON);
      }),
    );
  }

  await tries("etcd 3.5 with access control: a restart that forgets all tokens is no end", () =>
    withEtcd({ version: "3.5", auth: { prefix: PREFIX } }, async ({ etcd, operator, deciding }) => {
      const root = await operator.signIn("root", "root");
      await store(etcd.url, root).put("one", { url: "http://127.0.0.1:1/" });
      await believes(deciding, ["one"], SOON);
      await etcd.restart();
      await store(etcd.url, await operator.signIn("root", "root")).put("two", { url: "http://127.0.0.1:1/" });
      await believes(deciding, ["one", "two"], LATER);
    }),
  );
}
