// What a snippet knows of `subscriptions/listen`: whose a notification is, and how the package hears of the stream. It asks for nothing.

import { clients, take, tell } from "./glue.js";

/** The id of the request that a notification is about, if it says one (P38, P40, P49). */
export function about({ method, params }) {
  if (method === "notifications/progress") return params?.progressToken;
  if (method === "notifications/cancelled") return params?.requestId;
  return params?._meta?.["io.modelcontextprotocol/subscriptionId"];
}

/** The standing listen changed; an acknowledgment brings the filter that the server honours. */
export function heardListen(client, phase, handle) {
  const honoured = handle === 0 ? undefined : take(handle).params?.notifications;
  tell(() => clients[client].host.onListen(phase, honoured));
}
