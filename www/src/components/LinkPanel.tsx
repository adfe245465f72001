// The link of one server: who is at each end, the state in words, the facts, why there is none, and the controls.
import { useId } from "react";
import { version, type ConnectionSnapshot } from "bowline";
import { millis, seconds, timeOfDay } from "../format";
import { useConnection } from "../hooks";
import { describe } from "../log";
import { titleOf } from "../peers";
import type { Session } from "../session";
import { transportOf, wordOf } from "../state";
import { useNow, useStore } from "../store";
import { Controls } from "./Controls";
import { Failure } from "./Failure";
import { Rope } from "./Rope";

export function LinkPanel({ session }: { session: Session }) {
  const connection = useConnection(session.client);
  const trouble = useStore(session.trouble);
  const heading = useId();
  const address = new URL(session.peer.url);
  return (
    <section className="link" aria-labelledby={heading} data-state={connection.state}>
      <div className="link-ends">
        <p className="link-end">
          <span className="link-name">This page</span>
          <span className="link-note">bowline {version}</span>
        </p>
        <div className="link-state">
          <h2 id={heading} className="link-word">{wordOf(connection.state)}</h2>
          <p className="link-note link-remark"><Remark connection={connection} /></p>
        </div>
        <p className="link-end link-end-far">
          <span className="link-name">{titleOf(session.peer)}</span>
          <span className="link-note">{address.protocol}//{address.host}</span>
        </p>
      </div>
      <Rope connection={connection} latency={session.latency} />
      <Facts connection={connection} />
      <History session={session} connection={connection} />
      {trouble && <div className="trouble"><Failure error={trouble} sent={false} /></div>}
      <Controls session={session} state={connection.state} />
    </section>
  );
}

/** The one sentence that matters in this state. */
function Remark({ connection }: { connection: ConnectionSnapshot }) {
  const { state, retryAt, reason, since } = connection;
  // The snapshot counts the attempts that failed; people count the one that comes or is under way.
  const attempt = connection.attempt + 1;
  const now = useNow(100, state !== "closed");
  if (state === "ready") return <>for {seconds(Math.max(0, now - since))}</>;
  if (state === "suspended" && !connection.online) return <>until the network is back</>;
  if (retryAt !== null) {
    return <>attempt {attempt}, next in {seconds(Math.max(0, retryAt - now))}</>;
  }
  if (state === "connecting" || state === "reconnecting") return <>attempt {attempt} under way</>;
  return <>{reason ? describe(reason) : "press Connect to open the link"}</>;
}

function Facts({ connection }: { connection: ConnectionSnapshot }) {
  const { state, server, era, protocolVersion, epoch, attempt, retryAt, latency, online, visible } = connection;
  return (
    <dl className="facts">
      <Fact name="Transport" note={connection.degraded ? "fell back from WebSocket" : undefined}>{transportOf(connection)}</Fact>
      <Fact name="Protocol" note={protocolVersion && era ? `${era} era` : undefined}>{protocolVersion ?? "–"}</Fact>
      <Fact name="Server" note={server?.version}>{server?.title ?? server?.name ?? "–"}</Fact>
      <Fact name="Epoch" note="links opened so far">{epoch}</Fact>
      <Fact name="Failed attempts" note={retryAt === null ? "none planned" : `next at ${timeOfDay(retryAt)}`}>{state === "ready" ? 0 : attempt}</Fact>
      <Fact name="Latency" note="connection estimate">{millis(latency)}</Fact>
      <Fact name="Network" note={visible ? "page visible" : "page hidden"}>{online ? "online" : "offline"}</Fact>
    </dl>
  );
}

/** Always two facts of the same height, so that nothing below moves while the link comes and goes. */
function History({ session, connection }: { session: Session; connection: ConnectionSnapshot }) {
  const { state, since, reason } = connection;
  const loss = useStore(session.loss);
  // Until an attempt has failed, the reason is that of the loss itself.
  const failed = reason && reason.message !== loss?.reason.message ? reason : null;
  return (
    <dl className="facts facts-history">
      <Fact name="Last loss" note={loss ? `at ${timeOfDay(loss.at)}` : "since this page was opened"}>
        {loss ? describe(loss.reason) : "none"}
      </Fact>
      {state === "ready" ? (
        <Fact name="Last attempt" note={`at ${timeOfDay(since)}`}>succeeded</Fact>
      ) : (
        <Fact name="Last attempt" note={failed ? "failed" : "none ended yet"}>{failed ? describe(failed) : "–"}</Fact>
      )}
    </dl>
  );
}

function Fact(props: { name: string; note?: string | undefined; children: React.ReactNode }) {
  return (
    <div className="fact">
      <dt>{props.name}</dt>
      <dd>
        <span className="fact-value">{props.children}</span>
        {props.note && <span className="fact-note">{props.note}</span>}
      </dd>
    </div>
  );
}
