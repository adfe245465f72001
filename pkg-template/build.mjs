// `npm run build`: from the Rust crates and the TypeScript sources to the publishable package in pkg/.
// cargo -> wasm-bindgen -> wasm-opt -> esbuild -> tsc -> package files -> checks. The steps before
// (machine, browsers) are in setup.mjs, the size table in measure.mjs.
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { slimmed } from "./loader.mjs";
import { importsFile, importsOf, measure, printSizes, wasmFile } from "./measure.mjs";
import { capture, inRoot, node, root, run, say, seconds, targetDir } from "./proc.mjs";
import { ensureNodeModules, ensureWasmBindgen, ensureWasmTarget, wasmTarget } from "./setup.mjs";
import { silence, trimmed } from "./silence.mjs";
import { EARS, tighten } from "./tighten.mjs";

const pkgDir = inRoot("pkg");
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
const wasmDir = inRoot(".cache", "wasm");
const stampFile = inRoot(".cache", "build-stamp");
const entries = ["index", "slim"];
/** Entries that stand beside the client and share none of its code; each may need a package of its own. */
const adapters = ["cfworker", "persist", "testing", "cluster"];
/** What the client has already and its shared file hands on, by the names that ./main.js has as members of its default export. */
const shared = {
  "./errors.js": ["addTexts", "errorFrom", "McpError"],
  "./emitter.js": ["Emitter", "SnapshotStore"],
  "./replay.js": ["ReplayRules"],
  "./tools.js": ["Tools"],
  "./outside.js": ["IDLE", "surroundings"],
};
const licences = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"];
const inputs = ["Cargo.toml", "Cargo.lock", "package-lock.json", "src", "pkg-template", ...licences];

// Named one by one: with `--all-features` wasm-opt emits what Chromium refuses. These are what rustc
// enables for the target, all in the browsers that have DecompressionStream.
const wasmFeatures = [
  "bulk-memory",
  "bulk-memory-opt",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];
const optFlags = [
  // Found by trying: 3 % smaller after brotli than one -Oz. By name, functions made from one generic stand together.
  ...["--flatten", "--rereloop", "-Oz", "-Oz", "--one-caller-inline-max-function-size=10", "--reorder-functions-by-name"],
  // No pointer is below 1024: there is the far end of the stack.
  "--low-memory-unused",
  // Alignments are hints that no engine for browsers follows, and one less thing to compress.
  "--dealign",
  ...wasmFeatures.map((name) => `--enable-${name}`),
  "--strip-debug",
  "--strip-producers",
  "--strip-target-features",
];

// Properties of what only this package's own scripts see, src/web/glue.js included: shortened in a release. A name must be in no
// public type (checkFiles looks) and in no text, as that of an option or of a member that Rust asks for.
const internalNames =
  "abandon aborts again ambient announce answered ask asking attach caching calls changed crashed doubts emit finish finishing finishTool " +
  "flying given headerValue host inContext inputs isLocal isModern isOpen isVouched keeps keyText keyTexts lacking lanes lazy learn leave leaving " +
  "look madeAt methodId noting onBreaker onDoubt onInput onLate onLink onListen onNotification onReplay onRequest onServer onSignal " +
  "onStalled onState park place printed redo refuse rejectWith vacate reset restart resumed resumes rpcMessage rules serve settleWith shown " +
  "slot sockets submit subscriptions sweep tables timer touch trapped vouches wire";
const internal = internalNames.replaceAll(" ", "|");

const hash = (...parts) => parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest("hex");

