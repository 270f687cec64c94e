"""The MCP gate as a raw ASGI application: `POST`, `GET` and `DELETE` on `/mcp/{resource}`.

Owned by the composition root, on one event loop. It keeps connections, processes and legacy sessions; it decides
nothing: every message that goes on has a permit of its own. Bodies over 4 MiB are refused (413), foreign origins (403),
and whoever shows no credential for the resource (401, RFC 6750 and RFC 9728).
"""

import asyncio
import functools
import re
from typing import Any, Final
from urllib.parse import urlsplit

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import write
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault, Unknown
from remit.core.resource import Resource
from remit.gateway.authority import Authority
from remit.gateway.enforce import Refuse
from remit.gateway.mcp import answer
from remit.gateway.mcp import headers as heads
from remit.gateway.mcp import message as messages
from remit.gateway.mcp import method as methods
from remit.gateway.mcp.message import Message, Wrong, parse
from remit.gateway.serve import asgi
from remit.gateway.serve.asgi import Outlet, Receive, Scope, Send
from remit.gateway.serve.challenge import SHOWING, challenges
from remit.gateway.serve.cleaning import redactors
from remit.gateway.serve.drive import setter
from remit.gateway.serve.exchange import Exchange
from remit.gateway.serve.host import Settings
from remit.gateway.serve.legs import Legs
from remit.gateway.serve.proofs import Proofs
from remit.gateway.serve.session import Sessions

