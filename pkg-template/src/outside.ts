// What comes from outside, read with care: addresses and lists of a configuration, the browser's word on the network, a server's word on
// itself. What else is configured is checked by the core.

import { errorFrom, type McpError } from "./errors.js";
import type { ConnectionSnapshot, Meta, ServerInfo } from "./types.js";

/** An absolute address; a relative one is relative to the page. */
export function address(option: string, given: string | URL): URL {
  let url: URL | undefined;
  try {
    url = new URL(given, globalThis.location?.href);
  } catch {
    // Said below, with the others.
  }
  if (!url || !/^(https?|wss?):$/.test(url.protocol)) {
    throw invalid(`${option} must be an http(s) or ws(s) URL, not ${JSON.stringify(String(given))}`);
  }
  return url;
}

/** Whether it is an address of this machine or of the network it is in. */
export const isNear = (url: { hostname: string } | undefined): boolean =>
  /^(localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[(::1|f[cde]))|\.(localhost|local)$/.test(url?.hostname ?? "");

/** A list of names, or nothing. */
export function list(option: string, given: readonly string[] | undefined): readonly string[] | undefined {
  if (given && !(Array.isArray(given) && given.every((one) => typeof one === "string"))) {
    throw invalid(`cacheOptions.${option} must be a list of names`);
  }
  return given;
}

/** What is wrong with the configuration. */
export function invalid(detail: string): McpError {
  return errorFrom({ code: "INVALID_CONFIG", outcome: "not-sent", retryable: false, detail });
}

/** What a server says of itself, whichever era's handshake it answers. */
export function serverInfo(answer: object | null): ServerInfo {
  const { serverInfo, _meta, ...result } = { ...answer } as { serverInfo?: object; _meta?: Meta } & Partial<ServerInfo>;
  const { supportedVersions, capabilities = {}, instructions } = result;
  const info = serverInfo ?? (_meta?.["io.modelcontextprotocol/serverInfo"] as object | undefined);
  return { name: "", ...info, supportedVersions, capabilities, instructions } as ServerInfo;
}

/** What a legacy server must have declared before a method is sent to it (P74): a path into its capabilities. */
const NEEDS: Record<string, string> = {
  "completion/complete": "completions",
  "logging/setLevel": "logging",
  "prompts/list": "prompts",
  "prompts/get": "prompts",
  "resources/list": "resources",
  "resources/templates/list": "resources",
  "resources/read": "resources",
  "resources/subscribe": "resources.subscribe",
};

/** What this method needs, and this server has not declared. */
export function lackingOf(method: string, server: ServerInfo | null): string | undefined {
  const path = NEEDS[method];
  let found: unknown = server?.capabilities;
  for (const name of path?.split(".") ?? []) found = (found as Record<string, unknown> | undefined)?.[name];
  return found ? undefined : path;
}

/** What the browser says; where it says nothing, all is well. */
export function surroundings(): { online: boolean; visible: boolean } {
  return { online: globalThis.navigator?.onLine !== false, visible: globalThis.document?.visibilityState !== "hidden" };
}

/** The connection of whom nobody asked to connect yet. */
export const IDLE: ConnectionSnapshot = Object.freeze({
  state: "idle",
  since: 0,
  transport: null,
  degraded: false,
  era: null,
  protocolVersion: null,
  server: null,
  attempt: 0,
  retryAt: null,
  reason: null,
  latency: null,
  online: true,
  visible: true,
  epoch: 0,
});
