// The sources of nodes with bodies recorded from Consul 1.8.7, etcd 3.4.23 and 3.5.16, cut and bent as no live server can be made to; the
// nodes that an application names; and those that are kept. tests/cluster/discovery.mjs has the live servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inNode } from "../cluster/places.mjs";

const { LastKnownGood, consul, custom, etcd, given } = await inNode();

const base64 = (text) => Buffer.from(text).toString("base64");
const put = (id, value, revision) => ({ kv: { key: base64(`/n/${id}`), mod_revision: `${revision}`, value: base64(typeof value === "string" ? value : JSON.stringify(value)) } });
const gone = (id, revision) => ({ type: "DELETE", kv: { key: base64(`/n/${id}`), mod_revision: `${revision}` } });
const line = (result) => `${JSON.stringify({ result: { header: { revision: "9" }, ...result } })}\n`;
const CREATED = line({ created: true });
const OPTIONS = { endpoints: ["http://a:1", "http://b:2/through/"], prefix: "/n/" };
const LIST = { kind: "list", endpoint: 0, index: 0, wait: 0 };
const WATCH = { kind: "watch", endpoint: 0, revision: "10", idle: 5000 };

/** A `fetch` that gives these answers in turn, and what it was asked. An answer: a body, or `[status, body, headers]`, or an error. */
function server(...answers) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, ...init, body: init.body && JSON.parse(init.body) });
    const answer = await answers.shift();
    if (answer instanceof Error) throw answer;
    const [status, body, headers] = Array.isArray(answer) ? answer : [200, answer, {}];
    // As a real one does: an abort ends the body too.
    const ended = body instanceof ReadableStream ? body.pipeThrough(new TransformStream(), { signal: init.signal }) : body;
    return new Response(ended, { status, headers });
  };
  return { fetch, asked };
}

/** The text as a stream, cut where `cuts` says in bytes; open at the end when `hold`. */
function cut(text, cuts, hold = false) {
  const bytes = Buffer.from(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return hold ? new Promise(() => {}) : controller.close();
      const end = Math.min(bytes.length, at + Math.max(1, cuts()));
      controller.enqueue(new Uint8Array(bytes.subarray(at, end)));
      at = end;
    },
  });
}

/** All that a source says to a question until it has said this many things, or its last. */
function told(source, query, count = Infinity) {
  return new Promise((resolve) => {
    const answers = [];
    const stop = source.ask(query, (answer) => {
      answers.push(answer);
      if (answer.kind !== "changes" || answers.length === count) {
        stop();
        resolve(answers);
      }
    });
  });
}

const one = async (source, query) => (await told(source, query))[0];
const node = (id, more = {}) => ({ id, url: `http://${id}/`, weight: 1, region: "", zone: "", tags: [], ...more });

test("an etcd request is a plain text without a header of its own, so that no browser asks for leave first", async () => {
  const { fetch, asked } = server('{"header":{"revision":"9"}}', '{"header":{"revision":"9"}}');
  await one(etcd({ ...OPTIONS, fetch }), LIST);
  await one(etcd({ ...OPTIONS, fetch }), { ...LIST, endpoint: 1 });
  const [{ url, method, headers, credentials, body }, second] = asked;
  assert.deepEqual([url, method, headers, credentials], ["http://a:1/v3/kv/range", "POST", {}, "omit"]);
  assert.deepEqual(body, { key: base64("/n/"), range_end: base64("/n0") });
  assert.equal(second.url, "http://b:2/through/v3/kv/range");
});

test("a watch is put together wherever its lines are cut", async () => {
  const url = "http://x/ø";
  const lines = CREATED + line({ events: [put("æ", { url, zone: "zürich" }, 10), gone("b", 11)] }) + "\n" + line({ events: [put("c", { url }, 12)] });
  for (let size = 1; size < 40; size += 1) {
    const { fetch, asked } = server(cut(lines, () => size));
    const answers = await told(etcd({ ...OPTIONS, fetch }), WATCH);
    assert.deepEqual(
      answers.map(({ kind, put, gone, revision }) => [kind, put?.map(({ id, zone }) => id + zone), gone, revision]),
      [
        ["changes", [], [], 9],
        ["changes", ["æzürich"], ["b"], 11],
        ["changes", ["c"], [], 12],
        ["ended", undefined, undefined, undefined],
      ],
      `cut every ${size} bytes`,
    );
    assert.deepEqual(asked[0].body.create_request, { key: base64("/n/"), range_end: base64("/n0"), start_revision: "10", progress_notify: true });
  }
});

