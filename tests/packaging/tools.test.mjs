// What the facade does with tools' definitions: which are left out, which arguments become headers (P15 to P17); on a setting core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./client.mjs";
import { served } from "./served.mjs";

const tool = (name, properties, more) => ({ name, inputSchema: { type: "object", properties, ...more } });
const annotated = (type, header) => ({ type, "x-mcp-header": header });

/** A client whose server lists these tools. */
async function listed(tools, options) {
  const setting = served(({ method }) => (method === "tools/list" ? { tools } : { content: [] }), options);
  return { ...setting, names: (await setting.client.listTools()).map(({ name }) => name) };
}

/** The headers that a call of a tool with this schema carries. */
async function headers(properties, args, options) {
  const { client, sent } = await listed([tool("it", properties)], options);
  await client.callTool("it", args);
  return Object.fromEntries(sent.at(-1).headers ?? []);
}

const region = annotated("string", "Region");
const nested = (keyword, value) => tool("it", {}, { [keyword]: value });

const INVALID = {
  "an empty name": tool("it", { a: annotated("string", "") }),
  "a name with a space": tool("it", { a: annotated("string", "My Region") }),
  "a name with a colon": tool("it", { a: annotated("string", "Region:Primary") }),
  "a name that is not ASCII": tool("it", { a: annotated("string", "Région") }),
  "a name with a tab": tool("it", { a: annotated("string", "Region\t1") }),
  "a name with CR and LF": tool("it", { a: annotated("string", "Region\r\nX-Evil: 1") }),
  "a name with LF at its end": tool("it", { a: annotated("string", "Region\n") }),
  "a name that is no text": tool("it", { a: annotated("string", 5) }),
  "a name that is null": tool("it", { a: annotated("string", null) }),
  "the type number": tool("it", { a: annotated("number", "A") }),
  "the type object": tool("it", { a: annotated("object", "A") }),
  "the type array": tool("it", { a: annotated("array", "A") }),
  "the type null": tool("it", { a: annotated("null", "A") }),
  "several types": tool("it", { a: annotated(["string", "null"], "A") }),
  "no type": tool("it", { a: { "x-mcp-header": "A" } }),
  "the same name twice": tool("it", { a: region, b: region }),
  "the same name in other case": tool("it", { a: region, b: { type: "object", properties: { c: annotated("string", "REGION") } } }),
  "the root itself": tool("it", {}, { "x-mcp-header": "Root" }),
  "array items": tool("it", { a: { type: "array", items: region } }),
  "the properties of array items": tool("it", { a: { type: "array", items: { properties: { b: region } } } }),
  "an unknown keyword": nested("x-more", region),
  ...Object.fromEntries(
    ["prefixItems", "oneOf", "anyOf", "allOf"].map((keyword) => [keyword, nested(keyword, [{ properties: { a: region } }])]),
  ),
  ...Object.fromEntries(
    "not if then else additionalProperties unevaluatedProperties propertyNames contains"
      .split(" ")
      .map((keyword) => [keyword, nested(keyword, { properties: { a: region } })]),
  ),
  ...Object.fromEntries(
    "$defs definitions patternProperties dependentSchemas".split(" ").map((keyword) => [keyword, nested(keyword, { a: region })]),
  ),
};

for (const [what, invalid] of Object.entries(INVALID)) {
  test(`an annotation is invalid with ${what}: the tool is left out, the others stay, and a warning says why`, async () => {
    const { names, warnings } = await listed([tool("before", { a: region }), invalid, tool("after", {})]);
    assert.deepEqual(names, ["before", "after"]);
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0].tool, "it");
    assert.match(warnings[0].message, /^tool "it" has an invalid definition: x-mcp-header .* is /);
  });
}

test("a list with annotations: a schema nested too deeply to be looked through is left out", async () => {
  const deep = JSON.parse(`${'{"properties":{"a":'.repeat(500)}{"x-mcp-header":"A"}${"}}".repeat(500)}`);
  const { names, warnings } = await listed([{ name: "deep", inputSchema: deep }, tool("flat", {})]);
  assert.deepEqual(names, ["flat"]);
  assert.match(warnings[0].message, /nested too deeply/);
});

