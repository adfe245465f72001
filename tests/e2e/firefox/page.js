// Makes trials where firefox.mjs can ask for them: in a page, or for its address `?worker` in a dedicated worker. The entry of the package
// is named in each question, as one thread loads one entry.
import * as trials from "./trial.js";

const here = async (entry, name, args) => trials[name](await import(`../../../pkg/dist/${entry}.js`), ...args);

if (!("document" in globalThis)) {
  globalThis.onmessage = async ({ data }) => {
    try {
      globalThis.postMessage({ value: await here(...data) });
    } catch (error) {
      globalThis.postMessage({ error: `${error}\n${error.stack}` });
    }
  };
} else if (globalThis.location.search === "?worker") {
  const worker = new Worker(new URL("page.js", import.meta.url), { type: "module" });
  globalThis.trial = (...question) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data: { value, error } }) => (error ? reject(new Error(error)) : resolve(value));
      worker.onerror = ({ message }) => reject(new Error(`the worker: ${message}`));
      worker.postMessage(question);
    });
} else {
  globalThis.trial = here;
}
