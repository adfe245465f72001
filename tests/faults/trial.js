// One fault against one client of ours, in whatever runs this: Node or a page. It reports what the application gets and when;
// judge.mjs judges.

/** The text that faults inside a message spoil. */
const TEXT = "good";
const SECOND = "second";
const PATIENCE_MS = 5000;

const actions = {
  call: (client, key) => client.callTool("echo", { text: TEXT, key }),
  read: (client) => client.readResource("demo://readme", { useCache: false }),
  connect: (client) => client.connect(),
  /** A name that would end the header line it travels in. */
  inject: (client, key) => client.callTool("echo\r\nx-injected: yes", { text: TEXT, key }),
  /** Two calls at once; what counts is that each gets its own answer. */
  pair: async (client, key) => {
    const both = [TEXT, SECOND].map((text) => client.callTool("echo", { text, key: `${key}-${text}` }));
    const texts = (await Promise.all(both)).map(({ content }) => content[0].text);
    return { content: [{ text: texts.join("+") }] };
  },
};

/**
 * Makes a client, lets the fault happen to one action, and makes a normal call afterwards.
 * `spec`: url, transport, action, key of the execution, options of the client.
 */
export async function trial({ createClient, McpError }, { url, transport, action, key, options }) {
  const websocket = transport === "ws";
  const client = createClient({ serverUrl: url, enableWebSocket: websocket, enableHttpFallback: !websocket, ...options });
  try {
    if (action !== "connect") await client.connect();
    const started = Date.now();
    const stalled = [];
    const stop = client.on("stalled", ({ silent, hint }) => stalled.push({ silent, hint }));
    const first = await outcome(McpError, actions[action](client, key));
    stop();
    const next = action === "connect" ? undefined : await usable(McpError, client, key);
    return { ...first, stalled, started, violations: client.metrics().violations, next };
  } finally {
    await client.close();
  }
}

async function outcome(McpError, promise) {
  try {
    const result = await promise;
    return { settled: Date.now(), ...told(result) };
  } catch (error) {
    const { code, outcome, httpStatus, rpcCode, retryAfter, scope, hint, message } = error;
    return { settled: Date.now(), typed: McpError.is(error), code, outcome, httpStatus, rpcCode, retryAfter, scope, hint, message };
  }
}

/** What is in a result, in a form that survives the way out of a page: a lone surrogate would not. */
function told(result) {
  const text = result?.content?.[0]?.text ?? result?.contents?.[0]?.text ?? "";
  const clean = Object.getPrototypeOf(result) === Object.prototype && {}.polluted === undefined;
  return { text: JSON.stringify(text.slice(0, 100)).slice(1, -1), clean, deep: "deep" in result };
}

async function usable(McpError, client, key) {
  const started = Date.now();
  // After refused credentials the client waits for the application to say that they are better now.
  if (client.state === "auth_required" || client.state === "failed") await outcome(McpError, client.connect());
  // With limits of its own: the fault's are for the fault, and a server may still be busy with it.
  const limits = { timeout: PATIENCE_MS, maxTotalTimeout: PATIENCE_MS };
  const next = await outcome(McpError, client.callTool("echo", { text: SECOND, key: `${key}-next` }, limits));
  return { ok: next.text === SECOND, ms: next.settled - started, code: next.code };
}
