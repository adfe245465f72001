// A client of the facade's sources on a pretended core, for tests of what the facade itself does: a function answers in place of core and
// server. It queues, caches and times nothing.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { headerValue } from "../../src/web/glue.js";

const root = new URL("../../", import.meta.url);
const path = (name) => fileURLToPath(new URL(name, root));

const SHIM = `
  export const { answer, api, call, cancel, close, create, isSent, listen, metrics, reconnect, reply, setPriority } = globalThis.pretended;
  export default async () => {};
  export const initSync = () => {};
`;

/** Bundles the client of the facade on the pretended core, and imports it. */
async function facade() {
  const shims = {
    name: "shims",
    setup(bundler) {
      bundler.onResolve({ filter: /^bowline-core$/ }, (one) => ({ path: one.path, namespace: "shim" }));
      bundler.onLoad({ filter: /./, namespace: "shim" }, () => ({ contents: SHIM }));
    },
  };
  const contents = `export * from "./client.js"; export * from "./errors.js"; export { initSync } from "./runtime.js";`;
  const stdin = { contents, resolveDir: path("pkg-template/src"), loader: "ts" };
  const options = { bundle: true, format: "esm", target: "es2022", write: false, define: { __VERSION__: '"0"' } };
  const { outputFiles } = await build({ ...options, stdin, plugins: [shims] });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const clients = [];

globalThis.pretended = {
  create: (_config, host) => clients.push({ host, calls: [] }) - 1,
  close(client) {
    const { host, calls } = clients[client];
    host.onState("closed", "", "", "", 0, NaN, 0, null);
    for (const slot of calls.keys()) fail(client, slot, { code: "CLIENT_CLOSED" });
  },
  cancel: (client, slot) => fail(client, slot, { code: "ABORTED" }),
  call(client, slot, method, params) {
    const { host } = clients[client];
    const sent = { method: names[method], ...handles[params] };
    // As the core does it: never before the call has returned.
    queueMicrotask(async () => {
      try {
        const result = await host.fetch(sent);
        detach(client, slot)?.resolve(result);
      } catch (failure) {
        fail(client, slot, failure);
      }
    });
  },
  isSent: () => 1,
  metrics: () => undefined,
  api: () => ({ attach, methodId, params, printed: () => undefined, key: () => 0, headerValue }),
};

const names = [];
const handles = [];
const methodId = (name) => (names.includes(name) ? names.indexOf(name) : names.push(name) - 1);
const params = (_method, given, headers) => handles.push({ params: JSON.parse(JSON.stringify(given ?? {})), headers }) - 1;
const attach = (client, entry) => clients[client].calls.push(entry) - 1;

function detach(client, slot) {
  const { calls } = clients[client];
  const entry = calls[slot];
  calls[slot] = undefined;
  return entry;
}

function fail(client, slot, failure) {
  const common = { outcome: "unknown", retryable: false, kind: "", number: 0, extra: -1, note: "", value: undefined };
  detach(client, slot)?.reject({ ...common, ...failure });
}

const { createClient, initSync, McpError } = await facade();
initSync();

/**
 * A connected client. `serve({ method, params, headers })` gives a result, or throws a raw failure of the core; `sent` keeps what it was
 * asked, `warnings` and `tasks` what the client told.
 */
export async function pretend(serve, { era = "modern", ...config } = {}) {
  const sent = [];
  const fetch = async (request) => {
    sent.push(request);
    return serve(request);
  };
  const client = createClient({ serverUrl: "http://127.0.0.1/mcp", fetch, ...config });
  const warnings = [];
  const tasks = [];
  client.on("warning", (warning) => warnings.push(warning));
  client.on("task", (event) => tasks.push(event));
  await client.request("ping").catch(() => {});
  sent.length = 0;
  const { host } = clients.at(-1);
  const enter = (name) => host.onState(name, "http", era, "", 0, NaN, 1, null);
  enter("ready");
  return { client, sent, warnings, tasks, host, McpError };
}
