"""The HTTP gate as a raw ASGI application: `/http/{resource}/…`, each request one operation of a registered API.

Owned by the composition root, on one event loop. The agent shows its credential where the API wants its key; the key is
put in after the decision, and taken out of what comes back. A redirect is never followed. What a target streams as
events passes as it comes, and is cut when what allowed it has ended.
"""

import asyncio
from typing import Any, Final

import h11

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.operation import METHODS, Request
from remit.core.permit import Entry, Fault, Unknown
from remit.core.resource import Resource
from remit.gateway.api import fields
from remit.gateway.api.operations import Asked, Operations
from remit.gateway.authority import Authority
from remit.gateway.serve import asgi
from remit.gateway.serve.asgi import Receive, Scope, Send
from remit.gateway.serve.challenge import CERTIFICATE, challenges
from remit.gateway.serve.cleaning import redactors
from remit.gateway.serve.drive import setter
from remit.gateway.serve.host import Settings
from remit.gateway.serve.line import Line
from remit.gateway.serve.passing import Arrived, Passing, Target, say
from remit.gateway.serve.proofs import Proofs
from remit.gateway.serve.sockets import Wanted, wanted
from remit.gateway.serve.talk import TALK, Talk

PREFIX: Final = "/http/"
DEFAULTS: Final = Settings()
TICK_S: Final = 0.5
KNOWN_S: Final = 0.25
"""How long the operations of a resource are taken as they were read."""


