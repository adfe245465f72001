// One bad input against one client, in whatever runs this: Node or a page. It reports what the application
// gets and how soon; bad-input.mjs judges.

/** `createClient` whose fetch remembers when the last answer (or refusal) arrived. */
function watched({ createClient }, serverUrl, options) {
  const seen = { at: 0 };
  const client = createClient({
    serverUrl,
    enableWebSocket: false,
    fetch: async (...request) => {
      try {
        return await fetch(...request);
      } finally {
        seen.at = performance.now();
      }
    },
    ...options,
  });
  return { client, seen };
}

async function failure({ McpError }, seen, promise) {
  try {
    return { resolved: JSON.stringify(await promise) };
  } catch (error) {
    const after = performance.now() - seen.at;
    const { code, outcome, httpStatus, hint, message, name } = error;
    return { typed: McpError.is(error), name, code, outcome, httpStatus, hint, message, after };
  }
}

/** The very first answer of a server is bad: twice, as the client must be able to fail twice. */
export async function firstContact(bowline, serverUrl, options) {
  const { client, seen } = watched(bowline, serverUrl, options);
  const first = await failure(bowline, seen, client.connect());
  const second = await failure(bowline, seen, client.connect());
  await client.close();
  return { first, second };
}

/** A server that was good answers one call badly; the next call is answered well. */
export async function oneBadCall(bowline, serverUrl, options) {
  const { client, seen } = watched(bowline, serverUrl, options);
  await client.connect();
  const first = await failure(bowline, seen, client.callTool("echo", { text: "first" }));
  // After refused credentials the client waits for the application to say that they are better now.
  if (client.state !== "ready") await client.connect();
  const { content } = await client.callTool("echo", { text: "second" });
  await client.close();
  return { first, second: content[0].text };
}

/** A client for tests that hold it in their own hand, as `client`. */
export async function doubtful({ createClient }, serverUrl, options) {
  globalThis.client = createClient({ serverUrl, enableWebSocket: false, ...options });
  await globalThis.client.connect();
}

const refuse = () => {
  throw new Error("no");
};
const throwing = { valueOf: refuse };

/** What a page without types may do by mistake: [what, work, code of its error, or none where it is borne]. */
export const mistakes = [
  ["a method that is no text", (client) => client.request(undefined), "SEND_FAILED"],
  ["a notification that is no text", (client) => client.notify(5), "SEND_FAILED"],
  ...[10n, "5000", null, -1, NaN, Symbol("x"), throwing].flatMap((value) =>
    ["timeout", "maxTotalTimeout", "queueTimeout", "cacheTTL"].map((name) => [
      `${name} ${typeof value} ${typeof value === "symbol" ? "" : JSON.stringify(typeof value === "bigint" ? 10 : value)}`,
      (client) => client.callTool("echo", { text: "" }, { [name]: value }),
      "SEND_FAILED",
    ]),
  ),
  ...[
    { priority: 10n }, { priority: 7 }, { priority: "urgent" }, { cacheMode: "never" }, { signal: {} }, { onProgress: 5 }, { replay: 10n }, { replay: "x" },
  ].map((options) => [
    `options with ${Object.keys(options)} of type ${typeof Object.values(options)[0]}`,
    (client) => client.callTool("echo", { text: "" }, options),
    "SEND_FAILED",
  ]),
  ["no options at all", (client) => client.callTool("echo", { text: "" }, null)],
  ["a tool's name that cannot be a text", (client) => client.callTool(Object.create(null), {}), "SEND_FAILED"],
  ["params that throw", (client) => client.callTool("echo", { toJSON: refuse }), "SEND_FAILED"],
  [
    "params that throw later",
    (client) => {
      let isGiven = false;
      const params = {
        get name() {
          if (isGiven) throw new Error("later");
          return "nobody";
        },
      };
      const call = client.request("tools/call", params);
      isGiven = true;
      return call;
    },
    "RPC_ERROR",
  ],
  ["something thrown whose message is no text", (client) => client.callTool("echo", { toJSON: () => { throw { message: 42 }; } }), "SEND_FAILED"],
  ["a priority that is none, later", async (client) => client.callTool("echo", { text: "" }).setPriority(10n), "INVALID_CONFIG"],
  ["a result that is kept for a BigInt", async (client) => client.cache.set("tools/list", {}, {}, 10n), "INVALID_CONFIG"],
  ["kept results that were damaged", async (client) => client.cache.hydrate({ version: 1, partition: null, at: 0, entries: [null, [5], ["a", null, 1, 10n]] })],
  ["a state of another version", async (client) => client.cache.hydrate(7), "INVALID_CONFIG"],
];

/** The mistake of that place, made before the core is there and once more when it is: both errors, a call after them, what was told of. */
export async function mistake(bowline, serverUrl, at) {
  const client = bowline.createClient({ serverUrl, enableWebSocket: false });
  const told = [];
  client.on("error", ({ code, message }) => told.push(`${code}: ${message}`));
  const made = async () => {
    try {
      await mistakes[at][1](client);
    } catch (error) {
      const { code, message, outcome } = error;
      return { typed: bowline.McpError.is(error), code, message, outcome };
    }
  };
  const early = await made();
  await client.connect();
  const late = await made();
  const { content } = await client.callTool("echo", { text: "after" }, { timeout: 5000 });
  await client.close();
  return { early, late, after: content[0].text, told };
}
