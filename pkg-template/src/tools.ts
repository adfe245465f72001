// What a client has learned about its server's tools: the definitions, which arguments travel as headers as well, and which definitions
// must not be used (P15 to P17). It sends nothing and keeps no result.

import { inside, isObject, MAX_DEPTH, type Schema } from "./schema.js";
import type { Tool } from "./types.js";

/** More definitions than this are not kept; the oldest leaves first. */
const MAX_TOOLS = 2000;
/** More lists than this are not put off. */
const MAX_UNREAD = 32;
const ANNOTATION = "x-mcp-header";
/** Without these, a text has no annotation: the end of the word, which begins with a rarer letter, and the way JSON hides letters. */
const TRACES = ["-mcp-header", "\\u00"];
/** A header name, as RFC 9110 has it. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const MIRRORED = ["string", "integer", "boolean"];

/** An argument that is sent as a header too: that header's name, and the chain of properties to the argument. */
type Mirror = readonly [header: string, path: readonly string[]];

type Warn = (message: string, tool: string) => void;

export class Tools {
  readonly #warn: Warn;
  readonly #known = new Map<string | undefined, readonly [tool: Tool, mirrors: readonly Mirror[]]>();
  /** Lists without annotations, which nobody has asked about yet: a list costs no more than its parse. The newest is the last. */
  #unread: (Tool | null)[][] = [];

  constructor(warn: Warn) {
    this.#warn = warn;
  }

  /** The newest definition of that name. */
  get(name: string | undefined): Tool | undefined {
    return this.#find(name)?.[0];
  }

  /**
   * Takes in a result of `tools/list`, and the JSON text it came in, if that is known. With `strict`, as the modern era demands, what comes
   * back is without the tools whose annotations are invalid; the result itself may be shared and is left alone.
   */
  learn(result: unknown, strict: boolean, text?: string): unknown {
    const tools = isObject(result) && result.tools;
    if (!Array.isArray(tools)) return result;
    if (text !== undefined && !TRACES.some((trace) => text.includes(trace))) {
      // One whose tools are all named again says nothing any more: a list may be asked for again and again.
      this.#unread = this.#unread.filter((list) => list.some((tool, at) => tool?.name !== tools[at]?.name));
      if (this.#unread.push(tools) > MAX_UNREAD) this.#read();
      return result;
    }
    this.#read();
    const kept = tools.filter((tool) => this.#take(tool, strict));
    return kept.length < tools.length ? { ...(result as object), tools: kept } : result;
  }

  #find(name: string | undefined): readonly [tool: Tool, mirrors: readonly Mirror[]] | undefined {
    // Asked for every call, and next to never is there one.
    if (this.#unread.length) this.#read();
    return this.#known.get(name);
  }

  #read(): void {
    for (const tools of this.#unread.splice(0)) for (const tool of tools) this.#take(tool, false, []);
  }

  #take(tool: Tool | null, strict: boolean, plain?: readonly Mirror[]): boolean {
    const name = tool?.name;
    if (typeof name !== "string" || this.#known.get(name)?.[0] === tool) return true;
    const mirrors = plain ?? mirrorsOf(tool!, strict ? this.#warn : undefined);
    this.#known.delete(name);
    if (!mirrors && strict) return false;
    this.#known.set(name, [tool!, mirrors ?? []]);
    if (this.#known.size > MAX_TOOLS) this.#known.delete(this.#known.keys().next().value);
    return true;
  }

  /**
   * The `Mcp-Param-*` headers of a `tools/call`, by the definition given or else the newest; `encode` makes a text a header value. Throws
   * what `JSON.stringify` throws.
   */
  headers(params: object, encode: (text: string) => string, definition?: Tool): [name: string, value: string][] | undefined {
    const { name, arguments: given } = params as { name?: string; arguments?: unknown };
    const mirrors = definition ? mirrorsOf(definition, this.#warn) : this.#find(name)?.[1];
    if (!mirrors?.length || !given) return;
    // As the server will read them: a date, for example, is printed as a text.
    const args: unknown = JSON.parse(JSON.stringify(given));
    return mirrors.flatMap(([header, path]) => {
      const value = path.reduce<unknown>((node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined), args);
      const isPlain = typeof value === "string" || typeof value === "boolean" || Number.isSafeInteger(value);
      return isPlain ? [[`mcp-param-${header}`, encode(String(value))]] : [];
    });
  }
}

/** The annotations of a tool; none when one of them is invalid, which is told. */
function mirrorsOf({ name, inputSchema }: Tool, warn?: Warn): Mirror[] | undefined {
  const mirrors: Mirror[] = [];
  const flaw = findFlaw(inputSchema, [], mirrors);
  if (!flaw) return mirrors;
  warn?.(`tool ${JSON.stringify(name)} has an invalid definition: ${flaw}`, name);
  return undefined;
}

/** What is wrong with the annotations in a schema (P17). `path` is the chain of properties to it; null when something else is between. */
function findFlaw(schema: unknown, path: string[] | null, mirrors: Mirror[], depth = 0): string | undefined {
  if (!isObject(schema)) return;
  if (depth > MAX_DEPTH) return "its inputSchema is nested too deeply";
  const flaw = ANNOTATION in schema && flawOf(schema, path, mirrors);
  if (flaw) return `${ANNOTATION} ${JSON.stringify(schema[ANNOTATION])} ${flaw}`;
  for (const [inner, property] of inside(schema)) {
    const found = findFlaw(inner, path && property !== undefined ? [...path, property] : null, mirrors, depth + 1);
    if (found) return found;
  }
}

function flawOf(schema: Schema, path: string[] | null, mirrors: Mirror[]): string | undefined {
  const name = schema[ANNOTATION];
  if (!path?.length) return "is not on a property that only `properties` lead to";
  if (typeof name !== "string" || !TOKEN.test(name)) return "is no header name";
  if (!MIRRORED.includes(schema.type as string)) return `is on a property that is no ${MIRRORED.join(", ")}`;
  if (mirrors.some(([other]) => other.toLowerCase() === name.toLowerCase())) return "is there twice";
  mirrors.push([name, path]);
}
