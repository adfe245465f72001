// The `_meta` of requests that applications add to: which keys they may use (P11) and the W3C trace context (P10). What the protocol
// itself puts there is written by the snippet.

import type { Meta } from "./mcp.js";

/** An optional prefix of dotted labels and a slash, then a name. */
const KEY = /^(?:[a-z](?:[a-z\d-]*[a-z\d])?(?:\.[a-z](?:[a-z\d-]*[a-z\d])?)*\/)?[a-z\d](?:[\w.-]*[a-z\d])?$/i;
/** Prefixes whose second label is the protocol's, and its one name without a prefix. */
const RESERVED = /^[^./]+\.(?:modelcontextprotocol|mcp)(?:\.[^/]*)?\/|^progressToken$/i;

const STATE = /^(?:[a-z][a-z\d_*/-]{0,255}|[a-z\d][a-z\d_*/-]{0,240}@[a-z][a-z\d_*/-]{0,13})=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;
const BAGGAGE = /^[\w!#$%&'*+.^`|~-]+[ \t]*=[ \t]*[!#-+\--:<-[\]-~]*[ \t]*(?:;[ -~]*)?$/;
const members = (text: string, member: RegExp, most: number): boolean => {
  const parts = text.split(",");
  return parts.length <= most && parts.every((part) => member.test(part.trim()));
};

/** Whether a value has the form its standard asks for: W3C Trace Context and W3C Baggage. */
const TRACE: Record<string, (value: string) => boolean> = {
  traceparent: (value) => /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.test(value),
  tracestate: (value) => members(value, STATE, 32),
  baggage: (value) => value.length <= 8192 && members(value, BAGGAGE, 180),
};

/** The first key that an application may not set, or whose value is malformed. */
export function wrongKey(meta: Meta): string | undefined {
  return Object.keys(meta).find((key) => !KEY.test(key) || RESERVED.test(key) || (Object.hasOwn(TRACE, key) && !traces(key, meta[key])));
}

const traces = (key: string, value: unknown): boolean => typeof value === "string" && TRACE[key]!(value);

/** The well-formed ones of the three trace members, and the names of those that are not. */
export function traceOf(given: Record<string, unknown>): { meta: Meta; wrong: string[] } {
  const named = Object.keys(TRACE).filter((key) => given[key] !== undefined);
  const wrong = named.filter((key) => !traces(key, given[key]));
  // A state without its parent says nothing.
  if (wrong.includes("traceparent")) wrong.push("tracestate");
  return { meta: Object.fromEntries(named.filter((key) => !wrong.includes(key)).map((key) => [key, given[key]])), wrong };
}

/** `params` with more in its `_meta`; what is there already stays. */
export function withMeta(params: object | null | undefined, meta: Meta | undefined): object | null | undefined {
  return meta ? { ...params, _meta: { ...meta, ...(params as { _meta?: Meta } | null | undefined)?._meta } } : params;
}
