"""What an upstream offers when it is registered: its tool definitions, read once, whole, to be seen and pinned.

The older revision is spoken first, since nearly every server understands it; a server that does not is asked in the
newer one. Nothing that the server says is believed here: it is data for the person who registers it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from remit.core.canonical import Json, read, write
from remit.core.errors import RemitError
from remit.core.resource import Upstream
from remit.gateway.upstream import origin, program, stdio, tls
from remit.gateway.upstream.fault import Fault
from remit.gateway.upstream.oauth.admission import Admission
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Outcome, Reply
from remit.gateway.upstream.sse import Reader

LEGACY: Final = "2025-11-25"
MODERN: Final = "2026-07-28"
PAGES: Final = 100
TOOLS: Final = 10_000
LARGEST: Final = 16 * 1024 * 1024
SECONDS: Final = 30.0
_CLIENT: Final = {"name": "remit", "version": "1"}
_META: Final = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": _CLIENT,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offered: tools by name as it defined them, and whether it speaks the newer revision only.

    `seal` is, for a program, the digest over what would be run.
    """

    tools: Mapping[str, Json]
    modern: bool = False
    seal: bytes = b""


class _NotSpokenError(Exception):
    """The server does not speak this revision; never leaves this module."""


async def offered(
    upstream: Upstream,
    headers: Sequence[tuple[bytes, bytes]] = (),
    environment: Mapping[str, str] | None = None,
    key: bytes = b"",
) -> Offer:
    """Ask an upstream for its tools. Raises what the transports raise, and `upstream_garbage` for no MCP answer.

    `key` is the gate's own, where the upstream wants a token.
    """
    env = dict(upstream.environment) | dict(environment or {})
    ask = _ask_program if upstream.argv else partial(_ask_url, key)
    try:
        async with asyncio.timeout(SECONDS):
            for modern in (True,) if upstream.modern else (False, True):
                try:
                    tools = await ask(upstream, headers, env, modern=modern)
                except _NotSpokenError:
                    continue
                seal = await asyncio.to_thread(_seal, upstream, env) if upstream.argv else b""
                return Offer(tools, modern, seal)
    except TimeoutError:
        raise RemitError(
            "upstream_timeout", "The upstream did not list its tools in time.", "Check that it runs and speaks MCP."
        ) from None
    raise _garbage("It answers in no revision of MCP that Remit speaks.")


def _seal(upstream: Upstream, env: Mapping[str, str]) -> bytes:
    return program.find(upstream.argv, env, upstream.directory or None).seal


async def _ask_program(
    upstream: Upstream, _: Sequence[tuple[bytes, bytes]], env: Mapping[str, str], *, modern: bool
) -> dict[str, Json]:
    server = await stdio.start(upstream.argv, env=env, cwd=upstream.directory or None)

    async def send(message: Mapping[str, Json]) -> None:
        fault = await server.send(write(dict(message)))
        if fault is not None:
            raise fault.error()

    async def exchange(message: Mapping[str, Json]) -> Json:
        await send(message)
        async for line in server:
            said = _parsed(line)
            if isinstance(said, dict) and said.get("id") == message["id"] and "method" not in said:
                return said
        raise RemitError(
            "upstream_closed",
            "The server ended before it answered.",
            "Run its command by hand and read what it says; it gets no environment but what was registered.",
        )

    try:
        return await _converse(exchange, send, modern=modern)
    finally:
        await server.stop()


