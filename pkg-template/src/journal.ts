// Where calls in doubt survive the page: texts under names, in session storage. It knows nothing of calls.

/** Tells the entries of this page, which may still be under way, from those that an earlier one left behind. */
const page = Math.random().toString(36).slice(2);
let made = 0;
/** Entries of earlier pages that a client of this one has taken over. */
const claimed = new Set<string>();

export class Journal {
  readonly #prefix: string;
  /** Names whose entries are over: overwritten by the next, or removed at leisure, since writing once is cheaper than twice. */
  #spent: string[] = [];

  readonly #stop = new AbortController();

  /** `onTurn` hears when the page is hidden or left, and when it is seen again. Throws where session storage is not there, or forbidden. */
  constructor(server: string, onTurn: (isHidden: boolean) => void) {
    this.#prefix = `bowline:doubt:${server}:`;
    sessionStorage.getItem(this.#prefix);
    const turn = ({ type }: Event) => {
      this.sweep();
      onTurn(type === "pagehide" || document.hidden);
    };
    for (const event of ["pagehide", "pageshow", "visibilitychange"]) addEventListener(event, turn, this.#stop);
  }

  /** Hands over what earlier pages left behind. */
  restore(onFound: (name: string, text: string) => void): void {
    for (const name of Object.keys(sessionStorage)) {
      if (!name.startsWith(this.#prefix) || name.startsWith(this.#prefix + page) || claimed.has(name)) continue;
      claimed.add(name);
      onFound(name, sessionStorage.getItem(name)!);
    }
  }

  /** The name under which it was written. Throws when there is no room. */
  write(text: string, name = this.#spent.pop() ?? `${this.#prefix}${page}.${++made}`): string {
    sessionStorage.setItem(name, text);
    return name;
  }

  free(name: string): void {
    this.#spent.push(name);
  }

  sweep(): void {
    for (const name of this.#spent.splice(0)) sessionStorage.removeItem(name);
  }

  close(): void {
    this.sweep();
    this.#stop.abort();
  }
}
