// Takes out of wasm-bindgen's script what this package cannot need: its ways to be called that are of other
// times, warnings about them, and guards for browsers that lack what the package asks for anyway
// (DecompressionStream). Each text must be there exactly as it was when this was written.
import { createHash } from "node:crypto";
import { EARS } from "./tighten.mjs";

/** wasm-bindgen's loader, from `let wasmModule` to the end: the hash of the text that `LOADER` stands for. */
const KNOWN_LOADER = "7e7d60e4ec602b9e65fbf2f1ef09db1a2789b13e9ff589dcf57691e385b4ead4";

/**
 * Every entry into the module passes one guard, `hear` included, which the snippet takes from the same object. What a trap unwinds
 * leaves the instance in no state to be entered again: it never is, and `trapped` hears of it once. Only `create`, which alone takes
 * objects, throws for a reason of its own, a wrong option, before there is anything to break.
 */
const LOADER = `let wasm;
function finalize(instance, trapped) {
    let isDead;
    const fail = (error) => isDead || trapped(isDead = error);
    cachedUint8ArrayMemory0 = undefined;
    wasm = {};
    for (const [name, run] of Object.entries(instance.exports)) {
        wasm[name] = typeof run !== 'function' ? run : (PARAMETERS) => {
            if (isDead) return;
            try {
                return run(PARAMETERS);
            } catch (error) {
                if (typeof p0 === 'object' && !(error instanceof WebAssembly.RuntimeError)) throw error;
                fail(error);
            }
        };
    }
GUARDS
    wasm.__wbindgen_start();
}

export function initSync({ module, trapped }) {
    if (!(module instanceof WebAssembly.Module)) module = new WebAssembly.Module(module);
    finalize(new WebAssembly.Instance(module, __wbg_get_imports()), trapped);
    return module;
}

export default async function ({ module_or_path: source, trapped }) {
    if (typeof source === 'string' || source instanceof URL || source instanceof Request) source = await fetch(source);
    if (source instanceof Response) {
        if (!source.ok) throw new Error(\`HTTP \${source.status} from \${source.url}\`);
        // Of another type browsers compile nothing while it loads.
        const isWasm = source.headers.get('content-type') === 'application/wasm';
        source = await (isWasm ? WebAssembly.compileStreaming(source) : source.arrayBuffer());
    }
    const made = await WebAssembly.instantiate(source, __wbg_get_imports());
    finalize(made.instance ?? made, trapped);
    return made.module ?? source;
}
`;

const REPLACED = [
  // The objects of imports are ours, and nobody gives Object.prototype a member named as they name one.
  ["    const import0 = {\n        __proto__: null,\n", "    const import0 = {\n"],
  ["    return {\n        __proto__: null,\n", "    return {\n"],
  ["cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0", "!cachedUint8ArrayMemory0?.length"],
  ["let cachedUint8ArrayMemory0 = null;", "let cachedUint8ArrayMemory0;"],
  // A fresh decoder after 2 GB, for Safari: only short names cross here, texts stay in the snippet.
  [
    `let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(bytes) {
    numBytesDecoded += bytes.length;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
        cachedTextDecoder.decode();
        numBytesDecoded = bytes.length;
    }
    return cachedTextDecoder.decode(bytes);
}`,
    `const textDecoder = new TextDecoder();
function decodeText(bytes) {
    return textDecoder.decode(bytes);
}`,
  ],
];

/** An ear has a guard of its own: what always calls the same function can be compiled into one with it. */
const guard = (name) => `    const ${name} = instance.exports.${name};
    wasm.${name} = (PARAMETERS) => {
        try {
            if (!isDead) return ${name}(PARAMETERS);
        } catch (error) {
            fail(error);
        }
    };`;

/** As many as the function with the most has: rest parameters would cost more at each call. */
function parameters(script) {
  const counts = [...script.matchAll(/\bwasm\.\w+\(([^()]*)\)/g)].map(([, given]) => given.split(",").length);
  return Array.from({ length: Math.max(...counts) }, (_, i) => `p${i}`).join(", ");
}

/** @param {string} script what wasm-bindgen wrote (`--target web`) */
export function slimmed(script) {
  for (const [known, replacement] of REPLACED) {
    const parts = script.split(known);
    if (parts.length !== 2) throw new Error(`wasm-bindgen's script has not once, but ${parts.length - 1} times:\n${known}`);
    script = parts.join(replacement);
  }
  const start = script.indexOf("let wasmModule");
  const loader = script.slice(start);
  if (createHash("sha256").update(loader).digest("hex") !== KNOWN_LOADER) {
    throw new Error("wasm-bindgen's loader is not the one that pkg-template/loader.mjs was written for: compare them");
  }
  return script.slice(0, start) + LOADER.replace("GUARDS", EARS.map(guard).join("\n")).replaceAll("PARAMETERS", parameters(script));
}
