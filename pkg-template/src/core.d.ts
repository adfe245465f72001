// What wasm-bindgen generates from src/bindings, and the snippet's API (src/web/glue.js), as the package uses them.

declare module "bowline-core" {
  /** Undefined when it trapped. */
  export function create(config: object, host: object): number | undefined;
  export function cancel(client: number, slot: number): void;
  export function setPriority(client: number, slot: number, priority: number): void;
  export function isSent(client: number, slot: number): number;
  /** The next round of the call in `slot`; without params it fails with what led to the question. */
  export function answer(client: number, slot: number, params: number): void;
  /** Sends a whole JSON-RPC response, if that link is still the one at work. */
  export function reply(client: number, link: number, message: number): void;
  /** What to listen to from now on (P47): params, or 0 for nothing. */
  export function listen(client: number, params: number): void;
  /** The calls from now on are another user's. */
  export function changeContext(client: number): void;
  /** Another lane with a rate of its own. */
  export function limit(client: number, perSecond: number, burst: number, reject: number): void;
  /** Sends nothing that waits, or, for 0, goes on. */
  export function pause(client: number, paused: number): void;
  /** Cancels what waits: of a method or, when that is negative, of all; of lower priority than `below`. */
  export function clear(client: number, method: number, below: number): void;
  /** A handle on the fresh result under a key, or 0. */
  export function peek(client: number, key: number): number;
  /** Keeps a result: bits of `flags` are 1 for public, 2 for newer than what is kept. A negative `ttl` is the default. */
  export function keep(client: number, key: number, method: number, subject: number, handle: number, size: number, ttl: number, flags: number): void;
  /** Four numbers for each fresh result: its key, a handle, how long it stays fresh, whether it is public. */
  export function kept(client: number): number[];
  /** What is kept of a method (negative: of all), about a subject (0: any), is old. */
  export function invalidate(client: number, method: number, subject: number): void;
  export function reconnect(client: number): void;
  /** 7: no link until 8, or until somebody connects. */
  export function signal(client: number, signal: number): void;
  export function close(client: number): number[] | undefined;
  export function metrics(client: number): number[] | undefined;
  /** Params as they were printed: all but `_meta`, and its members without the braces. */
  export interface Printed {
    readonly text: string;
    readonly meta: string;
  }
  export interface Lost {
    readonly host: object;
    readonly calls: readonly unknown[];
  }
  /** The snippet's tables: one instance for all clients of the module. */
  export interface Tables {
    /** The clients by their numbers, and their calls by their slots. */
    readonly clients: readonly (Lost | undefined)[];
    /** Forgets all clients and values, and ends their sockets and fetches. */
    reset(): Lost[];
    attach(client: number, entry: object): number;
    /** Hands the call in a slot to the core. */
    make(client: number, slot: number, method: number, params: number, priority: number, timeout: number, maxTotal: number, maxQueueTime: number, flags: number, key: number, cacheTTL: number): void;
    /** The entries by their slots. */
    calls(client: number): readonly (import("./call.js").Call | undefined)[];
    methodId(name: string): number;
    names: readonly string[];
    /** A whole message, printed. */
    message(value: object): number;
    /** `headers`: what a modern server over HTTP gets as headers too. */
    params(method: number, given: object | null | undefined, headers?: [name: string, value: string][]): number;
    printed(params: number): Printed;
    /** The value behind a handle, which is given up. */
    take(handle: number): unknown;
    /** The value behind a handle, which is kept. */
    shown(handle: number): unknown;
    /** A handle on the `result` of a text that is parsed when it is first asked for. */
    lazy(text: string): number;
    /** A number for an address, 0 for none. */
    about(uri: string | undefined): number;
    keyText(client: number, key: number): string;
    /** A text as a header can carry it (P15). */
    headerValue(text: string): string;
    key(client: number, method: number, given: object | null | undefined, always: boolean | undefined): number;
  }
  export function api(): Tables;
  /** `trapped` hears, once and with its callers still on the stack, that the instance trapped: all its functions do nothing from then on. */
  export function initSync(options: { module: WebAssembly.Module | BufferSource; trapped: (cause: unknown) => void }): WebAssembly.Module;
  export default function init(options: { module_or_path: unknown; trapped: (cause: unknown) => void }): Promise<WebAssembly.Module>;
}

declare module "bowline-wasm-gz" {
  /** The module, gzipped, as base64. */
  const text: string;
  export default text;
}
