// What the surroundings say of network, visibility and the page's life, as far as there are such: a page has all of it, a worker only the
// network, Node nothing. It decides nothing.

import { clients, on, SIGNAL, tell } from "./glue.js";

const ONLINE = 0, OFFLINE = 1, VISIBLE = 2, HIDDEN = 3, FROZEN = 4, RESUMED = 5;

/** Tells the client of its surroundings, as they are and as they change. */
export function watch(client) {
  const own = clients[client];
  const { document } = globalThis;
  const stop = (own.watching = new AbortController());
  const hear = (target, event, signal) =>
    target?.addEventListener?.(
      event,
      ({ persisted }) => {
        // A page that goes for good needs no signal.
        if (persisted === false) return;
        tell(() => own.host.onSignal());
        on(client, 0, SIGNAL, 0, 0, typeof signal === "number" ? signal : signal());
      },
      { signal: stop.signal },
    );
  const seen = () => (document.visibilityState === "hidden" ? HIDDEN : VISIBLE);
  hear(globalThis, "online", ONLINE);
  hear(globalThis, "offline", OFFLINE);
  hear(globalThis, "pagehide", FROZEN);
  hear(globalThis, "pageshow", RESUMED);
  hear(document, "freeze", FROZEN);
  hear(document, "resume", RESUMED);
  hear(document, "visibilitychange", seen);
  if (globalThis.navigator?.onLine === false) on(client, 0, SIGNAL, 0, 0, OFFLINE);
  if (document && seen() === HIDDEN) on(client, 0, SIGNAL, 0, 0, HIDDEN);
}

/** Tells it nothing more. */
export function unwatch(client) {
  clients[client]?.watching.abort();
}
