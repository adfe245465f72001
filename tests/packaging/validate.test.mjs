// Structured results against outputSchema (P60, P61): when they are checked, what a failure says, which schemas are refused; with the
// adapter of bowline/cfworker, on a setting core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { served } from "./served.mjs";

const entry = fileURLToPath(new URL("../../pkg-template/src/cfworker.ts", import.meta.url));
const outfile = fileURLToPath(new URL("../../.cache/facade-test/cfworker.mjs", import.meta.url));
await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", target: "es2022", external: ["@cfworker/json-schema"] });
const { cfworker } = await import(outfile);

const SUM = { type: "object", properties: { sum: { type: "integer" } }, required: ["sum"] };
const fits = { content: [], structuredContent: { sum: 3 } };
const misfits = { content: [], structuredContent: { sum: "three" } };

/** What a call of a tool with this schema ends in: its result, or the error. */
async function called(outputSchema, result, { options, validator = cfworker() } = {}) {
  const serve = ({ method }) => (method === "tools/list" ? { tools: [{ name: "add", inputSchema: {}, outputSchema }] } : result);
  const setting = served(serve, { protocol: { validator } });
  await setting.client.listTools();
  const ended = await setting.client.callTool("add", {}, options).catch((error) => error);
  return { ...setting, ended };
}

async function refused(outputSchema, result, words) {
  const { ended, McpError } = await called(outputSchema, result);
  assert.ok(McpError.is(ended, "INVALID_RESULT"), `resolved with ${JSON.stringify(ended)}`);
  assert.equal(ended.outcome, "applied", "the tool was executed");
  assert.equal(ended.retryable, false);
  assert.equal(ended.tool, "add");
  assert.match(ended.message, words);
  assert.match(ended.hint, /was executed/);
  return ended;
}

test("a result that fits is handed out as it came", async () => {
  assert.deepEqual((await called(SUM, fits)).ended, fits);
});

test("a result that does not fit is refused, with what is wrong and where", async () => {
  const error = await refused(SUM, misfits, /^tools\/call add: the result does not fit the tool's outputSchema: .*#\/sum: /);
  assert.ok(error.data.some((line) => line.startsWith("#/sum: ")), String(error.data));
});

test("a structured result that is missing is refused; null is not missing", async () => {
  await refused(SUM, { content: [] }, /does not fit .*: no structuredContent$/);
  await refused(SUM, null, /does not fit .*: no structuredContent$/);
  const nothing = { content: [], structuredContent: null };
  assert.deepEqual((await called({ type: "null" }, nothing)).ended, nothing);
  await refused(SUM, nothing, /does not fit/);
  const list = { content: [], structuredContent: [1] };
  assert.deepEqual((await called({ type: "array" }, list)).ended, list);
});

test("a tool's own failure, a tool without outputSchema and a call that wants it so are not checked", async () => {
  const failed = { content: [], isError: true };
  assert.deepEqual((await called(SUM, failed)).ended, failed);
  assert.deepEqual((await called(undefined, misfits)).ended, misfits);
  assert.deepEqual((await called(SUM, misfits, { options: { validateOutput: false } })).ended, misfits);
  assert.deepEqual((await called(SUM, misfits, { validator: null })).ended, misfits);
});

test("a definition given with the call is what the result is checked against", async () => {
  const { client } = served(() => misfits, { protocol: { validator: cfworker() } });
  const call = client.callTool("add", {}, { toolDefinition: { name: "add", inputSchema: {}, outputSchema: SUM } });
  await assert.rejects(call, { code: "INVALID_RESULT" });
});

test("the dialect is the one a schema names, and 2020-12 without", async () => {
  const pair = { content: [], structuredContent: ["a", 1] };
  const tuple = [{ type: "string" }, { type: "string" }];
  await refused({ prefixItems: tuple }, pair, /does not fit/);
  for (const [$schema, keyword] of [
    ["https://json-schema.org/draft/2020-12/schema", "prefixItems"],
    ["https://json-schema.org/draft/2019-09/schema", "items"],
    ["http://json-schema.org/draft-07/schema#", "items"],
    ["http://json-schema.org/draft-04/schema#", "items"],
  ]) {
    await refused({ $schema, [keyword]: tuple }, pair, /does not fit/);
  }
});

test("an unknown dialect is told by a warning, once, and the result is handed out", async () => {
  const { ended, client, warnings } = await called({ $schema: "https://example.com/own", ...SUM }, misfits);
  assert.deepEqual(ended, misfits);
  await client.callTool("add");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0].message, /"add" are not validated: .* https:\/\/example\.com\/own$/);
});

