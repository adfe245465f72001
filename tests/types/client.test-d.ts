// Calls, events and state of a client as the type checker sees them: what comes back for what is asked.
import {
  createClient,
  McpClient,
  type CallToolResult,
  type ClientMetrics,
  type ClientSnapshot,
  type ConnectionSnapshot,
  type Completion,
  type ConnectionState,
  type DiscoverResult,
  type GetPromptResult,
  type InDoubtCall,
  type ListToolsResult,
  type McpError,
  type McpNotification,
  type McpSubscription,
  type McpWarning,
  type Progress,
  type Prompt,
  type ReadResourceResult,
  type RequestPromise,
  type Resource,
  type ResourceTemplate,
  type ServerInfo,
  type SubscriptionFilter,
  type Tool,
  type Transport,
} from "bowline";
import { exactly, some } from "./expect.js";

const client = createClient({ serverUrl: "/mcp" });
exactly<McpClient>()(client);

// Methods the protocol names have the types of the protocol.
exactly<RequestPromise<ListToolsResult>>()(client.request("tools/list"));
exactly<RequestPromise<DiscoverResult>>()(client.request("server/discover"));
client.request("prompts/list").then(({ prompts, nextCursor, ttlMs }) => {
  exactly<Prompt[]>()(prompts);
  exactly<string | undefined>()(nextCursor);
  exactly<number | undefined>()(ttlMs);
});
client.request("completion/complete", { ref: { type: "ref/resource", uri: "file:///{path}" }, argument: { name: "path", value: "a" } });
client.request("logging/setLevel", { level: "notice" });
// @ts-expect-error there is no such level
client.setLogLevel("loud");
exactly<RequestPromise<CallToolResult>>()(client.request("tools/call", { name: "echo", arguments: { text: "hi" } }));
exactly<RequestPromise<ReadResourceResult>>()(client.request("resources/read", { uri: "file:///a" }));
// Others are what the caller says, and unknown until then.
exactly<RequestPromise<unknown>>()(client.request("vendor/method", { any: 1 }));
exactly<RequestPromise<{ ok: boolean }>>()(client.request<{ ok: boolean }>("vendor/method"));
// @ts-expect-error a method is a text
client.request(1);
// @ts-expect-error params are an object
client.request("vendor/method", "text");

exactly<Promise<Tool[]>>()(client.listTools());
exactly<Promise<Tool[]>>()(client.listTools({ cursor: "next", useCache: false }));
exactly<Promise<Resource[]>>()(client.listResources());
exactly<Promise<ResourceTemplate[]>>()(client.listResourceTemplates());
exactly<Promise<Prompt[]>>()(client.listPrompts({ timeout: 1000 }));
exactly<RequestPromise<ReadResourceResult>>()(client.readResource("file:///a"));
exactly<RequestPromise<GetPromptResult>>()(client.getPrompt("review", { code: "x" }));
// @ts-expect-error arguments of a prompt are texts
client.getPrompt("review", { lines: 3 });
exactly<Promise<Completion>>()(client.complete({ type: "ref/prompt", name: "review" }, { name: "style", value: "s" }, { context: { code: "x" } }));
// @ts-expect-error a reference has a type
client.complete({ name: "review" }, { name: "style", value: "s" });
exactly<Promise<ServerInfo>>()(client.discover());
exactly<Promise<void>>()(client.setLogLevel("warning"));
for await (const tool of client.tools()) exactly<Tool>()(tool);
for await (const resource of client.resources({ useCache: false })) exactly<Resource>()(resource);
for await (const template of client.resourceTemplates()) exactly<ResourceTemplate>()(template);
for await (const prompt of client.prompts()) exactly<Prompt>()(prompt);

// What a tool returns is known as far as the caller says.
const weather = client.callTool<CallToolResult<{ celsius: number }>>("weather", { city: "Bern" });
weather.then(({ structuredContent }) => exactly<{ celsius: number } | undefined>()(structuredContent));
client.callTool("weather").then(({ structuredContent, content }) => {
  exactly<unknown>()(structuredContent);
  for (const block of content) {
    if (block.type === "text") exactly<string>()(block.text);
    else if (block.type === "resource") exactly<string | undefined>()(block.resource.blob);
    else if (block.type === "resource_link") exactly<number | undefined>()(block.size);
    else exactly<string>()(block.mimeType);
    exactly<number | undefined>()(block.annotations?.priority);
  }
});

