// What React reads from a cluster, on a tick: its state changes with every call, and nobody reads faster than this.
import type { DistributedMetrics, NodeStatus } from "bowline/cluster";
import { useNow, useStore } from "../store";
import type { Fleet } from "./fleet";

const TICK_MS = 250;

export function useNodes(fleet: Fleet): readonly NodeStatus[] {
  useNow(TICK_MS, true);
  return useStore(fleet.cluster).nodes();
}

export function useClusterMetrics(fleet: Fleet): DistributedMetrics {
  useNow(TICK_MS, true);
  return useStore(fleet.cluster).metrics();
}
