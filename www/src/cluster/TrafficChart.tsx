// Who answered how much during the last minute: one band per node, stacked, and a mark above where a call failed.
import { useStore } from "../store";
import { SLOT_MS, SLOTS, type Fleet, type Slot } from "./fleet";

const WIDTH = 1000;
const HEIGHT = 180;
/** Above the bands, for the marks. */
const HEAD = 14;

export function TrafficChart({ fleet }: { fleet: Fleet }) {
  const history = useStore(fleet.history);
  const totals = history.map(({ answered }) => sum(answered));
  const top = Math.max(8, ...totals) * 1.1;
  const latest = history.at(-1);
  const perSecond = (n: number) => Math.round((n * 1000) / SLOT_MS);
  return (
    <figure className="traffic-figure">
      <svg
        className="traffic-chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Answers per second by node, at most ${perSecond(top / 1.1)}`}
      >
        {fleet.nodes.map((node, at) => (
          <path key={node.id} className="traffic-band" data-node={at + 1} d={band(history, at, top)} />
        ))}
        {history.map((slot, i) =>
          slot.failed > 0 ? <rect key={slot.id} className="traffic-failed" x={x(i, history) - 3} y={0} width={6} height={HEAD - 4} /> : null,
        )}
        <path className="chart-base" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      </svg>
      <figcaption className="traffic-legend">
        {fleet.nodes.map((node, at) => (
          <span key={node.id} className="traffic-key" data-node={at + 1}>
            {node.id} <span className="num">{perSecond(latest?.answered[at] ?? 0)}/s</span>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const x = (i: number, history: readonly Slot[]): number => ((i + SLOTS - history.length) * WIDTH) / (SLOTS - 1);

/** The area of one node, on top of those before it. */
function band(history: readonly Slot[], at: number, top: number): string {
  if (history.length < 2) return "";
  const y = (n: number) => (HEIGHT - (n / top) * (HEIGHT - HEAD)).toFixed(1);
  const edge = (count: number) => history.map(({ answered }, i) => `${x(i, history).toFixed(1)} ${y(sum(answered.slice(0, count)))}`);
  return `M${edge(at + 1).join("L")}L${edge(at).reverse().join("L")}Z`;
}
