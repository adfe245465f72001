// The sources of nodes against a real Consul and two real etcd, in Node and in headless Chromium: what is registered, changed, failing,
// expired, lost and back is told (consul.mjs, etcd.mjs), and believed when the core decides (decided.mjs). `--only consul,etcd-3.4,etcd-3.5,
// decided`, `--place Node,Chromium` run some.

import { finish } from "../e2e/checks.mjs";
import { consulChecks } from "./consul.mjs";
import { decidedChecks } from "./decided.mjs";
import { etcdChecks } from "./etcd.mjs";
import { chromiumPlace, nodePlace } from "./places.mjs";

const option = (name, all) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? all : process.argv[at + 1].split(",");
};

const parts = {
  "consul": consulChecks,
  "etcd-3.4": (place) => etcdChecks(place, "3.4"),
  "etcd-3.5": (place) => etcdChecks(place, "3.5"),
  "decided": decidedChecks,
};
const places = { Node: nodePlace, Chromium: chromiumPlace };

for (const name of option("--place", Object.keys(places))) {
  const place = await places[name]();
  try {
    for (const part of option("--only", Object.keys(parts))) await parts[part](place);
  } finally {
    await place.close();
  }
}
finish();
