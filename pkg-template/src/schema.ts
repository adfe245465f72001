// Walking through a JSON Schema: which parts of it are schemas themselves. It knows no rule about them and validates nothing.

/** More levels than this are an attack on whoever walks through them, not a description of data. */
export const MAX_DEPTH = 64;

/** Keywords that hold data: what looks like a schema in there is none. */
const DATA = new Set(["const", "default", "enum", "examples"]);
/** Keywords that hold schemas by name: what looks like a keyword in there is a name. */
const MAPS = new Set("properties patternProperties dependentSchemas dependencies $defs definitions".split(" "));

export type Schema = Record<string, unknown>;

export const isObject = (value: unknown): value is Schema => typeof value === "object" && value !== null;

/** The schemas directly inside one, each with the name of its property where `properties` leads to it. */
export function inside(schema: Schema): [schema: Schema, property?: string][] {
  const found: [Schema, string?][] = [];
  for (const keyword in schema) {
    const value = schema[keyword];
    if (!isObject(value) || DATA.has(keyword)) continue;
    if (!MAPS.has(keyword) && !Array.isArray(value)) found.push([value]);
    else for (const name in value) if (isObject(value[name])) found.push(keyword === "properties" ? [value[name], name] : [value[name]]);
  }
  return found;
}
