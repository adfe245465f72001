// Shared state in this page or browser: every operation of a store as one change of one entry, made at once by a shelf, which is memory
// (here) or IndexedDB (state-indexeddb.ts). The clock is this machine's.

import { stateError } from "./state-error.js";
import { ask, gcra } from "./state-limit.js";
import { apart, heldFor, lifeOf, named, packed, unpacked } from "./state-text.js";
import type { StateCapabilities, StateLimit, StateLock, StateReadOptions, StateStore, StateVerdict, StateVersion } from "./types-state.js";

/** What lies under a key: text, numbers of a lock or limit; and when it is over, by `Date.now()`. */
export interface Entry {
  readonly text?: string;
  /** Of a lock. */
  readonly owner?: number;
  readonly fence?: number;
  /** Of a limit, in microseconds. */
  readonly until?: number;
  /** `undefined`: never. */
  readonly over?: number | undefined;
}

/** What a change leaves: `undefined` nothing, the entry itself when nothing changes. */
export type Change<R> = (entry: Entry | undefined) => { entry: Entry | undefined; result: R };

/** Where entries lie. */
export interface Shelf {
  readonly reach: StateCapabilities["reach"];
  /** Changes one entry; nobody else does in between. What is over counts as absent. */
  update<R>(key: string, change: Change<R>): Promise<R>;
  /** Tells the others that can hear. */
  tell(channel: string, message: unknown): void;
  /** Hears the others. */
  hear(channel: string, listener: (message: unknown) => void): () => void;
  close(): void;
}

export class LocalStore implements StateStore {
  readonly problem = null;
  readonly #shelf: Shelf;
  readonly #prefix: string;
  readonly #listeners = new Map<string, Set<(message: unknown) => void>>();
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  /** `prefix` of every key; `ttl` where none is given. */
  constructor(
    shelf: Shelf,
    prefix: string,
    readonly ttl: number,
  ) {
    this.#shelf = shelf;
    this.#prefix = prefix;
  }

  capabilities(): StateCapabilities {
    return { reach: this.#shelf.reach, ttl: true, cas: true, incr: true, lock: true, limit: true, subscribe: true };
  }

  async get<T>(key: string, _options?: StateReadOptions): Promise<T | undefined> {
    return unpacked(await this.#update("value", key, (entry) => ({ entry, result: entry?.text })), key) as T | undefined;
  }

  async set(key: string, value: unknown, ttl = this.ttl): Promise<StateVersion> {
    const entry = { text: packed(value), over: overAfter(ttl) };
    return this.#update("value", key, () => ({ entry, result: 0 }));
  }

  async delete(key: string): Promise<StateVersion> {
    return this.#update("value", key, () => ({ entry: undefined, result: 0 }));
  }

  async cas(key: string, expected: unknown, value: unknown, ttl = this.ttl): Promise<boolean> {
    const before = expected === undefined ? undefined : packed(expected);
    const after = { text: packed(value), over: overAfter(ttl) };
    return this.#update("value", key, (entry) => (entry?.text === before ? { entry: after, result: true } : { entry, result: false }));
  }

  async incr(key: string, by = 1, ttl = this.ttl): Promise<number> {
    return this.#update("value", key, (entry) => {
      const sum = Number(entry?.text ?? 0) + by;
      if (!Number.isSafeInteger(sum)) throw stateError("refused", { url: "the store", detail: "not a whole number" });
      return { entry: { text: `${sum}`, over: entry ? entry.over : overAfter(ttl) }, result: sum };
    });
  }

  async expiresIn(key: string): Promise<number | undefined> {
    return this.#update("value", key, (entry) => ({ entry, result: entry && (entry.over ?? Infinity) - Date.now() }));
  }

  async lock(key: string, ttl: number): Promise<StateLock | null> {
    const [owner, life] = [Math.random(), heldFor(ttl)];
    // The entry stays, for the sake of the fence; `until` says how long it is held.
    const held = (change: (entry: Entry) => Entry) => () =>
      this.#update("lock", key, (entry) =>
        entry?.owner === owner && entry.until! > Date.now() ? { entry: change(entry), result: true } : { entry, result: false },
      );
    const fence = await this.#update("lock", key, (entry) => {
      if (entry && entry.until! > Date.now()) return { entry, result: 0 };
      const fence = (entry?.fence ?? 0) + 1;
      return { entry: { until: Date.now() + life, owner, fence }, result: fence };
    });
    if (fence === 0) return null;
    const unlock = held((entry) => ({ ...entry, until: 0 }));
    return {
      fence,
      extend: async (ttl) => held((entry) => ({ ...entry, until: Date.now() + heldFor(ttl) }))(),
      unlock,
      [Symbol.asyncDispose]: async () => void (await unlock()),
    };
  }

  async limit(key: string, limit: StateLimit): Promise<StateVerdict> {
    const numbers = gcra(limit);
    return this.#update("limit", key, (entry) => {
      const { verdict, until } = ask(numbers, Date.now() * 1000, entry?.until ?? 0);
      return { entry: { until, over: until / 1000 }, result: verdict };
    });
  }

  async publish(channel: string, message: unknown): Promise<void> {
    const name = this.#key("channel", channel);
    const text = packed(message);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(JSON.parse(text));
    this.#shelf.tell(name, JSON.parse(text));
  }

  subscribe(channel: string, listener: (message: unknown) => void): () => void {
    const name = this.#key("channel", channel);
    const told = (message: unknown) => apart(() => listener(message));
    const others = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, others.add(told));
    const deafen = this.#shelf.hear(name, told);
    const end = () => {
      deafen();
      others.delete(told);
      this.#ends.delete(end);
    };
    this.#ends.add(end);
    return end;
  }

  async ping(): Promise<void> {
    await this.expiresIn("");
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#ends]) end();
    this.#shelf.close();
  }

  async #update<R>(kind: string, key: string, change: Change<R>): Promise<R> {
    const name = this.#key(kind, key);
    return this.#shelf.update(name, change);
  }

  #key(kind: string, name: string): string {
    if (this.#isClosed) throw stateError("closed", { outcome: "not-sent" });
    return `${this.#prefix}${kind}:${named(name)}`;
  }
}

/** Entries in memory: seen by nobody else, gone with the page. */
export class Memory implements Shelf {
  readonly reach = "client";
  readonly #entries = new Map<string, Entry>();
  /** So many entries, and it is time to look for those that are over. */
  #sweepAt = 64;

  async update<R>(key: string, change: Change<R>): Promise<R> {
    const { entry, result } = change(alive(this.#entries.get(key)));
    if (entry) this.#entries.set(key, entry);
    else this.#entries.delete(key);
    if (this.#entries.size >= this.#sweepAt) this.#sweep();
    return result;
  }

  tell(): void {
    // Nobody else is there.
  }

  hear(): () => void {
    return () => {};
  }

  close(): void {
    this.#entries.clear();
  }

  #sweep(): void {
    for (const [key, entry] of this.#entries) if (!alive(entry)) this.#entries.delete(key);
    this.#sweepAt = Math.max(64, this.#entries.size * 2);
  }
}

/** The entry, when it is not over. */
export function alive(entry: Entry | undefined): Entry | undefined {
  return entry && (entry.over ?? Infinity) > Date.now() ? entry : undefined;
}

function overAfter(ttl: number): number | undefined {
  const life = lifeOf(ttl);
  return life === undefined ? undefined : Date.now() + life;
}
