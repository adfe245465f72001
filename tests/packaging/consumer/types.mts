// A TypeScript user under Node's own resolution: all entries are found with their types, though the adapter's own package is not there.
import { createClient, type McpClient } from "bowline";
import { cfworker, type SchemaValidator } from "bowline/cfworker";
import { createCluster, type DistributedMcp } from "bowline/cluster";
import { createClient as createSlim } from "bowline/slim";

const clients: McpClient[] = [createClient({ serverUrl: "/mcp" }), createSlim({ serverUrl: "/mcp" })];
const validator: SchemaValidator = cfworker();
clients.push(createClient({ serverUrl: "/mcp", protocol: { validator } }));
const names: Promise<string[]> = clients[0]!.listTools().then((tools) => tools.map((tool) => tool.name));
// @ts-expect-error the types are there: this is no `any`
clients[0]!.noSuchMember;
const cluster: DistributedMcp = createCluster({ clusterName: "c", discoveryMethod: "static", discoveryConfig: { endpoints: ["http://127.0.0.1/mcp"] } });
// @ts-expect-error nor is this
cluster.noSuchMember;
export { names };
