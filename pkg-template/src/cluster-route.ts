// One call through a cluster on the package's side: its promise, its abort listener, its attempts. Where it goes is decided in the core.

import { errorFrom, McpError, type Failure } from "./errors.js";
import type { Node } from "./cluster-node.js";
import type { McpClient } from "./client.js";
import type { RequestOptions, RequestPhase, RequestPriority, RequestPromise, Tool } from "./types.js";
import type { RouteOptions, RoutePromise, RouteToolOptions } from "./types-cluster.js";

/** Sends it to one node. */
export type Send = (client: McpClient, options: RequestOptions) => RequestPromise<unknown>;

/** Who takes a call to the core. */
export interface Router {
  submit(routing: Routing): void;
  abandon(routing: Routing): void;
}

class Routed extends Promise<unknown> implements RoutePromise<unknown> {
  declare routing: Routing;
  static {
    // So that `await` does not wrap it once more.
    Object.defineProperty(this.prototype, "constructor", { value: Promise });
  }
  get node(): Promise<string> {
    return this.routing.node();
  }
  get requestId(): string {
    return this.routing.requestId;
  }
  get phase(): RequestPhase {
    return this.routing.phase;
  }
  get stale(): boolean {
    return this.routing.stale;
  }
  setPriority(priority: RequestPriority): void {
    this.routing.setPriority(priority);
  }
  cancel(reason?: string): void {
    this.routing.cancel(reason);
  }
}

/** One sending to one node. */
export class Attempt {
  readonly node: Node;
  readonly routing: Routing;
  /** Once there is a link. */
  sent: RequestPromise<unknown> | undefined;
  sentAt = NaN;
  /** Nobody waits for it any more. */
  dead = false;
  /** Once it is over. */
  end: { readonly value?: unknown; readonly error?: unknown } | undefined;

  constructor(routing: Routing, node: Node) {
    this.routing = routing;
    this.node = node;
    node.enter();
  }

  /** Sends it, after a link is there; `ended` hears how it went, unless it was given up before. */
  start(timeout: number, ended: () => void): void {
    const over = (end: NonNullable<Attempt["end"]>): void => {
      if (this.dead) return;
      this.#leave();
      this.end = end;
      ended();
    };
    const send = (): void => {
      if (this.dead) return;
      this.sentAt = performance.now();
      this.sent = this.routing.sendTo(this.node.client, timeout);
      this.sent.then((value) => over({ value }), (error) => over({ error }));
    };
    try {
      const { client } = this.node;
      // While the link was opened, the node moved to another address.
      const moves = (): boolean => !this.dead && this.node.known !== client;
      const again = (): void => this.start(timeout, ended);
      if (this.node.isLinked) send();
      else this.node.linked(timeout).then(() => (moves() ? again() : send()), (error) => (moves() ? again() : over({ error })));
    } catch (error) {
      // Options of the client that are wrong. Told later, as every end is.
      queueMicrotask(() => over({ error }));
    }
  }

  /** From sending to now. Milliseconds. */
  get took(): number {
    return Number.isNaN(this.sentAt) ? 0 : performance.now() - this.sentAt;
  }

  abandon(reason: string): void {
    if (this.dead || this.end) return;
    this.#leave();
    this.sent?.catch(() => {});
    this.sent?.cancel(reason);
  }

  #leave(): void {
    this.dead = true;
    this.node.leave();
  }
}

let made = 0;

export class Routing {
  readonly promise: Routed;
  readonly number = ++made;
  readonly method: string;
  readonly params: object | null | undefined;
  readonly options: RouteOptions;
  /** When it was made, on the clock of `performance`. */
  readonly madeAt = performance.now();
  readonly attempts = new Map<number, Attempt>();
  readonly #router: Router;
  readonly #send: Send;
  #priority: RequestPriority | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #abort: (() => void) | undefined;
  #last: Attempt | undefined;
  settled = false;
  /** Why it was cancelled. */
  reason: unknown;
  /** A second execution is harmless. */
  safe = false;
  /** It is not to be sent again once it was sent, whatever it does. */
  once = false;
  /** Its server may report progress or ask, so that only `until` limits it as a whole; on the clock of `performance`. */
  open = false;
  until = Infinity;

