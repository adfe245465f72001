// The way into the cluster's core: begins it once its module is there, hands inputs over one by one, does what it says in order, and wakes it
// when it asked for that. It decides nothing and knows no node.

import type { McpError } from "./errors.js";
import { loadCluster, loadedCluster, type Inhabitant, type Instance } from "./cluster-runtime.js";
import { tell, type ClusterCore, type Told } from "./cluster-told.js";

/** An input or a question, at a time on the clock of `performance`; gives how many numbers there are to take. */
export type Ask = (core: ClusterCore, cluster: number, now: number) => number;

/** Who is behind the core. */
export interface Owner extends Told, Inhabitant {
  /** Gives the core all that `create` needs. */
  describe(core: ClusterCore): void;
  /** The core is there, and has heard nothing yet. */
  onBegin(): void;
  /** The module could not be loaded; a later call tries again. */
  onLoadFailed(error: McpError): void;
  /** Something may have changed. */
  touch(): void;
}

const LONGEST_TIMER = 2 ** 31 - 1;

export class Engine {
  readonly #owner: Owner;
  #instance: Instance | undefined;
  /** The core's number for this cluster; -1 before and after. */
  #cluster = -1;
  #loading = false;
  #ended = false;
  #due: (() => void)[] = [];
  /** What the core said and was not done yet. */
  #numbers: number[] = [];
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wakeAt = Infinity;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get isOpen(): boolean {
    return this.#cluster >= 0;
  }

  /** Does it now, or when the core is there. */
  onceOpen(work: () => void): void {
    const instance = loadedCluster();
    if (instance && !this.isOpen) this.#begin(instance);
    if (this.isOpen) return work();
    this.#due.push(work);
    if (this.#loading || this.#ended) return;
    this.#loading = true;
    loadCluster()
      .then(
        (loaded) => this.#begin(loaded),
        (error: McpError) => {
          this.#due = [];
          this.#owner.onLoadFailed(error);
        },
      )
      .finally(() => (this.#loading = false));
  }

  #begin(instance: Instance): void {
    if (this.#ended || this.isOpen) return;
    this.#instance = instance;
    instance.inhabitants.add(this.#owner);
    const cluster = instance.enter((core) => {
      this.#owner.describe(core);
      return core.create(Math.random());
    });
    if (cluster === undefined) return;
    this.#cluster = cluster;
    this.#owner.onBegin();
    for (const work of this.#due.splice(0)) work();
  }

  /** Hands one input over and does what follows from it. What comes while that is being done waits for its turn. */
  input(input: Ask): void {
    this.#take(input, this.#numbers);
    if (this.#busy) return;
    this.#busy = true;
    for (let at = 0; at < this.#numbers.length; ) at = tell(this.#owner, this.#numbers, at);
    this.#numbers = [];
    this.#busy = false;
    this.#owner.touch();
  }

  /** The numbers that answer a question. */
  ask(question: Ask): number[] {
    const numbers: number[] = [];
    this.#take(question, numbers);
    return numbers;
  }

  /** A question whose answer is the number itself; 0 without a core. */
  fact(question: (core: ClusterCore) => number): number {
    return this.#instance?.enter(question) ?? 0;
  }

  #take(ask: Ask, into: number[]): void {
    if (!this.isOpen) return;
    this.#instance!.enter((core) => {
      for (let left = ask(core, this.#cluster, performance.now()); left > 0; left--) into.push(core.take());
    });
  }

  /** Wakes the core then; NaN is no time. A timer that comes early costs less than one that is set anew for each call. */
  wakeAt(at: number): void {
    if (!(at < this.#wakeAt)) return;
    this.#wakeAt = at;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(() => {
      this.#wakeAt = Infinity;
      this.input((core, cluster, now) => core.wake(cluster, now));
    }, Math.min(LONGEST_TIMER, wait));
  }

  /** The core is gone, or not wanted any more. */
  end(): void {
    this.#ended = true;
    this.#cluster = -1;
    this.#due = [];
    this.#instance?.inhabitants.delete(this.#owner);
    clearTimeout(this.#timer);
  }
}
