// Is the simulator awake? Each entry turns one rule of the core off, in a copy of the sources; the random schedules must then break an
// invariant. A patch whose text is not there any more is a failure, too: the rule moved, and its mutation has to follow.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const SCHEDULES = 10_000;
const COPIED = ["Cargo.toml", "Cargo.lock", "clippy.toml", "src", "tests", "pkg-template/wasm-bindgen"];

/** The experiments of the cluster. */
const CLUSTER = "cluster_sim";

/** Name of the rule, file, its text, the text without it, and the test (and which in it) that has to notice, if not the random schedules. */
export const MUTATIONS = [
  {
    rule: "a side effect that left is never sent again",
    file: "src/core/policy/replay.rs",
    from: "Loss::Unknown => effect == Effect::Safe && replays < most",
    to: "Loss::Unknown => replays < most",
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
    from: "effect == Effect::Safe && replays < most",
    to: "effect == Effect::Safe && replays < 200",
  },
  {
    rule: "who gives up leaves the queue",
    file: "src/core/engine/flow.rs",
    from: "Phase::Queued => self.queue.remove(id),",
    to: "Phase::Queued => {}",
  },
  {
    rule: "the queue is bounded",
    file: "src/core/engine/gate.rs",
    from: "while self.queue.len() + held >= self.config.max_queued {",
    to: "while self.queue.len() + held > 2 * self.config.max_queued + 1 {",
  },
  {
    rule: "what was read before a change is not kept",
    file: "src/core/policy/flight.rs",
    from: "crew.overtaken |= is_old(crew.leader);",
    to: "let _ = is_old(crew.leader);",
  },
  {
    rule: "the first attempts after a loss are spread",
    file: "src/core/policy/backoff.rs",
    from: "return options.initial_delay.mul_f64(rng.unit());",
    to: "return options.initial_delay.mul_f64(0.9 + 0.1 * rng.unit());",
    test: "herd",
  },
  {
    rule: "every phase of a call has its time limit",
    file: "src/core/link/call.rs",
    from: "        self.deadlines.arm(at, id, live, |at, id| holds(slots, at, id));",
    to: "        if live % 7 != 0 { self.deadlines.arm(at, id, live, |at, id| holds(slots, at, id)); }",
  },
  {
    rule: "what is private goes with its user",
    file: "src/core/policy/cache.rs",
    from: "self.drop_all(&|_, entry| !entry.public, evicted);",
    to: "self.drop_all(&|_, entry| !entry.public && entry.bytes > 1_000_000, evicted);",
  },
  {
    rule: "who comes after a change of users joins nobody's read",
    file: "src/core/engine/caching.rs",
    from: "self.flight.overtake(&|_| true);",
    to: "self.flight.overtake(&|_| false);",
  },
  {
    rule: "a late answer ends a doubt",
    file: "src/core/policy/doubt.rs",
    from: "at.and_then(|at| self.0.remove(at))",
    to: "at.and_then(|at| self.0.get(at).copied())",
  },
  {
    rule: "who ends in doubt is remembered",
    file: "src/core/engine/flow.rs",
    from: "self.doubts.note(self.now, last);",
    to: "let _ = last;",
  },
  {
    rule: "a late question says that nothing was executed",
    file: "src/core/engine/answers.rs",
    from: "ResultKind::InputRequired | ResultKind::StateOnly, payload, .. } => (false, payload),",
    to: "ResultKind::InputRequired | ResultKind::StateOnly, payload, .. } => (true, payload),",
  },
  {
    rule: "a half-open link is given up",
    file: "src/core/link/heartbeat.rs",
    from: "let error = Error::new(Code::HeartbeatTimeout, Detail::Time(Stage::Response, span));",
    to: "if span > Duration::ZERO { return Change::None; }\n                let error = Error::new(Code::HeartbeatTimeout, Detail::Time(Stage::Response, span));",
  },
  {
    rule: "who wakes or is looked at again asks",
    file: "src/core/link/lifecycle.rs",
    from: "(_, Phase::Up { .. }) => self.probe(cx.config.heartbeat.wake_timeout, cx),",
    to: "(_, Phase::Up { .. }) => {}",
  },
  {
    rule: "no signal puts a verdict off",
    file: "src/core/link/heartbeat.rs",
    from: "self.heartbeat.until = Some(sooner.unwrap_or(until));",
    to: "self.heartbeat.until = sooner.map(|_| until).or(Some(until));",
  },
  {
    rule: "after sleep all limits are over at once",
    file: "src/core/engine.rs",
    from: "while let Some((id, stage, span)) = self.calls.overdue(self.now) {",
    to: "if let Some((id, stage, span)) = self.calls.overdue(self.now) {",
  },
  {
    rule: "a network that is not there yet is given up",
    file: "src/core/link/connection.rs",
    from: "Phase::Trying { until, .. } if *until <= cx.now => {",
    to: "Phase::Trying { until, .. } if *until + Duration::from_millis(90_000) <= cx.now => {",
  },
  {
    rule: "the autoregression learns",
    file: "src/core/cluster/forecast/series.rs",
    from: "*weight += gain * error;",
    to: "*weight += 0.0 * gain * error;",
    test: "forecast",
  },
  {
    rule: "a forecast knows the week",
    file: "src/core/cluster/forecast/series.rs",
    from: "level(week), slope(week)]",
    to: "0.0 * level(week), 0.0 * slope(week)]",
    test: "forecast",
  },
  {
    rule: "who has no past goes by the trend",
    file: "src/core/cluster/forecast/series.rs",
    from: "self.level.unwrap_or_default() + damped * self.trend",
    to: "self.level.unwrap_or_default() + 0.0 * damped",
    test: "forecast",
  },
  {
    rule: "an outage is no pattern",
    file: "src/core/cluster/forecast/series.rs",
    from: "difference.clamp(-OUTAGE, OUTAGE)",
    to: "difference.clamp(-100.0, 100.0)",
    test: "forecast",
  },
  {
    rule: "a bound moves when it is passed",
    file: "src/core/cluster/forecast/series.rs",
    from: "self.high += STEP * mean * if error > self.high",
    to: "self.high += STEP * mean * if error > 2.0 * self.high",
    test: "forecast",
  },
  {
    rule: "the number of nodes looks an hour ahead",
    file: "src/core/cluster/forecast.rs",
    from: "let high = total.iter().map(|point| point.high)",
    to: "let high = total.iter().take(1).map(|point| point.rate)",
    test: "capacity",
  },
  {
    rule: "a request may wait for others",
    file: "src/core/cluster/capacity.rs",
    from: "at_work + waits * after_wait",
    to: "at_work + 0.0 * waits * after_wait",
    test: "capacity",
  },
  {
    rule: "cluster: an old latency decides nothing",
    file: "src/core/cluster/cost.rs",
    from: ".filter(|(_, age)| *age < self.fresh)",
    to: "",
    test: CLUSTER,
    named: "who_calls_rarely",
  },
  {
    rule: "cluster: nodes are drawn by weight",
    file: "src/core/cluster/balance.rs",
    from: "_ => self.set.draw(tier, pick.rng),",
    to: "_ => self.set.draw_alike(tier, pick.rng),",
    test: CLUSTER,
    named: "adaptive_waits",
  },
  {
    rule: "cluster: round robin begins at a random place",
    file: "src/core/cluster/balance.rs",
    from: "turns: [(); 3].map(|()| rng.bits() as u32),",
    to: "turns: [(); 3].map(|()| { rng.bits(); 0 }),",
    test: CLUSTER,
    named: "trample",
  },
  {
    rule: "cluster: a refused turn is not the neighbour's",
    file: "src/core/cluster/balance.rs",
    from: "            self.draw(pick, tier, Some(at))\n",
    to: "            self.next(pick, tier, level)\n",
    test: CLUSTER,
    named: "trample",
  },
  {
    rule: "cluster: a node that failed is left aside",
    file: "src/core/cluster/engine/member.rs",
    from: "NodePhase::Suspect => Admission::Suspect,",
    to: "NodePhase::Suspect => Admission::Yes,",
    test: CLUSTER,
    named: "who_reads",
  },
  {
    rule: "cluster: pauses are chance",
    file: "src/core/cluster/health.rs",
    from: "Some(now + doubled(ASK, self.vain, ASK_LONGEST).mul_f64(rng.unit()))",
    to: "Some(now + doubled(ASK, self.vain, ASK_LONGEST).mul_f64(0.5 + 0.0 * rng.unit()))",
    test: CLUSTER,
    named: "not_overrun",
  },
  {
    rule: "cluster: who was away comes back slowly",
    file: "src/core/cluster/engine/member.rs",
    from: "            if was_away {\n",
    to: "            if was_away && false {\n",
    test: "cluster_return",
  },
  {
    rule: "cluster: a blip takes no share",
    file: "src/core/cluster/engine/member.rs",
    from: "self.now + BLIP }",
    to: "self.now }",
    test: "cluster_return",
  },
  {
    rule: "cluster: what is late makes less room",
    file: "src/core/cluster/room.rs",
    from: "least.max(self.most.min(active as f64) / 2.0);",
    to: "least.max(f64::INFINITY);",
    test: CLUSTER,
    named: "never_say",
  },
  {
    rule: "cluster: a call that is slow by nature makes no less room",
    file: "src/core/cluster/room.rs",
    from: "if !overtaken && sent >= self.soon && sent >= self.halved {",
    to: "if sent >= self.halved {",
    test: "cluster_overload",
  },
  {
    rule: "cluster: late answers hardly make room",
    file: "src/core/cluster/room.rs",
    from: "const LITTLE: f64 = 1.0 / 16.0;",
    to: "const LITTLE: f64 = 1.0;",
    test: "cluster_overload",
  },
  {
    rule: "cluster: going on has a budget",
    file: "src/core/cluster/budget.rs",
    from: "self.0 > FULL / 2",
    to: "self.0 < u8::MAX",
    test: CLUSTER,
    named: "too_much",
  },
];

