// Puts the package and the trials where bad-input.mjs can call them from outside of the page.
import * as bowline from "../../../pkg/dist/index.js";
import * as trials from "./trial.js";

globalThis.trial = (name, ...args) => trials[name](bowline, ...args);
