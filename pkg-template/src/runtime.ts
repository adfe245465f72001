// Loading the wasm module: once, lazily, by whatever way the entry or the application names; and once more when its instance trapped (I6).
// What becomes of a client then is host.ts's.

import initCore, { api, initSync as initCoreSync, type Tables } from "bowline-core";
import type { Call } from "./call.js";
import { errorFrom, type McpError } from "./errors.js";
import type { Host } from "./host.js";
import type { WasmSource } from "./types.js";

type Found = WasmSource | Promise<Response>;

/** Crashes within as many milliseconds that are borne. */
const MINUTE = 60_000;
const MAX_CRASHES = 2;

let find: () => Found;
let loading: Promise<Tables> | undefined;
let tables: Tables | undefined;
/** Kept, so that the next instance costs no compilation. */
let module: WebAssembly.Module;
/** When instances trapped, of late. */
let crashes: number[] = [];

/**
 * The entry's way to find the module when the application names none.
 * @internal
 */
export function setWasmSource(source: () => Found): void {
  find = source;
}

/**
 * The snippet's tables, once the module runs.
 * @internal
 */
export function loaded(): Tables | undefined {
  return tables;
}

/**
 * Loads the module unless it is loaded or loading; a failed load may be tried again.
 * @internal
 */
export function load(source?: WasmSource): Promise<Tables> {
  loading ??= (async () => {
    try {
      module = await initCore({ module_or_path: await (source ?? find()), trapped });
      return (tables = api());
    } catch (cause) {
      loading = undefined;
      throw errorFrom({ code: "WASM_LOAD_FAILED", outcome: "not-sent", retryable: true, cause });
    }
  })();
  return loading;
}

/**
 * Loads the core now instead of at the first call. Calling it again, or from several places at once, is harmless: the first source wins.
 * @throws McpError `WASM_LOAD_FAILED`; a later call tries again.
 */
export async function init(source?: WasmSource): Promise<void> {
  await load(source);
}

/** As `init`, synchronously, from a compiled module or its bytes: for service workers and tests. */
export function initSync(source: WebAssembly.Module | BufferSource): void {
  if (tables) return;
  // A second instance would have none of the clients of the first.
  if (loading) throw errorFrom({ code: "WASM_LOAD_FAILED", outcome: "not-sent", retryable: true });
  start(source);
  loading = Promise.resolve(tables!);
}

function start(source: WebAssembly.Module | BufferSource): void {
  module = initCoreSync({ module: source, trapped });
  tables = api();
}

/** The instance is of no use any more. Who called it, and what it called, is still on the stack, so the next one waits for their end. */
function trapped(cause: unknown): void {
  const fallen = tables;
  tables = undefined;
  // Calls made meanwhile wait for the next one.
  for (const lost of fallen?.clients ?? []) if (lost) Object.assign(lost.host, { client: -1, tables });
  loading = Promise.resolve().then(() => recover(fallen, cause));
  // Whoever waits hears of it.
  loading.catch(() => {});
}

function recover(fallen: Tables | undefined, cause: unknown): Tables {
  const now = performance.now();
  crashes = [...crashes.filter((at) => now - at < MINUTE), now];
  const lost = fallen?.reset() ?? [];
  try {
    if (crashes.length <= MAX_CRASHES) start(module);
  } catch {
    // No memory for another one.
  }
  const detail = tables ? "crashed" : "down";
  const error: McpError = errorFrom({ code: "INTERNAL", outcome: "not-sent", retryable: !!tables, detail, cause });
  for (const { host, calls } of lost) (host as Host).crashed(error, calls as (Call | undefined)[], tables);
  if (!tables) throw error;
  return tables;
}
