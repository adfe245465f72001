// One call on the package's side: its promise, its abort listener, its place in the snippet's table. What becomes of it is decided in
// the core.

import * as core from "bowline-core";
import { errorFrom, type Failure, type McpError } from "./errors.js";
import type { Host } from "./host.js";
import type { InDoubtCall, Progress, RequestOptions, RequestPhase, RequestPriority, RequestPromise } from "./types.js";

/** Bits of `Core.call`'s flags. */
export const NOTIFICATION = 1;
export const CONNECT = 2;
const PROGRESS = 4;
const KEEP_TIMEOUT = 8;
const IDEMPOTENT = 16;

const LEVELS = { low: 0, normal: 1, high: 2, critical: 3 };
const level = (priority: RequestPriority = 1): number => (typeof priority === "string" ? LEVELS[priority] : priority) ?? 1;

/** What the snippet hands over when a call ends badly. */
export interface RawFailure {
  code: Failure["code"];
  outcome: Failure["outcome"];
  retryable: boolean;
  kind: "" | "rpc" | "http" | "close" | "time" | "note";
  number: number;
  extra: number;
  note: string;
  value: unknown;
}

/** What is to be done with a result before the caller gets it: gives what the caller gets, or a promise of it, or throws an McpError. */
export type Finish = (result: unknown, call: Call) => unknown;

/** A promise with the call's handles. Its constructor reads `Promise`, so that `await` does not wrap it once more. */
class CallPromise extends Promise<unknown> implements RequestPromise<unknown> {
  declare call: Call;
  static {
    Object.defineProperty(this.prototype, "constructor", { value: Promise });
  }
  get requestId(): string {
    return this.call.requestId;
  }
  get phase(): RequestPhase {
    return this.call.phase;
  }
  setPriority(priority: RequestPriority): void {
    this.call.setPriority(priority);
  }
  cancel(reason?: string): void {
    this.call.cancel(reason);
  }
}

// The executor of the promise that is being made; a shared one spares a closure per call.
let resolveNext: (value: unknown) => void;
let rejectNext: (error: unknown) => void;
const capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  resolveNext = resolve;
  rejectNext = reject;
};

let made = 0;

export class Call {
  // Declared here, assigned in the constructor: defining fields one by one, private ones above all, costs a tenth of a call.
  declare readonly promise: CallPromise;
  declare readonly host: Host;
  declare readonly method: string;
  declare readonly given: object | null | undefined;
  declare readonly options: RequestOptions;
  declare readonly number: number;
  declare private readonly kind: number;
  declare private readonly finish: Finish | undefined;
  declare private readonly settleWith: (value: unknown) => void;
  declare private readonly rejectWith: (error: unknown) => void;
  /** Place in the snippet's table; -1 before and after. */
  declare private slot: number;
  declare private settled: boolean;
  /** The core is done with it and `finish` is not. */
  declare private finishing: boolean;
  /** Told when the call ends before `finish` does. */
  declare ended: (() => void) | undefined;
  declare private signal: AbortSignal | undefined;
  declare private priority: RequestPriority | undefined;
  declare private abort: (() => void) | undefined;
  declare private reason: unknown;

  constructor(host: Host, kind: number, method: string, given: object | null | undefined, options: RequestOptions, finish?: Finish) {
    this.host = host;
    this.method = method;
    this.given = given;
    this.options = options;
    this.number = ++made;
    this.kind = kind;
    this.finish = finish;
    this.slot = -1;
    this.settled = false;
    this.finishing = false;
    this.ended = undefined;
    this.abort = undefined;
    this.reason = undefined;
    this.promise = new CallPromise(capture);
    this.promise.call = this;
    this.settleWith = resolveNext;
    this.rejectWith = rejectNext;
    this.priority = options.priority;
    const { signal } = options;
    this.signal = signal;
    if (signal) {
      this.abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", this.abort, { once: true });
    }
  }

  get requestId(): string {
    return `call-${this.number}`;
  }

  get tool(): string | undefined {
    return this.method === "tools/call" ? String((this.given as { name?: unknown } | null | undefined)?.name) : undefined;
  }

  get phase(): RequestPhase {
    if (this.settled) return "settled";
    if (this.finishing) return "sent";
    return this.slot >= 0 && core.isSent(this.host.client, this.slot) ? "sent" : "queued";
  }

  /** Hands the call to the core. */
  start(): void {
    const { host, options, given } = this;
    if (options.signal?.aborted) return this.cancel(options.signal.reason);
    if (this.settled) return;
    const { tables, client } = host;
    const method = tables!.methodId(this.method);
    let params = 0;
    let key = 0;
    if (this.kind !== CONNECT) {
      try {
        params = tables!.params(method, given, this.tool === undefined ? undefined : host.tools.headers(given!, tables!.headerValue));
        if (host.caching && options.useCache !== false && this.kind === 0) {
          key = tables!.key(client, method, given, host.cachesTool(this.tool));
        }
      } catch (cause) {
        return this.refuse({ code: "SEND_FAILED", outcome: "not-sent", retryable: false, detail: "json", cause });
      }
    }
    let flags = this.kind;
    if (options.onProgress) flags |= PROGRESS;
    if (options.resetTimeoutOnProgress === false) flags |= KEEP_TIMEOUT;
    if (options.idempotent) flags |= IDEMPOTENT;
    this.slot = tables!.attach(client, this);
    core.call(client, this.slot, method, params, level(this.priority), options.timeout ?? -1, options.maxTotalTimeout ?? -1, flags, key);
  }

  setPriority(priority: RequestPriority): void {
    this.priority = priority;
    if (this.slot >= 0) core.setPriority(this.host.client, this.slot, level(priority));
  }

  cancel(reason?: unknown): void {
    if (this.settled) return;
    this.reason = reason;
    if (this.slot >= 0) core.cancel(this.host.client, this.slot);
    else this.refuse({ code: "ABORTED", outcome: this.finishing ? "unknown" : "not-sent", retryable: false });
  }

  // ---- called by the snippet ----

  resolve(value: unknown): void {
    if (!this.finish) return this.settle(value);
    this.slot = -1;
    this.finishing = true;
    try {
      const finished = this.finish(value, this);
      if (finished instanceof Promise) finished.then((value) => this.settle(value), (error) => this.fail(error));
      else this.settle(finished);
    } catch (error) {
      this.fail(error);
    }
  }

  reject(raw: RawFailure): void {
    this.refuse(this.host.failure(raw, this));
  }

  progress(report: Progress): void {
    this.options.onProgress?.(report);
  }

  /** An error of this call. */
  error(failure: Failure): McpError {
    const { requestId, method, tool } = this;
    const own = this.kind === CONNECT ? {} : { requestId, method, tool };
    return errorFrom({ reason: this.reason, ...failure, ...own } as Failure);
  }

  /** Ends the call with an error made here. */
  refuse(failure: Failure): void {
    this.fail(this.error(failure));
    const { requestId, method, tool } = this;
    if (failure.code === "OUTCOME_UNKNOWN") this.host.onDoubt({ id: requestId, method, tool } as InDoubtCall);
  }

  /** Ends the call with an error made before. */
  fail(error: unknown): void {
    if (this.settled) return;
    this.end();
    this.rejectWith(error);
  }

  private settle(value: unknown): void {
    if (this.settled) return;
    this.end();
    this.settleWith(value);
  }

  private end(): void {
    this.slot = -1;
    this.settled = true;
    this.ended?.();
    if (this.abort) this.signal!.removeEventListener("abort", this.abort);
    this.host.touch();
  }
}
