// The event log of one client: its events as lines a person can read, newest first, at most 200.
// It only listens; nothing here acts on an event.
import { McpError, type DisconnectReason, type McpClient } from "bowline";
import { millis, seconds } from "./format";
import { createStore, type Store } from "./store";

export type Tone = "plain" | "good" | "warn" | "bad" | "unknown";

export interface Entry {
  readonly id: number;
  readonly at: number;
  readonly kind: string;
  readonly tone: Tone;
  readonly text: string;
}

export interface Log extends Store<readonly Entry[]> {
  add(kind: string, text: string, tone?: Tone): void;
  /** What went wrong while doing `what`, with what to do about it. */
  fail(what: string, error: unknown): void;
}

const LIMIT = 200;

export function createLog(): Log {
  const store = createStore<readonly Entry[]>([]);
  let next = 1;
  const add: Log["add"] = (kind, text, tone = "plain") =>
    store.set([{ id: next++, at: Date.now(), kind, tone, text }, ...store.get()].slice(0, LIMIT));
  return {
    ...store,
    add,
    fail(what, error) {
      const { code, hint } = McpError.is(error) ? error : {};
      add("error", [`${what}:`, code, (error as Error).message + (hint ? `. ${hint}` : "")].filter(Boolean).join(" "), "bad");
    },
  };
}

/** Writes every event of `client` to `log`. The client's own close ends the listening. */
export function follow(client: McpClient, log: Log): void {
  client.on("state", ({ previous, current }) => {
    const because = current.reason && current.state !== "ready" ? `: ${describe(current.reason)}` : "";
    log.add("state", `${previous} → ${current.state}${because}`, toneOf(current.state));
  });
  // `attempt` counts the failed ones: the one planned is the next.
  client.on("reconnecting", ({ attempt, delay }) => log.add("retry", `attempt ${attempt + 1} in ${millis(delay)}`, "warn"));
  client.on("reconnected", ({ downFor, transport }) => log.add("back", `after ${seconds(downFor)} over ${transport}`, "good"));
  client.on("transport", ({ from, to, cause }) => log.add("transport", `${from ? `${from} → ` : ""}${to} (${cause})`));
  client.on("replay", ({ method }) => log.add("replay", `${method} sent again`, "warn"));
  client.on("outcomeUnknown", (call) =>
    log.add("unknown", `${call.method}${call.tool ? ` ${call.tool}` : ""} may or may not have run`, "unknown"),
  );
  client.on("suspended", ({ cause }) => log.add("suspended", cause, "warn"));
  client.on("notification", ({ method, params }) => {
    if (method !== "notifications/progress") log.add("notified", `${method} ${compact(params)}`.trim());
  });
  client.on("error", (error) => log.fail("client", error));
}

export function describe(reason: DisconnectReason): string {
  const status = reason.closeCode ?? reason.httpStatus;
  return `${reason.code}${status ? ` (${status})` : ""} ${reason.message}`;
}

function toneOf(state: string): Tone {
  if (state === "ready") return "good";
  if (state === "failed" || state === "auth_required") return "bad";
  return state === "reconnecting" || state === "suspended" ? "warn" : "plain";
}

function compact(params: unknown): string {
  if (params === undefined) return "";
  const text = JSON.stringify(params);
  return text === "{}" ? "" : text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
