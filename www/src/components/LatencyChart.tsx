// Round trips of the last two minutes as a hand-drawn SVG line, with outages as gaps. No axis library:
// the last value and the range are written out, the shape is the rest.
import { millis } from "../format";
import type { Latency, Sample } from "../latency";
import { useStore } from "../store";

const WIDTH = 320;
const HEIGHT = 88;
const SLOTS = 60;

export function LatencyChart({ latency }: { latency: Latency }) {
  const samples = useStore(latency);
  const measured = samples.flatMap((sample) => sample.ms ?? []).sort((a, b) => a - b);
  const last = samples.at(-1)?.ms ?? null;
  const median = measured[Math.floor(measured.length / 2)];
  return (
    <section className="section" aria-labelledby="latency-heading">
      <h3 id="latency-heading" className="section-title">Latency</h3>
      <p className="latency-now">
        <span className="latency-value num">{last === null ? "–" : millis(last)}</span>
        <span className="latency-note">{last !== null ? "last round trip" : samples.length > 0 ? "no answer" : "not measured yet"}</span>
      </p>
      <Chart samples={samples} top={Math.max(4, (measured.at(-1) ?? 0) * 1.15)} />
      <dl className="latency-range">
        <div><dt>min</dt><dd className="num">{millis(measured[0])}</dd></div>
        <div><dt>median</dt><dd className="num">{millis(median)}</dd></div>
        <div><dt>max</dt><dd className="num">{millis(measured.at(-1))}</dd></div>
      </dl>
    </section>
  );
}

function Chart({ samples, top }: { samples: readonly Sample[]; top: number }) {
  const x = (i: number) => ((i + SLOTS - samples.length) * WIDTH) / (SLOTS - 1);
  const y = (ms: number) => HEIGHT - 2 - (ms / top) * (HEIGHT - 8);
  const step = WIDTH / (SLOTS - 1);
  const runs = runsOf(samples);
  const tip = samples.at(-1);
  return (
    <svg
      className="chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Round trips of the last two minutes, at most ${millis(top / 1.15)}`}
    >
      <g className="chart-gap">
        {samples.map((sample, i) =>
          sample.ms === null ? <rect key={sample.id} x={x(i) - step} y={0} width={step + 0.5} height={HEIGHT} /> : null,
        )}
      </g>
      <path className="chart-base" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
      {runs.map((run) => {
        const line = run.map(({ i, ms }) => `${x(i).toFixed(1)} ${y(ms).toFixed(1)}`).join("L");
        const [first, end] = [x(run[0]!.i), x(run.at(-1)!.i)];
        return (
          <g key={run[0]!.id}>
            <path className="chart-area" d={`M${first} ${HEIGHT}L${line}L${end} ${HEIGHT}Z`} />
            <path className="chart-line" d={`M${line}${run.length === 1 ? "h0.1" : ""}`} />
          </g>
        );
      })}
      {tip?.ms != null && <path className="chart-tip" d={`M${WIDTH - 0.1} ${y(tip.ms)}h0.1`} />}
    </svg>
  );
}

interface Point { i: number; id: number; ms: number }

function runsOf(samples: readonly Sample[]): Point[][] {
  const runs: Point[][] = [];
  samples.forEach(({ id, ms }, i) => {
    if (ms === null) return;
    const open = runs.at(-1);
    if (open && open.at(-1)!.i === i - 1) open.push({ i, id, ms });
    else runs.push([{ i, id, ms }]);
  });
  return runs;
}
