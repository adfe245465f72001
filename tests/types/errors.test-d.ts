// Errors as the type checker sees them: classes, codes to branch on, and what each class adds.
import {
  McpAbortError,
  McpAuthError,
  McpError,
  McpHttpError,
  McpOutcomeUnknownError,
  McpRpcError,
  McpTimeoutError,
  type McpErrorCode,
  type Outcome,
} from "bowline";
import { exactly, some } from "./expect.js";

const caught = some<unknown>();
if (McpError.is(caught)) {
  exactly<McpErrorCode>()(caught.code);
  exactly<Outcome>()(caught.outcome);
  exactly<boolean>()(caught.retryable);
  exactly<string | undefined>()(caught.hint);
  switch (caught.code) {
    case "OUTCOME_UNKNOWN":
    case "REQUEST_TIMEOUT":
      break;
    // @ts-expect-error there is no such code
    case "TIMEOUT":
      break;
  }
  // @ts-expect-error an error does not change
  caught.code = "INTERNAL";
}

some<McpError>() satisfies Error;
if (caught instanceof McpRpcError) exactly<number>()(caught.rpcCode);
if (caught instanceof McpHttpError) exactly<number>()(caught.httpStatus);
if (caught instanceof McpTimeoutError) exactly<number>()(caught.timeout);
if (caught instanceof McpAbortError) exactly<unknown>()(caught.reason);
if (caught instanceof McpOutcomeUnknownError) {
  exactly<string>()(caught.method);
  exactly<string | undefined>()(caught.tool);
}
some<McpAuthError>() satisfies McpError;
exactly<string | undefined>()(some<McpAuthError>().scope);
exactly<string | undefined>()(some<McpAuthError>().resourceMetadataUrl);
