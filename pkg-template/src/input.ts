// What servers ask of the application. Nothing can be answered yet.

import type { Host } from "./host.js";

/** The answers to a server's questions, by the same keys. */
export async function answerInputs(_host: Host, requests: Record<string, unknown>, _signal: AbortSignal): Promise<Record<string, unknown>> {
  throw new Error(`nobody answers ${Object.keys(requests).join(", ")}`);
}
