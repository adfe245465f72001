// The tools of one server: a list to choose from and the chosen tool as a form. The list is the last one
// the server gave; it stays while the link is down.
import { useState } from "react";
import type { Tool } from "bowline";
import type { Session } from "../session";
import { useStore } from "../store";
import { ToolForm } from "./ToolForm";

export function Tools({ session }: { session: Session }) {
  const tools = useStore(session.tools);
  const [name, setName] = useState<string | null>(null);
  const tool = tools.find((candidate) => candidate.name === name) ?? tools[0];
  return (
    <section className="section" aria-labelledby="tools-heading">
      <h3 id="tools-heading" className="section-title">
        Tools <span className="section-count num">{tools.length || ""}</span>
      </h3>
      {tool ? (
        <div className="tools">
          <ul className="tool-list" aria-label="Tools of this server">
            {tools.map((candidate) => (
              <li key={candidate.name}>
                <button
                  type="button"
                  className="tool-choice"
                  aria-current={candidate === tool}
                  onClick={() => setName(candidate.name)}
                >
                  {candidate.name}
                </button>
              </li>
            ))}
          </ul>
          <div className="tool">
            <h4 className="tool-name">{tool.title ?? tool.annotations?.title ?? tool.name}</h4>
            <Traits tool={tool} />
            {tool.description && <p className="tool-about">{tool.description}</p>}
            <ToolForm key={tool.name} tool={tool} onCall={session.calls.start} />
          </div>
        </div>
      ) : (
        <p className="empty">The tools appear here once the server has listed them.</p>
      )}
    </section>
  );
}

/** What the server claims about the tool; a hint, so it is shown as one. */
function Traits({ tool }: { tool: Tool }) {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations ?? {};
  const traits = [
    readOnlyHint && "read only",
    !readOnlyHint && destructiveHint && "destructive",
    idempotentHint && "idempotent",
    openWorldHint && "open world",
  ].filter((trait) => typeof trait === "string");
  if (traits.length === 0) return null;
  return <p className="traits">{traits.map((trait) => <span key={trait} className="trait">{trait}</span>)}</p>;
}
