// The results as a Markdown table, printed and kept in README.md. It decides nothing.
import { readFileSync, writeFileSync } from "node:fs";

import { megabytes } from "./judge.mjs";

const START = "<!-- table: written by `npm run faults -- --write` -->";
const END = "<!-- end of table -->";
const readme = new URL("README.md", import.meta.url);

export function table(results) {
  const head = ["row", "fault", "over", "in", "goal", "", "ours", "official client"];
  const lines = results.map(({ entry, engine, verdict, seen, theirs }) => [
    entry.row,
    entry.name,
    entry.transport,
    engine,
    goal(entry),
    verdict,
    entry.send ? ours(entry, seen) : (entry.missing ?? entry.elsewhere),
    official(entry, theirs),
  ]);
  const row = (cells) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...lines.map(row)].join("\n");
}

/** Replaces the table of README.md between its markers. */
export function writeReadme(text) {
  const old = readFileSync(readme, "utf8");
  const [from, to] = [old.indexOf(START), old.indexOf(END)];
  if (from < 0 || to < from) throw new Error("tests/faults/README.md has lost its markers");
  writeFileSync(readme, `${old.slice(0, from)}${START}\n\n${text}\n\n${old.slice(to)}`);
}

function goal({ expect, limit = 100, send }) {
  if (!send) return "";
  const { code = "resolves", outcome, extra } = expect;
  return [code, outcome, `≤ ${limit} ms`, extra && `≤ ${megabytes(extra)} MB`].filter(Boolean).join(", ");
}

function ours({ missing }, { ms, code, outcome, extra, executions, wrong }) {
  const told = code ? `${code}, ${outcome}` : "resolves";
  const notes = [extra !== undefined && `+${megabytes(extra)} MB`, executions > 1 && `executed ${executions} times`];
  return [`${told}, ${ms} ms`, ...notes, ...(missing ? [missing] : wrong.slice(0, 3))].filter(Boolean).join("; ");
}

function official({ expect }, theirs) {
  if (!theirs) return "";
  const { ms, error, code, extra, waited, executions, text } = theirs;
  const odd = text !== undefined && expect.text !== undefined && text !== expect.text;
  const resolves = odd ? `resolves with "${text.slice(0, 40)}"` : "resolves";
  const told = waited ? "timeout" : error ? `${error}${code === undefined ? "" : ` ${code}`}` : resolves;
  return [`${told}, ${ms} ms`, extra !== undefined && `+${megabytes(extra)} MB`, executions > 1 && `executed ${executions} times`]
    .filter(Boolean)
    .join("; ");
}
