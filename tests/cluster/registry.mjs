// End to end, live: the built package's cluster under 100 calls per second, its nodes five real MCP servers in a real registry, of which one
// is killed, then the registry (live/scenario.mjs). `--registry consul,etcd-3.4,etcd-3.5`, `--place Node,Chromium` run some; `--short`: Consul
// and etcd 3.5 in Chromium.

import { parseArgs } from "node:util";

import { finish } from "../e2e/checks.mjs";
import * as inNode from "./live/load.js";
import { registries } from "./live/registries.mjs";
import { scenario } from "./live/scenario.mjs";
import { inChromium } from "./page.mjs";

const places = {
  Node: async () => ({ trial: inNode, close: async () => {} }),
  Chromium: () => inChromium("tests/cluster/live/page.html", Object.keys(inNode)),
};
const { values } = parseArgs({ options: { registry: { type: "string" }, place: { type: "string" }, short: { type: "boolean", default: false } } });
const chosen = (text, all, few) => text?.split(",") ?? (values.short ? few : Object.keys(all));

for (const place of chosen(values.place, places, ["Chromium"])) {
  for (const registry of chosen(values.registry, registries, ["consul", "etcd-3.5"])) {
    const { trial, close } = await places[place]();
    try {
      await scenario(`${registry}, ${place}`, registries[registry], trial);
    } finally {
      await close();
    }
  }
}
finish();
