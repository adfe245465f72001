// One tab per server, with its live state, moved through with the arrow keys.
import type { KeyboardEvent } from "react";
import { useConnection } from "../hooks";
import { millis } from "../format";
import { aboutOf, titleOf } from "../peers";
import type { Session } from "../session";
import { wordOf } from "../state";

interface Props {
  sessions: readonly Session[];
  selected: Session;
  onSelect(session: Session): void;
}

export const PANEL_ID = "server-panel";
export const tabId = (session: Session) => `tab-${session.peer.name}`;

export function ServerTabs({ sessions, selected, onSelect }: Props) {
  function onKeyDown(event: KeyboardEvent) {
    const here = sessions.indexOf(selected);
    const step = { ArrowRight: here + 1, ArrowLeft: here - 1 + sessions.length, Home: 0, End: sessions.length - 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = sessions[step % sessions.length]!;
    onSelect(next);
    document.getElementById(tabId(next))?.focus();
  }
  return (
    <div className="tabs" role="tablist" aria-label="Servers" onKeyDown={onKeyDown}>
      {sessions.map((session) => (
        <ServerTab key={session.peer.name} session={session} active={session === selected} onSelect={onSelect} />
      ))}
    </div>
  );
}

function ServerTab({ session, active, onSelect }: { session: Session; active: boolean; onSelect(session: Session): void }) {
  const connection = useConnection(session.client);
  return (
    <button
      type="button"
      role="tab"
      id={tabId(session)}
      className="tab"
      aria-selected={active}
      aria-controls={PANEL_ID}
      tabIndex={active ? 0 : -1}
      data-state={connection.state}
      onClick={() => onSelect(session)}
    >
      <span className="tab-title">{titleOf(session.peer)}</span>
      <span className="tab-about">{aboutOf(session.peer)}</span>
      <span className="tab-state">
        <span className="lamp" aria-hidden="true" />
        {wordOf(connection.state)}
        {connection.state === "ready" && <span className="num tab-latency">{millis(connection.latency)}</span>}
      </span>
    </button>
  );
}
