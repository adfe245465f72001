// Says aloud, for screen readers, what a sighted person sees change: the state of the link and how calls end.
import { useConnection } from "../hooks";
import { titleOf } from "../peers";
import type { Session } from "../session";
import { wordOf } from "../state";
import { useStore } from "../store";
import { STATUS_WORDS } from "./CallCard";

export function Announcer({ session }: { session: Session }) {
  const { state } = useConnection(session.client);
  const [ended] = useStore(session.calls)
    .filter((call) => call.endedAt !== null)
    .sort((a, b) => b.endedAt! - a.endedAt!);
  return (
    <div className="visually-hidden">
      <p role="status">{titleOf(session.peer)}: {wordOf(state)}</p>
      <p role="status">{ended && `${ended.tool}: ${STATUS_WORDS[ended.status]}`}</p>
    </div>
  );
}
