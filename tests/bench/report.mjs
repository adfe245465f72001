// Turns results into the Markdown that is printed and kept in README.md. It decides nothing.
import { readFile, writeFile } from "node:fs/promises";

import { readme } from "./paths.mjs";
import { KB, limits } from "./rows/sizes.mjs";
import { subjects } from "./subjects.mjs";

const START = "<!-- figures: written by `npm run bench -- --write` -->";
const END = "<!-- end of figures -->";
const clocks = { thread: "main thread", wall: "wall" };

export function markdown(run) {
  const parts = [about(run)];
  const calls = run.timed.filter(({ spec }) => spec.row <= 4);
  const cold = run.timed.filter(({ spec }) => spec.row === 5);
  if (calls.length) parts.push(ratioTable(calls, "µs per operation", 1));
  if (cold.length) parts.push(ratioTable(cold, "ms", 1000));
  if (run.sizes) parts.push(sizeTable(run.sizes));
  return parts.join("\n\n");
}

/** Replaces the figures of README.md between their markers. */
export async function writeReadme(figures) {
  const text = await readFile(readme, "utf8");
  const from = text.indexOf(START);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error("tests/bench/README.md has lost its figure markers");
  await writeFile(readme, `${text.slice(0, from)}${START}\n\n${figures}\n\n${text.slice(to)}`);
}

function about({ date, command, machine, load, versions, rounds, era }) {
  const listed = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${date}, \`${command}\`, ${rounds} rounds, ${era} era where the client has it.`,
    `${machine}; load average ${load.before} before and ${load.after} after.`,
    `${listed.join(", ")}.`,
  ].join("\n");
}

function ratioTable(timed, unit, scale) {
  const { base, control } = timed[0].spec;
  const names = [...new Set(timed.flatMap(({ results }) => Object.keys(results.thread)))];
  const others = names.filter((name) => name !== base);
  const head = ["row", "measure", "clock", `${subjects[base].label}, ${unit}`];
  head.push(...others.map((name) => subjects[name].label), "target", "");
  const lines = [];
  for (const { spec, results, noisy, misses } of timed) {
    for (const clock of Object.keys(clocks)) {
      const of = results[clock];
      const target = spec.targets[clock] ?? spec.reported?.[clock];
      const missed = misses.some((miss) => miss.clock === clock);
      lines.push([
        spec.row,
        spec.title,
        clocks[clock],
        (of[base].absolute / scale).toFixed(1),
        ...others.map((name) => (of[name] ? ratio(of[name]) : "")),
        target === undefined ? "" : `≤ ${target.toFixed(2)}`,
        [noisy[clock] && "noisy", missed && "missed"].filter(Boolean).join(", "),
      ]);
    }
  }
  const told =
    `Ratios to ${subjects[base].label}: median of the rounds (min to max). ` +
    `"noisy": ${subjects[control].label} left 0.85 to 1.15.`;
  return `${told}\n\n${table(head, lines)}`;
}

const ratio = ({ ratio, min, max }) => `${ratio.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;

function sizeTable(sizes) {
  const lines = Object.entries(sizes).map(([name, size]) => {
    const limit = limits[name];
    const kept = !limit || size[limit.encoding] <= limit.bytes;
    return [
      6,
      subjects[name].label,
      ...["raw", "gzip", "brotli"].map((encoding) => (size[encoding] / KB).toFixed(1)),
      limit ? `${limit.encoding} ≤ ${(limit.bytes / KB).toFixed(0)}` : "",
      kept ? "" : "missed",
    ];
  });
  const head = ["row", "all a page loads, KB (1,000 bytes)", "raw", "gzip -9", "brotli 11", "limit", ""];
  return table(head, lines);
}

function table(head, lines) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...lines.map(row)].join("\n");
}
