// The cluster's page: what leaves, who answers, the nodes with their buttons, what happened.
import { EventLog } from "../components/EventLog";
import { Header } from "../components/Header";
import { useStore } from "../store";
import { ClusterFigures } from "./ClusterFigures";
import type { Fleet } from "./fleet";
import { Nodes } from "./Nodes";
import { TrafficChart } from "./TrafficChart";
import { TrafficControls } from "./TrafficControls";

const TAGLINE = "Five real servers, one cluster, in this page and nowhere else. Kill a node and watch its calls move.";

export function ClusterApp({ fleet }: { fleet: Fleet }) {
  const config = useStore(fleet.config);
  return (
    <div className="page">
      <Header here="A cluster" tagline={TAGLINE} config={config} />
      <main>
        <section className="link traffic" aria-labelledby="traffic-heading">
          <ClusterFigures fleet={fleet} />
          <TrafficChart fleet={fleet} />
          <TrafficControls fleet={fleet} />
        </section>
        <div className="columns">
          <div className="column">
            <Nodes fleet={fleet} />
          </div>
          <aside className="column" aria-label="Events">
            <EventLog log={fleet.log} />
          </aside>
        </div>
      </main>
    </div>
  );
}
