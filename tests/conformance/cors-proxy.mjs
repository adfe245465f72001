// A reverse proxy that lets a page talk to the suite's servers, none of which knows CORS: it answers preflights itself and adds the
// headers of tests/servers/cors.mjs to every answer. All else passes as it is, streams and broken connections included.
import { createServer, request } from "node:http";

import { corsHeaders, preflightHeaders } from "../servers/cors.mjs";
import { HOST } from "../servers/ports.mjs";

/** Resolves with the address that stands for `target`, path included, and a way to end the proxy. */
export async function startCorsProxy(target) {
  const upstream = new URL(target);
  const server = createServer((incoming, outgoing) => {
    if (incoming.method === "OPTIONS") {
      outgoing.writeHead(204, preflightHeaders(incoming.headers["access-control-request-headers"])).end();
    } else {
      forward(upstream, incoming, outgoing);
    }
  });
  await new Promise((resolve) => server.listen(0, HOST, resolve));
  return {
    url: `http://${HOST}:${server.address().port}${upstream.pathname}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(upstream, incoming, outgoing) {
  const { method, url } = incoming;
  const headers = { ...incoming.headers, host: upstream.host };
  const onward = request(new URL(url, upstream), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, { ...answer.headers, ...corsHeaders() });
    // A stream may stay silent for long after its head.
    outgoing.flushHeaders();
    answer.pipe(outgoing);
    answer.on("error", () => outgoing.destroy());
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
