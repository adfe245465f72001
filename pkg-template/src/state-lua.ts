// What has to happen at once in Redis, as scripts, with their SHA-1 (a page over plain http cannot compute one). They ask the clock of
// Redis; no client's is used. KEYS[2] of those that write values is the version that replicas are measured by; there is none with one endpoint.

const VERSION = "return {done,KEYS[2] and redis.call('INCR',KEYS[2]) or 0}";

/** A script, and its name for EVALSHA. */
export interface Script {
  readonly sha: string;
  readonly text: string;
}

/** key, version; value, life in milliseconds or 0. */
export const SET: Script = {
  sha: "924045e6ad7128eb79f89e97a38330692e6818a9",
  text: `if ARGV[2]=='0' then redis.call('SET',KEYS[1],ARGV[1]) else redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) end
local done=1
${VERSION}`,
};

/** key, version. */
export const DELETE: Script = {
  sha: "023e9128d5d9e6e9aed7b996439c3d4254cef2af",
  text: `local done=redis.call('DEL',KEYS[1])
${VERSION}`,
};

/** key, version; value, life, `=` and the expected text, or `-` for nothing. */
export const CAS: Script = {
  sha: "98e43fdce3444b891dcb7c5a1c30eab418cfeba6",
  text: `local old=redis.call('GET',KEYS[1])
if ARGV[3]~=(old and '='..old or '-') then return {0,0} end
if ARGV[2]=='0' then redis.call('SET',KEYS[1],ARGV[1]) else redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) end
local done=1
${VERSION}`,
};

/** key, version; addend, life. */
export const INCR: Script = {
  sha: "eee203ea7e8c8b5c37c94d222095197bca7dd8d8",
  text: `local fresh=redis.call('PTTL',KEYS[1])==-2
local done=redis.call('INCRBY',KEYS[1],ARGV[1])
if fresh and ARGV[2]~='0' then redis.call('PEXPIRE',KEYS[1],ARGV[2]) end
${VERSION}`,
};

/** lock, counter of fences; owner, life. The fence, or 0. */
export const LOCK: Script = {
  sha: "036f6534d9eb74113b76dc38fec2ea183fd6abe5",
  text: `if redis.call('SET',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) then return redis.call('INCR',KEYS[2]) end
return 0`,
};

/** lock; owner, life. */
export const EXTEND: Script = {
  sha: "05e60458b010945aa9f6bdc0c2e1b5a8080629bc",
  text: `if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end
return 0`,
};

/** lock; owner. */
export const UNLOCK: Script = {
  sha: "37229ffa37ac248f88218eee6a9b0a0a18673cc0",
  text: `if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end
return 0`,
};

/**
 * key; microseconds per request, microseconds that a burst may run ahead, cost. Allowed or not, how many more, milliseconds to wait. GCRA: one
 * number, the time at which all that was let through would have been let through evenly.
 */
export const LIMIT: Script = {
  sha: "ad07eda8d5a2a0346d173079cbb41e3ae6be5f3c",
  text: `local t=redis.call('TIME')
local now=t[1]*1000000+t[2]
local each,ahead=tonumber(ARGV[1]),tonumber(ARGV[2])
local from=math.max(now,tonumber(redis.call('GET',KEYS[1]) or 0))
local to=from+each*ARGV[3]
if to-ahead>now then return {0,math.floor((ahead-from+now)/each),math.ceil((to-ahead-now)/1000)} end
redis.call('SET',KEYS[1],string.format('%.0f',to),'PX',math.ceil((to-now)/1000))
return {1,math.floor((ahead-to+now)/each),0}`,
};

/**
 * All of them, to be given to `SCRIPT LOAD` of each Redis when it starts, by an operator: then the gateway's user needs `evalsha` and no
 * `eval`, and can run these and nothing else.
 */
export const stateScripts: readonly string[] = [SET, DELETE, CAS, INCR, LOCK, EXTEND, UNLOCK, LIMIT].map(({ text }) => text);
