// The types of `bowline/testing`, as a strict test of an application sees them.
import type { ClientSnapshot, McpClient } from "bowline";
import { createFakeServer, createTestClient, recordStates, type FakeServer } from "bowline/testing";
import { exactly } from "./expect.js";

const server = createFakeServer({ era: "legacy", transports: ["http"], seed: 7 });
exactly<FakeServer>()(server);
exactly<McpClient>()(createTestClient(server, { enableCaching: false }));
exactly<ClientSnapshot[]>()(recordStates(createTestClient(server)));
exactly<Promise<void>>()(server.clock.advance(30_000));
server.handle("tools/call", ({ name }) => ({ content: [{ type: "text", text: name }] }));
server.drop("half-open");
// @ts-expect-error a link has no such end
server.drop("loud");
// @ts-expect-error there is no such era
createFakeServer({ era: "future" });
