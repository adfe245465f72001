// Tests of what the shell's snippets do for event streams (src/web/stream.js, and the GETs of glue.js), without wasm.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as glue from "../../src/web/glue.js";
import { exchange } from "../../src/web/http.js";
import { headerBytes, messageAddress } from "../../src/web/stream.js";

glue.setUp({ hear() {} }, "tools/call", 0, "2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28");
const asked = [];
const host = {
  clientInfo: { name: "test", version: "1" },
  capabilities: {},
  url: "https://example.com/base/sse?tenant=1",
  fetch: async (url, init) => {
    asked.push({ url, ...init });
    return new Response(null, { status: 405 });
  },
};
const client = glue.open(host, 1000);
const bytes = (text) => new TextEncoder().encode(text);
const STREAM = -2;
const LEGACY = 3;

/** The address as an exchange would use it; none when it is refused. */
function address(text) {
  const handle = messageAddress(client, bytes(text));
  if (handle === 0) return undefined;
  exchange(client, 1, STREAM, 0, 0, 0, -1, 0, 0, 0, handle);
  return asked.at(-1).url;
}

test("the address for messages is resolved against that of the stream", () => {
  assert.equal(address("/message?sessionId=7"), "https://example.com/message?sessionId=7");
  assert.equal(address("message"), "https://example.com/base/message");
  assert.equal(address("https://example.com/other"), "https://example.com/other");
});

test("an address of another origin is none", () => {
  for (const text of ["https://evil.example/message", "//evil.example/", "http://example.com/", "https://example.com:444/", "javascript:1", "http://["]) {
    assert.equal(address(text), undefined, text);
  }
});

test("a stream is asked for with its session, its revision and the last event, byte by byte", () => {
  const [session, last] = [bytes("s-1"), bytes("é-7")].map(headerBytes);
  exchange(client, 2, STREAM, 0, 0, 0, LEGACY, 0, session, last, 0);
  const { url, method, headers, body, cache } = asked.at(-1);
  assert.deepEqual([url, method, body, cache], [host.url, "GET", undefined, "no-store"]);
  assert.deepEqual(headers, {
    accept: "text/event-stream",
    "mcp-protocol-version": "2025-11-25",
    "mcp-session-id": "s-1",
    "last-event-id": "Ã©-7",
  });
});
