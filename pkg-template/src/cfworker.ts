// The sub-path entry `bowline/cfworker`: `@cfworker/json-schema` as a validator of tools' results. It needs that package beside this one,
// and loads it when the first schema is compiled.

import type { SchemaValidator } from "./config.js";

export type { OutputCheck, SchemaValidator } from "./config.js";

const DRAFTS = {
  "https://json-schema.org/draft/2020-12/schema": "2020-12",
  "https://json-schema.org/draft/2019-09/schema": "2019-09",
  "http://json-schema.org/draft-07/schema": "7",
  "http://json-schema.org/draft-04/schema": "4",
} as const;

/**
 * A validator for `protocol.validator`. It knows the drafts 2020-12 (what a schema without `$schema` means), 2019-09, 7 and 4, does not need
 * `eval`, and looks nothing up. Of 2020-12 it does not know `$dynamicRef`: a schema with one is refused.
 */
export function cfworker(): SchemaValidator {
  return {
    dialects: Object.keys(DRAFTS),
    async compile(schema) {
      const { Validator } = await import("@cfworker/json-schema");
      const text = JSON.stringify(schema);
      if (text.includes('"$dynamicRef":')) throw new Error("$dynamicRef is not supported");
      const dialect = String(schema.$schema ?? Object.keys(DRAFTS)[0]).replace(/#$/, "");
      // A copy, since it writes into what it gets.
      const validator = new Validator(JSON.parse(text), DRAFTS[dialect as keyof typeof DRAFTS]);
      return (value) => validator.validate(value).errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
    },
  };
}
