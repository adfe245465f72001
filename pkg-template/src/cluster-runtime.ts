// The wasm module of the cluster: loaded once, lazily, out of the JavaScript it travels in. A module that trapped is never entered again; the
// clusters that lived in it are told, and the next one begins in a new instance.

import packed from "bowline-cluster-gz";
import { errorFrom, type McpError } from "./errors.js";
import type { ClusterCore } from "./cluster-told.js";

/** Who lives in an instance, and hears of its end. */
export interface Inhabitant {
  onCrash(error: McpError): void;
}

export class Instance {
  readonly core: ClusterCore;
  readonly inhabitants = new Set<Inhabitant>();

  constructor(exports: WebAssembly.Exports) {
    this.core = exports as unknown as ClusterCore;
  }

  /** Calls the core; undefined when it trapped, and everybody in it has heard of it then. */
  enter<T>(work: (core: ClusterCore) => T): T | undefined {
    try {
      return work(this.core);
    } catch (cause) {
      if (current === this) current = loading = undefined;
      const error = errorFrom({ code: "INTERNAL", outcome: "unknown", retryable: true, detail: "the cluster's core crashed: make a new cluster", cause });
      for (const one of [...this.inhabitants]) one.onCrash(error);
    }
    return undefined;
  }
}

let loading: Promise<Instance> | undefined;
let current: Instance | undefined;

/** The instance, once it is there. */
export const loadedCluster = (): Instance | undefined => current;

/** Loads the module unless it is loaded or loading; a failed load may be tried again. */
export function loadCluster(): Promise<Instance> {
  loading ??= (async () => {
    try {
      const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
      const stream = new Response(bytes).body!.pipeThrough(new DecompressionStream("gzip"));
      const { instance } = await WebAssembly.instantiate(await new Response(stream).arrayBuffer());
      return (current = new Instance(instance.exports));
    } catch (cause) {
      loading = undefined;
      throw errorFrom({ code: "WASM_LOAD_FAILED", outcome: "not-sent", retryable: true, cause });
    }
  })();
  return loading;
}
