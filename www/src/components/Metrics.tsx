// The client's own counters: the seven every client has, then what a lost link cost.
import type { McpClient } from "bowline";
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
      <Figures rows={more} minor />
    </section>
  );
}

function Figures({ rows, minor = false }: { rows: [string, string][]; minor?: boolean }) {
  return (
    <dl className={minor ? "figures figures-minor" : "figures"}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
