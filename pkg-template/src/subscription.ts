// Subscriptions of the application, merged into the one that a server is asked for: a filter for `subscriptions/listen`, which the core
// keeps open (P47 to P50), or a request per resource for legacy servers (P81). It hands notifications to whom they concern.

import * as core from "bowline-core";
import { CONNECT, submit } from "./call.js";
import { Emitter } from "./emitter.js";
import { errorFrom, type McpError } from "./errors.js";
import type { Host } from "./host.js";
import type { McpNotification, McpSubscription, ServerCapabilities, SubscriptionFilter } from "./types.js";

/** The members of a filter, and the notifications they ask for. */
const KINDS = {
  toolsListChanged: "notifications/tools/list_changed",
  promptsListChanged: "notifications/prompts/list_changed",
  resourcesListChanged: "notifications/resources/list_changed",
  resourceSubscriptions: "notifications/resources/updated",
  taskIds: "notifications/tasks",
} as const;
const MEMBERS = Object.keys(KINDS) as (keyof SubscriptionFilter)[];

/** What a loop that does not keep up may have waiting; the oldest is dropped. */
const LIMIT = 1000;

/** Phases that the core tells. */
const ACKNOWLEDGED = 0;
const UNSUPPORTED = 3;

interface Gap {
  from: number;
  to: number;
}
type Errors = ReadonlyMap<string, unknown>;

/** Each member as `pick` makes it, without those that come to nothing. */
function filter(pick: (member: keyof SubscriptionFilter) => unknown): SubscriptionFilter {
  const made = MEMBERS.map((member) => [member, pick(member)] as const);
  return Object.fromEntries(made.filter(([, value]) => (Array.isArray(value) ? value.length : value)));
}

const isEmpty = (one: SubscriptionFilter): boolean => Object.keys(one).length === 0;

const isList = (member: keyof SubscriptionFilter): member is "resourceSubscriptions" | "taskIds" => /Subs|Ids/.test(member);

/** The same for the same wishes, whatever their order. */
const union = (filters: SubscriptionFilter[]): SubscriptionFilter =>
  filter((member) =>
    isList(member) ? [...new Set(filters.flatMap((one) => one[member] ?? []))].sort() : filters.some((one) => one[member]),
  );

const intersection = (wanted: SubscriptionFilter, given: SubscriptionFilter): SubscriptionFilter =>
  filter((member) =>
    isList(member) ? wanted[member]?.filter((name) => given[member]?.includes?.(name)) : wanted[member] && given[member] === true,
  );

