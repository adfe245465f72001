// The Python environments of the two Python servers, under .cache/python/: made once, remade when their
// requirements change. It runs no server.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { withLock } from "./lock.mjs";
import { cache, here } from "./paths.mjs";

const APT_PACKAGES = ["python3", "python3-venv"];

/** Gives the path of a Python that has what `requirements-NAME.txt` asks for. */
export async function ensurePython(name, say = console.error) {
  const requirements = join(here, `requirements-${name}.txt`);
  const wanted = readFileSync(requirements, "utf8");
  const folder = join(cache, "python", name);
  const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const stamp = join(folder, "requirements-installed.txt");
  const ready = () => existsSync(python) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (ready()) return python;

  mkdirSync(join(cache, "python"), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    // Another process may have made it while we waited for the lock.
    if (ready()) return;
    const base = findPython(say);
    say(`python: making the environment "${name}" (once, about 15 s)`);
    rmSync(folder, { recursive: true, force: true });
    await run(base, ["-m", "venv", folder], say);
    await run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-r", requirements], say);
    writeFileSync(stamp, wanted);
  });
  return python;
}

function findPython(say) {
  const found = () => ["python3", "/usr/bin/python3"].find(hasVenv);
  const python = found();
  if (python) return python;
  if (process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0) {
    say(`python: installing ${APT_PACKAGES.join(" and ")} with apt`);
    const options = { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["update", "-q"], options);
    spawnSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...APT_PACKAGES], options);
    const installed = found();
    if (installed) return installed;
  }
  throw new Error(`the Python test servers need Python >= 3.10 with venv: apt-get install ${APT_PACKAGES.join(" ")}`);
}

function hasVenv(python) {
  const check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
  return spawnSync(python, ["-c", check], { stdio: "ignore" }).status === 0;
}

// Shows of pip's output one line per package; everything else is shown only when it went wrong.
function run(file, args, say) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (line) => (output = `${output}${line}\n`.slice(-4000));
    createInterface({ input: child.stderr }).on("line", keep);
    createInterface({ input: child.stdout }).on("line", (line) => {
      keep(line);
      const name = /^Collecting (\S+)/.exec(line)?.[1];
      if (name) say(`python: ${name}`);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${file} ${args.slice(0, 3).join(" ")} ended with ${code}:\n${output}`));
    });
  });
}
