// One call: what was asked, how far it is, how it ended.
import type { RequestPhase } from "bowline";
import type { Call, CallStatus } from "../calls";
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

export function CallCard({ call, onDismiss }: { call: Call; onDismiss(): void }) {
  const pending = call.status === "pending";
  const now = useNow(100, pending);
  const took = (call.endedAt ?? now) - call.startedAt;
  return (
    <article className="call" data-id={call.id} data-status={call.status} aria-label={`Call of ${call.tool}`}>
      <header className="call-head">
        <span className="call-status">{pending ? PHASES[call.handle.phase] : STATUS_WORDS[call.status]}</span>
        <span className="call-tool">{call.tool}</span>
        <span className="call-meta num">
          {call.priority !== "normal" && `${call.priority} · `}
          {pending ? seconds(took) : millis(took)}
        </span>
        {pending ? (
          <button type="button" className="button button-small" onClick={() => call.handle.cancel()}>Cancel</button>
        ) : (
          <button type="button" className="button button-small button-quiet" onClick={onDismiss} aria-label={`Dismiss call of ${call.tool}`}>
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
