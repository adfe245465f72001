// What a page loads for each entry of the built package, in raw, gzip and brotli bytes, against the
// gates. It reads pkg/ and the bundler's own list of imports; it builds nothing.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { inRoot, say } from "./proc.mjs";

export const wasmFile = "bowline_bg.wasm";
export const importsFile = inRoot(".cache", "pkg-imports.json");

/** The entries of pkg/package.json, what each fetches besides its scripts, and its limit in bytes. */
const entries = [
  { entry: ".", script: "index.js", assets: [], gate: { unit: "gzip", bytes: 67_200 } },
  { entry: "./slim", script: "slim.js", assets: [wasmFile], gate: { unit: "brotli", bytes: 61_200 } },
  // Beside a client, which is not counted again.
  { entry: "./cluster", script: "cluster.js", assets: [], alone: true, gate: { unit: "brotli", bytes: 54_800 } },
];

/** gzip at 9 and brotli at 11: what a static host serves. */
export function compressed(bytes) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

/** The list of a script and all that it imports, also lazily: the page pays for those too. */
export function withImports(script, imports, seen = new Set()) {
  if (seen.has(script)) return [];
  seen.add(script);
  const next = imports[script];
  if (!next) throw new Error(`the bundler did not list ${script}`);
  return [script, ...next.flatMap((name) => withImports(name, imports, seen))];
}

/** esbuild's metafile as { file: [files it imports] }, without folders: dist is flat. */
export function importsOf(metafile) {
  const lists = Object.entries(metafile.outputs)
    .filter(([file]) => file.endsWith(".js"))
    .map(([file, { imports }]) => [
      basename(file),
      imports.filter((one) => one.path.startsWith("./") || !one.external).map((one) => basename(one.path)),
    ]);
  return Object.fromEntries(lists);
}

export function measure(dist = inRoot("pkg", "dist")) {
  const imports = JSON.parse(readFileSync(importsFile, "utf8"));
  return entries.map(({ entry, script, assets, alone, gate }) => {
    const files = [...(alone ? [script] : withImports(script, imports)), ...assets].map((name) => ({
      name,
      ...compressed(readFileSync(join(dist, name))),
    }));
    const sum = (unit) => files.reduce((total, file) => total + file[unit], 0);
    const total = { raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
    return { entry, files, total, gate, within: total[gate.unit] <= gate.bytes };
  });
}

const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(10);
const row = (name, { raw, gzip, brotli }) => `  ${name.padEnd(24)}${kb(raw)}${kb(gzip)}${kb(brotli)}`;

/** Prints the table; the KB are of 1,000 bytes. */
export function printSizes(sizes) {
  say(`  ${"entry".padEnd(24)}${"raw".padStart(10)}${"gzip -9".padStart(10)}${"brotli 11".padStart(10)}`);
  for (const { entry, files, total, gate, within } of sizes) {
    const limit = `${kb(gate.bytes).trim()} ${gate.unit}`;
    say(`${row(entry, total)}   ${within ? "within" : "OVER"} ${limit} (${total[gate.unit]} of ${gate.bytes} bytes)`);
    for (const file of files) say(row(`  ${file.name}`, file));
  }
}
