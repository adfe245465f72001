// `subscriptions/listen` end to end: acknowledged, shared, told of changes, taken up again when it ends, given up where there is none.
import assert from "node:assert/strict";

import { rejection, sleep, until } from "../checks.mjs";
import { control, MODERN, watch, withClient } from "./client.mjs";

const CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

export async function listening(servers) {
  for (const name of ["modern", "python-http"]) await real(servers[name]);
  await sharing(servers.modern);
  await ends(servers.fault);
}

async function real(server) {
  const { name } = server;
  await withClient(`${name}: a subscription is acknowledged, hears what changes, and drops what was kept of it`, server, {}, async (client) => {
    const seen = [];
    const filter = { toolsListChanged: true, resourceSubscriptions: ["demo://time"] };
    const subscription = client.subscribe(filter, ({ method, params }) => seen.push(`${method} ${params?.uri ?? ""}`.trim()));
    await subscription.ready;
    assert.equal(subscription.active, true);
    assert.deepEqual(subscription.honored, filter);
    await client.listTools();
    const lists = watch(server, "tools/list");
    await client.listTools();
    assert.equal(lists().length, 0);
    await control(server, "event=toolsChanged");
    await until(() => seen.includes(CHANGED), () => `heard ${seen}`);
    await client.listTools();
    assert.ok(lists().length > 0, "the list was still kept");
    await control(server, "event=resourceUpdated&uri=demo://time");
    await until(() => seen.includes(`${UPDATED} demo://time`), () => `heard ${seen}`);
    await control(server, "event=resourceUpdated&uri=demo://readme");
    await subscription.close();
    assert.equal(subscription.active, false);
    await control(server, "event=toolsChanged");
    await sleep(100);
    assert.deepEqual(seen, [CHANGED, `${UPDATED} demo://time`]);
  });
  await withClient(`${name}: a subscription outlives its link and tells the gap`, server, {}, async (client) => {
    const seen = [];
    const gaps = [];
    const subscription = client.subscribe({ toolsListChanged: true }, ({ method }) => seen.push(method));
    subscription.onGap((gap) => gaps.push(gap));
    await subscription.ready;
    await client.listTools();
    const lists = watch(server, "tools/list");
    server.proxy.cut();
    await until(() => gaps.length === 1, "no gap was told");
    assert.ok(gaps[0].to >= gaps[0].from, JSON.stringify(gaps));
    // Whatever was missed in the gap, the list is asked for again.
    await client.listTools();
    assert.ok(lists().length > 0, "the list was still kept");
    await control(server, "event=toolsChanged");
    await until(() => seen.length === 1, "nothing was heard after the gap");
  });
}

async function sharing(server) {
  await withClient("modern: subscriptions share one stream, and each hears its own", server, {}, async (client) => {
    const listens = watch(server, "subscriptions/listen");
    const heard = { tools: [], one: [], two: [] };
    const tools = client.subscribe({ toolsListChanged: true }, () => heard.tools.push(1));
    const one = client.subscribe({ resourceSubscriptions: ["demo://time"] }, ({ params }) => heard.one.push(params.uri));
    const two = client.subscribe({ resourceSubscriptions: ["demo://time", "demo://readme"] }, ({ params }) => heard.two.push(params.uri));
    await Promise.all([tools.ready, one.ready, two.ready]);
    const { notifications } = listens().at(-1).message.params;
    assert.equal(notifications.toolsListChanged, true);
    assert.deepEqual([...notifications.resourceSubscriptions].sort(), ["demo://readme", "demo://time"]);
    await control(server, "event=resourceUpdated&uri=demo://readme");
    await control(server, "event=resourceUpdated&uri=demo://time");
    await until(() => heard.two.length === 2 && heard.one.length === 1, () => JSON.stringify(heard));
    assert.deepEqual(heard, { tools: [], one: ["demo://time"], two: ["demo://readme", "demo://time"] });
    await two.close();
    await until(() => listens().at(-1).message.params.notifications.resourceSubscriptions?.length === 1, "the smaller filter was never asked for");
  });
  await withClient("modern: a subscription can be read like a list that never ends", server, {}, async (client) => {
    const subscription = client.subscribe({ promptsListChanged: true });
    await subscription.ready;
    await control(server, "event=promptsChanged");
    for await (const { method } of subscription) {
      assert.equal(method, "notifications/prompts/list_changed");
      break;
    }
  });
}

async function ends(server) {
  for (const [name, how] of [["listen-graceful", "ended by the server"], ["listen-abrupt", "cut off"]]) {
    await withClient(`double: a stream that is ${how} is opened again, with a gap`, server, { at: `/call/${name}?times=1`, protocol: MODERN }, async (client) => {
      const listens = watch(server, "subscriptions/listen");
      const gaps = [];
      const seen = [];
      const subscription = client.subscribe({ toolsListChanged: true }, ({ method }) => seen.push(method));
      subscription.onGap((gap) => gaps.push(gap));
      await subscription.ready;
      await until(() => seen.length === 1, () => `heard ${seen}, gaps ${gaps.length}`);
      assert.deepEqual(seen, [CHANGED]);
      assert.equal(gaps.length, 1);
      assert.equal(listens().length, 2);
      assert.equal(subscription.active, true);
    });
  }
  for (const [name, how] of [["listen-unacknowledged", "answers without acknowledging"], ["none", "does not know the method"]]) {
    await withClient(`double: a server that ${how} is asked once`, server, { at: `/call/${name}`, protocol: MODERN }, async (client) => {
      const listens = watch(server, "subscriptions/listen");
      const subscription = client.subscribe({ toolsListChanged: true });
      assert.equal((await rejection(subscription.ready)).code, "CAPABILITY_NOT_SUPPORTED");
      assert.equal(subscription.active, false);
      await sleep(400);
      assert.equal(listens().length, 1);
    });
  }
}
