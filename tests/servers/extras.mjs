// What modern.mjs offers beyond the tools that all our servers share: prompts, a template, completion, a tool that asks for input, one
// whose arguments travel in headers, one that logs. It starts nothing and keeps no state.

import { acceptedContent, fromJsonSchema, inputRequired, ResourceTemplate } from "@modelcontextprotocol/server";

// Bytes that a client must not touch: quotes, a newline, characters of four bytes.
export const STATE = 'greet:"1"\n\u{1F980} =?base64?x?=';

const LANGUAGES = ["javascript", "python", "ruby", "rust", "typescript"];
const FORM = {
  type: "object",
  properties: { name: { type: "string", title: "Name" }, excited: { type: "boolean", default: true } },
  required: ["name"],
};

/** As `tools.json` has them, for the pages of `tools/list`. */
export const EXTRA_TOOLS = [
  tool("greet", "Greet by form", "Asks for a name by a form (input_required), then greets.", {}),
  tool("route", "Route by header", "Tells where it was routed. Its arguments are mirrored in Mcp-Param headers.", {
    region: { type: "string", "x-mcp-header": "Region", default: "eu-west" },
    zone: { type: "integer", "x-mcp-header": "Zone" },
  }),
  tool("log", "Log a line", "Logs its text at level info while it runs.", { text: { type: "string", default: "hello" } }),
];

const run = {
  greet: (_, { mcpReq }) => {
    const form = acceptedContent(mcpReq.inputResponses, "who");
    if (!form) {
      const who = inputRequired.elicit({ message: "Who are you?", requestedSchema: FORM });
      return inputRequired({ inputRequests: { who }, requestState: STATE });
    }
    if (mcpReq.requestState() !== STATE) return { ...text("the state came back changed"), isError: true };
    return text(`hello ${form.name}${form.excited ? "!" : ""}`);
  },
  route: ({ region, zone }, { http }) => text(`${region} ${zone} ${http.req.headers.get("mcp-param-region")}`),
  log: async ({ text: line }, { mcpReq }) => {
    await mcpReq.log("info", line, "demo");
    return text(line);
  },
};

/** Registers it all with a server of the library. */
export function registerExtras(mcp) {
  for (const { name, title, description, annotations, inputSchema } of EXTRA_TOOLS) {
    mcp.registerTool(name, { title, description, annotations, inputSchema: fromJsonSchema(inputSchema) }, run[name]);
  }
  const argsSchema = fromJsonSchema({ type: "object", properties: { language: { type: "string" }, code: { type: "string" } }, required: ["language"] });
  mcp.registerPrompt("review", { title: "Review code", description: "Asks for a review.", argsSchema }, ({ language, code = "" }) => ({
    description: "A review",
    messages: [{ role: "user", content: { type: "text", text: `Review this ${language}: ${code}` } }],
  }));
  mcp.registerPrompt("hello", { title: "Say hello" }, () => ({ messages: [{ role: "user", content: { type: "text", text: "Hello" } }] }));
  const note = new ResourceTemplate("note://{name}", { list: undefined });
  mcp.registerResource("note", note, { title: "A note", mimeType: "text/plain" }, (uri, { name }) => ({
    contents: [{ uri: uri.href, mimeType: "text/plain", text: `note ${name}` }],
  }));
  // By hand: the library completes arguments only of schemas made by one particular library.
  mcp.server.setRequestHandler("completion/complete", ({ params: { ref, argument } }) => {
    const all = ref.type === "ref/prompt" ? LANGUAGES : ["alpha", "beta"];
    const values = all.filter((value) => value.startsWith(argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}

function tool(name, title, description, properties) {
  const annotations = { readOnlyHint: true, openWorldHint: false };
  return { name, title, description, inputSchema: { type: "object", properties, additionalProperties: false }, annotations };
}

function text(value) {
  return { content: [{ type: "text", text: value }] };
}
