// What the browser says of the network and of who looks, as the numbers of the cluster's core. Where it says nothing, all is well.

import { surroundings } from "./outside.js";

const SIGNALS = { online: 0, offline: 1, visible: 2, hidden: 3 };

/** Tells of the network and of who looks, until the function it gives is called. */
export function listen(told: (signal: number) => void): () => void {
  const tell = (signal: keyof typeof SIGNALS): void => told(SIGNALS[signal]);
  const heard = ({ type }: Event): void => tell(type === "visibilitychange" ? (surroundings().visible ? "visible" : "hidden") : (type as "online"));
  const { document } = globalThis;
  for (const type of ["online", "offline"]) globalThis.addEventListener?.(type, heard);
  document?.addEventListener("visibilitychange", heard);
  const { online, visible } = surroundings();
  if (!online) tell("offline");
  if (!visible) tell("hidden");
  return () => {
    for (const type of ["online", "offline"]) globalThis.removeEventListener?.(type, heard);
    document?.removeEventListener("visibilitychange", heard);
  };
}
