// Shared state in Redis: which commands and scripts make up each operation. How they get there is the gateways' business, to whom is that
// of state-replicas.ts.

import { stateError } from "./state-error.js";
import { gcra } from "./state-limit.js";
import { Closing, type Gateway, type Reply } from "./state-gateway.js";
import { CAS, DELETE, EXTEND, INCR, LIMIT, LOCK, SET, UNLOCK, type Script } from "./state-lua.js";
import type { Replicas, Seen } from "./state-replicas.js";
import { apart, heldFor, lifeOf, named, packed, unpacked } from "./state-text.js";
import type { StateCapabilities, StateLimit, StateLock, StateReadOptions, StateStore, StateVerdict, StateVersion } from "./types-state.js";

const LISTEN_AGAIN_MS = 1_000;
const LISTEN_AGAIN_MOST_MS = 30_000;

/** That it was not executed, and by whom it may be. */
const ELSEWHERE = /^(READONLY|MASTERDOWN|LOADING|CLUSTERDOWN)\b/;

export class RedisStore implements StateStore {
  readonly problem = null;
  readonly #replicas: Replicas;
  readonly #prefix: string;
  readonly #closing: Closing;

  /** `prefix` of every key; `ttl` where none is given. `closing` ends what is under way. */
  constructor(
    replicas: Replicas,
    prefix: string,
    readonly ttl: number,
    closing: Closing,
  ) {
    this.#replicas = replicas;
    this.#prefix = prefix;
    this.#closing = closing;
  }

  capabilities(): StateCapabilities {
    return { reach: "everyone", ttl: true, cas: true, incr: true, lock: true, limit: true, subscribe: true };
  }

