"""A small HTTP API with its OpenAPI document, and the gate before it: for tests of the HTTP gate."""

import asyncio
import http.client
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from remit.cli.attach import attach
from remit.cli.door import Standing, door
from remit.control import agent, brief, credential, policy, resource, task
from remit.core.body import FORM, MULTIPART
from remit.core.brief import Brief
from remit.core.grant import Step
from remit.core.resource import Injection, Upstream
from remit.core.trust import TrustPath
from remit.custody.secret import Secret
from remit.gateway.api.openapi import read
from remit.gateway.serve.api import DEFAULTS, Api
from remit.gateway.serve.forward.gate import Forward
from remit.gateway.serve.host import Settings
from tests.kit.gate import Gate
from tests.kit.world import DAY, World

NAME = "pay"
KEY = "sk-live-Zq8+/xyz secret"
TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def _path(name: str, kind: dict[str, str] = TEXT) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": kind}


def _query(name: str, kind: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": kind}


def _plain(name: str) -> dict[str, Any]:
    return {"get": {"operationId": name}}


REFUND = {"type": "object", "required": ["order"], "properties": {"order": TEXT, "amount": NUMBER, "note": TEXT}}
CHARGE = {"type": "object", "required": ["to"], "properties": {"to": TEXT, "amount": WHOLE, "note": TEXT}}
FILE = {"type": "string", "format": "binary"}
UPLOAD = {"type": "object", "properties": {"title": TEXT, "size": WHOLE, "photo": FILE}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pay", "version": "1"},
    "components": {"schemas": {"Refund": REFUND}},
    "paths": {
        "/orders": {
            "get": {
                "operationId": "list_orders",
                "parameters": [_query("limit", WHOLE), _query("open", {"type": "boolean"})],
            }
        },
        "/orders/{id}": {
            "parameters": [_path("id")],
            "get": {"operationId": "read_order"},
            "delete": {"operationId": "drop_order"},
        },
        "/refunds": {
            "post": {
                "operationId": "refund",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}},
                },
            }
        },
        "/admin": _plain("admin"),
        "/echo": _plain("echo"),
        "/away": {"get": {"operationId": "away", "parameters": [_query("to", TEXT), _query("status", WHOLE)]}},
        "/events": _plain("events"),
        "/packed": _plain("packed"),
        "/talk": {
            "get": {
                "operationId": "talk", "parameters": [_query("room", TEXT)],
                "responses": {"101": {"description": "A WebSocket."}},
            }
        },
        "/files/{name}.txt": {"get": {"operationId": "part_of_a_segment", "parameters": [_path("name")]}},
        "/charges": {"post": {"operationId": "charge", "requestBody": {"content": {FORM: {"schema": CHARGE}}}}},
        "/uploads": {"post": {"operationId": "upload", "requestBody": {"content": {MULTIPART: {"schema": UPLOAD}}}}},
        "/papers/{id}": {
            "parameters": [_path("id")],
            "put": {"operationId": "paper", "requestBody": {"required": True, "content": {"application/pdf": {}}}},
        },
        "/form": {"post": {"requestBody": {"required": True, "content": {"text/plain": {}}}}},
    },
}  # fmt: skip


def step(name: str, **more: Any) -> Step:
    """A step on the own path that takes any arguments, unless it says which."""
    form = {"action": f"http:{NAME}/{name}", "path": "own", "allow_unknown": "arguments" not in more, **more}
    return Step.from_json(form)


STEPS = (
    step("list_orders", rows={"max": 5}), step("read_order", arguments={"id": [{"prefix": "o-"}]}),
    step("refund", arguments={"order": [{"prefix": "o-"}], "amount": [{"range": {"min": 0, "max": 50}}]}, uses=50),
    step("echo"), step("away"), step("events"), step("packed"),
    step("talk", arguments={"room": [{"prefix": "r-"}]}),
)  # fmt: skip


