// Puts the trials where journal.mjs can call them from outside of the page, in the page itself and in its workers.
import { trials } from "./trial.js";

const ask = (worker, message) =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage(message, [port2]);
  });

let worker;
globalThis.trial = (name, ...args) => trials[name](...args);
globalThis.inWorker = {
  start: () => void (worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" })),
  terminate: () => worker.terminate(),
  trial: (...message) => ask(worker, message),
};
globalThis.inService = {
  async start() {
    await navigator.serviceWorker.register(new URL("./worker.js", import.meta.url), { type: "module" });
    await navigator.serviceWorker.ready;
  },
  // The active one is started again by a message when it was stopped.
  trial: async (...message) => ask((await navigator.serviceWorker.ready).active, message),
};
