// Whether what a client did is what an entry of the matrix expects. It knows neither servers nor engines.

const DEFAULT_LIMIT_MS = 100;
/** A lost link comes back after a random moment within the first backoff, 1 s by default. */
const USABLE_WITHIN_MS = 4000;

/**
 * `seen`: what the trial told, `sent` (when each sending of the request arrived, and when the fault's last byte was written) and
 * `executions` of its key. Gives the milliseconds to the settling, what is wrong, and whether a `busy` machine could explain it.
 */
export function judge(entry, seen) {
  const { expect, limit = DEFAULT_LIMIT_MS, since } = entry;
  const faulted = seen.sent.find(({ done }) => done !== undefined)?.done ?? seen.sent[0]?.at ?? seen.started;
  const ms = Math.max(0, seen.settled - (since === "start" ? seen.started : (seen.faulted ?? faulted)));
  const wrong = [];
  const same = (what, is, wanted) => {
    if (wanted !== undefined && is !== wanted) wrong.push(`${what} ${is}, not ${wanted}`);
  };
  if (expect.code && !seen.code) wrong.push(`resolved, not ${expect.code}`);
  if (expect.code && seen.code && !seen.typed) wrong.push("not a typed error");
  same("code", seen.code, seen.code && !expect.code ? "none" : expect.code && seen.code && expect.code);
  for (const [what, is] of [["outcome", seen.outcome], ["status", seen.httpStatus], ["rpcCode", seen.rpcCode], ["retryAfter", seen.retryAfter], ["scope", seen.scope], ["text", seen.text]]) {
    same(what, is, expect[what]);
  }
  if (expect.hint && !`${seen.hint} ${seen.message}`.includes(expect.hint)) wrong.push(`no hint at "${expect.hint}"`);
  if (/<html/i.test(seen.message ?? "")) wrong.push("the message quotes the page");
  if (seen.clean === false) wrong.push("a prototype was changed");
  if (!(seen.violations >= (expect.violations ?? 0))) wrong.push(`${seen.violations} violations counted, not ${expect.violations}`);
  if (expect.header && seen.sent.some(({ headers }) => expect.header in headers)) wrong.push(`the header ${expect.header} arrived`);
  const { stalled = [] } = seen;
  same("silences told", stalled.length, expect.stalled ? 1 : 0);
  if (expect.stalled) silence(expect.stalled, stalled, wrong);
  if (expect.pause) pause(expect.pause, seen.sent, wrong);
  executed(entry, seen, wrong);
  if (seen.next && !seen.next.ok) wrong.push(`the next call failed with ${seen.next.code}`);
  else if (seen.next?.ms > USABLE_WITHIN_MS) wrong.push(`the next call took ${seen.next.ms} ms`);
  const busy = wrong.length === 0;
  if (expect.extra && !(seen.extra <= expect.extra)) wrong.push(`${megabytes(seen.extra)} MB more, not ${megabytes(expect.extra)}`);
  if (ms > limit) wrong.push(`${ms} ms, not ${limit}`);
  return { ms, wrong, busy };
}

function silence([after, words], [told], wrong) {
  if (told && !(told.silent >= after && told.silent < 2 * after)) wrong.push(`told after ${told.silent} ms, not ${after}`);
  if (told && (words ? !told.hint?.includes(words) : told.hint)) wrong.push(`the hint is "${told.hint}", not at "${words}"`);
}

function pause([least, most], sent, wrong) {
  const gap = sent.length === 2 ? sent[1].at - sent[0].at : NaN;
  // The server's clock and the client's timer tick in milliseconds of their own.
  if (!(gap >= least - 2 && gap <= most)) wrong.push(`sent ${sent.length} times, ${gap} ms apart`);
}

/** Never twice, and never told wrong. */
function executed({ executions: allowed = 1, untrue }, { executions, outcome, code }, wrong) {
  if (executions > allowed) wrong.push(`executed ${executions} times`);
  if (allowed > 1 && executions !== allowed) wrong.push(`executed ${executions} times, not ${allowed}`);
  // `untrue`: the server itself says that it did nothing, which it did.
  if (!untrue && executions > 0 && (outcome === "not-sent" || outcome === "not-applied")) wrong.push(`told as ${outcome}, but executed`);
  if (!code && executions === 0) wrong.push("resolved, but not executed");
}

export const megabytes = (bytes) => (bytes / 1024 / 1024).toFixed(0);
