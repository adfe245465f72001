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
