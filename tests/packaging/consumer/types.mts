// A TypeScript user under Node's own resolution: both entries are found with their types.
import { createClient, type McpClient } from "bowline";
import { createClient as createSlim } from "bowline/slim";

const clients: McpClient[] = [createClient({ serverUrl: "/mcp" }), createSlim({ serverUrl: "/mcp" })];
const names: Promise<string[]> = clients[0]!.listTools().then((tools) => tools.map((tool) => tool.name));
// @ts-expect-error the types are there: this is no `any`
clients[0]!.noSuchMember;
export { names };
