// What a cluster's source of nodes was asked and said, on its way between the source and the core, and how that looks to the application. When
// to ask, and what to believe, is the core's.

import { errorFrom, type McpError } from "./errors.js";
import { consul } from "./cluster-consul.js";
import { custom } from "./cluster-custom.js";
import { etcd } from "./cluster-etcd.js";
import { LastKnownGood } from "./cluster-lkg.js";
import type { DiscoveredNode, DiscoveryAnswer, HttpOptions, Query, Source } from "./cluster-source.js";
import type { ClusterEventMap, ClusterSnapshot, DistributedMCPConfig } from "./types-cluster.js";
import type { Emitter } from "./emitter.js";

/** By their numbers. */
const ANSWERS: readonly DiscoveryAnswer["kind"][] = ["list", "changes", "compacted", "unauthorized", "failed", "ended"];

/** Who takes answers to the core. */
export interface Listener {
  onAnswer(kind: number, revision: number, nodes: readonly DiscoveredNode[], gone: readonly string[]): void;
  readonly events: Emitter<ClusterEventMap>;
}

export class Discovery {
  readonly #source: Source | undefined;
  readonly #endpoints: number;
  readonly #listener: Listener;
  #stop: (() => void) | undefined;
  /** When nodes were last learnt; 0 for never. */
  #at: number;
  /** In a row. */
  #failures = 0;
  /** What the source said of its last failure. */
  #detail: string | undefined;

  readonly #kept: LastKnownGood | undefined;

  /** `isKnown`: the configuration names nodes. */
  constructor(config: DistributedMCPConfig, isKnown: boolean, listener: Listener) {
    this.#source = sourceOf(config);
    if (this.#source && config.discoveryConfig.lastKnownGood) this.#kept = new LastKnownGood(config.clusterName);
    this.#endpoints = Math.max(1, config.discoveryConfig.endpoints?.length ?? 0);
    this.#listener = listener;
    this.#at = isKnown ? Date.now() : 0;
  }

  /** The nodes that an earlier page knew. */
  remembered(): DiscoveredNode[] {
    return this.#kept?.load() ?? [];
  }

  /** These are believed now. */
  keep(nodes: readonly DiscoveredNode[]): void {
    this.#kept?.save(nodes);
  }

  /** Every address was asked in vain, and nothing was known before. */
  get isHopeless(): boolean {
    return !this.#at && this.#failures >= this.#endpoints;
  }

  get state(): ClusterSnapshot["discovery"] {
    return { ok: !this.#failures, at: this.#at, stale: this.#failures > 0 && this.#at > 0 };
  }

  /** Asks, instead of what was asked before. */
  ask(query: Query): void {
    this.stop();
    let stopped = false;
    const stop = this.#source?.ask(query, (answer) => stopped || this.#hear(answer));
    this.#stop = () => {
      stopped = true;
      stop?.();
    };
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #hear(answer: DiscoveryAnswer): void {
    const { kind } = answer;
    const isGood = kind === "list" || kind === "changes";
    const nodes = kind === "list" ? answer.nodes : kind === "changes" ? answer.put : [];
    // A malformed entry costs its node, not the others.
    for (const flaw of ("odd" in answer && answer.odd) || []) this.#listener.events.emit("error", failed(flaw));
    this.#detail = "detail" in answer ? answer.detail : undefined;
    if (isGood) {
      this.#at = Date.now();
      this.#failures = 0;
    }
    const revision = kind === "list" ? answer.index : kind === "changes" ? answer.revision : 0;
    this.#listener.onAnswer(ANSWERS.indexOf(kind), Number(revision), nodes, kind === "changes" ? answer.gone : []);
  }

  /** The source failed, for the so-manieth time in a row. */
  lost(times: number): McpError {
    this.#failures = times;
    return this.noNode();
  }

  /** It says that there is nobody, and is not believed yet. */
  empty(): McpError {
    return failed("the source names no node; those of before stay until it has said so again");
  }

  /** Nobody could be found, or nobody is there. */
  noNode(): McpError {
    if (this.#failures) return failed(this.#detail);
    return errorFrom({ code: "NO_HEALTHY_NODE", outcome: "not-sent", retryable: true, detail: "none was found" });
  }
}

function failed(detail?: string): McpError {
  return errorFrom({ code: "DISCOVERY_FAILED", outcome: "not-sent", retryable: true, ...(detail && { detail }) });
}

/** The source that the configuration names; none for a list. */
function sourceOf({ discoveryMethod, discoveryConfig, client }: DistributedMCPConfig): Source | undefined {
  const { endpoints = [], headers, serviceName = "", discover, tags, passing, datacenter, token, user, password } = discoveryConfig;
  const http: HttpOptions = { endpoints, headers, fetch: client?.fetch };
  if (discoveryMethod === "custom") return custom(discover!);
  if (discoveryMethod === "consul") return consul({ ...http, serviceName, tags, passing, datacenter, token });
  if (discoveryMethod === "etcd") return etcd({ ...http, prefix: serviceName, user, password, token: typeof token === "string" ? () => token : token });
  return undefined;
}
