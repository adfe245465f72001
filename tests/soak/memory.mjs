// What memory did: the sizes after a collection, and whether they stay. The size of the wasm memory is learnt where modules are
// instantiated, so this file is loaded before the first client is made.
import { say } from "../../pkg-template/proc.mjs";
import { check } from "../e2e/checks.mjs";

/** Of JavaScript, kept per 1,000 calls. */
const SLOPE_LIMIT = 1_024;
/**
 * The collector is not exact, and Node compiles and caches for minutes on a busy machine (160 KiB seen over 7,000 calls of a clean run): so much
 * more or less over a whole run means nothing. A leak of 50 bytes per call shows in a minute, one of a byte in an hour.
 */
const NOISE = 320 * 1_024;
/** Node's own code is still being compiled and its caches filled before. */
const WARM_UP = 0.5;

let memory;
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const made = await original.apply(WebAssembly, args);
    memory = Object.values((made.instance ?? made).exports).find((value) => value instanceof WebAssembly.Memory);
    return made;
  };
}

/** After a collection. */
export function measure() {
  // Twice: what is freed by finalizers goes in the second.
  globalThis.gc();
  globalThis.gc();
  return { heap: process.memoryUsage().heapUsed, wasm: memory.buffer.byteLength };
}

/** Checks that neither memory grew once the client was warm. */
export async function growth(samples) {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const slope = median(pairs(warm).map(([a, b]) => ((b.heap - a.heap) * 1_000) / (b.made - a.made)));
  const calls = warm.at(-1).made - warm[0].made;
  say(`kept per 1,000 calls: ${slope.toFixed(0)} bytes of JS over ${calls} calls (${warm.length} samples); wasm ${warm.at(-1).wasm / 1024} KiB`);
  await check(`the JS heap keeps at most ${SLOPE_LIMIT} bytes per 1,000 calls`, () => {
    if (slope > SLOPE_LIMIT + (NOISE * 1_000) / calls) throw new Error(`${slope.toFixed(0)} bytes`);
  });
  await check("the wasm memory did not grow in the last nine tenths", () => {
    const [early, late] = [samples[Math.floor(samples.length / 10)], samples.at(-1)];
    if (late.wasm > early.wasm) throw new Error(`from ${early.wasm} bytes after ${early.made} calls to ${late.wasm}`);
  });
}

// The median of the slopes between all pairs (Theil and Sen): one sample beside the others moves it little.
function pairs(samples) {
  return samples.flatMap((a, i) => samples.slice(i + 1).map((b) => [a, b]));
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
