// One call on the package's side: its promise, its abort listener, its place in the snippet's table. What becomes of it is decided in
// the core.

import * as core from "bowline-core";
import type { Printed } from "bowline-core";
import { errorFrom, McpError, type Failure } from "./errors.js";
import type { Host } from "./host.js";
import { withMeta, wrongKey } from "./meta.js";
import type { CallToolOptions, InputRequiredResult, Progress, RequestOptions, RequestPhase, RequestPriority, RequestPromise } from "./types.js";
import { level, MODES, wrongIn, wrongOption } from "./wrong.js";

/** Bits of `Core.call`'s flags. */
export const NOTIFICATION = 1;
export const CONNECT = 2;
const PROGRESS = 4;
const KEEP_TIMEOUT = 8;
/** The cache mode is in the bits above. */
const MODE = 256;

/** What the snippet hands over when a call ends badly. */
export interface RawFailure {
  code: Failure["code"];
  outcome: Failure["outcome"];
  retryable: boolean;
  kind: "" | "rpc" | "http" | "close" | "time" | "note" | "input";
  number: number;
  extra: number;
  note: string;
  value: unknown;
}

/**
 * What is to be done with a result before the caller gets it: gives what the caller gets, or a promise of it, or throws an McpError. `text` is
 * what the result was parsed from, when that is still there.
 */
export type Finish = (result: unknown, call: Call, text?: string) => unknown;

