// `npm run conformance`: the official suite against the built package, each scenario in Node and in headless Chromium. `--target node`
// or `chromium` runs one of them, `--only a,b` some scenarios. What the client does in a scenario is scenarios.js.
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

import { inRoot, run, say, seconds } from "../../pkg-template/proc.mjs";

const LIMIT_MS = 60_000;
const suite = (...path) => inRoot("node_modules", "@modelcontextprotocol", "conformance", ...path);
const results = inRoot(".cache", "conformance");

// Authorization is not the client's business yet.
const notYet = (name) => name.startsWith("auth/");
const revisions = ["2026-07-28", "2025-11-25"];
/** Run by the suite, but in no list of what is required. */
const unscored = ["json-schema-2020-12-preservation"];
const targets = ["node", "chromium"];

/** The client scenarios that the suite requires for a revision. */
function required(revision) {
  const list = readFileSync(suite("requirements", `${revision}.yaml`), "utf8").match(/^client:\n((?: {2}- .+\n)+)/m);
  return list[1].match(/(?<=- ).+/g).filter((name) => !notYet(name));
}

const odd = process.argv.slice(2).filter((given, at, all) => !/^--(target|only)$/.test(given) && !all[at - 1]?.startsWith("--"));
if (odd.length > 0) throw new Error(`unknown: ${odd.join(" ")}. There are --target ${targets.join("|")} and --only a,b`);

function chosen(option, known) {
  const at = process.argv.indexOf(option);
  if (at < 0) return known;
  const names = process.argv[at + 1].split(",");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`${option} knows ${known.join(", ")}, not ${unknown.join(", ")}`);
  return names;
}

/** Runs one scenario; resolves with the suite's checks and what it printed if it was not content. */
async function runScenario(target, revision, scenario) {
  const folder = join(results, `${target}-${revision}-${scenario}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // The suite starts the command through a shell and splits it at spaces: no path of this machine may be in it.
  const command = `node tests/conformance/client.mjs ${target}`;
  const options = { scenario, command, "spec-version": revision, timeout: LIMIT_MS, "output-dir": folder };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const preload = ["--import", new URL("preload.mjs", import.meta.url).href];
  const env = { PATH: dirname(process.execPath) + delimiter + process.env.PATH };
  const ended = run(process.execPath, [...preload, suite("dist", "index.js"), "client", ...args], {
    env,
    quiet: true,
    timeout: LIMIT_MS * 2,
  });
  const { output, complaint } = await ended.then(
    (output) => ({ output }),
    (error) => ({ output: error.output, complaint: error.message }),
  );
  const saved = readdirSync(folder, { recursive: true }).find((file) => file.endsWith("checks.json"));
  const checks = saved ? JSON.parse(readFileSync(join(folder, saved), "utf8")) : [];
  // Some scenarios forgive a client that fails; ours tells there what the suite cannot see.
  const failedClient = output.includes("Client exited with code") && output;
  return { checks, complaint: complaint ?? failedClient };
}

async function test(target, revision, scenario) {
  const start = performance.now();
  const { checks, complaint } = await runScenario(target, revision, scenario);
  const having = (status) => checks.filter((check) => check.status === status).length;
  const [passed, failed, warnings] = ["SUCCESS", "FAILURE", "WARNING"].map(having);
  const ok = passed > 0 && failed + warnings === 0 && !complaint;
  const counts = `${passed} passed, ${failed} failed, ${warnings} warnings`;
  say(`${ok ? "ok    " : "FAILED"} ${target} ${revision} ${scenario}: ${counts} (${seconds(start)})`);
  if (complaint) say(complaint.replace(/^/gm, "         "));
  // A scenario that failed without a failed check (none was made, or the client gave up) is one failure.
  return { passed, failed: ok ? 0 : Math.max(failed + warnings, 1) };
}

const plan = revisions.flatMap((revision) => [...required(revision), ...unscored].map((scenario) => [revision, scenario]));
const only = chosen("--only", [...new Set(plan.map(([, scenario]) => scenario))]);
const sum = { passed: 0, failed: 0 };
for (const target of chosen("--target", targets)) {
  for (const [revision, scenario] of plan) {
    if (!only.includes(scenario)) continue;
    const { passed, failed } = await test(target, revision, scenario);
    sum.passed += passed;
    sum.failed += failed;
  }
}
say(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed > 0 ? 1 : 0;
