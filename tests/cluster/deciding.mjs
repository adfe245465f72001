// A source that is asked by the core's own decisions: between decider.rs (the core, natively) and a source in Node or in a page. It decides
// nothing.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { inRoot, run, targetDir } from "../../pkg-template/proc.mjs";

let built;

/** The program of decider.rs. */
export function decider() {
  built ??= run("cargo", ["build", "--locked", "-p", "bowline-core", "--example", "decider"], { quiet: true, cwd: inRoot() });
  return built.then(() => `${targetDir}/debug/examples/decider`);
}

export class Deciding {
  /** Names of the nodes that are believed. */
  nodes = [];
  /** Every set that was believed, the first included. */
  sets = [];
  /** `empty`, `failed N`. */
  events = [];
  /** What was asked, as `list 0 41 60000`. */
  queries = [];
  #place;
  #kind;
  #options;
  #child;
  #timer;
  #asking;
  #names = [];

  static async start(place, kind, options, { interval = 30_000, wait = 60_000, seed = 7 } = {}) {
    const one = new Deciding();
    one.#place = place;
    one.#kind = kind;
    one.#options = options;
    one.#child = spawn(await decider(), [], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: one.#child.stdout }).on("line", (line) => one.#hear(line));
    one.#tell(`${seed} ${kind} ${options.endpoints.length} ${interval} ${wait}`);
    return one;
  }

  async stop() {
    clearTimeout(this.#timer);
    this.#child.stdin.end();
    const asking = this.#asking;
    this.#asking = undefined;
    await (await asking)?.stop();
  }

  #tell(text) {
    this.#child.stdin.write(`${performance.now()} ${text}\n`);
  }

  #hear(line) {
    const [word, ...rest] = line.split(" ");
    if (word === "until") {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#tell("timeout"), Number(rest[0]) - performance.now() + 1);
    } else if (word === "set") {
      this.nodes = rest.map((id) => this.#names[id]).sort();
      this.sets.push(this.nodes);
    } else if (word === "ask") {
      this.queries.push(rest.join(" "));
      this.#ask(...rest);
    } else {
      this.events.push(line);
    }
  }

  async #ask(kind, endpoint, at, limit) {
    const before = this.#asking;
    const query =
      kind === "list"
        ? { kind, endpoint: Number(endpoint), index: Number(at), wait: Number(limit) }
        : { kind, endpoint: Number(endpoint), revision: at, idle: Number(limit) };
    const asked = this.#place.ask(this.#kind, this.#options, query);
    this.#asking = asked;
    await (await before)?.stop();
    const asking = await asked;
    for (let last = false; !last; ) {
      const answer = await asking.next(600_000);
      if (this.#asking !== asked) return;
      last = answer.kind !== "changes";
      this.#tell(this.#words(answer));
    }
  }

  #words({ kind, nodes, index, put, gone, revision }) {
    if (kind === "list") return ["list", index, ...nodes.map(({ id }) => this.#number(id))].join(" ");
    if (kind !== "changes") return kind;
    return ["changes", revision, ...put.map(({ id }) => this.#number(id)), ...gone.map((id) => `-${this.#number(id)}`)].join(" ");
  }

  /** The same name is the same number. */
  #number(name) {
    if (!this.#names.includes(name)) this.#names.push(name);
    return this.#names.indexOf(name);
  }
}