/** A server may name a part of the resource that was subscribed to. */
const within = (uri: unknown, subscribed: string): boolean =>
  typeof uri === "string" &&
  uri.startsWith(subscribed) &&
  (uri === subscribed || subscribed.endsWith("/") || /^[/?#]/.test(uri.slice(subscribed.length)));

class Subscription implements McpSubscription {
  readonly filter: SubscriptionFilter;
  readonly ready: Promise<void>;
  active = false;
  honored: SubscriptionFilter | null = null;
  readonly #owner: Subscriptions;
  readonly #events = new Emitter<{ notification: McpNotification; gap: Gap }>();
  #state: "pending" | "ready" | "refused" = "pending";
  #served = false;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #closed = false;
  /** What loops have not got yet; none while nobody could be looping. */
  #waiting: McpNotification[] | undefined;
  #news!: Promise<void>;
  #wake!: () => void;

  constructor(owner: Subscriptions, wanted: SubscriptionFilter, handler?: (notification: McpNotification) => void) {
    this.#owner = owner;
    this.filter = union([wanted]);
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody has to look at it.
    this.ready.catch(() => {});
    if (handler) this.#events.on("notification", handler);
    else this.#waiting = [];
    this.#rest();
  }

  onGap(listener: (gap: Gap) => void): () => void {
    return this.#events.on("gap", listener);
  }

  async close(): Promise<void> {
    this.#owner.remove(this);
    this.end(errorFrom({ code: "ABORTED", outcome: "not-applied", retryable: false }));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<McpNotification, void> {
    const waiting = (this.#waiting ??= []);
    try {
      for (;;) {
        while (waiting.length) yield waiting.shift()!;
        if (this.#closed) return;
        await this.#news;
      }
    } finally {
      void this.close();
    }
  }

  /** The server has said, for what is subscribed to in all, what it honours. */
  settle(honored: SubscriptionFilter, errors: Errors, gap: Gap | undefined): void {
    this.honored = intersection(this.filter, honored);
    this.active = !isEmpty(this.honored);
    if (gap && this.#served && this.active) this.#events.emit("gap", gap);
    this.#served ||= this.active;
    const failed = this.filter.resourceSubscriptions?.find((uri) => errors.has(uri));
    if (failed !== undefined) return this.refuse(errors.get(failed));
    if (!this.active) {
      return this.refuse(
        errorFrom({ code: "CAPABILITY_NOT_SUPPORTED", outcome: "not-applied", retryable: false, detail: "subscriptions" }),
      );
    }
    this.#state = "ready";
    this.#resolve();
  }

  /** Why it does not serve, or not wholly: told once. */
  refuse(error: unknown): void {
    if (this.#state === "ready") this.#owner.report(error as McpError);
    this.#state = "refused";
    this.#reject(error);
  }

  hear(notification: McpNotification): void {
    const { method, params } = notification;
    const { filter } = this;
    const wanted = MEMBERS.some((member) => {
      if (KINDS[member] !== method) return false;
      const value = filter[member];
      if (!Array.isArray(value)) return value;
      return member === "taskIds" ? value.includes(params?.taskId as string) : value.some((uri) => within(params?.uri, uri));
    });
    if (!wanted) return;
    this.#events.emit("notification", notification);
    if (!this.#waiting) return;
    if (this.#waiting.push(notification) > LIMIT) this.#waiting.shift();
    this.#rest();
  }

  end(error: unknown): void {
    this.active = false;
    this.#closed = true;
    this.#reject(error);
    this.#rest();
  }

  /** Wakes the loops, and makes what they wait for next. */
  #rest(): void {
    this.#wake?.();
    this.#news = new Promise((resolve) => (this.#wake = resolve));
  }
}

/** All subscriptions of one client. */
export class Subscriptions {
  readonly #host: Host;
  readonly #all = new Set<Subscription>();
  /** What the core was told last, as text. */
  #told = "{}";
  /** What the server honours of that; undefined until it has said so. */
  #answer: SubscriptionFilter | undefined;
  #epoch = 0;
  #lostAt = 0;
  /** The latest request about each resource on this legacy link. It resolves with its error, if any, which stands while the resource is wanted. */
  #turns = new Map<string, { on: boolean; done: Promise<unknown> }>();
  #round = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  add(wanted: SubscriptionFilter, handler?: (notification: McpNotification) => void): McpSubscription {
    const subscription = new Subscription(this, wanted, handler);
    this.#all.add(subscription);
    this.#sync();
    // Nobody else may be opening the link. A lost one is opened in its own time: a subscription is no reason to hurry.
    if (!["ready", "reconnecting", "suspended"].includes(this.#host.state)) {
      submit(this.#host, CONNECT, "").catch((error: McpError) => {
        if (error.code !== "CLIENT_CLOSED") return subscription.refuse(error);
        this.#all.delete(subscription);
        subscription.end(error);
      });
    }
    return subscription;
  }

  remove(subscription: Subscription): void {
    if (this.#all.delete(subscription)) this.#sync();
  }

  report(error: McpError): void {
    this.#host.events.emit("error", error);
  }

  hear(notification: McpNotification): void {
    // One that a handler closes hears no more; one that it makes begins with the next.
    for (const subscription of [...this.#all]) if (this.#all.has(subscription)) subscription.hear(notification);
  }

  close(): void {
    for (const subscription of this.#all) {
      subscription.end(errorFrom({ code: "CLIENT_CLOSED", outcome: "not-applied", retryable: false }));
    }
    this.#all.clear();
  }

  /** The core forgot what it was told. */
  forget(): void {
    this.#told = "{}";
    this.onLink();
  }

  /** The link came, went, or was replaced. */
  onLink(): void {
    const { state, epoch } = this.#host.connection;
    if (state !== "ready" || epoch !== this.#epoch) this.#lost();
    if (state !== "ready" || epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#turns = new Map();
    this.#sync();
  }

  onListen(phase: number, honored: SubscriptionFilter | undefined): void {
    if (phase === ACKNOWLEDGED) this.#established(honored ?? JSON.parse(this.#told));
    else if (phase === UNSUPPORTED) this.#established({});
    else this.#lost();
  }

  #lost(): void {
    this.#answer = undefined;
    for (const subscription of this.#all) {
      if (subscription.active) this.#lostAt ||= Date.now();
      subscription.active = false;
    }
  }

  #established(honored: SubscriptionFilter, errors: Errors = new Map()): void {
    const gap = this.#lostAt ? { from: this.#lostAt, to: Date.now() } : undefined;
    this.#lostAt = 0;
    this.#answer = honored;
    for (const subscription of [...this.#all]) subscription.settle(honored, errors, gap);
  }

  /** Tells core and server what is wanted now. */
  #sync(): void {
    const { client, tables, connection } = this.#host;
    if (!tables) return;
    const wanted = union([...this.#all].map((one) => one.filter));
    const text = JSON.stringify(wanted);
    if (text !== this.#told) {
      this.#told = text;
      this.#answer = undefined;
      const method = tables.methodId("subscriptions/listen");
      core.listen(client, isEmpty(wanted) ? 0 : tables.params(method, { notifications: wanted }));
    }
    if (isEmpty(wanted)) this.#answer = {};
    if (connection.state === "ready" && connection.era === "legacy") void this.#request(wanted);
    else if (this.#answer) this.#established(this.#answer);
  }

  /** A legacy server sends what it declares, and for resources what it was asked for, link by link. */
  async #request(wanted: SubscriptionFilter): Promise<void> {
    const round = ++this.#round;
    const { tools, prompts, resources }: ServerCapabilities = this.#host.connection.server?.capabilities ?? {};
    const uris = (resources?.subscribe && wanted.resourceSubscriptions) || [];
    for (const uri of this.#turns.keys()) if (!uris.includes(uri)) this.#turn(uri, false);
    const errors = new Map<string, unknown>();
    for (const uri of uris) this.#turn(uri, true);
    await Promise.all(
      uris.map(async (uri) => {
        const error = await this.#turns.get(uri)!.done;
        if (error) errors.set(uri, error);
      }),
    );
    // A later round asks for all that this one did.
    if (round !== this.#round) return;
    const honored = {
      toolsListChanged: !!tools?.listChanged,
      promptsListChanged: !!prompts?.listChanged,
      resourcesListChanged: !!resources?.listChanged,
      resourceSubscriptions: uris.filter((uri) => !errors.has(uri)),
    };
    this.#established(honored, errors);
  }

  /** One request after the other for the same resource, as over HTTP they could overtake each other. */
  #turn(uri: string, on: boolean): void {
    const turns = this.#turns;
    const before = turns.get(uri);
    if (before?.on === on) return;
    const ask = (): Promise<unknown> =>
      submit(this.#host, 0, on ? "resources/subscribe" : "resources/unsubscribe", { uri }).then(
        () => undefined,
        (error) => error,
      );
    const turn = { on, done: before ? before.done.then(ask) : ask() };
    turns.set(uri, turn);
    if (!on) void turn.done.then(() => turns.get(uri) === turn && turns.delete(uri));
  }
}
