// Says what is wrong with the HTTP request that carries one message of a client: methods, content types and the headers
// that repeat the body (P12-P20, P24, P75-P77). It reads no schema; the message itself is check.mjs's.

import { kindOf, MODERN } from "./check.mjs";

/** The parameter that `Mcp-Name` repeats (P13), tasks by SEP-2663. */
const NAMED = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};
const VERSIONED = "2025-06-18";
const PARAM = "mcp-param-";

/**
 * What is wrong with a POST of `message` (parsed) in `revision`. `headers` by lower-case name; `negotiated`: the session's
 * revision if it is known.
 */
export function checkPost(revision, headers, message, negotiated = revision) {
  const problems = [
    ...mustBe(headers, "content-type", (value) => essence(value) === "application/json"),
    ...mustBe(headers, "accept", (value) => ["application/json", "text/event-stream"].every((type) => accepts(value, type))),
  ];
  if (revision === MODERN) return [...problems, ...modernPost(headers, message)];
  for (const name of Object.keys(headers)) {
    if (/^mcp-(method|name|param-.*)$/.test(name)) problems.push(`header ${name} is not of revision ${revision}`);
  }
  const first = message.method === "initialize";
  if (first && headers["mcp-session-id"] !== undefined) problems.push("header mcp-session-id on initialize (P76)");
  if (!first && negotiated >= VERSIONED) problems.push(...mustEqual(headers, "mcp-protocol-version", negotiated));
  return problems;
}

/** What is wrong with a GET for an event stream, which only the older eras have (P24, P77). */
export function checkGet(revision, headers, negotiated = revision) {
  if (revision === MODERN) return ["a GET: this revision has no such stream (P24)"];
  const version = negotiated >= VERSIONED ? mustEqual(headers, "mcp-protocol-version", negotiated) : [];
  return [...version, ...mustBe(headers, "accept", (value) => accepts(value, "text/event-stream"))];
}

function modernPost(headers, message) {
  const { method, params = {} } = message;
  if (kindOf(message) === "notification") return [`a POST of ${method}: this revision defines none over HTTP (P19)`];
  const problems = [
    ...mustEqual(headers, "mcp-protocol-version", params._meta?.["io.modelcontextprotocol/protocolVersion"]),
    ...mustEqual(headers, "mcp-method", method),
    ...["mcp-session-id", "last-event-id"].filter((name) => name in headers).map((name) => `header ${name} (P24)`),
  ];
  const name = NAMED[method];
  if (name) problems.push(...mustEqual(headers, "mcp-name", params[name], decode));
  else if ("mcp-name" in headers) problems.push(`header mcp-name on ${method} (P13)`);
  for (const header of Object.keys(headers).filter((key) => key.startsWith(PARAM))) {
    const value = decode(headers[header]);
    if (method !== "tools/call") problems.push(`header ${header} on ${method} (P16)`);
    else if (!leaves(params.arguments).includes(value)) problems.push(`header ${header} is of no argument: ${value} (P15)`);
  }
  return problems;
}

/** The text behind a header value (P15); null when it is neither plain nor proper base64. */
export function decode(value) {
  const [, base64] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
  if (base64 === undefined) return /^[\t\x20-\x7e]*$/.test(value) && value === value.trim() ? value : null;
  const text = Buffer.from(base64, "base64").toString("utf8");
  return Buffer.from(text, "utf8").toString("base64") === base64 ? text : null;
}

function mustBe(headers, name, right) {
  const value = headers[name];
  return value !== undefined && right(value) ? [] : [`header ${name} is ${value ?? "missing"} (P12)`];
}

function mustEqual(headers, name, wanted, read = (value) => value) {
  const value = headers[name];
  if (value === undefined) return [`header ${name} is missing, the body says ${wanted}`];
  return read(value) === wanted ? [] : [`header ${name} is ${value}, the body says ${wanted}`];
}

function essence(type) {
  return type.split(";")[0].trim().toLowerCase();
}

function accepts(value, type) {
  return value.split(",").some((entry) => essence(entry) === type);
}

function leaves(value) {
  if (value === null || value === undefined) return [];
  return typeof value === "object" ? Object.values(value).flatMap(leaves) : [String(value)];
}
