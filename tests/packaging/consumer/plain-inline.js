// The inline entry without any tool: the file itself, imported by its path.
import * as bowline from "./node_modules/bowline/dist/index.js";
import { scenario } from "./scenario.js";

globalThis.result = scenario(bowline, new URLSearchParams(location.search).get("server"));
