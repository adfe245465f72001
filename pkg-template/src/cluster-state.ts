// The shared state of a cluster as its calls need it: where sessions live. Made when it is first used; what is wrong with its configuration is told
// then, and calls go on without it.

import { createStateStore } from "./state.js";
import { Sessions, type Session } from "./state-session.js";
import type { McpError } from "./errors.js";
import type { DistributedMCPConfig } from "./types-cluster.js";
import type { StateStore } from "./types-state.js";

export class ClusterState {
  readonly #config: DistributedMCPConfig;
  readonly #tell: (error: McpError) => void;
  #store: StateStore | undefined;
  #sessions: Sessions | undefined;

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

  close(): void {
    this.#store?.close();
  }
}
