// Shapes of the Model Context Protocol that clients send and get: both eras, tools, resources, prompts, completion, logging. Types only;
// what servers ask of clients is in mcp-input.ts. Servers may send more members, and what they send is passed on whole.

/** Free metadata. Keys of your own have a prefix: `com.example/name`. */
export type Meta = Record<string, unknown>;

/** An image for a thing. Danger: show only https and data addresses, fetched without credentials; an SVG may hold scripts. */
export interface Icon {
  src: string;
  mimeType?: string;
  /** As "48x48", or "any". */
  sizes?: string[];
  theme?: "light" | "dark";
}

/** What a server says about itself. Not verified: for display and logs. */
export interface ServerInfo {
  name: string;
  version?: string;
  title?: string;
  description?: string;
  websiteUrl?: string;
  icons?: Icon[];
  /** Protocol versions it speaks; only servers of 2026-07-28 tell. */
  supportedVersions?: string[];
  capabilities: ServerCapabilities;
  instructions?: string;
}

/** What a server offers. */
export interface ServerCapabilities {
  tools?: { listChanged?: boolean };
  resources?: { subscribe?: boolean; listChanged?: boolean };
  prompts?: { listChanged?: boolean };
  completions?: object;
  logging?: object;
  extensions?: Record<string, object>;
  experimental?: Record<string, object>;
  [other: string]: unknown;
}

/** Members that any result may have. */
export interface McpResult {
  /** Only servers of 2026-07-28 say it. */
  resultType?: string;
  _meta?: Meta;
}

/** How long a result may be kept, and for whom; from servers of 2026-07-28. Bowline's cache obeys it. */
export interface CacheHints {
  /** Milliseconds. */
  ttlMs?: number;
  cacheScope?: "public" | "private";
}

/** One page of a list. */
export interface ListResult extends McpResult, CacheHints {
  /** For the next page; absent on the last one. Any text, the empty one too. */
  nextCursor?: string;
}

export interface Tool {
  name: string;
  title?: string;
  description?: string;
  icons?: Icon[];
  /** JSON Schema of the arguments. */
  inputSchema: Record<string, unknown>;
  /** JSON Schema of `structuredContent`. */
  outputSchema?: Record<string, unknown>;
  /** Hints, not promises: the server may be wrong or lie. */
  annotations?: {
    title?: string;
    readOnlyHint?: boolean;
    destructiveHint?: boolean;
    idempotentHint?: boolean;
    openWorldHint?: boolean;
  };
  /** Only from servers of 2025-11-25. */
  execution?: { taskSupport?: "forbidden" | "optional" | "required" };
  _meta?: Meta;
}

/** For whom and how important a piece of content is. Hints of the server. */
export interface Annotations {
  audience?: ("user" | "assistant")[];
  /** From 0, optional, to 1, required. */
  priority?: number;
  /** ISO 8601. */
  lastModified?: string;
}

export interface Resource {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  icons?: Icon[];
  mimeType?: string;
  annotations?: Annotations;
  /** Bytes. */
  size?: number;
  _meta?: Meta;
}

/** A family of resources; the variables of its RFC 6570 template can be completed with `complete()`. */
export interface ResourceTemplate {
  uriTemplate: string;
  name: string;
  title?: string;
  description?: string;
  icons?: Icon[];
  mimeType?: string;
  annotations?: Annotations;
  _meta?: Meta;
}

export interface ResourceContents {
  uri: string;
  mimeType?: string;
  text?: string;
  /** Base64. */
  blob?: string;
  _meta?: Meta;
}

export interface Prompt {
  name: string;
  title?: string;
  description?: string;
  icons?: Icon[];
  arguments?: PromptArgument[];
  _meta?: Meta;
}

export interface PromptArgument {
  name: string;
  title?: string;
  description?: string;
  required?: boolean;
}

/** What every piece of content may have. */
interface Piece {
  annotations?: Annotations;
  _meta?: Meta;
}

export interface TextContent extends Piece {
  type: "text";
  text: string;
}

export interface MediaContent extends Piece {
  type: "image" | "audio";
  /** Base64. */
  data: string;
  mimeType: string;
}

/** A resource that is only named; `readResource(uri)` gets it. */
export interface ResourceLink extends Resource {
  type: "resource_link";
}

export interface EmbeddedResource extends Piece {
  type: "resource";
  resource: ResourceContents;
}

/** One piece of a tool's or prompt's content. Danger: text and links come from the server; show them as text. */
export type ContentBlock = TextContent | MediaContent | ResourceLink | EmbeddedResource;

/** What a tool returned. `isError: true` is the tool's own failure and a normal result here. */
export interface CallToolResult<S = unknown> extends McpResult {
  content: ContentBlock[];
  /** What the tool's `outputSchema` describes. */
  structuredContent?: S;
  isError?: boolean;
}

