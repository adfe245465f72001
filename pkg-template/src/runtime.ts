// Loading the wasm module: once, lazily, by whatever way the entry or the application names. It knows nothing of clients.

import initCore, { api, initSync as initCoreSync, type Tables } from "bowline-core";
import { errorFrom } from "./errors.js";
import type { WasmSource } from "./types.js";

type Found = WasmSource | Promise<Response>;

let find: () => Found;
let loading: Promise<Tables> | undefined;
let tables: Tables | undefined;

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
      await initCore({ module_or_path: await (source ?? find()) });
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
export function initSync(module: WebAssembly.Module | BufferSource): void {
  if (tables) return;
  // A second instance would have none of the clients of the first.
  if (loading) throw errorFrom({ code: "WASM_LOAD_FAILED", outcome: "not-sent", retryable: true });
  initCoreSync({ module });
  tables = api();
  loading = Promise.resolve(tables);
}
