// Redis through webdis: a command is a path in the body of a POST, which needs no preflight; an error of Redis is a 200 with
// [false, "ERR ..."]; a channel is a stream of JSON objects with nothing between them. What is not UTF-8 comes back as {}.

import { stateError } from "./state-error.js";
import { exchange, streamed, type Closing, type Gateway, type Line, type Reply } from "./state-gateway.js";

export class Webdis implements Gateway {
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  get url(): string {
    return this.#line.url;
  }

  async command(args: readonly string[]): Promise<Reply> {
    const { url } = this;
    const { status, text } = await exchange(this.#line, "/", { method: "POST", body: args.map(escaped).join("/") });
    let reply: unknown;
    try {
      // One member, of the command's name.
      [reply] = Object.values(JSON.parse(text) as object);
    } catch {
      // Said below, as no reply is undefined.
    }
    if (status !== 200 || reply === undefined) throw stateError("answer", { url, httpStatus: status, outcome: "unknown" });
    // A status or an error; no other list begins with a boolean.
    if (Array.isArray(reply) && typeof reply[0] === "boolean") return reply[0] ? { result: reply[1] } : { error: String(reply[1]) };
    return { result: reply };
  }

  async listen(channel: string, opened: () => void, heard: (message: string) => void, ending: Closing): Promise<void> {
    const split = new Objects();
    for await (const piece of streamed(this.#line, `/SUBSCRIBE/${escaped(channel)}`, { method: "GET" }, ending)) {
      for (const text of split.push(piece)) {
        const [kind, , message] = (JSON.parse(text) as { SUBSCRIBE: unknown[] }).SUBSCRIBE;
        if (kind === "subscribe") opened();
        else if (kind === "message") heard(String(message));
      }
    }
  }
}

/** Of an argument; a dot would end the command and begin the format of its reply. */
function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(".", "%2E");
}

/** Finds the ends of JSON objects that follow each other without anything between. */
export class Objects {
  #text = "";
  /** Looked at up to here, with so many braces open, and in a string or not. */
  #at = 0;
  #depth = 0;
  #isText = false;

  /** The objects that end in this piece. */
  push(piece: string): string[] {
    this.#text += piece;
    const found: string[] = [];
    let start = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text[this.#at];
      if (this.#isText) {
        if (char === "\\") this.#at += 1;
        else if (char === '"') this.#isText = false;
      } else if (char === '"') {
        this.#isText = true;
      } else if (char === "{") {
        this.#depth += 1;
      } else if (char === "}" && (this.#depth -= 1) === 0) {
        found.push(this.#text.slice(start, this.#at + 1));
        start = this.#at + 1;
      }
    }
    this.#text = this.#text.slice(start);
    this.#at -= start;
    return found;
  }
}