test("what only looks like an annotation is none: property names, defaults, examples", async () => {
  const harmless = tool("it", {
    "x-mcp-header": { type: "array" },
    properties: { type: "object" },
    a: { type: "object", default: { "x-mcp-header": "" }, examples: [{ "x-mcp-header": "" }], const: { "x-mcp-header": "" } },
  });
  const { names, warnings } = await listed([harmless]);
  assert.deepEqual(names, ["it"]);
  assert.deepEqual(warnings, []);
});

test("an annotation is found in a text that hides its letters", async () => {
  const { client, peer } = open({}, {});
  const listing = client.listTools();
  const list = { tools: [tool("bad", { a: annotated("number", "A") }), tool("good", {})] };
  peer.settle(peer.of("tools/list")[0], list, (message) => JSON.stringify(message).replace("x-mcp-header", "x-mcp-\\u0068eader"));
  assert.deepEqual((await listing).map(({ name }) => name), ["good"]);
});

test("of many lists without annotations the newest definition counts, also beside one with them", async () => {
  let round = 0;
  const { client, sent } = served(({ method }) => {
    if (method !== "tools/list") return { content: [] };
    round += 1;
    return { tools: [tool("it", round === 40 ? { region } : { [`in${round}`]: { type: "string" } })] };
  });
  const call = async () => {
    await client.callTool("it", { region: "west" });
    return Object.fromEntries(sent.at(-1).headers ?? []);
  };
  for (let at = 1; at <= 40; at += 1) await client.request("tools/list", {}, { useCache: false });
  assert.deepEqual(await call(), { "mcp-param-Region": "west" });
  await client.request("tools/list", {}, { useCache: false });
  assert.deepEqual(await call(), {});
});

test("of lists that nobody has asked about yet, each tool's newest definition counts, and none is forgotten", () => {
  const { host } = served(() => ({}));
  const names = ["a", "b", "c", "d", "e", "f"];
  const newest = new Map();
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 3000; round += 1) {
    const some = random(3) ? 5 : random(64);
    const tools = names.filter((_, at) => some & (1 << at)).map((name) => tool(name, {}));
    if (random(4) === 0) tools.reverse();
    host.tools.learn({ tools }, true, "");
    for (const one of tools) newest.set(one.name, one);
    if (random(60) === 0) for (const name of names) assert.equal(host.tools.get(name), newest.get(name), `${name} after ${round}`);
  }
});

test("entries of a list that are no tools are passed on as they are", async () => {
  const { client, warnings } = served(() => ({ tools: [null, 5, { name: 5 }, {}] }));
  assert.deepEqual(await client.listTools(), [null, 5, { name: 5 }, {}]);
  assert.deepEqual(warnings, []);
});

test("each flaw is told once, a new one again", async () => {
  const tools = [tool("it", { a: annotated("number", "A") })];
  const { client, warnings } = await listed(tools);
  await client.listTools({ useCache: false });
  assert.equal(warnings.length, 1);
  tools[0] = tool("it", { a: annotated("string", "") });
  await client.request("tools/list");
  assert.equal(warnings.length, 2);
});

test("in the legacy era annotations mean nothing: no tool is left out, nothing is warned of", async () => {
  const { names, warnings } = await listed(Object.values(INVALID), { era: "legacy" });
  assert.equal(names.length, Object.keys(INVALID).length);
  assert.deepEqual(warnings, []);
});

test("a result that others share is not changed", async () => {
  const shared = Object.freeze({ tools: Object.freeze([tool("bad", { a: annotated("number", "A") }), tool("good", {})]), nextCursor: "n" });
  const { client } = served(() => shared);
  const seen = await client.request("tools/list");
  assert.deepEqual(seen.tools.map(({ name }) => name), ["good"]);
  assert.equal(seen.nextCursor, "n");
  assert.equal(shared.tools.length, 2);
});

test("values become headers as the specification's vectors say", async () => {
  const vectors = {
    "us-west1": "us-west1",
    "Hello, 世界": "=?base64?SGVsbG8sIOS4lueVjA==?=",
    " padded ": "=?base64?IHBhZGRlZCA=?=",
    "line1\nline2": "=?base64?bGluZTEKbGluZTI=?=",
    "=?base64?literal?=": "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
  };
  for (const [value, header] of Object.entries(vectors)) assert.deepEqual(await headers({ region }, { region: value }), { "mcp-param-Region": header });
  const properties = { n: annotated("integer", "N"), yes: annotated("boolean", "Yes"), no: annotated("boolean", "No") };
  assert.deepEqual(await headers(properties, { n: -7, yes: true, no: false }), { "mcp-param-N": "-7", "mcp-param-Yes": "true", "mcp-param-No": "false" });
});

