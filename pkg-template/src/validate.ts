// Whether what a tool returned is what its outputSchema promised (P60, P61). The validator is the application's; here are the bounds that
// hold for every one: nothing outside the schema is looked up, and no schema made to exhaust the page gets through.

import type { Call } from "./call.js";
import { inside, isObject, MAX_DEPTH, type Schema } from "./schema.js";
import type { CallToolOptions, OutputCheck, SchemaValidator } from "./types.js";

const MAX_SUBSCHEMAS = 2000;
const DEFAULT_DIALECT = "https://json-schema.org/draft/2020-12/schema";
/** Stands before addresses that no `$id` makes absolute; there is no such host. */
const NOWHERE = "https://schema.invalid/";

/** By schema: each is compiled once. A schema that is no good has a check that throws why. */
const checks = new WeakMap<object, OutputCheck | Promise<OutputCheck>>();

/** The result of a tool, or a promise of it while its schema is compiled. Throws when it is not what was promised. */
export function checked(call: Call, result: unknown): unknown {
  const { host, options } = call;
  const { validator } = host;
  if (!validator) return result;
  const { validateOutput, toolDefinition } = options as CallToolOptions;
  if (validateOutput === false || (isObject(result) && result.isError)) return result;
  const { tool } = call;
  const schema = (toolDefinition ?? host.tools.get(tool))?.outputSchema;
  if (!isObject(schema)) return result;
  const { $schema } = schema;
  const dialect = typeof $schema === "string" ? $schema.replace(/#$/, "") : DEFAULT_DIALECT;
  if (!validator.dialects.includes(dialect)) {
    host.warn(`results of tool ${JSON.stringify(tool)} are not validated: the validator has no ${dialect}`, tool);
    return result;
  }

  const refusal = (detail: string, cause: unknown, data?: unknown): Error =>
    call.error({ code: "INVALID_RESULT", outcome: "applied", retryable: false, detail, cause, data });
  const judge = (check: OutputCheck): unknown => {
    let found: readonly string[] = ["no structuredContent"];
    try {
      // Any value is structured content, null too: what counts is that the member is there (P60).
      if (isObject(result) && "structuredContent" in result) found = check(result.structuredContent);
    } catch (cause) {
      throw refusal("schema", cause);
    }
    if (found.length) throw refusal("output", new Error(found.join("; ")), found);
    return result;
  };
  let check = checks.get(schema);
  if (!check) checks.set(schema, (check = compiled(schema, validator)));
  return typeof check === "function" ? judge(check) : check.then(judge);
}

function compiled(schema: Schema, validator: SchemaValidator): OutputCheck | Promise<OutputCheck> {
  const failing = (cause: unknown) => () => {
    // Not kept: what was missing may be there the next time.
    checks.delete(schema);
    throw cause;
  };
  try {
    inspect(schema);
    const check = validator.compile(schema);
    return typeof check === "function" ? check : Promise.resolve(check).catch(failing);
  } catch (cause) {
    return failing(cause);
  }
}

/** Throws when a schema is too large, or refers to what is not in it: that is never fetched, and must not count as "anything goes". */
function inspect(root: Schema): void {
  const parts = new Set<string>();
  const references: string[] = [];
  let count = 0;
  const visit = (schema: Schema, outer: string, depth: number): void => {
    if (depth > MAX_DEPTH || ++count > MAX_SUBSCHEMAS) throw new Error("the schema is too large");
    const id = schema.$id ?? schema.id;
    const base = typeof id === "string" ? address(id, outer) : outer;
    parts.add(base);
    for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
      const reference = schema[keyword];
      if (typeof reference === "string") references.push(address(reference, base));
    }
    for (const [inner] of inside(schema)) visit(inner, base, depth + 1);
  };
  visit(root, NOWHERE, 0);
  const foreign = references.find((reference) => !parts.has(reference));
  if (foreign) throw new Error(`the schema refers to ${foreign}, which is not part of it`);
}

/** Of the document, without the place in it. */
function address(reference: string, base: string): string {
  return new URL(reference, base).href.replace(/#.*/s, "");
}
