// Says what is wrong with one JSON-RPC message of a client by the specification's own JSON schema of a revision.
// It knows no transport (headers.mjs does) and remembers no message (tests/servers/tap.mjs does).

import { readFileSync } from "node:fs";

import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export const MODERN = "2026-07-28";
export const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN];

const MEMBERS = {
  request: ["jsonrpc", "id", "method", "params"],
  notification: ["jsonrpc", "method", "params"],
  response: ["jsonrpc", "id", "result", "error"],
};
// P11: the prefixes that only the specification may use.
const RESERVED = /^[^./]+\.(modelcontextprotocol|mcp)[./]/i;
const OWNED = new Set(
  ["protocolVersion", "clientInfo", "clientCapabilities", "logLevel", "subscriptionId", "related-task"].map(
    (name) => `io.modelcontextprotocol/${name}`,
  ),
);
// P11: optional dotted prefix, a slash, a name.
const META_KEY = /^([a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z]([a-z0-9-]*[a-z0-9])?)*\/)?([a-z0-9]([\w.-]*[a-z0-9])?)?$/i;
// P10: the W3C forms of what carries no prefix.
const TRACE = {
  traceparent: /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/,
  tracestate: /^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$/,
  baggage: /^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$/,
};

// schema.ts, of which the JSON schemas are made and which is normative, has `number` where they have this union.
const UNION = JSON.stringify(["string", "integer", "boolean"]);
// By SEP-2663 an extension of the newest revision, whose schema does not name it.
const EXTENSION = /^tasks\//;
const schemas = new Map();

/** What is wrong with `text`, a client's message of `revision`, one line each; nothing when it is right. */
export function check(revision, text) {
  if (!REVISIONS.includes(revision)) return [`no revision ${revision}`];
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    return [`not JSON: ${error.message}`];
  }
  if (Array.isArray(message)) return ["a batch: clients send one message at a time (P6)"];
  if (message === null || typeof message !== "object") return ["not an object"];
  return [...membersOf(message), ...schemaOf(revision, message), ...metaOf(message.params?._meta)];
}

/** What a message is by its members: a `notifications/` method with an id is still meant as a notification. */
export function kindOf({ method }) {
  if (typeof method !== "string") return "response";
  return method.startsWith("notifications/") ? "notification" : "request";
}

function membersOf(message) {
  const kind = kindOf(message);
  return Object.keys(message)
    .filter((name) => !MEMBERS[kind].includes(name))
    .map((name) => `a ${kind} has no member ${JSON.stringify(name)} (P3)`);
}

function schemaOf(revision, message) {
  const { methods, call, response } = load(revision);
  if (kindOf(message) === "response") {
    return revision === MODERN ? ["a response: clients send none in this revision (P20)"] : response(message);
  }
  const { method } = message;
  const elsewhere = !methods.has(method) && REVISIONS.some((other) => load(other).methods.has(method));
  return [...(elsewhere && !EXTENSION.test(method) ? [`${method} is not of this revision (P81)`] : []), ...call(message)];
}

function load(revision) {
  if (!schemas.has(revision)) schemas.set(revision, compile(revision));
  return schemas.get(revision);
}

function compile(revision) {
  const text = readFileSync(new URL(`${revision}.json`, import.meta.url), "utf8");
  const schema = JSON.parse(text.replaceAll(UNION, UNION.replace("integer", "number")));
  const at = schema.$defs ? "$defs" : "definitions";
  const definitions = schema[at];
  // Not strict: the schemas of the specification use what ajv's strict mode only warns of.
  const ajv = new (schema.$schema.includes("2020-12") ? Ajv2020 : Ajv)({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema(schema, "mcp");
  const against = (name, value) => {
    const validate = ajv.getSchema(`mcp#/${at}/${name}`);
    if (validate(value)) return [];
    return validate.errors.map(({ instancePath, message, params }) => {
      return `${name}${instancePath} ${message} ${JSON.stringify(params)}`;
    });
  };
  const methods = new Map();
  for (const side of ["ClientRequest", "ClientNotification"]) {
    const { anyOf = [{ $ref: `#/${at}/CancelledNotification` }] } = definitions[side];
    for (const { $ref } of anyOf) {
      const name = $ref.split("/").at(-1);
      methods.set(definitions[name].properties.method.const, name);
    }
  }
  return {
    methods,
    /** A request or notification; a method of none of the specification's is held to JSON-RPC and, now, its `_meta`. */
    call(message) {
      const known = methods.get(message.method);
      if (known) return against(known, message);
      if (kindOf(message) === "notification") return against("JSONRPCNotification", message);
      const meta = revision === MODERN ? against("RequestMetaObject", message.params?._meta ?? null) : [];
      return [...against("JSONRPCRequest", message), ...meta];
    },
    response(message) {
      const [ok, failed] = definitions.JSONRPCResultResponse
        ? ["JSONRPCResultResponse", "JSONRPCErrorResponse"]
        : ["JSONRPCResponse", "JSONRPCError"];
      if ("result" in message && "error" in message) return ["a response has a result or an error, not both"];
      if ("error" in message) return against(failed, message);
      return [...against(ok, message), ...against(resultName(message.result, definitions), message.result ?? null)];
    },
  };
}

// The union ClientResult takes any object; the member that only one of them has tells which was meant.
function resultName(result, definitions) {
  const names = { action: "ElicitResult", roots: "ListRootsResult", role: "CreateMessageResult" };
  const found = Object.keys(names).find((member) => result && member in result && definitions[names[member]]);
  return found ? names[found] : "ClientResult";
}

function metaOf(meta) {
  return Object.entries(meta ?? {}).flatMap(([key, value]) => {
    if (!META_KEY.test(key)) return [`_meta key ${JSON.stringify(key)} breaks the grammar (P11)`];
    if (RESERVED.test(key) && !OWNED.has(key)) return [`_meta key ${JSON.stringify(key)} has a reserved prefix (P11)`];
    if (TRACE[key] && !TRACE[key].test(value)) return [`_meta ${key} is not in the W3C form (P10): ${value}`];
    return [];
  });
}
