// The slim entry as a bundler's user imports it: by the name of the package, with no configuration. By names, so that
// what is not named may be dropped.
import { createClient, McpError, version } from "bowline/slim";
import { scenario } from "./scenario.js";

globalThis.result = scenario({ createClient, McpError, version }, new URLSearchParams(location.search).get("server"));