class Behind:
    """The API itself: what it was sent, in order, and a stream that goes on until it is told to end."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, list[tuple[str, str]]]] = []
        self.over = threading.Event()
        self.open = 0
        """How many WebSockets are open."""
        self.events = 0
        """How many events a stream begins with, after its first."""
        self.page = b""
        """What the list of orders answers, when it is not made up."""

    async def talk(self, socket: WebSocket) -> None:
        """What it says over a WebSocket, after its key: what it has heard."""
        self.seen.append(("WS", str(socket.url.query), b"", list(socket.headers.items())))
        if socket.query_params.get("room") == "r-closed":
            await socket.close()
            return
        await socket.accept("chat" if "chat" in socket.scope["subprotocols"] else None)
        await socket.send_text(f"your key is {socket.headers.get('x-api-key', '')}")
        self.open += 1
        try:
            while True:
                said = await socket.receive()
                if said["type"] == "websocket.disconnect":
                    break
                if said.get("text") == "bye":
                    await socket.close(4001, f"bye {socket.headers.get('x-api-key', '')}")
                    break
                if said.get("text") == "flood":
                    await socket.send_bytes(b"x" * 5_000_000)
                elif said.get("text") is not None:
                    await socket.send_text(f"heard {said['text']}")
                else:
                    await socket.send_bytes(said["bytes"])
        finally:
            self.open -= 1

    def app(self) -> Starlette:
        """The application."""

        async def note(request: Any) -> bytes:
            body: bytes = await request.body()
            raw = request.scope["raw_path"].decode()
            query = request.scope["query_string"].decode()
            target = raw + (f"?{query}" if query else "")
            self.seen.append((request.method, target, body, list(request.headers.items())))
            return body

        async def plain(request: Any) -> Response:
            await note(request)
            if request.method == "GET" and request.url.path == "/v1/orders":
                made = JSONResponse([{"id": f"o-{n}"} for n in range(int(request.query_params.get("limit", 2)))])
                return Response(self.page, media_type="application/json") if self.page else made
            return JSONResponse({"ok": True, "typed": {}}, headers={"set-cookie": "a=b", "server-timing": "x"})

        async def echo(request: Any) -> Response:
            await note(request)
            shown = request.headers.get("x-api-key", "")
            return PlainTextResponse(f"you sent {shown}", 403, headers={"x-request-id": shown, "etag": '"1"'})

        async def away(request: Any) -> Response:
            await note(request)
            status = int(request.query_params.get("status", 302))
            return RedirectResponse(request.query_params["to"], status, headers={"alt-svc": 'h2="evil.test:443"'})

        async def events(request: Any) -> Response:
            await note(request)

            async def told() -> Any:
                yield f"data: {request.headers.get('x-api-key', '')}\n\n" + "data: one\n\n" * self.events
                while not self.over.is_set():
                    await asyncio.sleep(0.05)
                    yield "data: more\n\n"

            return StreamingResponse(told(), media_type="text/event-stream")

        async def packed(request: Any) -> Response:
            await note(request)
            return Response(b"\x1f\x8b", headers={"content-encoding": "gzip"})

        every = ["GET", "POST", "DELETE", "PUT", "HEAD"]
        return Starlette(
            routes=[
                Route("/v1/echo", echo), Route("/v1/away", away), Route("/v1/events", events),
                Route("/v1/packed", packed), WebSocketRoute("/v1/talk", self.talk),
                Route("/{rest:path}", plain, methods=every),
            ]
        )  # fmt: skip


@dataclass
class Pay(Gate):
    """The gate before the API: `port` is where agents reach it."""

    port: int = 0
    proxy: int = 0
    """Where programs find the forward gate."""
    behind: int = 0
    """The API's own port."""
    api: Any = None
    forward: Any = None
    upstream: Any = None
    extra: dict[str, Any] = field(default_factory=dict)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask as an agent; the path goes out just as it is given."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            conn.putrequest(method, path, skip_accept_encoding=True)
            if token != "":
                conn.putheader("authorization", f"Bearer {token or self.token}")
            for name, value in headers.items():
                conn.putheader(name.replace("_", "-"), value)
            if body is not None:
                conn.putheader("content-length", str(len(body)))
                if "content_type" not in headers:
                    conn.putheader("content-type", "application/json")
            conn.endheaders(body)
            answer = conn.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            conn.close()

    def code(self, *words: Any, **more: Any) -> tuple[int, str]:
        """The status and our code."""
        status, _, body = self.ask(*words, **more)
        return status, json.loads(body)["code"]


