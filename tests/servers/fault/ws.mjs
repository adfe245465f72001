// The WebSocket side of the fault server: handshake and frames by hand, and the faults, one function each.
// Text frames, close, ping and pong; no extensions. Faults named close-NNNN and refuse-NNN exist for every number.

import { createHash } from "node:crypto";

import { reset } from "../proxy.mjs";
import { bodyFaults, cut, duplicate, failure } from "./bodies.mjs";
import { sleep, writeBig } from "./wire.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const MESSAGE_LIMIT = 32 * 1024 * 1024;
const BEFORE_RESET_MS = 30;
const SLOW_BYTE_MS = 20;
const DRIP_MS = 10;

const messageFaults = {
  none: ({ send, good }) => send(good),
  ...Object.fromEntries(Object.entries(bodyFaults).map(([name, spoil]) => [name, (context) => context.frame(TEXT, spoil(context))])),
  duplicate: ({ send, good }) => {
    send(good);
    send(duplicate(good));
  },
  "rpc-error": ({ send, good }) => send(failure(good.id, -32603, "It broke inside")),
  "error-null-id": ({ send }) => send(failure(null, -32600, "Invalid request")),
  empty: ({ frame }) => frame(TEXT, ""),
  binary: ({ frame, good }) => frame(BINARY, JSON.stringify(good)),
  fragments: ({ socket, good }) => {
    const text = Buffer.from(JSON.stringify(good));
    const middle = Math.floor(text.length / 2);
    socket.write(Buffer.concat([header(TEXT, middle, false), text.subarray(0, middle)]));
    socket.write(Buffer.concat([header(0, text.length - middle), text.subarray(middle)]));
  },
  // The connection ends without a close frame: before the answer, and in the middle of its frame.
  rst: ({ socket }) => reset(socket),
  fin: ({ socket }) => socket.end(),
  "rst-body": async ({ socket, good, rng }) => {
    halfFrame(socket, good, rng);
    await sleep(BEFORE_RESET_MS);
    reset(socket);
  },
  "short-body": ({ socket, good, rng }) => {
    halfFrame(socket, good, rng);
    socket.end();
  },
  slow: async ({ socket, good }) => {
    const text = Buffer.from(JSON.stringify(good));
    for (const byte of Buffer.concat([header(TEXT, text.length), text])) {
      if (socket.destroyed) return;
      socket.write(Buffer.of(byte));
      await sleep(SLOW_BYTE_MS);
    }
  },
  "malformed-then-good": ({ frame, send, good, rng }) => {
    frame(TEXT, bodyFaults.malformed({ good, rng }));
    send(good);
  },
  "server-request": ({ send, good }) => {
    send({ jsonrpc: "2.0", id: "server-1", method: "roots/list" });
    send(good);
  },
  // The answers to two calls, the second one's first.
  reorder: ({ socket, send, good }) => {
    if (!socket.kept) return void (socket.kept = good);
    send(good);
    send(socket.kept);
  },
  "method-not-found": ({ send, good }) => send(failure(good.id, -32601, "Method not found")),
  drip: async ({ socket, frame, good, rng }) => {
    await sleep(rng() * DRIP_MS);
    if (rng() < 0.5) return frame(TEXT, JSON.stringify(good));
    const text = Buffer.from(JSON.stringify(good));
    const half = Math.floor(text.length / 2);
    // Both halves in one go for others: frames of one connection do not mix.
    socket.write(Buffer.concat([header(TEXT, half, false), text.subarray(0, half), header(0, text.length - half), text.subarray(half)]));
  },
  oversize: ({ socket, good, n, mark }) => {
    const [before, after] = JSON.stringify({
      ...good,
      result: { ...good.result, content: [{ type: "text", text: "@" }] },
    }).split("@");
    const length = Buffer.byteLength(before + after) + n;
    return writeBig(socket, Buffer.concat([header(TEXT, length), Buffer.from(before)]), n, after, mark);
  },
  // A server that forgets a call, but is alive.
  stall: () => {},
  // A half-open link: nothing comes back any more, not even pongs.
  silent: (context) => context.silence(),
};

// Faults of the handshake: the connection never becomes a good WebSocket.
const handshakeFaults = {
  "handshake-stall": () => {},
  "bad-accept": ({ upgrade }) => upgrade({ accept: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }),
  "no-subprotocol": ({ upgrade }) => upgrade({ subprotocol: null }),
};

export const webSocketFaultNames = [
  ...Object.keys(messageFaults),
  ...Object.keys(handshakeFaults),
  "close-1001", "close-1006", "close-1008", "close-1011", "close-1013", "close-4401", "refuse-401", "refuse-403", "refuse-503",
];

