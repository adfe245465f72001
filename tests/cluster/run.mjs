// `npm run cluster`: everything about clusters that needs real parts, one after the other: discovery, shared state, routes, registries under
// load. `--only discovery,state` runs some; what else is given goes to each. It contains no test.
import { inRoot, node } from "../../pkg-template/proc.mjs";
import { ensureNodeModules } from "../../pkg-template/setup.mjs";
import { build } from "../../pkg-template/build.mjs";
import { mustHaveRun, runSteps } from "../steps.mjs";

const STEPS = {
  discovery: "sources of nodes against real Consul and etcd",
  state: "shared state behind real gateways",
  route: "calls over real servers that are killed and cut",
  registry: "nodes in real registries, under load",
};

const given = process.argv.slice(2);
const rest = given.filter((word, at) => word !== "--only" && given[at - 1] !== "--only");

await ensureNodeModules();
await build({ quiet: true });
await runSteps(
  Object.entries(STEPS).map(([name, about]) => ({
    name,
    about,
    run: async () => mustHaveRun(await node(inRoot("tests", "cluster", `${name}.mjs`), rest, { timeout: 1_800_000 })),
  })),
);
