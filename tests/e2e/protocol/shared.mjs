// What every server of both eras must be good for: prompts, templates, completion, pages, time limits with progress.
import assert from "node:assert/strict";

import { rejection } from "../checks.mjs";
import { textOf, watch, withClient } from "./client.mjs";

const SUBJECTS = [
  { name: "modern", prompt: "review", args: { language: "rust", code: "fn" }, told: /Review this rust: fn/, complete: ["language", "ru", ["ruby", "rust"]] },
  { name: "python-http", prompt: "review", args: { language: "rust", code: "fn" }, told: /Review this rust: fn/, complete: ["language", "ru", ["ruby", "rust"]] },
  { name: "everything", prompt: "completable-prompt", args: { department: "Sales", name: "Eve" }, told: /promote Eve/, complete: ["department", "S", ["Sales", "Support"]] },
];

export async function shared(servers) {
  for (const subject of SUBJECTS) await offers(servers[subject.name], subject);
  for (const name of ["modern", "python-ws"]) await limits(servers[name]);
  await pages(servers.modern);
}

async function offers(server, { name, prompt, args, told, complete: [argument, typed, values] }) {
  await withClient(`${name}: lists prompts and gets one with arguments`, server, {}, async (client) => {
    const prompts = await client.listPrompts();
    assert.ok(prompts.some((entry) => entry.name === prompt));
    const { messages } = await client.getPrompt(prompt, args);
    assert.equal(messages[0].role, "user");
    assert.match(messages[0].content.text, told);
  });
  await withClient(`${name}: lists templates and reads what one leads to`, server, {}, async (client) => {
    const [{ uriTemplate }] = await client.listResourceTemplates();
    const uri = uriTemplate.replace(/\{.*\}/, "1");
    const { contents } = await client.readResource(uri);
    assert.equal(contents[0].uri, uri);
    assert.ok((contents[0].text ?? contents[0].blob).length > 0);
  });
  await withClient(`${name}: completes an argument`, server, {}, async (client) => {
    const found = await client.complete({ type: "ref/prompt", name: prompt }, { name: argument, value: typed });
    assert.deepEqual(found.values, values);
  });
}

async function limits(server) {
  const { name } = server;
  await withClient(`${name}: progress starts the time limit anew`, server, {}, async (client) => {
    const seen = [];
    const done = await client.callTool("slow", { ms: 1500, steps: 15 }, { timeout: 500, onProgress: ({ progress }) => seen.push(progress) });
    assert.equal(textOf(done), "done in 15 steps");
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
    assert.ok(seen.length > 5, String(seen));
  });
  await withClient(`${name}: progress does not lift the hard limit`, server, {}, async (client) => {
    const options = { timeout: 500, maxTotalTimeout: 800, onProgress() {} };
    const error = await rejection(client.callTool("slow", { ms: 5000, steps: 50 }, options));
    assert.equal(error.code, "REQUEST_TIMEOUT");
    assert.equal(error.stage, "total");
  });
  await withClient(`${name}: progress can be kept from starting the time limit anew`, server, {}, async (client) => {
    const options = { timeout: 500, resetTimeoutOnProgress: false, onProgress() {} };
    const error = await rejection(client.callTool("slow", { ms: 5000, steps: 50 }, options));
    assert.equal(error.code, "REQUEST_TIMEOUT");
    assert.equal(error.stage, "response");
  });
}

async function pages(server) {
  await withClient("modern: a list is asked for page by page, with the server's cursors", server, {}, async (client) => {
    const sent = watch(server, "tools/list");
    assert.equal((await client.listTools({ useCache: false })).length, 10);
    assert.deepEqual(sent().map(({ message }) => message.params.cursor), [undefined, "from:4", "from:8"]);
  });
  await withClient("modern: iterating over tools asks for a page when it is needed", server, {}, async (client) => {
    const sent = watch(server, "tools/list");
    for await (const { name } of client.tools({ useCache: false })) {
      if (name === "counter") break;
    }
    assert.equal(sent().length, 1);
    const names = [];
    for await (const { name } of client.tools({ useCache: false })) names.push(name);
    assert.equal(names.length, 10);
    assert.equal(sent().length, 4);
  });
}
