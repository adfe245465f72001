// What is kept, in the application's hands: looked at, set, dropped, carried elsewhere and back. The rules of keeping are the core's.

import { invalidate, keep, kept, peek } from "bowline-core";
import type { Host } from "./host.js";
import type { CacheApi, CacheFilter } from "./types.js";
import { isSpan } from "./wrong.js";

/** The form of what `dehydrate` gives. */
const VERSION = 1;
const PUBLIC = 1;
const NEWER = 2;

type Entry = readonly [method: string, params: object, value: unknown, ttl: number, isPublic: boolean];

interface State {
  version: number;
  /** Whose the private entries are. */
  partition: string | null;
  at: number;
  entries: readonly Entry[];
}

export class Cache implements CacheApi {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get size(): number {
    return this.#host.numbers().metrics.cache.size;
  }

  get(method: string, params?: object): unknown {
    const { client, tables } = this.#host;
    if (!this.#host.isOpen || !this.#host.inContext()) return undefined;
    const handle = peek(client, tables!.key(client, tables!.methodId(method), params, true));
    return handle ? tables!.take(handle) : undefined;
  }

  set(method: string, params: object | undefined, value: unknown, ttl?: number): void {
    if (!isSpan(ttl)) throw this.#host.invalid("the ttl of cache.set must be a number of at least 0");
    // Later changes to what was given change nothing, and what is no JSON is told now.
    const given = JSON.parse(JSON.stringify([method, params ?? {}, value])) as [string, object, unknown];
    this.#host.onceOpen(() => this.#keep([...given, ttl ?? -1, false], NEWER));
  }

  invalidate({ method, uri }: CacheFilter = {}): number {
    const { client, tables, isOpen } = this.#host;
    if (!isOpen) return 0;
    const before = this.size;
    invalidate(client, method === undefined ? -1 : tables!.methodId(method), tables!.about(uri));
    return before - this.size;
  }

  clear(): void {
    this.invalidate();
  }

  dehydrate(): object {
    const host = this.#host;
    const { client, tables } = host;
    const entries: Entry[] = [];
    const numbers = (host.isOpen && host.inContext() && kept(client)) || [];
    for (let at = 0; at < numbers.length; at += 4) {
      const [key, handle, ttl, isPublic] = numbers.slice(at, at + 4) as [number, number, number, number];
      const [, method, params] = /^(\d+)(.*)$/s.exec(tables!.keyText(client, key))!;
      // The one used last stands last, as it will be kept last.
      entries.unshift([tables!.names[+method!]!, JSON.parse(params!), tables!.shown(handle), ttl, !!isPublic]);
    }
    return { version: VERSION, partition: host.partition ?? null, at: Date.now(), entries } satisfies State;
  }

  hydrate(state: unknown): void {
    const { version, partition, at, entries } = structuredClone(state ?? {}) as State;
    if (version !== VERSION || !Array.isArray(entries)) throw this.#host.invalid("the state to hydrate is of another version");
    const host = this.#host;
    host.onceOpen(() => {
      const past = Math.max(0, Date.now() - at);
      const own = host.inContext() && partition === (host.partition ?? null);
      for (const entry of entries as (Entry | null)[]) {
        const [method, params, value, ttl, isPublic] = entry ?? [];
        // It was kept somewhere else, and may have suffered there.
        const isWhole = typeof method === "string" && typeof ttl === "number";
        if (isWhole && ttl > past && (own || isPublic)) this.#keep([method, params ?? {}, value, ttl - past, !!isPublic], 0);
      }
    });
  }

  #keep([method, params, value, ttl, isPublic]: Entry, flags: number): void {
    const { client, tables, caching } = this.#host;
    if (!caching || !this.#host.inContext()) return;
    const text = JSON.stringify({ result: value });
    const id = tables!.methodId(method);
    const key = tables!.key(client, id, params, true);
    const subject = method === "resources/read" ? tables!.about((params as { uri?: string }).uri) : 0;
    keep(client, key, id, subject, tables!.lazy(text), text.length, ttl, flags | (isPublic ? PUBLIC : 0));
  }
}
