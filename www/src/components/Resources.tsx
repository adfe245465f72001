// The resources of one server, read on demand. A resource that was read stays shown while the link is down.
import { useState } from "react";
import type { ReadResourceResult, Resource } from "bowline";
import { bytes } from "../format";
import type { Session } from "../session";
import { useStore } from "../store";
import { Failure } from "./Failure";

type Reading = { uri: string; result?: ReadResourceResult; error?: Error };

const SHOWN = 12;

export function Resources({ session }: { session: Session }) {
  const resources = useStore(session.resources);
  const [all, setAll] = useState(false);
  const [reading, setReading] = useState<Reading | null>(null);

  async function read({ uri }: Resource) {
    setReading({ uri });
    // A later click wins: an answer for a resource no longer asked for is dropped.
    const show = (next: Reading) => setReading((current) => (current?.uri === uri ? next : current));
    try {
      show({ uri, result: await session.client.readResource(uri) });
    } catch (error) {
      show({ uri, error: error as Error });
    }
  }
  if (resources.length === 0) return null;
  return (
    <section className="section" aria-labelledby="resources-heading">
      <h3 id="resources-heading" className="section-title">
        Resources <span className="section-count num">{resources.length}</span>
      </h3>
      <ul className="resources">
        {(all ? resources : resources.slice(0, SHOWN)).map((resource) => (
          <li key={resource.uri} className="resource">
            <span className="resource-name">{resource.title ?? resource.name}</span>
            <span className="resource-uri">{resource.uri}</span>
            <button
              type="button"
              className="button button-small"
              aria-label={`Read ${resource.name}`}
              onClick={() => void read(resource)}
            >
              Read
            </button>
            {reading?.uri === resource.uri && <Content reading={reading} />}
          </li>
        ))}
      </ul>
      {!all && resources.length > SHOWN && (
        <button type="button" className="button button-quiet" onClick={() => setAll(true)}>
          Show all {resources.length}
        </button>
      )}
    </section>
  );
}

function Content({ reading: { result, error } }: { reading: Reading }) {
  if (error) return <Failure error={error} />;
  if (!result) return <p className="empty" role="status">Reading…</p>;
  return result.contents.map((content) => (
    <pre key={content.uri} className="text">
      {content.text ?? `${content.mimeType ?? "binary"}, ${bytes(Math.floor((content.blob ?? "").length * 0.75))}`}
    </pre>
  ));
}
