// The nodes that were last known to be good, kept in localStorage so that a page that is opened while discovery is down has somewhere to
// go. Where there is no localStorage (workers, Node, storage that is blocked), nothing is kept and nothing fails.

import { described, sorted, type DiscoveredNode } from "./cluster-source.js";

/** Nodes older than this are not good any more. Milliseconds. */
const MAX_AGE = 24 * 60 * 60 * 1000;
/** The same nodes are written again after so long, as their age counts. */
const REFRESH = 10 * 60 * 1000;
const VERSION = 1;

export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class LastKnownGood {
  readonly #key: string;
  readonly #shelf: Shelf | undefined;
  #kept = "";
  #at = -Infinity;

  /** `cluster` names the cluster among those of this origin. */
  constructor(cluster: string, shelf: Shelf | undefined = localShelf()) {
    this.#key = `bowline:nodes:${cluster}`;
    this.#shelf = shelf;
  }

  /** The nodes that were kept, none when they are too old or are not ours. */
  load(now = Date.now()): DiscoveredNode[] {
    try {
      const { version, at, nodes } = JSON.parse(this.#shelf?.getItem(this.#key) ?? "{}");
      const age = now - at;
      if (version !== VERSION || !(age >= 0 && age < MAX_AGE)) return [];
      return sorted((nodes as DiscoveredNode[]).map((node) => described(node.id, node))).nodes;
    } catch {
      return [];
    }
  }

  /** Keeps the nodes that are believed now; to be called with every answer that confirms them. None: nothing is kept any more. */
  save(nodes: readonly DiscoveredNode[], now = Date.now()): void {
    const text = JSON.stringify(nodes);
    if (text === this.#kept && now - this.#at < REFRESH) return;
    try {
      if (nodes.length === 0) this.#shelf?.removeItem(this.#key);
      else this.#shelf?.setItem(this.#key, JSON.stringify({ version: VERSION, at: now, nodes }));
      this.#kept = text;
      this.#at = now;
    } catch {
      // Full, or forbidden: the next page begins without.
    }
  }
}

function localShelf(): Shelf | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
