// Checks of what an application configures, as far as the package reads it itself; the rest is the core's.

import { errorFrom, type McpError } from "./errors.js";

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
