// What the core tells of a failure by numbers, as the fields of an error. Words are errors.ts'; it decides nothing.

import type { RawFailure } from "./call.js";
import type { Failure } from "./errors.js";

/** The fields of `raw`, and with them `more`. */
export function failureOf(raw: RawFailure, more: Partial<Failure>): Failure {
  const { code, outcome, retryable, kind, number, extra, note, value } = raw;
  const failure: Failure = { code, outcome, retryable, ...more };
  if (kind === "rpc") {
    const { message, data } = value as { message?: unknown; data?: unknown };
    Object.assign(failure, { rpcCode: number, rpcMessage: typeof message === "string" ? message : "", data });
  } else if (kind === "http") {
    if (number) failure.httpStatus = number;
    if (extra >= 0) failure.retryAfter = extra;
    if (value) challenged(value as string, failure);
  } else if (kind === "close") {
    failure.closeCode = number;
  } else if (kind === "time") {
    failure.timeout = number;
    failure.stage = note as NonNullable<Failure["stage"]>;
  } else if (kind === "note") {
    failure.detail = note;
  } else if (kind === "input") {
    Object.assign(failure, { detail: note, data: value });
  }
  return failure;
}

/**
 * What `WWW-Authenticate` says that credentials need (RFC 6750, RFC 9728); the first challenge that says it. Quoted texts are read whole, so that
 * nothing inside one is taken for a parameter; neither scopes nor addresses have characters that would be escaped.
 */
function challenged(text: string, failure: Failure): void {
  for (const [, name, value] of text.matchAll(/(?<![\w-])([\w-]+)\s*=\s*"?((?<=")(?:\\.|[^"\\])*|[^\s,"]+)/g)) {
    if (/^scope$/i.test(name!)) failure.scope ??= value!;
    if (/^resource_metadata$/i.test(name!)) failure.resourceMetadataUrl ??= value!;
  }
}
