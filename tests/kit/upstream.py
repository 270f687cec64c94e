"""A small MCP server for fast tests: both eras or one of them, and tools that reflect, hang, die, lie or stream."""

import asyncio
import base64
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = "io.modelcontextprotocol/"


def tool(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "description": f"Does {name}", "inputSchema": {"type": "object", "properties": properties}}


TOOLS = {
    one["name"]: one
    for one in (
        tool("echo", text={"type": "string"}),
        tool("reflect"),
        tool("hang"),
        tool("die"),
        tool("garbage"),
        tool("big"),
        tool("progress"),
        tool("drip"),
        tool("ask"),
        tool("need"),
        tool("region", region={"type": "string", "x-mcp-header": "Region"}),
        tool("secret_plan"),
    )
}


class Server:
    """What it was asked, by JSON-RPC method and tool; its definitions may be changed while it runs."""

    def __init__(self, eras: tuple[str, ...]) -> None:
        self.eras = eras
        self.tools = {name: dict(one) for name, one in TOOLS.items()}
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.fields: list[str] = []
        self.answers: list[dict[str, Any]] = []
        self.left = threading.Event()
        self.url = ""
        self.forget = False

    def ran(self) -> list[str]:
        """The tools that were really called."""
        return [one["params"]["name"] for one in self.bodies if one.get("method") == "tools/call"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        heads = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.heads.append(heads)
        self.fields += [f"{k.decode()}: {v.decode()}" for k, v in scope["headers"]]
        data, more = b"", True
        while more:
            message = await receive()
            data += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["method"] == "GET":
            await self.stream(receive, send)
        elif scope["method"] == "DELETE":
            await reply(send, 200, b"")
        else:
            await self.post(json.loads(data), heads, receive, send)

    async def post(self, body: dict[str, Any], heads: dict[str, str], receive: Any, send: Any) -> None:
        self.bodies.append(body)
        self.asked.append(body.get("method", "response"))
        if "id" not in body or "method" not in body:
            if "method" not in body:
                self.answers.append(body)
            await reply(send, 202, b"")
            return
        modern = heads.get("mcp-protocol-version") == MODERN
        if (MODERN if modern else LEGACY) not in self.eras or (modern and heads.get("mcp-method") != body["method"]):
            await reply(send, 400, error(body, -32600, "Not in this era"))
            return
        if self.forget and body["method"] != "initialize":
            self.forget = False
            await reply(send, 404, error(body, -32001, "Session not found"))
            return
        params = body.get("params", {})
        name = params.get("name")
        if body["method"] == "tools/call" and name in ("hang", "die", "garbage", "progress", "drip", "ask"):
            await getattr(self, name)(body, receive, send)
            return
        found = self.answer(body["method"], params, heads)
        if found is None:
            await reply(send, 404 if modern else 200, error(body, -32601, "Unknown method"))
            return
        if modern:
            found = {"resultType": "complete", **found}
            if body["method"].endswith(("/list", "/read", "/discover")):
                found |= {"ttlMs": 60_000, "cacheScope": "public"}
        extra = [(b"mcp-session-id", b"upstream-session")] if body["method"] == "initialize" else []
        await reply(send, 200, result(body, found), extra)

    def answer(  # noqa: C901 - one line for each method
        self, method: str, params: dict[str, Any], heads: dict[str, str]
    ) -> dict[str, Any] | None:
        capabilities = {"tools": {"listChanged": True}, "resources": {}, "prompts": {}, "completions": {}}
        info = {"name": "small", "version": "1"}
        match method:
            case "initialize":
                return {"protocolVersion": params["protocolVersion"], "capabilities": capabilities, "serverInfo": info}
            case "server/discover":
                return {
                    "supportedVersions": [MODERN],
                    "capabilities": capabilities,
                    "_meta": {META + "serverInfo": info},
                }
            case "tools/list":
                return {"tools": list(self.tools.values())}
            case "resources/list":
                return {"resources": [{"uri": "file:///a", "name": "a"}]}
            case "prompts/list":
                return {"prompts": [{"name": "p"}]}
            case "resources/read":
                return {"contents": [{"uri": params["uri"], "text": "read"}]}
            case "prompts/get":
                return {"messages": [{"role": "user", "content": {"type": "text", "text": "got"}}]}
            case "completion/complete":
                return {"completion": {"values": ["c"]}}
            case "ping" | "logging/setLevel":
                return {}
            case "tools/call":
                return self.call(params, heads)
        return None

    def call(self, params: dict[str, Any], heads: dict[str, str]) -> dict[str, Any]:
        given = params.get("arguments", {})
        match params["name"]:
            case "reflect":
                own = heads.get("authorization", "").removeprefix("Bearer ").encode()
                spelled = [base64.b64encode(own).decode(), own.hex()]
                return text(json.dumps({"headers": heads, "params": params, "spelled": spelled}))
            case "big":
                return text("x" * (8 * 1024 * 1024))
            case "need":
                asked = {"one": {"method": "elicitation/create", "params": {"message": "Your key?", "mode": "form"}}}
                if "inputResponses" in params:
                    return text("thanks " + params["requestState"])
                return {"resultType": "input_required", "inputRequests": asked, "requestState": "st-1"}
        return text(str(given.get("text", "done")))

    async def hang(self, body: Any, receive: Any, send: Any) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while (await receive())["type"] != "http.disconnect":
                    pass
                self.left.set()

    async def die(self, body: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999")]})
        await send({"type": "http.response.body", "body": b'{"jsonrpc":', "more_body": True})
        raise RuntimeError

    async def garbage(self, body: Any, receive: Any, send: Any) -> None:
        await reply(send, 200, b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}')

    async def progress(self, body: Any, receive: Any, send: Any) -> None:
        await events(send)
        for done in (1, 2):
            note = {"progressToken": "tok", "progress": done}
            await event(send, {"jsonrpc": "2.0", "method": "notifications/progress", "params": note})
        await event(send, json.loads(result(body, text("done"))), last=True)

    async def drip(self, body: Any, receive: Any, send: Any) -> None:
        await events(send)
        task = asyncio.create_task(self.hang(body, receive, send))
        for number in range(400):
            note = {"level": "info", "data": number}
            await event(send, {"jsonrpc": "2.0", "method": "notifications/message", "params": note})
            await asyncio.sleep(0.05)
            if task.done():
                return

    async def ask(self, body: Any, receive: Any, send: Any) -> None:
        """Asks the client's person, on the stream of the call; answers with what came of it."""
        before = len(self.answers)
        await events(send)
        asked = {"jsonrpc": "2.0", "id": 77, "method": "elicitation/create", "params": {"message": "Your API key?"}}
        await event(send, asked)
        for _ in range(200):
            if len(self.answers) > before:
                break
            await asyncio.sleep(0.02)
        await event(send, json.loads(result(body, text(json.dumps(self.answers[before:])))), last=True)

    async def stream(self, receive: Any, send: Any) -> None:
        await events(send)
        await event(send, {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        while (await receive())["type"] != "http.disconnect":
            pass


def text(said: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}], "isError": False}


def result(body: dict[str, Any], value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": value}).encode()


def error(body: dict[str, Any], code: int, said: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": body["id"], "error": {"code": code, "message": said}}).encode()


async def reply(send: Any, status: int, data: bytes, extra: Any = ()) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def events(send: Any) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def event(send: Any, body: Any, *, last: bool = False) -> None:
    data = b"event: message\ndata: " + json.dumps(body).encode() + b"\n\n"
    await send({"type": "http.response.body", "body": data, "more_body": not last})


@contextmanager
def small(*eras: str) -> Iterator[Server]:
    """The server, listening on a loopback port of its own."""
    server = Server(eras or (MODERN, LEGACY))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        config = uvicorn.Config(server, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: running.run(sockets=[listening]), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            running.should_exit = True
            thread.join(60)
