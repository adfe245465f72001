// The calls in doubt of one client: those of which nobody here knows whether the server executed them, and those that the page before
// left behind. Which they are is told by the outcome of their errors; nothing is judged here.

import type { Call } from "./call.js";
import type { McpError } from "./errors.js";
import type { Host } from "./host.js";
import { Journal } from "./journal.js";
import { demand } from "./replay.js";
import type { InDoubtCall, MCPClientConfig, McpEventMap } from "./types.js";

/** So many are kept; the oldest leaves first. */
const MAX_DOUBTS = 256;

type Resolved = McpEventMap["outcomeResolved"];
/** What is known when a call leaves. */
type Left = Omit<InDoubtCall, "lostAt" | "reason" | "restored">;

export class Doubts {
  /** Frozen; the same object until something changes. */
  list: readonly InDoubtCall[] = Object.freeze([]);
  readonly #host: Host;
  readonly #journal: Journal | undefined;
  readonly #keepsArgs: boolean;
  /** Where each is in the journal, and under which id it went over the wire. */
  readonly #traces = new Map<string, { name: string | undefined; wire: number }>();

  /** Whether each call is noted before it leaves, and not only those under way when the page is left. */
  #eager: boolean;

  /** Throws a text that names the option which is wrong. */
  constructor(host: Host, { journal = "unload", journalArgs = false }: MCPClientConfig) {
    demand(["none", "unload", "session"].includes(journal), 'journal must be "none", "unload" or "session"');
    demand(typeof journalArgs === "boolean", "journalArgs must be true or false");
    this.#host = host;
    this.#keepsArgs = journalArgs;
    this.#eager = journal === "session";
    if (journal === "none") return;
    try {
      this.#journal = new Journal((host.url ?? host.webSocketUrl)!, (isHidden) => {
        // A hidden page may be ended without another word.
        this.#eager = isHidden || journal === "session";
        if (isHidden) for (const call of host.flying()) if (call?.wire && call.phase === "sent") this.#write(call);
      });
      for (const [name, text] of this.#journal.found()) {
        const left = JSON.parse(text) as Left;
        const reason = { code: "CONNECTION_CLOSED", message: "the page was left before the answer came" } as const;
        this.#add({ ...left, id: name.slice(name.lastIndexOf(":") + 1), lostAt: Date.now(), reason, restored: true }, name, 0);
      }
    } catch {
      // No session storage, as in workers, or none that may be used: the list lives as long as the client.
    }
  }

  /** A call that may change the world is about to leave. */
  leaving(call: Call): void {
    if (this.#eager) this.#write(call);
  }

  #write(call: Call): void {
    try {
      call.place = this.#journal?.write(JSON.stringify(this.#left(call, this.#keepsArgs)), call.place);
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
    const reason = this.#host.connection.reason ?? { code, message };
    const doubt = { ...this.#left(call, true), lostAt: Date.now(), reason, restored: false };
    this.#write(call);
    this.#add(doubt, call.place, call.wire);
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
    const call = this.list.find(({ id }) => this.#traces.get(id)!.wire === wire);
    if (call) this.settle(call.id, applied ? "applied" : "not-applied", "late-response", applied ? result : undefined);
  }

  sweep(): void {
    this.#journal?.sweep();
  }

  close(): void {
    this.#journal?.close();
  }

  #add(doubt: InDoubtCall, name: string | undefined, wire: number): void {
    if (this.list.length === MAX_DOUBTS) this.#drop(this.list[0]!);
    this.#traces.set(doubt.id, { name, wire });
    this.#show([...this.list, Object.freeze(doubt)]);
  }

  #drop(call: InDoubtCall): void {
    const name = this.#traces.get(call.id)?.name;
    if (name) this.#journal?.free(name);
    this.#journal?.sweep();
    this.#traces.delete(call.id);
    this.#show(this.list.filter((other) => other !== call));
  }

  #show(list: InDoubtCall[]): void {
    this.list = Object.freeze(list);
    this.#host.touch();
  }

  #left(call: Call, withArgs: boolean): Left {
    const { requestId: id, method, tool, sentAt, isVouched: safeToRetry, text } = call;
    const { idempotencyKey } = call.options;
    const args = withArgs ? (JSON.parse(text) as { arguments?: unknown }) : undefined;
    return {
      id,
      method,
      ...(tool !== undefined && { tool }),
      argsDigest: digest(text),
      ...(args && { args: tool === undefined ? args : args.arguments }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      sentAt,
      safeToRetry,
    };
  }
}

/** Tells equal params from others. No secret: short ones can be found by trying. */
function digest(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