@contextmanager
def running(app: Any, started: Any = None, leaf: Path | None = None) -> Iterator[tuple[int, Any]]:
    """An ASGI application on a loopback port of its own thread; `started` sets up what lives on its loop.

    With a `leaf` (certificate and key in one file) it speaks TLS.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, lifespan="off", log_level="error", access_log=False, proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=1, ssl_certfile=leaf,
        http=door(Standing(1000, 1000), api=app) if isinstance(app, Api) else "httptools",
    )  # fmt: skip
    server, ready, found = uvicorn.Server(config), threading.Event(), []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        over = started(loop) if started is not None else None
        found.append(loop)
        ready.set()
        await server.serve(sockets=[listening])
        if over is not None:
            await over()

    thread = threading.Thread(target=lambda: uvloop.run(main()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield listening.getsockname()[1], found[0]
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive(), "a server did not stop"


@contextmanager
def pay(
    steps: tuple[Step, ...] = STEPS,
    policies: str = "",
    base: str = "",
    leaf: Path | None = None,
    settings: Settings = DEFAULTS,
    proxy_tls: ssl.SSLContext | None = None,
    shapes: Any = None,
    lineage: Any = None,
) -> Iterator[Pay]:
    """A governed API with a task that holds these steps; `base` is another one than this kit's own.

    With a `leaf` the API is at https://localhost, which the gate must find trusted; with `proxy_tls` the forward gate
    is spoken to under TLS. `shapes` and `lineage` are the API's connector and the brief's rule.
    """
    upstream = Behind()
    with tempfile.TemporaryDirectory() as text, running(upstream.app(), leaf=leaf) as (behind, _):
        own = f"https://localhost:{behind}/v1" if leaf else f"http://127.0.0.1:{behind}/v1"
        folder = Path(text)
        folder.chmod(0o700)
        world = World(folder).settle()
        act, due, hour = world.act, world.authority.clock.now() + 30 * DAY, 3_600_000
        owner = world.owner.id
        tools, _ = read(DOCUMENT)
        act(lambda c: resource.put_secret(c, "pay-key", Secret(KEY.encode())))
        act(
            lambda c: resource.add(
                c, name=NAME, upstream=Upstream(url=base or own), domain="office",
                owner=owner, kind="http", tools=tools,
                injections=(Injection(secret="pay-key", header="x-api-key"),), by="operator", shapes=shapes or {},
            )
        )  # fmt: skip
        world.agent = act(
            lambda c: agent.add(
                c, name="driver", owner=owner, purpose="Drives.", review_due=due, ceiling=(f"http:{NAME}/*",), keys=(),
                by="operator",
            )
        )  # fmt: skip
        every = policies or f'@id("all") permit(principal, action in Action::"http:{NAME}", resource);'
        never = (
            f'@id("no-admin") forbid(principal, action == Action::"http:{NAME}/admin", resource);\n'
            f'@id("big") forbid(principal, action == Action::"http:{NAME}/refund", resource)'
            ' when { context.args has note && context.args.note like "*secret*" };'
        )
        layers = {"common": {"base.cedar": f"{every}\n{never}"}, "delegated": {}, "own": {}}
        act(lambda c: policy.apply(c, layers, 1, "operator"))
        made = Brief(
            name="target", version=1, purpose="Drive.", steps=steps, dispatchers=(owner,), agents=(world.agent.id,),
            domains=("office",), life=8 * hour, idle=hour, credential_life=hour, lineage=lineage,
        )  # fmt: skip
        act(lambda c: brief.apply(c, made, "operator"))
        asked = {"request": "Refund what is open."} if lineage else {}
        errand = {"brief": "target", "agent": world.agent.id, "requester": owner, "by": owner} | asked
        opened = act(lambda c: task.open_task(c, **errand))
        given = act(lambda c: credential.give(c, task_id=opened.id, agent_id=world.agent.id, path=TrustPath.OWN))
        gate = Api(world.gate, "http://127.0.0.1:8787", settings)
        forward, door = Forward(world.gate, gate, proxy_tls), socket.create_server(("127.0.0.1", 0))

        def started(loop: Any) -> Any:
            detach = attach(world.batch, loop)
            begun = loop.create_task(forward.start(door))

            async def over() -> None:
                await begun
                await forward.close()
                await gate.close()
                while not world.batch.idle:  # noqa: ASYNC110 - the batch has no event to wait for
                    await asyncio.sleep(0.01)
                detach()

            return over

        with running(gate, started) as (port, loop):
            yield Pay(
                "",
                given.text,
                world,
                gate,
                opened,
                given.credential,
                loop,
                port=port,
                api=gate,
                upstream=upstream,
                forward=forward,
                proxy=door.getsockname()[1],
                behind=behind,
            )
        upstream.over.set()
        world.close()
