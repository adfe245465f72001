// Row 6: every byte a page loads for the client, after esbuild: each file compressed on its own, as a
// server would send it, and summed. The build prints the package's own sizes; this compares peers.
import { readFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** Decimal, as in the targets. */
export const KB = 1000;

/** Hard limits: the slim entry in brotli (issue 2), the default entry in gzip. */
export const limits = {
  bowline: { encoding: "brotli", bytes: 32 * KB },
  "bowline inline": { encoding: "gzip", bytes: 60 * KB },
};

export const subjectsOf = () => ["ts1", "ts2", "bowline", "bowline inline"];

/** {subject: {raw, gzip, brotli}} in bytes. */
export async function measure(loaded) {
  const sizes = {};
  for (const [name, files] of Object.entries(loaded)) {
    sizes[name] = { raw: 0, gzip: 0, brotli: 0 };
    for (const file of files) {
      const bytes = await readFile(file);
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
      sizes[name].raw += bytes.length;
      sizes[name].gzip += gzipSync(bytes, { level: 9 }).length;
      sizes[name].brotli += brotliCompressSync(bytes, { params }).length;
    }
  }
  return sizes;
}
