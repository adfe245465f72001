// What the demo pages may ask of their host: the lists of servers and of the cluster's nodes, a cut of a link, a restart, an end of one.
// Only for the demo: these endpoints end processes, so they answer nobody but a page of this very host.

const LONGEST_HOLD = 60_000;

/**
 * A request listener for `/peers.json`, `/nodes.json` and `/control/*`, over servers as tests/servers/index.mjs lists them and nodes as
 * nodes.mjs beside it does. It returns false for anything else.
 */
export function controlOf(servers, nodes) {
  const lists = {
    "/peers.json": JSON.stringify(servers.map(({ name, url, transport, era }) => ({ name, url, transport, era }))),
    "/nodes.json": JSON.stringify(nodes.map(({ id, url }) => ({ id, url }))),
  };
  const nodeActions = { kill: (node) => node.kill(), revive: (node) => node.revive() };
  const serverActions = {
    cut(server, query) {
      const hold = Math.min(LONGEST_HOLD, Math.max(0, Number(query.get("hold")) || 0));
      if (hold > 0) server.proxy.block(hold);
      server.proxy.cut();
    },
    restart: (server) => server.restart(),
  };

  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://demo");
    if (Object.hasOwn(lists, pathname)) {
      answer(response, 200, lists[pathname], "application/json");
      return true;
    }
    if (!pathname.startsWith("/control/")) return false;
    const name = searchParams.get("name");
    const [action, server] = Object.hasOwn(nodeActions, pathname.slice(9))
      ? [nodeActions[pathname.slice(9)], nodes.find(({ id }) => id === name)]
      : [Object.hasOwn(serverActions, pathname.slice(9)) && serverActions[pathname.slice(9)], servers.find((one) => one.name === name)];
    if (request.method !== "POST") answer(response, 405, "Only POST.");
    else if (!fromThisPage(request)) answer(response, 403, "Only for the demo page itself.");
    else if (!action || !server) answer(response, 404, "No such action or server.");
    else void perform(response, () => action(server, searchParams));
    return true;
  };
}

async function perform(response, action) {
  try {
    await action();
    answer(response, 204);
  } catch (error) {
    answer(response, 500, error.message);
  }
}

/** Any page in the browser can send a POST here; only ours carries our own host as its origin. */
function fromThisPage({ headers }) {
  const local = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? "");
  return local && headers.origin === `http://${headers.host}`;
}

function answer(response, status, body = "", type = "text/plain; charset=utf-8") {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(body);
}
