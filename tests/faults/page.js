// Puts the package and the trials where engines.mjs can call them from outside of the page.
import * as bowline from "../../pkg/dist/index.js";

import { officialTrial } from "./official.js";
import { trial } from "./trial.js";

globalThis.trials = { ours: (spec) => trial(bowline, spec), official: officialTrial };