PREFIX: Final = "/mcp/"
PAGE: Final = "/console/approvals"
"""Where people answer what calls wait for."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
DEFAULTS: Final = Settings()
TICK_S: Final = 0.5
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_WANTED: Final = frozenset(
    {
        b"authorization", b"origin", b"host", b"accept", b"content-type", b"mcp-protocol-version", b"mcp-method",
        b"mcp-name", b"mcp-session-id", b"last-event-id", b"dpop",
    }
)  # fmt: skip


class Mcp:
    """The gate. Call it as an ASGI application; `close` it before the loop ends."""

    def __init__(self, authority: Authority, issuer: str, settings: Settings = DEFAULTS) -> None:
        self.authority = authority
        self.settings = settings
        self.sessions = Sessions()
        self.running: set[Any] = set()
        self.legs = Legs(self)
        self._issuer = issuer
        self.page = f"{issuer}{PAGE}"
        self._proofs = Proofs(authority)
        parts = urlsplit(issuer)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._local = parts.hostname in _LOOPBACK
        self.redactor = redactors()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the gate lives on: the one of its first request."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._timer = self._loop.call_later(TICK_S, self._tick)
        return self._loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        out = Outlet(send)
        try:
            await self._request(scope, receive, out)
        except RemitError as fault:
            if not out.closed:
                await out.say(500, messages.error(None, messages.INTERNAL, fault.message, {"code": fault.code}))

    async def close(self) -> None:
        """Cut what runs, stop every process, end every connection. For good."""
        if self._timer is not None:
            self._timer.cancel()
        for exchange in tuple(self.running):
            exchange.stop("cut")
        await asyncio.sleep(0)
        await self.legs.close()

    # What exchanges need.

    def read(self, data: bytes) -> Message | Wrong:
        """Read what a target sent."""
        return parse(data)

    def observe(self, exchange: Any) -> None:
        """Watch whether the client of this exchange leaves."""
        if exchange.watch is None and exchange.receive is not None:
            exchange.watch = self.loop.create_task(_watch(exchange, exchange.receive))

    # One request.

    async def _request(self, scope: Scope, receive: Receive, out: Outlet) -> None:
        name = scope["path"].removeprefix(PREFIX)
        raw = scope.get("raw_path", b"").partition(b"?")[0]
        if not _NAME.fullmatch(name) or raw not in (b"", scope["path"].encode()):
            # One resource has one spelling: whatever stands in front must see the address that is decided on.
            text = "There is no such resource."
            await out.say(404, messages.error(None, messages.REQUEST, text, {"code": "resource_unknown"}))
            return
        given: dict[bytes, list[bytes]] = {}
        for key, value in scope["headers"]:
            if key in _WANTED or key.startswith(b"mcp-param-"):
                given.setdefault(key, []).append(value)
        if not self._welcome(given):
            await out.say(
                403, messages.error(None, messages.REQUEST, "This origin is refused.", {"code": "origin_refused"})
            )
            return
        method = scope["method"]
        if method not in ("POST", "GET", "DELETE"):
            out.headers.append((b"allow", b"POST, GET, DELETE"))
            await out.say(405, messages.error(None, messages.REQUEST, "Use POST, GET or DELETE."))
            return
        entry = await self._enter(given, name, scope, out)
        if not isinstance(entry, Entry):
            await self._challenge(out, name, entry)
            return
        resource = self.authority.resource(name)
        if isinstance(resource, Fault):
            out.headers.append((b"retry-after", b"1"))
            await out.say(503, messages.error(None, messages.INTERNAL, resource.what, {"code": resource.code}))
        elif resource is None or resource.kind != "mcp":
            text = "There is no such resource."
            await out.say(404, messages.error(None, messages.REQUEST, text, {"code": "resource_unknown"}))
        elif method == "POST":
            await self._post(scope, receive, out, given, entry, resource)
        else:
            await self._stream_or_end(method, receive, out, given, entry, resource)

    def _welcome(self, given: dict[bytes, list[bytes]]) -> bool:
        """Refuse other origins, and other names for a loopback address (DNS rebinding)."""
        for value in given.get(b"origin", ()):
            text = value.decode("latin-1")
            local = self._local and urlsplit(text).hostname in _LOOPBACK
            if text != self._origin and text not in self.settings.origins and not local:
                return False
        if self._local:
            hosts = given.get(b"host", [])
            return len(hosts) <= 1 and all(map(_loopback, hosts))
        return True

    async def _enter(
        self, given: dict[bytes, list[bytes]], name: str, scope: Scope, out: Outlet
    ) -> Entry | Unknown | None:
        shown, proofs = given.get(b"authorization", ()), given.get(b"dpop", ())
        found = await self._proofs.presented(scope, shown, proofs, name, f"{self._issuer}{PREFIX}{name}")
        if isinstance(found, Entry) and found.nonce:
            out.headers.append((b"dpop-nonce", found.nonce.encode()))
        return found

    async def _challenge(self, out: Outlet, name: str, why: Unknown | Deny | None) -> None:
        place = f"{self._issuer}/.well-known/oauth-protected-resource/mcp/{name}"
        out.headers += challenges(place if name.replace("-", "").isalnum() else "", why)
        text = why.what if why is not None else "Show a credential for this resource."
        code = why.code if why is not None else "credential_missing"
        await out.say(401, messages.error(None, messages.REFUSED, text, {"code": code}))

    async def _post(
        self,
        scope: Scope,
        receive: Receive,
        out: Outlet,
        given: dict[bytes, list[bytes]],
        entry: Entry,
        resource: Resource,
    ) -> None:
        kind = given.get(b"content-type", [b""])[0].partition(b";")[0].strip().lower()
        if kind != b"application/json":
            await self.turn_away(out, entry, resource, 415, Deny("content_type_unsupported", "Send application/json."))
            return
        if not _accepts(given, b"application/json", b"text/event-stream"):
            text = "Accept application/json and text/event-stream."
            await self.turn_away(out, entry, resource, 406, Deny("accept_unsupported", text))
            return
        data = await asgi.body(scope, receive, self.settings.body)
        if isinstance(data, asgi.Lost):
            if data is asgi.Lost.LARGE:
                out.headers.append((b"connection", b"close"))
                text = f"A body may have {self.settings.body} octets."
                await self.turn_away(out, entry, resource, 413, Deny("body_too_large", text))
            return
        message = parse(data)
        if isinstance(message, Wrong):
            if not await self.refused(
                out, entry, methods.session(resource.name, "POST"), Deny(message.why, message.text), None
            ):
                await out.say(400, answer.wrong(None, message))
            return
        modern = heads.modern(given, message)
        wrong = heads.agree(given, message) if modern else heads.contradicts(given, message)
        if message.method == "initialize" and not modern:
            wrong = wrong or heads.too_old(message)
        if wrong is not None:
            call = methods.session(resource.name, message.method)
            if not await self.refused(out, entry, call, Deny(wrong.why, wrong.text), message, modern=modern):
                await out.say(400, answer.wrong(message.id, wrong))
            return
        await self.legs.post(entry, resource, message, given, receive, out, modern=modern)

    async def _stream_or_end(
        self,
        method: str,
        receive: Receive,
        out: Outlet,
        given: dict[bytes, list[bytes]],
        entry: Entry,
        resource: Resource,
    ) -> None:
        session = given.get(b"mcp-session-id")
        if not session:
            out.headers.append((b"allow", b"POST"))
            why = Deny("session_missing", "Without a session there is only POST.")
            await self.turn_away(out, entry, resource, 405, why)
        elif method == "GET" and not _accepts(given, b"text/event-stream"):
            why = Deny("accept_unsupported", "Accept text/event-stream.")
            await self.turn_away(out, entry, resource, 406, why)
        else:
            await self.legs.stream_or_end(method, entry, resource, given, receive, out)

    # What requests share.

    async def turn_away(
        self, out: Outlet, entry: Entry, resource: Resource, status: int, why: Deny, message: Message | None = None
    ) -> None:
        """Refuse a request of an agent that is known, before it is a call: recorded like any denial, then told."""
        if await self.refused(out, entry, methods.session(resource.name, "refused"), why, message):
            return
        kind = messages.REFUSED if status == 404 else messages.REQUEST
        number = message.id if message is not None and message.method else None
        await out.say(status, messages.error(number, kind, why.what, {"code": why.code}))

    async def refused(
        self, out: Outlet, entry: Entry, call: Call, why: Deny, message: Message | None, *, modern: bool = False
    ) -> bool:
        """Record a refusal of the gate's own, before it is told; say whether it has been told already.

        It has when what the credential rests on has ended: that is recorded instead, and told as to a call.
        """
        recorded: asyncio.Future[Deny | Fault] = self.loop.create_future()
        self.authority.refuse(call, entry, why, setter(recorded))
        told = await recorded
        if not isinstance(told, Deny) or told.code == why.code:
            return False
        if told.code.startswith(SHOWING):
            await self._challenge(out, entry.resource, told)
        elif message is not None and message.method and message.id is not None:
            body = answer.refused(message, told, modern=modern)
            await out.say(answer.status(body, modern=modern), body)
        else:
            await out.say(403, messages.error(None, messages.REFUSED, told.told(), {"code": told.code}))
        return True

    async def finish(self, exchange: Any, verdict: object) -> None:
        """Answer an exchange that has ended."""
        out, message = exchange.out, exchange.message
        if out is None:
            return
        if isinstance(verdict, Refuse):
            why = verdict.why
            if isinstance(why, Deny) and why.code.startswith(SHOWING) and not out.streaming:
                await self._challenge(out, exchange.entry.resource, why)
                return
            body = answer.refused(message, why, modern=exchange.modern, page=exchange.page)
            exchange.data = write(body)
            exchange.status = answer.status(body, modern=exchange.modern) if message.id is not None else 400
            if message.id is None and message.method != "GET" and not message.method:
                exchange.status = 403
        elif verdict is None or exchange.stopped == "left":
            await out.end()
            return
        if message.id is None and not isinstance(verdict, Refuse):
            if out.streaming:
                await out.end()
            else:
                passed = 200 if message.method == "DELETE" else 202
                await out.answer(passed if exchange.status < 400 else exchange.status, exchange.data)
            return
        await out.answer(exchange.status, exchange.data, exchange.last)

    def _tick(self) -> None:
        loop = self.loop
        self._timer = loop.call_later(TICK_S, self._tick)
        self.look()

    def look(self) -> None:
        """Cut what has ended, watch clients that wait long, stop what nobody may use any more."""
        now = self.loop.time()
        if self.running:
            live = self.authority.live(sorted({one.entry.credential for one in self.running}))
            for exchange in tuple(self.running):
                if exchange.entry.credential not in live:
                    exchange.stop("cut")
                elif exchange.watch is None and now - exchange.began > TICK_S:
                    self.observe(exchange)
        self.legs.tick(now)


@functools.lru_cache(maxsize=64)
def _loopback(host: bytes) -> bool:
    return urlsplit(f"//{host.decode('latin-1')}").hostname in _LOOPBACK


async def _watch(exchange: Exchange, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.stop("left")


def _accepts(given: dict[bytes, list[bytes]], *kinds: bytes) -> bool:
    told = b",".join(given.get(b"accept", [])).lower()
    return b"*/*" in told or all(kind in told for kind in kinds)