function filesUnder(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

/** A hash of everything the package is made from, and by what. */
function inputStamp(dev) {
  const files = inputs.map((name) => inRoot(name)).flatMap(filesUnder);
  const parts = files.flatMap((file) => [relative(root, file), readFileSync(file)]);
  return hash(dev ? "dev" : "release", capture("rustc", ["--version"]) ?? "", ...parts);
}

/** Machine paths that must not reach the package: panics carry the path of their source. */
function machinePaths() {
  return [root, cargoHome, capture("rustc", ["--print", "sysroot"])];
}

/** Those, and the folder of each registry, whose name holds a hash. */
function remappedPaths() {
  const sources = join(cargoHome, "registry", "src");
  const registries = existsSync(sources) ? readdirSync(sources).map((name) => join(sources, name)) : [];
  return [...machinePaths(), ...registries];
}

async function compile(dev) {
  // A quarter of the usual stack is plenty without recursion, and puts all constants at addresses of three bytes, not four.
  const stack = "-Clink-arg=-zstack-size=262144";
  // Found by trying (25 and 50 are larger after compression, so is 5, which opt-level "z" means): calls of small functions cost more.
  const inline = "-Cllvm-args=-inline-threshold=35";
  // Found by trying, 2 % together: a pointer of its own for each array in a loop, and code moved between branches or copied into them.
  const moved = ["-disable-lsr", "-enable-pre=false", "-hoist-common-insts", "-sink-common-insts=false"].map((flag) => `-Cllvm-args=${flag}`);
  const remap = remappedPaths().map((path) => `--remap-path-prefix=${path}=`);
  // Encoded, as a path may hold a space. It replaces the user's RUSTFLAGS: the package is one and the same.
  const env = { CARGO_ENCODED_RUSTFLAGS: [stack, inline, ...moved, ...remap].join("\x1f"), RUSTFLAGS: undefined };
  const args = ["build", "--release", "--locked", "--target", wasmTarget];
  await run("cargo", [...args, "-p", "bowline-cluster"], { env });
  // What works on each call is compiled for speed. It is no larger for it after compression; the cluster's would be, by 3 %.
  await run("cargo", [...args, "-p", "bowline", "--config", "profile.release.package.bowline-core.opt-level=2"], { env });
  const { wasmBindgen } = await ensureWasmBindgen();
  rmSync(join(wasmDir, "snippets"), { recursive: true, force: true });
  for (const name of ["bowline", "bowline_cluster"]) {
    const input = join(targetDir, wasmTarget, "release", `${name}.wasm`);
    await run(wasmBindgen, ["--target", "web", "--omit-default-module-path", "--no-typescript", "--out-dir", wasmDir, input]);
  }
}

/** What `script` makes of `bytes` takes seconds, so it is kept for an equal input. `argumentsFor` has the names of both files. */
async function kept(bytes, [input, output], script, argumentsFor) {
  const stamp = hash(bytes, argumentsFor(input, output).join(" "), readFileSync(inRoot("package-lock.json")));
  const note = `${output}.stamp`;
  if (!existsSync(output) || !existsSync(note) || readFileSync(note, "utf8") !== stamp) {
    writeFileSync(input, bytes);
    await node(script, argumentsFor(input, output));
    writeFileSync(note, stamp);
  }
  return readFileSync(output);
}

function optimised(wasm, name, flags = optFlags) {
  const files = ["quiet", "opt"].map((step) => join(wasmDir, `${name}_bg.${step}.wasm`));
  const wasmOpt = inRoot("node_modules", "binaryen", "bin", "wasm-opt");
  return kept(wasm, files, wasmOpt, (input, output) => [...flags, input, "-o", output]);
}

function gzipped(wasm, name) {
  const files = ["tight.wasm", "gz"].map((step) => join(wasmDir, `${name}_bg.${step}`));
  return kept(wasm, files, inRoot("pkg-template", "zopfli.mjs"), (...files) => files);
}

/** Refuses a module that needs an `env` no loader gives it, or one that this Node cannot compile. */
function checkWasm(bytes) {
  const modules = new Set(WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map((one) => one.module));
  const foreign = [...modules].filter((name) => !name.startsWith("./"));
  if (foreign.length > 0)
    throw new Error(`the module imports from ${foreign.join(", ")}, which wasm-bindgen does not provide`);
}

/** The module and its script, as they are shipped. */
async function compiled(dev) {
  const wasm = readFileSync(join(wasmDir, wasmFile));
  const script = readFileSync(join(wasmDir, "bowline.js"), "utf8");
  checkWasm(wasm);
  const slim = slimmed(script);
  if (dev) return { wasm, script: slim };
  return tighten(await optimised(silence(wasm, slim, EARS), "bowline"), slim);
}

/**
 * The cluster's module. Only numbers cross its border, so that what wasm-bindgen wrote for it is not needed: the package calls its exports
 * (cluster-told.ts), and it must import nothing.
 */
async function clusterModule(dev) {
  const wasm = readFileSync(join(wasmDir, "bowline_cluster_bg.wasm"));
  const told = readFileSync(inRoot("pkg-template", "src", "cluster-told.ts"), "utf8");
  const names = [.../interface ClusterCore \{[^]*?\n\}/.exec(told)[0].matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
  const calls = names.map((name) => `wasm.${name};`).join("");
  const small = dev
    ? await optimised(trimmed(wasm, calls), "bowline_cluster", ["--remove-unused-module-elements", "-g", ...wasmFeatures.map((name) => `--enable-${name}`)])
    : await optimised(silence(wasm, calls, []), "bowline_cluster");
  const module = new WebAssembly.Module(small);
  const lacking = names.filter((name) => !WebAssembly.Module.exports(module).some((one) => one.name === name));
  if (lacking.length > 0) throw new Error(`the cluster's module does not export ${lacking.join(", ")}`);
  const imported = WebAssembly.Module.imports(module).map((one) => one.name);
  if (imported.length > 0) throw new Error(`the cluster's module imports ${imported.join(", ")}, and nobody gives it that`);
  return small;
}

/** The modules that exist only while bundling: wasm-bindgen's script, and both wasm modules as text. */
function builtModules(wasm, script, cluster, dev) {
  const packed = async (bytes, name) => {
    const text = (dev ? gzipSync(bytes) : await gzipped(bytes, name)).toString("base64");
    return { contents: `export default ${JSON.stringify(text)}`, loader: "js" };
  };
  return {
    name: "built-modules",
    setup(bundler) {
      bundler.onResolve({ filter: /^bowline-(core|wasm-gz|cluster-gz)$/ }, ({ path }) => ({ path, namespace: "built" }));
      bundler.onLoad({ filter: /core/, namespace: "built" }, () => ({ contents: script, resolveDir: wasmDir }));
      bundler.onLoad({ filter: /wasm-gz/, namespace: "built" }, () => packed(wasm, "bowline"));
      bundler.onLoad({ filter: /cluster-gz/, namespace: "built" }, () => packed(cluster, "bowline_cluster"));
    },
  };
}

/**
 * Both entries are a line or two around one shared file, main.js. Split by esbuild, that file would name each export twice and each
 * entry once more. Its default export, which `export *` leaves out, is what only the entries call and what the cluster has of the client.
 */
const sharedMain = {
  name: "shared-main",
  setup(bundler) {
    const code = (contents) => ({ contents, resolveDir: join(root, "pkg-template", "src") });
    const inEntry = ({ importer }) => entries.some((name) => importer.endsWith(`/${name}.ts`));
    const inCluster = ({ importer }) => /\/cluster[\w-]*\.ts$/.test(importer);
    const members = { "./runtime.js": ["setWasmSource"], ...shared };
    const listed = Object.values(members).flat().join(", ");
    bundler.onResolve({ filter: /^\.\/\w+\.js$/ }, (one) => {
      if (one.path === "./main.js" && (inEntry(one) || one.namespace === "part")) return { path: one.path, external: true };
      const isPart = one.path === "./runtime.js" ? inEntry(one) : one.path in shared && inCluster(one);
      return isPart ? { path: one.path, namespace: "part" } : undefined;
    });
    // The client that the application imports, and no second one.
    bundler.onResolve({ filter: /^\.\/index\.js$/ }, ({ path }) => ({ path, external: true }));
    bundler.onLoad({ filter: /./, namespace: "part" }, ({ path }) =>
      code(`import parts from "./main.js"; export const { ${members[path].join(", ")} } = parts;`),
    );
    bundler.onResolve({ filter: /^shared-main$/ }, ({ path }) => ({ path, namespace: "shared" }));
    bundler.onLoad({ filter: /./, namespace: "shared" }, () => {
      const imports = Object.entries(members).map(([path, names]) => `import { ${names.join(", ")} } from "${path}";`);
      return code(`export * from "./main.js"; ${imports.join(" ")} export default { ${listed} };`);
    });
  },
};

async function bundle(dist, { wasm, script }, cluster, dev) {
  // Imported here and not above: on a fresh clone setup has to fetch it first.
  const { build: esbuild } = await import("esbuild");
  const options = {
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    external: ["@cfworker/json-schema"],
    format: "esm",
    target: "es2022",
    minify: !dev,
    ...(!dev && { mangleProps: new RegExp(`^(${internal})$`) }),
    legalComments: "none",
    define: { __VERSION__: JSON.stringify(version()) },
    metafile: true,
    logLevel: "warning",
    // wasm-bindgen names the snippet once for each function imported from it.
    logOverride: { "duplicate-object-key": "silent" },
    plugins: [sharedMain, builtModules(wasm, script, cluster, dev)],
  };
  const main = await esbuild({ ...options, entryPoints: [{ in: "shared-main", out: "main" }], mangleCache: {} });
  // Whoever uses parts of main.js has to shorten their names as it does.
  const entryPoints = [...entries, ...adapters].map((name) => ({ in: join("pkg-template", "src", `${name}.ts`), out: name }));
  const others = await esbuild({ ...options, entryPoints, mangleCache: main.mangleCache });
  const outputs = { ...main.metafile.outputs, ...others.metafile.outputs };
  writeFileSync(importsFile, JSON.stringify(importsOf({ outputs }), null, 2));
  if (!dev) await squeeze(dist);
}

/** What esbuild leaves on the table: constants inlined, dead arguments dropped; 4 % of the scripts. */
async function squeeze(dist) {
  const { minify } = await import("terser");
  for (const file of filesUnder(dist).filter((name) => name.endsWith(".js"))) {
    const { code } = await minify(readFileSync(file, "utf8"), {
      module: true,
      ecma: 2020,
      // `5 === x` for `x === 5`, and functions among the rest, are as long before compression, and longer after.
      compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, pure_getters: true, lhs_constants: false, hoist_funs: true },
    });
    writeFileSync(file, code);
  }
}

/** The type declarations; this is also the type check of the sources. */
async function declare(dist) {
  await node(inRoot("node_modules", "typescript", "bin", "tsc"), ["-p", inRoot("pkg-template"), "--outDir", dist]);
  const declared = filesUnder(dist).filter((name) => name.endsWith(".d.ts"));
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, name] of readFileSync(file, "utf8").matchAll(/from "\.\/([\w-]+)\.js"/g))
      reach(join(dist, `${name}.d.ts`));
  };
  for (const name of [...entries, ...adapters]) reach(join(dist, `${name}.d.ts`));
  for (const file of declared) {
    // Modules behind the entries: nobody can import them, and they name what only the bundle has.
    if (!reached.has(file)) {
      rmSync(file);
      continue;
    }
    const text = readFileSync(file, "utf8");
    // The libraries a user names seldom have this symbol, and an error in our types would be theirs to bear.
    if (text.includes("Symbol.asyncDispose")) writeFileSync(file, `/// <reference lib="esnext.disposable" />\n${text}`);
  }
}

