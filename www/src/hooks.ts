// What React reads from a client: its snapshot through useSyncExternalStore, its metrics on a slow tick.
import { useSyncExternalStore } from "react";
import type { ClientMetrics, ClientSnapshot, ConnectionSnapshot, McpClient } from "bowline";
import { useNow } from "./store";

export function useSnapshot(client: McpClient): ClientSnapshot {
  return useSyncExternalStore(client.store.subscribe, client.store.getSnapshot, client.store.getServerSnapshot);
}

export function useConnection(client: McpClient): ConnectionSnapshot {
  return useSnapshot(client).connection;
}

/** Metrics are cheap and synchronous but not observable, so they are read twice a second. */
export function useMetrics(client: McpClient): ClientMetrics {
  useNow(500, true);
  return client.metrics();
}
