// What the page sends: how much, of which kind, and by which strategy it is spread.
import { useId } from "react";
import { useStore } from "../store";
import type { Fleet, StrategyName } from "./fleet";

const STRATEGIES: { name: StrategyName; about: string }[] = [
  { name: "adaptive", about: "the better of two" },
  { name: "round-robin", about: "one after the other" },
  { name: "least-connections", about: "the less busy of two" },
  { name: "weighted", about: "by chance, by weight" },
  { name: "latency", about: "the faster of two" },
  { name: "sticky", about: "a session stays" },
  { name: "random", about: "by chance" },
];
const FASTEST = 200;

export function TrafficControls({ fleet }: { fleet: Fleet }) {
  const traffic = useStore(fleet.traffic);
  const { loadBalancingStrategy } = useStore(fleet.config);
  const [rate, strategy] = [useId(), useId()];
  const set = (more: Partial<typeof traffic>) => fleet.traffic.set({ ...traffic, ...more });
  return (
    <div className="controls traffic-controls">
      <label htmlFor={strategy}>Strategy</label>
      <select id={strategy} value={loadBalancingStrategy} onChange={(event) => fleet.balance(event.target.value as StrategyName)}>
        {STRATEGIES.map(({ name, about }) => (
          <option key={name} value={name}>{name}: {about}</option>
        ))}
      </select>
      <label htmlFor={rate}>Calls</label>
      <input id={rate} type="range" min={0} max={FASTEST} step={10} value={traffic.rate} onChange={(event) => set({ rate: Number(event.target.value) })} />
      <output className="num" htmlFor={rate}>{traffic.rate}/s</output>
      <label className="traffic-choice">
        <input type="checkbox" checked={traffic.withTools} onChange={(event) => set({ withTools: event.target.checked })} />
        every fifth a tool call
      </label>
      <label className="traffic-choice">
        <input type="checkbox" checked={traffic.withSessions} onChange={(event) => set({ withSessions: event.target.checked })} />
        of eight sessions
      </label>
    </div>
  );
}
