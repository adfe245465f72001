// The inline entry as a bundler's user imports it: by the name of the package, with no configuration.
import * as bowline from "bowline";
import { scenario } from "./scenario.js";

globalThis.result = scenario(bowline, new URLSearchParams(location.search).get("server"));
