// What every provider of shared state promises, as checks that run in Node and in pages alike. It knows no provider: `open()` gives a store,
// each time a new one that shares its state with the others where the provider's reach allows, and `fresh` is a prefix nobody used.

const UGLY = { text: 'ü ✓ 😀 \u0000 \n "quoted" \\ {}[] /.,%', numbers: [0, -1.5, 1e21, 2 ** 53], none: null, nested: { deep: [[]] } };
const CALLERS = 200;
const BURST = 50;
/** A life that a slow machine does not outlast between two calls, and long enough to outlast it. Milliseconds. */
const SHORT = 800;
const OVER = 1000;

export const CHECKS = {
  async "a value comes back as it was, whatever is in it and in its key"({ open, fresh }) {
    const store = open();
    for (const key of ["plain", "a/b.c", "ü ✓ 😀", "a:b", "%3A", "?x=1&y#z", '"', "*", "", "."]) {
      await store.set(fresh + key, { key, ...UGLY });
      equal(await store.get(fresh + key), { key, ...UGLY });
    }
    for (const value of [null, false, 0, "", [], 'a "text"']) {
      await store.set(fresh, value);
      equal(await store.get(fresh), value);
    }
  },

  async "what was never written, and what was deleted, is undefined"({ open, fresh }) {
    const store = open();
    equal(await store.get(fresh), undefined);
    await store.set(fresh, 1);
    await store.delete(fresh);
    await store.delete(fresh);
    equal(await store.get(fresh), undefined);
  },

  async "a value is a copy"({ open, fresh }) {
    const store = open();
    const value = { list: [1] };
    await store.set(fresh, value);
    value.list.push(2);
    (await store.get(fresh)).list.push(3);
    equal(await store.get(fresh), { list: [1] });
  },

  async "what is no JSON is refused and not written"({ open, fresh }) {
    const store = open();
    const cycle = [];
    cycle.push(cycle);
    for (const value of [undefined, () => {}, 1n, cycle]) equal((await failure(store.set(fresh, value))).code, "STATE_STORE_FAILED");
    equal((await failure(store.set("\ud800", 1))).code, "STATE_STORE_FAILED");
    equal(await store.get(fresh), undefined);
  },

  async "the store answers"({ open }) {
    await open().ping();
  },

  async "a closed store refuses"({ open, fresh }) {
    const store = open();
    store.close();
    const { code, outcome } = await failure(store.set(fresh, 1));
    equal([code, outcome], ["STATE_STORE_FAILED", "not-sent"]);
  },

  async "another client reads it"({ open, fresh, store: { reach } }) {
    if (reach === "client") return;
    await open().set(fresh, UGLY);
    equal(await open().get(fresh), UGLY);
  },

  async "a value ends with its life"({ open, fresh, store: { ttl } }) {
    const store = open();
    if (!ttl) return refuses(() => store.set(fresh, 1, 50));
    await store.set(`${fresh}short`, 1, SHORT);
    await store.set(`${fresh}endless`, 1, Infinity);
    await store.set(`${fresh}long`, 1, 60_000);
    const left = await store.expiresIn(`${fresh}long`);
    if (!(left > 50_000 && left <= 60_000)) throw new Error(`${left} ms left`);
    equal([await store.expiresIn(`${fresh}endless`), await store.expiresIn(`${fresh}none`)], [Infinity, undefined]);
    await sleep(OVER);
    equal([await store.get(`${fresh}short`), await store.get(`${fresh}endless`)], [undefined, 1]);
    equal((await failure(store.set(fresh, 1, 0))).code, "INVALID_CONFIG");
  },

  async "a value is replaced only when it is still what was expected"({ open, fresh, store: { cas } }) {
    const store = open();
    if (!cas) return refuses(() => store.cas(fresh, undefined, 1));
    equal(await store.cas(fresh, undefined, UGLY), true);
    equal(await store.cas(fresh, undefined, 2), false);
    equal(await store.cas(fresh, { other: 1 }, 2), false);
    equal(await store.get(fresh), UGLY);
    equal(await store.cas(fresh, await store.get(fresh), 2, SHORT), true);
    equal(await store.get(fresh), 2);
    await sleep(OVER);
    equal(await store.cas(fresh, 2, 3), false);
  },

  async "of many that replace the same value one succeeds"({ open, fresh, store: { cas, reach } }) {
    if (!cas) return;
    const stores = clients(open, reach, 5);
    const tries = Array.from({ length: 50 }, (_, index) => stores[index % stores.length].cas(fresh, undefined, index));
    const winners = (await Promise.all(tries)).flatMap((isMine, index) => (isMine ? [index] : []));
    equal(winners.length, 1);
    equal(await stores[0].get(fresh), winners[0]);
  },

  async "a counter counts every caller"({ open, fresh, store: { incr, reach } }) {
    if (!incr) return refuses(() => open().incr(fresh));
    const stores = clients(open, reach, 5);
    const sums = await Promise.all(Array.from({ length: 50 }, (_, index) => stores[index % stores.length].incr(fresh, 2)));
    equal(sums.sort((a, b) => a - b), Array.from({ length: 50 }, (_, index) => (index + 1) * 2));
    equal(await stores[0].get(fresh), 100);
    equal((await failure(stores[0].incr(fresh, 0.5))).code, "STATE_STORE_FAILED");
    await stores[0].set(`${fresh}text`, "x");
    equal((await failure(stores[0].incr(`${fresh}text`))).code, "STATE_STORE_FAILED");
  },

  async "the life of a counter begins with it and is not prolonged"({ open, fresh, store: { incr, ttl } }) {
    if (!incr || !ttl) return;
    const store = open();
    equal(await store.incr(fresh, 1, 60_000), 1);
    equal(await store.incr(fresh, 1, 600_000), 2);
    const left = await store.expiresIn(fresh);
    if (!(left <= 60_000)) throw new Error(`${left} ms left`);
  },

  async "of many that want a lock one gets it, with a fence greater than all before"({ open, fresh, store: { lock, reach } }) {
    if (!lock) return refuses(() => open().lock(fresh, 1000));
    const stores = clients(open, reach, 5);
    const tries = Array.from({ length: 50 }, (_, index) => stores[index % stores.length].lock(fresh, 10_000));
    const held = (await Promise.all(tries)).filter((one) => one !== null);
    equal(held.map(({ fence }) => fence), [1]);
    equal(await held[0].unlock(), true);
    const next = await stores[0].lock(fresh, SHORT);
    equal(next.fence, 2);
    // The first holder's word counts no more.
    equal([await held[0].unlock(), await held[0].extend(10_000)], [false, false]);
    equal(await next.extend(SHORT), true);
    await sleep(OVER);
    equal([await next.extend(1000), await next.unlock()], [false, false]);
    equal((await stores[0].lock(fresh, 1000)).fence, 3);
    equal((await failure(stores[0].lock(fresh, Infinity))).code, "INVALID_CONFIG");
  },

  async "200 callers at once of a limit with a burst of 50: exactly 50 are allowed"({ open, fresh, store: { limit, reach } }) {
    const rule = { requestsPerSecond: 0.01, burst: BURST };
    if (!limit) return refuses(() => open().limit(fresh, rule));
    const stores = clients(open, reach, 5);
    const verdicts = await Promise.all(Array.from({ length: CALLERS }, (_, index) => stores[index % stores.length].limit(fresh, rule)));
    const allowed = verdicts.filter((verdict) => verdict.allowed);
    equal(allowed.length, BURST);
    equal(allowed.map(({ remaining }) => remaining).sort((a, b) => a - b), Array.from({ length: BURST }, (_, index) => index));
    for (const { retryAfter } of verdicts.filter((verdict) => !verdict.allowed))
      if (!(retryAfter > 80_000 && retryAfter <= 100_000)) throw new Error(`retryAfter ${retryAfter}`);
  },

  async "a limit lets through again after what it says"({ open, fresh, store: { limit } }) {
    if (!limit) return;
    const store = open();
    const rule = { requestsPerSecond: 5, burst: 4 };
    equal(await store.limit(fresh, { ...rule, cost: 4 }), { allowed: true, remaining: 0, retryAfter: 0 });
    const refused = await store.limit(fresh, rule);
    equal([refused.allowed, refused.remaining], [false, 0]);
    if (!(refused.retryAfter > 0 && refused.retryAfter <= 200)) throw new Error(`retryAfter ${refused.retryAfter}`);
    await sleep(refused.retryAfter + 20);
    equal((await store.limit(fresh, rule)).allowed, true);
    equal((await failure(store.limit(fresh, { ...rule, cost: 5 }))).code, "INVALID_CONFIG");
    equal((await failure(store.limit(fresh, { requestsPerSecond: 0 }))).code, "INVALID_CONFIG");
  },

  async "who listens hears what is published, and after the end nothing"({ open, fresh, store: { subscribe, reach } }) {
    const store = open();
    if (!subscribe) {
      await refuses(async () => store.subscribe(fresh, () => {}));
      return refuses(() => store.publish(fresh, 1));
    }
    const other = reach === "client" ? store : open();
    const [heard, elsewhere] = [[], []];
    const end = store.subscribe(fresh, (message) => heard.push(message));
    other.subscribe(fresh, (message) => elsewhere.push(message));
    // Whoever is not listening yet misses it, so something is said until both have heard it.
    for (let round = 0; heard.length === 0 || elsewhere.length === 0; round += 1) {
      if (round > 100) throw new Error("nothing was heard");
      await other.publish(fresh, "hello?");
      await sleep(50);
    }
    // Those said before may still be on their way: webdis lets messages overtake each other.
    const news = () => heard.filter((message) => message !== "hello?");
    for (const message of [UGLY, '}{"\\', 3]) await other.publish(fresh, message);
    for (let round = 0; news().length < 3 && round < 100; round += 1) await sleep(20);
    equal(news().map((one) => JSON.stringify(one)).sort(), [UGLY, '}{"\\', 3].map((one) => JSON.stringify(one)).sort());
    end();
    await sleep(50);
    await other.publish(fresh, "after the end");
    for (let round = 0; elsewhere.at(-1) !== "after the end" && round < 100; round += 1) await sleep(20);
    equal([news().length, elsewhere.at(-1)], [3, "after the end"]);
  },
};

