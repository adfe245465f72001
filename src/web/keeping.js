// What a snippet knows of kept results: whom a change concerns, and how a stale result reaches its caller. What is kept, and for how long,
// is the core's.

import { clients, take, tell, values } from "./glue.js";

/** A number for an address: equal for equal ones, seldom for others, 0 for none. */
export function about(uri) {
  let sum = 0;
  for (let at = 0; at < uri?.length; at++) sum = (Math.imul(sum, 31) + uri.charCodeAt?.(at)) | 0;
  return sum;
}

/** What params, printed or of a notification, are about. */
export function subject(handle) {
  const { name, params } = values[handle];
  return about(name ?? params?.uri);
}

/** A caller gets a stale result; its entry stays, as the read may go on. */
export function serve(client, slot, handle) {
  const value = take(handle);
  tell(() => clients[client].calls[slot].serve(value));
}
