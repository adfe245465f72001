// Events as log lines, for the application's own logger. It says what happened and never with what: no params, no results, no headers.

import type { Emitter } from "./emitter.js";
import type { LogLevel, MCPClientConfig, McpEventMap } from "./types.js";

const LEVELS: readonly LogLevel[] = ["silent", "error", "warn", "info", "debug", "trace"];

type Line = [level: LogLevel, message: string, fields: object];
type Lines = { [E in keyof McpEventMap]?: (detail: McpEventMap[E]) => Line };

const LINES: Lines = {
  state: ({ previous, current }) => [
    current.state === "failed" ? "error" : "info",
    `connection ${previous} -> ${current.state}`,
    { transport: current.transport, version: current.protocolVersion, code: current.reason?.code },
  ],
  reconnecting: ({ attempt, delay, reason }) => ["warn", "connection lost, will try again", { attempt, delay, code: reason.code }],
  reconnected: (detail) => ["info", "connected again", detail],
  transport: (detail) => [detail.cause === "fallback" ? "warn" : "info", "transport changed", detail],
  stalled: (detail) => ["warn", "stream is silent", detail],
  replay: (detail) => ["info", "sent again after a lost link", detail],
  outcomeResolved: ({ call, verdict, source }) => ["info", `outcome known: ${verdict}`, { id: call.id, method: call.method, source }],
  outcomeUnknown: ({ id, method, tool }) => ["warn", "outcome unknown: the call may have been executed", { id, method, tool }],
  health: ({ status, score }) => [status === "healthy" ? "info" : "warn", `health is ${status}`, { score }],
  notification: ({ method }) => ["debug", "notification", { method }],
  request: ({ id, method, phase, duration, error }) => ["trace", `call ${phase}`, { id, method, duration, code: error?.code }],
  error: ({ code, message }) => ["error", message, { code }],
};

/** Tells the configured logger, if there is one, of every event of its level or graver. */
export function attachLogger({ logger, logLevel = "warn" }: MCPClientConfig, events: Emitter<McpEventMap>): void {
  if (!logger) return;
  for (const event of Object.keys(LINES) as (keyof McpEventMap)[]) {
    // Calls are announced one by one only when somebody wants them all: it would cost every call.
    if (event === "request" && logLevel !== "trace") continue;
    events.on(event, (detail) => {
      const [level, message, fields] = (LINES[event] as (detail: unknown) => Line)(detail);
      if (LEVELS.indexOf(level) <= LEVELS.indexOf(logLevel)) logger.log(level, message, { ...fields });
    });
  }
}
