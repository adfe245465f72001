// What the shell asks of its surroundings: the application's options, the clock, entropy, a memory for verdicts. No state of any client; that is glue.js's.

/** An option by its path; see glue.rs. */
export function option(config, path, choices) {
  const value = path.split(".").reduce((group, name) => group?.[name], config) ?? NaN;
  if (Number.isNaN(value) && typeof value === "number") return value;
  if (!choices && typeof value === "number" && value >= 0) return value;
  const at = choices && typeof value !== "number" ? choices.split("|").indexOf(String(value)) : -1;
  if (at < 0) throw new TypeError(`${path} must be ${choices ? choices.replaceAll("|", " or ") : "a number of at least 0"}`);
  return at;
}

export function has(host, name) {
  return host[name] ? 1 : 0;
}

let lastWall = 0;
let lastNow = 0;

/** Milliseconds on the monotonic clock. Read anew only when the wall clock ticked (4 times cheaper): it is exact to a millisecond. */
export function now() {
  const wall = Date.now();
  if (wall !== lastWall) {
    lastWall = wall;
    lastNow = performance.now();
  }
  return lastNow;
}

export function seed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

// Which origins have no working WebSocket, until when. Session storage where there is one: workers and Node have none.
const memory = new Map();

function verdict(host, until) {
  const name = "bowline:fallback:" + new URL(host.webSocketUrl).origin;
  if (until) memory.set(name, until);
  try {
    if (until) sessionStorage.setItem(name, until);
    else return sessionStorage.getItem(name);
  } catch {
    // Not there, or forbidden: memory serves for this page.
  }
  return memory.get(name);
}

export function rememberFallback(host, ms) {
  verdict(host, Date.now() + ms);
}

/** For how many milliseconds the verdict still holds; 0 when there is none. */
export function fallbackRemembered(host) {
  return Math.max(0, verdict(host) - Date.now()) || 0;
}
