// What a journal of calls is to a client: the application may bring its own. Types only.

/** What keeps calls in doubt when the page or worker is gone. */
export interface CallJournal {
  /**
   * Called once by each client that is made with it, with the server's address. `onFound` gets, now or later, what is left of pages and
   * workers that are gone; `warn` tells the application of what is wrong, by a `warning`.
   */
  open(server: string, onFound: (name: string, text: string) => void, warn: (message: string) => void): CallNotes;
}

/** A journal as one client writes it: texts under names. */
export interface CallNotes {
  /**
   * Whether a call of that method is noted before it is sent: by `write`, in the same task. Gives what the call waits for, which must come in
   * any case and not reject.
   */
  holds(method: string): Promise<void> | undefined;
  /** Notes a text under a new name, or anew under that one, and gives the name. */
  write(text: string, name?: string): string;
  /** Forgets what is under that name. */
  free(name: string): void;
  /** The client is closed: nobody waits any more. */
  close(): void;
}
