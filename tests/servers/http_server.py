"""python http_server.py PORT: an MCP server over Streamable HTTP at /mcp, on the official Python library 2.x.
Both eras; its legacy side is stateful and answers 404 to a lost session. It adds CORS and our tools, nothing else.
"""

import sys

import mcp_types as types
import uvicorn
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from starlette.middleware.cors import CORSMiddleware

import tools


async def list_tools(context, params):
    found, next_cursor = tools.page(params.cursor if params else None)
    return types.ListToolsResult.model_validate({"tools": found, "nextCursor": next_cursor})


async def call_tool(context, params):
    text, structured, failed = await tools.run(params.name, params.arguments or {}, context.session.report_progress)
    return types.CallToolResult.model_validate(
        {"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": failed}
    )


async def list_resources(context, params):
    return types.ListResourcesResult.model_validate({"resources": tools.RESOURCES})


async def read_resource(context, params):
    uri = str(params.uri)
    text = tools.read(uri)
    if text is None:
        raise MCPError(-32602, f"Resource not found: {uri}", {"uri": uri})
    mime_type = next(entry["mimeType"] for entry in tools.RESOURCES if entry["uri"] == uri)
    return types.ReadResourceResult.model_validate({"contents": [{"uri": uri, "text": text, "mimeType": mime_type}]})


server = Server(
    "bowline-python-http",
    version="1.0.0",
    title="Python demo server",
    instructions="A small server over Streamable HTTP for trying Bowline.",
    cache_hints={
        "server/discover": CacheHint(60_000, "public"),
        "tools/list": CacheHint(60_000, "public"),
        "resources/list": CacheHint(60_000, "public"),
    },
    on_list_tools=list_tools,
    on_call_tool=call_tool,
    on_list_resources=list_resources,
    on_read_resource=read_resource,
)

if __name__ == "__main__":
    tools.exit_with_parent()
    app = CORSMiddleware(
        # Pages of any origin test against this server, which listens on loopback only.
        server.streamable_http_app(
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=64 * 1024 * 1024,
        ),
        allow_origins=["*"],
        allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["mcp-session-id", "www-authenticate", "retry-after"],
        max_age=600,
    )
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", timeout_keep_alive=120)
