"""The tools and resources that both Python servers offer. Knows no transport and no version of the MCP library."""

import json
import os
import sys
import threading
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import anyio
import jsonschema

PAGE_SIZE = 4
TOOLS = json.loads((Path(__file__).parent / "tools.json").read_text())
SCHEMAS = {tool["name"]: tool["inputSchema"] for tool in TOOLS}
RESOURCES = [
    {
        "uri": "demo://readme",
        "name": "readme",
        "title": "Read me",
        "description": "What this server is for.",
        "mimeType": "text/markdown",
    },
    {
        "uri": "demo://time",
        "name": "time",
        "title": "Time",
        "description": "The server's clock, different on every read.",
        "mimeType": "text/plain",
    },
]

# Kept per process, not per connection: tests ask after a reconnect what really ran.
counters: Counter[str] = Counter()


def page(cursor):
    """The slice of TOOLS behind a cursor, and the cursor of the next one or None."""
    start = 0 if cursor is None else int(cursor.removeprefix("from:"))
    end = start + PAGE_SIZE
    return TOOLS[start:end], f"from:{end}" if end < len(TOOLS) else None


async def run(name, arguments, report):
    """Runs a tool; gives (text, structured content or None, is error). `report(step, steps, message)` is awaited."""
    if name not in SCHEMAS:
        return f"Unknown tool: {name}", None, True
    try:
        jsonschema.validate(arguments, SCHEMAS[name])
    except jsonschema.ValidationError as error:
        return f"Invalid arguments for {name}: {error.message}", None, True
    if name == "slow":
        return await slow(arguments.get("ms", 3000), arguments.get("steps", 10), report)
    if name == "counter":
        counters[arguments["key"]] += 1
        count = counters[arguments["key"]]
        await anyio.sleep(arguments.get("ms", 0) / 1000)
        return str(count), None, False
    return simple(name, arguments)


async def slow(ms, steps, report):
    counters["slow:started"] += 1
    try:
        for step in range(1, steps + 1):
            await anyio.sleep(ms / steps / 1000)
            await report(step, steps, f"step {step} of {steps}")
    except anyio.get_cancelled_exc_class():
        counters["slow:cancelled"] += 1
        raise
    counters["slow:finished"] += 1
    return f"done in {steps} steps", None, False


def simple(name, arguments):
    if name == "echo":
        return arguments["text"], None, False
    if name == "add":
        total = arguments["a"] + arguments["b"]
        return str(total), {"sum": total}, False
    if name == "count":
        return str(counters[arguments["key"]]), None, False
    if name == "big":
        return "x" * arguments["bytes"], None, False
    return arguments.get("message", "it did not work"), None, True


def read(uri):
    """The text of a resource, or None when there is no such resource."""
    if uri == "demo://readme":
        return "# Demo server\n\nA small MCP server to try Bowline with.\n"
    if uri == "demo://time":
        return datetime.now(timezone.utc).isoformat()
    return None


def exit_with_parent():
    """Ends the process when stdin ends, so that no server outlives the process that started it."""

    def watch():
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
