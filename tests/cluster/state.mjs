// Live: the shared state of a cluster in real Redis 7.0, through an Upstash-style gateway and webdis 0.1.22, in IndexedDB, and through the
// double of Hazelcast's REST; in Node and in headless Chromium, beside the official client of Upstash, and over two regions whose primary
// is killed. It starts everything itself.
import { say } from "../../pkg-template/proc.mjs";
import { check, finish } from "../e2e/checks.mjs";
import { state } from "../packaging/state.mjs";
import { contract } from "./state/contract.js";
import { inBrowser } from "./state/browser.mjs";
import { official } from "./state/official.mjs";
import { regions } from "./state/regions.mjs";
import { startRig } from "./state/rig.mjs";
import { security } from "./state/security.mjs";
import { shared } from "./state/shared.mjs";
import { slots } from "./state/slots.mjs";

/** One check per promise. */
async function report(where, results) {
  for (const { name, error } of await results) {
    await check(`${where}: ${name}`, async () => {
      if (error) throw new Error(error);
    });
  }
}

const rig = await startRig();
try {
  for (const [name, config] of Object.entries(rig.configs)) {
    await report(`Node, ${name}`, contract(() => state.createStateStore(config, "prod"), `node ${name}`));
  }
  const page = await rig.newPage();
  for (const [name, config] of Object.entries({ ...rig.configs, indexeddb: { provider: "indexeddb" }, memory: { provider: "memory" } })) {
    await report(`Chromium, ${name}`, page.evaluate(([config, tag]) => globalThis.contract(config, tag), [config, `chromium ${name}`]));
  }
  await inBrowser(rig, page);
  await shared(rig, page);
  await official(rig);
  await security(rig);
  await slots();
  await regions(() => rig.newPage());
} finally {
  await rig.close();
}
say("");
finish();
