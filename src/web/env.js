// What the shell asks of its surroundings: the application's options, the clock, entropy, a memory for verdicts. No state of any client; that is glue.js's.

import { clients } from "./glue.js";

const member = (config, path) => path.split(".").reduce((group, name) => group?.[name], config);

function choice(value, path, choices) {
  const at = choices && typeof value !== "number" ? choices.split("|").indexOf(String(value)) : -1;
  if (at < 0) throw new TypeError(`${path} must be ${choices ? choices.replaceAll("|", " or ") : "a number of at least 0"}`);
  return at;
}

/** An option by its path; see glue.rs. */
export function option(config, path, choices) {
  const value = member(config, path) ?? NaN;
  if (Number.isNaN(value)) return value;
  return !choices && typeof value === "number" && value >= 0 ? value : choice(value, path, choices);
}

/** A list option by its path; see glue.rs. One that names nothing is wrong like one that names something unknown. */
export function optionSet(config, path, choices) {
  const list = member(config, path);
  if (list === undefined) return 0;
  const named = Array.isArray(list) && list.length ? list : [list];
  return named.reduce((bits, value) => bits | (1 << choice(value, path, choices)), 0);
}

export function has(host, name) {
  return host[name] ? 1 : 0;
}

/** The wall clock, as of the last reading: what is told now happens in the same moment. */
export let lastWall = 0;
let lastNow = 0;

/** Milliseconds on the monotonic clock. Read anew only when the wall clock ticked (4 times cheaper): it is exact to a millisecond. */
export function now(client) {
  const wall = Date.now();
  if (wall !== lastWall) {
    lastWall = wall;
    lastNow = performance.now();
  }
  return clients[client]?.host.clock?.now() ?? lastNow;
}

export function seed(client) {
  const { clock } = clients[client].host;
  if (clock) return clock.seed();
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

// What was found out about an endpoint (its WebSocket does not work, its server is of the older eras), until when: one origin may have
// several, of different eras. Session storage where there is one: workers and Node have none.
const memory = new Map();
const VERDICTS = ["fallback", "legacy"];

function verdict(host, what, until) {
  const { origin, pathname } = new URL(host.webSocketUrl);
  const name = `bowline:${VERDICTS[what]}:${origin}${pathname}`;
  if (until) memory.set(name, until);
  try {
    if (until) sessionStorage.setItem(name, until);
    else return sessionStorage.getItem(name);
  } catch {
    // Not there, or forbidden: memory serves for this page.
  }
  return memory.get(name);
}

/** Remembers a verdict for `ms` milliseconds from now; 0 ends it. */
export function remember(host, what, ms) {
  verdict(host, what, Date.now() + ms);
}

/** For how many milliseconds the verdict still holds; 0 when there is none. */
export function remembered(host, what) {
  return Math.max(0, verdict(host, what) - Date.now()) || 0;
}
