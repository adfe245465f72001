// `node tests/bench/rows/pick.mjs`: what one call costs in the wasm module of the built `bowline/cluster`, among 10 to 10,000 nodes: the
// choice of a node, the sending, the end, and all numbers that cross the border for that. No network and no promise. It fails when a
// strategy is not flat: more than 3 times from the cheapest size to the dearest. The choice alone, natively: tests/bench/pick.rs.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { inRoot, say } from "../../../pkg-template/proc.mjs";

const SIZES = [10, 100, 1_000, 10_000];
const CALLS = 2_000;
const ROUNDS = 60;
const FLAT = 3;
const SETTINGS = 30;
/** As cluster-options.ts numbers them. */
const STRATEGIES = { "adaptive": 0, "round-robin": 1, "least-connections": 2, "weighted": 3, "latency": 5, "random": 6 };
const SAFE = 1;
const SEND = 2;
/** How many numbers follow each kind of output (cluster-told.ts). */
const FIELDS = [1, 1, 4, 1, 2, 3, 2, 3, 3, 1, 1, 3, NaN, 0, 1, 4, 2, 1];

/** The module as pages get it. */
async function load() {
  const [, packed] = /"(H4sI[^"]+)"/.exec(readFileSync(inRoot("pkg", "dist", "cluster.js"), "utf8")) ?? [];
  if (!packed) throw new Error("pkg/dist/cluster.js has no module: npm run build");
  const { instance } = await WebAssembly.instantiate(gunzipSync(Buffer.from(packed, "base64")));
  return instance.exports;
}

function create(core, strategy, count) {
  core.give(strategy);
  for (let setting = 1; setting < SETTINGS; setting++) core.give(NaN);
  for (let node = 0; node < count; node++) {
    for (const number of [node, 1 + (node % 3), 0, 0]) core.give(number);
    for (const letter of `node-${node}`) core.spell(letter.charCodeAt(0));
    core.name();
  }
  return core.create(0.5);
}

/** The attempt that the outputs send, read one number after the other as the package does. */
function attemptOf(core, count) {
  let attempt = -1;
  for (let left = count; left > 0; ) {
    const kind = core.take();
    if (!(FIELDS[kind] >= 0)) throw new Error(`an output of kind ${kind}`);
    for (let field = 0; field < FIELDS[kind]; field++) {
      const number = core.take();
      if (kind === SEND && field === 1) attempt = number;
    }
    left -= 1 + FIELDS[kind];
  }
  return attempt;
}

/** A cluster of so many nodes, and how to time some calls of it: microseconds per call. */
function subject(core, strategy, count) {
  const cluster = create(core, strategy, count);
  attemptOf(core, core.connect(cluster, 1));
  let [now, route] = [2, 0];
  return {
    time() {
      const start = performance.now();
      for (let call = 0; call < CALLS; call++) {
        now += 0.2;
        const attempt = attemptOf(core, core.route(cluster, now, route++, SAFE, -1, -1, NaN, NaN));
        if (attempt < 0) throw new Error("a call was sent to nobody");
        attemptOf(core, core.ended(cluster, now, attempt, 0, 0, NaN, 20 + (attempt % 7)));
      }
      return ((performance.now() - start) * 1000) / CALLS;
    },
    close: () => attemptOf(core, core.close(cluster, now)),
  };
}

/** The quickest round of each size. The sizes take turns, so that a machine that is busy for a while is so for all. */
function costs(core, strategy) {
  const subjects = SIZES.map((count) => subject(core, strategy, count));
  const best = SIZES.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) subjects.forEach((one, at) => (best[at] = Math.min(best[at], one.time())));
  for (const one of subjects) one.close();
  return best;
}

const core = await load();
const line = (name, cells) => say(name.padEnd(20) + cells.map((cell) => String(cell).padStart(9)).join(""));
say(`us per call of a cluster of n nodes, in wasm, by Node ${process.versions.node}: the quickest of ${ROUNDS} rounds of ${CALLS}`);
line("", [...SIZES, "max/min"]);
let isFlat = true;
for (const [name, strategy] of Object.entries(STRATEGIES)) {
  const found = costs(core, strategy);
  const ratio = Math.max(...found) / Math.min(...found);
  isFlat &&= ratio <= FLAT;
  line(name, [...found.map((us) => us.toFixed(2)), `${ratio.toFixed(1)}x${ratio <= FLAT ? "" : " !"}`]);
}
say(isFlat ? "flat within 3 times" : "NOT flat: more than 3 times");
process.exitCode = isFlat ? 0 : 1;
