// How a call failed: the code, what it means for side effects, the hint. And the one end that is not a
// failure: a call whose fate is not known, with what may be assumed and what may not.
import { McpError, type Outcome } from "bowline";

/** Of an unknown outcome the hint speaks itself. */
const OUTCOMES: Record<Outcome, string> = {
  "not-sent": "It never left this page.",
  "not-applied": "The server did not carry it out.",
  applied: "The server carried it out.",
  unknown: "",
};

/** `sent` is false for what is no call: connecting leaves nothing behind on the server. */
export function Failure({ error, sent = true }: { error: Error; sent?: boolean }) {
  const known = McpError.is(error) ? error : null;
  const harmless = known?.outcome === "not-sent" || known?.outcome === "not-applied";
  const note = sent && known && [OUTCOMES[known.outcome], harmless && known.retryable && "Safe to try again."].filter(Boolean).join(" ");
  return (
    <div className="failure">
      <p className="failure-code">{known?.code ?? error.name}</p>
      <p>{error.message}</p>
      {known?.hint && <p className="failure-hint">{known.hint}</p>}
      {note && <p className="failure-note">{note}</p>}
    </div>
  );
}

export function Unknown({ error }: { error: Error }) {
  const hint = McpError.is(error) ? error.hint : undefined;
  return (
    <div className="unknown">
      <p className="failure-code">OUTCOME_UNKNOWN</p>
      <p>
        The link was lost after this call was sent, so it may or may not have run. It was not sent again: look at the
        server's state before you repeat it.
      </p>
      <p className="failure-note">{hint ?? error.message}</p>
    </div>
  );
}
