// Round-trip samples of one client: one ping every two seconds while the page is visible. While the link
// is down a sample is null, so that the chart shows the outage as a gap and not as a slow answer.
import type { McpClient } from "bowline";
import { createStore, type Store } from "./store";

export interface Sample {
  readonly id: number;
  readonly ms: number | null;
}

export interface Latency extends Store<readonly Sample[]> {
  /** Asks now instead of at the next tick. */
  probe(): void;
}

const INTERVAL = 2000;
const KEPT = 60;

export function createLatency(client: McpClient): Latency {
  const store = createStore<readonly Sample[]>([]);
  let asking = false;
  let next = 1;
  const add = (ms: number | null) => store.set([...store.get(), { id: next++, ms }].slice(-KEPT));

  async function probe(): Promise<void> {
    if (asking || client.state !== "ready") return;
    asking = true;
    const { epoch } = client.connection;
    try {
      const { latency } = await client.ping();
      // Asked over a link that was lost and answered over the next: that is how long the outage was.
      if (client.connection.epoch === epoch) add(latency);
    } catch {
      add(null);
    } finally {
      asking = false;
    }
  }

  // An outage that is over before the next tick is one too.
  client.on("state", ({ previous }) => {
    if (previous === "ready") add(null);
  });
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    if (client.state === "ready") void probe();
    else if (store.get().length > 0) add(null);
  }, INTERVAL);
  return { ...store, probe: () => void probe() };
}
