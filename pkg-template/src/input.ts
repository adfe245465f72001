// What servers ask of the application: input for a call under way (P41 to P46), the requests of legacy servers (P79), the addresses of
// error -32042 (P80). It brings question and handler together; rounds and their limits are the core's, and it opens no address.

import * as core from "bowline-core";
import { submit, type Call, type RawFailure } from "./call.js";
import type { Failure } from "./errors.js";
import type { Host } from "./host.js";
import { all } from "./lists.js";
import type { ClientCapabilities, InputRequest, InputRequiredResult } from "./types.js";

/** A question as it comes from a server: nothing about it is certain. */
interface Question {
  method: string;
  params?: Record<string, unknown>;
}
type Content = Record<string, unknown>;

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;
const USER_REJECTED = -1; // as the specification has it for sampling
const URL_REQUIRED = -32042;

const MESSAGES: Record<number, string> = {
  [METHOD_NOT_FOUND]: "Method not found",
  [INVALID_PARAMS]: "Not among the client's capabilities",
  [INTERNAL]: "The client could not answer",
  [USER_REJECTED]: "The client did not answer",
};

/** The error code for a question that the client did not say it answers (P45); 0 when it did. */
function refusal(capabilities: ClientCapabilities, { method, params }: Question): number {
  const { elicitation, sampling, roots } = capabilities;
  if (method === "elicitation/create" && elicitation) {
    // No mode is a form, and so is a capability that names no mode (P64).
    const form = (params?.mode ?? "form") === "form";
    return (form ? elicitation.form || !elicitation.url : params!.mode === "url" && elicitation.url) ? 0 : INVALID_PARAMS;
  }
  if (method === "sampling/createMessage" && sampling) {
    return (params?.tools || params?.toolChoice) && !sampling.tools ? INVALID_PARAMS : 0;
  }
  return method === "roots/list" && roots ? 0 : METHOD_NOT_FOUND;
}

/** The handler's answer, with the defaults of the form's members that it leaves out (SEP-1034). */
async function answerOne(host: Host, question: Question, signal: AbortSignal): Promise<unknown> {
  const { method, params } = question;
  const result = (await host.onInput!({ method, params, signal } as InputRequest & { signal: AbortSignal })) as Content | null;
  if (typeof result !== "object" || result === null) throw new TypeError("onInputRequired must resolve to an object");
  const fields = (params?.requestedSchema as { properties?: Record<string, Content | null> } | undefined)?.properties;
  if (method !== "elicitation/create" || result.action !== "accept" || !fields) return result;
  // Without a prototype, whose members a server could name.
  const content = { __proto__: null, ...(result.content as Content | undefined) } as Content;
  for (const [name, field] of Object.entries(fields)) {
    if (content[name] === undefined && field?.default !== undefined) content[name] = field.default;
  }
  return { ...result, content };
}

/**
 * The application's answers to all questions of one round, asked at once, under the server's keys.
 * @throws what the handler throws first; an error for a kind of question that was never declared.
 */
export async function answerInputs(host: Host, questions: object, signal: AbortSignal): Promise<Record<string, unknown>> {
  if (!host.onInput) throw new Error("there is no protocol.onInputRequired");
  const entries = Object.entries(questions as Record<string, Question>);
  const foreign = entries.find(([, question]) => refusal(host.capabilities, question));
  if (foreign) throw new Error(`${foreign[1].method} (${foreign[0]}) is not among protocol.capabilities`);
  const answers = entries.map(async ([key, question]) => [key, await answerOne(host, question, signal)]);
  return Object.fromEntries(await Promise.all(answers));
}

/** The questions of one client's server. */
export class Inputs {
  readonly #host: Host;
  /** Requests of the server that are being answered, by their ids. */
  readonly #serving = new Map<unknown, AbortController>();
  /** Calls that wait for the application and are not in the core meanwhile. */
  readonly #paused = new Set<Call>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** A call cannot go on before the server has input, or (`mismatch`) other headers made from a newer list of tools (P18). */
  async ask(call: Call, mismatch: number, value: InputRequiredResult): Promise<void> {
    const { signal } = call.pause();
    const { inputRequests, requestState } = value;
    let params = 0;
    try {
      if (mismatch) {
        await all((...asked) => submit(this.#host, 0, ...asked), ["tools/list", "tools"], { useCache: false, signal });
        if (!signal.aborted) params = call.again();
      } else if (!inputRequests || this.#host.onInput) {
        const inputResponses = inputRequests && (await answerInputs(this.#host, inputRequests, signal));
        // Exactly what was given, and nothing where nothing was given (P43).
        if (!signal.aborted) params = call.again({ inputResponses, requestState });
      }
    } catch (cause) {
      call.cause = cause;
    }
    if (!signal.aborted) call.answer(params);
  }

  /** Whether a call that failed goes on by itself, once: the server named addresses that the user has to visit first (P80). */
  resumes(call: Call, raw: RawFailure): boolean {
    const found = raw.kind === "rpc" && raw.number === URL_REQUIRED && (raw.value as { data?: { elicitations?: unknown } }).data?.elicitations;
    if (!Array.isArray(found) || call.resumed || !this.#host.onInput) return false;
    const questions = found.map((params: object) => ({ method: "elicitation/create", params: { ...params, mode: "url" } }));
    if (questions.some((question) => refusal(this.#host.capabilities, question))) return false;
    call.resumed = true;
    void this.#visit(call, raw, questions);
    return true;
  }

  async #visit(call: Call, raw: RawFailure, questions: Question[]): Promise<void> {
    const { signal } = call.pause();
    this.#paused.add(call);
    let answers: unknown[] | undefined;
    try {
      answers = Object.values(await answerInputs(this.#host, questions, signal));
    } catch (cause) {
      call.cause = cause;
    }
    this.#paused.delete(call);
    if (signal.aborted) return;
    if (answers?.every((answer) => (answer as Content).action === "accept")) return call.restart();
    const failure = this.#host.failure(raw, call);
    call.refuse(answers ? failure : { ...failure, code: "INPUT_REQUIRED", outcome: "not-applied" });
  }

  /** A legacy server asks; whatever comes of it, it gets a response, unless it takes the question back (P79). */
  async serve(link: number, { id, ...question }: Question & { id: unknown }): Promise<void> {
    const control = new AbortController();
    this.#serving.set(id, control);
    const { signal } = control;
    const { client, capabilities, onInput, tables } = this.#host;
    const respond = (body: object): void => core.reply(client, link, tables!.message({ jsonrpc: "2.0", id, ...body }));
    const refuse = (code: number): void => respond({ error: { code, message: MESSAGES[code] } });
    const code = onInput ? refusal(capabilities, question) : METHOD_NOT_FOUND;
    try {
      if (code) return refuse(code);
      const result = await answerOne(this.#host, question, signal);
      if (!signal.aborted) respond({ result });
    } catch {
      // Why is nobody's business on the other side.
      if (!signal.aborted) refuse(question.method === "sampling/createMessage" ? USER_REJECTED : INTERNAL);
    } finally {
      if (this.#serving.get(id) === control) this.#serving.delete(id);
    }
  }

  /** The server takes a question back. */
  cancelled(id: unknown, reason: unknown): void {
    this.#serving.get(id)?.abort(reason);
  }

  /** The link on which the server asked is gone. */
  drop(): void {
    for (const control of this.#serving.values()) control.abort();
    this.#serving.clear();
  }

  /** Whoever could go on after an answer is gone: so are the calls that wait for one. */
  close(failure: Failure): void {
    this.drop();
    for (const call of this.#paused) call.refuse(failure);
  }
}
