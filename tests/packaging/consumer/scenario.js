// What every consumer does with the package, whatever way it got it: connect, list, call, close.
export async function scenario({ createClient, McpError, version }, serverUrl) {
  const client = createClient({ serverUrl, enableWebSocket: false });
  try {
    await client.connect();
    const { transport, era } = client.connection;
    const tools = await client.listTools();
    const answer = await client.callTool("echo", { text: "from a tarball" });
    const refusal = await client.request("no/such/method").catch((error) => error);
    return {
      version,
      transport,
      era,
      hasEcho: tools.some((tool) => tool.name === "echo"),
      text: answer.content[0].text,
      typedError: McpError.is(refusal, "RPC_ERROR"),
    };
  } finally {
    await client.close();
  }
}
