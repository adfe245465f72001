"""python http_server.py PORT: an MCP server over Streamable HTTP at /mcp, on the official Python library 2.x.
Both eras; its legacy side is stateful and answers 404 to a lost session. It adds CORS and our tools, a prompt, a template,
completion, and POST /control?event=toolsChanged|resourceUpdated&uri=URI, which tells all who listen.
"""

import sys

import mcp_types as types
import uvicorn
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, ToolsListChanged
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

import tools

LANGUAGES = ["javascript", "python", "ruby", "rust", "typescript"]
bus = InMemorySubscriptionBus()


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
    if uri.startswith("note://"):
        note = {"uri": uri, "text": f"note {uri.removeprefix('note://')}", "mimeType": "text/plain"}
        return types.ReadResourceResult.model_validate({"contents": [note]})
    text = tools.read(uri)
    if text is None:
        raise MCPError(-32602, f"Resource not found: {uri}", {"uri": uri})
    mime_type = next(entry["mimeType"] for entry in tools.RESOURCES if entry["uri"] == uri)
    return types.ReadResourceResult.model_validate({"contents": [{"uri": uri, "text": text, "mimeType": mime_type}]})


async def list_templates(context, params):
    note = {"uriTemplate": "note://{name}", "name": "note", "title": "A note", "mimeType": "text/plain"}
    return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": [note]})


async def list_prompts(context, params):
    arguments = [{"name": "language", "required": True}, {"name": "code"}]
    return types.ListPromptsResult.model_validate({"prompts": [{"name": "review", "title": "Review code", "arguments": arguments}]})


async def get_prompt(context, params):
    if params.name != "review":
        raise MCPError(-32602, f"Unknown prompt: {params.name}")
    arguments = params.arguments or {}
    text = f"Review this {arguments.get('language')}: {arguments.get('code', '')}"
    messages = [{"role": "user", "content": {"type": "text", "text": text}}]
    return types.GetPromptResult.model_validate({"description": "A review", "messages": messages})


async def complete(context, params):
    options = LANGUAGES if params.ref.type == "ref/prompt" else ["alpha", "beta"]
    values = [value for value in options if value.startswith(params.argument.value)]
    completion = {"values": values, "total": len(values), "hasMore": False}
    return types.CompleteResult.model_validate({"completion": completion})


async def control(request):
    query = request.query_params
    event = ToolsListChanged() if query["event"] == "toolsChanged" else ResourceUpdated(uri=query["uri"])
    await bus.publish(event)
    return Response(status_code=204)


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
    on_list_resource_templates=list_templates,
    on_read_resource=read_resource,
    on_list_prompts=list_prompts,
    on_get_prompt=get_prompt,
    on_completion=complete,
    on_subscriptions_listen=ListenHandler(bus),
)

if __name__ == "__main__":
    tools.exit_with_parent()
    inner = server.streamable_http_app(
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_request_body_size=64 * 1024 * 1024,
    )
    inner.router.routes.append(Route("/control", control, methods=["POST"]))
    app = CORSMiddleware(
        # Pages of any origin test against this server, which listens on loopback only.
        inner,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "DELETE", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["mcp-session-id", "www-authenticate", "retry-after"],
        max_age=600,
    )
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", timeout_keep_alive=120)
