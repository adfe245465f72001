// How the package hears what a server wants of it before a call, or the server, goes on. It answers nothing: the package does, later.

import { clients, take, tell } from "./glue.js";

/** A call cannot go on without new params: its entry leads to `answer`, or to the end of the call. */
export function ask(client, slot, need, handle) {
  tell(() => clients[client].calls[slot].ask(need, take(handle)));
}

/** A server's own request, which the host replies to with `reply`. */
export function asked(client, link, handle) {
  tell(() => clients[client].host.onRequest(link, take(handle)));
}
