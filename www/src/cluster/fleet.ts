// Everything the page keeps about its cluster: the cluster itself, the calls it makes all the time, who answered them, and what happened.
// It lives outside React, as a session of the other page does.
import { createCluster, type ClusterNode, type DistributedMcp, type DistributedMCPConfig } from "bowline/cluster";
import { McpError } from "bowline";
import { createLog, type Log } from "../log";
import { millis } from "../format";
import { createStore, type Store } from "../store";
import { killNode, reviveNode } from "./nodes";

export type StrategyName = NonNullable<DistributedMCPConfig["loadBalancingStrategy"]>;

/** What became of the calls of half a second. */
export interface Slot {
  readonly id: number;
  /** Answers by node, in the order of the fleet's nodes. */
  readonly answered: readonly number[];
  readonly failed: number;
}

export interface Traffic {
  /** Calls per second. */
  readonly rate: number;
  /** Every fifth call is a tool call, which must not run twice; the others read. */
  readonly withTools: boolean;
  /** Calls belong to one of eight sessions. */
  readonly withSessions: boolean;
}

export interface Fleet {
  readonly nodes: readonly ClusterNode[];
  readonly cluster: Store<DistributedMcp>;
  readonly config: Store<DistributedMCPConfig>;
  readonly traffic: Store<Traffic>;
  readonly history: Store<readonly Slot[]>;
  readonly log: Log;
  /** Makes the cluster anew with another strategy. */
  balance(strategy: StrategyName): void;
  kill(id: string): void;
  revive(id: string): void;
  drain(id: string): void;
}

export const SLOT_MS = 500;
export const SLOTS = 120;
const SESSIONS = 8;
/** How often calls leave: a rate of 200 is four at a time. */
const TICK_MS = 20;

export function createFleet(nodes: readonly ClusterNode[]): Fleet {
  const log = createLog();
  const traffic = createStore<Traffic>({ rate: 50, withTools: true, withSessions: false });
  const history = createStore<readonly Slot[]>([]);
  const config = createStore(configOf(nodes, "adaptive"));
  const cluster = createStore(open(config.get(), log));
  let answered = nodes.map(() => 0);
  let failed = 0;

  setInterval(() => {
    const slot = { id: (history.get().at(-1)?.id ?? 0) + 1, answered, failed };
    history.set([...history.get(), slot].slice(-SLOTS));
    [answered, failed] = [nodes.map(() => 0), 0];
  }, SLOT_MS);

  let made = 0;
  async function call() {
    made += 1;
    const { withTools, withSessions } = traffic.get();
    const options = { useCache: false, timeout: 5000, ...(withSessions && { sessionId: `user-${made % SESSIONS}` }) };
    const target = cluster.get();
    const route =
      withTools && made % 5 === 0
        ? target.route("tools/call", { name: "add", arguments: { a: made, b: 1 } }, options)
        : target.route("tools/list", {}, options);
    try {
      await route;
      const node = await route.node;
      const at = nodes.findIndex(({ id }) => id === node);
      if (at >= 0) answered[at]! += 1;
    } catch (error) {
      // What a cluster that was replaced still had under way says nothing.
      if (target !== cluster.get()) return;
      failed += 1;
      const { code, outcome } = McpError.is(error) ? error : { code: "", outcome: "" };
      log.add("call", `${code} ${(error as Error).message} (${outcome})`, outcome === "unknown" ? "unknown" : "bad");
    }
  }

  let owed = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    // A tab that slept does not make up for it.
    owed = Math.min(owed + (Math.min(now - last, 100) * traffic.get().rate) / 1000, 20);
    last = now;
    for (; owed >= 1; owed -= 1) void call();
  }, TICK_MS);

  const act = (what: string, work: Promise<unknown>, tone: "plain" | "warn" | "good") => {
    log.add("demo", what, tone);
    work.catch((error) => log.fail(what, error));
  };
  return {
    nodes, cluster, config, traffic, history, log,
    balance(strategy) {
      const old = cluster.get();
      config.set(configOf(nodes, strategy));
      cluster.set(open(config.get(), log));
      log.add("demo", `balancing by ${strategy} from now on`);
      void old.close();
    },
    kill: (id) => act(`${id} killed`, killNode(id), "warn"),
    revive: (id) => act(`${id} started again`, reviveNode(id), "good"),
    drain: (id) => act(`${id} gets nothing new`, cluster.get().drain(id), "plain"),
  };
}

/** As an application would write it, but for the times: nobody wants to watch a breaker for a minute. */
const configOf = (nodes: readonly ClusterNode[], strategy: StrategyName): DistributedMCPConfig => ({
  clusterName: "demo",
  discoveryMethod: "static",
  discoveryConfig: { nodes: [...nodes] },
  loadBalancingStrategy: strategy,
  circuitBreakerConfig: { enabled: true, failureThreshold: 3, resetTimeout: 5000 },
  client: { enableWebSocket: false },
});

function open(config: DistributedMCPConfig, log: Log): DistributedMcp {
  const cluster = createCluster(config);
  cluster.on("nodeUp", ({ id }) => log.add("up", `${id} takes calls`, "good"));
  cluster.on("nodeDown", ({ id }) => log.add("down", `${id} takes none`, "bad"));
  cluster.on("breaker", ({ node, from, to }) => log.add("breaker", `${node}: ${from} → ${to}`, to === "closed" ? "good" : "warn"));
  let moved = 0;
  let since = 0;
  // Many calls fail over within a moment: one line for all of them.
  cluster.on("failover", ({ from, to, method, outcome }) => {
    if (moved === 0) {
      since = Date.now();
      setTimeout(() => {
        const more = moved > 1 ? `, and ${moved - 1} more within ${millis(Date.now() - since)}` : "";
        log.add("failover", `${method} from ${from} to ${to} (${outcome})${more}`, "warn");
        moved = 0;
      }, 250);
    }
    moved += 1;
  });
  cluster.on("error", (error) => log.fail("cluster", error));
  cluster.connect().catch((error) => log.fail("connect", error));
  return cluster;
}
