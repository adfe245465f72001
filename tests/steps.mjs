// Runs named steps one after the other, shows time per step, and adds up what their runners counted.
// It knows no step; run.mjs and all.mjs do.
import { RunError, say, seconds } from "../pkg-template/proc.mjs";

// The summary lines of cargo and wasm-bindgen, of `node --test`, and of our own scripts.
const summaries = [
  { line: /^test result: \w+\. (\d+) passed; (\d+) failed;.*$/gm, passed: 1, failed: 2 },
  { line: /^(?:# |ℹ )pass (\d+)\n(?:# |ℹ )fail (\d+)$/gm, passed: 1, failed: 2 },
  { line: /^(\d+) passed, (\d+) failed$/gm, passed: 1, failed: 2 },
];

/** The tests that a runner reported, and the lines in which it did. */
export function counted(output) {
  const total = { passed: 0, failed: 0, lines: [] };
  for (const { line, passed, failed } of summaries) {
    for (const match of output.matchAll(line)) {
      total.passed += Number(match[passed]);
      total.failed += Number(match[failed]);
      // A crate without tests of its own has nothing to tell.
      if (Number(match[passed]) + Number(match[failed]) === 0) continue;
      total.lines.push(match[0].replace(/^# /gm, "").replace("\n", ", "));
    }
  }
  return total;
}

/** Fails a step whose runner was content with no test at all: wasm-bindgen's skips with success. */
export function mustHaveRun(output) {
  if (counted(output).passed === 0) throw new RunError("the test runner", "success, but ran 0 tests", output);
  return output;
}

async function runStep({ name, run }) {
  const start = performance.now();
  say(`\n==> ${name}`);
  let output = "";
  let error = null;
  try {
    output = (await run()) ?? "";
  } catch (caught) {
    error = caught;
    output = caught.output ?? "";
    say(`==> ${name}: ${caught instanceof RunError ? caught.message : caught.stack}`);
  }
  const { passed, failed, lines } = counted(output);
  // A step without a count of its own is one test; one that ended badly never counts as all passed.
  const result = error ? { passed, failed: Math.max(failed, 1) } : { passed: passed + failed > 0 ? passed : 1, failed };
  const ok = error === null && result.failed === 0;
  say(`==> ${name}: ${ok ? "ok" : "FAILED"} in ${seconds(start)}`);
  return { name, ok, time: seconds(start), lines, ...result };
}

function pick(steps, only) {
  if (!only) return steps;
  const names = only.split(",");
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`no step is named ${unknown.join(", ")}; --list shows the names`);
  return steps.filter((step) => names.includes(step.name));
}

/** Runs what the command line asks for (`--list`, `--only a,b`) and sets the exit code. */
export async function runSteps(steps, argv = process.argv.slice(2)) {
  const width = Math.max(...steps.map(({ name }) => name.length)) + 2;
  if (argv.includes("--list")) return steps.forEach(({ name, about }) => say(`${name.padEnd(width)}${about}`));
  const at = argv.indexOf("--only");
  const chosen = pick(steps, at >= 0 ? argv[at + 1] : undefined);
  const start = performance.now();
  const results = [];
  for (const step of chosen) {
    const result = await runStep(step);
    results.push(result);
    if (step.required && !result.ok) {
      say(`==> nothing after ${step.name} can run without it`);
      break;
    }
  }
  say(`\n==> summary (${seconds(start)})`);
  for (const { name, ok, time, lines } of results) {
    say(`${ok ? "ok    " : "FAILED"} ${name.padEnd(width)}${time.padStart(9)}`);
    for (const line of lines) say(`         ${line}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const failed = sum("failed");
  say(`${sum("passed")} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
