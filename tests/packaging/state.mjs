// The shared state of a cluster, built from its sources for tests: in Node, and as one file for pages. It runs nothing.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Where `state.js` lies, for as long as this process lives. */
export const folder = join(root, ".cache", "state-test", String(process.pid));

const files = ["state", "state-session", "state-breaker", "state-lua", "state-webdis", "state-replicas"];

/** In the package McpError comes from the client's entry, which brings the core along. */
const withoutCore = {
  name: "without-core",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\/index\.js$/ }, () => ({ path: join(root, "pkg-template", "src", "errors.ts") }));
  },
};

/** The properties that a release shortens (pkg-template/build.mjs): none may be one that somebody else named. */
const [, shortened] = /internalNames =\n([^;]+);/.exec(readFileSync(join(root, "pkg-template", "build.mjs"), "utf8"));
const internal = shortened.match(/\w+/g).join("|");

mkdirSync(folder, { recursive: true });
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const outfile = join(folder, "state.js");
await build({
  stdin: {
    contents: `${files.map((file) => `export * from "./${file}.js";`).join("\n")} export { McpError } from "./errors.js";`,
    resolveDir: join(root, "pkg-template", "src"),
  },
  outfile,
  bundle: true,
  format: "esm",
  target: "es2022",
  mangleProps: new RegExp(`^(${internal})$`),
  plugins: [withoutCore],
});

export const state = await import(pathToFileURL(outfile));
