// The loop that drives one subject in its own page, called over CDP as `bench.open` and `bench.run`.
// Every subject's bundle carries its own copy, so no subject trains the JIT for another.
// It does not measure main-thread time: run.mjs reads that from outside.
import { fakeLink, realLink } from "./link.js";

const BATCH = 1000;

/** Makes `globalThis.bench` for a subject's `open` function. */
export function install(open) {
  let client;
  let link;

  const operations = {
    async call() {
      const result = await client.call();
      if (result.content[0].text !== "hello") throw new Error("bench: wrong answer to tools/call");
    },
    async list() {
      const tools = await client.list();
      if (tools[0].name !== "echo") throw new Error("bench: wrong answer to tools/list");
    },
  };

  globalThis.bench = {
    async open({ kind, transport, url, era }) {
      link = kind === "fake" ? fakeLink() : realLink();
      client = await open({ transport, url, era, link });
    },

    /** `calls` operations one after the other, or 1,000 at a time; gives wall milliseconds. */
    async run({ operation, inFlight, calls }) {
      const one = operations[operation];
      const before = link.sent();
      const start = performance.now();
      if (inFlight) {
        for (let done = 0; done < calls; done += BATCH) {
          const batch = new Array(BATCH);
          for (let i = 0; i < BATCH; i++) batch[i] = one();
          await Promise.all(batch);
        }
      } else {
        for (let i = 0; i < calls; i++) await one();
      }
      const wall = performance.now() - start;
      return { wall, sent: link.sent() - before };
    },

    async close() {
      await client?.close();
      client = undefined;
    },
  };
}
