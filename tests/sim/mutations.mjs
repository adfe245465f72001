// Is the simulator awake? Each entry turns one rule of the core off, in a copy of the sources; the random schedules must then break an
// invariant. A patch whose text is not there any more is a failure, too: the rule moved, and its mutation has to follow.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const SCHEDULES = 10_000;
const COPIED = ["Cargo.toml", "Cargo.lock", "clippy.toml", "src", "tests/core", "tests/support", "tests/browser", "pkg-template/wasm-bindgen"];

/** Name of the rule, file, its text, and the text without the rule. */
export const MUTATIONS = [
  {
    rule: "a side effect that left is never sent again",
    file: "src/core/policy/replay.rs",
    from: "(Loss::Unknown, Effect::SideEffect) => Verdict::Doubt",
    to: "(Loss::Unknown, Effect::SideEffect) => Verdict::Again",
  },
  {
    rule: "an answer settles only the request whose id it bears",
    file: "src/core/link/call.rs",
    from: "(sending.id == id && sending.link == link).then",
    to: "(sending.id.slot() == id.slot()).then",
  },
  {
    rule: "calls on a lost link are decided at once",
    file: "src/core/engine.rs",
    from: "self.on_lost(link, &error);",
    to: "let _ = link;",
  },
  {
    rule: "who gives up tells the server",
    file: "src/core/engine/flow.rs",
    from: "cx.write(up, Purpose::Silent, Outgoing::Cancelled(sending.id));",
    to: "let _ = up;",
  },
  {
    rule: "reads are repeated a bounded number of times",
    file: "src/core/policy/replay.rs",
    from: "pub(crate) const MAX_REPLAYS: u8 = 2;",
    to: "pub(crate) const MAX_REPLAYS: u8 = 200;",
  },
  {
    rule: "an answered exchange settles nothing any more",
    file: "src/core/engine.rs",
    from: "let answered = exchange.drain_until.is_some() && purpose != Purpose::Silent;",
    to: "let answered = false;",
  },
  {
    rule: "every phase of a call has its time limit",
    file: "src/core/link/call.rs",
    from: "        self.deadlines.arm(at, id, live, |at, id| holds(slots, at, id));",
    to: "        if live % 7 != 0 { self.deadlines.arm(at, id, live, |at, id| holds(slots, at, id)); }",
  },
];

/** Tries those whose rule contains one of `only`, or all. */
export async function tryMutations(root, only) {
  const copy = path.join(root, ".cache/mutants");
  let [caught, missed] = [0, 0];
  const control = attempt(root, copy, undefined);
  if (!control.passed) throw new Error(`sim: the sources as they are fail already:\n${control.output.slice(-3000)}`);
  for (const mutation of MUTATIONS.filter(({ rule }) => !only || only.some((word) => rule.includes(word)))) {
    const { passed, built, output } = attempt(root, copy, mutation);
    const noticed = built && !passed;
    if (noticed) caught++;
    else missed++;
    const words = output.match(/panicked at [^\n]*\n([^\n]*)/)?.[1] ?? output.slice(-300);
    console.log(`${noticed ? "ok     noticed" : "FAILED not noticed"}: without "${mutation.rule}": ${noticed || !built ? words : "all schedules pass"}`);
  }
  return { caught, missed };
}

function attempt(root, copy, mutation) {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of COPIED) cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  if (mutation) {
    const file = path.join(copy, mutation.file);
    const parts = readFileSync(file, "utf8").split(mutation.from);
    if (parts.length !== 2) throw new Error(`sim: ${mutation.file} has not once, but ${parts.length - 1} times: ${mutation.from}`);
    writeFileSync(file, parts.join(mutation.to));
  }
  const args = ["test", "--release", "--locked", "-q", "-p", "bowline-core", "--test", "invariants"];
  const env = { ...process.env, BOWLINE_SCHEDULES: String(SCHEDULES), CARGO_TARGET_DIR: path.join(root, ".cache/mutants-target"), RUST_BACKTRACE: "0" };
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: copy, env, encoding: "utf8", maxBuffer: 1 << 28 });
  const output = stdout + stderr;
  return { passed: status === 0, built: /running 1 test/.test(output), output };
}