async def _ask_url(
    key: bytes, upstream: Upstream, headers: Sequence[tuple[bytes, bytes]], _: Mapping[str, str], *, modern: bool
) -> dict[str, Json]:
    place, target = origin.parse(upstream.url)
    pool = Pool(place, tls=tls.context() if place.scheme == "https" else None, limit=2, head_timeout=SECONDS)
    session: list[tuple[bytes, bytes]] = []
    admission = Admission(upstream)

    async def post(message: Mapping[str, Json]) -> tuple[int, Json]:
        fixed = [*_routed(str(message["method"]), modern=modern), *headers]

        def ask(shown: Sequence[tuple[bytes, bytes]]) -> Awaitable[Outcome]:
            return pool.request(b"POST", target, [*fixed, *session, *shown], write(dict(message)))

        reply = await admission.send(key, b"POST", ask)
        if isinstance(reply, Fault):
            raise reply.error()
        async with reply:
            found = reply.header(b"mcp-session-id")
            if found and not session:
                session.append((b"mcp-session-id", found))
            return reply.status, await _said(reply, message.get("id"))

    async def send(message: Mapping[str, Json]) -> None:
        await post(message)

    async def exchange(message: Mapping[str, Json]) -> Json:
        status, said = await post(message)
        if said is None or not isinstance(said, dict):
            if status in {400, 404, 405, 406, 415} and message["method"] != "tools/list":
                raise _NotSpokenError
            raise _garbage(f"It answered {status} without a JSON-RPC message.")
        return said

    try:
        return await _converse(exchange, send, modern=modern)
    finally:
        admission.close()
        pool.close()


def _routed(method: str, *, modern: bool) -> list[tuple[bytes, bytes]]:
    fixed = [(b"content-type", b"application/json"), (b"accept", b"application/json, text/event-stream")]
    if modern:
        fixed += [(b"mcp-protocol-version", MODERN.encode()), (b"mcp-method", method.encode())]
    elif method != "initialize":
        fixed.append((b"mcp-protocol-version", LEGACY.encode()))
    return fixed


async def _said(reply: Reply, wanted: Json) -> Json:
    """The JSON-RPC message of a reply, None when it has none."""
    if reply.status in {401, 403}:
        raise RemitError(
            "upstream_unauthorized",
            "The upstream wants a credential, or refuses the one that it got.",
            "Store it with remit secret put, and name it with --secret and --header.",
        )
    if (reply.header(b"content-type") or b"").startswith(b"text/event-stream"):
        return await _streamed(reply, wanted)
    body = await reply.read(LARGEST)
    if reply.status >= 400:
        with contextlib.suppress(RemitError):
            return _parsed(body)
        return None
    return _parsed(body) if body else None


async def _streamed(reply: Reply, wanted: Json) -> Json:
    reader = Reader(LARGEST)
    async for chunk in reply:
        for event in reader.feed(chunk):
            said = _parsed(event.data) if event.data else None
            if isinstance(said, dict) and said.get("id") == wanted and "method" not in said:
                return said
    return None


async def _converse(exchange: Any, send: Any, *, modern: bool) -> dict[str, Json]:
    params: dict[str, Json] = {"_meta": _META} if modern else {}
    if not modern:
        hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT}
        said = await exchange({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
        if "result" not in said:
            raise _NotSpokenError
        await send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    tools: dict[str, Json] = {}
    for page in range(1, PAGES + 1):
        said = await exchange({"jsonrpc": "2.0", "id": page, "method": "tools/list", "params": params})
        result = said.get("result")
        if not isinstance(result, dict) or not isinstance(result.get("tools"), list):
            if modern and page == 1:
                raise _NotSpokenError
            raise _garbage("It does not list its tools.")
        for tool in result["tools"]:
            if not isinstance(tool, dict) or not isinstance(tool.get("name"), str) or tool["name"] in tools:
                raise _garbage("It lists a tool without a name, or one name twice.")
            tools[tool["name"]] = tool
        cursor = result.get("nextCursor")
        if not cursor or len(tools) > TOOLS:
            break
        params = params | {"cursor": cursor}
    if not tools or len(tools) > TOOLS:
        raise _garbage(f"It offers {len(tools)} tools.")
    return tools


def _parsed(body: bytes) -> Json:
    try:
        return read(body)
    except RemitError as fault:
        raise _garbage(fault.message) from fault


def _garbage(why: str) -> RemitError:
    return RemitError(
        "upstream_garbage",
        f"The upstream gave no MCP answer. {why}",
        "Check that the address or program is an MCP server.",
    )
