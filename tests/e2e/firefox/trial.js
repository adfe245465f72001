// What an application does with a client, in a page or a worker. It reports what it got; firefox.mjs judges.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = ({ content }) => content[0].text;

async function until(look, what) {
  for (const end = performance.now() + 15_000; !look(); await sleep(10)) if (performance.now() > end) throw new Error(`never: ${what}`);
}

/** Connects, lists, calls with progress; the link is cut during a call; what comes after is served on a new one. */
export async function life({ createClient }, config, cut) {
  const client = createClient(config);
  const states = [];
  client.on("state", ({ current }) => states.push(current.state));
  await client.connect();
  const { transport } = client.connection;
  const tools = (await client.listTools()).map(({ name }) => name);
  const steps = [];
  const slow = text(await client.callTool("slow", { ms: 600, steps: 6 }, { onProgress: () => steps.push(performance.now()) }));
  const spread = steps.at(-1) - steps[0];

  const key = `${config.serverUrl} ${Math.random()}`;
  let begun = false;
  const end = (call) => call.then(text, ({ code, outcome }) => `${code} ${outcome}`);
  const ends = [end(client.callTool("slow", { ms: 60_000, steps: 600 }, { onProgress: () => (begun = true) }))];
  // Over HTTP a browser may send again by itself what was not answered at all, see ARCHITECTURE.md.
  if (transport === "websocket") ends.push(end(client.callTool("counter", { key, ms: 60_000 })));
  await until(() => begun, "progress of the call to be cut");
  await fetch(cut, { method: "POST" });
  // The word of the control may come before the end of the link: a call sent then would be lost with it.
  const ended = await Promise.all(ends);
  const after = text(await client.callTool("echo", { text: "after" }));
  const executed = text(await client.callTool("count", { key }));
  const report = { transport, tools, slow, steps: steps.length, spread, ended, after, executed, states, state: client.state };
  await client.close();
  return report;
}

/** Many calls one after the other, as one aborter serves many of them; between them some are given up. */
export async function many({ createClient }, config, calls) {
  const client = createClient(config);
  await client.connect();
  const wrong = [];
  const codes = new Set();
  for (let i = 0; i < calls; i += 1) {
    const said = text(await client.callTool("echo", { text: `${i}` }));
    if (said !== `${i}`) wrong.push([i, said]);
    if (i % 25 !== 0) continue;
    const aborter = new AbortController();
    const call = client.callTool("slow", { ms: 60_000, steps: 600 }, { signal: aborter.signal, onProgress: () => aborter.abort() });
    codes.add(await call.catch(({ code }) => code));
  }
  const { activeRequests, failedRequests } = client.metrics();
  await client.close();
  return { wrong, codes: [...codes], activeRequests, failedRequests };
}

/** Two clients of a server without WebSocket: how often they dialled it, and how soon they were ready. */
export async function fallback({ createClient }, config) {
  let dials = 0;
  class Counted extends WebSocket {
    constructor(...given) {
      super(...given);
      dials += 1;
    }
  }
  const first = createClient({ ...config, WebSocket: Counted });
  await first.connect();
  const before = { transport: first.connection.transport, dials };
  // Longer than Firefox puts off the second dial to an address that refused the first.
  await sleep(1000);
  dials = 0;
  const start = performance.now();
  const second = createClient({ ...config, WebSocket: Counted });
  await second.connect();
  const report = { before, transport: second.connection.transport, dials, took: performance.now() - start };
  await first.close();
  await second.close();
  return report;
}

/** A WebSocket server that is away for `ms`: how long after its return the client is ready. */
export async function outage({ createClient }, config, control, ms) {
  const client = createClient(config);
  await client.connect();
  await fetch(`${control}/block?name=python-ws&ms=${ms}`, { method: "POST" });
  const back = performance.now() + ms;
  await fetch(`${control}/cut?name=python-ws`, { method: "POST" });
  await until(() => client.state !== "ready", "the loss");
  const said = text(await client.callTool("echo", { text: "back" }, { timeout: 30_000 }));
  const late = performance.now() - back;
  await client.close();
  return { said, late };
}
