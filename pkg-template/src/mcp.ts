// Shapes of the Model Context Protocol that applications read most; not the whole protocol. Types only.
// Servers may send more members, and what they send is passed on whole.

/** What a server says about itself. */
export interface ServerInfo {
  name: string;
  version?: string;
  title?: string;
  /** Protocol versions it speaks; only servers of 2026-07-28 tell. */
  supportedVersions?: string[];
  capabilities: Record<string, unknown>;
  instructions?: string;
}

export interface Tool {
  name: string;
  title?: string;
  description?: string;
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
  _meta?: Record<string, unknown>;
}

export interface Resource {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  size?: number;
  _meta?: Record<string, unknown>;
}

export interface ResourceContents {
  uri: string;
  mimeType?: string;
  text?: string;
  /** Base64. */
  blob?: string;
}

export interface Prompt {
  name: string;
  title?: string;
  description?: string;
  arguments?: { name: string; description?: string; required?: boolean }[];
}

/** One piece of a tool's or prompt's content. Danger: text and links come from the server; show them as text. */
export type ContentBlock =
  | { type: "text"; text: string }
  | { type: "image" | "audio"; data: string; mimeType: string }
  | ({ type: "resource_link" } & Resource)
  | { type: "resource"; resource: ResourceContents };

/** What a tool returned. `isError: true` is the tool's own failure and a normal result here. */
export interface CallToolResult {
  content: ContentBlock[];
  structuredContent?: unknown;
  isError?: boolean;
  _meta?: Record<string, unknown>;
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

export interface ReadResourceResult {
  contents: ResourceContents[];
}

export interface GetPromptResult {
  description?: string;
  messages: { role: "user" | "assistant"; content: ContentBlock }[];
}

/** Methods whose params and result `request` knows. Others take any params and return `unknown`. */
export interface McpMethods {
  "tools/list": { params: { cursor?: string }; result: { tools: Tool[]; nextCursor?: string } };
  "tools/call": { params: { name: string; arguments?: Record<string, unknown> }; result: CallToolResult };
  "tasks/get": { params: { taskId: string }; result: Task };
  "tasks/update": { params: { taskId: string; inputResponses: Record<string, unknown> }; result: object };
  "tasks/cancel": { params: { taskId: string }; result: object };
  "resources/list": { params: { cursor?: string }; result: { resources: Resource[]; nextCursor?: string } };
  "resources/read": { params: { uri: string }; result: ReadResourceResult };
  "prompts/list": { params: { cursor?: string }; result: { prompts: Prompt[]; nextCursor?: string } };
  "prompts/get": { params: { name: string; arguments?: Record<string, string> }; result: GetPromptResult };
}
