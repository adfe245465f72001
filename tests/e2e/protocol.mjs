// End to end in Node: the protocol beyond calls and losses (node.mjs), with the built package, against real servers, and against doubles where
// no real server does what is tested. What was sent is looked at on the wire, and every message is held against its schema.
import assert from "node:assert/strict";

import { startServers } from "../servers/index.mjs";
import { check, finish } from "./checks.mjs";
import { doubles } from "./protocol/doubles.mjs";
import { legacy } from "./protocol/legacy.mjs";
import { listening } from "./protocol/listening.mjs";
import { modern } from "./protocol/modern.mjs";
import { shared } from "./protocol/shared.mjs";

const servers = await startServers(["modern", "python-http", "everything", "everything-sse", "python-ws", "fault"], { wire: true });
try {
  for (const part of [shared, modern, listening, legacy, doubles]) await part(servers);
  await check("every message that was sent is right by the schema of its revision", () => {
    assert.deepEqual(servers.problems(), []);
    for (const { name, wire } of servers.list) assert.ok(wire.sent.length > 10, `${name} saw ${wire.sent.length} messages`);
  });
} finally {
  await servers.stop();
}
finish();
