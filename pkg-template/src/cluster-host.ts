// The package's side of one cluster's core: it hands over what happened and does what the core wants done, with clients, promises and one
// timer. It decides nothing.

import { addTexts, errorFrom, type McpError } from "./errors.js";
import { Emitter, SnapshotStore } from "./emitter.js";
import { ReplayRules } from "./replay.js";
import { Tools } from "./tools.js";
import { surroundings } from "./outside.js";
import { Discovery } from "./cluster-discovery.js";
import type { DiscoveredNode } from "./cluster-source.js";
import { CLUSTER_TEXTS } from "./cluster-errors.js";
import { forecastOf } from "./cluster-forecast.js";
import { ClusterState } from "./cluster-state.js";
import { Engine, type Owner } from "./cluster-engine.js";
import { Names } from "./cluster-names.js";
import { Node, type NodeListener } from "./cluster-node.js";
import { check, invalid, nodesOf, numbersOf, timeoutOf } from "./cluster-options.js";
import { Attempt, type Router, Routing } from "./cluster-route.js";
import { listen } from "./cluster-signals.js";
import { knownOf, OUTCOMES, PHASES, spell, type ClusterCore, type Known } from "./cluster-told.js";
import { ANSWERED, unrepeated, verdictOf } from "./cluster-verdict.js";
import type { Call } from "./call.js";
import type { HealthReport } from "./types.js";
import type { ClusterEventMap, ClusterForecast, ClusterSnapshot, DistributedMCPConfig } from "./types-cluster.js";

/** Bits of the core's flags. */
const SAFE = 1;
const SESSION = 2;
/** A bit of what `ReplayRules.flags` gives, and above it one more than how often. */
const VOUCHED = 16;
const REPLAYS = 16;
/** How often, at most, a store's watchers hear of calls coming and going. Milliseconds. */
const BEAT = 100;

