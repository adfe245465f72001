// What a browser needs from a server of another origin: the CORS recipe of the README, as code.
// It answers nothing itself.

export const EXPOSED_HEADERS = "mcp-session-id, www-authenticate, retry-after";

/** Headers for every answer. */
export function corsHeaders() {
  return { "access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED_HEADERS };
}

/**
 * Headers for the answer to a preflight. The asked-for names are echoed because `*` does not cover
 * `authorization` and `mcp-param-*` cannot be listed in advance.
 */
export function preflightHeaders(requestedHeaders) {
  return {
    ...corsHeaders(),
    "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
    "access-control-allow-headers": requestedHeaders ?? "content-type",
    "access-control-max-age": "600",
  };
}
