// A life of two clients on one instance of the module, which traps somewhere in it, in whatever runs this: Node or a page. It reports what
// became of everything that was under way; crash.mjs judges.
import { arm, rig } from "./rig.js";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A modern server of one `fetch` and one WebSocket class. The tool `slow` never answers. */
function server() {
  const open = new Set();
  const sockets = new Set();
  const answer = ({ id, method, params }) => {
    const results = {
      "server/discover": { supportedVersions: ["2026-07-28"], capabilities: { tools: { listChanged: true } } },
      "tools/list": { tools: [{ name: "echo", inputSchema: { type: "object" } }], ttlMs: 0, cacheScope: "private" },
      "tools/call": { content: [{ type: "text", text: params?.arguments?.text ?? "" }] },
    };
    const never = params?.name === "slow" || method === "subscriptions/listen" || !results[method];
    return never ? undefined : JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...results[method] } });
  };
  const fetch = (_, { body, signal }) =>
    new Promise((resolve, reject) => {
      open.add(reject);
      const end = (run) => () => open.delete(reject) && run();
      signal?.addEventListener("abort", end(() => reject(signal.reason)));
      const text = answer(JSON.parse(body));
      const headers = { "content-type": "application/json", "content-length": `${text?.length}` };
      if (text) queueMicrotask(end(() => resolve(new Response(text, { headers }))));
    });
  class Socket {
    readyState = 0;
    bufferedAmount = 0;
    constructor() {
      sockets.add(this);
      queueMicrotask(() => {
        if (this.readyState > 0) return;
        this.readyState = 1;
        this.onopen?.({});
      });
    }
    send(message) {
      const text = answer(JSON.parse(message));
      if (text) queueMicrotask(() => this.onmessage?.({ data: text }));
    }
    close() {
      this.readyState = 3;
      sockets.delete(this);
    }
  }
  return { fetch, WebSocket: Socket, open, sockets };
}

/** What runs the life: its own copy of the package, as three crashes are one copy's limit. */
export async function load(url, wasm) {
  const bowline = await import(url);
  await bowline.init(new Uint8Array(wasm));
  return bowline;
}

/** Remembers how, and when, a promise ends. */
function watch(all, name, promise) {
  const one = { name, made: performance.now() };
  all.push(one);
  promise.then(
    () => Object.assign(one, { at: performance.now() }),
    ({ code, outcome, hint, message }) => Object.assign(one, { at: performance.now(), code, outcome, hint, message }),
  );
}

/** Everything a client can be asked for at once, in an order that leaves much of it under way. */
async function live(clients, watched) {
  const [web, http] = clients;
  for (const client of clients) watch(watched, "connect", client.connect());
  await pause(5);
  for (const client of clients) {
    const slow = client.callTool("slow");
    slow.setPriority("high");
    void slow.phase;
    watch(watched, "slow", slow);
    watch(watched, "listTools", client.listTools());
    watch(watched, "echo", client.callTool("echo", { text: "a" }, { onProgress() {} }));
    const control = new AbortController();
    watch(watched, "cancelled", client.callTool("slow", {}, { signal: control.signal }));
    watch(watched, "subscription", client.subscribe({ toolsListChanged: true }, () => {}).ready);
    await pause(2);
    control.abort();
    client.metrics();
    client.cache.set("resources/read", { uri: "a:1" }, {});
    client.cache.get("resources/read", { uri: "a:1" });
    client.cache.dehydrate();
  }
  watch(watched, "reconnect", web.reconnect());
  watch(watched, "ping", http.ping());
  await pause(5);
  watch(watched, "short", web.callTool("slow", {}, { timeout: 10 }));
  await pause(15);
  for (const client of clients) watch(watched, "slow", client.callTool("slow"));
}

/** Where the next instance traps, if at all, is in `bomb`. */
export async function life(bowline, bomb) {
  const { fetch, WebSocket, open, sockets } = server();
  let had = [];
  arm({ ...bomb, onTrap: () => (had = [...open, ...sockets]) });
  const options = { serverUrl: "http://bowline.test/mcp", fetch, WebSocket };
  const clients = [{ enableWebSocket: true }, { enableWebSocket: false }].map((more) => bowline.createClient({ ...options, ...more }));
  const errors = [];
  for (const client of clients) client.on("error", (error) => errors.push(error.code));
  const watched = [];
  await live(clients, watched);
  const { wentOff, crossings, entries } = rig;
  // What comes now is no part of the life.
  rig.at = 0;
  const limit = wentOff + 50;
  await pause(Math.max(0, limit - performance.now()));
  const start = performance.now();
  const again = clients.map((client) => client.callTool("echo", { text: "again" }, { timeout: 2000 }));
  const texts = (await Promise.all(again)).map(({ content }) => content[0].text);
  const took = performance.now() - start;
  // A subscription outlives a crash.
  const under = watched.filter(({ name, made }) => made <= wentOff && name !== "subscription");
  const late = under.filter(({ at }) => !(at <= limit)).map(({ name, at }) => `${name} ${at - wentOff}`);
  const left = had.filter((one) => open.has(one) || sockets.has(one)).length;
  await Promise.all(clients.map((client) => client.close()));
  await pause(0);
  const unsettled = watched.filter(({ at }) => at === undefined).map(({ name }) => name);
  const ended = under.filter(({ at, code }) => at >= wentOff && code === "INTERNAL");
  return {
    wentOff: rig.wentOff > 0, crossings, entries: [...entries], instances: rig.instances, errors, texts, took, late, left, unsettled, ended,
    entered: rig.late, open: open.size + sockets.size,
  };
}

/** One instance after the other traps while a call is under way. */
export async function falling(bowline, times) {
  const { fetch, WebSocket } = server();
  arm();
  const client = bowline.createClient({ serverUrl: "http://bowline.test/mcp", fetch, WebSocket });
  const seen = [];
  client.on("error", ({ code }) => seen.push(code));
  const results = [];
  const one = async () => {
    const watched = [];
    watch(watched, "slow", client.callTool("slow"));
    watch(watched, "echo", client.callTool("echo", { text: "a" }));
    await pause(30);
    return { ...watched[0], state: client.state };
  };
  await client.connect();
  for (let i = 0; i < times; i += 1) {
    rig.entry = "hear";
    results.push(await one());
  }
  results.push(await one());
  const { reason } = client.connection;
  await client.close();
  return { results, seen, reason, closed: client.state, instances: rig.instances };
}
