// The calls made to this server from this page, newest first.
import type { Calls } from "../calls";
import { useStore } from "../store";
import { CallCard } from "./CallCard";

export function CallList({ calls }: { calls: Calls }) {
  const list = useStore(calls);
  return (
    <section className="section" aria-labelledby="calls-heading">
      <h3 id="calls-heading" className="section-title">
        Calls <span className="section-count num">{list.length || ""}</span>
      </h3>
      {list.length === 0 && <p className="empty">Call a tool, then cut the link while it runs.</p>}
      <ol className="calls">
        {list.map((call) => (
          <li key={call.id}>
            <CallCard call={call} calls={calls} />
          </li>
        ))}
      </ol>
    </section>
  );
}
