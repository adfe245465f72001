// Puts the trial where the checks find it.
import * as trial from "./trial.js";

globalThis.trial = trial;
