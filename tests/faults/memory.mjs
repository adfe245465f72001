// node memory.mjs KIND SPEC: one trial in a process of its own that tells how much memory it took at its peak; as a module, the
// same for either engine. What is measured: in Node the resident memory of the process, in Chromium that of the page's renderer and
// of the network service, each from just before the trial to its highest point. A good trial comes before, so that loading and
// compiling do not count.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { run } from "../../pkg-template/proc.mjs";
import { startChromium, startNode } from "./engines.mjs";

const KB = 1024;
const self = fileURLToPath(import.meta.url);

/** A trial (`kind`: "ours" or "official") with `extra`, the bytes it took at its peak. */
export async function measured(engine, kind, spec) {
  return engine === "node" ? inNode(kind, spec) : inChromium(kind, spec);
}

async function inNode(kind, spec) {
  const printed = await run(process.execPath, [self, kind, JSON.stringify(spec)], { quiet: true });
  return JSON.parse(printed.trim().split("\n").at(-1));
}

async function inChromium(kind, spec) {
  const engine = await startChromium();
  try {
    await engine[kind](warmUp(spec));
    const session = await engine.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    const before = new Map(processInfo.map(({ id }) => [id, status(id, "VmRSS")]));
    const seen = await engine[kind](spec);
    const growth = (of) => processInfo.filter(({ type }) => of.test(type)).map(({ id }) => status(id, "VmHWM") - before.get(id));
    // Of the renderers it is the page's that grows; the others are the browser's stock.
    return { ...seen, extra: Math.max(...growth(/renderer/)) + Math.max(...growth(/NetworkService/)) };
  } finally {
    await engine.close();
  }
}

function warmUp(spec) {
  return { ...spec, url: spec.good, key: `${spec.key}-next` };
}

/** A line of what Linux tells of a process, in bytes. */
function status(pid, name) {
  return KB * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}

if (process.argv[1] === self) {
  const kind = process.argv[2];
  const spec = JSON.parse(process.argv[3]);
  const engine = await startNode();
  await engine[kind](warmUp(spec));
  const before = process.memoryUsage().rss;
  const seen = await engine[kind](spec);
  const extra = process.resourceUsage().maxRSS * KB - before;
  process.stdout.write(`${JSON.stringify({ ...seen, extra })}\n`);
  // Sockets that were reset can keep Node 20 busy at its end; see reset() in tests/servers/proxy.mjs.
  process.exit(0);
}
