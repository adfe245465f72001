// Clients by name, what they went through, and how their calls ended: in a page or a worker, asked from outside by
// lifecycle.mjs. It judges nothing. Times are those of `Date.now()`, which the page shares with the tests.
import { createClient } from "../../../pkg/dist/index.js";
import { indexedDbJournal } from "../../../pkg/dist/persist.js";

const clients = new Map();

/** Makes a client; `story` keeps its states and what befell its calls. */
export function open(name, config) {
  const client = createClient(config);
  const story = [];
  const calls = {};
  clients.set(name, { client, story, calls });
  const tell = (event, detail) => story.push({ at: Date.now(), event, ...detail });
  client.on("state", ({ current: { state, reason } }) => tell("state", { state, code: reason?.code }));
  client.on("transport", ({ to, cause }) => tell("transport", { to, cause }));
  client.on("suspended", ({ cause }) => tell("suspended", { cause }));
  client.on("error", ({ code }) => tell("error", { code }));
}

/** The same with a journal in IndexedDB; gives the tools of the calls that an earlier page left in doubt. */
export async function openNoted(name, config) {
  const journal = indexedDbJournal();
  open(name, { ...config, journal });
  await journal.ready;
  return clients.get(name).client.inDoubt().map(({ tool }) => tool);
}

export async function connect(name) {
  await clients.get(name).client.connect();
  return look(name);
}

/** Starts a tool call under a name of its own; `look` tells how it ended. */
export function start(name, as, tool, args, options) {
  const { client, calls } = clients.get(name);
  const call = { status: "pending", sentAt: Date.now() };
  calls[as] = call;
  const end = (fields) => Object.assign(call, { at: Date.now(), ...fields });
  client.callTool(tool, args, options).then(
    ({ content }) => end({ status: "done", text: content[0].text }),
    ({ code, outcome }) => end({ status: "failed", code, outcome }),
  );
}

export const subscribe = (name, filter) => clients.get(name).client.subscribe(filter).ready;

export function look(name) {
  const { client, story, calls } = clients.get(name);
  const { state, transport, degraded, epoch, online, visible, reason } = client.connection;
  return { state, transport, degraded, epoch, online, visible, code: reason?.code, story, calls, now: Date.now() };
}
