// `npm test`: prepares the machine, then runs everything that a change must pass, with time per step.
// `--list` names the steps, `--only a,b` runs some. Firefox and the rarer workers are in all.mjs.
import { readdirSync } from "node:fs";
import { build } from "../pkg-template/build.mjs";
import { inRoot, node, run } from "../pkg-template/proc.mjs";
import {
  ensureNodeModules,
  ensureRustComponents,
  ensureWasmBindgen,
  ensureWasmTarget,
  wasmTarget,
} from "../pkg-template/setup.mjs";
import { browserTest } from "./browsers.mjs";
import { mustHaveRun, runSteps } from "./steps.mjs";

// A script that hangs must not hang the run.
const limit = { timeout: 600_000 };
// The tool package is not ours: it only holds the pinned wasm-bindgen programs.
const workspace = ["--locked", "--workspace", "--exclude", "wbg-tools"];
// Headers that CORS must let pass, server requests on streams, streams that are resumed; all of them: `npm run conformance`.
const inBrowser = "http-custom-headers,sep-2322-client-request-state,elicitation-sep1034-client-defaults,sse-retry";
const script = async (...path) => node(inRoot("tests", ...path), [], limit);
const conformance = async (...args) => node(inRoot("tests", "conformance", "run.mjs"), args, limit);
const tsc = (...project) =>
  node(inRoot("node_modules", "typescript", "bin", "tsc"), ["--noEmit", "-p", inRoot(...project)]);

async function setup() {
  await ensureNodeModules();
  await ensureWasmTarget();
  await ensureRustComponents();
  await ensureWasmBindgen();
}

/** All `*.test.mjs` of some folders under Node's own test runner. */
async function nodeTests(...folders) {
  const files = folders.flatMap((folder) => {
    const names = readdirSync(inRoot("tests", folder)).filter((name) => name.endsWith(".test.mjs"));
    return names.map((name) => inRoot("tests", folder, name));
  });
  return mustHaveRun(await run(process.execPath, ["--test", "--test-reporter=tap", ...files], limit));
}

