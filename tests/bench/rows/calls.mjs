// Rows 1 to 4: what one operation costs on an open client. Rows 1 to 3 use the fake link and count
// main-thread CPU; row 4 uses a real loopback WebSocket and counts throughput. Not connecting.

/** Main-thread CPU a segment is sized for, in milliseconds. */
const SEGMENT = 60;
const WARM_UP = 400;
const BATCH = 1000;

const call = { operation: "call", base: "raw", control: "raw again" };

export const measures = [
  {
    ...call, row: 1, title: "`tools/call`, WebSocket, sequential",
    kind: "fake", transport: "ws", inFlight: false, targets: { thread: 1.15 },
  },
  {
    ...call, row: 1, title: "`tools/call`, WebSocket, 1,000 in flight",
    kind: "fake", transport: "ws", inFlight: true, targets: { thread: 1.15 },
  },
  {
    ...call, row: 2, title: "`tools/call`, HTTP, sequential",
    kind: "fake", transport: "http", inFlight: false, targets: { thread: 1.15 },
  },
  {
    ...call, row: 2, title: "`tools/call`, HTTP, 1,000 in flight",
    kind: "fake", transport: "http", inFlight: true, targets: { thread: 1.15 },
  },
  {
    ...call, row: 3, title: "`tools/list` of 4 KB, WebSocket, sequential", operation: "list",
    kind: "fake", transport: "ws", inFlight: false, targets: { thread: 1.05 },
  },
  {
    ...call, row: 4, title: "`tools/call`, loopback WebSocket, 1,000 in flight",
    kind: "real", transport: "ws", inFlight: true, targets: {}, reported: { wall: 1 / 0.95 },
  },
];

export const subjectsOf = () => ["raw", "raw again", "ts1", "ts2", "bowline"];

/** Measures one row: {subject: [{thread, wall}]} in microseconds per operation, one per round. */
export async function measure(spec, names, { browser, server, subjects, rounds, era }) {
  const runners = [];
  try {
    for (const name of names) {
      const runner = await openRunner(spec, name, subjects[name].module, { browser, server, era });
      runners.push(runner);
      await runner.calibrate();
    }
    for (let round = 0; round < rounds; round++) {
      for (const runner of round % 2 ? [...runners].reverse() : runners) await runner.segment();
    }
    return Object.fromEntries(runners.map(({ name, samples }) => [name, samples]));
  } finally {
    for (const { tab } of runners) await tab.close();
  }
}

async function openRunner(spec, name, module, { browser, server, era }) {
  const tab = await browser.openTab(`${server.origin}/blank.html`);
  const samples = [];
  let calls = BATCH;
  try {
    await tab.evaluate(`import("/bench-${module}.js").then(() => 0)`);
    const options = { kind: spec.kind, transport: spec.transport, url: `${server.origin}/mcp`, era };
    await tab.evaluate(`bench.open(${JSON.stringify(options)})`);
  } catch (error) {
    await tab.close();
    throw new Error(`${name}: ${error.message}`);
  }

  async function run(count) {
    const options = { operation: spec.operation, inFlight: spec.inFlight, calls: count };
    const before = await tab.metrics();
    const { wall, sent } = await tab.evaluate(`bench.run(${JSON.stringify(options)})`);
    const after = await tab.metrics();
    if (spec.kind === "fake" && sent !== count) {
      throw new Error(`${name}: ${count} operations made ${sent} requests`);
    }
    return { thread: after.thread - before.thread, wall };
  }

  // In flight, calls come by the thousand.
  const whole = (count) => (spec.inFlight ? Math.ceil(count / BATCH) * BATCH : Math.ceil(count));

  return {
    name,
    tab,
    samples,
    /** Warms the JIT up and sizes the segment. */
    async calibrate() {
      let warm = 0;
      let perCall = 0;
      while (warm < WARM_UP) {
        const { thread } = await run(calls);
        warm += thread;
        perCall = thread / calls;
        if (thread < SEGMENT) calls *= 2;
      }
      calls = whole(SEGMENT / perCall);
    },
    /** One sample. Garbage of the last one is collected first, then a tenth runs unmeasured. */
    async segment() {
      await tab.collectGarbage();
      await run(whole(calls / 10));
      const { thread, wall } = await run(calls);
      samples.push({ thread: (thread * 1000) / calls, wall: (wall * 1000) / calls });
    },
  };
}
