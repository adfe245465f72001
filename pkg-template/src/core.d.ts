// What wasm-bindgen generates from src/bindings, and the snippet's API (src/web/glue.js), as the package uses them.

declare module "bowline-core" {
  export class Core {
    constructor(config: object, host: object);
    free(): void;
    client(): number;
    call(slot: number, method: number, params: number, priority: number, timeout: number, maxTotal: number, flags: number, key: number): void;
    cancel(slot: number): void;
    setPriority(slot: number, priority: number): void;
    isSent(slot: number): boolean;
    reconnect(): void;
    close(): void;
    metrics(): number[];
  }
  /** The snippet's tables: one instance for all clients of the module. */
  export interface Tables {
    attach(client: number, entry: object): number;
    methodId(name: string): number;
    params(method: number, given: object | null | undefined): number;
    key(client: number, method: number, given: object | null | undefined, always: boolean): number;
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
