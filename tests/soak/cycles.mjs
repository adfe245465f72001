// Clients that connect, call once and close, one after the other: nothing of them may stay.
import { say } from "../../pkg-template/proc.mjs";
import { bowline, check, until } from "../e2e/checks.mjs";
import { measure } from "./memory.mjs";

/** A client that stays is several kilobytes; its number, which is never given out again, some bytes. The collector is not exact. */
const BYTES_PER_CYCLE = 100;
const NOISE = 1_024 * 1_024;
/** Two entries in lists that double, and memory comes in pages. */
const WASM_PER_CYCLE = 16;
const PAGE = 64 * 1_024;
/** Idle connections are kept that long by Node's fetch. */
const PATIENCE_MS = 15_000;

const handles = () => process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Immediate/.test(kind)).length;

/** Opens and closes `count` clients, with each of the `configs` in turn. */
export async function cycle(count, configs) {
  // Until then Node compiles and fills its caches: the first thousand seem to keep a kilobyte each, the next five thousand nothing.
  const warm = Math.ceil(count / 2);
  const before = handles();
  let early;
  for (let i = 0; i < count; i += 1) {
    if (i === warm) early = measure();
    const client = bowline.createClient(configs[i % configs.length]);
    await client.connect();
    await client.callTool("counter", { key: `cycle-${i}` });
    await client.close();
  }
  await check(`${count} clients that came and went leave no socket and no timer`, () =>
    until(() => handles() <= before, () => `${handles()} handles, ${before} before`, PATIENCE_MS),
  );
  const late = measure();
  const kept = (late.heap - early.heap) / (count - warm);
  say(`kept per closed client: ${kept.toFixed(0)} bytes of JS, ${late.wasm - early.wasm} bytes of wasm in all`);
  await check("and no memory", () => {
    if (kept > BYTES_PER_CYCLE + NOISE / (count - warm)) throw new Error(`${kept.toFixed(0)} bytes of JS per client`);
    if (late.wasm - early.wasm > PAGE + WASM_PER_CYCLE * (count - warm)) throw new Error(`${late.wasm - early.wasm} bytes of wasm`);
  });
}
