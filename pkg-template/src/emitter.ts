// A typed event emitter and a store of snapshots for views. Neither knows what an event or a snapshot
// is about, and neither lets a listener's fault reach the code that told it.

import type { ListenerOptions, ReadableStore } from "./types.js";

interface Entry {
  readonly listener: (detail: never) => void;
  readonly once: boolean;
  /** Takes the entry off the list and off its abort signal; a second time does nothing. */
  remove(): void;
}

/** Listeners by event name; `Events` maps a name to what its listeners receive. */
export class Emitter<Events extends object> {
  readonly #entries = new Map<keyof Events, Set<Entry>>();

  /** Adds a listener and returns what removes it. Adding it twice calls it twice. */
  on<E extends keyof Events>(
    event: E,
    listener: (detail: Events[E]) => void,
    { signal, once = false }: ListenerOptions = {},
  ): () => void {
    const entries = this.#entries.get(event) ?? new Set<Entry>();
    const entry: Entry = {
      listener,
      once,
      remove() {
        entries.delete(entry);
        signal?.removeEventListener("abort", entry.remove);
      },
    };
    if (!signal?.aborted) {
      this.#entries.set(event, entries.add(entry));
      signal?.addEventListener("abort", entry.remove);
    }
    return entry.remove;
  }

  /** Removes a listener, however often it was added. */
  off<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): void {
    for (const entry of [...(this.#entries.get(event) ?? [])]) if (entry.listener === listener) entry.remove();
  }

  /** The next event of this name. Rejects only when `signal` aborts, with its reason. */
  once<E extends keyof Events>(event: E, { signal }: { signal?: AbortSignal } = {}): Promise<Events[E]> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal!.reason);
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      this.on(
        event,
        (detail) => {
          signal?.removeEventListener("abort", abort);
          resolve(detail);
        },
        { once: true, ...(signal && { signal }) },
      );
    });
  }

  /** Whether anybody listens: lets the caller skip building a detail that nobody would see. */
  has(event: keyof Events): boolean {
    return !!this.#entries.get(event)?.size;
  }

  /**
   * Calls the listeners there are now, in the order they were added. One added during the round waits
   * for the next event; one removed during the round is not called any more.
   */
  emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    const entries = this.#entries.get(event);
    if (!entries?.size) return;
    for (const entry of [...entries]) {
      if (!entries.has(entry)) continue;
      if (entry.once) entry.remove();
      call(entry.listener as (detail: Events[E]) => void, detail);
    }
  }

  /** Removes all listeners. */
  clear(): void {
    for (const entries of this.#entries.values()) for (const entry of [...entries]) entry.remove();
  }
}

/**
 * A store for `useSyncExternalStore`. `read` builds the present state and is asked only when somebody
 * looks after `changed()`, so a change that nobody watches costs one assignment.
 */
export class SnapshotStore<T extends object> implements ReadableStore<T> {
  readonly #read: () => T;
  readonly #initial: T;
  readonly #listeners = new Emitter<{ change: undefined }>();
  #snapshot: T;
  #stale = false;

  constructor(read: () => T) {
    this.#read = read;
    this.#snapshot = this.#initial = reuse<T>(undefined, read());
  }

  /** The state may be another one now. */
  changed(): void {
    this.#stale = true;
    this.#listeners.emit("change", undefined);
  }

  // Arrow functions, because React calls them without `this`.
  readonly subscribe = (onChange: () => void): (() => void) => this.#listeners.on("change", onChange);

  readonly getSnapshot = (): T => {
    if (this.#stale) {
      this.#stale = false;
      this.#snapshot = reuse(this.#snapshot, this.#read());
    }
    return this.#snapshot;
  };

  readonly getServerSnapshot = (): T => this.#initial;
}

/**
 * `next`, deeply frozen, with every part that equals its part of `previous` replaced by that: what has
 * not changed stays the same object. For data without cycles; other objects pass as they are.
 */
export function reuse<T>(previous: T | undefined, next: T): T {
  if (Object.is(previous, next) || !isData(next)) return next;
  const old = isData(previous) && Array.isArray(previous) === Array.isArray(next) ? previous : {};
  const parts = Object.entries(next).map(([key, value]) => [key, reuse(own(old, key), value)] as const);
  const same = parts.every(([key, value]) => Object.hasOwn(old, key) && Object.is(own(old, key), value));
  if (same && old === previous && Object.keys(old).length === parts.length) return previous as T;
  const copy = Array.isArray(next) ? parts.map(([, value]) => value) : Object.fromEntries(parts);
  return Object.freeze(copy) as T;
}

function isData(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

/** Never an inherited member: the data may come from a server and have a member named `__proto__`. */
function own(data: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

/** Calls a listener; what it throws becomes an uncaught error of its own, as with DOM listeners. */
function call<D>(listener: (detail: D) => void, detail: D): void {
  try {
    listener(detail);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
