// What happened to this link, newest first.
import { timeOfDay } from "../format";
import type { Log } from "../log";
import { useStore } from "../store";

export function EventLog({ log }: { log: Log }) {
  const entries = useStore(log);
  return (
    <section className="section" aria-labelledby="log-heading">
      <h3 id="log-heading" className="section-title">Events</h3>
      {/* Not role="log": the Announcer says what matters, reading every line aloud would drown it. */}
      <ol className="log" tabIndex={0} aria-labelledby="log-heading">
        {entries.map((entry) => (
          <li key={entry.id} className="log-entry" data-tone={entry.tone}>
            <time className="num" dateTime={new Date(entry.at).toISOString()}>{timeOfDay(entry.at)}</time>
            <span className="log-kind">{entry.kind}</span>
            <span className="log-text">{entry.text}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
