// The queue as applications see it. Who goes when is the core's.

import { clear, pause } from "bowline-core";
import type { Host } from "./host.js";
import type { QueueApi } from "./types.js";
import { level } from "./wrong.js";

type Waiter = [below: number, active: number, resolve: () => void];

export class Queue implements QueueApi {
  readonly #host: Host;
  #waiters: Waiter[] = [];
  paused = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get size(): number {
    return this.#host.numbers().metrics.queuedRequests;
  }

  get active(): number {
    return this.#host.numbers().metrics.activeRequests;
  }

  pause(paused = true): void {
    this.paused = paused;
    if (this.#host.client >= 0) pause(this.#host.client, +paused);
    this.look();
  }

  resume(): void {
    this.pause(false);
  }

  clear({ method, belowPriority = 4 }: { method?: string; belowPriority?: number } = {}): number {
    const { client, doubts, tables } = this.#host;
    const aborted = () => this.#host.numbers().metrics.aborted;
    const before = aborted();
    if (tables) clear(client, method === undefined ? -1 : tables.methodId(method), +belowPriority);
    const noted = [...doubts.noting].filter((call) => level(call.priority) < belowPriority && (!method || call.method === method));
    return aborted() - before + noted.map((call) => call.cancel()).length;
  }

  onIdle(): Promise<void> {
    return this.#wait(1, 1);
  }

  onSizeLessThan(n: number): Promise<void> {
    return this.#wait(n, Infinity);
  }

  #wait(below: number, active: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push([below, active, resolve]);
      this.look();
    });
  }

  /** A call ended, or may have been sent: resolves what was waited for. */
  look(): void {
    if (!this.#waiters.length) return;
    const { queuedRequests, activeRequests } = this.#host.numbers().metrics;
    this.#waiters = this.#waiters.filter(([below, active, resolve]) => {
      const waits = queuedRequests >= below || activeRequests >= active;
      if (!waits) resolve();
      return waits;
    });
  }
}
