// Where the benchmark reads and writes. Nothing here touches the disk.
import { fileURLToPath } from "node:url";
import path from "node:path";

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, "../..");
export const out = path.join(root, ".cache/bench");
export const pkg = path.join(root, "pkg");
export const readme = path.join(here, "README.md");
