// What journal.mjs does with a client whose journal is in IndexedDB, in a page or a worker: each trial is a function of plain values.
import { createClient } from "../../../pkg/dist/index.js";
import { indexedDbJournal } from "../../../pkg/dist/persist.js";

let client;
const warnings = [];

export const trials = {
  async open(serverUrl, options) {
    const journal = indexedDbJournal();
    client = createClient({ serverUrl, enableWebSocket: false, journal, ...options });
    client.on("warning", ({ message }) => warnings.push(message));
    await journal.ready;
    return client.inDoubt();
  },
  /** Begins a call and says no more of it. */
  begin(tool, args) {
    client.callTool(tool, args).catch(() => {});
  },
  async call(tool, args, options) {
    try {
      return (await client.callTool(tool, args, options)).content[0].text;
    } catch ({ code, outcome }) {
      return `${code} ${outcome}`;
    }
  },
  async tools() {
    return (await client.listTools()).length;
  },
  /** What becomes of calls that the queue is cleared of while they are being noted. */
  async cleared(tool, args) {
    const calls = [1, 2].map((at) => client.callTool(tool, args, { priority: at }));
    const cleared = client.queue.clear({ belowPriority: 2 });
    const before = client.queue.size;
    const ends = await Promise.allSettled(calls);
    await client.queue.onIdle();
    return [cleared, before, ...ends.map(({ reason, value }) => reason?.code ?? value.content[0].text)];
  },
  /** The arguments of a call are those of its making, however long its entry takes. */
  async changed(tool) {
    const args = { text: "before" };
    const call = client.callTool(tool, args);
    args.text = "after";
    return (await call).content[0].text;
  },
  async closed(tool, args) {
    const call = client.callTool(tool, args);
    await client.close();
    return call.then(({ content }) => content[0].text, ({ code, outcome }) => `${code} ${outcome}`);
  },
  doubts: () => client.inDoubt(),
  settle: (id) => client.settleInDoubt(id, "applied"),
  warnings: () => warnings,
  /** Microseconds per call that is answered at once, one after the other and `together` at a time. */
  async time(kind, times, together) {
    const result = { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, content: [] };
    const fetch = async (url, { body }) => Response.json({ jsonrpc: "2.0", id: JSON.parse(body).id, result });
    const journal = kind === "indexeddb" ? indexedDbJournal() : kind;
    const timed = createClient({ serverUrl: "http://127.0.0.1/mcp", enableWebSocket: false, journal, fetch });
    await timed.connect();
    const round = () => Promise.all(Array.from({ length: together }, () => timed.callTool("echo", { text: "x" })));
    await round();
    const start = performance.now();
    for (let at = 0; at < times; at += 1) await round();
    await timed.close();
    return ((performance.now() - start) * 1000) / times / together;
  },
};
