// The answers of the pretend MCP server, as text, shared by the fake links in the page and the
// loopback server in Node. It is not an MCP server: it looks at a request only as far as it must
// (id and method by string search), because every microsecond here dilutes what is being measured.

/** The 2026-07-28 revision every modern subject speaks. */
export const MODERN = "2026-07-28";
/** The revision the legacy subjects get from `initialize`. */
export const LEGACY = "2025-11-25";

const complete = '"resultType":"complete"';
const uncached = `${complete},"ttlMs":0,"cacheScope":"private"`; // ttl 0: no client may answer from a cache

const bodies = [
  ['"tools/call"', `{"content":[{"type":"text","text":"hello"}],${complete}}`],
  ['"tools/list"', `{"tools":${toolsOfFourKilobytes()},${uncached}}`],
  [
    '"server/discover"',
    `{"supportedVersions":["${MODERN}"],"capabilities":{"tools":{}},${uncached},` +
      '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench","version":"1"}}}',
  ],
  [
    '"initialize"',
    `{"protocolVersion":"${LEGACY}","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}`,
  ],
  ['"ping"', `{${complete}}`],
];

/** The response text for one JSON-RPC message, or null when it is a notification. */
export function answer(text) {
  const at = text.indexOf('"id":');
  if (at < 0) return null;
  const from = at + 5;
  let to = from;
  // An id is a number or a string without commas or braces for every subject here.
  for (let c = text.charCodeAt(to); c !== 44 && c !== 125; c = text.charCodeAt(++to));
  const head = `{"jsonrpc":"2.0","id":${text.slice(from, to)},"result":`;
  for (const [method, body] of bodies) if (text.includes(method)) return `${head}${body}}`;
  throw new Error(`bench server: no answer for ${text}`);
}

function toolsOfFourKilobytes() {
  const tools = [];
  for (let i = 0; JSON.stringify(tools).length < 3900; i++) {
    tools.push({
      name: i === 0 ? "echo" : `tool_${i}`,
      title: `Tool number ${i}`,
      description: "Says what it does in a sentence of ordinary length, as real servers do.",
      inputSchema: {
        type: "object",
        properties: {
          text: { type: "string", description: "What to send back" },
          count: { type: "integer", minimum: 0, description: "How often" },
        },
        required: ["text"],
      },
    });
  }
  return JSON.stringify(tools);
}
