// Row 5: from asking for the client's script to the first tools list over loopback HTTP, in a fresh
// browser context per sample, so no HTTP cache, code cache or warm wasm helps. The blank page and
// its process are there before the clock starts.

export const measures = [
  {
    row: 5, title: "cold start, script load to first tools list", base: "ts2", control: "ts2 again",
    targets: { wall: 0.3, thread: 0.2 },
  },
];

export const subjectsOf = () => ["ts2", "ts2 again", "ts1", "raw", "bowline", "bowline inline"];

/** {subject: [{thread, wall}]} in microseconds, one per round after one that is thrown away. */
export async function measure(spec, names, { browser, server, subjects, rounds, era }) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 ? [...names].reverse() : names) {
      const sample = await coldStart(name, subjects[name].module, { browser, server, era });
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}

async function coldStart(name, module, { browser, server, era }) {
  const tab = await browser.openTab(`${server.origin}/blank.html`);
  try {
    const before = await tab.metrics();
    const options = JSON.stringify({ url: `${server.origin}/mcp`, era });
    const { wall, tools } = await tab.evaluate(`(async () => {
      const start = performance.now();
      await import("/cold-${module}.js");
      const tools = await cold(${options});
      return { wall: performance.now() - start, tools };
    })()`);
    const after = await tab.metrics();
    if (tools < 1) throw new Error("no tools listed");
    return { thread: (after.thread - before.thread) * 1000, wall: wall * 1000 };
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  } finally {
    await tab.close();
  }
}
