// A typed event emitter and a store of snapshots for views. Neither knows what an event or a snapshot
// is about, and neither lets a listener's fault reach the code that told it.

import type { ListenerOptions, ReadableStore } from "./types.js";

/** `remove` takes the entry off the list and off its abort signal; a second time it does nothing. */
type Entry = readonly [event: PropertyKey, listener: (detail: never, event: never) => void, remove: () => void, once?: boolean];

const ANY = Symbol("any event");

/** Listeners by event name; `Events` maps a name to what its listeners receive. */
export class Emitter<Events extends object> {
  // One list for all events: a client has a handful of listeners, and it keeps their order.
  readonly #entries = new Set<Entry>();

  /** Adds a listener and returns what removes it. Adding it twice calls it twice. */
  on<E extends keyof Events>(
    event: E,
    listener: (detail: Events[E]) => void,
    { signal, once = false }: ListenerOptions = {},
  ): () => void {
    const remove = () => {
      this.#entries.delete(entry);
      signal?.removeEventListener("abort", remove);
    };
    const entry: Entry = [event, listener, remove, once];
    if (!signal?.aborted) {
      this.#entries.add(entry);
      signal?.addEventListener("abort", remove);
    }
    return remove;
  }

  /** Whether anybody listens: what is costly to tell need not be made otherwise. */
  has(event: keyof Events): boolean {
    // Asked twice for every call, mostly of an empty list.
    if (this.#entries.size) for (const [name] of this.#entries) if (name === event || name === ANY) return true;
    return false;
  }

  /** Adds a listener to all events; it is told their names, too. */
  onAny(listener: <E extends keyof Events>(detail: Events[E], event: E) => void): () => void {
    return this.on(ANY as keyof Events, listener as (detail: unknown) => void);
  }

  /** Removes a listener, however often it was added. */
  off<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): void {
    for (const [name, heard, remove] of this.#entries) if (name === event && heard === listener) remove();
  }

  /** The next event of this name. Rejects only when `signal` aborts, with its reason. */
  once<E extends keyof Events>(event: E, { signal }: { signal?: AbortSignal } = {}): Promise<Events[E]> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        stop();
        reject(signal!.reason);
      };
      const stop = this.on(
        event,
        (detail) => {
          signal?.removeEventListener("abort", abort);
          resolve(detail);
        },
        { once: true },
      );
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
    });
  }

  /**
   * Calls the listeners there are now, in the order they were added. One added during the round waits
   * for the next event; one removed during the round is not called any more.
   */
  emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    for (const entry of [...this.#entries]) {
      const [name, listener, remove, once] = entry;
      if ((name !== event && name !== ANY) || !this.#entries.has(entry)) continue;
      if (once) remove();
      try {
        (listener as (detail: Events[E], event: E) => void)(detail, event);
      } catch (error) {
        // An uncaught error of its own, as with DOM listeners.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/**
 * A store for `useSyncExternalStore`. `read` builds the present state anew and is asked only when
 * somebody looks after `changed()`, so a change that nobody watches costs one assignment.
 */
export class SnapshotStore<T extends object> implements ReadableStore<T> {
  readonly #read: () => T;
  readonly #initial: T;
  readonly #listeners = new Emitter<{ change: undefined }>();
  #snapshot: T;
  #stale = false;

  constructor(read: () => T) {
    this.#read = read;
    this.#snapshot = this.#initial = reuse(undefined, read()) as T;
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
      this.#snapshot = reuse(this.#snapshot, this.#read()) as T;
    }
    return this.#snapshot;
  };

  readonly getServerSnapshot = (): T => this.#initial;
}

/**
 * `next`, deeply frozen where it stands, with every part that reads the same as its part of `previous`
 * replaced by that: what has not changed stays the same object. For data as JSON has it.
 */
function reuse(previous: unknown, next: unknown): unknown {
  if (JSON.stringify(previous) === JSON.stringify(next)) return previous;
  // True of whatever is no object, too.
  if (Object.isFrozen(next)) return next;
  const [old, parts] = [previous, next] as (Record<string, unknown> | undefined)[];
  for (const key in parts) parts[key] = reuse(old?.[key], parts[key]);
  return Object.freeze(next);
}