// Subscriptions.
const subscription = client.subscribe({ toolsListChanged: true, resourceSubscriptions: ["file:///a"] }, ({ method }) => exactly<string>()(method));
exactly<McpSubscription>()(subscription);
exactly<boolean>()(subscription.active);
exactly<SubscriptionFilter | null>()(subscription.honored);
exactly<Promise<void>>()(subscription.ready);
exactly<() => void>()(subscription.onGap(({ from, to }) => exactly<number>()(to - from)));
for await (const notification of subscription) exactly<McpNotification>()(notification);
// @ts-expect-error there is no such notification
client.subscribe({ everything: true });
// @ts-expect-error the server decides
subscription.active = true;
exactly<RequestPromise<CallToolResult>>()(client.callTool("echo", { text: "hi" }));
// @ts-expect-error a tool has a name
client.callTool();
// @ts-expect-error arguments are named
client.callTool("echo", ["hi"]);

client.callTool(
  "slow",
  { ms: 100 },
  {
    priority: "critical",
    timeout: 1000,
    maxTotalTimeout: 5000,
    resetTimeoutOnProgress: true,
    useCache: false,
    signal: AbortSignal.timeout(1000),
    idempotent: true,
    onProgress: (progress) => exactly<Progress>()(progress),
    meta: { "com.example/tenant": 7 },
    inputResponses: { name: { action: "decline" } },
    requestState: "opaque",
  },
);
client.request("tools/list", {}, { priority: 3 });
// @ts-expect-error there are four priorities
client.request("tools/list", {}, { priority: 4 });
// @ts-expect-error there is no such option
client.request("tools/list", {}, { retries: 3 });

const call = client.callTool("echo", {});
exactly<string>()(call.requestId);
call.setPriority("high");
call.cancel("no longer needed");
// @ts-expect-error the phase is told, not set
call.phase = "sent";
call.then((result) => exactly<CallToolResult>()(result));

exactly<Promise<ConnectionSnapshot>>()(client.connect());
exactly<Promise<ConnectionSnapshot>>()(client.reconnect());
exactly<Promise<void>>()(client.close());
exactly<Promise<void>>()(client[Symbol.asyncDispose]());
exactly<Promise<void>>()(client.notify("notifications/roots/list_changed"));
client.ping().then(({ latency, via }) => {
  exactly<number>()(latency);
  exactly<Transport>()(via);
});

// State is read, never written.
exactly<ConnectionState>()(client.state);
exactly<ConnectionSnapshot>()(client.connection);
exactly<ClientSnapshot>()(client.store.getSnapshot());
exactly<() => void>()(client.store.subscribe(() => {}));
exactly<ClientMetrics>()(client.metrics());
// @ts-expect-error the client decides its state
client.state = "ready";
// @ts-expect-error a snapshot does not change
client.connection.transport = "http";

// Events carry what belongs to them.
const off = client.on("reconnecting", ({ attempt, delay, retryAt }) => {
  exactly<number>()(attempt);
  exactly<number>()(delay);
  exactly<number>()(retryAt);
});
exactly<() => void>()(off);
client.on("state", ({ previous, current }) => {
  exactly<ConnectionState>()(previous);
  exactly<ConnectionSnapshot>()(current);
});
client.on("outcomeUnknown", (lost) => exactly<InDoubtCall>()(lost));
client.on("outcomeResolved", ({ call, verdict }) => {
  exactly<InDoubtCall>()(call);
  exactly<"applied" | "not-applied" | "dismissed">()(verdict);
});
exactly<readonly InDoubtCall[]>()(client.inDoubt());
// @ts-expect-error what is settled is known, or nobody wants to know
client.settleInDoubt("call-1", "unknown");
client.on("warning", (warning) => exactly<McpWarning>()(warning));
client.on("stalled", (event) => exactly<{ id?: string; method: string; silent: number; hint?: string }>()(event));
client.on("error", (error) => exactly<McpError>()(error));
exactly<Promise<McpNotification>>()(client.once("notification"));
// @ts-expect-error there is no such event
client.on("message", () => {});
// @ts-expect-error a notification is not a state
client.on("notification", ({ previous }) => previous);

// A function that takes a client takes every client.
some<(client: McpClient) => void>()(client);
