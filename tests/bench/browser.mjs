// One headless Chromium and bare tabs in it. Playwright starts and ends the browser; the tabs are
// driven by plain CDP in contexts Playwright does not adopt, because on its own pages it enables the
// Network domain, which doubles the cost of a WebSocket message, and that cannot be switched off
// from a second session.
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const ANSWER_WITHIN = 120_000;

/** Starts Chromium with a fresh profile. `openTab(url)` gives a tab in a fresh context. */
export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
  const root = await browser.newBrowserCDPSession();
  const tabs = new Map();
  root.on("Target.receivedMessageFromTarget", ({ sessionId, message }) => {
    tabs.get(sessionId)?.(JSON.parse(message));
  });
  return {
    version: browser.version(),
    openTab: (url) => openTab(root, tabs, url),
    close: () => browser.close(),
  };
}

async function openTab(root, tabs, url) {
  const { browserContextId } = await root.send("Target.createBrowserContext");
  const { targetId } = await root.send("Target.createTarget", { url: "about:blank", browserContextId });
  const { sessionId } = await root.send("Target.attachToTarget", { targetId, flatten: false });
  const pending = new Map();
  let nextId = 0;
  let loaded;
  tabs.set(sessionId, (message) => {
    if (message.method === "Page.loadEventFired") return loaded?.();
    const call = pending.get(message.id);
    if (!call) return;
    pending.delete(message.id);
    if (message.error) call.reject(new Error(message.error.message));
    else call.resolve(message.result);
  });

  function send(method, params = {}) {
    return new Promise((resolve, reject) => {
      const id = ++nextId;
      const late = () => settle(reject)(new Error(`bench: the tab did not answer ${method}`));
      const timer = setTimeout(late, ANSWER_WITHIN);
      const settle = (end) => (value) => {
        clearTimeout(timer);
        pending.delete(id);
        end(value);
      };
      pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      const message = JSON.stringify({ id, method, params });
      root.send("Target.sendMessageToTarget", { sessionId, message }).catch(settle(reject));
    });
  }

  /** Evaluates an expression, awaits its promise, gives its value. */
  async function evaluate(expression) {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", params);
    if (exceptionDetails) {
      const { exception, text } = exceptionDetails;
      throw new Error(exception?.description ?? exception?.value ?? text);
    }
    return result.value;
  }

  await send("Performance.enable");
  await send("Network.disable");
  await send("Page.enable");
  const load = new Promise((resolve) => (loaded = resolve));
  await send("Page.navigate", { url });
  await load;
  await send("Page.disable");
  return {
    evaluate,
    /** CPU milliseconds of the main thread, and of it in tasks and in script. */
    async metrics() {
      const { metrics } = await send("Performance.getMetrics");
      const of = (name) => metrics.find((metric) => metric.name === name).value * 1000;
      return { thread: of("ThreadTime"), task: of("TaskDuration"), script: of("ScriptDuration") };
    },
    collectGarbage: () => send("HeapProfiler.collectGarbage"),
    async close() {
      tabs.delete(sessionId);
      await root.send("Target.disposeBrowserContext", { browserContextId });
    },
  };
}
