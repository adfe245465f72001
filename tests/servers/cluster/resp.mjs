// A connection to Redis by RESP 2, as little of it as a gateway needs: commands in, replies out as bytes, in order. It does not reconnect.

import { connect } from "node:net";

import { HOST } from "../ports.mjs";

/** An error that Redis answered with. */
export class RedisError extends Error {}

/** A status, like OK: no value. */
export class Status extends String {}

/** Resolves with a connection; `onPush` gets what comes unasked, which is what a subscriber hears. */
export async function openRedis(port, onPush) {
  const socket = connect({ port, host: HOST, noDelay: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const waiting = [];
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const end = () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("the connection to Redis is closed"));
  };
  let bytes = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("close", end);
  socket.on("data", (chunk) => {
    bytes = bytes.length > 0 ? Buffer.concat([bytes, chunk]) : chunk;
    for (let found = parse(bytes, 0); found; found = parse(bytes, 0)) {
      bytes = bytes.subarray(found.end);
      if (waiting.length > 0) waiting.shift().resolve(found.value);
      else onPush?.(found.value);
    }
  });
  return {
    get isOpen() {
      return !socket.destroyed && socket.writable;
    },
    closed,
    /** The replies to commands that leave in one write, so that nobody's come in between. An error is a value here. */
    send(commands) {
      const replies = commands.map(() => new Promise((resolve, reject) => waiting.push({ resolve, reject })));
      if (socket.destroyed) end();
      else socket.write(Buffer.concat(commands.map(encode)));
      return Promise.all(replies);
    },
    close: () => socket.destroy(),
  };
}

function encode(args) {
  const parts = args.map((arg) => {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
  });
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

/** The reply that begins at `from`, or nothing while it is not whole. */
function parse(bytes, from) {
  const line = bytes.indexOf("\r\n", from);
  if (line < 0) return null;
  const head = bytes.toString("utf8", from + 1, line);
  const start = line + 2;
  switch (String.fromCharCode(bytes[from])) {
    case "+":
      return { value: new Status(head), end: start };
    case "-":
      return { value: new RedisError(head), end: start };
    case ":":
      return { value: Number(head), end: start };
    case "$": {
      if (head === "-1") return { value: null, end: start };
      const end = start + Number(head);
      return bytes.length < end + 2 ? null : { value: bytes.subarray(start, end), end: end + 2 };
    }
    case "*": {
      if (head === "-1") return { value: null, end: start };
      const value = [];
      let end = start;
      while (value.length < Number(head)) {
        const one = parse(bytes, end);
        if (!one) return null;
        value.push(one.value);
        end = one.end;
      }
      return { value, end };
    }
    default:
      throw new Error(`not RESP: ${head}`);
  }
}