/** Work of a server that a tool call became (extension `io.modelcontextprotocol/tasks`). */
export interface Task {
  taskId: string;
  status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  /** For people. Danger: it comes from the server; show it as text. */
  statusMessage?: string;
  /** ISO 8601, by the server's clock. */
  createdAt: string;
  lastUpdatedAt: string;
  /** From `createdAt` on; the server may forget the task afterwards. Milliseconds; null is for ever. */
  ttlMs: number | null;
  /** How often the server would like to be asked. Milliseconds. */
  pollIntervalMs?: number;
  /** What the server asks, while `input_required`. */
  inputRequests?: Record<string, { method: string; params?: Record<string, unknown> }>;
  /** Once `completed`. */
  result?: CallToolResult;
  /** Once `failed`. */
  error?: { code: number; message: string; data?: unknown };
}

export interface ReadResourceResult extends McpResult, CacheHints {
  contents: ResourceContents[];
}

export interface PromptMessage {
  role: "user" | "assistant";
  content: ContentBlock;
}

export interface GetPromptResult extends McpResult {
  description?: string;
  messages: PromptMessage[];
}

export interface ListToolsResult extends ListResult {
  tools: Tool[];
}

export interface ListResourcesResult extends ListResult {
  resources: Resource[];
}

export interface ListResourceTemplatesResult extends ListResult {
  resourceTemplates: ResourceTemplate[];
}

export interface ListPromptsResult extends ListResult {
  prompts: Prompt[];
}

/** As a 2026-07-28 server answers; `discover()` makes a `ServerInfo` of it. */
export interface DiscoverResult extends McpResult, CacheHints {
  supportedVersions: string[];
  capabilities: ServerCapabilities;
  instructions?: string;
}

/** What is completed: an argument of a prompt, or a variable of a resource template. */
export type CompletionReference = { type: "ref/prompt"; name: string; title?: string } | { type: "ref/resource"; uri: string };

/** Proposals for a value. */
export interface Completion {
  /** At most 100, the best first. */
  values: string[];
  /** How many there are in all. */
  total?: number;
  hasMore?: boolean;
}

/** From chatty to grave, as in RFC 5424. */
export type LoggingLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

/** Params of `notifications/message`. */
export interface LoggingMessage {
  level: LoggingLevel;
  logger?: string;
  data: unknown;
}

/** What a subscription is about. */
export interface SubscriptionFilter {
  toolsListChanged?: boolean;
  promptsListChanged?: boolean;
  resourcesListChanged?: boolean;
  /** Changes of these resources, and of what lies below them. */
  resourceSubscriptions?: string[];
  /** What becomes of these tasks (the extension `io.modelcontextprotocol/tasks`); a call that follows one then hears of it without asking. */
  taskIds?: string[];
}

/** Params of the methods that may have to ask for input first; `RequestOptions` has the same two. */
interface InputParams {
  _meta?: Meta;
  inputResponses?: Record<string, unknown>;
  requestState?: string;
}

interface PageParams {
  cursor?: string;
  _meta?: Meta;
}

/**
 * Methods whose params and result `request` knows. Others take any params and return `unknown`. The handshake and
 * `subscriptions/listen` are not among them: the client does both by itself.
 */
export interface McpMethods {
  "server/discover": { params: { _meta?: Meta }; result: DiscoverResult };
  "tools/list": { params: PageParams; result: ListToolsResult };
  "tools/call": { params: InputParams & { name: string; arguments?: Record<string, unknown> }; result: CallToolResult };
  "tasks/get": { params: { taskId: string; _meta?: Meta }; result: Task };
  "tasks/update": { params: { taskId: string; inputResponses: Record<string, unknown>; _meta?: Meta }; result: McpResult };
  "tasks/cancel": { params: { taskId: string; _meta?: Meta }; result: McpResult };
  "resources/list": { params: PageParams; result: ListResourcesResult };
  "resources/templates/list": { params: PageParams; result: ListResourceTemplatesResult };
  "resources/read": { params: InputParams & { uri: string }; result: ReadResourceResult };
  "prompts/list": { params: PageParams; result: ListPromptsResult };
  "prompts/get": { params: InputParams & { name: string; arguments?: Record<string, string> }; result: GetPromptResult };
  "completion/complete": {
    params: {
      ref: CompletionReference;
      argument: { name: string; value: string };
      context?: { arguments?: Record<string, string> };
      _meta?: Meta;
    };
    result: McpResult & { completion: Completion };
  };
  /** Legacy only, as the three below; in the modern era `ping` asks `server/discover`. */
  "ping": { params: { _meta?: Meta }; result: McpResult };
  "logging/setLevel": { params: { level: LoggingLevel; _meta?: Meta }; result: McpResult };
  "resources/subscribe": { params: { uri: string; _meta?: Meta }; result: McpResult };
  "resources/unsubscribe": { params: { uri: string; _meta?: Meta }; result: McpResult };
}
