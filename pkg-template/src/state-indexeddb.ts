// Entries in IndexedDB: what the pages and workers of one origin share, and what outlives them. Each change is one transaction, which IndexedDB
// runs one after the other, in whichever tab they were asked for. Channels are BroadcastChannels.

import { stateError } from "./state-error.js";
import { alive, type Change, type Entry, type Shelf } from "./state-local.js";

const DATABASE = "bowline-state";
const ENTRIES = "entries";

export class Database implements Shelf {
  readonly reach = "origin";
  #opened: Promise<IDBDatabase> | undefined;
  readonly #channels = new Map<string, BroadcastChannel>();

  async update<R>(key: string, change: Change<R>): Promise<R> {
    const database = await (this.#opened ??= this.#open());
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown) => reject(stateError("storage", { cause }));
      try {
        const transaction = database.transaction(ENTRIES, "readwrite");
        const entries = transaction.objectStore(ENTRIES);
        let result: R;
        let thrown: unknown;
        entries.get(key).onsuccess = ({ target }) => {
          const before = (target as IDBRequest<Entry | undefined>).result;
          try {
            const changed = change(alive(before));
            result = changed.result;
            if (changed.entry && changed.entry !== before) entries.put(changed.entry, key);
            else if (!changed.entry && before) entries.delete(key);
          } catch (error) {
            thrown = error;
            transaction.abort();
          }
        };
        transaction.oncomplete = () => resolve(result);
        transaction.onabort = () => (thrown ? reject(thrown) : failed(transaction.error));
      } catch (cause) {
        // The browser closed the database, as when its data are cleared: the next use opens it again.
        this.#opened = undefined;
        failed(cause);
      }
    });
  }

  tell(channel: string, message: unknown): void {
    this.#channel(channel).postMessage(message);
  }

  hear(channel: string, listener: (message: unknown) => void): () => void {
    const ending = new AbortController();
    this.#channel(channel).addEventListener("message", ({ data }) => listener(data), ending);
    return () => ending.abort();
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#opened?.then((database) => database.close()).catch(() => {});
  }

  #channel(name: string): BroadcastChannel {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = new BroadcastChannel(`${DATABASE}:${name}`);
      // Node would otherwise run for as long as it could hear something.
      (channel as { unref?(): void }).unref?.();
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #open(): Promise<IDBDatabase> {
    return new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(ENTRIES).createIndex("over", "over");
      opening.onsuccess = () => {
        const database = opening.result;
        // Somebody wants to delete it, or the browser took it away: not to be stood in the way of.
        database.onversionchange = database.onclose = () => {
          database.close();
          this.#opened = undefined;
        };
        sweep(database);
        resolve(database);
      };
      opening.onerror = () => reject(opening.error);
    }).catch((cause) => {
      this.#opened = undefined;
      throw stateError("storage", { cause });
    });
  }
}

/** Removes what is over, once per opening: nobody else does for keys that are never asked for again. */
function sweep(database: IDBDatabase): void {
  const over = database.transaction(ENTRIES, "readwrite").objectStore(ENTRIES).index("over");
  over.openCursor(IDBKeyRange.upperBound(Date.now())).onsuccess = ({ target }) => {
    const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
    cursor?.delete();
    cursor?.continue();
  };
}
