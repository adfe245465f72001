// `npm run size`: the size table of an up-to-date build; ends with 1 when an entry is over its gate.
import { build } from "./build.mjs";
import { measure, printSizes } from "./measure.mjs";
import { say } from "./proc.mjs";

try {
  await build({ quiet: true });
  const sizes = measure();
  printSizes(sizes);
  const over = sizes.filter((size) => !size.within);
  for (const { entry, total, gate } of over) {
    say(`size: ${entry} is ${total[gate.unit] - gate.bytes} bytes over its ${gate.unit} gate`);
  }
  process.exitCode = over.length > 0 ? 1 : 0;
} catch (error) {
  say(`size: ${error.message}`);
  process.exitCode = 1;
}
