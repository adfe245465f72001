// The rules of the house that a compiler does not see: which crates the core may name, what the built
// module imports, its size, the length and the first line of each file. It tests no behaviour.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { measure } from "../pkg-template/measure.mjs";
import { capture, inRoot, say } from "../pkg-template/proc.mjs";

let passed = 0;
let failed = 0;

/** One rule: `problems()` lists what breaks it; that it cannot look is a problem too. */
function rule(name, problems) {
  let found;
  try {
    found = problems();
  } catch (error) {
    found = [error.message];
  }
  if (found.length === 0) passed += 1;
  else failed += 1;
  say(`${found.length === 0 ? "ok    " : "FAILED"} ${name}`);
  for (const problem of found) say(`         ${problem}`);
}

function tracked() {
  const listed = capture("git", ["ls-files", "--cached", "--others", "--exclude-standard"]);
  if (listed === null) throw new Error("git cannot list the files of the repository");
  // Also without what is deleted and not committed yet.
  return listed.split("\n").filter((file) => existsSync(inRoot(file)));
}

const files = tracked();
const text = (file) => readFileSync(inRoot(file), "utf8");
const code = files.filter((file) => [".rs", ".ts", ".tsx", ".mjs", ".js", ".css", ".py"].includes(extname(file)));

rule("the core names no crate of the web", () => {
  const tree = capture("cargo", [
    "tree",
    "--locked",
    "-p",
    "bowline-core",
    "-e",
    "normal,build",
    "--target",
    "all",
    "--prefix",
    "none",
  ]);
  if (tree === null) return ["cargo tree failed"];
  return tree
    .split("\n")
    .filter((line) => /^(wasm-bindgen|js-sys|web-sys|gloo|serde-wasm-bindgen|tokio|getrandom)/.test(line));
});

rule("the built module imports from its own script only", () => {
  const bytes = readFileSync(inRoot("pkg", "dist", "bowline_bg.wasm"));
  const modules = new Set(WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ module }) => module));
  // "a" is the short name of wasm-bindgen's script (pkg-template/tighten.mjs).
  return [...modules].filter((name) => name !== "a");
});

rule("each entry of the package is within its size gate", () =>
  measure()
    .filter((size) => !size.within)
    .map(({ entry, total, gate }) => `${entry}: ${total[gate.unit]} bytes in ${gate.unit}, ${gate.bytes} allowed`),
);

rule("no file is over 500 lines (the engine 600)", () =>
  code
    .map((file) => ({ file, lines: text(file).split("\n").length - 1 }))
    .filter(({ file, lines }) => lines > (file === "src/core/engine.rs" ? 600 : 500))
    .map(({ file, lines }) => `${file}: ${lines} lines`),
);

rule("every file says first what it is", () =>
  code.filter((file) => !/^(#!.*\n)?(\/\/|\/\*|#!?\[|#|"""|<!--)/.test(text(file))),
);

rule("the top level has the folders of the design and no others", () => {
  const known = new Set(["src", "pkg-template", "www", "tests", ".ci", ".cargo"]);
  const folders = new Set(files.filter((file) => file.includes("/")).map((file) => file.split("/")[0]));
  return [...folders].filter((folder) => !known.has(folder));
});

rule("the lock file names no registry host", () =>
  text("package-lock.json")
    .split("\n")
    .filter((line) => line.includes('"resolved"')),
);

rule("the table of obligations names tests that exist", () => {
  const places = [
    [/^(core)\/(\w+)$/, "tests/$1/$2.rs"],
    [/^(browser)\/(\w+)$/, "tests/$1/common/$2.rs"],
    [/^(e2e)\/([\w/-]+)$/, "tests/$1/$2.mjs"],
    [/^(\w+)$/, "tests/packaging/$1.test.mjs"],
  ];
  const home = (short) => places.reduce((path, [form, place]) => path.replace(form, place), short);
  const cells = text("tests/conformance/README.md").matchAll(/^\| P\d+[^|]*\| ([^|]*)\|/gm);
  return [...cells].flatMap(([, cell]) => {
    let file;
    return cell.split("; ").filter((named) => {
      const [, short, test] = named.match(/^(.*?)::(.*?)(?: \(.*\))? ?$/) ?? [];
      if (short) file = home(short);
      return test && !text(file).includes(test);
    });
  });
});

rule("the licence is in the package", () => {
  const inside = readdirSync(inRoot("pkg"));
  return ["LICENSE-APACHE", "LICENSE-MIT", "README.md"]
    .filter((name) => !inside.includes(name))
    .map((name) => join("pkg", name));
});

say(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
