// Keeps the test runner's web server from leaving a request of the browser unread.
//
// The server (tiny_http 0.12) hands a new connection to an idle thread of its pool, and starts one when none is idle.
// It counts a thread as idle until that has woken up: of the six connections that Chromium opens at once, one may be
// left to a thread that has another already, and keeps it. The page then never loads (8 of 12 starts on two cores).
// With the pool's first threads held by connections of ours, every connection of the browser gets a thread of its own.
import { connect } from "node:net";
import { HOST } from "./servers/ports.mjs";

const POOL = 4; // MIN_THREADS of its task_pool.rs
const RETRY = 20; // ms, while the server is not there yet

/** One connection that a thread has answered, and therefore holds; null when nobody listens. */
function answered(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`));
    socket.once("data", () => resolve(socket.resume()));
    socket.on("error", () => resolve(null));
  });
}

/** Holds the threads of the server at `port` as soon as it listens; `release()` lets them go, or stops waiting. */
export function holdThreads(port) {
  const held = [];
  let released = false;
  const release = () => {
    released = true;
    held.forEach((socket) => socket.destroy());
  };
  (async () => {
    // One after the other: an answer shows that a thread has this one and no other.
    while (!released && held.length < POOL) {
      const socket = await answered(port);
      if (socket) held.push(socket);
      else await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
    if (released) release();
  })();
  return { release };
}
