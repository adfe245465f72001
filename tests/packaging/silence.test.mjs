// What the build does to a module before it is optimised (pkg-template/silence.mjs), on a module of a few lines.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { inRoot } from "../../pkg-template/proc.mjs";
import { silence } from "../../pkg-template/silence.mjs";

// At 1024 a core::panic::Location: address and length of the file's name, line 7, column 3. The name follows a text of the application.
const MODULE = `(module
  (import "env" "log" (func $log))
  (memory (export "memory") 1)
  (data (i32.const 1024)
    "\\18\\04\\00\\00\\08\\00\\00\\00\\07\\00\\00\\00\\03\\00\\00\\00app textsrc/a.rs\\00index out of bounds\\00option.path")
  (func $core::panicking::panic_fmt (param i32) (result i32) (call $log) (i32.const 7))
  (func $app::panicking (param i32) (result i32) (call $core::panicking::panic_fmt (local.get 0)))
  (func $app::fine (result i32) (i32.const 5))
  (table funcref (elem $core::fmt::pad))
  (func $core::fmt::pad (result i32) (i32.const 9))
  (func $app::words (result i32) (call_indirect (result i32) (i32.const 0)))
  (export "words" (func $app::words))
  (export "panics" (func $app::panicking))
  (export "fine" (func $app::fine))
  (export "ear" (func $app::fine))
  (export "unused" (func $app::fine)))`;

const folder = inRoot(".cache", "silence-test");
let wasm;

before(() => {
  mkdirSync(folder, { recursive: true });
  const [text, binary] = [join(folder, "module.wat"), join(folder, "module.wasm")];
  writeFileSync(text, MODULE);
  execFileSync(process.execPath, [inRoot("node_modules", "binaryen", "bin", "wasm-as"), text, "-g", "-o", binary]);
  wasm = readFileSync(binary);
});

const quiet = () => silence(Buffer.from(wasm), "wasm.memory wasm.panics wasm.fine wasm.words", ["ear"]);
const run = (bytes) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { log() {} } }).exports;

test("a panic is a trap, and what does not panic goes on as before", () => {
  assert.equal(run(wasm).panics(1), 7);
  const exports = run(quiet());
  assert.throws(() => exports.panics(1), WebAssembly.RuntimeError);
  assert.equal(exports.fine(), 5);
});

test("only the texts of panics are gone", () => {
  const memory = Buffer.from(run(quiet()).memory.buffer).subarray(1024, 1100).toString("latin1");
  assert.equal(memory.replaceAll("\0", ""), "app textoption.path");
  assert.ok(Buffer.from(wasm).includes("src/a.rs"));
});

test("what puts messages together is silenced too: only the table of functions knows of it", () => {
  assert.throws(() => run(quiet()).words(), WebAssembly.RuntimeError);
  assert.equal(run(wasm).words(), 9);
});

test("an export that nobody uses is gone", () => {
  assert.deepEqual(Object.keys(run(quiet())).sort(), ["ear", "fine", "memory", "panics", "words"]);
});

test("a module whose functions that panic are not known by name is refused", () => {
  const unknown = Buffer.from(wasm.toString("latin1").replaceAll("core::panicking::panic_fmt", "core::panickinX::panic_fmt").replaceAll("core::fmt::pad", "core::fnt::pad"), "latin1");
  assert.throws(() => silence(unknown, "", []), /known to panic/);
});
