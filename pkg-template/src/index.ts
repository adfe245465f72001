// The default entry: the module travels inside the JavaScript, gzipped, so that no tool has to be told about it.

import packed from "bowline-wasm-gz";
import { setWasmSource } from "./runtime.js";

setWasmSource(() => {
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  // No Blob and no compileStreaming: those of jsdom and happy-dom have no stream, and are no Response to the engine.
  return new Response(new Response(bytes).body!.pipeThrough(new DecompressionStream("gzip")));
});

export * from "./main.js";
