// Nodes that the application names itself: once, as a list, or each time it is asked, by a function. It asks no network.

import { Refused, asking, described, sorted, type DiscoveredNode, type Source } from "./cluster-source.js";

/** A node as applications write it. */
export interface GivenNode {
  readonly id: string;
  readonly url: string;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly tags?: readonly string[];
}

/** The nodes of a static list. Throws a `TypeError` that names the first that is none, or one that is there twice. */
export function given(nodes: readonly GivenNode[]): DiscoveredNode[] {
  const { nodes: found, odd } = sorted(nodes.map((node) => described(node?.id, node)));
  if (odd) throw new TypeError(odd[0]);
  const twice = found.find(({ id }, at) => found.findIndex((other) => other.id === id) < at);
  if (twice) throw new TypeError(`two nodes are called ${twice.id}`);
  return found;
}

/** A function as a source; it fails when the function does, or gives something else than nodes. */
export function custom(discover: (signal: AbortSignal) => Promise<readonly GivenNode[]> | readonly GivenNode[]): Source {
  return {
    ask: (query, tell) =>
      asking(tell, async (signal, tell) => {
        if (query.kind === "watch") throw new Refused("failed", "a function has no watches");
        const nodes = await discover(signal);
        if (!Array.isArray(nodes)) throw new Refused("failed", "discover() gave no list");
        tell({ kind: "list", nodes: given(nodes), index: 0 });
      }),
  };
}
