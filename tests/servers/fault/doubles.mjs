// Doubles: servers that do by the specification what no real server at hand does, or not on command. Batches, resumed streams, tasks,
// listening that ends, rounds and pages without end. They are models for these tests only; what is said wrongly on purpose is in http.mjs.

import { Stateful, sessions } from "./http.mjs";
import { sleep } from "./wire.mjs";

const TASKS = "io.modelcontextprotocol/tasks";
const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const LISTEN = "subscriptions/listen";
const RETRY_MS = 150;
const POLL_MS = 120;
const LISTEN_MS = 100;
const POLLS_UNTIL_DONE = 2;

const notice = (method, params) => ({ jsonrpc: "2.0", method, params });
const failure = (id, code, message, data) => ({ jsonrpc: "2.0", id, error: { code, message, ...(data ? { data } : {}) } });
const complete = (id, result) => ({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } });

export const doubles = {
  // 2025-03-26: every answer to a call is a batch (P6), as JSON or, for the text "stream", as an event.
  batch: legacy("2025-03-26", ({ reply, message, good }) => {
    const batch = [notice("notifications/message", { level: "info", data: "in a batch" }), good];
    if (message.params.arguments?.text !== "stream") return reply.json(200, batch);
    reply.stream();
    reply.event(batch);
    return reply.fin();
  }),

  // A POST stream that is closed before its answer, which a GET with the last event id then has (P78, SEP-1699).
  resume: legacy("2025-11-25", poll, resumed),
  "resume-refused": legacy("2025-11-25", poll),

  // `subscriptions/listen`: ended by the server, cut off, answered before it was acknowledged (P50); then, after ?times=N, it stays open.
  "listen-graceful": listening(async (reply, id) => {
    await sleep(LISTEN_MS);
    reply.event(complete(id, { _meta: { [SUBSCRIPTION]: id } }));
    reply.fin();
  }),
  "listen-abrupt": listening(async (reply) => {
    await sleep(LISTEN_MS);
    reply.rst();
  }),
  "listen-unacknowledged": new Stateful(({ reply, message, answers }) => {
    if (message.method !== LISTEN) return reply.good(answers.answer(message));
    return reply.json(200, complete(message.id, { _meta: { [SUBSCRIPTION]: message.id } }));
  }),

  // Rounds of `input_required` that ask for nothing but another round: ?times=N of them, or without end (P42).
  "input-rounds": rounds(),

  // Every page of a list leads to the same next one (P58).
  "page-loop": new Stateful(({ reply, message, answers }) => {
    const good = answers.answer(message);
    if (message.method === "tools/list") good.result.nextCursor = "again";
    return reply.good(good);
  }),

  // The tasks extension by SEP-2663. A tool's `text` says how its task goes: "ask" needs input, "fail" fails, "stay" never ends.
  tasks: tasks(),
};

/** A server of an older revision with sessions; `call` answers tools/call, `get` a GET for a stream. */
function legacy(revision, call, get) {
  const stateful = new Stateful((context) => {
    const { reply, request, message, answers, isCall } = context;
    if (message.method === "server/discover") return reply.json(400, failure(null, -32000, "Bad Request: Server not initialized"));
    if (message.method === "initialize") {
      const good = answers.answer(message);
      return reply.json(200, { ...good, result: { ...good.result, protocolVersion: revision } }, { "mcp-session-id": sessions.open() });
    }
    if (!sessions.has(request.headers["mcp-session-id"])) return reply.json(404, failure(message.id ?? null, -32600, "Session not found"));
    if (message.id === undefined) return reply.send(202, {}, "");
    const good = answers.answer(message);
    return isCall ? call({ ...context, good }) : reply.good(good);
  });
  if (get) stateful.get = get;
  return stateful;
}

const unanswered = new Map();
function poll({ reply, good, request }) {
  const key = `${request.headers["mcp-session-id"]}/${good.id}`;
  unanswered.set(key, good);
  reply.stream();
  reply.socket.write(`id: ${key}\nretry: ${RETRY_MS}\ndata:\n\n`);
  reply.fin();
}