/** Tries those whose rule contains one of `only`, when it is for others to know that the sources pass as they are; or all. */
export async function tryMutations(root, only) {
  const copy = path.join(root, ".cache/mutants");
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const name of COPIED) cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  const chosen = MUTATIONS.filter(({ rule }) => !only || only.some((word) => rule.includes(word)));
  // All of them, before any is built: a run that ends with a stale patch should not take minutes to say so.
  for (const mutation of chosen) patched(copy, mutation);
  for (const test of new Set(only ? [] : chosen.map(({ test }) => test))) {
    const { passed, output } = attempt(root, copy, { test });
    if (!passed) throw new Error(`sim: the sources as they are fail already:\n${output.slice(-3000)}`);
  }
  let [caught, missed] = [0, 0];
  for (const mutation of chosen) {
    const file = path.join(copy, mutation.file);
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, patched(copy, mutation));
    const { passed, built, output } = attempt(root, copy, mutation);
    writeFileSync(file, whole);
    const noticed = built && !passed;
    if (noticed) caught++;
    else missed++;
    const words = output.match(/panicked at [^\n]*\n([^\n]*)/)?.[1] ?? output.slice(-300);
    const found = noticed || !built ? words : "everything passes";
    console.log(`${noticed ? "ok     noticed" : "FAILED not noticed"}: without "${mutation.rule}": ${found.slice(0, 300)}`);
  }
  return { caught, missed };
}

function patched(copy, { file, from, to }) {
  const parts = readFileSync(path.join(copy, file), "utf8").split(from);
  if (parts.length !== 2) throw new Error(`sim: ${file} has not once, but ${parts.length - 1} times: ${from}`);
  return parts.join(to);
}

/** Runs a test file, or what of it has a word in its name. */
function attempt(root, copy, { test = "invariants", named = "" }) {
  const args = ["test", "--release", "--locked", "-q", "-p", "bowline-core", "--test", test, "--", named];
  const env = { ...process.env, ...fast(root, "mutants-target"), BOWLINE_SCHEDULES: String(SCHEDULES), RUST_BACKTRACE: "0" };
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: copy, env, encoding: "utf8", maxBuffer: 1 << 28 });
  const output = stdout + stderr;
  return { passed: status === 0, built: /running \d+ tests?/.test(output), output };
}

/**
 * Built for speed, unlike the package. In a folder of its own: cargo tells the same crate in two places apart by the age of its files alone,
 * and would run a mutant for the original.
 */
export function fast(root, folder) {
  return {
    CARGO_TARGET_DIR: path.join(root, ".cache", folder),
    CARGO_PROFILE_RELEASE_LTO: "off",
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "2",
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  };
}
