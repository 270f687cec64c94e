"""The HTTP gate as a raw ASGI application: `/http/{resource}/…`, each request one operation of a registered API.

Owned by the composition root, on one event loop. The agent shows its credential where the API wants its key; the key is
put in after the decision, and taken out of what comes back. A redirect is never followed. What a target streams as
events passes as it comes, and is cut when what allowed it has ended.
"""

import asyncio
from collections import OrderedDict
from typing import Any, Final

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json, write
from remit.core.errors import RemitError
from remit.core.operation import METHODS, Request
from remit.core.permit import Entry, Fault, Lent, Manner, Permit, Unknown
from remit.core.redact import Redactor
from remit.core.resource import Resource
from remit.gateway.api import fields
from remit.gateway.api.operations import Asked, Operations
from remit.gateway.api.rows import rows
from remit.gateway.authority import Authority
from remit.gateway.enforce import Ended, Event, Expired, Refuse
from remit.gateway.serve import asgi
from remit.gateway.serve.asgi import Receive, Scope, Send
from remit.gateway.serve.challenge import CERTIFICATE, challenges
from remit.gateway.serve.drive import Run, setter
from remit.gateway.serve.host import Settings
from remit.gateway.upstream import origin, tls
from remit.gateway.upstream.fault import Fault as Trouble
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Reply

PREFIX: Final = "/http/"
DEFAULTS: Final = Settings()
TICK_S: Final = 0.5
KNOWN_S: Final = 0.25
"""How long the operations of a resource are taken as they were read."""
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_LATE: Final = "permit_expired"
CUT: Final = Deny("cut", "What allowed this has ended, so it was cut.", "Stop; ask for a new task or credential.")
_NO_BODY: Final = frozenset({204, 304})


class Target:
    """One registered API: its connections, its own path, what its operations are."""

    def __init__(self, resource: Resource, patience: float) -> None:
        place, path = origin.parse(resource.upstream.url)
        self.resource = resource
        self.origin = f"{place.scheme}://{place.authority}"
        self.base = path.decode().rstrip("/")
        self.pool = Pool(place, tls=tls.context() if place.scheme == "https" else None, head_timeout=patience)
        self.operations: Operations | None = None
        self.pinned: object = None
        self.read = 0.0


