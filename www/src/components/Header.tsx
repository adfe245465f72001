// The name, what this is in one sentence, and the configuration every client on the page was made with.
import type { MCPClientConfig } from "bowline";
import { Json } from "./Json";

export function Header({ config }: { config: MCPClientConfig }) {
  return (
    <header className="header">
      <div className="brand">
        <svg className="brand-knot" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 7h11c3.500 0 5.500 2.500 5.500 5.500S18 18 15.500 18 11 16 11 13V4" />
          <path d="M20.500 12.500c4.500 1 7.500 4 7.500 8 0 4.500-4 8-9 8s-8.500-3-8.500-7.500c0-2 .5-3 .5-4" />
        </svg>
        <h1>Bowline</h1>
      </div>
      <p className="tagline">
        One MCP client, three real servers, the same few lines of configuration. Cut a link and see what holds.
      </p>
      <details className="config">
        <summary>Configuration</summary>
        <Json value={config} />
      </details>
    </header>
  );
}
