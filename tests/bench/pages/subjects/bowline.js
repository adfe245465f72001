// The built package through its `./slim` entry, with the wasm beside the bundle.
import { createClient } from "bowline/slim";

import { openWith } from "./bowline-open.js";

export const open = openWith(createClient);
