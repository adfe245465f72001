// Where nodes are learnt from: what the core asks, and the application's own source. When to ask, and what to believe, is the core's.

import type { ClusterNode, DistributedMCPConfig } from "./types-cluster.js";

/** What the core asks. `wait` and `idle` are milliseconds, `endpoint` is the place in `discoveryConfig.endpoints`. */
export type Query =
  | { kind: "list"; endpoint: number; index: number; wait: number }
  | { kind: "watch"; endpoint: number; revision: string; idle: number };

/** What a source says. */
export type DiscoveryAnswer =
  | { kind: "list"; nodes: ClusterNode[]; index: number | string }
  | { kind: "changes"; put: ClusterNode[]; gone: string[]; revision: number | string }
  | { kind: "compacted" | "unauthorized" | "failed" | "ended"; detail?: string };

export interface Source {
  /** Asks; what it gives stops that. */
  ask(query: Query, tell: (answer: DiscoveryAnswer) => void): () => void;
}

/** The source that the configuration names; none for a list. */
export function sourceOf({ discoveryMethod, discoveryConfig }: DistributedMCPConfig): Source | undefined {
  if (discoveryMethod === "custom") return own(discoveryConfig.discover!);
  return undefined;
}

function own(discover: (signal: AbortSignal) => Promise<ClusterNode[]>): Source {
  return {
    ask(_query, tell) {
      const controller = new AbortController();
      // A function that throws at once is one that rejects.
      Promise.resolve()
        .then(() => discover(controller.signal))
        .then((nodes) => {
          if (!Array.isArray(nodes)) throw new TypeError("discover gave no list");
          tell({ kind: "list", nodes, index: 0 });
        })
        .catch((error: unknown) => tell({ kind: "failed", detail: `discoveryConfig.discover: ${(error as Error)?.message ?? error}` }));
      return () => controller.abort();
    },
  };
}
