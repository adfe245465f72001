// The package's side of one client in miniature: the object that the driver talks to, and promises for calls. It writes down what it is
// told and what goes through the browser's WebSocket and fetch. It expects nothing and knows no server.

/** A host for one client. An empty `url` means that there is no HTTP, an empty `webSocketUrl` the same address as a WebSocket's. */
export function makeHost(url, webSocketUrl) {
  const host = {
    clientInfo: { name: "bowline-browser-tests", version: "1.0.0" },
    capabilities: {},
    states: ["idle"],
    transport: "",
    era: "",
    version: "",
    epoch: 0,
    reason: "",
    server: "",
    replays: 0,
    notifications: [],
    phases: [],
    honoured: "",
    sockets: [],
    exchanges: [],
    /** Hears every state, and "aborted" in the middle of aborting a fetch. */
    listener: undefined,
    onState(state, transport, era, version, _attempt, _retryAt, epoch, _cause, reason) {
      // A state is told again when something about it changes.
      if (state !== host.states.at(-1)) host.states.push(state);
      Object.assign(host, { transport, era, version, epoch, reason: reason?.code ?? "" });
      host.listener?.(state);
    },
    onServer(result) {
      // The 2026 era has it in `_meta`.
      host.server = (result.serverInfo ?? result._meta["io.modelcontextprotocol/serverInfo"]).name;
    },
    onNotification({ method }) {
      host.notifications.push(method);
    },
    onListen(phase, honoured) {
      host.phases.push(phase);
      if (honoured) host.honoured = JSON.stringify(honoured);
    },
    onSignal() {},
    onReplay() {
      host.replays += 1;
    },
    async fetch(address, init) {
      const { headers, method, body } = init;
      const exchange = { method, rpc: body && JSON.parse(body).method, headers: { ...headers }, type: "", given: "", status: 0 };
      if (init.mode !== "no-cors") host.exchanges.push(exchange);
      init.signal?.addEventListener("abort", () => host.listener?.("aborted"));
      const response = await fetch(address, init);
      exchange.type = response.headers.get("content-type") ?? "";
      exchange.given = response.headers.get("mcp-session-id") ?? "";
      exchange.status = response.status;
      return response;
    },
    WebSocket: class extends WebSocket {
      constructor(...given) {
        super(...given);
        host.sockets.push(this);
      }
    },
  };
  if (url) host.url = url;
  host.webSocketUrl = webSocketUrl || url.replace(/^http/, "ws");
  return host;
}

/** A call's entry in the snippet's table, with its promise. */
export function attachCall(tables, client) {
  const entry = { reports: [], leave() {}, serve: (value) => entry.resolve(value) };
  entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
  // Whoever looks at the call later still gets the rejection.
  entry.promise.catch(() => {});
  entry.progress = (report) => entry.reports.push(report.progress);
  entry.slot = tables.attach(client, entry);
  return entry;
}

/** Resolves after `ms` milliseconds. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The JSON that an address answers with. */
export async function fetchJson(address, method) {
  const response = await fetch(address, { method, cache: "no-store" });
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status}`);
  return response.json();
}

/** Whether this thread has session storage; only pages have. */
export function hasSessionStorage() {
  return "sessionStorage" in globalThis;
}

/** What session storage holds under a name, as text. */
export function stored(name) {
  return String(sessionStorage.getItem(name));
}
