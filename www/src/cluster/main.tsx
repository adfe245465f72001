// Starts the cluster's page: loads the list of nodes, makes the cluster, renders. Holds no state itself.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/archivo/wdth.css";
import "@fontsource-variable/red-hat-mono/wght.css";
import { ClusterApp } from "./ClusterApp";
import { createFleet } from "./fleet";
import { loadNodes } from "./nodes";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/layout.css";
import "../styles/line.css";
import "../styles/side.css";
import "../styles/cluster.css";

const root = createRoot(document.getElementById("root")!);

try {
  const fleet = createFleet(await loadNodes());
  root.render(
    <StrictMode>
      <ClusterApp fleet={fleet} />
    </StrictMode>,
  );
} catch (error) {
  root.render(<p className="fatal" role="alert">The demo could not start: {(error as Error).message}</p>);
}
