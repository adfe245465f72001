// Puts shared state and its contract where state.mjs can call them from outside of the page.
import { contract } from "./contract.js";

const state = await import(new URLSearchParams(location.search).get("state"));
const open = (config) => state.createStateStore(config, "prod");

globalThis.contract = (config, tag) => contract(() => open(config), tag);
/** What a method of a store does: its value, or what the error says. */
globalThis.use = async (config, method, ...args) => {
  const store = open(config);
  try {
    return { value: await store[method](...args) };
  } catch (error) {
    return { error: { ...error, message: error.message } };
  } finally {
    store.close();
  }
};
/** Listens; `heard` is what came so far, gaps among it. */
globalThis.listen = (config, channel) => {
  globalThis.heard = [];
  open(config).subscribe(channel, (message) => globalThis.heard.push(message), () => globalThis.heard.push("gap"));
};
globalThis.state = state;
globalThis.open = open;
globalThis.isReady = true;
