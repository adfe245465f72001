// Starts the page: loads the list of servers, opens one client for each, renders. Holds no state itself.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/archivo/wdth.css";
import "@fontsource-variable/red-hat-mono/wght.css";
import { App } from "./App";
import { loadPeers } from "./peers";
import { createSession } from "./session";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/line.css";
import "./styles/tools.css";
import "./styles/calls.css";
import "./styles/side.css";

const root = createRoot(document.getElementById("root")!);

try {
  const sessions = (await loadPeers()).map(createSession);
  for (const session of sessions) session.connect();
  root.render(
    <StrictMode>
      <App sessions={sessions} />
    </StrictMode>,
  );
} catch (error) {
  root.render(<p className="fatal" role="alert">The demo could not start: {(error as Error).message}</p>);
}
