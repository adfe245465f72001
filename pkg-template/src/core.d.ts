// What wasm-bindgen generates from src/bindings, and the snippet's API (src/web/glue.js), as the package uses them.

declare module "bowline-core" {
  export function create(config: object, host: object): number;
  export function call(client: number, slot: number, method: number, params: number, priority: number, timeout: number, maxTotal: number, maxQueueTime: number, flags: number, key: number, cacheTTL: number): void;
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
  /** Sends nothing that waits, or, for 0, goes on. */
  export function pause(client: number, paused: number): void;
  /** Cancels what waits: of a method or, when that is negative, of all; of lower priority than `below`. */
  export function clear(client: number, method: number, below: number): void;
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
  /** The snippet's tables: one instance for all clients of the module. */
  export interface Tables {
    attach(client: number, entry: object): number;
    /** The entries by their slots. */
    calls(client: number): readonly (import("./call.js").Call | undefined)[];
    methodId(name: string): number;
    names: readonly string[];
    /** A whole message, printed. */
    message(value: object): number;
    /** `headers`: what a modern server over HTTP gets as headers too. */
    params(method: number, given: object | null | undefined, headers?: [name: string, value: string][]): number;
    printed(params: number): Printed;
    /** A text as a header can carry it (P15). */
    headerValue(text: string): string;
    key(client: number, method: number, given: object | null | undefined, always: boolean | undefined): number;
  }
  export function api(): Tables;
  export function initSync(options: { module: WebAssembly.Module | BufferSource }): void;
  export default function init(options: { module_or_path: unknown }): Promise<void>;
}

declare module "bowline-wasm-gz" {
  /** The module, gzipped, as base64. */
  const text: string;
  export default text;
}
