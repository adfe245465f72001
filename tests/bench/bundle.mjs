// Bundles the bench pages with esbuild into .cache/bench, resolving `bowline` through the built
// package's own exports map as an application's bundler would. It does not build the package.
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";

import * as esbuild from "esbuild";

import { here, out, pkg } from "./paths.mjs";
import { isBowline, sizeEntries, subjects } from "./subjects.mjs";

const WASM = "bowline_bg.wasm";

/** Writes `bench-*.js`, `cold-*.js` and `size-*.js`; gives the files each size entry loads. */
export async function bundle(names) {
  const withPackage = names.some(isBowline);
  if (withPackage && !existsSync(path.join(pkg, "dist/slim.js"))) {
    throw new Error('pkg/dist/slim.js is missing: run "npm run build" first');
  }
  await rm(out, { recursive: true, force: true });
  await mkdir(path.join(out, "node_modules"), { recursive: true });
  if (withPackage) {
    await symlink(pkg, path.join(out, "node_modules/bowline"), "dir");
    // esbuild leaves `new URL("x.wasm", import.meta.url)` alone, so the wasm goes beside the bundle.
    await copyFile(path.join(pkg, "dist", WASM), path.join(out, WASM));
  }
  const modules = new Set(names.map((name) => subjects[name].module));
  for (const module of modules) {
    for (const page of ["harness", "cold"]) {
      const source =
        `import { open } from "./pages/subjects/${module}.js";` +
        `import { install } from "./pages/${page}.js"; install(open);`;
      const prefix = page === "harness" ? "bench" : "cold";
      await build(source, path.join(out, `${prefix}-${module}.js`));
    }
  }
  const loaded = {};
  for (const name of names.filter((name) => name in sizeEntries)) {
    const file = path.join(out, `size-${subjects[name].module}.js`);
    await build(sizeEntries[name], file);
    loaded[name] = name === "bowline" ? [file, path.join(out, WASM)] : [file];
  }
  return loaded;
}

function build(contents, outfile) {
  return esbuild.build({
    stdin: { contents, resolveDir: here, sourcefile: path.basename(outfile) },
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    legalComments: "none",
    logLevel: "warning",
    plugins: [builtPackage],
  });
}

// The package is found where a user's would be, in a node_modules of the output folder.
const builtPackage = {
  name: "built-package",
  setup(build) {
    build.onResolve({ filter: /^bowline(\/|$)/ }, ({ path: id, kind, pluginData }) => {
      if (pluginData === builtPackage) return undefined;
      return build.resolve(id, { kind, resolveDir: out, pluginData: builtPackage });
    });
  },
};
