// Events as an async iterator, for code that reads them one after the other.

import type { Emitter } from "./emitter.js";
import type { AnyMcpEvent, McpEventMap } from "./types.js";

/** Every event from now on. The oldest of more than `buffer` unread ones are dropped, so that a reader that sleeps costs no memory. */
export function iterate(
  events: Emitter<McpEventMap>,
  { signal, buffer = 1000 }: { signal?: AbortSignal; buffer?: number } = {},
): AsyncIterableIterator<AnyMcpEvent> {
  const unread: AnyMcpEvent[] = [];
  const readers: ((result: IteratorResult<AnyMcpEvent>) => void)[] = [];
  const done = { done: true, value: undefined } as const;
  const stop = events.onAny((detail, type) => {
    const event = { type, time: Date.now(), detail } as AnyMcpEvent;
    const reader = readers.shift();
    if (reader) return reader({ value: event });
    if (unread.push(event) > buffer) unread.shift();
  });
  let ended = false;
  const end = () => {
    ended = true;
    stop();
    signal?.removeEventListener("abort", end);
    for (const reader of readers.splice(0)) reader(done);
  };
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);
  return {
    next: () =>
      new Promise((resolve) => {
        const event = unread.shift();
        if (event) resolve({ value: event });
        else if (ended) resolve(done);
        else readers.push(resolve);
      }),
    // What is still unread is given up with the loop.
    return: async () => {
      unread.length = 0;
      end();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
