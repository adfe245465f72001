// Redis through a gateway that speaks the REST of Upstash: a command is a list in a POST, an error a status of its own, a channel an event
// stream. Values are JSON and so text: the base64 that the protocol offers for bytes is not asked for.

import { stateError } from "./state-error.js";
import { exchange, streamed, type Closing, type Gateway, type Line, type Reply } from "./state-gateway.js";

export class Upstash implements Gateway {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  get url(): string {
    return this.#line.url;
  }

  async command(args: readonly string[]): Promise<Reply> {
    const { status, text } = await exchange(this.#line, "", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(args),
    });
    let answer: { result?: unknown; error?: unknown } | null = null;
    try {
      answer = JSON.parse(text);
    } catch {
      // Said below.
    }
    if (typeof answer?.error === "string") return { error: answer.error };
    if (status === 200 && answer && "result" in answer) return { result: answer.result };
    throw stateError("answer", { url: this.url, httpStatus: status, outcome: "unknown" });
  }

  async listen(channel: string, opened: () => void, heard: (message: string) => void, ending: Closing): Promise<void> {
    const init = { method: "POST", headers: { accept: "text/event-stream" } };
    const [confirmed, message] = [`data: subscribe,${channel},`, `data: message,${channel},`];
    let rest = "";
    for await (const piece of streamed(this.#line, `/subscribe/${encodeURIComponent(channel)}`, init, ending)) {
      const lines = (rest + piece).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith(message)) heard(line.slice(message.length));
        else if (line.startsWith(confirmed)) opened();
      }
    }
  }
}
