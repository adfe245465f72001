// Tools as the type checker sees them: options of a call, validators, tasks, warnings.
import {
  createClient,
  type CallToolOptions,
  type CallToolResult,
  type McpWarning,
  type OutputCheck,
  type RequestPromise,
  type SchemaValidator,
  type Task,
  type Tool,
} from "bowline";
import { cfworker } from "bowline/cfworker";
import { exactly, some } from "./expect.js";

const client = createClient({ serverUrl: "/mcp", protocol: { validator: cfworker(), tasks: true } });

exactly<SchemaValidator>()(cfworker());
// Anything with a list of dialects and a compiler will do, at once or later.
createClient({ serverUrl: "/mcp", protocol: { validator: { dialects: [], compile: () => () => [] } } });
createClient({ serverUrl: "/mcp", protocol: { validator: { dialects: ["a"], compile: async (schema) => () => Object.keys(schema) } } });
// @ts-expect-error a check gives a list
createClient({ serverUrl: "/mcp", protocol: { validator: { dialects: [], compile: () => () => true } } });
// @ts-expect-error a validator says what it knows
createClient({ serverUrl: "/mcp", protocol: { validator: { compile: () => () => [] } } });
exactly<readonly string[]>()(some<OutputCheck>()({}));

exactly<RequestPromise<CallToolResult>>()(client.callTool("add", {}, { toolDefinition: some<Tool>(), validateOutput: false }));
exactly<RequestPromise<CallToolResult>>()(client.resumeTask("id", { validateOutput: false, signal: some<AbortSignal>() }));
exactly<RequestPromise<{ sum: number }>>()(client.resumeTask<{ sum: number }>("id"));
// @ts-expect-error options of a tool call are for tool calls
client.request("tools/list", {}, { validateOutput: false });
// @ts-expect-error whether there is a task is the server's choice
some<CallToolOptions>().task;

exactly<RequestPromise<Task>>()(client.request("tasks/get", { taskId: "id" }));
client.request("tasks/update", { taskId: "id", inputResponses: { name: { action: "accept" } } });

client.on("task", ({ id, task }) => {
  exactly<string>()(id);
  exactly<Task>()(task);
  exactly<string>()(task.taskId);
  exactly<CallToolResult | undefined>()(task.result);
});
client.on("warning", (warning) => exactly<McpWarning>()(warning));
