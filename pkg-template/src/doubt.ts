// The calls in doubt of one client: those of which nobody here knows whether the server executed them, and those that the page before
// left behind. Which they are is told by the outcome of their errors; nothing is judged here.

import type { Call } from "./call.js";
import type { McpError } from "./errors.js";
import type { Host } from "./host.js";
import { Journal } from "./journal.js";
import { demand } from "./replay.js";
import type { CallNotes, InDoubtCall, MCPClientConfig, McpEventMap } from "./types.js";

/** So many are kept; the oldest leaves first. */
const MAX_DOUBTS = 256;

type Resolved = McpEventMap["outcomeResolved"];
/** What is known when a call leaves. */
type Left = Omit<InDoubtCall, "lostAt" | "reason" | "restored">;
/** Session storage holds no call back; what does is the application's. */
type Notes = Pick<CallNotes, "write" | "free" | "close"> & Partial<CallNotes> & { sweep?(): void };

export class Doubts {
  /** Frozen; the same object until something changes. */
  list: readonly InDoubtCall[] = Object.freeze([]);
  /** Calls that wait for the journal. */
  readonly noting = new Set<Call>();
  readonly #host: Host;
  readonly #journal: Notes | undefined;
  readonly #keepsArgs: boolean;
  /** Where each is in the journal, and under which id it went over the wire. */
  readonly #traces = new Map<string, readonly [name: string | undefined, wire: number]>();

  /** Whether each call is noted before it leaves, and not only those under way when the page is left. */
  #eager: boolean;

  /** Throws a text that names the option which is wrong. */
  constructor(host: Host, { journal = "unload", journalArgs = false }: MCPClientConfig) {
    const isOwn = typeof journal === "object";
    demand(isOwn || ["none", "unload", "session"].includes(journal), 'journal must be "none", "unload", "session" or one of bowline/persist');
    demand(typeof journalArgs === "boolean", "journalArgs must be true or false");
    this.#host = host;
    this.#keepsArgs = journalArgs;
    this.#eager = journal === "session";
    if (journal === "none") return;
    const server = (host.url ?? host.webSocketUrl)!;
    const restore = (name: string, text: string) => {
      try {
        this.#add(text, { code: "CONNECTION_CLOSED", message: "left before the answer came" }, name, 0);
      } catch {
        // It makes no sense, and must not hide those behind it.
        this.#journal?.free(name);
        this.sweep();
      }
    };
    if (isOwn) {
      this.#journal = journal.open(server, restore, (message) => host.warn(message));
      return;
    }
    try {
      const inSession = new Journal(server, (isHidden) => {
        // A hidden page may be ended without another word.
        this.#eager = isHidden || journal === "session";
        if (isHidden) for (const call of host.flying()) if (call?.wire && call.phase === "sent") this.#write(call);
      });
      this.#journal = inSession;
      inSession.restore(restore);
    } catch {
      // No session storage, as in workers, or none that may be used: the list lives as long as the client.
    }
  }

  /** Notes a call, where that takes its time. It is submitted again when it may go on. */
  holds(call: Call): Promise<void> | undefined {
    const noted = this.#journal?.holds?.(call.method);
    if (noted) {
      this.#write(call);
      this.noting.add(call);
      void noted.then(() => {
        this.noting.delete(call);
        this.#host.submit(call);
      });
    }
    return noted;
  }

  /** A call that may change the world is about to leave. */
  leaving(call: Call): void {
    if (this.#eager) this.#write(call);
  }

  #write(call: Call): void {
    try {
      call.place = this.#journal?.write(this.#left(call), call.place);
    } catch (error) {
      this.#host.warn(`journal: ${error}`);
    }
  }

  /** The call has ended, and nobody has to wonder how. */
  vacate(call: Call): void {
    this.#journal?.free(call.place!);
  }

  /** The call has ended with outcome unknown. */
  add(call: Call, { code, message }: McpError): InDoubtCall {
    this.#write(call);
    const doubt = this.#add(this.#left(call, true), this.#host.connection.reason ?? { code, message }, call.place, call.wire);
    // It outlives the call.
    call.place = undefined;
    return doubt;
  }

  settle(id: string, verdict: Resolved["verdict"], source: Resolved["source"], result?: unknown): void {
    const call = this.list.find((one) => one.id === id);
    if (!call) return;
    this.#drop(call);
    this.#host.events.emit("outcomeResolved", { call, verdict, source, ...(result !== undefined && { result }) });
  }

  /** An answer to the request of that id, after all. */
  late(wire: number, applied: boolean, result: unknown): void {
    const call = this.list.find(({ id }) => this.#traces.get(id)![1] === wire);
    if (call) this.settle(call.id, applied ? "applied" : "not-applied", "late-response", applied ? result : undefined);
  }

  sweep(): void {
    this.#journal?.sweep?.();
  }

  close(): void {
    this.#journal?.close();
  }

  /** One of an earlier page went over no wire that is known here. */
  #add(text: string, reason: InDoubtCall["reason"], name: string | undefined, wire: number): InDoubtCall {
    const left = JSON.parse(text) as Left;
    const id = wire ? left.id : name!.split(":").pop()!;
    const doubt = Object.freeze({ ...left, id, lostAt: Date.now(), reason, restored: !wire });
    if (this.list.length === MAX_DOUBTS) this.#drop(this.list[0]!);
    this.#traces.set(id, [name, wire]);
    this.#show([...this.list, doubt]);
    return doubt;
  }

  #drop(call: InDoubtCall): void {
    const [name] = this.#traces.get(call.id)!;
    if (name) this.#journal?.free(name);
    this.sweep();
    this.#traces.delete(call.id);
    this.#show(this.list.filter((other) => other !== call));
  }

  #show(list: InDoubtCall[]): void {
    this.list = Object.freeze(list);
    this.#host.touch();
  }

  /** What is known of a call when it leaves, as JSON, in which there is nothing undefined. */
  #left(call: Call, withArgs = this.#keepsArgs): string {
    const { requestId: id, method, tool, sentAt = Date.now(), isVouched: safeToRetry, text } = call;
    const { idempotencyKey } = call.options;
    const params = withArgs ? (JSON.parse(text) as { arguments?: unknown }) : undefined;
    const args = tool === undefined ? params : params?.arguments;
    return JSON.stringify({ id, method, tool, argsDigest: digest(text), args, idempotencyKey, sentAt, safeToRetry });
  }
}

/** Tells equal params from others. No secret: short ones can be found by trying. */
function digest(text: string): string {
  let [high, low] = [7, 9];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
