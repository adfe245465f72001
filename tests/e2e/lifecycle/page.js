// Puts the lab where lifecycle.mjs can reach it: `lab` in a page, and with `?worker` in its address one more in a dedicated worker,
// which `inWorker` asks. (Playwright loses sight of a worker whose page goes away and comes back.)
import * as lab from "./lab.js";

const inPage = "document" in globalThis;
globalThis.lab = lab;

if (inPage && globalThis.location.search === "?worker") {
  const worker = new Worker(new URL("page.js", import.meta.url), { type: "module" });
  const asked = new Map();
  let last = 0;
  worker.onmessage = ({ data: [id, error, value] }) => (error ? asked.get(id).reject(new Error(error)) : asked.get(id).resolve(value));
  globalThis.inWorker = (name, args) =>
    new Promise((resolve, reject) => {
      asked.set((last += 1), { resolve, reject });
      worker.postMessage([last, name, args]);
    });
}

if (!inPage) {
  globalThis.onmessage = async ({ data: [id, name, args] }) => {
    try {
      globalThis.postMessage([id, null, await lab[name](...args)]);
    } catch (error) {
      globalThis.postMessage([id, String(error.stack ?? error)]);
    }
  };
}
