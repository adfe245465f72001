// Lists that come in pages: one page after the other, item by item, or all at once. A cursor is opaque (P58); what a page holds is
// left as it is.

import { errorFrom, type McpError } from "./errors.js";
import type { ListOptions, ListResult, RequestOptions } from "./types.js";

type Page = (ListResult & Record<string, unknown>) | null;
type Ask = (method: string, params: object, options: RequestOptions) => Promise<unknown>;
/** The method of a list, and the member of its result that holds the items. */
export type ListName = readonly [method: string, member: string];

/** More pages than this, or a cursor that comes back, is a server that counts in circles (P58). */
const MAX_PAGES = 1000;

/** Goes from page to page: each call asks for the page after the one given, or the first; there may be none. */
function walk(ask: Ask, method: string, options: ListOptions = {}): (page?: Page) => Promise<Page> | undefined {
  // As they are now, for all pages.
  const own = { ...options };
  let seen: Set<string> | undefined;
  return (page) => {
    let { cursor } = own;
    if (page) {
      const next = page.nextCursor;
      // Any text is a cursor, the empty one too; only its absence ends the list (P58).
      if (typeof next !== "string" || cursor !== undefined) return undefined;
      seen ??= new Set();
      if (seen.has(next) || seen.size >= MAX_PAGES) throw invalid(method, "the pages go round in circles");
      seen.add((cursor = next));
    }
    return ask(method, cursor === undefined ? {} : { cursor }, own) as Promise<Page>;
  };
}

function itemsOf<T>(page: Page, [method, member]: ListName): T[] {
  const part = page?.[member];
  if (!Array.isArray(part)) throw invalid(method, `the result has no list of ${member}`);
  return part;
}

/** The items, each page asked for when the one before is used up. */
export async function* items<T>(ask: Ask, list: ListName, options?: ListOptions): AsyncGenerator<T, void> {
  const next = walk(ask, list[0], options);
  for (let page, asked; (asked = next(page)); ) yield* itemsOf<T>((page = await asked), list);
}

/** All items, or those of the one page that `cursor` names, in an array of the caller's own. */
export async function all<T>(ask: Ask, list: ListName, options?: ListOptions, again = true): Promise<T[]> {
  const next = walk(ask, list[0], options);
  let found: T[] | undefined;
  try {
    for (let page, asked; (asked = next(page)); ) {
      const part = itemsOf<T>((page = await asked), list);
      found = found ? found.concat(part) : part.slice();
    }
    return found!;
  } catch (error) {
    // A cursor may be of a list that is no more, and the core has dropped its pages: once more from the start (P57).
    if (!found || !again || (error as { rpcCode?: unknown }).rpcCode !== -32602) throw error;
    return all(ask, list, options, false);
  }
}

function invalid(method: string, detail: string): McpError {
  return errorFrom({ code: "INVALID_RESULT", outcome: "not-applied", retryable: false, method, detail });
}
