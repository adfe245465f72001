// A real etcd of one member: 3.4 (the JSON gateway of old) or 3.5 as Debian builds it (gateway v2, as upstream from 3.6 on). Its data
// outlives a restart. It puts nothing into it but the users that were asked for.

import { join } from "node:path";

import { HOST, freePort } from "../ports.mjs";
import { startPart } from "./part.mjs";

/**
 * `version`: `"3.4"` or `"3.5"`. `cors`: what `--cors` allows. `auth`: `{ prefix }` turns access control on, with the user `root` (password
 * `root`) and the user `reader` (password `reader`), who may read below `prefix`. `args`: more of its options.
 */
export async function startEtcd({ version = "3.5", port, cors = "*", auth, args = [] } = {}) {
  const peer = `http://${HOST}:${await freePort()}`;
  const part = await startPart(`etcd-${version}`, {
    port,
    command: (port, folder) => [
      ...["--name", "e", "--data-dir", join(folder, "data"), "--log-level", "error"],
      ...["--listen-client-urls", `http://${HOST}:${port}`, "--advertise-client-urls", `http://${HOST}:${port}`],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `e=${peer}`],
      ...(cors ? ["--cors", cors] : []),
      ...args,
    ],
    ready: async (url) => (await (await fetch(`${url}/health`)).json()).health === "true",
  });
  if (!auth) return part;
  try {
    await protect(part.url, auth.prefix);
  } catch (error) {
    await part.close();
    throw error;
  }
  return part;
}

async function protect(url, prefix) {
  const calls = [
    ["user/add", { name: "root", password: "root" }],
    ["role/add", { name: "root" }],
    ["user/grant", { user: "root", role: "root" }],
    ["user/add", { name: "reader", password: "reader" }],
    ["role/add", { name: "read" }],
    ["role/grant", { name: "read", perm: { permType: "READ", key: base64(prefix), range_end: base64(after(prefix)) } }],
    ["user/grant", { user: "reader", role: "read" }],
    ["enable", {}],
  ];
  for (const [path, body] of calls) await etcdCall(url, `auth/${path}`, body);
}

/** One call of etcd's JSON gateway, of a test that sets something up. */
export async function etcdCall(url, path, body, token) {
  const headers = token ? { authorization: token } : {};
  const answer = await fetch(`${url}/v3/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

const base64 = (text) => Buffer.from(text).toString("base64");

/** The end of the range of all keys with this prefix, which ends in ASCII. */
function after(prefix) {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