  async get<T>(key: string, { after }: StateReadOptions = {}): Promise<T | undefined> {
    const name = this.#key("value", key);
    const isCounted = this.#replicas.areMany;
    const ask = async (gateway: Gateway): Promise<Seen> => {
      // Both at one moment: MGET is one command.
      if (isCounted) {
        const [value, version] = done(gateway, await gateway.command(["MGET", name, this.#versionKey])) as [unknown, unknown];
        return { value, version: Number(version ?? 0) };
      }
      return { value: done(gateway, await gateway.command(["GET", name])), version: 0 };
    };
    return unpacked(await this.#replicas.read(ask, after), key) as T | undefined;
  }

  async set(key: string, value: unknown, ttl = this.ttl): Promise<StateVersion> {
    const [name, text, life] = [this.#key("value", key), packed(value), lifeOf(ttl)];
    if (this.#replicas.areMany) return this.#counted(await this.#script(SET, [name, this.#versionKey], [text, life ?? 0], true))[1];
    await this.#command(["SET", name, text, ...(life ? ["PX", `${life}`] : [])]);
    return 0;
  }

  async delete(key: string): Promise<StateVersion> {
    const name = this.#key("value", key);
    if (this.#replicas.areMany) return this.#counted(await this.#script(DELETE, [name, this.#versionKey], [], true))[1];
    await this.#command(["DEL", name]);
    return 0;
  }

  async cas(key: string, expected: unknown, value: unknown, ttl = this.ttl): Promise<boolean> {
    const before = expected === undefined ? "-" : `=${packed(expected)}`;
    const args = [packed(value), lifeOf(ttl) ?? 0, before];
    return this.#counted(await this.#script(CAS, this.#countedKeys(key), args, false))[0] === 1;
  }

  async incr(key: string, by = 1, ttl = this.ttl): Promise<number> {
    return this.#counted(await this.#script(INCR, this.#countedKeys(key), [by, lifeOf(ttl) ?? 0], false))[0];
  }

  async expiresIn(key: string): Promise<number | undefined> {
    const args = ["PTTL", this.#key("value", key)];
    const ask = async (gateway: Gateway): Promise<Seen> => ({ value: done(gateway, await gateway.command(args)), version: 0 });
    const left = Number(await this.#replicas.read(ask, 0));
    return left === -2 ? undefined : left === -1 ? Infinity : left;
  }

  async lock(key: string, ttl: number): Promise<StateLock | null> {
    const name = this.#key("lock", key);
    const owner = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const fence = Number(await this.#script(LOCK, [name, this.#key("fence", key)], [owner, heldFor(ttl)], false));
    if (fence === 0) return null;
    const unlock = async () => (await this.#script(UNLOCK, [name], [owner], true)) === 1;
    return {
      fence,
      extend: async (ttl) => (await this.#script(EXTEND, [name], [owner, heldFor(ttl)], true)) === 1,
      unlock,
      [Symbol.asyncDispose]: async () => void (await unlock()),
    };
  }

  async limit(key: string, limit: StateLimit): Promise<StateVerdict> {
    const { each, ahead, cost } = gcra(limit);
    const [allowed, remaining, retryAfter] = (await this.#script(LIMIT, [this.#key("limit", key)], [each, ahead, cost], false)) as number[];
    return { allowed: allowed === 1, remaining: remaining!, retryAfter: retryAfter! };
  }

  async publish(channel: string, message: unknown): Promise<void> {
    const args = ["PUBLISH", this.#key("channel", channel), packed(message)];
    // A replica would take it too, and tell only those who listen there.
    await this.#replicas.write(async (gateway) => checked(gateway, await gateway.command(args)), true, false);
  }

  subscribe(channel: string, listener: (message: unknown) => void, onGap?: () => void): () => void {
    const name = this.#key("channel", channel);
    const ending = new Closing();
    const forget = this.#closing.on(() => ending.end());
    void this.#listening(name, (text) => heard(text, listener), onGap, ending);
    return () => {
      forget();
      ending.end();
    };
  }

  async ping(): Promise<void> {
    await this.#replicas.read(async (gateway) => ({ value: done(gateway, await gateway.command(["PING"])), version: 0 }), 0);
  }

  close(): void {
    this.#closing.end();
  }

  async #listening(name: string, hear: (text: string) => void, onGap: (() => void) | undefined, ending: Closing): Promise<void> {
    let failures = 0;
    let wasOpen = false;
    while (!ending.isOver) {
      const gateway = this.#replicas.nearest;
      const opened = () => {
        failures = 0;
        if (wasOpen && onGap) apart(onGap);
        wasOpen = true;
      };
      try {
        await gateway.listen(name, opened, hear, ending);
      } catch {
        // Whatever it was: another may do better, or this one later. Calls say what is wrong.
        if (!ending.isOver) this.#replicas.failedToHear(gateway);
      }
      failures += 1;
      // Full jitter: all who listened lost the same gateway.
      await pause(Math.random() * Math.min(LISTEN_AGAIN_MOST_MS, LISTEN_AGAIN_MS * 2 ** (failures - 1)), ending);
    }
  }

  /** One that may be repeated. */
  async #command(args: readonly string[]): Promise<unknown> {
    return this.#replicas.write(async (gateway) => checked(gateway, await gateway.command(args)), true);
  }

  async #script(script: Script, keys: readonly string[], args: readonly (string | number)[], again: boolean): Promise<unknown> {
    const rest = [`${keys.length}`, ...keys, ...args.map(String)];
    return this.#replicas.write(async (gateway) => {
      let reply = await gateway.command(["EVALSHA", script.sha, ...rest]);
      // Restarted, or never met.
      if (reply.error?.startsWith("NOSCRIPT")) reply = await gateway.command(["EVAL", script.text, ...rest]);
      if (reply.error?.startsWith("NOPERM")) throw stateError("script", { url: gateway.url, detail: reply.error });
      return checked(gateway, reply);
    }, again);
  }

  #countedKeys(key: string): string[] {
    const name = this.#key("value", key);
    return this.#replicas.areMany ? [name, this.#versionKey] : [name];
  }

  /** What a counting script did, and the version it made. */
  #counted(result: unknown): [number, StateVersion] {
    const [done, version] = result as [number, StateVersion];
    if (version > 0) this.#replicas.wrote(version);
    return [done, version];
  }

  #key(kind: string, name: string): string {
    return `${this.#prefix}${kind}:${named(name)}`;
  }

  get #versionKey(): string {
    return `${this.#prefix}version`;
  }
}

/** An error that another endpoint may not have stays one; any other is told. */
function checked(gateway: Gateway, reply: Reply): Reply {
  if (reply.error === undefined || ELSEWHERE.test(reply.error)) return reply;
  throw stateError("refused", { url: gateway.url, detail: reply.error });
}

/** The result of a read. */
function done(gateway: Gateway, reply: Reply): unknown {
  const { result, error } = checked(gateway, reply);
  if (error !== undefined) throw stateError("gateway", { url: gateway.url, detail: error });
  return result;
}

/** Tells a listener; what is no JSON was not published by this package. */
function heard(text: string, listener: (message: unknown) => void): void {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return;
  }
  apart(() => listener(message));
}

async function pause(ms: number, ending: Closing): Promise<void> {
  let forget = () => {};
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    forget = ending.on(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  forget();
}
