// `npm run sim -- --schedules 1000000 --seed 1`: random lives of a client in the simulator, on both cores, with progress and the seed
// of a failure. `--schedules 1` tells the story of its seed step by step. `--mutations` turns the core's rules off one at a time, in a
// copy, and expects the simulator to notice. `--cluster` runs the experiments of the cluster instead, or those of `--experiment E2,E3`;
// `--full` more of each. It contains no test; those are tests/core/invariants.rs, tests/core/cluster_sim.rs and tests/support.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { fast, tryMutations } from "./mutations.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** So many at a time: progress is shown in between. */
const CHUNK = 100_000;

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    mutations: { type: "boolean", default: false },
    only: { type: "string" },
    cluster: { type: "boolean", default: false },
    experiment: { type: "string" },
    full: { type: "boolean", default: false },
  },
});

if (!values.cluster && (values.experiment || values.full)) {
  console.error("sim: --experiment and --full are of --cluster");
  process.exit(2);
}
if (values.cluster) {
  const words = [...(values.full ? ["--full"] : []), ...(values.experiment?.split(",") ?? [])];
  const args = ["run", "--release", "--locked", "-q", "-p", "bowline-support", "--bin", "cluster-sim", "--", ...words];
  const env = { ...process.env, ...fast(root, "sim-target") };
  const child = spawn("cargo", args, { cwd: root, env, stdio: "inherit" });
  process.exit(await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1))));
}

if (values.mutations) {
  const { caught, missed } = await tryMutations(root, values.only?.split(","));
  console.log(`${caught} passed, ${missed} failed`);
  process.exit(missed ? 1 : 0);
}

const [total, first] = [values.schedules, values.seed].map(Number);
if (!(total >= 1) || !Number.isSafeInteger(first)) {
  console.error("sim: --schedules needs a number of at least 1, --seed a whole number");
  process.exit(2);
}

const start = performance.now();
for (let done = 0; done < total; ) {
  const count = Math.min(CHUNK, total - done);
  const { code, output } = await schedules(first + done, count);
  const tally = output.match(/^\d+ schedules from .*$/m)?.[0];
  if (code !== 0 || !tally) {
    const words = output.match(/panicked at [^\n]*\n([^]*?)(?=\nnote:|\nstack backtrace|\n\n|$)/)?.[1] ?? output.slice(-4000);
    const seed = output.match(/BOWLINE_SEED=(\d+)/)?.[1];
    if (total === 1) console.log(output);
    console.error(`sim: an invariant is broken\n${words}`);
    if (seed) console.error(`sim: step by step: npm run sim -- --schedules 1 --seed ${seed}`);
    console.log(`0 passed, 1 failed (after ${done} schedules)`);
    process.exit(1);
  }
  done += count;
  if (total === 1) console.log(output);
  const rate = Math.round(done / ((performance.now() - start) / 1000));
  console.log(`${done} of ${total} schedules, ${rate} per second; ${tally.replace(/^.*?: /, "")}`);
}
console.log(`${total} passed, 0 failed`);

/** Runs schedules and gives what the test printed. */
function schedules(seed, count) {
  const args = ["test", "--release", "--locked", "-q", "-p", "bowline-core", "--test", "invariants", "--", "--nocapture"];
  const env = { ...process.env, ...fast(root, "sim-target"), BOWLINE_SEED: String(seed), BOWLINE_SCHEDULES: String(count) };
  const child = spawn("cargo", args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}
