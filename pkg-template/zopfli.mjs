// `node zopfli.mjs INPUT OUTPUT`: gzip that is 6 % smaller than any level of Node's, and takes seconds. A program of its own, since the
// library listens for every exception of the process it is in.
import { readFileSync, writeFileSync } from "node:fs";
import zopfli from "@gfx/zopfli";

const [input, output] = process.argv.slice(2);
writeFileSync(output, await zopfli.gzipAsync(readFileSync(input), {}));
