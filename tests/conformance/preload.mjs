// Imported before the suite: lets it start in Node 20, and lets its servers talk to this machine only. It changes nothing of what they
// say.
import { register } from "node:module";
import { Server } from "node:net";

register("./hooks.mjs", import.meta.url);

const { listen } = Server.prototype;
const local = /^(::ffff:)?127\.|^::1$/;

// Not by listening on 127.0.0.1, as tests/servers/loopback.mjs does: then a server has no port before the next turn, and some of the
// suite's read it at once.
Server.prototype.listen = function (...args) {
  this.on("connection", (socket) => {
    if (!local.test(socket.remoteAddress)) socket.destroy();
  });
  return listen.apply(this, args);
};