function version() {
  const found = /^\[(?:workspace\.)?package\][^[]*?^version = "([^"]+)"/m.exec(
    readFileSync(inRoot("Cargo.toml"), "utf8"),
  );
  if (!found) throw new Error("Cargo.toml has no version");
  return found[1];
}

function packageFiles(folder) {
  const manifest = JSON.parse(readFileSync(inRoot("pkg-template", "package.json"), "utf8"));
  manifest.version = version();
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(inRoot("pkg-template", "README.md"), join(folder, "README.md"));
  for (const name of licences) cpSync(inRoot(name), join(folder, name));
}

/** What only the finished files can show: no path of this machine, no type that leads outside. */
function checkFiles(folder) {
  const forbidden = [...machinePaths(), homedir()].map((path) => `${path}/`);
  for (const file of filesUnder(folder)) {
    const bytes = readFileSync(file);
    const found = forbidden.find((path) => bytes.includes(path));
    if (found) throw new Error(`${relative(folder, file)} holds the machine path ${found}`);
    if (!file.endsWith(".d.ts")) continue;
    const types = bytes.toString().replace(/\/\*[^]*?\*\/|^ *\/\/.*$/gm, "");
    if (/bowline-(core|wasm-gz|cluster-gz)/.test(types)) throw new Error(`${relative(folder, file)} exposes a module that the package does not have`);
    const shortened = new RegExp(`\\b(${internal})\\b`).exec(types);
    if (shortened) throw new Error(`${relative(folder, file)} has ${shortened[0]}, which build.mjs shortens as internal`);
  }
}

