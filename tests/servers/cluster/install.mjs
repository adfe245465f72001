// The distributed parts that tests run for real, from Debian's own packages: fetched with a private apt state and unpacked under
// .cache/cluster/, so that the machine keeps what it has. It starts nothing and installs nothing into the system.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { withLock } from "../lock.mjs";
import { cache } from "../paths.mjs";

/**
 * What each part is made of. Pinned where the wire is what is tested; Redis is whatever patch of 7.0 bookworm has. apt checks every
 * package against Debian's signatures; `sha256` says besides that it is the one that was measured.
 */
const PARTS = {
  "consul": {
    program: "usr/bin/consul",
    packages: [
      { suite: "bullseye", name: "consul", version: "1.8.7+dfsg1-2+b3", sha256: "e4e888bba104daba1d9161f49bfc52649a7e4efd45b1a7ead5bc54f2cb9c89d9" },
    ],
  },
  "etcd-3.4": {
    program: "usr/bin/etcd",
    packages: [
      { suite: "bookworm", name: "etcd-server", version: "3.4.23-4+b4", sha256: "3a9445d4560ad6de1c375756b2a17d97713df44cbd20a658c871fe108af7ef5d" },
    ],
  },
  "etcd-3.5": {
    program: "usr/bin/etcd",
    packages: [
      { suite: "trixie", name: "etcd-server", version: "3.5.16-4", sha256: "0875921bb0d023f2af9b8e15cdfbe417a03e65731345fb832c40f9c2dd72967b" },
    ],
  },
  "redis": {
    program: "usr/bin/redis-server",
    packages: ["redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1"].map((name) => ({ suite: "bookworm", name })),
  },
  "webdis": {
    program: "usr/bin/webdis",
    packages: [
      { suite: "trixie", name: "webdis", version: "0.1.22+ds-1", sha256: "581678f00c98ae8ca5c68f0086b153f9dc03150d69d69ffacecfe7c55aac5c5f" },
      { suite: "trixie", name: "libhiredis1.1.0" },
      // The libraries of bookworm: those of trixie may want a newer C library than the machine has.
      { suite: "bookworm", name: "libb64-0d" },
      { suite: "bookworm", name: "libevent-2.1-7" },
      { suite: "bookworm", name: "libjansson4" },
    ],
  },
};

const home = join(cache, "cluster");

/** The program of a part and the environment it needs; fetched and unpacked when it is not there. */
export async function ensurePart(name, say = console.error) {
  const part = PARTS[name];
  if (!part) throw new Error(`there is no part "${name}": ${Object.keys(PARTS).join(", ")}`);
  const folder = join(home, name);
  const stamp = join(folder, "unpacked.json");
  const wanted = JSON.stringify(part);
  const ready = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (!ready()) {
    mkdirSync(home, { recursive: true });
    await withLock(join(home, "lock"), async () => {
      // Another process may have fetched it while we waited for the lock.
      if (ready()) return;
      say(`cluster: fetching ${name} (once)`);
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const wanted of part.packages) must("dpkg", ["-x", fetched(wanted, name), folder], `${wanted.name} cannot be unpacked`);
      complete(launch(part, folder), name);
      writeFileSync(stamp, wanted);
    });
  }
  return launch(part, folder);
}

function launch(part, folder) {
  const found = libraries(folder);
  return { file: join(folder, part.program), env: found.length > 0 ? { LD_LIBRARY_PATH: found.join(":") } : {} };
}

/** Fails when the program wants a library that neither its packages nor the machine have. */
function complete({ file, env }, part) {
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8", env: { ...process.env, ...env } });
  const missing = [...(stdout ?? "").matchAll(/^\s*(\S+) => not found$/gm)].map(([, library]) => library);
  if (missing.length > 0) throw new Error(`${part} lacks ${missing.join(", ")}`);
}

/** Downloads one package of one suite; the path of the file. */
function fetched({ suite, name, version, sha256 }, part) {
  const options = privateApt(suite, part);
  const folder = join(home, "debs", suite, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const wanted = version ? `${name}=${version}` : `${name}/${suite}`;
  must("apt-get", [...options, "download", wanted], `${part} lacks the package ${wanted} of Debian ${suite}`, folder);
  const file = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
  if (!file) throw new Error(`${part} lacks the package ${wanted} of Debian ${suite}: apt-get downloaded nothing`);
  const path = join(folder, file);
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (sha256 && architecture() === "amd64" && found !== sha256) throw new Error(`${path} is not the ${wanted} that was tested: its sha256 is ${found}`);
  return path;
}

const updated = new Map();

/** The options of an apt that knows one suite only, and writes nowhere but into our cache. */
function privateApt(suite, part) {
  const known = updated.get(suite);
  if (known) return known;
  const folder = join(home, "apt", suite);
  for (const sub of ["state/lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, sub), { recursive: true });
  const list = join(folder, "sources.list");
  writeFileSync(list, `deb ${keyring()}${mirror(part)} ${suite} main\n`);
  const options = {
    "Dir::State": join(folder, "state"),
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::sourcelist": list,
    "Dir::Etc::sourceparts": "/dev/null",
    "Acquire::Languages": "none",
    "APT::Sandbox::User": "",
  };
  const given = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  must("apt-get", [...given, "-q", "update"], `${part} needs Debian ${suite}, which this machine's Debian mirror does not serve`);
  updated.set(suite, given);
  return given;
}

/** Where this machine gets Debian from: its own apt knows. */
function mirror(part) {
  const why = `${part} comes as a Debian package, and this machine's apt has no Debian sources`;
  const targets = must("apt-get", ["indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)", "Created-By: Packages"], why);
  const uri = /^Debian main [a-z]+ (\S+)$/m.exec(targets)?.[1];
  if (!uri) throw new Error(why);
  return uri;
}

function keyring() {
  const file = "/usr/share/keyrings/debian-archive-keyring.gpg";
  return existsSync(file) ? `[signed-by=${file}] ` : "";
}

function architecture() {
  return must("dpkg", ["--print-architecture"], "dpkg does not run").trim();
}

/** Runs a program; when it fails, says first what that means. */
function must(file, args, meaning, cwd) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (status === 0) return stdout;
  throw new Error(`${meaning}\n${file} ${args.at(-1)}: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}

/** The folders that hold shared objects, wherever the packages put them. */
function libraries(folder) {
  const lib = join(folder, "usr", "lib");
  if (!existsSync(lib)) return [];
  const triplets = readdirSync(lib).filter((entry) => entry.includes("-linux-"));
  return triplets.map((entry) => join(lib, entry));
}
