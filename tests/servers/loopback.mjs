// Imported before servers that would listen on all interfaces: every TCP listen goes to 127.0.0.1 instead.
// It changes where a server listens and nothing of what it says.

import { Server } from "node:net";

const listen = Server.prototype.listen;

Server.prototype.listen = function (first, ...rest) {
  if (typeof first === "object" && first !== null) {
    return listen.call(this, first.path === undefined ? { ...first, host: "127.0.0.1" } : first, ...rest);
  }
  const callback = rest.find((argument) => typeof argument === "function");
  return listen.call(this, { port: Number(first), host: "127.0.0.1" }, ...(callback ? [callback] : []));
};
