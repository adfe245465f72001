// What all providers share: keys and values as text (JSON, and no part of a key can be taken for two), lives, listeners. It stores nothing.

import { stateError, stateInvalid } from "./state-error.js";

/** A part of a key: ASCII, without the colon that stands between parts. */
export function part(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw stateError("key", { cause, outcome: "not-sent" });
  }
}

/** A whole key: ASCII that can be read and be named in a pattern. */
export function named(key: string): string {
  return part(key).replaceAll("%3A", ":");
}

/** A value as it is stored. */
export function packed(value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (thrown) {
    cause = thrown;
  }
  if (text === undefined) throw stateError("json", { cause, outcome: "not-sent" });
  return text;
}

/** A stored value; nothing is `undefined`. */
export function unpacked(stored: unknown, key: string): unknown {
  if (stored === null || stored === undefined) return undefined;
  try {
    // webdis makes an object of what is no text.
    return JSON.parse(typeof stored === "string" ? stored : "");
  } catch (cause) {
    throw stateError("value", { detail: key, cause });
  }
}

/** A life in whole milliseconds; `undefined` for one without end. */
export function lifeOf(ttl: number): number | undefined {
  if (!(ttl > 0)) throw stateInvalid("ttl must be more than 0 ms");
  return ttl === Infinity ? undefined : Math.ceil(ttl);
}

/** How long a lock is held, in whole milliseconds. */
export function heldFor(ttl: number): number {
  const life = lifeOf(ttl);
  if (life === undefined) throw stateInvalid("a lock needs a ttl: its holder may never come back");
  return life;
}

/** Calls a function of the application: what it throws is the page's to see, and ends nothing here. */
export function apart(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
