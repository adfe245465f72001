// Shortens the names by which the wasm module and wasm-bindgen's JavaScript know each other. They carry
// hashes, which no compression can shrink, twice: about 2 KB of what a page loads. Names only: no code is
// changed, and a name that is not found where wasm-bindgen is known to put it is an error, not a guess.

import * as sections from "./sections.mjs";

const MODULE = "a";
/** The exports that the snippet (src/web/glue.js) takes by their names. */
export const EARS = ["call", "hear"];
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** a, b, ... Z, aa, ab, ... */
function shortName(index) {
  const last = LETTERS[index % LETTERS.length];
  return index < LETTERS.length ? last : shortName(Math.floor(index / LETTERS.length) - 1) + last;
}

/** The module again, with the renamed imports and exports. */
function rewrite(wasm, imports, exports) {
  const { IMPORT, EXPORT, list, number, text, withBodies } = sections;
  return withBodies(wasm, {
    [IMPORT]: list(imports.map((one) => Buffer.concat([text(MODULE), text(one.short), Buffer.of(0), number(one.type)]))),
    [EXPORT]: list(exports.map((one) => Buffer.concat([text(one.short), Buffer.of(one.kind), number(one.index)]))),
  });
}

/** `text` with the one place that `pattern` matches replaced; any other number of places is an error. */
function replaceOne(script, pattern, replacement) {
  const found = script.match(new RegExp(pattern, "g"))?.length ?? 0;
  if (found !== 1) throw new Error(`wasm-bindgen's script has ${found} places like ${pattern}, not one`);
  return script.replace(new RegExp(pattern), () => replacement);
}

const quoted = (name) => name.replace(/[$]/g, "\\$&");

/** The script's import object: one flat module, the snippet's functions named in it one by one. */
function renameImports(script, imports) {
  const direct = [];
  for (const { module, name, short } of imports) {
    if (module.includes("/snippets/")) direct.push({ module, name, short });
    else script = replaceOne(script, `\\n        ${quoted(name)}:`, `\n        ${short}:`);
  }
  // What only a panic called is imported no more (silence.mjs).
  script = script.replace(/\n {8}__wb\w+: [^]*?(?=\n {8}\w+: |\n {4}\};)/g, "");
  // Namespace imports would make the bundler keep every name of the snippet as a string.
  script = script.replace(/^import \* as import\d+ from .*$\n?/gm, "");
  const lines = direct.map(({ module, name }, i) => `import { ${name} as direct${i} } from "${module}";\n`);
  const members = direct.map(({ short }, i) => `        ${short}: direct${i},\n`);
  script = script.replace(/^        "\.\/snippets\/.*": import\d+,$\n?/gm, "");
  script = replaceOne(script, '        "\\./bowline_bg\\.js": import0,', `        ${MODULE}: import0,`);
  script = replaceOne(script, "const import0 = {\n", `const import0 = {\n${members.join("")}`);
  return lines.join("") + script;
}

function renameExports(script, exports) {
  const short = new Map(exports.map((one) => [one.name, one.short]));
  // The one other thing the script reads of `wasm` by name is what we rename: exports.
  return script.replace(/\bwasm\.([\w$]+)/g, (whole, name) => {
    if (!short.has(name)) throw new Error(`the script uses the export ${name}, which the module does not have`);
    return `wasm.${short.get(name)}`;
  });
}

/**
 * @param {Uint8Array} wasm the module
 * @param {string} script what wasm-bindgen wrote for it (`--target web`)
 * @returns {{ wasm: Buffer, script: string }} the same two under short names
 */
export function tighten(wasm, script) {
  const short = (one, index) => ({ ...one, short: EARS.includes(one.name) ? one.name : shortName(index) });
  const imports = sections.imports(wasm).map(short);
  const exports = sections.exports(wasm).map(short);
  return {
    wasm: rewrite(wasm, imports, exports),
    script: renameExports(renameImports(script, imports), exports),
  };
}