test("integers go as headers within the safe range only", async () => {
  const n = annotated("integer", "N");
  for (const safe of [0, 42, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    assert.deepEqual(await headers({ n }, { n: safe }), { "mcp-param-N": String(safe) });
  }
  for (const unsafe of [2 ** 53, -(2 ** 53), 1e300, 1.5, NaN]) assert.deepEqual(await headers({ n }, { n: unsafe }), {}, String(unsafe));
});

test("null and absent arguments, others without annotation, objects and inherited names give no header", async () => {
  const properties = { region, other: { type: "string" }, constructor: annotated("string", "C") };
  for (const args of [{}, { region: null }, { other: "x" }, { region: { a: 1 } }, { region: ["a"] }, { region: undefined }]) {
    assert.deepEqual(await headers(properties, args), {});
  }
});

test("a nested argument is read at its exact place", async () => {
  const properties = { where: { type: "object", properties: { region } }, region: { type: "string" } };
  assert.deepEqual(await headers(properties, { region: "wrong", where: { region: "right" } }), { "mcp-param-Region": "right" });
  assert.deepEqual(await headers(properties, { region: "wrong", where: null }), {});
  assert.deepEqual(await headers(properties, { region: "wrong" }), {});
});

test("a header says what the body says, also of values that print themselves", async () => {
  const day = new Date(0);
  assert.deepEqual(await headers({ region }, { region: day }), { "mcp-param-Region": day.toISOString() });
});

test("a tool nobody has listed, and one without annotations, is called without headers", async () => {
  assert.deepEqual(await headers({ region: { type: "string" } }, { region: "a" }), {});
  const { client, sent } = served(() => ({ content: [] }));
  await client.callTool("unknown", { region: "a" });
  assert.equal(sent[0].headers, undefined);
});

test("the newest definition counts, and a page of a list forgets no other", async () => {
  const pages = { first: tool("one", { region }), second: tool("two", { region }) };
  const { client, sent } = served(({ method, params }) =>
    method === "tools/list" ? { tools: [pages[params.cursor ?? "first"]], nextCursor: params.cursor ? undefined : "second" } : { content: [] },
  );
  const told = async (name) => {
    await client.callTool(name, { region: "a" });
    return sent.at(-1).headers;
  };
  await client.listTools();
  assert.deepEqual(await told("one"), [["mcp-param-Region", "a"]]);
  assert.deepEqual(await told("two"), [["mcp-param-Region", "a"]]);
  pages.first = tool("one", { region: annotated("string", "Zone") });
  await client.request("tools/list");
  assert.deepEqual(await told("one"), [["mcp-param-Zone", "a"]]);
  pages.first = tool("one", { region: annotated("string", "") });
  await client.request("tools/list");
  assert.equal(await told("one"), undefined);
});

test("a definition given with the call does what a listed one does, for that call", async () => {
  const { client, sent, warnings } = served(() => ({ content: [] }));
  await client.callTool("it", { region: "a" }, { toolDefinition: tool("it", { region }) });
  assert.deepEqual(sent[0].headers, [["mcp-param-Region", "a"]]);
  await client.callTool("it", { region: "a" }, { toolDefinition: tool("it", { region: annotated("number", "A") }) });
  assert.equal(sent[1].headers, undefined);
  assert.equal(warnings.length, 1);
  await client.callTool("it", { region: "a" });
  assert.equal(sent[2].headers, undefined);
});

test("arguments that are no JSON are refused before anything is sent", async () => {
  const { client, sent, McpError } = await listed([tool("it", { region })]);
  sent.length = 0;
  const cycle = {};
  cycle.cycle = cycle;
  await assert.rejects(client.callTool("it", cycle), (error) => McpError.is(error, "SEND_FAILED") && error.outcome === "not-sent");
  assert.equal(sent.length, 0);
});
