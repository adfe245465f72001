// JSON as text with its kinds of token told apart. Shows, never edits or folds.
import { useMemo } from "react";

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function Json({ value }: { value: unknown }) {
  const parts = useMemo(() => colour(JSON.stringify(value, null, 2) ?? "undefined"), [value]);
  return <pre className="json" tabIndex={0}>{parts}</pre>;
}

function colour(text: string): React.ReactNode[] {
  const parts: React.ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, colon, word] = match;
    parts.push(text.slice(end, match.index));
    const kind = string ? (colon ? "key" : "string") : word ? "word" : "number";
    parts.push(<span key={match.index} className={`json-${kind}`}>{string ?? token}</span>, colon ?? "");
    end = match.index + token.length;
  }
  parts.push(text.slice(end));
  return parts;
}
