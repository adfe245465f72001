// One node of a cluster: its client, made when it is first needed, and the news of its link. Who is called is the core's to decide.

import { createClient, McpError } from "./index.js";
import type { McpClient } from "./client.js";
import type { Known } from "./cluster-told.js";
import { PHASES, SUSPECT } from "./cluster-told.js";
import type { DiscoveredNode } from "./cluster-source.js";
import { IDLE } from "./outside.js";
import type { DistributedMCPConfig, NodeStatus } from "./types-cluster.js";
import type { HealthReport, MCPClientConfig } from "./types.js";

/** States in which this side, and not the node, is why there is no link. */
const RESTING = "suspended";

const UNKNOWN: HealthReport = Object.freeze({ status: "unknown", score: 1, latency: null, lastSuccess: null, lastFailure: null, consecutiveFailures: 0 });

/** Who hears of a node's link. */
export interface NodeListener {
  /** It came up. */
  onLink(node: Node): void;
  /** It went down, or could not be opened; `innocent`: the surroundings are to blame. */
  onLinkLost(node: Node, innocent: boolean): void;
  /** Something that a view shows changed. */
  touch(): void;
}

export class Node {
  /** As the core knows it. */
  readonly number: number;
  readonly #config: DistributedMCPConfig;
  readonly #listener: NodeListener;
  #spec: DiscoveredNode;
  #client: McpClient | undefined;
  /** Those of earlier addresses that have something under way. */
  readonly #retired = new Set<McpClient>();
  /** Attempts that wait for an answer. */
  active = 0;
  #idle: (() => void)[] = [];

  constructor(number: number, spec: DiscoveredNode, config: DistributedMCPConfig, listener: NodeListener) {
    this.number = number;
    this.#spec = spec;
    this.#config = config;
    this.#listener = listener;
  }

  get id(): string {
    return this.#spec.id;
  }

  get spec(): DiscoveredNode {
    return this.#spec;
  }

  /** What discovery says of it now. At another address it is another server: the client of the old one finishes what it has. */
  describe(spec: DiscoveredNode): void {
    if (spec.url !== this.#spec.url) this.#retire();
    this.#spec = spec;
  }

  #retire(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    this.#retired.add(client);
    void client.queue.onIdle().then(() => {
      this.#retired.delete(client);
      void client.close();
    });
  }

  /** Its client, if it was ever needed. */
  get known(): McpClient | undefined {
    return this.#client;
  }

  get client(): McpClient {
    return (this.#client ??= this.#make());
  }

  #make(): McpClient {
    const { clusterName, client: given = {} } = this.#config;
    const client = createClient({
      enableCaching: false,
      ...given,
      id: `${clusterName}/${this.id}`,
      serverUrl: this.#spec.url,
      // What fails goes elsewhere at once: it neither waits for this node nor is sent to it again.
      queue: { ...given.queue, whileDisconnected: "reject" },
      replay: { ...given.replay, maxReplays: 0 },
    } as MCPClientConfig);
    let losses = 0;
    client.on("state", ({ previous, current: { state, attempt } }) => {
      if (client !== this.#client) return;
      losses = previous === "ready" ? attempt : losses;
      if (state === "ready") this.#listener.onLink(this);
      else if (previous === "ready" && state !== "closed") this.#listener.onLinkLost(this, state === RESTING);
      this.#listener.touch();
    });
    // A dial was in vain: nobody is there, which a link that is soon up again would not tell.
    client.on("reconnecting", ({ attempt }) => {
      if (client === this.#client && attempt > losses) this.#listener.onLinkLost(this, false);
    });
    return client;
  }

  /** Opens its link. */
  open(): void {
    const { client } = this;
    client.connect().catch(() => {
      if (client === this.#client && !this.isLinked) this.#listener.onLinkLost(this, client.state === RESTING);
    });
  }

  shut(): void {
    const client = this.#client;
    this.#client = undefined;
    for (const one of [client, ...this.#retired]) void one?.close();
    this.#retired.clear();
  }

  get isLinked(): boolean {
    return this.#client?.state === "ready";
  }

  /**
   * Resolves when the link is up, and rejects as soon as an attempt to open it failed (`whileDisconnected`): the client goes on trying, but
   * whoever has other nodes does not wait for it.
   */
  linked(timeout: number): Promise<unknown> {
    return this.client.connect({ timeout });
  }

  /** An answer within so long, or how long it took; NaN without one. An error in words is an answer, too. */
  async probe(timeout: number): Promise<number> {
    const { client } = this;
    try {
      if (!this.isLinked) await this.linked(timeout);
      const start = performance.now();
      try {
        await client.request("ping", undefined, { timeout, maxTotalTimeout: timeout, useCache: false });
      } catch (error) {
        if (!McpError.is(error, "RPC_ERROR")) return NaN;
      }
      return performance.now() - start;
    } catch {
      return NaN;
    }
  }

  enter(): void {
    this.active += 1;
  }

  leave(): void {
    this.active -= 1;
    if (this.active === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when no attempt waits for an answer. */
  idle(): Promise<void> {
    return new Promise((resolve) => (this.active ? this.#idle.push(resolve) : resolve()));
  }

  /** With what the core knows of it, if that is there. */
  status(known: Partial<Known> = {}): NodeStatus {
    const { phase = 0, draining = 0, latency = NaN } = known;
    return {
      ...this.#spec,
      health: this.#client?.health() ?? UNKNOWN,
      breaker: PHASES[phase]!,
      suspect: phase === SUSPECT,
      draining: !!draining,
      active: this.active,
      latency: Number.isNaN(latency) ? null : latency,
      connection: this.#client?.connection ?? IDLE,
    };
  }
}
