// The package's sources of nodes for tests, bundled for Node and for a page alike: questions are begun by number, and their answers taken
// one by one. It decides nothing.

import { consul } from "../../pkg-template/src/cluster-consul.js";
import { custom, given } from "../../pkg-template/src/cluster-custom.js";
import { etcd } from "../../pkg-template/src/cluster-etcd.js";
import { LastKnownGood } from "../../pkg-template/src/cluster-lkg.js";

export { LastKnownGood, consul, custom, etcd, given };

const kinds = { consul, etcd };
/** One for each kind and options: a source keeps its token. */
const sources = new Map();
const asked = new Map();
let last = 0;

export function begin(kind, options, query) {
  const name = `${kind} ${JSON.stringify(options)}`;
  if (!sources.has(name)) sources.set(name, kinds[kind](options));
  const one = { answers: [], take: null, isOver: false };
  one.stop = sources.get(name).ask(query, (answer) => {
    if (one.take) one.take(answer);
    else one.answers.push(answer);
    one.take = null;
  });
  last += 1;
  asked.set(last, one);
  return last;
}

/** The next answer, or `{ kind: "silence" }` when there is none in that time, or none any more. */
export function next(id, limit) {
  const one = asked.get(id);
  if (one.answers.length > 0) return Promise.resolve(one.answers.shift());
  if (one.isOver) return Promise.resolve({ kind: "silence" });
  return new Promise((resolve) => {
    const timer = setTimeout(() => one.take({ kind: "silence" }), limit);
    one.take = (answer) => {
      clearTimeout(timer);
      one.take = null;
      resolve(answer);
    };
  });
}

/** Also whoever waits for an answer need not any more. */
export function stop(id) {
  const one = asked.get(id);
  one.stop();
  one.isOver = true;
  one.take?.({ kind: "silence" });
}
