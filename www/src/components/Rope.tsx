// The link, drawn: a whole rope when ready, a parted one when lost, and a thin line across: dashed while an
// attempt is under way, filling up while one is waited for. Decoration only; the same facts stand in words beside it.
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ConnectionSnapshot } from "bowline";
import { HEIGHT, MIDDLE, none, parted, roundTrip, whole } from "../rope";
import { isCasting, shapeOf } from "../state";
import { useNow, useStore } from "../store";
import type { Latency } from "../latency";

const DRAW = { whole, parted, none };

export function Rope({ connection, latency }: { connection: ConnectionSnapshot; latency: Latency }) {
  const [box, width] = useWidth();
  const shape = shapeOf(connection);
  const drawing = useMemo(() => DRAW[shape](width), [shape, width]);
  return (
    <div ref={box} className="rope" data-shape={shape} data-casting={isCasting(connection)} aria-hidden="true">
      <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`}>
        <path className="rope-messenger" d={drawing.messenger} pathLength={1} />
        {shape !== "whole" && <Waited connection={connection} path={drawing.messenger} />}
        {drawing.pieces.map((piece, i) => (
          <g key={`${shape}${i}`} className="rope-piece" data-side={i === 0 ? "left" : "right"}>
            <path className="rope-yarns" d={piece.yarns} />
            <path className="rope-core" d={piece.strands} />
            <path className="rope-strands" d={piece.strands} />
          </g>
        ))}
        <circle className="rope-cleat" cx={9} cy={MIDDLE} r={7} />
        <circle className="rope-cleat" cx={width - 9} cy={MIDDLE} r={7} />
        {shape === "whole" && <Pulse latency={latency} width={width} />}
      </svg>
    </div>
  );
}

/** How much of the wait for the next attempt has passed, as ink along the thin line. */
function Waited({ connection, path }: { connection: ConnectionSnapshot; path: string }) {
  const { retryAt } = connection;
  const now = useNow(50, retryAt !== null);
  const start = useMemo(() => Date.now(), [retryAt]);
  if (retryAt === null) return null;
  const part = Math.min(1, Math.max(0, (now - start) / Math.max(1, retryAt - start)));
  return <path className="rope-waited" d={path} pathLength={1} strokeDasharray={`${part} 2`} />;
}

/** One bead per round trip, there and back. */
function Pulse({ latency, width }: { latency: Latency; width: number }) {
  const samples = useStore(latency);
  const last = samples.at(-1);
  if (!last || last.ms === null) return null;
  return (
    <circle key={last.id} className="rope-pulse" r={4} style={{ offsetPath: `path("${roundTrip(width)}")` }} />
  );
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.round(entry!.contentRect.width))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}
