// Where calls in doubt outlive pages and workers alike: entries in IndexedDB, noted before their calls are sent. Which calls are in doubt is
// told by doubt.ts; here is only where they lie, whose they are, and how long a call waits for its entry.

import type { CallJournal, CallNotes } from "./types-journal.js";

/** A journal for the option `journal`. */
export interface IndexedDbJournal extends CallJournal {
  /** Resolves when `inDoubt()` of the clients made so far knows what earlier pages and workers left, or it cannot be known. Never rejects. */
  readonly ready: Promise<void>;
}

/**
 * A journal in IndexedDB: in pages, workers and an extension's service worker, also when they are killed. What a page or worker left is
 * restored by one other, and only once its Web Lock is gone; without IndexedDB or Web Locks (pages on plain http) a `warning` says that
 * nothing is kept, and calls are sent all the same. What was left more than 30 days ago by clients of a server, or a name, that is used no
 * more is dropped when a client of another one opens.
 * @param options.name Clients of other names do not see each other's calls. "default" when absent.
 */
export function indexedDbJournal({ name = "default" }: { name?: string } = {}): IndexedDbJournal {
  let ready = Promise.resolve();
  return {
    get ready() {
      return ready;
    },
    open(server, onFound, warn) {
      const notes = new Notes(`${name}:${server}`, warn);
      const before = ready;
      ready = notes.bounded(notes.restore(onFound)).then(() => before);
      return notes;
    },
  };
}

/** What is kept under the name of a call. */
interface Entry {
  /** Of which clients, and which server. */
  scope: string;
  /** The page or worker that knows of it. */
  owner: string;
  text: string;
}

type Change = (entries: IDBObjectStore) => void;

const DATABASE = "bowline-journal";
const CALLS = "calls";
/** How long entries are kept for which no client comes. Milliseconds. */
const KEPT = 30 * 86_400_000;
/** How long a call waits for its entry. Milliseconds. */
const LONGEST = 1000;
/** How long a page that is kept for the way back may take to be ended. Milliseconds. */
const GIVES_WAY = 200;
/** What needs no entry, since a second execution is harmless: the same as in the core's table (src/core/wire/method.rs). */
export const HARMLESS: ReadonlySet<string> = new Set([
  ...["tools/list", "resources/list", "resources/templates/list", "resources/read", "prompts/list", "server/discover", "prompts/get"],
  ...["completion/complete", "ping", "initialize", "tasks/get", "subscriptions/listen", "logging/setLevel", "resources/subscribe"],
  "resources/unsubscribe",
]);
/** This page or worker, for as long as it lives. */
const self = Math.random().toString(36).slice(2);
let made = 0;

class Notes implements CallNotes {
  readonly #scope: string;
  readonly #warn: (message: string) => void;
  /** What goes into the next transaction, and when that is over. */
  #due: Change[] = [];
  #saved: Promise<void> | undefined;
  /** Those that wait for a transaction. */
  readonly #waiting = new Set<() => void>();
  /** The storage failed, or was slow: no call waits for it until it works again. */
  #isBad = false;

  constructor(scope: string, warn: (message: string) => void) {
    this.#scope = scope;
    this.#warn = (message) => warn(`journal: ${message}`);
  }

  holds(method: string): Promise<void> | undefined {
    if (HARMLESS.has(method)) return undefined;
    return this.#isBad ? Promise.resolve() : this.#next();
  }

  write(text: string, name = `${self}.${++made}`): string {
    this.#change((entries) => entries.put(this.#own(text), name));
    return name;
  }

  free(name: string): void {
    this.#change((entries) => entries.delete(name));
  }

