// The program that the suite starts for each scenario: `client.mjs node|chromium URL`, the rest in variables of the environment. It
// plays the scenario and ends with 0 when the application got what it should have.
import { inChromium } from "./browser.mjs";
import { play } from "./scenarios.js";

// Below the suite's own limit, which says nothing about what was going on.
const LIMIT_MS = 40_000;

const inNode = async (task) => play(await import("../../pkg/dist/index.js"), task);

const [where, serverUrl] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION, MCP_CONFORMANCE_CONTEXT = "{}" } = process.env;

// Also for a client that left something open behind it: nothing else ends this process.
setTimeout(() => {
  console.error(`still running after ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS).unref();

await { node: inNode, chromium: inChromium }[where]({
  scenario: MCP_CONFORMANCE_SCENARIO,
  version: MCP_CONFORMANCE_PROTOCOL_VERSION,
  context: JSON.parse(MCP_CONFORMANCE_CONTEXT),
  serverUrl,
});
