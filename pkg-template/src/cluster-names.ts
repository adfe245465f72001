// Names as small numbers, the same for as long as the cluster lives.

export class Names {
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }

  /** Undefined for a name that was never used. */
  known(name: string): number | undefined {
    return this.#numbers.get(name);
  }
}
