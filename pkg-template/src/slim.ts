// The slim entry: the module is a file of its own beside this one, found by every tool that follows `new URL(…, import.meta.url)`.

import { setWasmSource } from "./runtime.js";

setWasmSource(() => new URL("bowline_bg.wasm", import.meta.url));

export * from "./main.js";
