// The calls in doubt, with what a person may say of each after a look at the server. Nothing is shown while there are none.
import { timeOfDay } from "../format";
import type { Doubts, Verdict } from "../doubts";
import { useStore } from "../store";

const VERDICTS: [Verdict, string][] = [
  ["applied", "It ran"],
  ["not-applied", "It did not"],
  ["dismissed", "Dismiss"],
];

export function InDoubt({ doubts }: { doubts: Doubts }) {
  const list = useStore(doubts);
  if (list.length === 0) return null;
  return (
    <section className="section" aria-labelledby="doubts-heading">
      <h3 id="doubts-heading" className="section-title">
        In doubt <span className="section-count num">{list.length}</span>
      </h3>
      <ol className="doubts">
        {list.map(({ id, method, tool, sentAt, restored }) => (
          <li key={id} className="doubt">
            <span className="call-tool">{tool ?? method}</span>
            <span className="doubt-note num">
              sent at {timeOfDay(sentAt)}{restored && ", before this page was loaded"}
            </span>
            {VERDICTS.map(([verdict, word]) => (
              <button key={verdict} type="button" className="button button-small" onClick={() => doubts.settle(id, verdict)}>
                {word}
              </button>
            ))}
          </li>
        ))}
      </ol>
    </section>
  );
}
