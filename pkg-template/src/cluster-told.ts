// The numbers of the cluster's core (src/bindings/cluster) with their names: what it exports, what it wants done, what it knows of nodes and
// counts. It decides nothing.

/** The exports of the module. Each but `take`, `create` and the last four takes an input and gives how many numbers there are to `take`. */
export interface ClusterCore {
  create(seed: number): number;
  connect(cluster: number, now: number): number;
  /** `flags`: 1 safe, 2 the name given is a session. The numbers given are nodes not to take. */
  route(cluster: number, now: number, route: number, flags: number, preferred: number, region: number, timeout: number, hedge: number): number;
  cancel(cluster: number, now: number, route: number): number;
  ended(cluster: number, now: number, attempt: number, verdict: number, outcome: number, retry: number, took: number): number;
  up(cluster: number, now: number, node: number): number;
  down(cluster: number, now: number, node: number, surroundings: number): number;
  probed(cluster: number, now: number, node: number, took: number): number;
  discovered(cluster: number, now: number, kind: number, revision: number): number;
  drain(cluster: number, now: number, node: number, on: number): number;
  hint(cluster: number, now: number, node: number): number;
  isolate(cluster: number, now: number, node: number, on: number): number;
  /** The session that is the name given. */
  unpin(cluster: number, now: number): number;
  signal(cluster: number, now: number, signal: number): number;
  wake(cluster: number, now: number): number;
  close(cluster: number, now: number): number;
  nodes(cluster: number, now: number): number;
  metrics(cluster: number, now: number): number;
  forecast(cluster: number, now: number): number;
  take(): number;
  /** For the next input: a number, a UTF-16 unit of a name, the end of the name. */
  give(number: number): void;
  spell(unit: number): void;
  name(): void;
  /** Whether the method that was named only reads. */
  reads(): number;
}

/** What the core wants done. Nodes, routes and attempts are their numbers; spans are milliseconds. */
export interface Told {
  onOpen(node: number): void;
  onShut(node: number): void;
  onSend(route: number, attempt: number, node: number, timeout: number): void;
  onAbort(attempt: number): void;
  onSettle(route: number, attempt: number): void;
  onFail(route: number, refusal: number, value: number): void;
  onProbe(node: number, timeout: number): void;
  onList(endpoint: number, index: number, wait: number): void;
  onWatch(endpoint: number, revision: number, idle: number): void;
  onUp(node: number): void;
  onDown(node: number): void;
  onPhase(node: number, from: number, to: number): void;
  onNodes(added: number[], removed: number[]): void;
  onNone(): void;
  onLost(times: number): void;
  onFailover(route: number, from: number, to: number, outcome: number): void;
  onHedge(route: number, node: number): void;
  onTimeout(at: number): void;
}

/** By their numbers: what to call, and with how many. */
const KINDS: readonly (readonly [name: keyof Told, fields: number])[] = [
  ["onOpen", 1],
  ["onShut", 1],
  ["onSend", 4],
  ["onAbort", 1],
  ["onSettle", 2],
  ["onFail", 3],
  ["onProbe", 2],
  ["onList", 3],
  ["onWatch", 3],
  ["onUp", 1],
  ["onDown", 1],
  ["onPhase", 3],
  // Two lists: how many are in each, and both.
  ["onNodes", 2],
  ["onNone", 0],
  ["onLost", 1],
  ["onFailover", 4],
  ["onHedge", 2],
  ["onTimeout", 1],
];

/** Tells one output of those that begin at `at`, and where the next begins. */
export function tell(told: Told, numbers: readonly number[], at: number): number {
  const [name, fields] = KINDS[numbers[at]!]!;
  const first = at + 1;
  const [a, b, c, d] = [numbers[first]!, numbers[first + 1]!, numbers[first + 2]!, numbers[first + 3]!];
  if (name !== "onNodes") {
    (told[name] as (...fields: number[]) => void)(a, b, c, d);
    return first + fields;
  }
  const lists = first + fields;
  told.onNodes(numbers.slice(lists, lists + a), numbers.slice(lists + a, lists + a + b));
  return lists + a + b;
}

export const OUTCOMES = ["not-sent", "not-applied", "applied", "unknown"] as const;
/** By its number: whether a node may be given calls. One that is suspect is given some when no other can. */
export const PHASES = ["closed", "closed", "open", "half-open", "isolated"] as const;
/** The number of a suspect. */
export const SUSPECT = 1;

/** What the core knows of a node. NaN is what nobody knows. */
export interface Known {
  node: number;
  phase: number;
  draining: number;
  up: number;
  active: number;
  latency: number;
  weight: number;
  attempts: number;
  failures: number;
  trips: number;
  retryIn: number;
}

const KNOWN = "node phase draining up active latency weight attempts failures trips retryIn".split(" ") as (keyof Known)[];

export function knownOf(numbers: readonly number[]): Known[] {
  return Array.from({ length: numbers.length / KNOWN.length }, (_, row) => {
    return Object.fromEntries(KNOWN.map((name, column) => [name, numbers[row * KNOWN.length + column]])) as unknown as Known;
  });
}

/** Gives a name, letter by letter: only numbers cross the border. */
export function spell(core: ClusterCore, name: string): void {
  for (let at = 0; at < name.length; at++) core.spell(name.charCodeAt(at));
  core.name();
}
