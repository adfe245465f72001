// What the surroundings say of network, visibility and the page's life, as far as there are such: a page has all of it, a worker only the
// network, Node nothing. It decides nothing.

import { clients, on, SIGNAL, tell } from "./glue.js";

/** How often a worker looks whether the network is there. */
const LOOK_MS = 1000;
const ONLINE = 0, OFFLINE = 1, VISIBLE = 2, HIDDEN = 3, FROZEN = 4, RESUMED = 5;

/** Tells the client of its surroundings, as they are and as they change. */
export function watch(client) {
  const own = clients[client];
  const { document } = globalThis;
  const stop = (own.watching = new AbortController());
  const say = (signal) => {
    tell(() => own.host.onSignal());
    on(client, 0, SIGNAL, 0, 0, signal);
  };
  const hear = (target, event, signal) =>
    target?.addEventListener?.(
      event,
      ({ persisted }) => {
        // A page that goes for good needs no signal.
        if (persisted === false) return;
        say(signal ?? seen());
      },
      // Its `signal` is what is read of it.
      stop,
    );
  const seen = () => (document.visibilityState === "hidden" ? HIDDEN : VISIBLE);
  hear(globalThis, "online", ONLINE);
  hear(globalThis, "offline", OFFLINE);
  hear(globalThis, "pagehide", FROZEN);
  hear(globalThis, "pageshow", RESUMED);
  hear(document, "freeze", FROZEN);
  hear(document, "resume", RESUMED);
  hear(document, "visibilitychange");
  // The page's own policy may be what a failure comes from, and nothing else says so. Of a WebSocket only the scheme may be told.
  const isOurs = ({ blockedURI: what }) => what && [own.host.url, own.host.webSocketUrl].some((url) => url?.startsWith(what));
  globalThis.addEventListener?.("securitypolicyviolation", (event) => (own.barred ||= isOurs(event)), stop);
  let online = true;
  const look = () => {
    if (online !== (online = globalThis.navigator?.onLine !== false)) say(online ? ONLINE : OFFLINE);
  };
  look();
  if (document && seen() === HIDDEN) say(HIDDEN);
  // Chromium keeps the flag of its workers right but sends them no events; pages need no looking, and Node has no flag.
  if (globalThis.WorkerNavigator) {
    const timer = setInterval(look, LOOK_MS);
    stop.signal.onabort = () => clearInterval(timer);
  }
}

/** Tells it nothing more. */
export function unwatch(client) {
  clients[client]?.watching.abort();
}
