// The state of the whole in one word and six numbers.
import { count, millis } from "../format";
import { useStore } from "../store";
import { SLOT_MS, type Fleet } from "./fleet";
import { useClusterMetrics } from "./hooks";

export function ClusterFigures({ fleet }: { fleet: Fleet }) {
  const metrics = useClusterMetrics(fleet);
  const history = useStore(fleet.history);
  const { totalNodes, healthyNodes } = metrics;
  const failures = history.reduce((sum, { failed }) => sum + failed, 0);
  const state = healthyNodes === 0 ? "failed" : healthyNodes < totalNodes ? "reconnecting" : "ready";
  const word = healthyNodes === 0 ? "No node left" : healthyNodes < totalNodes ? "Holding" : "All well";
  const figures: [string, string, string][] = [
    ["Nodes", `${healthyNodes} of ${totalNodes}`, "take calls"],
    ["Calls per second", count(Math.round(metrics.throughput)), `${count(metrics.totalRequests)} in all`],
    ["Average latency", millis(metrics.averageLatency || null), "of answers"],
    ["Failed over", count(metrics.failovers), "to another node"],
    ["Breakers opened", count(metrics.circuitBreakerTrips), "times"],
    ["Errors seen", count(failures), `in the last ${Math.round((history.length * SLOT_MS) / 1000)} s`],
  ];
  return (
    <div data-state={state}>
      <h2 id="traffic-heading" className="link-word traffic-word">{word}</h2>
      <dl className="facts traffic-facts">
        {figures.map(([name, value, note]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>
              <span className="fact-value num">{value}</span>
              <span className="fact-note">{note}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