/** However a list of tools was asked for: what it says is learned, and what must not be used is left out of it. */
const learn: Finish = (result, { host }, text) => host.tools.learn(result, host.isModern, text);

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
  get stale(): boolean {
    return this.call.stale;
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

let made = -1;

/** Makes a call and hands it over. */
export function submit<T>(
  host: Host,
  kind: number,
  method: string,
  params?: object | null,
  options?: RequestOptions | null,
  finish: Finish | undefined = method === "tools/list" ? learn : undefined,
): RequestPromise<T> {
  const call = new Call(host, kind, method, params, options ?? {}, finish);
  // First of all: whoever hears of it may end it, or the client, or drop what is kept.
  call.announce();
  host.submit(call);
  return call.promise as RequestPromise<unknown> as RequestPromise<T>;
}

export class Call {
  // Declared here, assigned in the constructor: defining fields one by one, private ones above all, costs a tenth of a call.
  declare readonly promise: CallPromise;
  declare readonly host: Host;
  declare readonly method: string;
  declare readonly given: object | null | undefined;
  declare readonly options: RequestOptions;
  declare readonly number: number;
  /** Whether it was made once more after an error that asked for it (-32042). */
  declare resumed?: boolean;
  /** Why the application could not give what the server asked for. */
  declare cause?: unknown;
  /** The id it went over the wire with, when that may have changed the world, since when, and where the journal has it. */
  declare wire: number;
  declare sentAt: number;
  declare place?: string | undefined;
  declare private readonly kind: number;
  declare private readonly finish: Finish | undefined;
  declare private readonly settleWith: (value: unknown) => void;
  declare private readonly rejectWith: (error: unknown) => void;
  /** Place in the snippet's table; -1 before and after. */
  declare private slot: number;
  /** The params as they were printed for the snippet: later rounds begin with them, whatever became of the objects given (P44). */
  declare private printed: Printed;
  /** Fires for whoever works on this side, on an answer for the server or on a result, when that is not wanted any more. */
  declare private asking: AbortController | undefined;
  declare private settled: boolean;
  /** The core is done with it and `finish` is not. */
  declare private finishing: boolean;
  declare private signal: AbortSignal | undefined;
  declare priority: RequestPriority | undefined;
  declare private abort: (() => void) | undefined;
  declare private reason: unknown;
  /** Its result is one that was kept and is past its time. */
  declare stale: boolean;
  /** Only when somebody listens to calls. */
  declare private madeAt: number | undefined;

  constructor(host: Host, kind: number, method: string, given: object | null | undefined, options: RequestOptions, finish?: Finish) {
    this.host = host;
    this.method = method;
    this.given = given;
    this.options = options;
    this.number = ++made;
    this.kind = kind;
    this.finish = finish;
    this.slot = -1;
    this.wire = 0;
    this.printed = undefined!;
    this.settled = false;
    this.finishing = false;
    this.stale = false;
    this.asking = undefined;
    this.abort = undefined;
    this.reason = undefined;
    this.promise = new CallPromise(capture);
    this.promise.call = this;
    this.settleWith = resolveNext;
    this.rejectWith = rejectNext;
    this.priority = options.priority;
    const { signal } = options;
    this.signal = signal;
    if (signal?.addEventListener) {
      this.abort = () => this.cancel(signal.reason);
      signal.addEventListener("abort", this.abort, { once: true });
    }
  }

  /**
   * One that is never made, with what all get: a collection that finds no call alive makes V8 forget what calls look like, and throw away the
   * code made for them; the next thousand then take a microsecond longer each.
   */
  static readonly example = Object.assign(new Call(undefined!, CONNECT, "", null, {}), { sentAt: 0.5 });

  get requestId(): string {
    return `call-${this.number}`;
  }

  get tool(): string | undefined {
    try {
      return this.method === "tools/call" ? String((this.given as { name?: unknown } | null | undefined)?.name) : undefined;
    } catch {
      // What an application gives for params may do anything, and the core may be waiting for this.
    }
  }

  /** Its params as JSON. */
  get text(): string {
    return this.printed.text;
  }

  get isVouched(): boolean {
    return this.host.rules.vouches(this);
  }

  get phase(): RequestPhase {
    if (this.settled) return "settled";
    if (this.finishing) return "sent";
    return this.slot >= 0 && core.isSent(this.host.client, this.slot) ? "sent" : "queued";
  }

  /** Hands the call to the core. Never throws: others may wait behind it. */
  start(): void {
    try {
      const wrong = wrongIn(this.method, this.options);
      if (wrong) throw new TypeError(wrong);
      this.#start();
    } catch (cause) {
      this.unsent("wrong", cause);
    }
  }

  #start(): void {
    const { host, options, given } = this;
    if (options.signal?.aborted) return this.cancel(options.signal.reason);
    if (this.settled) return;
    // It was noted meanwhile.
    if (this.printed) return this.restart();
    let params = 0;
    let key = 0;
    if (this.kind !== CONNECT) {
      const lacking = host.lacking(this.method);
      if (lacking) return this.refuse({ code: "CAPABILITY_NOT_SUPPORTED", outcome: "not-sent", retryable: false, detail: lacking });
      const { meta, inputResponses, requestState, idempotencyKey } = options;
      const wrong = meta && wrongKey(meta);
      if (wrong !== undefined) return this.unsent("meta", new TypeError(wrong));
      const { metaKey } = host.rules;
      if (idempotencyKey !== undefined && !metaKey) return this.unsent("key", undefined);
      try {
        // What is a matter of this sending, and not of the result, is in no key (P53).
        const asked = withMeta(given, meta);
        const more = inputResponses || requestState !== undefined ? { inputResponses, requestState } : undefined;
        const ambient = this.kind === 0 ? host.ambient() : undefined;
        const own = idempotencyKey === undefined ? ambient : { ...ambient, [metaKey!]: idempotencyKey };
        params = this.print(withMeta(more ? { ...asked, ...more } : asked, own));
        this.printed = host.tables!.printed(params);
        // A result that the user's input went into is nobody else's (P46).
        const bypass = options.useCache === false || options.cacheMode === "bypass";
        if (host.caching && !bypass && this.kind === 0 && !more && host.inContext()) {
          key = host.tables!.key(host.client, host.tables!.methodId(this.method), asked, host.keeps(this.method, this.tool));
        }
      } catch (cause) {
        return this.unsent("json", cause);
      }
    }
    // What it was printed to is kept (P44); the table in which that stands may be another one when it comes back.
    if (!key && !this.kind && host.doubts.holds(this)) host.tables!.take(params);
    else this.send(params, key);
  }

  private print(params: object | null | undefined): number {
    const { tables, tools } = this.host;
    const { toolDefinition } = this.options as CallToolOptions;
    const headers = this.method === "tools/call" ? tools.headers(params!, tables!.headerValue, toolDefinition) : undefined;
    return tables!.params(tables!.methodId(this.method), params, headers);
  }

  private send(params: number, key: number): void {
    const { host, options } = this;
    const { tables, client } = host;
    let flags = this.kind | host.rules.flags(this);
    if (host.lanes) flags |= host.lanes.flags(this);
    if (options.onProgress) flags |= PROGRESS;
    if (options.resetTimeoutOnProgress === false) flags |= KEEP_TIMEOUT;
    if (options.cacheMode) flags |= MODE * Math.max(0, MODES.indexOf(options.cacheMode));
    this.slot = tables!.attach(client, this);
    const method = tables!.methodId(this.method);
    const { timeout = -1, maxTotalTimeout = -1, queueTimeout = -1, cacheTTL = -1 } = options;
    tables!.make(client, this.slot, method, params, level(this.priority), timeout, maxTotalTimeout, queueTimeout, flags, key, cacheTTL);
  }

  private unsent(detail: string, cause: unknown): void {
    this.refuse({ code: "SEND_FAILED", outcome: "not-sent", retryable: false, detail, cause });
  }

  // ---- a server that asks before it answers ----

  /** The call waits for this side, until `answer` or `restart`, or until `finish` is done. */
  pause(): AbortController {
    return (this.asking = new AbortController());
  }

  /** Prints the params once more, with others for what belongs to one round only. */
  again(more?: { inputResponses: unknown; requestState: unknown }): number {
    const { text, meta } = this.printed;
    const params = JSON.parse(text);
    return this.print({ ...params, ...more, _meta: JSON.parse(`{${meta}}`) });
  }

  /** The next round; without params the call fails with what the server asked for. */
  answer(params: number): void {
    if (params) this.asking = undefined;
    core.answer(this.host.client, this.slot, params);
  }

  restart(): void {
    this.asking = undefined;
    this.send(this.again(), 0);
  }

  setPriority(priority: RequestPriority): void {
    const wrong = wrongOption("priority", priority);
    if (wrong) throw this.host.invalid(wrong);
    this.priority = priority;
    if (this.slot >= 0) core.setPriority(this.host.client, this.slot, level(priority));
  }

  cancel(reason?: unknown): void {
    if (this.settled) return;
    this.reason = reason;
    if (this.slot >= 0) core.cancel(this.host.client, this.slot);
    else this.refuse({ code: "ABORTED", outcome: this.finishing ? "unknown" : this.resumed ? "not-applied" : "not-sent", retryable: false });
  }

  /** The same once more, as a call of its own. */
  redo(options?: RequestOptions): RequestPromise<unknown> {
    const { host, method, given, requestId } = this;
    host.doubts.settle(requestId, "dismissed", "user");
    const params = { ...JSON.parse(this.text), _meta: (given as { _meta?: object } | null | undefined)?._meta };
    return submit(host, 0, method, params, { ...this.options, ...options }, this.finish);
  }

  // ---- called by the snippet ----

  /** It may change the world, and is about to leave. */
  leave(wire: number, at: number): void {
    this.wire = wire;
    this.sentAt = at;
    this.host.doubts.leaving(this);
  }

  /** The caller gets a stale result; how the read ends is not its matter any more. */
  serve(value: unknown): void {
    this.resolve(value);
    this.stale = true;
  }

  resolve(value: unknown, text?: string): void {
    if (this.stale) return;
    if (!this.finish) return this.settle(value);
    this.slot = -1;
    this.finishing = true;
    try {
      const finished = this.finish(value, this, text);
      if (finished instanceof Promise) finished.then((value) => this.settle(value), (error) => this.fail(error));
      else this.settle(finished);
    } catch (error) {
      this.fail(error);
    }
  }

  reject(raw: RawFailure): void {
    if (this.stale) return;
    this.slot = -1;
    if (!this.host.inputs.resumes(this, raw)) this.refuse(this.host.failure(raw, this));
  }

  /** The core crashed: whatever it had of this call may have been sent. */
  crashed(failure: Failure): void {
    this.slot = -1;
    this.refuse(this.kind === CONNECT ? failure : { ...failure, outcome: "unknown" });
  }

  ask(mismatch: number, value: unknown): void {
    void this.host.inputs.ask(this, mismatch, value as InputRequiredResult);
  }

  progress(report: Progress): void {
    this.options.onProgress?.(report);
  }

  /** An error of this call. */
  error(failure: Failure): McpError {
    const { requestId, method, tool } = this;
    const own = this.kind === CONNECT ? {} : { requestId, method, tool };
    return errorFrom({ reason: this.reason, cause: this.cause, ...failure, ...own } as Failure);
  }

  /** Ends the call with an error made here. */
  refuse(failure: Failure): void {
    this.fail(this.error(failure));
  }

  /** Ends the call with an error made before. */
  fail(error: unknown): void {
    if (this.settled) return;
    const { doubts, events } = this.host;
    const doubt = this.wire && McpError.is(error) && error.outcome === "unknown" ? doubts.add(this, error) : undefined;
    if (doubt && (error as McpError).code === "OUTCOME_UNKNOWN") {
      const retry = (options?: RequestOptions) => this.redo(options);
      Object.defineProperties(error, { call: { value: doubt, enumerable: true }, retry: { value: retry } });
    }
    this.end(error);
    this.rejectWith(error);
    if (doubt) events.emit("outcomeUnknown", doubt);
  }

  private settle(value: unknown): void {
    if (this.settled) return;
    this.end();
    this.settleWith(value);
  }

  /** Tells that the call was made, or, once it is settled, how it ended. */
  announce(error?: unknown): void {
    const { events } = this.host;
    if (this.kind === CONNECT || !events.has("request")) return;
    const now = performance.now();
    const { requestId: id, method, settled } = this;
    if (!settled) this.madeAt = now;
    const phase = settled ? "settled" : "queued";
    const duration = settled ? { duration: now - (this.madeAt ?? now) } : {};
    events.emit("request", { id, method, phase, ...duration, ...(McpError.is(error) && { error }) });
  }

  private end(error?: unknown): void {
    this.slot = -1;
    this.settled = true;
    this.announce(error);
    if (this.place) this.host.doubts.vacate(this);
    this.asking?.abort();
    if (this.abort) this.signal!.removeEventListener("abort", this.abort);
    this.host.touch();
    this.host.queue.look();
  }
}