class Api:
    """The gate. Call it as an ASGI application; `close` it before the loop ends."""

    def __init__(self, authority: Authority, issuer: str, settings: Settings = DEFAULTS) -> None:
        self.authority = authority
        self.settings = settings
        self.running: set[Passing] = set()
        self._issuer = issuer
        self._targets: dict[str, Target] = {}
        self._redactors: OrderedDict[tuple[bytes, ...], Redactor] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            await self._request(scope, receive, send)
        except RemitError as fault:
            await _say(send, 400, fault.code, f"{fault.message} {fault.remedy}")

    async def close(self) -> None:
        """Cut what runs, end every connection. For good."""
        if self._timer is not None:
            self._timer.cancel()
        for one in tuple(self.running):
            one.stop()
        await asyncio.sleep(0)
        for target in self._targets.values():
            target.pool.close()

    def look(self) -> None:
        """Cut what has ended."""
        if self.running:
            live = self.authority.live(sorted({one.entry.credential for one in self.running}))
            for one in tuple(self.running):
                if one.entry.credential not in live:
                    one.stop()

    def redactor(self, hidden: tuple[bytes, ...]) -> Redactor:
        """What takes these values out of answers."""
        held = self._redactors.get(hidden)
        if held is None:
            held = self._redactors[hidden] = Redactor(hidden)
            if len(self._redactors) > 64:
                self._redactors.popitem(last=False)
        return held

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
        entry = self._enter(scope, name)
        if not isinstance(entry, Entry):
            await self._challenge(send, entry)
            return
        resource = self.authority.resource(name)
        if isinstance(resource, Fault):
            await _say(send, 503, resource.code, resource.what)
        elif resource is None or resource.kind != "http" or not slash:
            await _say(send, 404, "resource_unknown", "There is no such API.")
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
            await _say(send, 400, fault.code, f"{fault.message} {fault.remedy}")

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
            asked, sent = self._asked(scope, target, path, body)
        except RemitError as why:
            status = 404 if why.code == "operation_unknown" else 405 if why.code == "target_invalid" else 400
            await self._refuse(send, entry, status, Deny(why.code, why.message, why.remedy))
            return
        passing = Passing(self, entry, target, asked, sent, (receive, send), prefix)
        verdict = await passing.govern()
        await passing.finish(verdict)

    def _asked(self, scope: Scope, target: Target, path: str, body: bytes) -> tuple[Asked, list[fields.Field]]:
        if scope["method"] not in METHODS:
            raise RemitError("target_invalid", "This method is not passed on.", "Use a plain HTTP method.")
        given = [(key.lower(), value) for key, value in scope["headers"]]
        kind = next((value for key, value in given if key == b"content-type"), b"").decode("latin-1")
        names = frozenset(key.decode("latin-1") for key, _ in given)
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), names, kind, body)
        asked = self._operations(target).asked(request, target.base)
        return asked, fields.there(given, body=bool(asked.body))

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

    def _enter(self, scope: Scope, name: str) -> Entry | Unknown | None:
        shown = [value for key, value in scope["headers"] if key == b"authorization"]
        if len(shown) != 1 or not name.replace("-", "").isalnum() or not name.isascii():
            return None
        scheme, _, token = shown[0].partition(b" ")
        proofs = tuple(value.decode("latin-1") for key, value in scope["headers"] if key == b"dpop")
        if scheme.lower() not in (b"bearer", b"dpop") or not token.isascii():
            return None
        url = self._issuer + (scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1") or scope["path"])
        manner = Manner(scheme.lower().decode(), proofs, scope["method"], url, scope.get(CERTIFICATE, ""))
        return self.authority.enter(token.strip().decode(), name, manner)

    async def _challenge(self, send: Send, why: Unknown | None) -> None:
        code = why.code if why is not None else "credential_missing"
        text = why.what if why is not None else "Show a credential for this API, where its own key would stand."
        await _say(send, 401, code, text, challenges("", why))

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
            await _say(send, status, told.code, told.told())
        else:
            text = told.told() if isinstance(told, Deny) else told.what
            await _say(send, 403 if isinstance(told, Deny) else 503, told.code, text)


class Passing:
    """One request on its way to the target, and its answer on the way back. Owned by the gate."""

    def __init__(
        self,
        gate: Api,
        entry: Entry,
        target: Target,
        asked: Asked,
        sent: list[fields.Field],
        client: tuple[Receive, Send],
        prefix: str,
    ) -> None:
        self.entry = entry
        self._prefix = prefix
        self._gate = gate
        self._target = target
        self._asked = asked
        self._sent = sent
        self._receive, self._send = client
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._streaming = False
        self._answer: tuple[int, list[fields.Field], bytes] | None = None

    async def govern(self) -> object:
        """Have it decided, forwarded and noted."""
        loop = asyncio.get_running_loop()
        return await Run(self._gate.authority, self._carry, loop).start(self._asked.call, self.entry)

    def stop(self) -> None:
        """Cut it: what allowed it has ended."""
        if self._task is not None and not self._stopped:
            self._stopped = True
            self._task.cancel()

    async def finish(self, verdict: object) -> None:
        """Answer, now that it is recorded how it ended."""
        if self._streaming:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if isinstance(verdict, Refuse):
            why = verdict.why
            over = why.code == "rows_exceeded"
            status = 503 if isinstance(why, Fault) and not over else 401 if why.code.startswith("credential_") else 403
            text = why.told() if isinstance(why, Deny) else why.what
            await _say(self._send, status, why.code, text)
        elif self._answer is not None:
            status, headers, body = self._answer
            await _answer(self._send, status, headers, body, bodyless=self._asked.operation.method == "HEAD")

    async def _carry(self, permit: Permit, lent: Lent) -> Event | None:
        self._gate.running.add(self)
        self._task = task = asyncio.current_task()
        try:
            return await self._exchange(permit, lent)
        except asyncio.CancelledError:
            if not self._stopped or task is None:
                raise
            task.uncancel()
            self._fail(403, CUT.code, CUT.told())
            return Ended({"result": "cut"})
        except ConnectionResetError:
            return Ended({"result": "cut"})
        except RemitError as fault:
            self._fail(502, fault.code, fault.message)
            return Ended({"result": "unknown", "error": fault.code})
        finally:
            self._task = None
            self._gate.running.discard(self)

    async def _exchange(self, permit: Permit, lent: Lent) -> Event | None:
        own = {name for name, _ in lent.headers}
        headers = [*(one for one in self._sent if one[0] not in own), *lent.headers]
        method = self._asked.operation.method
        outcome = await self._target.pool.request(
            method.encode(), self._asked.target, headers, self._asked.body, idempotent=method in _IDEMPOTENT,
            ready=lambda: self._gate.authority.fresh(permit),
        )  # fmt: skip
        if isinstance(outcome, Trouble):
            if outcome.code.value == _LATE:
                return Expired()
            self._fail(502, outcome.code.value, outcome.detail)
            return Ended({"result": "unknown" if outcome.sent else "not_sent", "error": outcome.code.value})
        async with outcome:
            return await self._back(outcome, lent, counted=bool(permit.counted))

    async def _back(self, reply: Reply, lent: Lent, *, counted: bool) -> Ended:
        coding = (reply.header(b"content-encoding") or b"identity").strip().lower()
        if coding != b"identity":
            self._fail(502, "upstream_garbage", "The API's answer is compressed, which was not asked for.")
            return Ended({"result": "withheld", "error": "upstream_garbage"})
        headers = fields.back(reply.headers, self._target.origin, self._target.base, self._prefix)
        redactor = self._gate.redactor(lent.hidden)
        headers = [(name, redactor.redact(value)) for name, value in headers]
        kind = (reply.header(b"content-type") or b"").partition(b";")[0].strip().lower()
        if kind == b"text/event-stream" and reply.status == 200 and not counted:
            return await self._stream(reply, headers, redactor)
        body = redactor.redact(await reply.read(self._gate.settings.answer))
        self._answer = reply.status, headers, body
        result: dict[str, Json] = {"result": "ok" if reply.status < 400 else "error", "status": reply.status}
        return Ended(result | {"bytes": len(body), "rows": rows(kind, body) if counted else None})

    async def _stream(self, reply: Reply, headers: list[fields.Field], redactor: Redactor) -> Ended:
        """Events pass as they come; that they have ended is noted before the stream is closed."""
        self._streaming = True
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"", "more_body": True})
        clean, size = redactor.stream(), 0
        watch = asyncio.get_running_loop().create_task(self._left())
        try:
            async for chunk in reply:
                data = clean.feed(chunk)
                size += len(data)
                if data:
                    await self._send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            watch.cancel()
        data = clean.end()
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        return Ended({"result": "ok", "status": 200, "bytes": size + len(data)})

    async def _left(self) -> None:
        """Cut the stream when its client has left: nobody reads on."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.stop()

    def _fail(self, status: int, code: str, what: str) -> None:
        if not self._streaming:
            self._answer = status, [(b"content-type", b"application/json")], write({"code": code, "message": what})


async def _answer(send: Send, status: int, headers: list[fields.Field], body: bytes, *, bodyless: bool = False) -> None:
    silent = bodyless or status in _NO_BODY
    sized = headers if silent else [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": b"" if silent else body})


async def _say(send: Send, status: int, code: str, text: str, more: list[fields.Field] | None = None) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *(more or ())]
    await _answer(send, status, headers, write({"code": code, "message": text}))
