// The buttons that do something to the link: cut it, restart the server behind it, open it again.
import { useId, useState } from "react";
import type { ConnectionState } from "bowline";
import type { Session } from "../session";

const OUTAGES = [
  { ms: 0, label: "an instant" },
  { ms: 3000, label: "3 seconds" },
  { ms: 10000, label: "10 seconds" },
];

export function Controls({ session, state }: { session: Session; state: ConnectionState }) {
  const [hold, setHold] = useState(3000);
  const outage = useId();
  return (
    <div className="controls">
      <div className="controls-cut">
        <button type="button" className="button button-danger" onClick={() => session.cut(hold)}>
          Cut the link
        </button>
        <label htmlFor={outage}>for</label>
        <select id={outage} value={hold} onChange={(event) => setHold(Number(event.target.value))}>
          {OUTAGES.map(({ ms, label }) => (
            <option key={ms} value={ms}>{label}</option>
          ))}
        </select>
      </div>
      <button type="button" className="button" onClick={() => session.restart()}>
        Restart the server
      </button>
      {state === "ready" && (
        <button type="button" className="button" onClick={() => session.client.suspend()}>
          Suspend
        </button>
      )}
      {state !== "ready" && state !== "connecting" && state !== "closed" && (
        <button type="button" className="button" onClick={() => session.connect()}>
          {state === "reconnecting" || state === "suspended" ? "Retry now" : "Connect"}
        </button>
      )}
    </div>
  );
}
