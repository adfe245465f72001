// Calls that go on as tasks (SEP-2663, P86, P87): asking how the task is doing until it has a result, answering what it asks on the way,
// cancelling it at the server. What is sent goes through ordinary calls, so it waits, is repeated and survives a lost link as they do.

import { submit, type Call } from "./call.js";
import type { Failure, McpError } from "./errors.js";
import { answerInputs } from "./input.js";
import { isObject } from "./schema.js";
import type { RequestOptions, Task } from "./types.js";
import { checked } from "./validate.js";

const EXTENSION = "io.modelcontextprotocol/tasks";

/** The capabilities, with the extension among them. */
export function withTasks(capabilities: Record<string, unknown>): Record<string, unknown> {
  const { extensions } = capabilities as { extensions?: object };
  return { ...capabilities, extensions: { ...extensions, [EXTENSION]: {} } };
}

/** Whether a server may make a task of a call. */
export function hasTasks({ extensions }: { extensions?: Record<string, unknown> }): boolean {
  return !!extensions?.[EXTENSION];
}

/** How often a task is asked for when its server does not say, and the limits of what it may say. Milliseconds. */
const INTERVAL = 1000;
const MIN_INTERVAL = 100;
const MAX_INTERVAL = 60_000;
/** So many failures of one question, each after the core's own repetitions, and the task is left to itself. */
const MAX_FAILURES = 5;

/** What is to be done with the answer to a `tools/call` before the caller gets it. */
export function finishTool(result: unknown, call: Call): unknown {
  const isTask = isObject(result) && result.resultType === "task";
  return isTask ? new Follower(call).run(result as unknown as Task, true) : checked(call, result);
}

/** The same for a `tasks/get` that takes up a task of earlier. */
export function finishTask(result: unknown, call: Call): unknown {
  return new Follower(call).run(result as Task, false);
}

class Follower {
  readonly #call: Call;
  /** Fires when the call has ended, however it did. */
  readonly #over: AbortController;
  /** The keys of the inputs that were answered: a poll that comes too early shows them again. */
  readonly #answered = new Set<string>();
  #taskId = "";
  #wake: (() => void) | undefined;
  /** The task as the server told it unasked, to whoever subscribed to it (P87). */
  #pushed: Task | undefined;
  #told: string | undefined;
  #reports = 0;
  /** When `maxTotalTimeout` is over, and what tells of it. */
  #until: number;
  #limit: ReturnType<typeof setTimeout> | undefined;

  constructor(call: Call) {
    this.#call = call;
    this.#over = call.pause();
    this.#until = performance.now() + (call.options.maxTotalTimeout ?? Infinity);
  }

  /** Resolves with the result of the task. `created`: it was only just made, and what is known of it never holds a result. */
  async run(task: Task, created: boolean): Promise<unknown> {
    const call = this.#call;
    this.#over.signal.onabort = () => {
      this.#wake?.();
      this.#send("tasks/cancel").catch(() => {});
    };
    call.host.events.on("state", ({ current }) => current.state === "closed" && call.refuse(failure("CLIENT_CLOSED")), this.#over);
    call.host.events.on(
      "notification",
      ({ method, params }) => {
        if (method !== "notifications/tasks" || params?.taskId !== this.#taskId) return;
        this.#pushed = params as unknown as Task;
        this.#wake?.();
      },
      this.#over,
    );
    this.#watch();
    try {
      for (; ; created = false) {
        if (typeof task?.taskId !== "string") throw call.error(failure("INVALID_RESULT"));
        this.#taskId = task.taskId;
        this.#tell(task);
        if (!created) {
          const { status, result, error, statusMessage: reason } = task;
          if (status === "completed" && isObject(result)) return await checked(call, result);
          if (status === "failed") throw call.error(refusal(call, error ?? {}));
          if (status === "cancelled") throw call.error(failure("ABORTED", { detail: "task", reason }));
          if (status === "input_required") await this.#answer(task);
          else if (status !== "working") throw call.error(failure("INVALID_RESULT"));
        }
        if (!created || task.status === "working") await this.#pause(task);
        task = this.#pushed ?? (await this.#ask(task, "tasks/get"));
        this.#pushed = undefined;
      }
    } finally {
      clearTimeout(this.#limit);
      this.#over.signal.onabort = null;
    }
  }

  #watch(): void {
    const left = this.#until - performance.now();
    const timeout = this.#call.options.maxTotalTimeout!;
    // No timer waits for more than 24 days, or for ever: it would fire at once.
    if (left < 2e9) this.#limit = setTimeout(() => this.#call.refuse(failure("REQUEST_TIMEOUT", { timeout, stage: "total" })), left);
  }

  #tell(task: Task): void {
    const { host, requestId: id, options } = this.#call;
    const { status, statusMessage: message } = task;
    const news = `${status} ${message}`;
    if (news === this.#told) return;
    this.#told = news;
    host.events.emit("task", { id, task });
    const progress = ++this.#reports;
    // Not from in here: what a listener throws is an error of its own.
    if (message) queueMicrotask(() => options.onProgress?.({ progress, message }));
  }

  async #answer(task: Task): Promise<void> {
    const asked = Object.entries(task.inputRequests ?? {}).filter(([key]) => !this.#answered.has(key));
    if (!asked.length) return;
    for (const [key] of asked) this.#answered.add(key);
    let inputResponses: unknown;
    // The time that somebody thinks counts towards no limit.
    clearTimeout(this.#limit);
    const since = performance.now();
    try {
      inputResponses = await answerInputs(this.#call.host, Object.fromEntries(asked), this.#over.signal);
    } catch (cause) {
      throw this.#call.error(failure("INPUT_REQUIRED", { data: task, cause }));
    }
    this.#until += performance.now() - since;
    this.#watch();
    await this.#ask(task, "tasks/update", { inputResponses });
  }

  /** A question that a bad moment of the network does not end: the task goes on at the server all the same. */
  async #ask(task: Task, method: string, params?: object): Promise<Task> {
    for (let failures = 1; ; failures++) {
      try {
        return (await this.#send(method, params, this.#over.signal)) as Task;
      } catch (cause) {
        const error = cause as McpError;
        if (!error.retryable || failures === MAX_FAILURES) throw this.#call.error({ ...error, outcome: "unknown", cause });
        await this.#pause(task);
      }
    }
  }

  #send(method: string, params?: object, signal?: AbortSignal): Promise<unknown> {
    const { host, options } = this.#call;
    // Sent twice it does no harm: the key of an answer counts once, and a cancelled task stays cancelled.
    const own = { timeout: options.timeout, signal, useCache: false, idempotent: true } as RequestOptions;
    return submit(host, 0, method, { taskId: this.#taskId, ...params }, own);
  }

  #pause({ pollIntervalMs }: Task): Promise<void> {
    // What is no number must not become no pause.
    const ms = Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, pollIntervalMs ?? INTERVAL)) || INTERVAL;
    return new Promise((resolve) => {
      if (this.#pushed) return resolve();
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** As an error that the server answers a call with. */
function refusal({ host }: Call, value: { code?: unknown }): Failure {
  return host.failure({ ...failure("RPC_ERROR"), kind: "rpc", number: Number(value.code), extra: 0, note: "", value });
}

/** How a task ends badly: whatever it did until then stays done. */
function failure(code: Failure["code"], more?: Partial<Failure>): Failure {
  return { code, outcome: "unknown", retryable: false, ...more };
}
