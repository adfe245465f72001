// The calls of one client of which nobody knows whether the server executed them, those of the page before this one included.
import type { InDoubtCall, McpClient } from "bowline";
import { createStore, type Store } from "./store";

export type Verdict = "applied" | "not-applied" | "dismissed";

export interface Doubts extends Store<readonly InDoubtCall[]> {
  settle(id: string, verdict: Verdict): void;
}

export function createDoubts(client: McpClient): Doubts {
  const store = createStore(client.inDoubt());
  const refresh = () => store.set(client.inDoubt());
  client.on("outcomeUnknown", refresh);
  client.on("outcomeResolved", refresh);
  return { ...store, settle: (id, verdict) => client.settleInDoubt(id, verdict) };
}
