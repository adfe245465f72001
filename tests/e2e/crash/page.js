// Puts the trials where crash.mjs can call them from outside of the page, each with its own copy of the package.
import * as trials from "./trial.js";

const wasm = await (await fetch("../../../pkg/dist/bowline_bg.wasm")).arrayBuffer();
let copies = 0;

globalThis.trial = async (name, ...args) => trials[name](await trials.load(`../../../pkg/dist/main.js?${(copies += 1)}`, wasm), ...args);
