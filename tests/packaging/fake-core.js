// Stands in for the compiled core in tests of the package: the real snippet, and a peer for each client that does what the test says. It
// keeps no connection and decides nothing.
import * as glue from "../../src/web/glue.js";
import { serve } from "../../src/web/keeping.js";

/** The peers of the clients made so far, oldest first. */
export const peers = [];
const tables = glue.api();
let heard;
const methods = "tools/call|tools/list|resources/list|resources/read|prompts/list|server/discover";
glue.setUp({ call, hear: (_now, ...told) => void (heard = told) }, methods, 0b111110, "2025-11-25|2026-07-28");

/** A handle as the real core gets it: of what arrived as text. */
function arrived(client, message, print = JSON.stringify) {
  if (message.result === undefined && !message.error) return 0;
  glue.receiveBytes(new TextEncoder().encode(print({ jsonrpc: "2.0", id: 1, ...message })), client, 1);
  return heard[4];
}

class Peer {
  /** Calls handed over and not settled yet, in order: { slot, method, params, headers, key, entry }. */
  calls = [];
  /** Told of each call. */
  onCall = undefined;
  /** What the package told beyond calls. */
  answers = [];
  signals = [];
  replies = [];
  listens = [];
  cancelled = [];
  epoch = 0;
  contexts = 0;
  keeps = [];
  invalidated = [];
  limits = [];

  constructor(host) {
    this.host = host;
    this.client = glue.open(host, 1e6);
  }

  /** The link is ready; whoever waits for it goes on. */
  ready({ era = "modern", capabilities = {}, name = "fake", epoch = this.epoch + 1 } = {}) {
    this.epoch = epoch;
    const serverInfo = { name, version: "1" };
    this.host.onServer(era === "legacy" ? { serverInfo, capabilities } : { capabilities, _meta: { "io.modelcontextprotocol/serverInfo": serverInfo } });
    this.host.onState("ready", "http", era, era === "legacy" ? "2025-11-25" : "2026-07-28", 0, NaN, epoch, "", null);
    for (const call of this.calls.filter((one) => one.connect)) this.settle(call);
  }

  lost() {
    this.host.onState("reconnecting", "", "", "", 1, NaN, this.epoch, "", null);
  }

  /** The calls of one method that wait for their answer. */
  of(method) {
    return this.calls.filter((call) => call.method === method);
  }

  /** `print` makes JSON of the message in its own way. */
  settle(call, result, print) {
    this.calls = this.calls.filter((one) => one !== call);
    glue.settle(this.client, call.slot, arrived(this.client, { result }, print));
  }

  /** The caller gets a stale result; the call goes on. */
  serve(call, result) {
    serve(this.client, call.slot, arrived(this.client, { result }));
  }

  fail(call, code, { outcome = "not-applied", retryable = 0, kind = "", number = 0, value } = {}) {
    this.calls = this.calls.filter((one) => one !== call);
    const handle = arrived(this.client, kind === "rpc" ? { error: value } : { result: value });
    const [what, after, how] = [glue.CODES.indexOf(code), glue.OUTCOMES.indexOf(outcome), glue.KINDS.indexOf(kind)];
    glue.fail(this.client, call.slot, glue.failure(what, after, retryable, how, number, -1, "", handle));
  }

  rpcError(call, number, data) {
    this.fail(call, "RPC_ERROR", { kind: "rpc", number, value: { code: number, message: "refused", data } });
  }
}

const of = (client) => peers.find((peer) => peer.client === client);
const entries = new Map();
/** What would go as headers, by the handle of the params. */
const mirrored = new Map();

/** Params as a server would read them. */
function read(handle) {
  if (handle === 0) return undefined;
  const { text, meta } = tables.printed(handle);
  return meta ? { ...JSON.parse(text), _meta: JSON.parse(`{${meta}}`) } : JSON.parse(text);
}

const CONNECT = 2;

export default async function init() {}
export function initSync() {}

export function api() {
  const attach = (client, entry) => {
    const slot = tables.attach(client, entry);
    entries.set(slot + client * 1e6, entry);
    return slot;
  };
  const params = (method, given, headers) => {
    const handle = tables.params(method, given, headers);
    mirrored.set(handle, headers);
    return handle;
  };
  return { ...tables, attach, params };
}

export function create(_config, host) {
  const peer = new Peer(host);
  peers.push(peer);
  return peer.client;
}

function call(_now, client, slot, method, params, _priority, _timeout, _total, _queue, flags, key, ttl) {
  const peer = of(client);
  const entry = entries.get(slot + client * 1e6);
  const one = { slot, method: entry.method, params: read(params), headers: mirrored.get(params), flags, key, ttl, entry, connect: !!(flags & CONNECT) };
  peer.calls.push(one);
  if (one.connect && peer.host.state === "ready") peer.settle(one);
  peer.onCall?.(one);
}

export function cancel(client, slot) {
  const peer = of(client);
  const call = peer.calls.find((one) => one.slot === slot);
  peer.cancelled.push(call);
  peer.fail(call, "ABORTED");
}

export function answer(client, slot, params) {
  const peer = of(client);
  peer.answers.push({ slot, params: read(params) });
}

export function reply(client, link, message) {
  of(client).replies.push({ link, ...JSON.parse(tables.printed(message)) });
}

export function listen(client, params) {
  of(client).listens.push(read(params)?.notifications);
}

export function signal(client, signal) {
  of(client).signals.push(signal);
}

export function close(client) {
  const peer = of(client);
  peer.host.onState("closed", "", "", "", 0, NaN, peer.epoch, "", null);
  for (const call of [...peer.calls]) peer.fail(call, "CLIENT_CLOSED");
  peer.host.onState("closed", "", "", "", 0, NaN, peer.epoch, "", null);
  return undefined;
}

export const peek = () => 0;
export const kept = () => [];
export const keep = (client, ...told) => void of(client).keeps.push(told);
export const invalidate = (client, ...told) => void of(client).invalidated.push(told);
export const changeContext = (client) => void of(client).contexts++;
export const metrics = () => [];
export const limit = (client, ...told) => void of(client).limits.push(told);
export const isSent = () => 1;
export const setPriority = () => {};
export const pause = () => {};
export const clear = () => {};
export const reconnect = () => {};
