// One call: what was asked, where it is on its way, how it ended. While it waits its priority can be changed.
import type { RequestPhase } from "bowline";
import { PRIORITIES, type Call, type Calls, type CallStatus, type Priority } from "../calls";
import { millis, seconds } from "../format";
import { useNow } from "../store";
import { Failure, Unknown } from "./Failure";
import { Result } from "./Result";

export const STATUS_WORDS: Record<CallStatus, string> = {
  pending: "running",
  done: "done",
  "tool-error": "tool error",
  error: "failed",
  unknown: "outcome unknown",
  cancelled: "cancelled",
};

const PHASES: Record<RequestPhase, string> = { queued: "queued", sent: "running", settled: "settling" };

export function CallCard({ call, calls }: { call: Call; calls: Calls }) {
  const pending = call.status === "pending";
  const now = useNow(100, pending);
  const took = (call.endedAt ?? now) - call.startedAt;
  return (
    <article className="call" data-id={call.id} data-status={call.status} aria-label={`Call of ${call.tool}`}>
      <header className="call-head">
        <span className="call-status">{pending ? PHASES[call.handle.phase] : STATUS_WORDS[call.status]}</span>
        <span className="call-tool">{call.tool}</span>
        <span className="call-meta num">
          {call.priority !== "normal" && call.handle.phase !== "queued" && `${call.priority} · `}
          {pending ? seconds(took) : millis(took)}
        </span>
        {pending && call.handle.phase === "queued" && <Waiting call={call} calls={calls} />}
        {pending ? (
          <button type="button" className="button button-small" onClick={() => call.handle.cancel()}>Cancel</button>
        ) : (
          <button type="button" className="button button-small button-quiet" onClick={() => calls.dismiss(call.id)} aria-label={`Dismiss call of ${call.tool}`}>
            Dismiss
          </button>
        )}
      </header>
      {Object.keys(call.args).length > 0 && <p className="call-args">{JSON.stringify(call.args)}</p>}
      {call.progress && (pending || call.status === "unknown") && <ProgressBar call={call} />}
      {call.result && <Result result={call.result} />}
      {call.error && (call.status === "unknown" ? <Unknown error={call.error} /> : <Failure error={call.error} />)}
    </article>
  );
}

function Waiting({ call, calls }: { call: Call; calls: Calls }) {
  return (
    <select
      className="call-priority"
      aria-label={`Priority of ${call.tool}`}
      value={call.priority}
      onChange={(event) => calls.prioritise(call.id, event.target.value as Priority)}
    >
      {PRIORITIES.map((level) => <option key={level}>{level}</option>)}
    </select>
  );
}

function ProgressBar({ call }: { call: Call }) {
  const { progress, total, message } = call.progress!;
  return (
    <div className="progress">
      <progress value={progress} max={total ?? Math.max(progress, 1)} aria-label={`Progress of ${call.tool}`} />
      <span className="num">{progress}{total !== undefined && ` of ${total}`}</span>
      {message && <span className="progress-message">{message}</span>}
    </div>
  );
}
