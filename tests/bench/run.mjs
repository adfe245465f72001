// `npm run bench`: measures rows 1 to 6 of the performance targets in headless Chromium against a
// hand-written client and the official ones, prints the table, and keeps or gates it when asked.
// It does not build the package: `npm run build` first.
import { readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
import { bundle } from "./bundle.mjs";
import { out, pkg, root } from "./paths.mjs";
import { markdown, writeReadme } from "./report.mjs";
import * as calls from "./rows/calls.mjs";
import * as coldStart from "./rows/cold-start.mjs";
import * as sizes from "./rows/sizes.mjs";
import { startServer } from "./server.mjs";
import { compare, isNoisy } from "./stats.mjs";
import { isBowline, subjects } from "./subjects.mjs";

const USAGE = `npm run bench -- [options]
  --rows 1,2,3        rows to measure (default 1,2,3,4,5,6)
  --rounds N          rounds a row (default 9; figures that are kept need 9)
  --subjects a,b      leave subjects out (${Object.keys(subjects).join(", ")})
  --era modern        or legacy: which revision the clients that know both speak
  --gate              exit 1 when a target is missed
  --write             keep the table in tests/bench/README.md`;

/** What the gate allows over a time target: the two-core machine's own scatter. */
const SLACK = 1.25;
const ROUNDS_TO_KEEP = 9;

await main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});

async function main() {
  const options = readOptions();
  if (options.help) return console.log(USAGE);
  const timedRows = [calls, coldStart].flatMap((kind) =>
    kind.measures
      .filter(({ row }) => options.rows.has(row))
      .map((spec) => ({ kind, spec, names: kind.subjectsOf().filter(options.wants) })),
  );
  const sized = options.rows.has(6) ? sizes.subjectsOf().filter(options.wants) : [];
  const names = [...new Set([...timedRows.flatMap((row) => row.names), ...sized])];
  const loaded = await bundle(names);

  const run = await describe(options, names);
  run.timed = timedRows.length ? await measureTimed(timedRows, options, run) : [];
  if (sized.length) {
    const wanted = Object.entries(loaded).filter(([name]) => sized.includes(name));
    run.sizes = await sizes.measure(Object.fromEntries(wanted));
  }
  run.load.after = loadAverage();

  const figures = markdown(run);
  console.log(`\n${figures}\n`);
  await writeFile(path.join(out, "results.json"), JSON.stringify(run, null, 2));
  if (options.write) await writeReadme(figures);
  if (options.gate) gate(run);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rows: { type: "string", default: "1,2,3,4,5,6" },
      rounds: { type: "string", default: String(ROUNDS_TO_KEEP) },
      subjects: { type: "string" },
      era: { type: "string", default: "modern" },
      gate: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const rows = new Set(values.rows.split(",").map(Number));
  const rounds = Number(values.rounds);
  const chosen = values.subjects?.split(",");
  for (const row of rows) if (!(row >= 1 && row <= 6)) throw new Error(`there is no row ${row}`);
  if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error("--rounds needs a number");
  if (!["modern", "legacy"].includes(values.era)) throw new Error("--era is modern or legacy");
  for (const name of chosen ?? []) {
    if (!(name in subjects)) throw new Error(`there is no subject "${name}"`);
  }
  if (values.write && rounds < ROUNDS_TO_KEEP) {
    throw new Error(`kept figures need ${ROUNDS_TO_KEEP} rounds or more`);
  }
  if (values.gate && chosen && !chosen.some(isBowline)) {
    throw new Error("--gate has nothing to gate without bowline");
  }
  // What every ratio stands on is always measured, and each base has its control.
  const fixed = ["raw", "raw again", "ts2", "ts2 again"];
  const wants = (name) => !chosen || chosen.includes(name) || fixed.includes(name);
  return { ...values, rows, rounds, wants };
}

async function measureTimed(rows, options, run) {
  const browser = await startBrowser();
  const server = await startServer();
  const context = { browser, server, subjects, rounds: options.rounds, era: options.era };
  run.versions.Chromium = browser.version;
  const timed = [];
  try {
    for (const { kind, spec, names } of rows) {
      console.error(`row ${spec.row}: ${spec.title}`);
      let samples = await kind.measure(spec, names, context);
      let result = judge(spec, samples);
      if (options.gate && result.misses.length) {
        console.error("  missed; measured once more before it counts");
        const again = await kind.measure(spec, names, context);
        samples = Object.fromEntries(names.map((name) => [name, [...samples[name], ...again[name]]]));
        result = judge(spec, samples);
      }
      timed.push(result);
    }
  } finally {
    await browser.close();
    await server.close();
  }
  return timed;
}

function judge(spec, samples) {
  const results = {};
  const noisy = {};
  const misses = [];
  for (const clock of ["thread", "wall"]) {
    results[clock] = compare(samples, spec.base, clock);
    noisy[clock] = isNoisy(results[clock][spec.control]);
    const target = spec.targets[clock];
    if (target === undefined) continue;
    for (const [name, { ofMinimums }] of Object.entries(results[clock])) {
      if (isBowline(name) && ofMinimums > target * SLACK) {
        misses.push({ clock, name, ofMinimums, allowed: target * SLACK });
      }
    }
  }
  return { spec, results, noisy, misses, samples };
}

function gate({ timed, sizes: measured = {} }) {
  const lines = timed.flatMap(({ spec, misses }) =>
    misses.map(
      ({ clock, name, ofMinimums, allowed }) =>
        `row ${spec.row}, ${spec.title}, ${clock}: ${name} ${ofMinimums.toFixed(2)} of ${spec.base}, ` +
        `allowed ${allowed.toFixed(2)}`,
    ),
  );
  for (const [name, { encoding, bytes }] of Object.entries(sizes.limits)) {
    const size = measured[name]?.[encoding];
    if (size > bytes) lines.push(`row 6: ${name} ${encoding} ${size} bytes, allowed ${bytes}`);
  }
  for (const line of lines) console.error(`MISSED ${line}`);
  if (lines.length) process.exitCode = 1;
  else console.log("bench gate: every measured target is met");
}

async function describe(options, names) {
  const versions = { Node: process.versions.node };
  const version = async (folder) =>
    JSON.parse(await readFile(path.join(folder, "package.json"), "utf8")).version;
  if (names.some(isBowline)) versions.bowline = await version(pkg);
  for (const id of ["@modelcontextprotocol/sdk", "@modelcontextprotocol/client", "esbuild"]) {
    versions[id] = await version(path.join(root, "node_modules", id));
  }
  return {
    date: `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    command: ["npm run bench", ...(process.argv.length > 2 ? ["--"] : []), ...process.argv.slice(2)].join(" "),
    rounds: options.rounds,
    era: options.era,
    machine: `${os.cpus().length} cores of ${os.cpus()[0].model.trim()}`,
    load: { before: loadAverage() },
    versions,
  };
}

function loadAverage() {
  return os.loadavg()[0].toFixed(2);
}