function resumed({ reply, request }) {
  const good = unanswered.get(request.headers["last-event-id"]);
  if (!good) return reply.send(405, { allow: "POST, OPTIONS" }, "");
  unanswered.delete(request.headers["last-event-id"]);
  reply.stream();
  reply.event(good);
  return reply.fin();
}

function listening(end) {
  return new Stateful(async ({ reply, message, answers, isDue }) => {
    if (message.method !== LISTEN) return reply.good(answers.answer(message));
    const _meta = { [SUBSCRIPTION]: message.id };
    reply.stream();
    reply.event(notice("notifications/subscriptions/acknowledged", { _meta, notifications: message.params.notifications }));
    if (isDue) return end(reply, message.id);
    await sleep(LISTEN_MS);
    reply.event(notice("notifications/tools/list_changed", { _meta }));
    // Stays open: the connection is this stream's.
    return new Promise((resolve) => reply.socket.once("close", resolve));
  });
}

function rounds() {
  return new Stateful(({ reply, message, answers, isCall, isDue }) => {
    if (!isCall || !isDue) return reply.good(answers.answer(message));
    const requestState = `${message.params.requestState ?? "round "}|`;
    return reply.json(200, { jsonrpc: "2.0", id: message.id, result: { resultType: "input_required", requestState } });
  });
}

function tasks() {
  const all = new Map();
  const requests = { who: { method: "elicitation/create", params: { mode: "form", message: "Who?", requestedSchema: { type: "object", properties: { name: { type: "string" } } } } } };

  const methods = {
    "server/discover": (_, good) => {
      good.result.capabilities = { ...good.result.capabilities, extensions: { [TASKS]: {} } };
      return good.result;
    },
    "tools/call": ({ arguments: args = {} }) => {
      const taskId = `task-${all.size + 1} ü`;
      const at = new Date().toISOString();
      const task = { taskId, status: "working", statusMessage: "begun", createdAt: at, lastUpdatedAt: at, ttlMs: 60_000, pollIntervalMs: POLL_MS };
      all.set(taskId, { task, how: args.text, polls: 0 });
      return { ...task, resultType: "task" };
    },
    "tasks/get": ({ taskId }) => {
      const entry = all.get(taskId);
      entry.polls += 1;
      advance(entry);
      return entry.task;
    },
    "tasks/update": ({ taskId, inputResponses }) => {
      const entry = all.get(taskId);
      entry.answer = inputResponses.who;
      delete entry.task.inputRequests;
      entry.task.status = "working";
      return {};
    },
    "tasks/cancel": ({ taskId }) => {
      all.get(taskId).task.status = "cancelled";
      return {};
    },
  };

  function advance({ task, how, polls, answer }) {
    if (task.status === "cancelled") return;
    task.statusMessage = `polled ${polls} times`;
    if (how === "stay" || polls < POLLS_UNTIL_DONE) return;
    if (how === "ask" && !answer) {
      Object.assign(task, { status: "input_required", inputRequests: requests });
    } else if (how === "fail") {
      Object.assign(task, { status: "failed", error: { code: -32603, message: "the work broke" } });
    } else {
      const said = answer ? `${answer.action} ${answer.content?.name}` : how;
      Object.assign(task, { status: "completed", result: { content: [{ type: "text", text: `done: ${said}` }] } });
    }
  }

  return new Stateful(({ reply, message, answers }) => {
    const { id, method, params = {} } = message;
    const work = methods[method];
    if (!work) return reply.good(answers.answer(message));
    if (method === "tools/call" && !params._meta?.[CAPABILITIES]?.extensions?.[TASKS]) {
      const data = { requiredCapabilities: { extensions: { [TASKS]: {} } } };
      return reply.json(400, failure(id, -32021, "Missing required client capability", data));
    }
    if (params.taskId !== undefined && !all.has(params.taskId)) return reply.json(400, failure(id, -32602, "No such task"));
    return reply.json(200, complete(id, work(params, answers.answer(message))));
  });
}
