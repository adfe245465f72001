// The name, the way to the other page, what this one is in a sentence, and the configuration it was made with.
import { Json } from "./Json";

const PAGES = [
  { href: "./index.html", name: "One client" },
  { href: "./cluster.html", name: "A cluster" },
];

interface Props {
  here: string;
  tagline: string;
  config: object;
}

export function Header({ here, tagline, config }: Props) {
  return (
    <header className="header">
      <div className="brand">
        <svg className="brand-knot" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 7h11c3.500 0 5.500 2.500 5.500 5.500S18 18 15.500 18 11 16 11 13V4" />
          <path d="M20.500 12.500c4.500 1 7.500 4 7.500 8 0 4.500-4 8-9 8s-8.500-3-8.500-7.500c0-2 .5-3 .5-4" />
        </svg>
        <h1>Bowline</h1>
      </div>
      <nav className="pages" aria-label="Pages of the demo">
        {PAGES.map(({ href, name }) => (
          <a key={href} href={href} aria-current={name === here ? "page" : undefined}>{name}</a>
        ))}
      </nav>
      <p className="tagline">{tagline}</p>
      <details className="config">
        <summary>Configuration</summary>
        <Json value={config} />
      </details>
    </header>
  );
}
