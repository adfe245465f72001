// The same fault against the official client over Streamable HTTP, for comparison: what its application gets and when.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** How long it may wait for an answer, unless the fault itself takes longer; its own default is 60 s. */
export const TIMEOUT_MS = 2000;

const actions = {
  call: (client, key, limits) => client.callTool({ name: "echo", arguments: { text: "good", key } }, limits),
  read: (client, _, limits) => client.readResource({ uri: "demo://readme" }, limits),
  inject: (client, key, limits) => client.callTool({ name: "echo\r\nx-injected: yes", arguments: { text: "good", key } }, limits),
  pair: async (client, key, limits) => {
    const call = (text) => client.callTool({ name: "echo", arguments: { text, key } }, limits);
    const texts = (await Promise.all(["good", "second"].map(call))).map(({ content }) => content[0].text);
    return { content: [{ text: texts.join("+") }] };
  },
};

export async function officialTrial({ url, action, key, legacy, patience = TIMEOUT_MS }) {
  const limits = { timeout: patience };
  const versionNegotiation = { mode: legacy ? "legacy" : "auto", ...(action === "connect" && { probe: { timeoutMs: patience } }) };
  const client = new Client({ name: "official", version: "1.0.0" }, { versionNegotiation });
  const connect = () => client.connect(new StreamableHTTPClientTransport(new URL(url)), limits);
  let started = Date.now();
  try {
    await connect();
    started = Date.now();
    const result = action === "connect" ? {} : await actions[action](client, key, limits);
    const text = result.content?.[0]?.text ?? result.contents?.[0]?.text ?? "";
    return { started, settled: Date.now(), text: JSON.stringify(text.slice(0, 100)).slice(1, -1) };
  } catch (error) {
    const kind = error?.constructor?.name ?? typeof error;
    return { started, settled: Date.now(), error: kind, code: error?.code, message: String(error?.message).slice(0, 200) };
  } finally {
    await Promise.race([client.close().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 500))]);
  }
}
