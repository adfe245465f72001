// How both entries of the built package are driven; which entry, the importing file says. The cache
// and the other transport are off, because these rows measure the path to the wire. Concurrency is
// raised to the batch so that "1,000 in flight" means the same for every subject.

export function openWith(createClient) {
  return async ({ transport, url, era, link }) => {
    const ws = transport === "ws";
    const client = createClient({
      serverUrl: ws ? url.replace(/^http/, "ws") : url,
      enableWebSocket: ws,
      enableHttpFallback: !ws,
      enableCaching: false,
      queue: { concurrency: 1000, maxQueued: 1000 },
      protocol: { era },
      WebSocket: link.WebSocket,
      fetch: link.fetch,
    });
    await client.connect();
    return {
      call: () => client.callTool("echo", { text: "hello" }),
      list: () => client.listTools({ useCache: false }),
      close: () => client.close(),
    };
  };
}