test("the last word on a node in a message counts, and a new description that is none removes it", async () => {
  const events = [put("a", node("a"), 10), gone("a", 11), gone("b", 12), put("b", node("b"), 13), put("c", "{", 14), put("d", { url: "javascript:1" }, 15)];
  const { fetch } = server(CREATED + line({ events }));
  const [, changes] = await told(etcd({ ...OPTIONS, fetch }), WATCH);
  assert.deepEqual(changes.put, [node("b")]);
  assert.deepEqual(changes.gone, ["a", "c", "d"]);
  assert.deepEqual(changes.odd, ["c: its value is not JSON", "d: its url is no http(s) or ws(s) address without user and password"]);
  assert.equal(changes.revision, 15);
});

test("the revision of a header moves nothing: there may be changes to come", async () => {
  const { fetch } = server(CREATED + line({ header: { revision: "99" } }) + line({ events: [put("a", node("a"), 12)], header: { revision: "99" } }));
  const answers = await told(etcd({ ...OPTIONS, fetch }), WATCH);
  assert.deepEqual(answers.map(({ revision }) => revision), [9, 9, 12, undefined]);
});

test("what ends a watch inside of HTTP 200 is told for what it is", async () => {
  const refusal = (text) => line({ watch_id: "-1", created: true, canceled: true, cancel_reason: text });
  for (const [body, kind] of [
    [CREATED + line({ canceled: true, compact_revision: "11" }), "compacted"],
    [line({ created: true, header: { revision: "8" } }), "compacted"],
    [refusal("rpc error: code = PermissionDenied desc = etcdserver: permission denied"), "unauthorized"],
    [refusal("rpc error: code = InvalidArgument desc = etcdserver: user name is empty"), "unauthorized"],
    [refusal("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"), "unauthorized"],
    [line({ canceled: true, cancel_reason: "etcdserver: no leader" }), "failed"],
    [`${CREATED}{"error":{"grpc_code":14,"http_code":503,"message":"transport is closing"}}\n`, "failed"],
    [`${CREATED}{"error":{"grpc_code":16,"http_code":401,"message":"etcdserver: invalid auth token"}}\n`, "unauthorized"],
    [`${CREATED}<html>`, "failed"],
    [CREATED, "ended"],
  ]) {
    const { fetch } = server(body);
    assert.equal((await told(etcd({ ...OPTIONS, fetch }), WATCH)).at(-1).kind, kind, body);
  }
});

