// What a connection state is called on the page, and how its link is drawn.
import type { ConnectionSnapshot, ConnectionState } from "bowline";

export type LinkShape = "whole" | "parted" | "none";

const STATES: Record<ConnectionState, { word: string; shape: LinkShape }> = {
  idle: { word: "Not connected", shape: "none" },
  connecting: { word: "Connecting", shape: "none" },
  ready: { word: "Ready", shape: "whole" },
  reconnecting: { word: "Reconnecting", shape: "parted" },
  suspended: { word: "Suspended", shape: "parted" },
  auth_required: { word: "Sign-in needed", shape: "parted" },
  closed: { word: "Closed", shape: "none" },
  failed: { word: "Failed", shape: "parted" },
};

export const wordOf = (state: ConnectionState): string => STATES[state].word;

export const shapeOf = (connection: ConnectionSnapshot): LinkShape => STATES[connection.state].shape;

/** An attempt is under way, as opposed to being waited for. */
export const isCasting = ({ state, retryAt }: ConnectionSnapshot): boolean =>
  state === "connecting" || (state === "reconnecting" && retryAt === null);

export function transportOf(connection: ConnectionSnapshot): string {
  if (connection.transport === null) return "–";
  return connection.transport === "websocket" ? "WebSocket" : "Streamable HTTP";
}
