// The nodes of the demo's cluster, and what the page may ask the demo host to do to them. A real page has neither: it would discover its
// nodes, and nobody could kill them for it.
import type { ClusterNode } from "bowline/cluster";
import { control } from "../peers";

/** Two zones, and one node that may take twice as much. */
const PLACES: Omit<ClusterNode, "id" | "url">[] = [
  { zone: "east", weight: 1 },
  { zone: "east", weight: 1 },
  { zone: "east", weight: 2 },
  { zone: "west", weight: 1 },
  { zone: "west", weight: 1 },
];

export async function loadNodes(): Promise<ClusterNode[]> {
  const response = await fetch("./nodes.json");
  if (!response.ok) throw new Error(`The demo host answered ${response.status} for the list of nodes.`);
  const found = (await response.json()) as { id: string; url: string }[];
  return found.map((node, at) => ({ ...node, ...PLACES[at] }));
}

/** Ends the node's process at once, as `kill -9` does. */
export const killNode = (id: string) => control("kill", { name: id });

/** Starts it again on its port. */
export const reviveNode = (id: string) => control("revive", { name: id });
