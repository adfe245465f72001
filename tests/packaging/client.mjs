// The package's client over the fake core, built for tests: `open()` gives a client and the peer that plays its core and server.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../../", import.meta.url);
const path = (name) => fileURLToPath(new URL(name, root));

const fakeCore = {
  name: "fake-core",
  setup(bundler) {
    bundler.onResolve({ filter: /^bowline-core$/ }, () => ({ path: path("tests/packaging/fake-core.js") }));
  },
};

const { outputFiles } = await build({
  stdin: {
    contents: 'export * from "./pkg-template/src/main.js"; export { initSync } from "./pkg-template/src/runtime.js"; export { peers } from "bowline-core";',
    resolveDir: path("."),
  },
  write: false,
  bundle: true,
  format: "esm",
  target: "es2022",
  define: { __VERSION__: '"0.0.0"' },
  plugins: [fakeCore],
});

export const { createClient, initSync, McpError, peers } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
initSync(undefined);

/** A client, and its peer. The core is loaded by a call that is made for this and settled when the link is ready. */
export function open(config, link) {
  const client = createClient({ serverUrl: "http://127.0.0.1/mcp", ...config });
  client.connect().catch(() => {});
  const peer = peers.at(-1);
  if (link) peer.ready(link);
  return { client, peer };
}

/** Everything that is due now has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
