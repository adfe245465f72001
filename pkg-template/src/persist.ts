// The sub-path entry `bowline/persist`: the cache across reloads, in IndexedDB or wherever an application keeps things, and the journal of calls
// in doubt (journal-indexeddb.ts). What is fresh, and whose it is, is decided by the cache itself (`dehydrate`, `hydrate`); here is only when it
// is written and read, and how much.

import type { CacheStore } from "./config.js";
import type { McpClient } from "./client.js";

export type { CacheStore } from "./config.js";
export type { CallJournal, CallNotes } from "./types-journal.js";
export { indexedDbJournal, type IndexedDbJournal } from "./journal-indexeddb.js";

/** Where a state lies: one for each client it serves. */
export interface Shelf {
  /** What was written last, or undefined. */
  read(): Promise<unknown>;
  /** Plain JSON; undefined takes away what is there. */
  write(state: object | undefined): Promise<void>;
}

export interface PersistOptions {
  /**
   * How long after a change it is written, at most; also when the page is hidden or left. Milliseconds.
   * @default 2000
   */
  delay?: number;
  /**
   * Most bytes of JSON text kept; what was used longest ago stays out.
   * @default 4194304 (4 MiB)
   */
  maxBytes?: number;
  /**
   * Whether results are kept too that the server does not call public. Danger: they then lie on the disk of whoever uses the device after,
   * readable by every script of the page's origin; without `cacheOptions.partition` they are handed to that user as well.
   * @default false
   */
  includePrivate?: boolean;
}

/** A store for `cacheOptions.persist`. */
export interface PersistedCache extends CacheStore {
  /** Resolves when what was kept is in the cache. Await it before the first call to be answered by what an earlier page left. */
  readonly ready: Promise<void>;
  /** Writes what there is, now. */
  flush(): Promise<void>;
  /** Takes away what is kept, for instance when the user signs out, and writes nothing more. */
  clear(): Promise<void>;
}

/** As `client.cache.dehydrate()` gives it: method, params, value, milliseconds left, whether it is public; what was used last stands last. */
interface State {
  entries: readonly (readonly [string, object, unknown, number, boolean])[];
}

const MIB = 1 << 20;

/**
 * Keeps a cache on a shelf. What cannot be read or written is told by nothing: a cache that is not kept is only slower. One store serves one
 * client; of several tabs the one that writes last wins.
 */
export function persisted(shelf: Shelf, { delay = 2000, maxBytes = 4 * MIB, includePrivate = false }: PersistOptions = {}): PersistedCache {
  let client: McpClient | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let known = "";
  let done!: () => void;
  const ready = new Promise<void>((resolve) => (done = resolve));
  const watching = new AbortController();

  /** Changes with whatever is kept, cheaply. */
  const mark = (): string => {
    const { size, bytes, misses, evictions } = client!.metrics().cache;
    return [size, bytes, misses, evictions].join();
  };

  function fitting(state: State): State {
    let room = maxBytes;
    const entries = state.entries.filter((entry) => includePrivate || entry[4]).reverse();
    const kept = entries.filter((entry) => (room -= JSON.stringify(entry).length) >= 0);
    return { ...state, entries: kept.reverse() };
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // A closed client has given its cache up.
    if (!client || watching.signal.aborted || client.state === "closed") return;
    const now = mark();
    if (now === known) return;
    known = now;
    await shelf.write(fitting(client.cache.dehydrate() as State)).catch(() => {});
  }

  async function load(): Promise<void> {
    try {
      const state = await shelf.read();
      if (state) client!.cache.hydrate(state);
    } catch {
      // Of another version, or out of reach.
      await shelf.write(undefined).catch(() => {});
    }
    done();
  }

  return {
    ready,
    flush,
    watch(to) {
      if (client) throw new TypeError("a store of bowline/persist serves one client");
      client = to;
      const { signal } = watching;
      const stop = client.store.subscribe(() => {
        if (client!.state === "closed") watching.abort();
        else timer ??= setTimeout(() => void flush(), delay);
      });
      signal.addEventListener("abort", stop);
      const leave = (): void => void (globalThis.document?.visibilityState === "hidden" && flush());
      for (const event of ["visibilitychange", "pagehide"]) globalThis.addEventListener?.(event, leave, { signal });
      void load();
    },
    async clear() {
      watching.abort();
      clearTimeout(timer);
      await shelf.write(undefined);
    },
  };
}

/** A shelf in IndexedDB: in pages and all workers, until the user or the browser clears the site's data. */
export function indexedDb(options: PersistOptions & { name?: string } = {}): PersistedCache {
  const { name = "default", ...rest } = options;
  return persisted(
    {
      read: () => withStore("readonly", (store) => store.get(name)),
      write: (state) => withStore<unknown>("readwrite", (store) => (state ? store.put(state, name) : store.delete(name))).then(() => {}),
    },
    rest,
  );
}

const DATABASE = "bowline-cache";
const STORE = "states";

async function withStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const result: T = await settled(work(transaction.objectStore(STORE)));
    // Only when the transaction is over is it on the disk.
    if (mode === "readwrite") {
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
    }
    return result;
  } finally {
    database.close();
  }
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
