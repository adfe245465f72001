// Faults inside one message, the same over both transports: a good answer in, the text (or bytes) to send in its place out.
// How it is sent, and what else is wrong, is http.mjs's and ws.mjs's.

const NESTING = 100_000;
const DUPLICATE = [{ type: "text", text: "duplicate" }];

export const bodyFaults = {
  malformed: ({ good, rng }) => cut(JSON.stringify(good), rng),
  "wrong-id": ({ good, rng }) => JSON.stringify({ ...good, id: otherId(rng) }),
  "string-id": ({ good }) => JSON.stringify({ ...good, id: String(good.id) }),
  "bad-result-type": ({ good }) => JSON.stringify({ ...good, result: { ...good.result, resultType: "nonsense" } }),
  // The last one wins in JSON.parse; a proxy that believes the first one sees another message.
  "duplicate-keys": ({ good }) => JSON.stringify(good).replace(/}$/, `,"result":{"content":${JSON.stringify(DUPLICATE)}}}`),
  "proto-key": ({ good }) => JSON.stringify(good).replace(/"result":{/, `"result":{"__proto__":{"polluted":true},`),
  bom: ({ good }) => `\ufeff${JSON.stringify(good)}`,
  "lone-surrogate": ({ good }) => JSON.stringify(good).replace(/good/g, "g\\ud800od"),
  "invalid-utf8": ({ good }) => Buffer.from(JSON.stringify(good).replace(/good/g, "g\u00ffod"), "latin1"),
  "deep-nesting": ({ good }) =>
    JSON.stringify(good).replace(/"result":{/, `"result":{"deep":${"[".repeat(NESTING)}${"]".repeat(NESTING)},`),
};

/** A text broken off somewhere in its middle half, where the seed says: a client must not depend on where. */
export function cut(body, rng) {
  return body.slice(0, Math.floor(body.length * (0.25 + rng() / 2)));
}

export function otherId(rng) {
  return 1_000_000 + Math.floor(rng() * 1_000_000);
}

/** A second answer to the same request. */
export function duplicate(good) {
  return { ...good, result: { ...good.result, content: DUPLICATE } };
}

export function failure(id, code, message, data) {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data ? { data } : {}) } };
}
