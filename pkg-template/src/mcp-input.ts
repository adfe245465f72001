// What MCP servers ask of the application, and what it answers: elicitation, sampling, roots, in the shapes of both eras. Types only;
// who calls the handler is in input.ts.

import type { Annotations, ContentBlock, Meta, MediaContent, TextContent, Tool } from "./mcp.js";

/**
 * Answers a server that needs something before it can go on. Its value is the result as MCP has it: an `ElicitResult`, a
 * `CreateMessageResult`, a `ListRootsResult`. A rejection fails the call that led to the question (`INPUT_REQUIRED`, with the
 * rejection as `cause`), or is told to a legacy server as an error without details.
 */
export type InputHandler = (request: InputRequest & { signal: AbortSignal }) => Promise<unknown>;

/**
 * One question of a server. `signal`, beside it, fires when nobody waits for the answer any more: the call was cancelled, timed
 * out, or failed otherwise, the server withdrew its question, or its link is gone.
 */
export type InputRequest =
  | { method: "elicitation/create"; params: ElicitParams }
  | { method: "sampling/createMessage"; params: CreateMessageParams }
  | { method: "roots/list"; params?: { _meta?: Meta } };

/** A server wants to know something of the user. Danger: show which server asks, and let the user decline. */
export type ElicitParams = ElicitFormParams | ElicitUrlParams;

/** A form. Members that an accepting answer leaves out get the `default` of their schema. */
export interface ElicitFormParams {
  mode?: "form";
  message: string;
  /** A flat object of primitive members. */
  requestedSchema: { type: "object"; properties: Record<string, FieldSchema>; required?: string[]; $schema?: string };
  _meta?: Meta;
}

/**
 * An address for the user to visit; the answer "accept" says that the user agreed to. Danger: Bowline neither opens nor fetches it.
 * Show the whole address and ask before opening it, with `noopener`, where your page cannot see it.
 */
export interface ElicitUrlParams {
  mode: "url";
  message: string;
  url: string;
  /** Only from servers of 2025-11-25: named again in `notifications/elicitation/complete`. */
  elicitationId?: string;
  _meta?: Meta;
}

/** One member of a form. */
export type FieldSchema = { title?: string; description?: string } & (
  | {
      type: "string";
      minLength?: number;
      maxLength?: number;
      format?: "email" | "uri" | "date" | "date-time";
      enum?: string[];
      /** Titles of `enum`, as servers up to 2025-06-18 give them. */
      enumNames?: string[];
      oneOf?: { const: string; title: string }[];
      default?: string;
    }
  | { type: "number" | "integer"; minimum?: number; maximum?: number; default?: number }
  | { type: "boolean"; default?: boolean }
  | {
      type: "array";
      minItems?: number;
      maxItems?: number;
      items: { type?: "string"; enum?: string[]; anyOf?: { const: string; title: string }[] };
      default?: string[];
    }
);

export interface ElicitResult {
  action: "accept" | "decline" | "cancel";
  /** The members of the form, with "accept". */
  content?: Record<string, string | number | boolean | string[]>;
}

/** A server wants text of a language model. Deprecated in 2026-07-28. Danger: let the user see and refuse it. */
export interface CreateMessageParams {
  messages: SamplingMessage[];
  maxTokens: number;
  modelPreferences?: {
    hints?: { name?: string }[];
    costPriority?: number;
    speedPriority?: number;
    intelligencePriority?: number;
  };
  systemPrompt?: string;
  includeContext?: "none" | "thisServer" | "allServers";
  temperature?: number;
  stopSequences?: string[];
  metadata?: Record<string, unknown>;
  /** Only with `capabilities.sampling.tools`. */
  tools?: Tool[];
  toolChoice?: { mode?: "auto" | "required" | "none" };
  _meta?: Meta;
}

export interface SamplingMessage {
  role: "user" | "assistant";
  content: SamplingContent | SamplingContent[];
  _meta?: Meta;
}

export type SamplingContent = TextContent | MediaContent | ToolUseContent | ToolResultContent;

export interface ToolUseContent {
  type: "tool_use";
  id: string;
  name: string;
  input: Record<string, unknown>;
  _meta?: Meta;
}

export interface ToolResultContent {
  type: "tool_result";
  toolUseId: string;
  content: ContentBlock[];
  structuredContent?: unknown;
  isError?: boolean;
  annotations?: Annotations;
  _meta?: Meta;
}

export interface CreateMessageResult extends SamplingMessage {
  model: string;
  /** "endTurn", "stopSequence", "maxTokens", "toolUse", or the model's own. */
  stopReason?: string;
}

/** What the server may work on. Deprecated in 2026-07-28. */
export interface ListRootsResult {
  roots: { uri: string; name?: string; _meta?: Meta }[];
}

/** `data` of an `INPUT_REQUIRED` error: what to answer with `RequestOptions.inputResponses` under the same names. */
export interface InputRequiredResult {
  resultType: "input_required";
  inputRequests?: Record<string, InputRequest>;
  /** To be given back as it is, in `RequestOptions.requestState`. */
  requestState?: string;
  _meta?: Meta;
}

/** What this client can be asked for. */
export interface ClientCapabilities {
  /** `{}` means forms only. */
  elicitation?: { form?: object; url?: object };
  sampling?: { context?: object; tools?: object };
  /** With `listChanged`, tell legacy servers by `notify("notifications/roots/list_changed")`. */
  roots?: { listChanged?: boolean };
  extensions?: Record<string, object>;
  experimental?: Record<string, object>;
  [other: string]: unknown;
}
