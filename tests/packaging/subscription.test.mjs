// Subscriptions (subscription.ts), by the package over a fake core: one filter for all, who hears what, gaps, and legacy servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, settled } from "./client.mjs";

const A = "file:///a";
const B = "file:///b";
const EVERYTHING = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true, listChanged: true } };
const legacy = { era: "legacy", capabilities: EVERYTHING };
const ACKNOWLEDGED = 0, LOST = 1, ENDED = 2, UNSUPPORTED = 3;

const updated = (uri) => ({ method: "notifications/resources/updated", params: { uri } });
const toolsChanged = { method: "notifications/tools/list_changed" };

/** Whether a promise is settled, and how. */
async function told(promise) {
  let how = "pending";
  promise.then(() => (how = "resolved"), ({ code }) => (how = code));
  await settled();
  return how;
}

test("the core is told one filter for all subscriptions, anew only when it changes", () => {
  const { client, peer } = open({}, {});
  const first = client.subscribe({ toolsListChanged: true, resourceSubscriptions: [B, A] });
  const second = client.subscribe({ toolsListChanged: true, resourceSubscriptions: [A] });
  const third = client.subscribe({ promptsListChanged: true, resourcesListChanged: false, resourceSubscriptions: [] });
  second.close();
  first.close();
  third.close();
  third.close();
  assert.deepEqual(peer.listens, [
    { toolsListChanged: true, resourceSubscriptions: [A, B] },
    { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: [A, B] },
    { promptsListChanged: true },
    undefined,
  ]);
});

test("a subscription made before the link is there is told as soon as it is", async () => {
  const { client, peer } = open();
  const subscription = client.subscribe({ toolsListChanged: true });
  assert.equal(await told(subscription.ready), "pending");
  peer.ready();
  assert.deepEqual(peer.listens, [{ toolsListChanged: true }]);
});

test("a subscription is ready with the part of its filter that the server honours", async () => {
  const { client, peer } = open({}, {});
  const mixed = client.subscribe({ toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: [A, B] });
  const refused = client.subscribe({ promptsListChanged: true });
  assert.equal(mixed.honored, null);
  assert.equal(mixed.active, false);
  peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true, resourceSubscriptions: [B] });
  assert.equal(await told(mixed.ready), "resolved");
  assert.deepEqual(mixed.honored, { toolsListChanged: true, resourceSubscriptions: [B] });
  assert.equal(mixed.active, true);
  assert.equal(await told(refused.ready), "CAPABILITY_NOT_SUPPORTED");
  assert.equal(refused.active, false);

  const late = client.subscribe({ toolsListChanged: true });
  assert.equal(await told(late.ready), "resolved", "what is listened to already needs no new question");
  const empty = client.subscribe({});
  assert.equal(await told(empty.ready), "CAPABILITY_NOT_SUPPORTED");
});

test("tasks are subscribed to by their ids, and heard by those", async () => {
  const { client, peer } = open({}, {});
  const heard = [];
  const mine = client.subscribe({ taskIds: ["t2", "t1"] }, ({ params }) => heard.push(params.taskId));
  client.subscribe({ taskIds: ["t3"] });
  assert.deepEqual(peer.listens, [{ taskIds: ["t1", "t2"] }, { taskIds: ["t1", "t2", "t3"] }]);
  peer.host.onListen(ACKNOWLEDGED, { taskIds: ["t1", "t3"] });
  await mine.ready;
  assert.deepEqual(mine.honored, { taskIds: ["t1"] });
  for (const taskId of ["t1", "t3", "t10"]) peer.host.onNotification({ method: "notifications/tasks", params: { taskId } });
  assert.deepEqual(heard, ["t1"]);
});

test("an acknowledgment that names nothing honours all", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true });
  peer.host.onListen(ACKNOWLEDGED, undefined);
  await subscription.ready;
  assert.deepEqual(subscription.honored, { toolsListChanged: true });
});

test("everybody hears what concerns them, parts of a resource too", () => {
  const { client, peer } = open({}, {});
  const heard = { tools: [], a: [], folder: [], event: [] };
  client.on("notification", ({ method }) => heard.event.push(method));
  client.subscribe({ toolsListChanged: true }, ({ method }) => heard.tools.push(method));
  client.subscribe({ resourceSubscriptions: [A] }, ({ params }) => heard.a.push(params.uri));
  client.subscribe({ resourceSubscriptions: ["file:///dir/"] }, ({ params }) => heard.folder.push(params.uri));
  for (const uri of [A, `${A}/part`, `${A}#x`, `${A}bc`, B, "file:///dir/x"]) peer.host.onNotification(updated(uri));
  peer.host.onNotification({ method: "notifications/resources/updated" });
  peer.host.onNotification(toolsChanged);
  assert.deepEqual(heard.tools, [toolsChanged.method]);
  assert.deepEqual(heard.a, [A, `${A}/part`, `${A}#x`]);
  assert.deepEqual(heard.folder, ["file:///dir/x"]);
  assert.equal(heard.event.length, 8);
});