test("errors of both JSON styles of etcd, of proxies and of the network are told as what they mean", async () => {
  for (const [answer, kind, detail] of [
    [[401, '{"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token","code":16}'], "unauthorized", /401 etcdserver: invalid auth token/],
    [[401, '{"code":16, "message":"etcdserver: invalid auth token"}'], "unauthorized", /invalid/],
    [[400, '{"code":3, "message":"etcdserver: user name is empty"}'], "unauthorized", /empty/],
    [[403, '{"error":"x","message":"etcdserver: permission denied","code":7}'], "unauthorized", /denied/],
    [[404, "Not Found"], "failed", /404 Not Found/],
    [[503, "<html>busy</html>"], "failed", /503 <html>/],
    ["<html>hello</html>", "failed", /not JSON/],
    ['{"hello":1}', "failed", /not etcd's/],
    ["null", "failed", /not etcd's/],
    [new TypeError("fetch failed"), "failed", /fetch failed.*CORS/],
  ]) {
    const { fetch } = server(answer);
    const said = await one(etcd({ ...OPTIONS, fetch }), LIST);
    assert.equal(said.kind, kind, JSON.stringify(answer));
    assert.match(said.detail, detail);
  }
});

test("a token is fetched once, used as it is, and replaced once when it is refused", async () => {
  const range = '{"header":{"revision":"9"}}';
  const stale = [401, '{"code":16, "message":"etcdserver: invalid auth token"}'];
  const { fetch, asked } = server('{"token":"t.1"}', range, range, stale, '{"token":"t.2"}', range, stale, '{"token":"t.3"}', stale, '{"token":"t.4"}', range);
  const source = etcd({ ...OPTIONS, user: "u", password: "p", fetch });
  const kinds = [];
  for (let n = 0; n < 5; n += 1) kinds.push((await one(source, LIST)).kind);
  assert.deepEqual(kinds, ["list", "list", "list", "unauthorized", "list"]);
  const tokens = asked.map(({ url, headers }) => (url.endsWith("authenticate") ? "new" : headers.Authorization));
  assert.deepEqual(tokens, ["new", "t.1", "t.1", "t.1", "new", "t.2", "t.2", "new", "t.3", "new", "t.4"]);
  assert.deepEqual(asked[0].body, { name: "u", password: "p" });
});

test("a watch whose token ran out begins again by itself with a new one", async () => {
  const refused = line({ watch_id: "-1", created: true, canceled: true, cancel_reason: "rpc error: code = Unauthenticated desc = etcdserver: invalid auth token" });
  let made = 0;
  const { fetch } = server(CREATED, refused, CREATED);
  const source = etcd({ ...OPTIONS, token: () => `t.${(made += 1)}`, fetch });
  for (let n = 0; n < 2; n += 1) assert.deepEqual((await told(source, WATCH)).map(({ kind }) => kind), ["changes", "ended"]);
  assert.equal(made, 2);
});

test("a watch without a byte for its time ends; one whose long message is still coming does not", async () => {
  const silent = server(cut(CREATED, () => 9999, true));
  assert.deepEqual((await told(etcd({ ...OPTIONS, fetch: silent.fetch }), { ...WATCH, idle: 50 })).at(-1), { kind: "ended", detail: "silent for 50 ms" });
  const long = Buffer.from(CREATED + line({ events: [put("a", node("a", { tags: ["x".repeat(700)] }), 10)] }));
  const body = new ReadableStream({
    async start(controller) {
      for (let at = 0; at < long.length; at += 100) {
        controller.enqueue(new Uint8Array(long.subarray(at, at + 100)));
        await new Promise((resolve) => setTimeout(resolve, 80));
      }
      controller.close();
    },
  });
  const { fetch } = server(body);
  const answers = await told(etcd({ ...OPTIONS, fetch }), { ...WATCH, idle: 600 });
  assert.deepEqual(answers.map(({ kind, put }) => [kind, put?.length]), [["changes", 0], ["changes", 1], ["ended", undefined]]);
});

test("a source that never stops talking is stopped, and its body let go", async () => {
  let cancelled = false;
  const flood = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024).fill(120)),
    cancel: () => void (cancelled = true),
  });
  const { fetch } = server(flood);
  const said = await one(etcd({ ...OPTIONS, fetch }), LIST);
  assert.deepEqual([said.kind, cancelled], ["failed", true]);
  assert.match(said.detail, /more than 16777216/);
});

test("what was stopped says nothing more, and its request is aborted", async () => {
  const { fetch, asked } = server(cut(CREATED + CREATED, () => CREATED.length, true), new Promise(() => {}));
  const answers = [];
  await new Promise((resolve) => {
    const stop = etcd({ ...OPTIONS, fetch }).ask(WATCH, (answer) => {
      answers.push(answer);
      stop();
      setTimeout(resolve, 20);
    });
  });
  assert.deepEqual([answers.length, asked[0].signal.aborted], [1, true]);
  consul({ endpoints: ["http://a:1"], serviceName: "mcp", fetch }).ask(LIST, assert.fail)();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(asked.length === 1 || asked[1].signal.aborted);
});

/** An entry of Consul 1.8.7, less what nobody reads. */
const entry = (service, checks = ["passing", "passing"], host = {}) => ({
  Node: { ID: "eaacdac4", Node: "host", Address: "127.0.0.9", Datacenter: "dc1", Meta: {}, ...host },
  Service: { ID: "one", Service: "mcp", Tags: [], Address: "10.0.0.7", Port: 9000, Meta: {}, Weights: { Passing: 7, Warning: 2 }, ...service },
  Checks: checks.map((Status, n) => ({ CheckID: `check-${n}`, Status })),
});
const CONSUL = { endpoints: ["http://c:8500/"], serviceName: "mcp a/b" };

