// A worker of any kind that makes journal.mjs's trials for whoever asks it over a port.
import { trials } from "./trial.js";

globalThis.addEventListener("message", async ({ data: [name, ...args], ports: [port] }) => {
  port.postMessage(await trials[name](...args));
});
