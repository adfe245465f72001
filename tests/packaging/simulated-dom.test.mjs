// The built package where a test runner puts a simulated browser in the place of Node's own: jsdom's Blob has no stream(), and happy-dom's
// Response is none that WebAssembly takes.
import assert from "node:assert/strict";
import { test } from "node:test";

const Own = Response;

globalThis.Blob = class Blob {};
globalThis.Response = class Response {
  #own;
  constructor(...given) {
    this.#own = new Own(...given);
    for (const name of ["body", "headers", "ok", "status"]) this[name] = this.#own[name];
  }
  arrayBuffer() {
    return this.#own.arrayBuffer();
  }
};

test("the core is loaded in a simulated browser, too", async () => {
  const { init } = await import("../../pkg/dist/index.js");
  await init();
});

test("and the cluster's", async () => {
  const { createCluster } = await import("../../pkg/dist/cluster.js");
  const fetch = () => Promise.reject(new TypeError("down"));
  const nodes = [{ id: "a", url: "http://127.0.0.1/mcp" }];
  const cluster = createCluster({ clusterName: "one", discoveryMethod: "static", discoveryConfig: { nodes }, client: { fetch, enableWebSocket: false } });
  await assert.rejects(cluster.route("tools/list"), ({ code }) => code !== "WASM_LOAD_FAILED");
  await cluster.close();
});
