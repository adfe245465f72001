// `npm run soak`: the built package in Node against the fault server for an hour: a million calls over both transports, 1 % of them with
// a fault of any kind, links cut, blocked and half-open. `--minutes 1` is the short form, a step of `npm test`. This is the parent:
// server, proxy and trouble on the wire; the client and what is asserted are in client.mjs, in a process of its own with its own heap.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { say } from "../../pkg-template/proc.mjs";
import { random } from "../servers/fault/random.mjs";
import { startServers } from "../servers/index.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    /** Of connecting and closing; by default 10,000 in an hour and no fewer than 300. */
    cycles: { type: "string" },
  },
});
const [minutes, rate, seed] = [values.minutes, values.rate, values.seed].map(Number);
const cycles = Number(values.cycles ?? Math.max(300, Math.round(minutes * 167)));
if (!(minutes >= 1 && rate > 0 && Number.isSafeInteger(seed) && cycles >= 0)) {
  console.error("soak: --minutes needs a number of at least 1, --rate one above 0, --seed a whole number, --cycles one of at least 0");
  process.exit(2);
}

const TROUBLE_EVERY_MS = 10_000;

const servers = await startServers(["fault"], { seed });
const { proxy, url, directUrl } = servers.fault;
const chance = random(seed);
let trouble;

/** One connection after another is cut, refused, or goes silent; the client says when the load is over. */
function disturb() {
  const kinds = [() => proxy.cut(), () => (proxy.block(500), proxy.cut()), () => (proxy.pause(), setTimeout(() => proxy.resume(), 1_500))];
  kinds[Math.floor(chance() * kinds.length)]();
  trouble = setTimeout(disturb, TROUBLE_EVERY_MS * (0.5 + chance()));
}

const options = { url: url.replace(/\/$/, ""), direct: directUrl.replace(/\/$/, ""), minutes, rate, seed, cycles };
const child = fork(fileURLToPath(new URL("client.mjs", import.meta.url)), [JSON.stringify(options)], { execArgv: ["--expose-gc"] });
child.on("message", (phase) => {
  clearTimeout(trouble);
  if (phase === "load") trouble = setTimeout(disturb, TROUBLE_EVERY_MS / 2);
  else proxy.resume();
});
const code = await new Promise((resolve) => child.on("exit", resolve));
clearTimeout(trouble);
await servers.stop();
if (code === null) say("0 passed, 1 failed");
// Not by running out: Node 20 can spin for ever in its cleanup when a reset socket (tests/servers/proxy.mjs) was not closed well.
process.exit(code ?? 1);