test("Consul is asked for a service by name, tags, index and wait, with a token that is asked for each time", async () => {
  let made = 0;
  const { fetch, asked } = server("[]", "[]", "[]");
  const source = consul({ ...CONSUL, tags: ["x", "y&z"], datacenter: "d", token: async () => `t${(made += 1)}`, fetch });
  await one(source, LIST);
  await one(source, { ...LIST, index: 41, wait: 60_000 });
  assert.deepEqual(asked.map(({ url }) => url), [
    "http://c:8500/v1/health/service/mcp%20a%2Fb?passing=true&tag=x&tag=y%26z&dc=d",
    "http://c:8500/v1/health/service/mcp%20a%2Fb?passing=true&tag=x&tag=y%26z&dc=d&index=41&wait=60000ms",
  ]);
  assert.deepEqual(asked.map(({ headers }) => headers), [{ "X-Consul-Token": "t1" }, { "X-Consul-Token": "t2" }]);
  await one(consul({ ...CONSUL, passing: false, headers: { "x-proxy": "1" }, fetch }), LIST);
  assert.deepEqual([asked[2].url, asked[2].headers], ["http://c:8500/v1/health/service/mcp%20a%2Fb?", { "x-proxy": "1" }]);
});

test("an entry of Consul becomes a node, whatever of it is missing", async () => {
  const entries = [
    entry({ Meta: { "mcp-scheme": "wss", "mcp-path": "/a/b", "mcp-zone": "z", "mcp-region": "r" }, Tags: ["blue"] }),
    entry({ ID: "two", Address: "", Meta: null, Weights: null, Tags: null }),
    entry({ ID: "six", Address: "fd00::7" }),
    entry({ ID: "public", Meta: { "mcp-url": "https://edge.example/mcp/7" } }, ["passing", "warning"]),
    entry({ ID: "dead" }, ["passing", "critical"]),
    entry({ ID: "nowhere", Address: "", Port: 0 }, [], { Address: "" }),
  ];
  const { fetch } = server(JSON.stringify(entries));
  const { nodes, odd } = await one(consul({ ...CONSUL, fetch }), LIST);
  assert.deepEqual(nodes, [
    { id: "host/one", url: "wss://10.0.0.7:9000/a/b", weight: 7, region: "r", zone: "z", tags: ["blue"] },
    { id: "host/two", url: "http://127.0.0.9:9000/mcp", weight: 1, region: "dc1", zone: "", tags: [] },
    { id: "host/six", url: "http://[fd00::7]:9000/mcp", weight: 7, region: "dc1", zone: "", tags: [] },
    { id: "host/public", url: "https://edge.example/mcp/7", weight: 2, region: "dc1", zone: "", tags: [] },
  ]);
  assert.match(odd[0], /^host\/nowhere: its url/);
});

test("a list is put together wherever it is cut, also inside of a character", async () => {
  for (let size = 1; size < 8; size += 1) {
    const { fetch } = server(cut(JSON.stringify([entry({ Meta: { "mcp-zone": "zürich-æ-東" } })]), () => size));
    const { nodes } = await one(consul({ ...CONSUL, fetch }), LIST);
    assert.equal(nodes[0].zone, "zürich-æ-東");
  }
});

test("an index that is hidden is 0, one that is nonsense or below 1 is 1", async () => {
  for (const [header, index] of [[undefined, 0], ["41", 41], ["0", 1], ["-3", 1], ["x", 1]]) {
    const { fetch } = server([200, "[]", header === undefined ? {} : { "X-Consul-Index": header }]);
    assert.equal((await one(consul({ ...CONSUL, fetch }), LIST)).index, index, `${header}`);
  }
});

test("what Consul refuses, and what is none of its answers, is told as such", async () => {
  for (const [answer, kind, detail] of [
    [[403, "ACL not found"], "unauthorized", /403 ACL not found/],
    [[401, ""], "unauthorized", /401/],
    [[400, "Invalid index"], "failed", /400 Invalid index/],
    [[500, "No cluster leader"], "failed", /No cluster leader/],
    ["{}", "failed", /no list/],
    ["<html>", "failed", /not JSON/],
    [new TypeError("down"), "failed", /down/],
  ]) {
    const { fetch } = server(answer);
    const said = await one(consul({ ...CONSUL, fetch }), LIST);
    assert.equal(said.kind, kind);
    assert.match(said.detail, detail);
  }
  const entries = await one(consul({ ...CONSUL, fetch: server('[null, 1, {}, {"Service":null}]').fetch }), LIST);
  assert.equal(entries.nodes.length, 0);
});

