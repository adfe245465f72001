// What event streams say of the way to the server: where messages go (P83), where a stream stood (P78). It sends nothing.

import { clients, put } from "./glue.js";

const decoder = new TextDecoder();

/** A handle on the address in the data of an event; 0 when it is none, or of another origin than the stream's. */
export function messageAddress(client, bytes) {
  const { url } = clients[client].host;
  try {
    const { href, origin } = new URL(decoder.decode(bytes), url);
    if (origin === new URL(url).origin) return put(href);
  } catch {
    // No address at all.
  }
  return 0;
}

/** A handle on bytes as a header takes them: one character for each. */
export function headerBytes(bytes) {
  return put(String.fromCharCode(...bytes));
}
