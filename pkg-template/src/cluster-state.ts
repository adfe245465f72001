// The shared state of a cluster as its calls need it: where sessions live, and which nodes others found failing. Made when it is first used; what is wrong with its configuration is told
// then, and calls go on without it.

import { createStateStore } from "./state.js";
import { BreakerHints } from "./state-breaker.js";
import { Sessions, type Session } from "./state-session.js";
import type { McpError } from "./errors.js";
import type { DistributedMCPConfig } from "./types-cluster.js";
import type { StateStore } from "./types-state.js";

/** New nodes beyond so many are not asked about: each costs a request, and one's own experience comes soon. */
const MOST = 16;

export class ClusterState {
  readonly #config: DistributedMCPConfig;
  readonly #tell: (error: McpError) => void;
  #store: StateStore | undefined;
  #sessions: Sessions | undefined;
  #hints: BreakerHints | undefined;

  /** `tell` hears of what fails here and of no call. */
  constructor(config: DistributedMCPConfig, tell: (error: McpError) => void) {
    this.#config = config;
    this.#tell = tell;
  }

  get store(): StateStore {
    if (this.#store) return this.#store;
    const { stateManagementConfig, clusterName, client } = this.#config;
    this.#store = createStateStore(stateManagementConfig, clusterName, client?.fetch);
    if (this.#store.problem) this.#tell(this.#store.problem);
    return this.#store;
  }

  session(id: string): Session {
    this.#sessions ??= new Sessions(this.store, (error) => this.#tell(error as McpError));
    return this.#sessions.of(id);
  }

  /** Whether somebody else may know where a session lives that is new here. */
  get isShared(): boolean {
    return !!this.#config.stateManagementConfig && !this.store.problem;
  }

  /** From now on, and for as long as they failed before, `onHint` hears of nodes that other clients left alone; where the store can tell. */
  hear(onHint: (node: string) => void): void {
    const { ttl, subscribe } = this.isShared ? this.store.capabilities() : {};
    if (this.#hints || !ttl || !subscribe) return;
    this.#hints = new BreakerHints(this.store);
    this.#hints.hear(({ node, openFor }) => openFor > 0 && onHint(node));
  }

  /** Asks about nodes that are new here. */
  ask(nodes: readonly string[], onHint: (node: string) => void): void {
    for (const node of this.#hints ? nodes.slice(0, MOST) : []) {
      this.#hints!.of(node).then((openFor) => openFor > 0 && onHint(node), () => {});
    }
  }

  /** This client leaves a node alone for so long, or, for 0, not any more. */
  hint(node: string, openFor: number): void {
    this.#hints?.tell({ node, openFor }).catch((error) => this.#tell(error as McpError));
  }

  close(): void {
    this.#store?.close();
  }
}
