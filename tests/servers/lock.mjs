// One process at a time, by a file: who finds it waits until it is gone or its owner is. It knows no work.

import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const LOOK_MS = 500;

export async function withLock(path, work) {
  while (!tryLock(path)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  try {
    await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path) {
  try {
    const file = openSync(path, "wx");
    writeFileSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    breakStaleLock(path);
    return false;
  }
}

function breakStaleLock(path) {
  try {
    const owner = Number(readFileSync(path, "utf8"));
    // An empty file is a lock being written just now.
    if (owner > 0) process.kill(owner, 0);
  } catch (error) {
    if (error.code === "ESRCH") rmSync(path, { force: true });
  }
}
