// Turns a tool's inputSchema into form fields and a filled form back into arguments. It covers what a
// form can ask for directly; anything deeper is one JSON text area. Not a JSON Schema validator: the
// server judges the arguments.

interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  $ref?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  $defs?: Record<string, Schema>;
}

export interface Field {
  readonly name: string;
  readonly kind: "string" | "number" | "integer" | "boolean" | "enum" | "json";
  readonly required: boolean;
  readonly description: string | undefined;
  readonly initial: unknown;
  readonly options: readonly { value: unknown; label: string }[];
  readonly schema: Schema;
}

export function fieldsOf(inputSchema: object): Field[] {
  const root = inputSchema as Schema;
  const required = new Set(root.required ?? []);
  return Object.entries(root.properties ?? {}).map(([name, raw]) => {
    const schema = resolve(raw, root);
    const options = optionsOf(schema);
    return {
      name,
      kind: options.length > 0 ? "enum" : kindOf(schema),
      required: required.has(name),
      description: schema.description,
      initial: schema.default ?? schema.examples?.[0],
      options,
      schema,
    };
  });
}

/**
 * Follows a local `$ref` and unwraps `anyOf: [X, null]`, the way generators write optional fields.
 * `depth` ends schemas that refer to themselves; what is not an object describes nothing.
 */
function resolve(raw: unknown, root: Schema, depth = 8): Schema {
  if (typeof raw !== "object" || raw === null || depth === 0) return {};
  const { $ref, ...own }: Schema = raw;
  if ($ref?.startsWith("#/$defs/")) return { ...resolve(root.$defs?.[$ref.slice(8)], root, depth - 1), ...own };
  const { anyOf, ...rest } = own;
  const variants = anyOf?.filter((variant) => variant?.type !== "null");
  return variants?.length === 1 ? { ...resolve(variants[0], root, depth - 1), ...rest } : own;
}

function optionsOf(schema: Schema): { value: unknown; label: string }[] {
  if (schema.enum) return schema.enum.map((value) => ({ value, label: String(value) }));
  const constants = schema.oneOf?.filter((variant) => variant.const !== undefined) ?? [];
  return constants.map((variant) => ({ value: variant.const, label: variant.title ?? String(variant.const) }));
}

function kindOf(schema: Schema): Field["kind"] {
  const types = [schema.type ?? []].flat().filter((type) => type !== "null");
  const only = types.length === 1 ? types[0] : undefined;
  switch (only) {
    case "string":
    case "number":
    case "integer":
    case "boolean":
      return only;
    default:
      return "json";
  }
}

/** An empty optional field is left out; an empty form gives `{}`. Throws a SyntaxError on bad JSON text. */
export function argumentsOf(fields: readonly Field[], form: FormData): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const field of fields) {
    const text = String(form.get(field.name) ?? "");
    if (field.kind === "boolean") args[field.name] = form.has(field.name);
    else if (text !== "" || (field.required && field.kind === "string")) args[field.name] = valueOf(field, text);
  }
  return args;
}

function valueOf(field: Field, text: string): unknown {
  switch (field.kind) {
    case "number":
    case "integer":
      return Number(text);
    case "enum":
      return field.options.find((option) => String(option.value) === text)?.value ?? text;
    case "json":
      return JSON.parse(text);
    default:
      return text;
  }
}
