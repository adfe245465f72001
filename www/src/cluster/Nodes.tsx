// The nodes: what each is known by, how much it has to do, and the buttons that end it and bring it back.
import type { NodeStatus } from "bowline/cluster";
import { count, millis } from "../format";
import { useStore } from "../store";
import type { Fleet, Slot } from "./fleet";
import { useNodes } from "./hooks";

/** Share of the answers of the last five seconds. */
const RECENT = 10;
const STATES = { closed: "ready", "half-open": "reconnecting", open: "failed", isolated: "failed" } as const;
const WORDS = { closed: "Takes calls", "half-open": "On trial", open: "Left alone", isolated: "Isolated" };

export function Nodes({ fleet }: { fleet: Fleet }) {
  const nodes = useNodes(fleet);
  const recent = useStore(fleet.history).slice(-RECENT);
  return (
    <section className="section" aria-labelledby="nodes-heading">
      <h3 id="nodes-heading" className="section-title">
        Nodes <span className="section-count">weights and zones as discovery would tell them</span>
      </h3>
      <ul className="nodes">
        {nodes.map((node) => (
          <Node key={node.id} fleet={fleet} node={node} share={shareOf(fleet, node, recent)} />
        ))}
      </ul>
    </section>
  );
}

function Node({ fleet, node, share }: { fleet: Fleet; node: NodeStatus; share: number }) {
  const { id, url, zone, weight, breaker, active, latency, connection } = node;
  const at = fleet.nodes.findIndex((one) => one.id === id) + 1;
  return (
    <li className="node" data-state={STATES[breaker]} data-id={id} data-breaker={breaker}>
      <div className="node-head">
        <span className="node-name" data-node={at}>{id}</span>
        <span className="node-state"><span className="lamp" aria-hidden="true" />{WORDS[breaker]}</span>
      </div>
      <p className="link-note num">{new URL(url).host}, zone {zone}, weight {weight}</p>
      <meter className="node-share" data-node={at} min={0} max={1} value={share} aria-label={`Share of the answers of ${id}`} />
      <dl className="node-facts">
        <div><dt>Share</dt><dd className="num node-percent">{Math.round(share * 100)} %</dd></div>
        <div><dt>Latency</dt><dd className="num">{millis(latency)}</dd></div>
        <div><dt>Under way</dt><dd className="num">{count(active)}</dd></div>
        <div><dt>Link</dt><dd>{connection.state}</dd></div>
      </dl>
      <div className="node-buttons">
        <button type="button" className="button button-small button-danger" onClick={() => fleet.kill(id)}>Kill</button>
        <button type="button" className="button button-small" onClick={() => fleet.revive(id)}>Revive</button>
        <button type="button" className="button button-small button-quiet" onClick={() => fleet.drain(id)}>Drain</button>
      </div>
    </li>
  );
}

function shareOf(fleet: Fleet, { id }: NodeStatus, recent: readonly Slot[]): number {
  const at = fleet.nodes.findIndex((node) => node.id === id);
  const [own, all] = recent.reduce(
    ([own, all], { answered }) => [own + (answered[at] ?? 0), all + answered.reduce((sum, n) => sum + n, 0)],
    [0, 0],
  );
  return all === 0 ? 0 : own / all;
}
