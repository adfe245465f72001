// Lists that come in pages: one page after the other, item by item, or all at once. A cursor is opaque (P58); what a page holds is
// left as it is.

import { errorFrom, type McpError } from "./errors.js";
import type { ListOptions, ListResult, RequestOptions } from "./types.js";

type Ask = (method: string, params: object, options: RequestOptions) => Promise<unknown>;
/** The method of a list, and the member of its result that holds the items. */
export type ListName = readonly [method: string, member: string];

/** More pages than this, or a cursor that comes back, is a server that counts in circles (P58). */
const MAX_PAGES = 1000;

async function* pages<T>(ask: Ask, [method, member]: ListName, { cursor, ...options }: ListOptions = {}): AsyncGenerator<T[], void> {
  const seen = new Set<string>();
  for (let next = cursor; ; ) {
    const page = (await ask(method, next === undefined ? {} : { cursor: next }, options)) as (ListResult & Record<string, T[]>) | null;
    const part = page?.[member];
    if (!Array.isArray(part)) throw invalid(method, `the result has no list of ${member}`);
    yield part;
    next = page!.nextCursor;
    // Any text is a cursor, the empty one too; only its absence ends the list (P58).
    if (typeof next !== "string" || cursor !== undefined) return;
    if (seen.has(next) || seen.size >= MAX_PAGES) throw invalid(method, "the pages go round in circles");
    seen.add(next);
  }
}

/** The items, each page asked for when the one before is used up. */
export async function* items<T>(ask: Ask, list: ListName, options?: ListOptions): AsyncGenerator<T, void> {
  for await (const page of pages<T>(ask, list, options)) yield* page;
}

/** All items, or those of the one page that `cursor` names. */
export async function all<T>(ask: Ask, list: ListName, options: ListOptions = {}, again = true): Promise<T[]> {
  const found: T[][] = [];
  try {
    for await (const page of pages<T>(ask, list, options)) found.push(page);
    return found.flat() as T[];
  } catch (error) {
    // A cursor may be of a list that is no more, and the core has dropped its pages: once more from the start (P57).
    if (!found.length || !again || (error as { rpcCode?: unknown }).rpcCode !== -32602) throw error;
    return all(ask, list, options, false);
  }
}

function invalid(method: string, detail: string): McpError {
  return errorFrom({ code: "INVALID_RESULT", outcome: "not-applied", retryable: false, method, detail });
}