/**
 * Runs the checks against what `make()` gives; resolves with `{ name, error }` of each, `error` null when it held. `tag` keeps the keys of runs
 * apart.
 */
export async function contract(make, tag, only = () => true) {
  const results = [];
  for (const [name, check] of Object.entries(CHECKS).filter(([name]) => only(name))) {
    const stores = [];
    const open = () => {
      const store = make();
      stores.push(store);
      return store;
    };
    const fresh = `${tag} ${results.length} `;
    let error = null;
    try {
      await inTime(check({ open, fresh, store: make().capabilities() }));
    } catch (thrown) {
      error = `${thrown.stack ?? thrown}${thrown.hint ? `\n${thrown.hint}` : ""}`;
    }
    for (const store of stores) store.close();
    results.push({ name, error });
  }
  return results;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function inTime(work) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("not done after 15 s")), 15_000);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Several clients of one state, or one where nobody else sees it. */
const clients = (open, reach, count) => Array.from({ length: reach === "client" ? 1 : count }, () => open());

/** The error something rejects with. */
async function failure(promise) {
  const [ended] = await Promise.allSettled([promise]);
  if (ended.status === "fulfilled") throw new Error(`resolved with ${JSON.stringify(ended.value)}`);
  return ended.reason;
}

/** What a provider cannot do, it says. */
async function refuses(work) {
  const { code, outcome, hint } = await failure((async () => work())());
  equal([code, outcome], ["STATE_STORE_FAILED", "not-sent"]);
  if (!/capabilities\(\)/.test(hint)) throw new Error(`no help: ${hint}`);
}

function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value, (_, one) => (one === undefined || one === Infinity ? `<${one}>` : one)));
  if (a !== b) throw new Error(`${a} is not ${b}`);
}
