// Makes a panic a bare trap: what only words its message goes, 5 % of the module. A release panic ends
// the same way with and without (nobody prints it, the module stops); `npm run build -- --dev` keeps the words.

import { CODE, EXPORT, exports, functionNames, functions, imports, list, memory, number, text, withBodies } from "./sections.mjs";

/**
 * Where every panic passes: functions of Rust's and wasm-bindgen's libraries that never return. And what puts their messages together: it
 * is reached through the table of functions only, so that no optimiser sees that nobody calls it any more; the product formats nothing else.
 */
const PANICS = [
  /^<?core(\[\w+\])?::fmt::/,
  /^<.* as core(\[\w+\])?::fmt::\w+>::fmt$/,
  /^core(\[\w+\])?::panicking::/,
  /^core(\[\w+\])?::cell::panic_already/,
  /^core(\[\w+\])?::(option|result)::(unwrap|expect)_failed/,
  /^<?std(\[\w+\])?::panicking::/,
  /^std(\[\w+\])?::alloc::rust_oom/,
  /^std(\[\w+\])?::sys::backtrace::__rust_end_short_backtrace/,
  /^__rustc(\[\w+\])?::(rust_begin_unwind|rust_panic|__rust_alloc_error_handler)/,
  /^alloc(\[\w+\])?::alloc::handle_alloc_error/,
  /^alloc(\[\w+\])?::raw_vec::(handle_error|capacity_overflow)/,
  /^<alloc(\[\w+\])?::vec::Vec<.*::assert_failed$/,
  /^<hashbrown(\[\w+\])?::.*::capacity_overflow$/,
  /^wasm_bindgen::(throw_str|__rt::throw_null|__wbindgen_throw)/,
];

/** No locals; `unreachable`; the end. */
const TRAP = Buffer.of(0, 0x00, 0x0b);

/** What those functions say. Longer ones first, as some hold another. */
const MESSAGES = [
  "attempted to take ownership of Rust value while it was borrowed",
  "recursive use of an object detected which would lead to unsafe aliasing in rust",
  "null pointer passed to rust",
  "Hash table capacity overflow",
  "capacity overflow",
  "index out of bounds",
  "insertion index (is ",
  "removal index (is ",
  " should be <= len (is ",
  " should be < len (is ",
  "mid > len",
  "called `Option::unwrap()` on a `None` value",
  "RefCell already mutably borrowed",
  "RefCell already borrowed",
  Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0")).join(""),
];

const LOCATION_BYTES = 16;
/** More than any line, column or length of a path; less than any address. */
const MAX_NUMBER = 10_000;

function trapping(wasm) {
  const names = functionNames(wasm);
  const first = imports(wasm).length;
  let found = 0;
  const bodies = functions(wasm).map((body, i) => {
    const name = names.get(first + i) ?? "";
    if (!PANICS.some((pattern) => pattern.test(name))) return body;
    found += 1;
    return TRAP;
  });
  // None at all: the names are not what they were, and the module would keep every word unnoticed.
  if (found === 0) throw new Error("no function of the module is known to panic");
  return list(bodies.map((body) => Buffer.concat([number(body.length), body])));
}

/** Zeroes, which cost nothing, where only a panic looks: its place in the sources, the file's name, the messages. */
function forget(wasm) {
  const parts = memory(wasm);
  const textAt = (start, length) => {
    const part = parts.find(({ at, bytes }) => start >= at && start + length <= at + bytes.length);
    return part?.bytes.subarray(start - part.at, start - part.at + length);
  };
  const unread = [];
  for (const { bytes } of parts) {
    // core::panic::Location: address and length of the file's name, line, column.
    for (let i = 0; i + LOCATION_BYTES <= bytes.length; i += 4) {
      const [start, length, line, column] = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(i + offset));
      const file = length < MAX_NUMBER && line < MAX_NUMBER && column < MAX_NUMBER && textAt(start, length);
      if (file && /^[\w./-]+\.rs$/.test(file)) unread.push(file, bytes.subarray(i, i + LOCATION_BYTES));
    }
    for (const message of MESSAGES) {
      for (let i = bytes.indexOf(message); i >= 0; i = bytes.indexOf(message)) bytes.fill(0, i, i + message.length);
    }
  }
  for (const part of unread) part.fill(0);
}

/** Without the exports that the script does not use, and that would keep alive what is behind them. */
function used(wasm, script, also) {
  const kept = exports(wasm).filter(({ name }) => also.includes(name) || new RegExp(`\\bwasm\\.${name}\\b`).test(script));
  return list(kept.map(({ name, kind, index }) => Buffer.concat([text(name), Buffer.of(kind), number(index)])));
}

/**
 * @param {Buffer} wasm the module, with its name section
 * @param {string} script what wasm-bindgen wrote for it
 * @param {string[]} also exports used by others than the script
 * @returns {Buffer}
 */
export function silence(wasm, script, also) {
  const quiet = withBodies(wasm, { [CODE]: trapping(wasm), [EXPORT]: used(wasm, script, also) });
  forget(quiet);
  return quiet;
}

/** The same without those exports and nothing else. */
export function trimmed(wasm, script) {
  return withBodies(wasm, { [EXPORT]: used(wasm, script, []) });
}
