// Puts the trial where the scenario finds it.
import * as trial from "./load.js";

globalThis.trial = trial;
