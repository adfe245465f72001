// What the Consul source does with a real Consul: run by discovery.mjs in each place.

import assert from "node:assert/strict";

import { check, sleep } from "../e2e/checks.mjs";
import { startConsul } from "../servers/cluster/consul.mjs";

const TOKEN = "7c1e4b0e-4b3a-4f59-9a53-0d6a3b1c2d4e";
/** What a change may take until it is told, on a busy machine: less than a question waits for one. Milliseconds. */
const SOON = 4000;

/** An agent's API, as an operator uses it. */
export function agent(url, token) {
  const put = async (path, body) => {
    const headers = token ? { "X-Consul-Token": token } : {};
    const answer = await fetch(`${url}/v1/${path}`, { method: "PUT", headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  };
  return {
    register: (id, more = {}) =>
      put("agent/service/register", { Name: "mcp", ID: id, Address: "127.0.0.1", Port: 9000, Check: { TTL: "60s", Status: "passing", CheckID: `check-${id}` }, ...more }),
    deregister: (id) => put(`agent/service/deregister/${id}`),
    say: (status, id) => put(`agent/check/${status}/check-${id}`),
  };
}

const ids = (answer) => answer.nodes.map(({ id }) => id).sort();

export async function consulChecks(place) {
  const name = (text) => `Consul, ${place.name}: ${text}`;
  const consul = await startConsul();
  const operator = agent(consul.url);
  const options = { endpoints: [consul.url], serviceName: "mcp" };
  const block = ({ index }) => place.ask("consul", options, { kind: "list", index, wait: 10_000 });

  /** The next list after `act`, and how long it took to come. */
  async function after(known, act) {
    const asking = await block(known);
    await sleep(100);
    const start = performance.now();
    await act();
    const answer = await asking.next();
    const took = Math.round(performance.now() - start);
    assert.equal(answer.kind, "list", JSON.stringify(answer));
    assert.ok(took < SOON, `told after ${took} ms`);
    return answer;
  }

  try {
    await check(name("an unknown service is an empty list with an index"), async () => {
      const answer = await place.list("consul", options);
      assert.deepEqual({ ...answer, index: answer.index > 0 }, { kind: "list", nodes: [], index: true });
    });

    await check(name("a node is what its service and its meta data say"), async () => {
      const meta = { "mcp-scheme": "https", "mcp-path": "/v1/mcp", "mcp-zone": "b", "mcp-region": "north" };
      await operator.register("one", { Tags: ["blue", "fast"], Meta: meta, Weights: { Passing: 7, Warning: 2 } });
      await operator.register("two", { Address: "", Meta: {} });
      const { nodes } = await place.list("consul", options);
      assert.deepEqual(
        nodes.sort((a, b) => (a.id < b.id ? -1 : 1)),
        [
          { id: "bowline/one", url: "https://127.0.0.1:9000/v1/mcp", weight: 7, region: "north", zone: "b", tags: ["blue", "fast"] },
          { id: "bowline/two", url: "http://127.0.0.1:9000/mcp", weight: 1, region: "dc1", zone: "", tags: [] },
        ],
      );
      const { nodes: blue } = await place.list("consul", { ...options, tags: ["blue"] });
      assert.deepEqual(blue.map(({ id }) => id), ["bowline/one"]);
    });

    await check(name("who comes, fails, recovers and goes is told within a second"), async () => {
      let answer = await place.list("consul", options);
      answer = await after(answer, () => operator.register("three"));
      assert.deepEqual(ids(answer), ["bowline/one", "bowline/three", "bowline/two"]);
      answer = await after(answer, () => operator.say("fail", "three"));
      assert.deepEqual(ids(answer), ["bowline/one", "bowline/two"]);
      answer = await after(answer, () => operator.say("pass", "three"));
      assert.deepEqual(ids(answer), ["bowline/one", "bowline/three", "bowline/two"]);
      answer = await after(answer, () => operator.deregister("three"));
      assert.deepEqual(ids(answer), ["bowline/one", "bowline/two"]);
    });

    await check(name("a node that warns counts less, where those are wanted"), async () => {
      await operator.say("warn", "one");
      assert.deepEqual(ids(await place.list("consul", options)), ["bowline/two"]);
      const { nodes } = await place.list("consul", { ...options, passing: false });
      assert.deepEqual(nodes.filter(({ id }) => id === "bowline/one").map(({ weight }) => weight), [2]);
      await operator.say("pass", "one");
    });

    await check(name("a blocking query without news answers with the same index when its time is over"), async () => {
      const known = await place.list("consul", options);
      const start = performance.now();
      const again = await place.list("consul", options, { index: known.index, wait: 1000 });
      const took = performance.now() - start;
      assert.equal(again.index, known.index);
      assert.ok(took > 950 && took < 2000, `${took} ms`);
    });

    await check(name("a query that is stopped tells nothing, also of later changes"), async () => {
      const asking = await block(await place.list("consul", options));
      await asking.stop();
      await operator.register("four");
      await sleep(500);
      assert.equal((await asking.next()).kind, "silence");
      await operator.deregister("four");
    });

    await check(name("a killed agent is a failure at once, and its lower index is seen when it is back"), async () => {
      const known = await place.list("consul", options);
      const asking = await block(known);
      await sleep(100);
      await consul.kill();
      assert.equal((await asking.next()).kind, "failed");
      const down = await place.list("consul", options);
      assert.equal(down.kind, "failed");
      assert.match(down.detail, /down.*CORS/);
      await consul.restart();
      const back = await place.list("consul", options);
      assert.ok(back.index < known.index, `${known.index}, then ${back.index}`);
    });
  } finally {
    await consul.close();
  }

  await check(name("an agent that keeps its state lists the same nodes after kill -9"), async () => {
    const kept = await startConsul({ keep: true });
    try {
      const options = { endpoints: [kept.url], serviceName: "mcp" };
      for (const id of ["one", "two"]) await agent(kept.url).register(id, { Check: undefined });
      const before = await place.list("consul", options);
      await kept.kill();
      await kept.restart();
      const end = performance.now() + 10_000;
      let now;
      // It syncs its services a moment after it leads; until then the list may be shorter, which is why the core doubts one that is empty.
      do now = await place.list("consul", options);
      while ((now.kind !== "list" || now.nodes.length < 2) && performance.now() < end);
      assert.deepEqual(ids(now), ids(before));
    } finally {
      await kept.close();
    }
  });

  await check(name("without the header exposed the index is hidden from browsers, and 0; the list is not"), async () => {
    const bare = await startConsul({ cors: "bare" });
    try {
      await agent(bare.url).register("one");
      const answer = await place.list("consul", { endpoints: [bare.url], serviceName: "mcp" });
      assert.equal(answer.index === 0, place.name === "Chromium");
      assert.deepEqual(ids(answer), ["bowline/one"]);
    } finally {
      await bare.close();
    }
  });

  await check(name("with access control: nothing without a token, the list with one, refused with a wrong one"), async () => {
    const guarded = await startConsul({ token: TOKEN });
    try {
      const options = { endpoints: [guarded.url], serviceName: "mcp" };
      await agent(guarded.url, TOKEN).register("one");
      const silent = await place.list("consul", options);
      assert.deepEqual([silent.kind, silent.nodes], ["list", []]);
      const answer = await place.list("consul", { ...options, token: TOKEN });
      assert.deepEqual(ids(answer), ["bowline/one"]);
      const wrong = await place.list("consul", { ...options, token: TOKEN.replace("7", "8") });
      assert.equal(wrong.kind, "unauthorized");
      assert.match(wrong.detail, /403 ACL not found/);
    } finally {
      await guarded.close();
    }
  });
}
