// The built package through its default entry, with the wasm inlined.
import { createClient } from "bowline";

import { openWith } from "./bowline-open.js";

export const open = openWith(createClient);
