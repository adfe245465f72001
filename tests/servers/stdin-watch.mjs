// Imported by the Node servers: ends the process when stdin ends, so a server never outlives the process that
// started it, however that one died. It does nothing else.

process.stdin.on("error", () => process.exit(0));
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