  constructor(router: Router, method: string, params: object | null | undefined, options: RouteOptions, send: Send) {
    this.#router = router;
    this.method = method;
    this.params = params;
    this.options = options;
    this.#send = send;
    this.#priority = options.priority;
    this.promise = new Routed((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.routing = this;
    const { signal } = options;
    if (signal) {
      this.#abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", this.#abort, { once: true });
    }
  }

  get requestId(): string {
    return `route-${this.number}`;
  }

  /** The tool's name, and its definition if the caller gave one: what the replay rules ask for. */
  get tool(): string | undefined {
    return this.method === "tools/call" ? String((this.params as { name?: unknown } | null | undefined)?.name) : undefined;
  }

  get definition(): Tool | undefined {
    return (this.options as RouteToolOptions).toolDefinition;
  }

  get phase(): RequestPhase {
    if (this.settled) return "settled";
    for (const { sent } of this.attempts.values()) if (sent?.phase === "sent") return "sent";
    return "queued";
  }

  get stale(): boolean {
    return !!this.#last?.sent?.stale;
  }

  async node(): Promise<string> {
    // How it ended is the promise's own matter, unless it came nowhere.
    const failed = await this.promise.then(() => undefined, (error) => ({ error }));
    if (this.#last) return this.#last.node.id;
    throw failed!.error;
  }

  /** One attempt's own call. */
  sendTo(client: McpClient, timeout: number): RequestPromise<unknown> {
    const { sessionId: _s, preferredNode: _p, excludeNodes: _e, region: _r, hedgeAfter: _h, signal: _a, ...options } = this.options;
    // The cluster sends again, the client never. What reports progress may take as long as the call as a whole may.
    const total = this.open ? Math.max(1, this.until - performance.now()) : timeout;
    const own = { timeout: Math.min(timeout, options.timeout ?? client.config.timeout ?? timeout), maxTotalTimeout: total, replay: 0 };
    return this.#send(client, { ...options, ...own, ...(this.#priority !== undefined && { priority: this.#priority }) });
  }

  attempt(number: number, node: Node): Attempt {
    const attempt = new Attempt(this, node);
    this.attempts.set(number, attempt);
    this.#last = attempt;
    return attempt;
  }

  setPriority(priority: RequestPriority): void {
    this.#priority = priority;
    for (const { sent } of this.attempts.values()) sent?.setPriority(priority);
  }

  cancel(reason?: unknown): void {
    if (this.settled) return;
    this.reason = reason;
    this.#router.abandon(this);
  }

  /** Ends as an attempt did. */
  settleAs(attempt: Attempt): void {
    this.#last = attempt;
    const { value, error } = attempt.end!;
    if (!this.#end()) return;
    if (error === undefined) this.#resolve(value);
    else this.#reject(error);
  }

  /** Some attempt of it may have been executed. */
  get wasSent(): boolean {
    return [...this.attempts.values()].some(({ sent, end }) => {
      if (!end) return sent?.phase === "sent";
      return McpError.is(end.error) && !["not-sent", "not-applied"].includes(end.error.outcome);
    });
  }

  /** Ends without an answer. */
  refuse(failure: Omit<Failure, "outcome">): void {
    const outcome = this.wasSent ? (this.safe ? "not-applied" : "unknown") : "not-sent";
    const { method, tool, requestId, reason } = this;
    this.fail(errorFrom({ ...failure, outcome, method, requestId, reason, ...(tool !== undefined && { tool }) } as Failure));
  }

  fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  #end(): boolean {
    if (this.settled) return false;
    this.settled = true;
    for (const attempt of this.attempts.values()) attempt.abandon("not wanted any more");
    this.attempts.clear();
    if (this.#abort) this.options.signal!.removeEventListener("abort", this.#abort);
    return true;
  }
}
