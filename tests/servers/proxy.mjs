// A TCP proxy in front of a real server, so that tests can break the link without touching the server.
// It moves bytes and knows no protocol; a reset or an end on one side is passed on as the same on the other. What
// passes can be shown to a reader (tap.mjs).

import { connect, createServer } from "node:net";

import { HOST } from "./ports.mjs";

/** With `wire`, each connection gets a reader from `wire.connection()`, whose `sent` and `heard` see the chunks of its two directions. */
export async function startProxy(upstreamPort, wire) {
  const proxy = new TcpProxy(upstreamPort, wire);
  await proxy.listen();
  return proxy;
}

class TcpProxy {
  port = 0;
  /** How many connections were ever accepted, also those destroyed by `block`. */
  accepted = 0;
  #upstreamPort;
  #wire;
  #pairs = new Set();
  #blockedUntil = 0;
  #paused = false;
  #server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));

  constructor(upstreamPort, wire) {
    this.#upstreamPort = upstreamPort;
    this.#wire = wire;
  }

  /** Connections open now. */
  get connections() {
    return this.#pairs.size;
  }

  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, HOST, () => {
        this.port = this.#server.address().port;
        resolve();
      });
    });
  }

  /** Resets every open connection now; new ones are welcome at once. */
  cut() {
    for (const pair of this.#pairs) pair.reset();
  }

  /** Destroys every connection made in the next `ms` milliseconds; open ones stay. */
  block(ms) {
    this.#blockedUntil = performance.now() + ms;
  }

  /** Stops moving bytes while connections stay open: a half-open link. New connections hang too. */
  pause() {
    this.#paused = true;
    for (const pair of this.#pairs) pair.hold();
  }

  resume() {
    this.#paused = false;
    for (const pair of this.#pairs) pair.release();
  }

  stop() {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client) {
    this.accepted += 1;
    client.on("error", () => {});
    if (performance.now() < this.#blockedUntil) {
      reset(client);
      return;
    }
    const upstream = connect({ port: this.#upstreamPort, host: HOST, allowHalfOpen: true, noDelay: true });
    const tap = this.#wire?.connection();
    if (tap) {
      client.on("data", (chunk) => tap.sent(chunk));
      upstream.on("data", (chunk) => tap.heard(chunk));
    }
    const pair = new Pair(client, upstream);
    this.#pairs.add(pair);
    pair.onClose = () => this.#pairs.delete(pair);
    if (this.#paused) pair.hold();
  }
}

/**
 * A socket that is connecting cannot be reset. One that has sent its FIN must not be: libuv refuses, Node never closes the handle, and
 * the process spins for ever when it ends.
 */
export function reset(socket) {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

class Pair {
  onClose = () => {};
  #client;
  #upstream;
  #held = false;

  constructor(client, upstream) {
    this.#client = client;
    this.#upstream = upstream;
    this.#join(client, upstream);
    this.#join(upstream, client);
  }

  reset() {
    for (const socket of [this.#client, this.#upstream]) reset(socket);
    this.onClose();
  }

  hold() {
    this.#held = true;
    this.#client.pause();
    this.#upstream.pause();
  }

  release() {
    this.#held = false;
    this.#client.resume();
    this.#upstream.resume();
  }

  #join(from, to) {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      if (!this.#held) from.resume();
    });
    from.on("end", () => to.end());
    from.on("error", () => this.reset());
    from.on("close", () => {
      if (to.destroyed) this.onClose();
    });
  }
}