await runSteps([
  {
    name: "setup",
    about: "npm modules, the wasm target, rustfmt and clippy, wasm-bindgen",
    run: setup,
    required: true,
  },
  { name: "fmt", about: "cargo fmt --check", run: () => run("cargo", ["fmt", "--all", "--check"]) },
  {
    name: "clippy",
    about: "clippy on the host, all targets, warnings are errors",
    run: () => run("cargo", ["clippy", ...workspace, "--all-targets", "--", "-D", "warnings"]),
  },
  {
    name: "clippy-wasm",
    about: "clippy for wasm32 of what runs there, with the browser tests",
    run: () =>
      run("cargo", [
        "clippy",
        "--locked",
        "--target",
        wasmTarget,
        "-p",
        "bowline",
        "-p",
        "bowline-cluster",
        "-p",
        "bowline-web",
        "--all-targets",
        "--",
        "-D",
        "warnings",
      ]),
  },
  {
    name: "native",
    about: "cargo test: units, properties, simulator and doc examples of the core",
    run: async () => mustHaveRun(await run("cargo", ["test", ...workspace])),
  },
  {
    name: "mutations",
    about: "the simulator notices when rules of the core are turned off; all of them: npm run sim -- --mutations",
    run: async () => mustHaveRun(await node(inRoot("tests", "sim", "run.mjs"), ["--mutations", "--only", "sent again,tells the server"], limit)),
  },
  { name: "build", about: "npm run build: pkg/ and its sizes", run: () => build() },
  { name: "house", about: "layers, no env import, size gates, file lengths", run: () => script("house.mjs") },
  {
    name: "types",
    about: "tsc on the built types as a strict user sees them, and on the demo",
    run: async () => (await tsc("tests", "types")) + (await tsc("www")),
  },
  { name: "facade", about: "node --test: the TypeScript facade", run: () => nodeTests("packaging") },
  { name: "schema", about: "node --test: the check of messages against the specification's schemas", run: () => nodeTests("schema") },
  { name: "servers", about: "node --test: the test servers, by the official clients", run: () => nodeTests("servers") },
  {
    name: "browser-page",
    about: "wasm-bindgen-test in a page of Chromium, real servers",
    run: () => browserTest("chromium", "browser_page"),
  },
  {
    name: "browser-worker",
    about: "the same in a dedicated worker",
    run: () => browserTest("chromium", "browser_worker"),
  },
  {
    name: "packaging",
    about: "the packed tarball in Node, in Vite, in a plain page",
    run: async () => mustHaveRun(await script("packaging", "run.mjs")),
  },
  {
    name: "e2e-node",
    about: "the built package in Node against three real servers",
    run: async () => mustHaveRun(await script("e2e", "node.mjs")),
  },
  {
    name: "e2e-protocol",
    about: "the protocol beyond calls: the built package in Node against real servers and doubles, every message checked",
    run: async () => mustHaveRun(await script("e2e", "protocol.mjs")),
  },
  {
    name: "discovery",
    about: "sources of nodes against real Consul and etcd, in Node and Chromium, and what the core makes of them",
    run: async () => mustHaveRun(await script("cluster", "discovery.mjs")),
  },
  {
    name: "state",
    about: "shared state: real Redis behind two gateways, IndexedDB, two regions, in Node and Chromium",
    run: async () => mustHaveRun(await script("cluster", "state.mjs")),
  },
  {
    name: "cluster-route",
    about: "the cluster of the built package over real servers, killed and cut, in Node and Chromium",
    run: async () => mustHaveRun(await script("cluster", "route.mjs")),
  },
  {
    name: "cluster-live",
    about: "the same with its nodes in real Consul and etcd, under load, nodes and registries killed; all of it: npm run cluster",
    run: async () => mustHaveRun(await node(inRoot("tests", "cluster", "registry.mjs"), ["--short"], limit)),
  },
  {
    name: "crash",
    about: "the built package in Node and Chromium: the module traps, everywhere",
    run: async () => mustHaveRun(await script("e2e", "crash.mjs")),
  },
  {
    name: "e2e-doubt",
    about: "calls of unknown outcome: late answers and retries in Node, reloads in Chromium",
    run: async () => mustHaveRun(await script("e2e", "doubt.mjs")),
  },
  {
    name: "e2e-diagnosis",
    about: "why there is no link, told by the built package in Chromium: mixed content, content security policy, local network, portals",
    run: async () => mustHaveRun(await script("e2e", "diagnosis.mjs")),
  },
  {
    name: "e2e-persist",
    about: "what is kept survives a reload: bowline/persist in Chromium",
    run: async () => mustHaveRun((await script("e2e", "persist.mjs")) + (await script("e2e", "journal.mjs"))),
  },
  {
    name: "bad-input",
    about: "the built package in Node and Chromium against the fault server",
    run: async () => mustHaveRun(await script("e2e", "bad-input.mjs")),
  },
  {
    name: "faults-short",
    about: "a dozen rows of the fault matrix, the built package in Node",
    run: async () => mustHaveRun(await node(inRoot("tests", "faults", "run.mjs"), ["--short"], limit)),
  },
  {
    name: "e2e-browser",
    about: "the built demo in Chromium against three real servers",
    run: async () => mustHaveRun(await script("e2e", "browser.mjs")),
  },
  {
    name: "soak-short",
    about: "a minute of the soak in Node: 300 calls per second with faults, nothing twice, no memory kept; an hour of it: npm run soak",
    run: async () => mustHaveRun(await node(inRoot("tests", "soak", "run.mjs"), ["--minutes", "1"], limit)),
  },
  {
    name: "e2e-lifecycle",
    about: "the built package in Chromium: pages kept, frozen, hidden, offline and reloaded, links that die",
    run: async () => mustHaveRun(await script("e2e", "lifecycle.mjs")),
  },
  {
    name: "conformance-node",
    about: "the official conformance suite against the built package, in Node",
    run: async () => mustHaveRun(await conformance("--target", "node")),
  },
  {
    name: "conformance-chromium",
    about: "the scenarios of it in which a browser differs most, in Chromium",
    run: async () => mustHaveRun(await conformance("--target", "chromium", "--only", inBrowser)),
  },
]);
