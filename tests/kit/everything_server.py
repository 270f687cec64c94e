"""An MCP server with all that the conformance suite asks of one, on the official Python SDK; both eras.

Runs in the SDK's own environment, as a program: `everything_server.py --port N` serves `http://127.0.0.1:N/mcp` and
prints that URL on standard output once it listens (port 0 lets the system choose); `--stdio` serves standard input
and output. It asks for no credentials: what stands before it does. With `--token-file FILE` it answers 401 to any
request that does not carry the bearer token that stands in FILE at that moment, as a target does that knows only its
own credentials, and can take them back. With `--journal FILE`
each tool call that really ran is one line of JSON there, so that a test can tell "refused" from "refused too late".
"""

import argparse
import asyncio
import json
import logging
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

import everything_content as content
import mcp_types as t
import uvicorn
from everything_tools import BUS, TOOLS, Answer, Context, accepted, elicit, need
from jsonschema import Draft202012Validator
from mcp import MCPError, stdio_server
from mcp.server import CacheHint, NotificationOptions, Server
from mcp.server.mcpserver import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.server.subscriptions import ListenHandler
from starlette.types import ASGIApp, Receive, Scope, Send

NAME = "everything"
_subscribed: set[str] = set()
_journal: list[Path] = []


async def list_tools(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListToolsResult:
    return t.ListToolsResult(tools=[tool for tool, _ in TOOLS.values()])


async def call_tool(ctx: Context, params: t.CallToolRequestParams) -> Answer:
    if params.name not in TOOLS:
        raise MCPError(t.INVALID_PARAMS, f"There is no tool {params.name}")
    tool, run = TOOLS[params.name]
    for fault in Draft202012Validator(tool.input_schema).iter_errors(params.arguments or {}):
        return t.CallToolResult(content=[content.text(f"Invalid arguments: {fault.message}")], is_error=True)
    for path in _journal:
        with path.open("a") as out:
            out.write(json.dumps({"tool": params.name, "arguments": params.arguments or {}}) + "\n")
    return await run(ctx, params)


async def list_resources(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourcesResult:
    return t.ListResourcesResult(resources=content.RESOURCES)


async def list_templates(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListResourceTemplatesResult:
    return t.ListResourceTemplatesResult(resource_templates=content.TEMPLATES)


async def read_resource(ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
    found = content.read(params.uri)
    if found is None:
        raise MCPError(t.INVALID_PARAMS, "Resource not found", {"uri": params.uri})
    return t.ReadResourceResult(contents=[found])


async def subscribe(ctx: Context, params: t.SubscribeRequestParams) -> t.EmptyResult:
    _subscribed.add(params.uri)
    return t.EmptyResult()


async def unsubscribe(ctx: Context, params: t.UnsubscribeRequestParams) -> t.EmptyResult:
    _subscribed.discard(params.uri)
    return t.EmptyResult()


async def list_prompts(ctx: Context, params: t.PaginatedRequestParams | None) -> t.ListPromptsResult:
    return t.ListPromptsResult(prompts=content.PROMPTS)


async def get_prompt(ctx: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult | t.InputRequiredResult:
    if params.name == "test_input_required_result_prompt":
        given = accepted(params, "user_context")
        if given is None:
            schema = content.fields(context=content.STRING)
            return need(user_context=elicit("What context should the prompt use?", schema))
        return content.messages(content.text(f"Use this context: {given.get('context')}"))
    known = {prompt.name: prompt for prompt in content.PROMPTS}
    wanted = getattr(known.get(params.name), "arguments", None) or []
    missing = [argument.name for argument in wanted if argument.name not in (params.arguments or {})]
    found = None if missing else content.prompt(params.name, params.arguments or {})
    if found is None:
        raise MCPError(t.INVALID_PARAMS, f"No prompt {params.name} with these arguments", {"missing": missing})
    return found


async def complete(ctx: Context, params: t.CompleteRequestParams) -> t.CompleteResult:
    words = [word for word in ("paris", "park", "party", "test") if word.startswith(params.argument.value)]
    return t.CompleteResult(completion=t.Completion(values=words, total=len(words), has_more=False))


async def set_level(ctx: Context, params: t.SetLevelRequestParams) -> t.EmptyResult:
    return t.EmptyResult()


def server() -> Server[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # logging/setLevel belongs to the older era only, and is served there
        built: Server[Any] = Server(
            NAME,
            version="1.0.0",
            cache_hints={
                "tools/list": CacheHint(60_000, "public"),
                "prompts/list": CacheHint(60_000, "public"),
                "resources/list": CacheHint(60_000, "public"),
                "resources/templates/list": CacheHint(60_000, "public"),
                "resources/read": CacheHint(1_000, "private"),
            },
            get_tool_input_schema=lambda name: TOOLS[name][0].input_schema if name in TOOLS else None,
            on_list_tools=list_tools,
            on_call_tool=call_tool,
            on_list_resources=list_resources,
            on_list_resource_templates=list_templates,
            on_read_resource=read_resource,
            on_subscribe_resource=subscribe,
            on_unsubscribe_resource=unsubscribe,
            on_subscriptions_listen=ListenHandler(BUS),
            on_list_prompts=list_prompts,
            on_get_prompt=get_prompt,
            on_completion=complete,
            on_set_logging_level=set_level,
        )
    built.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    return built


class Events(EventStore):
    """The frames of each stream, kept so that a client that lost its connection can ask for the rest."""

    def __init__(self) -> None:
        self._kept: list[tuple[StreamId, Any]] = []

    async def store_event(self, stream_id: StreamId, message: Any) -> EventId:
        self._kept.append((stream_id, message))
        return str(len(self._kept))

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        last = int(last_event_id) if last_event_id.isdecimal() else 0
        if not 0 < last <= len(self._kept):
            return None
        stream = self._kept[last - 1][0]
        for number, (owner, message) in enumerate(self._kept[last:], last + 1):
            if owner == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def guarded(app: ASGIApp, token: Path) -> ASGIApp:
    """The app, for those only who carry this target's own token, as it stands now."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        wanted = [b"Bearer " + await asyncio.to_thread(token.read_bytes)]
        if [v for k, v in scope["headers"] if k == b"authorization"] == wanted:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
        await send({"type": "http.response.body", "body": b""})

    return guard


def serve_http(port: int, token: Path | None) -> None:
    app: ASGIApp = server().streamable_http_app(event_store=Events(), retry_interval=100)
    if token:
        app = guarded(app, token)
    listening = socket.create_server(("127.0.0.1", port))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)  # noqa: T201
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


async def serve_stdio() -> None:
    built = server()
    async with stdio_server() as (incoming, outgoing):
        await built.run(incoming, outgoing, built.create_initialization_options(NotificationOptions()))


def main() -> None:
    parser = argparse.ArgumentParser(description="An MCP server that has everything")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--journal", type=Path)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    warnings.simplefilter("ignore")
    if given.journal:
        _journal.append(given.journal)
    if given.stdio:
        asyncio.run(serve_stdio())
    else:
        serve_http(given.port, given.token_file)


if __name__ == "__main__":
    main()
