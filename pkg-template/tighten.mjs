// Shortens the names by which the wasm module and wasm-bindgen's JavaScript know each other. They carry
// hashes, which no compression can shrink, twice: about 2 KB of what a page loads. Names only: no code is
// changed, and a name that is not found where wasm-bindgen is known to put it is an error, not a guess.

const IMPORT_SECTION = 2;
const EXPORT_SECTION = 7;
const HEADER_BYTES = 8;
const MODULE = "a";
/** The export that the snippet (src/web/glue.js) takes by its name. */
const EAR = "hear";
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** a, b, ... Z, aa, ab, ... */
function shortName(index) {
  const last = LETTERS[index % LETTERS.length];
  return index < LETTERS.length ? last : shortName(Math.floor(index / LETTERS.length) - 1) + last;
}

/** Reads a module's bytes one after the other. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  byte() {
    return this.bytes[this.at++];
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  slice(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return Buffer.from(this.slice(this.number())).toString();
  }
}

function number(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

const text = (value) => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);

function* sections(bytes) {
  const reader = new Reader(bytes);
  reader.slice(HEADER_BYTES);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    yield { id, body: reader.slice(reader.number()) };
  }
}

/** The imports as the section has them; wasm-bindgen's are functions only. */
function readImports(body) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => {
    const [module, name, kind] = [reader.text(), reader.text(), reader.byte()];
    if (kind !== 0) throw new Error(`${module}.${name} is imported, but is no function`);
    return { module, name, type: reader.number() };
  });
}

function readExports(body) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => {
    return { name: reader.text(), kind: reader.byte(), index: reader.number() };
  });
}

/** The module again, with the renamed imports and exports. */
function rewrite(wasm, imports, exports) {
  const parts = [wasm.subarray(0, HEADER_BYTES)];
  for (const { id, body } of sections(wasm)) {
    let bytes = body;
    if (id === IMPORT_SECTION) {
      const entries = imports.map((one) => [text(MODULE), text(one.short), Buffer.of(0), number(one.type)]);
      bytes = Buffer.concat([number(imports.length), ...entries.flat()]);
    } else if (id === EXPORT_SECTION) {
      const entries = exports.map((one) => [text(one.short), Buffer.of(one.kind), number(one.index)]);
      bytes = Buffer.concat([number(exports.length), ...entries.flat()]);
    }
    parts.push(Buffer.of(id), number(bytes.length), bytes);
  }
  return Buffer.concat(parts);
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
  const find = (id) => [...sections(wasm)].find((section) => section.id === id).body;
  const short = (one, index) => ({ ...one, short: one.name === EAR ? EAR : shortName(index) });
  const imports = readImports(find(IMPORT_SECTION)).map(short);
  const exports = readExports(find(EXPORT_SECTION)).map(short);
  return {
    wasm: rewrite(wasm, imports, exports),
    script: renameExports(renameImports(script, imports), exports),
  };
}