test("a function is a source: its nodes, its failure, its nonsense; and it is told when nobody waits any more", async () => {
  assert.deepEqual(await one(custom(async () => [{ id: "a", url: "http://a" }]), LIST), { kind: "list", nodes: [node("a")], index: 0 });
  for (const [discover, detail] of [
    [() => Promise.reject(new Error("no idea")), /no idea/],
    [() => ({}), /no list/],
    [() => [{ id: "a" }], /a: its url/],
    [() => [{ url: "http://a" }], /needs an id/],
  ]) {
    const said = await one(custom(discover), LIST);
    assert.equal(said.kind, "failed");
    assert.match(said.detail, detail);
  }
  let heard;
  const stop = custom((signal) => ((heard = signal), new Promise(() => {}))).ask(LIST, assert.fail);
  await new Promise((resolve) => setTimeout(resolve, 5));
  stop();
  assert.equal(heard.aborted, true);
});

test("nodes that an application lists are checked before anything begins", () => {
  assert.deepEqual(given([{ id: "a", url: "http://a", weight: 0, zone: "z" }]), [node("a", { weight: 0, zone: "z" })]);
  for (const [nodes, complaint] of [
    [[{ id: "a", url: "http://a" }, { id: "a", url: "http://b" }], /two nodes are called a/],
    [[{ id: "a", url: "http://u:p@a" }], /without user and password/],
    [[{ id: "a", url: "http://a", weight: -1 }], /weight/],
    [[{ id: "a", url: "http://a", weight: NaN }], /weight/],
    [[{ id: "a", url: "http://a", zone: 1 }], /zone/],
    [[{ id: "a", url: "http://a", tags: [1] }], /tags/],
    [[undefined], /needs an id/],
  ]) {
    assert.throws(() => given(nodes), complaint);
  }
});

/** A localStorage. */
function shelf(broken = false) {
  const kept = new Map();
  const writes = [];
  return {
    kept,
    writes,
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => kept.delete(key),
    setItem(key, text) {
      if (broken) throw new Error("QuotaExceededError");
      writes.push(key);
      kept.set(key, text);
    },
  };
}

test("nodes are kept for the next page, for a day, and forgotten when there are none", () => {
  const storage = shelf();
  const nodes = [node("a"), node("b")];
  new LastKnownGood("prod", storage).save(nodes, 1000);
  assert.deepEqual(new LastKnownGood("prod", storage).load(2000), nodes);
  assert.deepEqual(new LastKnownGood("other", storage).load(2000), []);
  assert.deepEqual(new LastKnownGood("prod", storage).load(1000 + 24 * 3600 * 1000), [], "too old");
  assert.deepEqual(new LastKnownGood("prod", storage).load(0), [], "from the future");
  const kept = new LastKnownGood("prod", storage);
  kept.save(nodes, 1000);
  kept.save([], 2000);
  assert.equal(storage.kept.size, 0);
});

test("the same nodes are written again only when their age would count", () => {
  const storage = shelf();
  const kept = new LastKnownGood("prod", storage);
  for (const now of [0, 1000, 500_000, 600_000, 601_000]) kept.save([node("a")], now);
  assert.equal(storage.writes.length, 2);
  assert.deepEqual(kept.load(600_000 + 24 * 3600 * 1000 - 1), [node("a")]);
});

test("storage that is missing, full or holds nonsense is no hindrance", () => {
  const none = new LastKnownGood("prod", undefined);
  none.save([node("a")]);
  assert.deepEqual(none.load(), []);
  const full = new LastKnownGood("prod", shelf(true));
  full.save([node("a")]);
  for (const text of ["{", "null", "[]", '{"version":2}', '{"version":1,"at":1,"nodes":7}', '{"version":1,"at":1,"nodes":[null,{"id":"a","url":"javascript:1"}]}']) {
    const storage = shelf();
    storage.kept.set("bowline:nodes:prod", text);
    assert.deepEqual(new LastKnownGood("prod", storage).load(2), [], text);
  }
});
