// A store that refuses: what a provider lacks, or everything where the configuration cannot be used. Providers that can do little extend it.

import type { McpError } from "./errors.js";
import { stateError } from "./state-error.js";
import type { StateCapabilities, StateLimit, StateLock, StateReadOptions, StateStore, StateVerdict, StateVersion } from "./types-state.js";

export class RefusingStore implements StateStore {
  readonly problem: McpError | null;
  readonly ttl = Infinity;

  /** With a `problem`, every use rejects with it. */
  constructor(problem: McpError | null) {
    this.problem = problem;
  }

  capabilities(): StateCapabilities {
    return { reach: "client", ttl: false, cas: false, incr: false, lock: false, limit: false, subscribe: false };
  }

  async get<T>(_key: string, _options?: StateReadOptions): Promise<T | undefined> {
    throw this.refusal("get");
  }

  async set(_key: string, _value: unknown, _ttl?: number): Promise<StateVersion> {
    throw this.refusal("set");
  }

  async delete(_key: string): Promise<StateVersion> {
    throw this.refusal("delete");
  }

  async cas(_key: string, _expected: unknown, _value: unknown, _ttl?: number): Promise<boolean> {
    throw this.refusal("cas");
  }

  async incr(_key: string, _by?: number, _ttl?: number): Promise<number> {
    throw this.refusal("incr");
  }

  async expiresIn(_key: string): Promise<number | undefined> {
    throw this.refusal("expiresIn");
  }

  async lock(_key: string, _ttl: number): Promise<StateLock | null> {
    throw this.refusal("lock");
  }

  async limit(_key: string, _limit: StateLimit): Promise<StateVerdict> {
    throw this.refusal("limit");
  }

  async publish(_channel: string, _message: unknown): Promise<void> {
    throw this.refusal("publish");
  }

  subscribe(_channel: string, _listener: (message: unknown) => void, _onGap?: () => void): () => void {
    throw this.refusal("subscribe");
  }

  async ping(): Promise<void> {
    throw this.refusal("ping");
  }

  close(): void {
    // Nothing was opened.
  }

  protected refusal(feature: string): McpError {
    return this.problem ?? stateError("missing", { detail: feature, outcome: "not-sent" });
  }
}
