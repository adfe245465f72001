// The limit: what someone writes by hand for one server. WebSocket or fetch, JSON and a Map of
// pending promises; no timeouts, no validation, no reconnect. It sends what its era demands.
import { LEGACY, MODERN } from "../answers.js";

const clientInfo = { name: "raw", version: "1" };
const meta = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": clientInfo,
  "io.modelcontextprotocol/clientCapabilities": {},
};

export async function open({ transport, url, era, link }) {
  const modern = era === "modern";
  const wire = transport === "ws" ? await overWebSocket(url, link) : overHttp(url, link, modern);
  if (modern) {
    await wire.request("server/discover", { _meta: meta });
  } else {
    const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo };
    await wire.request("initialize", params);
    await wire.notify("notifications/initialized");
  }
  return {
    call() {
      const args = { text: "hello" };
      const params = modern
        ? { name: "echo", arguments: args, _meta: meta }
        : { name: "echo", arguments: args };
      return wire.request("tools/call", params, "echo");
    },
    async list() {
      const tools = [];
      let cursor;
      do {
        const params = modern ? { cursor, _meta: meta } : { cursor };
        const page = await wire.request("tools/list", params);
        tools.push(...page.tools);
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return tools;
    },
    close: () => wire.close(),
  };
}

function overWebSocket(url, { WebSocket }) {
  const pending = new Map();
  const socket = new WebSocket(url.replace(/^http/, "ws"), ["mcp"]);
  let nextId = 0;
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    const call = pending.get(message.id);
    if (call === undefined) return;
    pending.delete(message.id);
    if (message.error) call.reject(new Error(message.error.message));
    else call.resolve(message.result);
  };
  const wire = {
    request(method, params) {
      return new Promise((resolve, reject) => {
        const id = ++nextId;
        pending.set(id, { resolve, reject });
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      });
    },
    notify(method) {
      socket.send(JSON.stringify({ jsonrpc: "2.0", method }));
    },
    close: () => socket.close(),
  };
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(wire);
    socket.onerror = () => reject(new Error("bench: the WebSocket did not open"));
  });
}

function overHttp(url, { fetch }, modern) {
  let nextId = 0;
  function post(method, body, name) {
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": modern ? MODERN : LEGACY,
    };
    if (modern) {
      headers["mcp-method"] = method;
      if (name !== undefined) headers["mcp-name"] = name;
    }
    return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  }
  return {
    async request(method, params, name) {
      const response = await post(method, { jsonrpc: "2.0", id: ++nextId, method, params }, name);
      const message = await response.json();
      if (message.error) throw new Error(message.error.message);
      return message.result;
    },
    notify: (method) => post(method, { jsonrpc: "2.0", method }),
    close() {},
  };
}
