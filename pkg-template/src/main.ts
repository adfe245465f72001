// What both entries export.

export { createClient, McpClient } from "./client.js";
export {
  McpAbortError,
  McpAuthError,
  McpError,
  McpHttpError,
  McpOutcomeUnknownError,
  McpRpcError,
  McpTimeoutError,
} from "./errors.js";
export { init, initSync } from "./runtime.js";
export type * from "./types.js";

/** The version of this package. */
export const version: string = __VERSION__;

declare const __VERSION__: string;