test("who is closed by a handler hears no more, and who is made by one begins with the next", () => {
  const { client, peer } = open({}, {});
  const heard = [];
  client.subscribe({ toolsListChanged: true }, () => {
    second.close();
    client.subscribe({ toolsListChanged: true }, () => heard.push("late"));
  });
  const second = client.subscribe({ toolsListChanged: true }, () => heard.push("closed"));
  peer.host.onNotification(toolsChanged);
  assert.deepEqual(heard, []);
});

test("a subscription does not hurry a link that is being opened again", () => {
  const { client, peer } = open({}, {});
  peer.lost();
  client.subscribe({ toolsListChanged: true });
  assert.deepEqual(peer.calls, []);
});

test("a loop gets what arrived before it began, and ends with the subscription", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true });
  peer.host.onNotification(toolsChanged);
  const methods = [];
  const loop = (async () => {
    for await (const { method } of subscription) methods.push(method);
  })();
  await settled();
  assert.equal(methods.length, 1);
  peer.host.onNotification(toolsChanged);
  peer.host.onNotification(toolsChanged);
  await subscription.close();
  await loop;
  assert.equal(methods.length, 3);
});

test("leaving a loop closes the subscription", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true });
  peer.host.onNotification(toolsChanged);
  for await (const _ of subscription) break;
  assert.deepEqual(peer.listens, [{ toolsListChanged: true }, undefined]);
});

test("a loop that does not keep up loses the oldest", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ resourceSubscriptions: ["x:/"] });
  for (let i = 0; i < 1005; i += 1) peer.host.onNotification(updated(`x:/${i}`));
  await subscription.close();
  const uris = [];
  for await (const { params } of subscription) uris.push(params.uri);
  assert.equal(uris.length, 1000);
  assert.equal(uris[0], "x:/5");
});

test("with a handler nothing is kept for loops that nobody makes", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true }, () => {});
  peer.host.onNotification(toolsChanged);
  await subscription.close();
  for await (const _ of subscription) assert.fail("it was kept");
});

for (const [name, phase] of Object.entries({ "broke off": LOST, "was ended by the server": ENDED })) {
  test(`a stream that ${name} leaves a gap, told when it is there again`, async () => {
    const { client, peer } = open({}, {});
    const gaps = [];
    const subscription = client.subscribe({ toolsListChanged: true });
    subscription.onGap((gap) => gaps.push(gap));
    peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
    const before = Date.now();
    peer.host.onListen(phase, undefined);
    assert.equal(subscription.active, false);
    peer.host.onListen(phase, undefined);
    assert.deepEqual(gaps, []);
    const newcomer = client.subscribe({ toolsListChanged: true });
    newcomer.onGap(() => assert.fail("it missed nothing"));
    peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
    assert.equal(subscription.active, true);
    assert.equal(gaps.length, 1);
    assert.ok(before <= gaps[0].from && gaps[0].from <= gaps[0].to && gaps[0].to <= Date.now());
    await newcomer.ready;
    peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
    assert.equal(gaps.length, 1, "a filter that changed is no gap");
  });
}

test("a lost link is a gap as well", () => {
  const { client, peer } = open({}, {});
  let gaps = 0;
  const subscription = client.subscribe({ toolsListChanged: true });
  subscription.onGap(() => gaps++);
  peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
  peer.lost();
  assert.equal(subscription.active, false);
  peer.ready();
  assert.equal(subscription.active, false);
  peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
  assert.equal(gaps, 1);
  assert.equal(peer.listens.length, 1, "the core listens again by itself");
});

test("a server that cannot do it is told once, also to who comes later, and asked again on another link", async () => {
  const { client, peer } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true });
  peer.host.onListen(UNSUPPORTED, undefined);
  assert.equal(await told(subscription.ready), "CAPABILITY_NOT_SUPPORTED");
  assert.equal(await told(client.subscribe({ toolsListChanged: true }).ready), "CAPABILITY_NOT_SUPPORTED");
  peer.lost();
  peer.ready();
  peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
  assert.equal(subscription.active, true);

  const errors = [];
  client.on("error", ({ code }) => errors.push(code));
  peer.host.onListen(UNSUPPORTED, undefined);
  assert.deepEqual(errors, ["CAPABILITY_NOT_SUPPORTED", "CAPABILITY_NOT_SUPPORTED"], "each that was there is told");
});

