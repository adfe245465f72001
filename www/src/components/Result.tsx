// A tool's result: its content blocks, then its structured content. `isError` is the tool speaking, not
// the client failing, so it is marked and shown the same way.
import type { CallToolResult, ContentBlock } from "bowline";
import { Json } from "./Json";

export function Result({ result }: { result: CallToolResult }) {
  return (
    <div className="result">
      {result.isError && <p className="result-error">The tool answered with an error (isError).</p>}
      {(result.content ?? []).map((block, i) => <Block key={i} block={block} />)}
      {result.structuredContent !== undefined && (
        <figure className="structured">
          <figcaption>structuredContent</figcaption>
          <Json value={result.structuredContent} />
        </figure>
      )}
    </div>
  );
}

function Block({ block }: { block: ContentBlock }) {
  switch (block.type) {
    case "text":
      return <pre className="text">{block.text}</pre>;
    case "image":
      return <img className="image" src={`data:${block.mimeType};base64,${block.data}`} alt="Image in the tool's answer" />;
    case "audio":
      return <audio controls src={`data:${block.mimeType};base64,${block.data}`} />;
    default:
      return <Json value={block} />;
  }
}
