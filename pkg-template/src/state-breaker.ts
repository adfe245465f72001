// What clients of a cluster tell each other of nodes that fail: one that had to find out spares the others the same. Hints, not verdicts:
// whoever may write state can tell them, so a cluster should take a node that is hinted at last, not never.

import { part } from "./state-text.js";
import type { StateStore } from "./types-state.js";

const CHANNEL = "breaker";

/** A hint: to leave a node alone for so many milliseconds from now; 0 takes it back. */
export interface BreakerHint {
  readonly node: string;
  readonly openFor: number;
}

export class BreakerHints {
  readonly #store: StateStore;

  /** Of a store that has lives of values, or `tell` rejects; without channels, hints are found only by `of`. */
  constructor(store: StateStore) {
    this.#store = store;
  }

  /** Tells the others. The time is counted by the store: the clocks of clients differ. */
  async tell({ node, openFor }: BreakerHint): Promise<void> {
    const key = keyOf(node);
    await (openFor > 0 ? this.#store.set(key, true, openFor) : this.#store.delete(key));
    if (this.#store.capabilities().subscribe) await this.#store.publish(CHANNEL, { node, openFor } satisfies BreakerHint);
  }

  /** How long a node should still be left alone, in milliseconds; 0 when nobody hinted at it. */
  async of(node: string): Promise<number> {
    return (await this.#store.expiresIn(keyOf(node))) ?? 0;
  }

  /** Hears what others tell from now on, until the function it returns is called. `onGap`: something may have been missed. */
  hear(listener: (hint: BreakerHint) => void, onGap?: () => void): () => void {
    const heard = (message: unknown) => {
      const { node, openFor } = { ...(message as Partial<BreakerHint> | null) };
      if (typeof node === "string" && typeof openFor === "number" && openFor >= 0) listener({ node, openFor });
    };
    return this.#store.subscribe(CHANNEL, heard, onGap);
  }
}

function keyOf(node: string): string {
  return `breaker:${part(node)}`;
}
