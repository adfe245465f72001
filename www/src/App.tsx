// The page: a tab per server and the panel of the chosen one. Which server is looked at is its only state.
import { useState } from "react";
import { Announcer } from "./components/Announcer";
import { CallList } from "./components/CallList";
import { EventLog } from "./components/EventLog";
import { Header } from "./components/Header";
import { LatencyChart } from "./components/LatencyChart";
import { LinkPanel } from "./components/LinkPanel";
import { Metrics } from "./components/Metrics";
import { Resources } from "./components/Resources";
import { PANEL_ID, ServerTabs, tabId } from "./components/ServerTabs";
import { Tools } from "./components/Tools";
import type { Session } from "./session";

const TAGLINE = "One MCP client, three real servers, the same few lines of configuration. Cut a link and see what holds.";

export function App({ sessions }: { sessions: readonly Session[] }) {
  const [selected, setSelected] = useState(sessions[0]!);
  const key = selected.peer.name;
  return (
    <div className="page">
      <Header here="One client" tagline={TAGLINE} config={selected.config} />
      <main>
        <ServerTabs sessions={sessions} selected={selected} onSelect={setSelected} />
        <div id={PANEL_ID} className="panel" role="tabpanel" aria-labelledby={tabId(selected)}>
          <LinkPanel key={key} session={selected} />
          <div className="columns">
            <div className="column">
              <Tools key={key} session={selected} />
              <CallList calls={selected.calls} />
              <Resources key={`${key}-resources`} session={selected} />
            </div>
            <aside className="column" aria-label="Measurements and events">
              <LatencyChart latency={selected.latency} />
              <Metrics client={selected.client} />
              <EventLog log={selected.log} />
            </aside>
          </div>
        </div>
      </main>
      <Announcer session={selected} />
    </div>
  );
}
