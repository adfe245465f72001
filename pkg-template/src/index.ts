// The default entry: the module travels inside the JavaScript, gzipped, so that no tool has to be told about it.

import packed from "bowline-wasm-gz";
import { setWasmSource } from "./runtime.js";

setWasmSource(() => {
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "content-type": "application/wasm" } });
});

export * from "./main.js";
