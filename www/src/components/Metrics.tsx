// The client's own counters: the seven every client has, how slow the slow answers are, how long each priority waits,
// then what a lost link cost.
import type { McpClient } from "bowline";
import { PRIORITIES } from "../calls";
import { bytes, count, millis } from "../format";
import { useMetrics } from "../hooks";

export function Metrics({ client }: { client: McpClient }) {
  const m = useMetrics(client);
  const seven: [string, string][] = [
    ["Requests", count(m.totalRequests)],
    ["Successful", count(m.successfulRequests)],
    ["Failed", count(m.failedRequests)],
    ["From cache", count(m.cachedResponses)],
    ["Average latency", millis(m.averageLatency || null)],
    ["Active", count(m.activeRequests)],
    ["Queued", count(m.queuedRequests)],
  ];
  const shares: [string, string][] = [
    ["p50", millis(m.latency.p50 || null)],
    ["p95", millis(m.latency.p95 || null)],
    ["p99", millis(m.latency.p99 || null)],
  ];
  const waits = PRIORITIES.map((name, level): [string, string] => [name, millis(m.queueWait.byPriority[level] || null)]).reverse();
  const more: [string, string][] = [
    ["Replayed", count(m.replayed)],
    ["Unknown", count(m.unknownOutcomes)],
    ["Links", count(m.connection.connects)],
    ["Attempts failed", count(m.connection.failedAttempts)],
    ["Sent", bytes(m.bytesSent)],
    ["Received", bytes(m.bytesReceived)],
  ];
  return (
    <section className="section" aria-labelledby="metrics-heading">
      <h3 id="metrics-heading" className="section-title">Metrics</h3>
      <Figures rows={seven} />
      <h4 className="figures-title">Latency, percentiles</h4>
      <Figures rows={shares} across />
      <h4 className="figures-title">Mean wait in the queue</h4>
      <Figures rows={waits} minor />
      <h4 className="figures-title">The link</h4>
      <Figures rows={more} minor />
    </section>
  );
}

/** One under the other; `minor`: small, in two columns; `across`: small, side by side. */
function Figures({ rows, minor = false, across = false }: { rows: [string, string][]; minor?: boolean; across?: boolean }) {
  return (
    <dl className={["figures", minor && "figures-minor", across && "figures-across"].filter(Boolean).join(" ")}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
