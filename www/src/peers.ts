// The servers the page may talk to, and the two things it may ask the demo host to do to them.
// Not part of the client: a real page would have one address and no control over its server.

export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly transport: "ws" | "http";
  readonly era: "legacy" | "modern" | "both";
}

const LABELS: Record<string, { title: string; about: string }> = {
  "python-ws": { title: "Python SDK", about: "WebSocket, handshake era" },
  everything: { title: "Everything", about: "Streamable HTTP, handshake era" },
  modern: { title: "TypeScript SDK", about: "Streamable HTTP, 2026-07-28" },
};

export const titleOf = (peer: Peer): string => LABELS[peer.name]?.title ?? peer.name;
export const aboutOf = (peer: Peer): string => LABELS[peer.name]?.about ?? peer.url;

export async function loadPeers(): Promise<Peer[]> {
  const response = await fetch("./peers.json");
  if (!response.ok) throw new Error(`The demo host answered ${response.status} for the list of servers.`);
  return (await response.json()) as Peer[];
}

/** Destroys every open socket of the server, and refuses new ones for `holdMs`. */
export const cutLink = (peer: Peer, holdMs: number) => control("cut", { name: peer.name, hold: String(holdMs) });

/** Kills the server's process and starts it again on the same port. */
export const restartServer = (peer: Peer) => control("restart", { name: peer.name });

export async function control(action: string, query: Record<string, string>): Promise<void> {
  const response = await fetch(`./control/${action}?${new URLSearchParams(query)}`, { method: "POST" });
  if (!response.ok) throw new Error((await response.text()) || `The demo host answered ${response.status}.`);
}
