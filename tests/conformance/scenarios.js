// What the client does in each scenario of the conformance suite, in whatever runs this: Node or a page. The suite's server judges what
// arrives; here is checked only what it cannot see, which is what the application got.

// Sooner than the program that plays gives up: a call that gets no answer is to be told by its name.
const TIMEOUT_MS = 20_000;

/** Nothing is filled in: what the suite wants to see in a form are the defaults of its schema. */
const accept = async () => ({ action: "accept", content: {} });

const text = ({ content }) => content[0].text;

function equal(actual, expected) {
  if (actual !== expected) throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

const scenarios = {
  async initialize(client) {
    equal((await client.listTools()).length, 0);
  },

  async tools_call(client) {
    const [{ name }] = await client.listTools();
    equal(text(await client.callTool(name, { a: 5, b: 3 })), "The sum of 5 and 3 is 8");
  },

  async "elicitation-sep1034-client-defaults"(client) {
    const [{ name }] = await client.listTools();
    const filled = { name: "John Doe", age: 30, score: 95.5, status: "active", verified: true };
    equal(text(await client.callTool(name)), `Elicitation completed: ${JSON.stringify(filled)}`);
  },

  async "sse-retry"(client) {
    const [{ name }] = await client.listTools();
    equal(text(await client.callTool(name)), "Reconnection test completed successfully");
  },

  async "request-metadata"(client) {
    await client.listTools();
    await client.callTool("any");
  },

  async "http-standard-headers"(client) {
    for (const { name } of await client.listTools()) await client.callTool(name);
    for (const { uri } of await client.listResources()) await client.readResource(uri);
    for (const { name } of await client.listPrompts()) await client.getPrompt(name);
  },

  async "http-custom-headers"(client, { toolCalls }) {
    await client.listTools();
    for (const call of toolCalls) equal(text(await client.callTool(call.name, call.arguments)), "Custom headers test completed");
  },

  async "http-invalid-tool-headers"(client) {
    const tools = await client.listTools();
    for (const { name } of tools) await client.callTool(name, { region: "us-west1" });
    equal(tools.map(({ name }) => name).join(), "valid_tool");
  },

  async "sep-2322-client-request-state"(client) {
    await client.listTools();
    // The unrelated call overtakes the rounds of the first one.
    const rounds = client.callTool("test_mrtr_echo_state");
    equal(text(await client.callTool("test_mrtr_unrelated")), "unrelated-ok");
    equal(text(await rounds), "echo-state-ok");
    equal(text(await client.callTool("test_mrtr_no_state")), "no-state-ok");
    equal(text(await client.callTool("test_mrtr_no_result_type")), "no-result-type-test-ok");
  },

  async "json-schema-ref-no-deref"(client) {
    equal((await client.listTools()).length, 1);
    // A fetch of what the schema refers to would be on its way by now.
    await new Promise((resolve) => setTimeout(resolve, 300));
  },

  async "json-schema-2020-12-preservation"(client) {
    const tools = await client.listTools();
    const { inputSchema } = tools.find(({ name }) => name === "json_schema_2020_12_tool");
    equal(text(await client.callTool("json_schema_echo", { schema: inputSchema })), "echoed");
  },
};

/** Plays one scenario with the given build of the package. Rejects when the application did not get what it should have. */
export async function play({ createClient }, { scenario, version, serverUrl, context }) {
  const client = createClient({
    serverUrl,
    enableWebSocket: false,
    timeout: TIMEOUT_MS,
    protocol: { capabilities: { elicitation: {}, sampling: {}, roots: {} }, onInputRequired: accept },
  });
  try {
    await scenarios[scenario](client, context);
    equal(client.connection.protocolVersion, version);
  } finally {
    await client.close();
  }
}
