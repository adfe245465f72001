"""python ws_server.py PORT: an MCP server over WebSocket at /ws, on the official Python library 1.30.0, whose
deprecated WebSocket transport is used as it is. Legacy eras only. It adds routing and our tools, nothing else.
"""

import logging
import sys
import warnings

import mcp.types as types
import uvicorn
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.shared.exceptions import McpError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mcp.server.websocket import websocket_server

import tools

server = Server("bowline-python-ws", version="1.0.0", instructions="A small server over WebSocket for trying Bowline.")


# The request_handlers table is used directly: the decorators hide the cursor and the difference between a tool
# that fails and a request that is wrong.
async def list_tools(request: types.ListToolsRequest):
    found, next_cursor = tools.page(request.params.cursor if request.params else None)
    return types.ServerResult(types.ListToolsResult.model_validate({"tools": found, "nextCursor": next_cursor}))


async def call_tool(request: types.CallToolRequest):
    text, structured, failed = await tools.run(request.params.name, request.params.arguments or {}, report)
    return types.ServerResult(
        types.CallToolResult(
            content=[types.TextContent(type="text", text=text)], structuredContent=structured, isError=failed
        )
    )


async def report(step, steps, message):
    context = server.request_context
    token = context.meta.progressToken if context.meta else None
    if token is not None:
        await context.session.send_progress_notification(token, step, steps, message)


async def list_resources(_: types.ListResourcesRequest):
    return types.ServerResult(types.ListResourcesResult.model_validate({"resources": tools.RESOURCES}))


async def read_resource(request: types.ReadResourceRequest):
    uri = str(request.params.uri)
    text = tools.read(uri)
    if text is None:
        raise McpError(types.ErrorData(code=-32002, message=f"Resource not found: {uri}"))
    mime_type = next(entry["mimeType"] for entry in tools.RESOURCES if entry["uri"] == uri)
    contents = [types.TextResourceContents(uri=request.params.uri, text=text, mimeType=mime_type)]
    return types.ServerResult(types.ReadResourceResult(contents=contents))


server.request_handlers[types.ListToolsRequest] = list_tools
server.request_handlers[types.CallToolRequest] = call_tool
server.request_handlers[types.ListResourcesRequest] = list_resources
server.request_handlers[types.ReadResourceRequest] = read_resource


async def app(scope, receive, send):
    if scope["type"] == "websocket" and scope["path"] == "/ws":
        await serve(scope, receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
    else:
        await not_here(send)


async def serve(scope, receive, send):
    options = server.create_initialization_options(NotificationOptions())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            async with websocket_server(scope, receive, send) as (read_stream, write_stream):
                await server.run(read_stream, write_stream, options)
    except Exception as error:  # A client that vanishes mid-answer raises here; that is what the tests do.
        logging.getLogger(__name__).info("connection ended: %r", error)


async def not_here(send):
    headers = [(b"access-control-allow-origin", b"*"), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"this server speaks WebSocket at /ws"})


if __name__ == "__main__":
    tools.exit_with_parent()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off")
