// End to end: what a real browser does to a page (kept, frozen, hidden, offline, reloaded) and to its connections, and what becomes of
// the built package's links and calls then. Chromium with the settings people have; servers are the fault server and a real one.
import { finish } from "./checks.mjs";
import { links } from "./lifecycle/links.mjs";
import { returns } from "./lifecycle/returns.mjs";
import { Rig } from "./lifecycle/rig.mjs";
import { signals } from "./lifecycle/signals.mjs";

const rig = await Rig.start();
try {
  await returns(rig);
  await signals(rig);
  await links(rig);
} finally {
  await rig.stop();
}
finish();
