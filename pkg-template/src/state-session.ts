// Sessions of a cluster: which node one lives on, so that another tab, page or region finds it, and the values kept for it. It routes nothing;
// the cluster asks `find()` before a session's first call and tells `served()` after each.

import { part } from "./state-text.js";
import type { StateReadOptions, StateStore, StateVersion } from "./types-state.js";

/** Sessions whose node is remembered here; of the others the store knows. */
const REMEMBERED = 1_000;
/** A store that failed is left alone by pins for so long: calls do not wait for it one after the other. */
const LEAVE_ALONE_MS = 5_000;
/** A call waits so long to hear where its session lives, and then goes where the balancer says. */
const PATIENCE_MS = 500;

/** What belongs to one session of a cluster, for every client that shares the state. */
export interface SessionHandle {
  readonly id: string;
  /** Where it lives, as far as this client knows; `null` before its first call. */
  readonly node: string | null;
  get<T = unknown>(key: string, options?: StateReadOptions): Promise<T | undefined>;
  /** `ttl` in milliseconds; that of `stateManagementConfig` when absent. */
  set(key: string, value: unknown, ttl?: number): Promise<StateVersion>;
  delete(key: string): Promise<StateVersion>;
  /** Lets its next call go to any node. Its values stay. */
  unpin(): void;
}

/** The sessions that a cluster's client has to do with. */
export class Sessions {
  readonly #store: StateStore;
  readonly #onError: (error: unknown) => void;
  readonly #known = new Map<string, Session>();
  #leaveAloneUntil = 0;

  /** `onError` hears of pins that could not be read or written, once per silence of the store. */
  constructor(store: StateStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  of(id: string): Session {
    const session = this.#known.get(id) ?? new Session(id, this.#store, (work) => this.#tried(work));
    // Last in the order of the map: the one used longest ago is the first.
    this.#known.delete(id);
    this.#known.set(id, session);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return session;
  }

  /** What pins want of the store: calls are routed without it, so its failures are told and nothing else. */
  async #tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#store.problem || performance.now() < this.#leaveAloneUntil) return undefined;
    try {
      return await work();
    } catch (error) {
      const isNews = performance.now() >= this.#leaveAloneUntil;
      this.#leaveAloneUntil = performance.now() + LEAVE_ALONE_MS;
      if (isNews) this.#onError(error);
      return undefined;
    }
  }
}

type Trial = <T>(work: () => Promise<T>) => Promise<T | undefined>;

export class Session implements SessionHandle {
  readonly #store: StateStore;
  readonly #tried: Trial;
  readonly #pin: string;
  #node: string | null = null;
  #isAsked = false;
  #finding: Promise<void> | undefined;
  /** When the pin was written here, by `performance.now()`. */
  #writtenAt = -Infinity;

  /** @internal */
  constructor(
    readonly id: string,
    store: StateStore,
    tried: Trial,
  ) {
    this.#store = store;
    this.#tried = tried;
    this.#pin = `pin:${part(id)}`;
  }

  get node(): string | null {
    return this.#node;
  }

  get<T>(key: string, options?: StateReadOptions): Promise<T | undefined> {
    return this.#store.get<T>(this.#key(key), options);
  }

  set(key: string, value: unknown, ttl?: number): Promise<StateVersion> {
    return this.#store.set(this.#key(key), value, ttl);
  }

  delete(key: string): Promise<StateVersion> {
    return this.#store.delete(this.#key(key));
  }

  unpin(): void {
    this.#node = null;
    this.#isAsked = false;
    this.#writtenAt = -Infinity;
    void this.#tried(() => this.#store.delete(this.#pin));
  }

  /**
   * Where it lives. The store is asked once, also when several calls want to know; `null` when nobody knows, or the store fails or lets wait.
   * @internal
   */
  async find(): Promise<string | null> {
    if (this.#node === null && !this.#isAsked) {
      // Kept until the store has answered: later calls do not wait again.
      await (this.#finding ??= patiently(this.#found().finally(() => (this.#finding = undefined))));
    }
    return this.#node;
  }

  /**
   * A call of it was served by this node: it lives there from now on, unless another client has just pinned it elsewhere; then `node` says so.
   * @internal
   */
  async served(node: string): Promise<void> {
    const [before, now] = [this.#node, performance.now()];
    if (node === before && now - this.#writtenAt < this.#store.ttl / 2) return;
    this.#node = node;
    this.#writtenAt = now;
    await this.#tried(async () => {
      const isFirst = before === null && this.#store.capabilities().cas;
      if (!isFirst) await this.#store.set(this.#pin, node);
      else if (!(await this.#store.cas(this.#pin, undefined, node))) this.#node = (await this.#store.get<string>(this.#pin)) ?? node;
    });
  }

  async #found(): Promise<void> {
    const node = await this.#tried(async () => {
      const found = await this.#store.get<string>(this.#pin);
      this.#isAsked = true;
      return found;
    });
    // A call may have been served meanwhile.
    this.#node ??= typeof node === "string" ? node : null;
  }

  #key(key: string): string {
    return `session:${part(this.id)}:${part(key)}`;
  }
}

/** Resolves when `work` does, or when patience is at its end. */
function patiently(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
