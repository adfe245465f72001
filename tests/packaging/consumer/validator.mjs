// node validator.mjs: the adapter by its name in the package, on a schema as servers send it; prints what it finds.
import { cfworker } from "bowline/cfworker";

const check = await cfworker().compile(Object.freeze({ type: "object", required: ["sum"] }));
console.log(JSON.stringify({ right: check({ sum: 1 }).length, wrong: check({}).length > 0 }));
