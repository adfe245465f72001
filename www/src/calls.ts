// The tool calls made from this page to one server, newest first: what was asked, how far it is, how it
// ended. A call that ends OUTCOME_UNKNOWN is neither a success nor a failure and stays its own state.
import { McpError, type CallToolResult, type McpClient, type Progress, type RequestPromise } from "bowline";
import { createStore, type Store } from "./store";

/** By level, as the client counts them. */
export const PRIORITIES = ["low", "normal", "high", "critical"] as const;
export type Priority = (typeof PRIORITIES)[number];
export type CallStatus = "pending" | "done" | "tool-error" | "error" | "unknown" | "cancelled";

export interface Call {
  readonly id: number;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly priority: Priority;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: CallStatus;
  readonly progress: Progress | null;
  readonly result: CallToolResult | null;
  readonly error: Error | null;
  readonly handle: RequestPromise<CallToolResult>;
}

export interface Calls extends Store<readonly Call[]> {
  start(tool: string, args: Record<string, unknown>, priority: Priority): void;
  /** Of a call that still waits; the others have left. */
  prioritise(id: number, priority: Priority): void;
  dismiss(id: number): void;
}

const KEPT = 20;

export function createCalls(client: McpClient): Calls {
  const store = createStore<readonly Call[]>([]);
  let next = 1;
  const patch = (id: number, change: Partial<Call>) =>
    store.set(store.get().map((call) => (call.id === id ? { ...call, ...change } : call)));
  const end = (id: number, change: Partial<Call>) => patch(id, { ...change, endedAt: Date.now() });

  return {
    ...store,
    start(tool, args, priority) {
      const id = next++;
      const handle = client.callTool(tool, args, {
        priority,
        onProgress: (progress) => patch(id, { progress }),
      });
      const call: Call = {
        id, tool, args, priority, handle,
        startedAt: Date.now(), endedAt: null, status: "pending", progress: null, result: null, error: null,
      };
      store.set([call, ...store.get()].slice(0, KEPT));
      handle.then(
        (result) => end(id, { result, status: result.isError ? "tool-error" : "done" }),
        (error: Error) => end(id, { error, status: statusOf(error) }),
      );
    },
    prioritise(id, priority) {
      store.get().find((call) => call.id === id)?.handle.setPriority(priority);
      patch(id, { priority });
    },
    dismiss(id) {
      store.set(store.get().filter((call) => call.id !== id));
    },
  };
}

function statusOf(error: Error): CallStatus {
  if (!McpError.is(error)) return "error";
  if (error.code === "OUTCOME_UNKNOWN") return "unknown";
  return error.code === "ABORTED" ? "cancelled" : "error";
}
