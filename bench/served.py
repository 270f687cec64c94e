"""The programs beside the gate: `python -m bench.served upstream | proxy URL [pool|streams]`.

Each binds a loopback port, prints one JSON line with its address, and serves until it is ended. They run on the server
that the gate runs on: uvicorn with uvloop and httptools.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import uvloop

from remit.core.canonical import read, write
from remit.gateway.upstream.origin import parse
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Reply

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
TOOL = {
    "name": "read_page",
    "description": "Reads one page.",
    "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
TEXT = "ok " + "lorem ipsum dolor sit amet " * 34


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def address(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


def say(**facts: str) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def serve(app: App, bound: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="error",
        access_log=False,
        loop="uvloop",
        http="httptools",
        timeout_keep_alive=600,
        proxy_headers=False,
    )
    await uvicorn.Server(config).serve(sockets=[bound])


async def body_of(receive: Any) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def answer(send: Any, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    fixed = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})


async def upstream(_: dict[str, Any], receive: Any, send: Any) -> None:
    """An MCP server with one tool that answers about one kilobyte."""
    asked = json.loads(await body_of(receive))
    method = asked.get("method")
    if method == "tools/call":
        result: dict[str, Any] = {"content": [{"type": "text", "text": TEXT}], "isError": False}
    elif method == "tools/list":
        result = {"tools": [TOOL], "ttlMs": 60000, "cacheScope": "public"}
    else:
        versions = {"supportedVersions": ["2026-07-28"], "protocolVersion": "2026-07-28"}
        result = {**versions, "capabilities": {"tools": {}}, "serverInfo": {"name": "bench", "version": "1"}}
    if "id" not in asked:
        await answer(send, 202, b"")
        return
    said = {"jsonrpc": "2.0", "id": asked["id"], "result": {**result, "resultType": "complete"}}
    await answer(send, 200, json.dumps(said).encode())


def pooled(url: str) -> App:
    """A bare proxy: parses JSON both ways, decides nothing, records nothing; forwards over the gate's own pool."""
    origin, target = parse(url)
    pool = Pool(origin)
    wanted = (b"accept", b"mcp-protocol-version", b"mcp-method", b"mcp-name")

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked = read(await body_of(receive))
        kept = [(name, value) for name, value in scope["headers"] if name in wanted]
        reply = await pool.request(b"POST", target, [*kept, (b"content-type", b"application/json")], write(asked))
        if not isinstance(reply, Reply):
            await answer(send, 502, b"{}")
            return
        await answer(send, reply.status, write(read(await reply.read(1 << 22))))

    return app


def streamed(url: str) -> App:
    """The same proxy over the standard library's streams."""
    parts = urlsplit(url)
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    wanted = (b"accept", b"mcp-protocol-version", b"mcp-method", b"mcp-name")

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked = write(read(await body_of(receive)))
        kept = b"".join(b"%b: %b\r\n" % (name, value) for name, value in scope["headers"] if name in wanted)
        reader, writer = free.pop() if free else await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
        writer.write(head.encode() + kept + b"content-length: %d\r\n\r\n" % len(asked) + asked)
        found = await reader.readuntil(b"\r\n\r\n")
        size = int(found.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        said = write(read(await reader.readexactly(size)))
        free.append((reader, writer))
        await answer(send, int(found[9:12]), said)

    return app


async def plain(app: App) -> None:
    with listening() as bound:
        say(url=f"{address(bound)}/mcp", token="none")
        await serve(app, bound)


def main() -> None:
    role, *rest = sys.argv[1:]
    if role == "upstream":
        uvloop.run(plain(upstream))
    else:
        uvloop.run(plain((streamed if rest[1:] == ["streams"] else pooled)(rest[0])))


if __name__ == "__main__":
    main()