class Api:
    """The gate. Call it as an ASGI application; `close` it before the loop ends."""

    def __init__(self, authority: Authority, issuer: str, settings: Settings = DEFAULTS) -> None:
        self.authority = authority
        self.settings = settings
        self.running: set[Passing] = set()
        self._issuer = issuer
        self._proofs = Proofs(authority)
        self._targets: dict[str, Target] = {}
        self._taken: dict[asyncio.Task[None], Line] = {}
        self.redactor = redactors()
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            await self._request(scope, receive, send)
        except RemitError as fault:
            await say(send, 400, fault.code, f"{fault.message} {fault.remedy}")

    def upgraded(self, line: Line, scope: dict[str, Any]) -> None:
        """Take over a connection whose request asks for a WebSocket; what it came with stands at its beginning."""
        task = asyncio.get_running_loop().create_task(self._upgraded(line, scope.get(CERTIFICATE, "")))
        self._taken[task] = line
        task.add_done_callback(self._taken.pop)

    async def _upgraded(self, line: Line, certificate: str) -> None:
        talk = Talk(line)
        try:
            scope = await talk.next()
            if scope is not None:
                scope[CERTIFICATE] = certificate
                await self(scope, talk.receive, talk.send)
        except (ConnectionResetError, TimeoutError, h11.RemoteProtocolError):
            pass
        finally:
            line.close()

    async def close(self) -> None:
        """Cut what runs, end every connection. For good."""
        if self._timer is not None:
            self._timer.cancel()
        for one in tuple(self.running):
            one.stop()
        await asyncio.sleep(0)
        for line in tuple(self._taken.values()):
            line.abort()
        if self._taken:
            await asyncio.wait(tuple(self._taken), timeout=5)
        for target in self._targets.values():
            target.pool.close()

    def look(self) -> None:
        """Cut what has ended."""
        if self.running:
            live = self.authority.live(sorted({one.entry.credential for one in self.running}))
            for one in tuple(self.running):
                if one.entry.credential not in live:
                    one.stop()

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self.look()

    # One request.

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._timer is None:
            self._tick()
        raw = scope.get("raw_path", b"") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1")
        name, slash, rest = path.removeprefix(PREFIX).partition("/")
        entry = await self._enter(scope, name)
        if not isinstance(entry, Entry):
            await self._challenge(send, entry)
            return
        resource = self.authority.resource(name)
        if isinstance(resource, Fault):
            await say(send, 503, resource.code, resource.what)
        elif resource is None or resource.kind != "http" or not slash:
            await say(send, 404, "resource_unknown", "There is no such API.")
        else:
            target = self.target(resource)
            await self._govern(scope, receive, send, entry, target, (f"/{rest}", f"{PREFIX}{resource.name}"))

    async def forward(
        self, scope: Scope, receive: Receive, send: Send, entry: Entry, resource: Resource, path: str
    ) -> None:
        """Answer one request whose client knows the API by its own address; `path` is below the API's own."""
        if self._timer is None:
            self._tick()
        target = self.target(resource)
        try:
            await self._govern(scope, receive, send, entry, target, (path, target.base))
        except RemitError as fault:
            await say(send, 400, fault.code, f"{fault.message} {fault.remedy}")

    async def _govern(
        self, scope: Scope, receive: Receive, send: Send, entry: Entry, target: Target, way: tuple[str, str]
    ) -> None:
        """Govern one request: `way` is its path below the API's own, and what a redirect's place begins with."""
        path, prefix = way
        body = await asgi.body(scope, receive, self.settings.body)
        if isinstance(body, asgi.Lost):
            if body is asgi.Lost.LARGE:
                await self._refuse(send, entry, 413, Deny("body_too_large", "The body is too large."))
            return
        try:
            asked, sent, want = self._asked(scope, target, path, body)
        except RemitError as why:
            status = 404 if why.code == "operation_unknown" else 405 if why.code == "target_invalid" else 400
            await self._refuse(send, entry, status, Deny(why.code, why.message, why.remedy))
            return
        passing = Passing(self, entry, target, Arrived(asked, sent, prefix, receive, send, want, scope.get(TALK)))
        verdict = await passing.govern()
        await passing.finish(verdict)

    def _asked(
        self, scope: Scope, target: Target, path: str, body: bytes
    ) -> tuple[Asked, list[fields.Field], Wanted | None]:
        if scope["method"] not in METHODS:
            raise RemitError("target_invalid", "This method is not passed on.", "Use a plain HTTP method.")
        given = [(key.lower(), value) for key, value in scope["headers"]]
        kind = next((value for key, value in given if key == b"content-type"), b"").decode("latin-1")
        names = frozenset(key.decode("latin-1") for key, _ in given)
        want = wanted(given) if TALK in scope else None
        if want is not None:
            names -= {"upgrade"}
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), names, kind, body)
        asked = self._operations(target).asked(request, target.base)
        if asked.operation.upgrade != (want is not None):
            raise RemitError(
                "upgrade_refused", "This operation is no WebSocket, or is one.", "Ask for it as it is described."
            )
        return asked, fields.there(given, body=bool(asked.body), media=asked.media), want

    def _operations(self, target: Target) -> Operations:
        now = asyncio.get_running_loop().time()
        if target.operations is None or now - target.read > KNOWN_S:
            pinned = self.authority.definitions(target.resource.name)
            if isinstance(pinned, Fault):
                raise RemitError(pinned.code, pinned.what, "Try again.")
            if target.operations is None or pinned is not target.pinned:
                target.operations, target.pinned = Operations(target.resource.name, pinned), pinned
            target.read = now
        return target.operations

    def target(self, resource: Resource) -> Target:
        """Where this API is, as it is registered now."""
        held = self._targets.get(resource.name)
        if held is None or held.resource.upstream != resource.upstream:
            if held is not None:
                held.pool.close()
            held = self._targets[resource.name] = Target(resource, self.settings.patience)
        return held

    async def _enter(self, scope: Scope, name: str) -> Entry | Unknown | None:
        if not name.replace("-", "").isalnum() or not name.isascii():
            return None
        shown, proofs = ([held for key, held in scope["headers"] if key == one] for one in (b"authorization", b"dpop"))
        url = self._issuer + (scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1") or scope["path"])
        return await self._proofs.presented(scope, shown, proofs, name, url)

    async def _challenge(self, send: Send, why: Unknown | None) -> None:
        code = why.code if why is not None else "credential_missing"
        text = why.what if why is not None else "Show a credential for this API, where its own key would stand."
        await say(send, 401, code, text, challenges("", why))

    async def record(self, entry: Entry, why: Deny, host: str = "") -> Deny | Fault:
        """Record what the gate refuses by itself, and for which host it was; say what may be told of it."""
        recorded: asyncio.Future[Deny | Fault] = asyncio.get_running_loop().create_future()
        resource = self.authority.resource(entry.resource)
        scheme = resource.scheme if isinstance(resource, Resource) else "http"
        said: dict[str, Json] = {"statement": "refused"} | ({"host": host} if host else {})
        call = Call(f"{scheme}:{entry.resource}/@session", said)
        self.authority.refuse(call, entry, why, setter(recorded))
        return await recorded

    async def _refuse(self, send: Send, entry: Entry, status: int, why: Deny) -> None:
        """Record what the gate refuses by itself, then tell it."""
        told = await self.record(entry, why)
        if isinstance(told, Deny) and told.code == why.code:
            await say(send, status, told.code, told.told())
        else:
            text = told.told() if isinstance(told, Deny) else told.what
            await say(send, 403 if isinstance(told, Deny) else 503, told.code, text)