/**
 * Makes pkg/ when its inputs changed since the last time.
 * `dev` leaves out wasm-opt and minification and keeps the function names; `quiet` leaves out the table.
 */
export async function build({ dev = false, quiet = false } = {}) {
  const start = performance.now();
  await ensureNodeModules();
  await ensureWasmTarget();
  const stamp = inputStamp(dev);
  if (existsSync(join(pkgDir, "package.json")) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
    say(`build: pkg/ is up to date (${seconds(start)})`);
    if (!quiet) printSizes(measure());
    return;
  }
  mkdirSync(wasmDir, { recursive: true });
  rmSync(stampFile, { force: true });
  const staging = inRoot(".cache", `pkg-${process.pid}`);
  const dist = join(staging, "dist");
  try {
    mkdirSync(dist, { recursive: true });
    say("build: the Rust crates to WebAssembly");
    await compile(dev);
    say(dev ? "build: without wasm-opt" : "build: wasm-opt");
    const core = await compiled(dev);
    writeFileSync(join(dist, wasmFile), core.wasm);
    say("build: the TypeScript entries");
    await bundle(dist, core, await clusterModule(dev), dev);
    await declare(dist);
    packageFiles(staging);
    checkFiles(staging);
    // Moved in one step, so that a server or a test never reads half a package.
    rmSync(pkgDir, { recursive: true, force: true });
    renameSync(staging, pkgDir);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  writeFileSync(stampFile, stamp);
  say(`build: pkg/ is ready (${seconds(start)})`);
  if (!quiet) printSizes(measure());
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await build({ dev: process.argv.includes("--dev") });
  } catch (error) {
    say(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