/** Somebody who waits for the first link. */
interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export class ClusterHost implements Owner, NodeListener, Router {
  readonly config: DistributedMCPConfig;
  readonly events = new Emitter<ClusterEventMap>();
  readonly store: SnapshotStore<ClusterSnapshot>;
  /** By their numbers. Who left keeps its place, in case it comes back. */
  readonly nodes = new Map<number, Node>();
  readonly #names = new Names();
  readonly #regions = new Names();
  readonly state: ClusterState;
  readonly #rules: ReplayRules;
  readonly #tools = new Tools(() => {});
  readonly #reads = new Map<string, boolean>();
  readonly #discovery: Discovery;
  readonly #numbers: number[];
  readonly #engine = new Engine(this);
  #closed = false;
  #crash: McpError | undefined;
  /** Calls that were made before the core was there. */
  readonly #waiting = new Set<Routing>();
  #connecting: Waiter[] = [];
  readonly #routings = new Map<number, Routing>();
  readonly #attempts = new Map<number, Attempt>();
  #stopListening: (() => void) | undefined;
  /** Nodes whose links could not be opened, since somebody waits for one. */
  #lost = new Set<Node>();
  #touched = false;

  constructor(config: DistributedMCPConfig) {
    // A second time changes nothing.
    addTexts(CLUSTER_TEXTS);
    check(config);
    this.config = config;
    // 0 stands for one that nobody named.
    this.#regions.number("");
    this.#numbers = numbersOf(config, (name) => this.#regions.number(name ?? ""));
    try {
      this.#rules = new ReplayRules({ ...config.client, serverUrl: "" }, (tool) => this.#tools.get(tool));
    } catch (error) {
      throw invalid(`client.${(error as Error).message}`);
    }
    const nodes = nodesOf(config);
    this.state = new ClusterState(config, (error) => this.events.emit("error", error));
    this.#discovery = new Discovery(config, nodes.length > 0, this);
    for (const node of nodes.length ? nodes : this.#discovery.remembered()) this.#note(node);
    this.store = new SnapshotStore(() => this.#snapshot());
  }

  // ---- what the application wants ----

  /** Resolves with the first link, and rejects when none could be opened. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#refusal(reject)) return;
      this.#connecting.push({ resolve, reject });
      this.#lost.clear();
      this.#engine.onceOpen(() => {
        this.#engine.input((core, cluster, now) => core.connect(cluster, now));
        // Opened before, perhaps, and lost: asked for once more.
        for (const node of this.nodes.values()) {
          if (node.isLinked) this.#linked();
          else if (node.known) node.open();
        }
      });
    });
  }

  submit(routing: Routing): void {
    const { signal } = routing.options;
    if (this.#refusal((error) => routing.fail(error))) return;
    if (signal?.aborted) return routing.cancel(signal.reason);
    this.#waiting.add(routing);
    this.#engine.onceOpen(() => this.#place(routing));
  }

  abandon(routing: Routing): void {
    if (this.#routings.has(routing.number)) return this.#engine.input((core, cluster, now) => core.cancel(cluster, now, routing.number));
    this.#waiting.delete(routing);
    routing.refuse({ code: "ABORTED", retryable: false });
  }

  drain(node: Node, on: boolean): void {
    this.#engine.onceOpen(() => this.#engine.input((core, cluster, now) => core.drain(cluster, now, node.number, +on)));
  }

  /** The session lives nowhere any more. */
  unpin(sessionId: string): void {
    this.state.session(sessionId).unpin();
    this.#engine.input((core, cluster, now) => {
      spell(core, sessionId);
      return core.unpin(cluster, now);
    });
  }

  isolate(node: Node, on: boolean): void {
    this.#engine.onceOpen(() => this.#engine.input((core, cluster, now) => core.isolate(cluster, now, node.number, +on)));
  }

  /** The node of that name. Throws McpError `INVALID_CONFIG` when there is none. */
  find(id: string): Node {
    const node = this.nodes.get(this.#names.known(id) ?? -1);
    if (!node) throw invalid(`no node is named ${JSON.stringify(id)}`);
    return node;
  }

  /** What the core knows of its nodes; without one, the nodes of the configuration. */
  known(): Known[] {
    return knownOf(this.#engine.ask((core, cluster, now) => core.nodes(cluster, now)));
  }

  forecast(): ClusterForecast {
    return forecastOf(this.#engine.ask((core, cluster, now) => core.forecast(cluster, now)), (node) => this.#id(node));
  }

  metrics(): number[] {
    return this.#engine.ask((core, cluster, now) => core.metrics(cluster, now));
  }

  /** The nodes there are, with what is known of them. */
  statuses(): ReturnType<Node["status"]>[] {
    if (!this.#engine.isOpen) return [...this.nodes.values()].map((node) => node.status());
    return this.known().flatMap((known) => this.nodes.get(known.node)?.status(known) ?? []);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.input((core, cluster, now) => core.close(cluster, now));
    this.#end(errorFrom({ code: "CLIENT_CLOSED", outcome: "not-sent", retryable: false }));
  }

  // ---- the core ----

  /** Why nothing is possible any more, if so. */
  #refusal(reject: (error: McpError) => void): boolean {
    if (this.#crash) reject(this.#crash);
    else if (this.#closed) reject(errorFrom({ code: "CLIENT_CLOSED", outcome: "not-sent", retryable: false }));
    else return false;
    return true;
  }

  describe(core: ClusterCore): void {
    for (const number of this.#numbers) core.give(number);
    for (const { number, spec } of this.nodes.values()) this.#give(core, number, spec);
  }

  onBegin(): void {
    this.#stopListening = listen((signal) => this.#engine.input((core, cluster, now) => core.signal(cluster, now, signal)));
    this.state.hear(this.#onHint);
    this.state.ask([...this.nodes.values()].map(({ id }) => id), this.#onHint);
  }

  onLoadFailed(error: McpError): void {
    for (const routing of this.#waiting) routing.fail(error);
    this.#waiting.clear();
    for (const { reject } of this.#connecting.splice(0)) reject(error);
  }

  /** Nothing goes on in this cluster any more. */
  #end(error: McpError): void {
    this.#engine.end();
    this.#discovery.stop();
    this.state.close();
    this.#stopListening?.();
    this.onLoadFailed(error);
    for (const routing of this.#routings.values()) {
      const { code, retryable, message: detail, cause } = error;
      routing.refuse({ code, retryable, detail, cause });
    }
    this.#routings.clear();
    this.#attempts.clear();
    for (const node of this.nodes.values()) node.shut();
    this.touch();
  }

  onCrash(error: McpError): void {
    if (this.#crash || this.#closed) return;
    this.#crash = error;
    this.#end(error);
    this.events.emit("error", error);
  }

  // ---- calls ----

  /** Hands a call over; of a session that is new here, once it is known where it lives. */
  #place(routing: Routing): void {
    const go = (): void => void (this.#waiting.delete(routing) && this.#route(routing));
    const { sessionId, preferredNode } = routing.options;
    if (sessionId === undefined || preferredNode !== undefined || !this.state.isShared) return go();
    const session = this.state.session(sessionId);
    if (session.node !== null) return go();
    void session.find().then(go);
  }

  #route(routing: Routing): void {
    const { options, method, number } = routing;
    const { sessionId, excludeNodes, region, hedgeAfter, timeout } = options;
    const preferredNode = options.preferredNode ?? (sessionId === undefined ? undefined : this.state.session(sessionId).node) ?? undefined;
    const { client, hedge } = this.config;
    routing.safe = this.#isSafe(routing);
    const isTask = !!client?.protocol?.tasks && method === "tools/call";
    routing.open = !!options.onProgress || !!client?.protocol?.onInputRequired || isTask;
    // A task takes the time it takes, hours perhaps, unless the caller says otherwise.
    const limit = isTask && options.maxTotalTimeout === undefined ? Infinity : (options.maxTotalTimeout ?? timeoutOf(this.config, timeout, routing.open));
    const left = limit - (performance.now() - routing.madeAt);
    routing.until = routing.madeAt + limit;
    const hedged = hedgeAfter ?? (hedge?.methods && !hedge.methods.includes(method) ? Infinity : NaN);
    this.#routings.set(number, routing);
    this.#engine.input((core, cluster, now) => {
      for (const id of excludeNodes ?? []) this.#giveNumber(core, this.#names.known(id));
      if (sessionId !== undefined) spell(core, sessionId);
      const flags = (routing.safe ? SAFE : 0) | (sessionId === undefined ? 0 : SESSION);
      const preferred = (preferredNode !== undefined ? this.#names.known(preferredNode) : undefined) ?? -1;
      const where = region === undefined ? -1 : this.#regions.number(region);
      return core.route(cluster, now, number, flags, preferred, where, Math.max(0, left), hedged);
    });
  }

  /** May it be executed twice: as the application says, else as the protocol does. */
  #isSafe(routing: Routing): boolean {
    const { method, options, tool, definition } = routing;
    const call = { method, tool, options: definition ? options : { ...options, toolDefinition: this.#tools.get(tool) } };
    const flags = this.#rules.flags(call as unknown as Call);
    // Forbidden to be sent again.
    routing.once = flags >> REPLAYS === 1;
    if (routing.once) return false;
    if (flags & VOUCHED) return true;
    let reads = this.#reads.get(method);
    if (reads === undefined) {
      reads = !!this.#engine.fact((core) => {
        spell(core, method);
        return core.reads();
      });
      this.#reads.set(method, reads);
    }
    return reads;
  }

  onSend(route: number, number: number, node: number, timeout: number): void {
    const [routing, to] = [this.#routings.get(route), this.nodes.get(node)];
    if (!routing || !to) return;
    const attempt = routing.attempt(number, to);
    this.#attempts.set(number, attempt);
    attempt.start(timeout, () => this.#ended(number, attempt));
  }

  #ended(number: number, attempt: Attempt): void {
    const { error } = attempt.end!;
    const end = error === undefined ? ([ANSWERED, 0, NaN] as const) : verdictOf(error, surroundings().online);
    // What is not to be sent again is not, although it only reads.
    const [verdict, outcome, retry] = attempt.routing.once ? unrepeated(end) : end;
    this.#engine.input((core, cluster, now) => core.ended(cluster, now, number, verdict, outcome, retry, attempt.took));
    this.#attempts.delete(number);
  }

  onAbort(number: number): void {
    this.#attempts.get(number)?.abandon("not wanted any more");
    this.#attempts.delete(number);
  }

  onSettle(route: number, number: number): void {
    const routing = this.#routings.get(route);
    const attempt = routing?.attempts.get(number);
    this.#routings.delete(route);
    if (!attempt?.end) return;
    if (routing!.method === "tools/list" && attempt.end.error === undefined) this.#tools.learn(attempt.end.value, false);
    const { sessionId } = routing!.options;
    if (sessionId !== undefined && attempt.end.error === undefined) void this.state.session(sessionId).served(attempt.node.id);
    routing!.settleAs(attempt);
  }

  onFail(route: number, refusal: number, value: number): void {
    const routing = this.#routings.get(route);
    this.#routings.delete(route);
    if (!routing) return;
    const retryAfter = Number.isNaN(value) ? {} : { retryAfter: value };
    if (refusal === 0) return routing.fail(this.#discovery.noNode());
    if (refusal === 1) return routing.refuse({ code: "NO_HEALTHY_NODE", retryable: true, ...retryAfter });
    if (refusal === 2) return routing.refuse({ code: "CIRCUIT_OPEN", retryable: true, ...retryAfter, url: "the one node that is left" });
    const timeout = routing.until - routing.madeAt;
    const stage = routing.wasSent ? "total" : "queue";
    if (refusal === 3) return routing.refuse({ code: "REQUEST_TIMEOUT", retryable: true, timeout, stage });
    routing.refuse({ code: refusal === 4 ? "ABORTED" : "CLIENT_CLOSED", retryable: false });
  }

  onFailover(route: number, from: number, to: number, outcome: number): void {
    const method = this.#routings.get(route)?.method ?? "";
    this.events.emit("failover", { from: this.#id(from), to: this.#id(to), method, outcome: OUTCOMES[outcome]! });
  }

  onHedge(): void {}

  // ---- nodes ----

  onOpen(number: number): void {
    this.nodes.get(number)?.open();
  }

  onShut(number: number): void {
    this.nodes.get(number)?.shut();
  }

  onProbe(number: number, timeout: number): void {
    const node = this.nodes.get(number);
    node?.probe(timeout).then((took) => this.#engine.input((core, cluster, now) => core.probed(cluster, now, number, took)));
  }

  onLink(node: Node): void {
    this.#engine.input((core, cluster, now) => core.up(cluster, now, node.number));
    this.#linked();
  }

  onLinkLost(node: Node, innocent: boolean): void {
    this.#engine.input((core, cluster, now) => core.down(cluster, now, node.number, +(innocent || !surroundings().online)));
    if (!this.#connecting.length) return;
    this.#lost.add(node);
    const others = this.known().flatMap((known) => this.nodes.get(known.node) ?? []).filter((one) => !this.#lost.has(one));
    if (others.some((one) => one.known)) return;
    // Whoever waits for a link waits for any: those that nobody asked yet are asked now.
    if (others.length) return others[0]!.open();
    const { message, code } = { ...node.known?.connection.reason };
    const detail = message ? `of ${this.#lost.size}, the last said: ${message}` : undefined;
    const error = errorFrom({ code: "NO_HEALTHY_NODE", outcome: "not-sent", retryable: true, ...(detail && { detail }), cause: code && new Error(message) });
    for (const { reject } of this.#connecting.splice(0)) reject(error);
  }

  #linked(): void {
    for (const { resolve } of this.#connecting.splice(0)) resolve();
  }

  onUp(number: number): void {
    this.#announce("nodeUp", number);
  }

  onDown(number: number): void {
    this.#announce("nodeDown", number);
  }

  onPhase(number: number, before: number, after: number): void {
    const [from, to] = [PHASES[before]!, PHASES[after]!];
    if (from === to) return;
    const node = this.#id(number);
    const retryIn = to === "open" ? this.known().find((known) => known.node === number)?.retryIn : 0;
    if (retryIn || to === "closed") this.state.hint(node, retryIn || 0);
    this.events.emit("breaker", { node, from, to });
  }

  readonly #onHint = (id: string): void => {
    const number = this.#names.known(id);
    if (number !== undefined) this.#engine.input((core, cluster, now) => core.hint(cluster, now, number));
  };

  #announce(event: "nodeUp" | "nodeDown", number: number): void {
    if (!this.events.has(event)) return;
    const status = this.statuses().find(({ id }) => id === this.#id(number));
    if (status) this.events.emit(event, status);
  }

  // ---- where nodes are learnt from ----

  onList(endpoint: number, index: number, wait: number): void {
    this.#discovery.ask({ kind: "list", endpoint, index, wait });
  }

  onWatch(endpoint: number, revision: number, idle: number): void {
    this.#discovery.ask({ kind: "watch", endpoint, revision: String(revision), idle });
  }

  /** What a source said, for the core. */
  onAnswer(kind: number, revision: number, nodes: readonly DiscoveredNode[], gone: readonly string[]): void {
    this.#engine.input((core, cluster, now) => {
      for (const node of nodes) this.#give(core, this.#note(node), node);
      for (const id of gone) this.#giveNumber(core, this.#names.known(id));
      return core.discovered(cluster, now, kind, revision);
    });
    // Those that are believed, whatever was said; nodes that left are still known while they finish what they have.
    this.#discovery.keep(this.known().flatMap(({ node, draining }) => (draining ? [] : (this.nodes.get(node)?.spec ?? []))));
  }

  onNodes(added: number[], removed: number[]): void {
    const names = (numbers: number[]) => numbers.map((number) => this.#id(number));
    this.state.ask(names(added), this.#onHint);
    this.events.emit("discovery", { added: names(added), removed: names(removed), source: this.config.discoveryMethod });
  }

  onNone(): void {
    this.events.emit("error", this.#discovery.empty());
  }

  onLost(times: number): void {
    const error = this.#discovery.lost(times);
    this.events.emit("error", error);
    if (!this.#discovery.isHopeless) return;
    for (const { reject } of this.#connecting.splice(0)) reject(error);
  }

  /** Notes what is said of a node, and its number. */
  #note(spec: DiscoveredNode): number {
    const number = this.#names.number(spec.id);
    const node = this.nodes.get(number);
    if (node) node.describe(spec);
    else this.nodes.set(number, new Node(number, spec, this.config, this));
    return number;
  }

  #give(core: ClusterCore, number: number, { id, weight, region, zone }: DiscoveredNode): void {
    for (const one of [number, weight, this.#regions.number(region), this.#regions.number(zone)]) core.give(one);
    spell(core, id);
  }

  #giveNumber(core: ClusterCore, number: number | undefined): void {
    if (number !== undefined) core.give(number);
  }

  #id(number: number): string {
    return this.nodes.get(number)?.id ?? "?";
  }

  onTimeout(at: number): void {
    this.#engine.wakeAt(at);
  }

  // ---- views ----

  /** The nodes' reports as one: as well as those who may be given calls. */
  health(): HealthReport {
    const reports = this.statuses().map(({ health, breaker, suspect }) => ({ ...health, isServing: breaker === "closed" && !suspect }));
    const known = reports.filter(({ status }) => status !== "unknown");
    const serving = reports.filter((report) => report.isServing && report.status !== "unhealthy");
    const latest = (times: (number | null)[]) => times.reduce((last, time) => (time !== null && (last === null || time > last) ? time : last), null);
    const latencies = known.flatMap(({ latency }) => latency ?? []);
    const score = reports.length ? serving.length / reports.length : 0;
    return {
      status: !known.length ? "unknown" : score === 1 ? "healthy" : score ? "degraded" : "unhealthy",
      score,
      latency: latencies.length ? latencies.reduce((sum, one) => sum + one) / latencies.length : null,
      lastSuccess: latest(known.map(({ lastSuccess }) => lastSuccess)),
      lastFailure: latest(known.map(({ lastFailure }) => lastFailure)),
      consecutiveFailures: Math.min(...known.map(({ consecutiveFailures }) => consecutiveFailures), known.length ? Infinity : 0),
    };
  }

  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    setTimeout(() => {
      this.#touched = false;
      this.store.changed();
    }, BEAT);
  }

  #snapshot(): ClusterSnapshot {
    const nodes = this.statuses();
    const healthy = nodes.filter((node) => node.breaker === "closed" && !node.suspect && !node.draining).length;
    return { nodes, healthy, discovery: this.#discovery.state };
  }
}
