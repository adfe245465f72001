// What a cold page runs: connect over HTTP and list the tools once. Nothing else is in this bundle
// but the client, so the time from asking for the script to the list is the client's own.

/** Makes `globalThis.cold` for a subject's `open` function. */
export function install(open) {
  globalThis.cold = async ({ url, era }) => {
    const link = { WebSocket: globalThis.WebSocket, fetch: globalThis.fetch.bind(globalThis) };
    const client = await open({ transport: "http", url, era, link });
    return (await client.list()).length;
  };
}