test("a server that cannot be reached is told by ready, and served when it comes", async () => {
  const { client, peer } = open();
  const subscription = client.subscribe({ toolsListChanged: true });
  for (const call of [...peer.calls]) peer.fail(call, "CONNECT_FAILED", { outcome: "not-sent" });
  assert.equal(await told(subscription.ready), "CONNECT_FAILED");
  peer.ready();
  peer.host.onListen(ACKNOWLEDGED, { toolsListChanged: true });
  assert.equal(subscription.active, true);
});

test("closing the client ends its subscriptions, and a closed client makes none", async () => {
  const { client } = open({}, {});
  const subscription = client.subscribe({ toolsListChanged: true });
  await client.close();
  assert.equal(await told(subscription.ready), "CLIENT_CLOSED");
  for await (const _ of subscription) assert.fail("nothing arrived");
  const late = client.subscribe({ toolsListChanged: true });
  assert.equal(await told(late.ready), "CLIENT_CLOSED");
  for await (const _ of late) assert.fail("nothing arrived");
});

// ---- legacy ----

const asked = (peer, verb) => peer.of(`resources/${verb}`).map((call) => call.params.uri);

test("a legacy server is asked for each resource once, and when the last is gone no more", async () => {
  const { client, peer } = open({}, legacy);
  const first = client.subscribe({ resourceSubscriptions: [A] });
  const second = client.subscribe({ resourceSubscriptions: [A, B] });
  assert.deepEqual(asked(peer, "subscribe"), [A, B]);
  for (const call of peer.of("resources/subscribe")) peer.settle(call, {});
  await Promise.all([first.ready, second.ready]);
  assert.deepEqual(second.honored, { resourceSubscriptions: [A, B] });
  second.close();
  await settled();
  assert.deepEqual(asked(peer, "unsubscribe"), [B]);
  first.close();
  await settled();
  assert.deepEqual(asked(peer, "unsubscribe"), [B, A]);
  assert.equal(first.active, false);
});

test("requests about one resource wait for each other", async () => {
  const { client, peer } = open({}, legacy);
  client.subscribe({ resourceSubscriptions: [A] }).close();
  const again = client.subscribe({ resourceSubscriptions: [A] });
  const order = [];
  for (let i = 0; i < 3; i += 1) {
    assert.equal(peer.calls.length, 1, "one at a time");
    order.push(peer.calls[0].method);
    peer.settle(peer.calls[0], {});
    await settled();
  }
  assert.deepEqual(order, ["resources/subscribe", "resources/unsubscribe", "resources/subscribe"]);
  await again.ready;
});

test("a legacy server honours what it declares; resources cost no request where it cannot", async () => {
  const { client, peer } = open({}, { era: "legacy", capabilities: { tools: { listChanged: true }, resources: {} } });
  const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: [A] };
  const subscription = client.subscribe(all);
  await subscription.ready;
  assert.deepEqual(subscription.honored, { toolsListChanged: true });
  assert.equal(await told(client.subscribe({ resourceSubscriptions: [A] }).ready), "CAPABILITY_NOT_SUPPORTED");
  assert.deepEqual(peer.calls, []);
});

test("a resource that is refused rejects ready with the server's error; the others are served", async () => {
  const { client, peer } = open({}, legacy);
  const subscription = client.subscribe({ resourceSubscriptions: [A, B] });
  peer.rpcError(peer.of("resources/subscribe")[0], -32002);
  peer.settle(peer.of("resources/subscribe")[0], {});
  assert.equal(await told(subscription.ready), "RPC_ERROR");
  assert.deepEqual(subscription.honored, { resourceSubscriptions: [B] });
  assert.equal(subscription.active, true);
});

test("on a new link a legacy server is asked again, and the gap is told when it has agreed", async () => {
  const { client, peer } = open({}, legacy);
  const gaps = [];
  const errors = [];
  client.on("error", ({ code }) => errors.push(code));
  const subscription = client.subscribe({ resourceSubscriptions: [A] });
  subscription.onGap((gap) => gaps.push(gap));
  peer.settle(peer.of("resources/subscribe")[0], {});
  await subscription.ready;
  peer.lost();
  peer.ready(legacy);
  assert.deepEqual(asked(peer, "subscribe"), [A]);
  assert.deepEqual(gaps, []);
  peer.settle(peer.of("resources/subscribe")[0], {});
  await settled();
  assert.equal(gaps.length, 1);
  assert.equal(subscription.active, true);

  peer.ready(legacy);
  peer.rpcError(peer.of("resources/subscribe")[0], -32002);
  await settled();
  assert.deepEqual(errors, ["RPC_ERROR"]);
  assert.equal(subscription.active, false);
});
