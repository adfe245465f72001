// Where things are, as absolute paths worked out from this file. It creates nothing.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "..", "..");
export const cache = join(root, ".cache");
