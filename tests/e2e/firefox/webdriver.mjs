// A headless Firefox by WebDriver, as Playwright drives only a Firefox of its own. It can open a page and call a function there.
import { ensureGeckodriver } from "../../../pkg-template/setup.mjs";
import { start, stop } from "../../../pkg-template/proc.mjs";
import { freePort, HOST } from "../../servers/ports.mjs";

const READY_MS = 20_000;
const SCRIPT_MS = 60_000;
const DONE = "const done = arguments[arguments.length - 1];";

/** `open(url)` loads a page; `ask(...args)` gives what the page's `trial(...args)` resolves with; `close()` ends the browser. */
export async function startFirefox() {
  const port = await freePort();
  const driver = start(await ensureGeckodriver(), ["--host", HOST, "--port", `${port}`]);
  driver.stdout.resume();
  driver.stderr.resume();
  try {
    await ready(port, driver);
    const { sessionId, capabilities } = await command(port, "POST", "/session", { capabilities: { alwaysMatch: wanted } });
    const tell = (method, path, body) => command(port, method, `/session/${sessionId}${path}`, body);
    await tell("POST", "/timeouts", { script: SCRIPT_MS });
    return {
      version: capabilities.browserVersion,
      async open(url) {
        await tell("POST", "/url", { url });
        await run(tell, `const look = () => (window.trial ? done({}) : setTimeout(look, 20)); look();`);
      },
      ask: (...args) => run(tell, `window.trial(...arguments[0]).then((value) => done({ value }), (error) => done({ error: error + error.stack }));`, args),
      async close() {
        // The driver ends the browser with the session.
        await tell("DELETE", "");
        await stop(driver);
      },
    };
  } catch (error) {
    await stop(driver);
    throw error;
  }
}

const wanted = { browserName: "firefox", "moz:firefoxOptions": { args: ["-headless"] } };

async function run(tell, script, args) {
  const { value, error } = await tell("POST", "/execute/async", { script: DONE + script, args: [args] });
  if (error) throw new Error(error);
  return value;
}

async function ready(port, driver) {
  for (const end = performance.now() + READY_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (await command(port, "GET", "/status").then(({ ready }) => ready, () => false)) return;
    if (driver.exitCode !== null || performance.now() > end) throw new Error("geckodriver is not ready");
  }
}

async function command(port, method, path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://${HOST}:${port}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`geckodriver, ${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}
