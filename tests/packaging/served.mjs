// A client over the fake core whose server is a function: for tests of what the package makes of answers. See client.mjs for tests that hold
// the core in their own hand.
import { McpError, open } from "./client.mjs";

/**
 * A connected client. `serve({ method, params, headers })` gives a result or a promise of one, or throws `[code, fields]` as a failure of the
 * core; `sent` is what it was asked so far, `warnings` and `tasks` what the client told.
 */
export function served(serve, { era, ...config } = {}) {
  const { client, peer } = open(config, { era });
  const sent = [];
  const warnings = [];
  const tasks = [];
  client.on("warning", (warning) => warnings.push(warning));
  client.on("task", (event) => tasks.push(event));
  peer.onCall = async (call) => {
    const { method, params, headers } = call;
    sent.push({ method, params, headers });
    let end;
    try {
      const result = await serve({ method, params, headers });
      end = () => peer.settle(call, result);
    } catch (failure) {
      end = () => peer.fail(call, ...failure);
    }
    // It may have been cancelled meanwhile.
    if (peer.calls.includes(call)) end();
  };
  return { client, sent, warnings, tasks, host: peer.host, McpError };
}