  close(): void {
    for (const go of this.#waiting) go();
  }

  /** Takes over what is left of pages and workers that are gone. */
  async restore(onFound: (name: string, text: string) => void): Promise<void> {
    try {
      const database = await opened();
      const before = await readAll(database);
      // Even to look at the locks ends a page that is kept for the way back and holds one.
      if (!before.length) return;
      const others = before.flatMap(([, entry]) => (entry?.scope === this.#scope && entry.owner !== self ? [lockOf(entry.owner!)] : []));
      await Promise.all([...new Set(others)].map(outlived));
      // Whoever wrote one of these held its lock by then: one that is missing now is gone for good.
      const { held = [] } = await navigator.locks.query();
      const living = new Set(held.map(({ name }) => name));
      const isLeft = (entry: Entry) => (entry.scope === this.#scope || isOld(entry)) && !living.has(lockOf(entry.owner));
      const left = before.filter(([, entry]) => !isSound(entry) || isLeft(entry));
      const found: [name: string, text: string][] = [];
      const take = (entries: IDBObjectStore) => {
        for (const [name, was] of left) {
          entries.get(name).onsuccess = ({ target }) => {
            const entry = (target as IDBRequest<Entry | undefined>).result;
            if (!isSound(was)) entries.delete(name);
            // Unless another one was quicker.
            else if (entry?.owner !== was.owner) return;
            else if (was.scope !== this.#scope) entries.delete(name);
            else {
              entries.put(this.#own(was.text), name);
              found.push([name, was.text]);
            }
          };
        }
      };
      if (left.length) await transact(database, [take]);
      if (left.some(([, entry]) => !isSound(entry))) this.#warn("an entry that makes no sense was dropped");
      found.sort(([, one], [, other]) => JSON.parse(one).sentAt - JSON.parse(other).sentAt);
      for (const [name, text] of found) onFound(name, text);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Resolves with the work, or when that takes too long, or when the client is closed. */
  bounded(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#isBad = true;
        this.#warn(`IndexedDB took longer than ${LONGEST} ms; calls are sent before they are noted`);
        go();
      }, LONGEST);
      this.#waiting.add(go);
      void work.then(go);
    });
  }

  #own(text: string): Entry {
    return { scope: this.#scope, owner: self, text };
  }

  #change(change: Change): void {
    this.#due.push(change);
    void this.#next();
  }

  #next(): Promise<void> {
    return (this.#saved ??= this.bounded(this.#flush()));
  }

  /** Everything that is changed in one task goes into one transaction. */
  async #flush(): Promise<void> {
    try {
      const database = await opened();
      this.#saved = undefined;
      await transact(database, this.#due.splice(0));
      this.#isBad = false;
    } catch (error) {
      this.#saved = undefined;
      this.#due = [];
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#isBad = true;
    this.#warn(`calls in doubt are not kept: ${error}`);
  }
}

/** Resolves when the lock's owner is gone, or is known to live: a page kept for the way back gives way to whoever wants its lock. */
const outlived = (lock: string): Promise<void> =>
  navigator.locks.request(lock, { signal: AbortSignal.timeout(GIVES_WAY) }, () => {}).catch(() => {});

const lockOf = (owner: string): string => `${DATABASE}:${owner}`;

/** Whether an entry is one of ours: others of the origin, and disks, may have written anything. */
function isSound(entry: Partial<Entry> | undefined): entry is Entry {
  try {
    const { method, sentAt } = JSON.parse(entry!.text!) as { method?: unknown; sentAt?: unknown };
    return typeof method === "string" && typeof sentAt === "number" && typeof entry!.scope === "string" && typeof entry!.owner === "string";
  } catch {
    return false;
  }
}

const isOld = ({ text }: Entry): boolean => Date.now() - JSON.parse(text).sentAt > KEPT;

let opening: Promise<IDBDatabase> | undefined;
let owning: Promise<void> | undefined;

/** The database, once this page or worker can be told to be alive. */
function opened(): Promise<IDBDatabase> {
  return (opening ??= open().catch((error) => {
    opening = undefined;
    throw error;
  }));
}

async function open(): Promise<IDBDatabase> {
  // Held until the page or worker is gone, however it goes.
  owning ??= new Promise((resolve, reject) => {
    const hold = () => (resolve(), new Promise<never>(() => {}));
    navigator.locks.request(lockOf(self), hold).catch(reject);
  });
  await owning;
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(CALLS);
    request.onsuccess = () => {
      const database = request.result;
      // Somebody wants to delete it, or the browser took it away: not to be stood in the way of.
      database.onversionchange = database.onclose = () => {
        database.close();
        opening = undefined;
      };
      resolve(database);
    };
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when the changes are in the database. A crash of the machine may cost them, one of the browser does not. */
function transact(database: IDBDatabase, changes: Change[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(CALLS, "readwrite", { durability: "relaxed" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    for (const change of changes) change(transaction.objectStore(CALLS));
  });
}

function readAll(database: IDBDatabase): Promise<[name: string, entry: Partial<Entry> | undefined][]> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(CALLS);
    const entries = transaction.objectStore(CALLS);
    const [names, values] = [entries.getAllKeys(), entries.getAll()];
    transaction.oncomplete = () => resolve(names.result.map((name, at) => [name as string, values.result[at]]));
    transaction.onabort = () => reject(transaction.error);
  });
}
