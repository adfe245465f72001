// Module hooks for the suite: it imports `globSync` by name, which Node has since 22, for a command that is not used here.

const withGlob = `data:text/javascript,${encodeURIComponent('export * from "node:fs"; export const globSync = undefined;')}`;

/** Node's hook: where an import leads to. */
export function resolve(specifier, context, next) {
  const fromSuite = context.parentURL?.includes("/@modelcontextprotocol/conformance/");
  return specifier === "fs" && fromSuite ? { url: withGlob, shortCircuit: true } : next(specifier, context);
}
