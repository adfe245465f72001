// Puts the scenarios, played with the built package, where browser.mjs can call them from outside of the page.
import * as bowline from "../../pkg/dist/index.js";
import { play } from "./scenarios.js";

globalThis.playTask = (task) => play(bowline, task);