/** Serves one connection; `isDue(message)` says which messages are spoiled. */
export function serveWebSocket(socket, request, rest, { fault, isDue, receive, answers, rng, n }) {
  const upgrade = (options) => handshake(socket, request, options);
  const refused = /^refuse-(\d{3})$/.exec(fault)?.[1];
  if (refused) {
    socket.end(`HTTP/1.1 ${refused} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    return;
  }
  const closeCode = /^close-(\d{4})$/.exec(fault)?.[1];
  const spoil = closeCode ? closing(Number(closeCode)) : messageFaults[fault];
  if (handshakeFaults[fault]) {
    handshakeFaults[fault]({ upgrade });
    return;
  }
  if (!spoil) {
    socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    return;
  }

  upgrade({});
  let silent = false;
  const frame = (opcode, payload) => {
    const bytes = Buffer.from(payload);
    if (!silent && !socket.destroyed) socket.write(Buffer.concat([header(opcode, bytes.length), bytes]));
  };
  const send = (value) => frame(TEXT, JSON.stringify(value));
  const silence = () => (silent = true);

  // One message after the other: two answers written in pieces must not mix.
  let work = Promise.resolve();
  readFrames(socket, rest, (opcode, payload) => {
    work = work.then(() => onFrame(opcode, payload)).catch((error) => socket.destroy(error));
  });

  async function onFrame(opcode, payload) {
    if (opcode === CLOSE && !silent) {
      frame(CLOSE, payload.subarray(0, 2));
      socket.end();
    }
    if (opcode === PING) frame(PONG, payload);
    if (opcode !== TEXT || silent) return;
    const message = parse(payload);
    if (!message) return frame(CLOSE, Buffer.of(0x03, 0xef));
    const mark = receive(message);
    if (message.id === undefined) return;
    const spoiled = isDue(message);
    const good = answers.answer(message);
    if (!spoiled) return send(good);
    await spoil({ socket, message, good, rng, n, frame, send, silence, mark });
    mark();
  }
}

function parse(payload) {
  try {
    return JSON.parse(payload.toString("utf8"));
  } catch {
    return null;
  }
}

function halfFrame(socket, good, rng) {
  const text = JSON.stringify(good);
  socket.write(Buffer.concat([header(TEXT, Buffer.byteLength(text)), Buffer.from(cut(text, rng))]));
}

function closing(code) {
  // 1006 is what a client reports when no close frame came; it cannot be sent.
  if (code === 1006) return ({ socket }) => socket.destroy();
  return ({ frame, socket }) => {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    frame(CLOSE, Buffer.concat([payload, Buffer.from(`fault ${code}`)]));
    socket.end();
  };
}

function handshake(socket, request, { accept, subprotocol }) {
  const key = request.headers["sec-websocket-key"] ?? "";
  const chosen = subprotocol === undefined ? choose(request.headers["sec-websocket-protocol"]) : subprotocol;
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-accept: ${accept ?? createHash("sha1").update(key + GUID).digest("base64")}`,
    ...(chosen ? [`sec-websocket-protocol: ${chosen}`] : []),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}

function choose(offered = "") {
  const names = offered.split(",").map((name) => name.trim()).filter(Boolean);
  return names.includes("mcp") ? "mcp" : names[0];
}

function header(opcode, length, final = true) {
  const first = (final ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.of(first, length);
  const long = Buffer.alloc(length < 65_536 ? 4 : 10);
  long[0] = first;
  long[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) long.writeUInt16BE(length, 2);
  else long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

function readFrames(socket, rest, handle) {
  let buffer = Buffer.from(rest);
  let parts = [];
  let partsOpcode = TEXT;

  function onData(chunk) {
    buffer = Buffer.concat([buffer, chunk]);
    for (let found = takeFrame(buffer); found; found = takeFrame(buffer)) {
      buffer = buffer.subarray(found.end);
      if (found.opcode >= CLOSE) {
        handle(found.opcode, found.payload);
        continue;
      }
      if (found.opcode !== 0) partsOpcode = found.opcode;
      parts.push(found.payload);
      if (found.final) {
        handle(partsOpcode, Buffer.concat(parts));
        parts = [];
      }
    }
    if (buffer.length > MESSAGE_LIMIT) socket.destroy();
  }
  socket.on("data", onData);
  if (buffer.length > 0) onData(Buffer.alloc(0));
}

function takeFrame(buffer) {
  if (buffer.length < 2) return null;
  let at = 2;
  let length = buffer[1] & 0x7f;
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return null;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  const masked = (buffer[1] & 0x80) !== 0;
  const start = at + (masked ? 4 : 0);
  if (buffer.length < start + length) return null;
  const payload = Buffer.from(buffer.subarray(start, start + length));
  if (masked) {
    for (let i = 0; i < payload.length; i += 1) payload[i] ^= buffer[at + (i & 3)];
  }
  return { final: (buffer[0] & 0x80) !== 0, opcode: buffer[0] & 0x0f, payload, end: start + length };
}
