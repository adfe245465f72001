// The clock of `bowline/testing`: time and timers of one client that move only when told to, and chance from a seed.

const { setTimeout: later } = globalThis;

/** Everything that is due without time passing has happened: promises settle, answers are read. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => later(resolve, 0));
}

export class Clock {
  #now = 1000;
  #seed: number;
  #made = 0;
  readonly #timers = new Map<number, { at: number; run: () => void }>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  readonly now = (): number => this.#now;

  readonly setTimeout = (run: () => void, ms: number): number => {
    this.#timers.set((this.#made += 1), { at: this.#now + ms, run });
    return this.#made;
  };

  readonly clearTimeout = (timer: number): void => void this.#timers.delete(timer);

  /** The next of the numbers that follow from the seed (a linear congruential generator). */
  readonly seed = (): number => (this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0);

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [timer, { at, run }] = next;
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, at);
      run();
      await settled();
    }
    this.#now = end;
  }
}
