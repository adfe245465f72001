// node node.mjs ENTRY SERVER: the scenario in plain Node, by the name of the package; prints the result.
import { readFile } from "node:fs/promises";
import { scenario } from "./scenario.js";

const [entry, server] = process.argv.slice(2);
const bowline = await import(entry);
// The slim entry fetches its module from beside itself; Node's fetch reads no files, so hand it over.
if (entry === "bowline/slim") await bowline.init(await readFile(new URL(import.meta.resolve("bowline/core.wasm"))));
console.log(JSON.stringify(await scenario(bowline, server)));