test("a schema that refers to the outside is refused, and nothing is fetched", async (context) => {
  const fetched = context.mock.method(globalThis, "fetch", () => assert.fail("fetched"));
  for (const $ref of ["https://example.com/sum.json", "//example.com/sum.json", "other.json", "other.json#/a"]) {
    await refused({ properties: { sum: { $ref } } }, fits, /cannot be used: the schema refers to https:\/\//);
  }
  await refused({ $id: "https://example.com/a/", anyOf: [true, { $ref: "b" }] }, fits, /refers to https:\/\/example\.com\/a\/b/);
  await refused({ $ref: "http://[" }, fits, /cannot be used/);
  assert.equal(fetched.mock.callCount(), 0);
});

test("a schema may refer to its own parts: by pointer, anchor, or the id of a part", async () => {
  const own = [
    { $ref: "#/$defs/s", $defs: { s: SUM } },
    { $ref: "#sum", $defs: { s: { $anchor: "sum", ...SUM } } },
    { $id: "https://example.com/root", $ref: "part", $defs: { s: { $id: "part", ...SUM } } },
  ];
  for (const schema of own) {
    assert.deepEqual((await called(schema, fits)).ended, fits);
    await refused(schema, misfits, /does not fit/);
  }
  await refused({ $ref: "#/$defs/missing" }, fits, /cannot be used/);
});

test("schemas too deep, too large or without end are refused", async () => {
  let deep = {};
  for (let i = 0; i < 70; i += 1) deep = { not: deep };
  await refused(deep, fits, /too large/);
  await refused({ anyOf: Array.from({ length: 2001 }, () => ({})) }, fits, /too large/);
  await refused({ $ref: "#" }, fits, /cannot be used/);
  await refused({ $defs: { a: { $dynamicAnchor: "a" } }, $dynamicRef: "#a" }, fits, /dynamicRef/);
});

test("a schema is compiled once, and one of a shared, frozen list too", async () => {
  let compiled = 0;
  const inner = cfworker();
  const validator = { ...inner, compile: (schema) => ((compiled += 1), inner.compile(schema)) };
  const freeze = (value) => (Object.values(value).forEach((part) => part instanceof Object && freeze(part)), Object.freeze(value));
  const { ended, client } = await called(freeze({ ...SUM, properties: { sum: { $ref: "#/$defs/n" } }, $defs: { n: { type: "integer" } } }), fits, { validator });
  assert.deepEqual(ended, fits);
  await Promise.all([client.callTool("add"), client.callTool("add")]);
  assert.equal(compiled, 1);
});

test("a validator may work at once or later, and what it throws is the reason", async () => {
  const checks = [() => () => ["#: wrong"], async () => () => ["#: wrong"]];
  for (const compile of checks) {
    const { ended } = await called({ ...SUM }, fits, { validator: { dialects: cfworker().dialects, compile } });
    assert.deepEqual([ended.code, ended.data], ["INVALID_RESULT", ["#: wrong"]]);
  }
  const boom = new Error("boom");
  const broken = [
    () => { throw boom; },
    async () => { throw boom; },
    () => () => { throw boom; },
  ];
  for (const compile of broken) {
    const { ended } = await called({ ...SUM }, fits, { validator: { dialects: cfworker().dialects, compile } });
    assert.deepEqual([ended.code, ended.cause], ["INVALID_RESULT", boom]);
  }
});

test("a call cancelled while its schema is compiled ends at once, and once", async () => {
  let go;
  const validator = { dialects: cfworker().dialects, compile: () => new Promise((resolve) => (go = resolve)) };
  const { client } = served(() => misfits, { protocol: { validator } });
  const call = client.callTool("add", {}, { toolDefinition: { name: "add", inputSchema: {}, outputSchema: { ...SUM } } });
  while (!go) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(call.phase, "sent");
  call.cancel("enough");
  await assert.rejects(call, { code: "ABORTED", reason: "enough", outcome: "unknown" });
  go(() => []);
  assert.equal(call.phase, "settled");
});
