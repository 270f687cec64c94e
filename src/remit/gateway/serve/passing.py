"""One request on its way to an API, and its answer on the way back: whole, as a stream of events, or as a WebSocket."""

import asyncio
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from remit.core.answer import Deny
from remit.core.canonical import Json, write
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault, Lent, Permit
from remit.core.redact import Redactor
from remit.core.resource import Resource
from remit.gateway.api import fields
from remit.gateway.api.operations import Asked, Operations
from remit.gateway.api.rows import held, rows
from remit.gateway.authority import Authority
from remit.gateway.enforce import Ended, Event, Expired, Refuse
from remit.gateway.serve import sockets
from remit.gateway.serve.asgi import Receive, Send
from remit.gateway.serve.cleaning import cleaned
from remit.gateway.serve.drive import Run
from remit.gateway.serve.host import Settings
from remit.gateway.serve.sockets import Wanted
from remit.gateway.serve.talk import Talk
from remit.gateway.upstream import origin, tls
from remit.gateway.upstream.fault import Fault as Trouble
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Reply

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_LATE: Final = "permit_expired"
CUT: Final = Deny("cut", "What allowed this has ended, so it was cut.", "Stop; ask for a new task or credential.")
_NO_BODY: Final = frozenset({204, 304})
_FOLLOWED: Final = Deny(
    "upgrade_refused", "What passes through a WebSocket cannot be counted or followed.", "Do it by plain requests."
)


class Gate(Protocol):
    """What it needs of the gate that it belongs to."""

    authority: Authority
    settings: Settings
    running: "set[Passing]"

    def redactor(self, hidden: tuple[bytes, ...]) -> Redactor:
        """What takes these values out of answers."""


class Arrived(msgspec.Struct, frozen=True):
    """One request as it came: what it is, the fields that go on, where a redirect leads back to, and its client.

    `want` is the WebSocket that it asks for, on the line of `talk`.
    """

    asked: Asked
    sent: list[fields.Field]
    prefix: str
    receive: Receive
    send: Send
    want: Wanted | None = None
    talk: Talk | None = None

    __repr__ = object.__repr__


class Target:
    """One registered API: its connections, its own path, what its operations are."""

    def __init__(self, resource: Resource, patience: float) -> None:
        place, path = origin.parse(resource.upstream.url)
        self.resource = resource
        self.origin = f"{place.scheme}://{place.authority}"
        self.base = path.decode().rstrip("/")
        self.pool = Pool(place, tls=tls.context() if place.scheme == "https" else None, head_timeout=patience)
        self.sockets = 0
        self.operations: Operations | None = None
        self.pinned: object = None
        self.read = 0.0


class Passing:
    """One request on its way to the target, and its answer on the way back. Owned by the gate."""

    def __init__(self, gate: Gate, entry: Entry, target: Target, arrived: Arrived) -> None:
        self.entry = entry
        self._arrived = arrived
        self._gate = gate
        self._target = target
        self._asked = arrived.asked
        self._send = arrived.send
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._streaming = self._taken = False
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
            if not self._taken:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if isinstance(verdict, Refuse):
            why = verdict.why
            over = why.code == "rows_exceeded"
            status = 503 if isinstance(why, Fault) and not over else 401 if why.code.startswith("credential_") else 403
            text = why.told() if isinstance(why, Deny) else why.what
            await say(self._send, status, why.code, text)
        elif self._answer is not None:
            status, headers, body = self._answer
            await answer(self._send, status, headers, body, bodyless=self._asked.operation.method == "HEAD")

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
        if not permit.at(self._target.resource.upstream):
            self._fail(503, "resource_moved", "The API was registered anew while this was asked; ask again.")
            return Ended({"result": "not_sent", "error": "resource_moved"})
        own = {name for name, _ in lent.headers}
        sent = fields.countable(self._arrived.sent) if permit.counted else self._arrived.sent
        headers = [*(one for one in sent if one[0] not in own), *lent.headers]
        if self._asked.operation.upgrade:
            return await self._socket(permit, lent, headers)
        method = self._asked.operation.method
        outcome = await self._target.pool.request(
            method.encode(), self._asked.target, headers, self._asked.body, idempotent=method in _IDEMPOTENT,
            ready=lambda: self._gate.authority.fresh(permit),
        )  # fmt: skip
        if isinstance(outcome, Trouble):
            return self._troubled(outcome)
        async with outcome:
            return await self._back(outcome, lent, permit)

    async def _socket(self, permit: Permit, lent: Lent, headers: list[fields.Field]) -> Event | None:
        """Open a WebSocket and pass its messages until it ends: nobody can say how many rows they hold."""
        talk, want, target = self._arrived.talk, self._arrived.want, self._target
        if talk is None or want is None or permit.counted or permit.heed is not None or permit.carry is not None:
            self._fail(403, _FOLLOWED.code, _FOLLOWED.told())
            return Ended({"result": "not_sent", "error": _FOLLOWED.code})
        if target.sockets >= sockets.MOST:
            self._fail(503, "upstream_busy", "Too many WebSockets are open with this API.")
            return Ended({"result": "not_sent", "error": "upstream_busy"})
        target.sockets += 1
        try:
            found = await sockets.opened(
                target.pool, self._asked.target, headers, want, lambda: self._gate.authority.fresh(permit),
                self._gate.settings.answer,
            )  # fmt: skip
            if isinstance(found, Trouble):
                return self._troubled(found)
            if isinstance(found, sockets.Declined):
                return await self._whole(found.status, found.headers, found.body, lent, permit)
            self._streaming = self._taken = True
            bounds = self._gate.settings.body, self._gate.settings.answer
            up, down = await sockets.passed(
                talk, found, want, partial(cleaned, self._gate.redactor(lent.hidden)), bounds
            )
            return Ended({"result": "ok", "status": 101, "bytes": down, "sent": up})
        finally:
            target.sockets -= 1

    def _troubled(self, outcome: Trouble) -> Event:
        if outcome.code.value == _LATE:
            return Expired()
        self._fail(502, outcome.code.value, outcome.detail)
        return Ended({"result": "unknown" if outcome.sent else "not_sent", "error": outcome.code.value})

    async def _back(self, reply: Reply, lent: Lent, permit: Permit) -> Ended:
        kind = (reply.header(b"content-type") or b"").partition(b";")[0].strip().lower()
        coded = (reply.header(b"content-encoding") or b"identity").strip().lower() != b"identity"
        if kind == b"text/event-stream" and reply.status == 200 and not permit.counted and not coded:
            return await self._stream(reply, self._headers(reply.headers, lent), self._gate.redactor(lent.hidden))
        body = b"" if coded else await reply.read(self._gate.settings.answer)
        return await self._whole(reply.status, reply.headers, body, lent, permit)

    def _headers(self, given: list[fields.Field], lent: Lent) -> list[fields.Field]:
        redactor, target = self._gate.redactor(lent.hidden), self._target
        headers = fields.back(given, target.origin, target.base, self._arrived.prefix)
        return [(name, redactor.redact(value)) for name, value in headers]

    async def _whole(self, status: int, given: list[fields.Field], body: bytes, lent: Lent, permit: Permit) -> Ended:
        """An answer that has come whole, cleaned of what was lent."""
        if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in given):
            self._fail(502, "upstream_garbage", "The API's answer is compressed, which was not asked for.")
            return Ended({"result": "withheld", "error": "upstream_garbage"})
        clean = await cleaned(self._gate.redactor(lent.hidden), body)
        self._answer = status, self._headers(given, lent), clean
        result: dict[str, Json] = {"result": "ok" if status < 400 else "error", "status": status}
        kind = dict(given).get(b"content-type", b"").partition(b";")[0].strip().lower()
        result |= {"bytes": len(clean), "rows": rows(kind, clean) if permit.counted else None}
        said = None if permit.heed is None and permit.carry is None else held(kind, clean)
        return Ended(result if said is None else result | {"answer": said[0]})

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
        while (await self._arrived.receive())["type"] != "http.disconnect":
            pass
        self.stop()

    def _fail(self, status: int, code: str, what: str) -> None:
        if not self._streaming:
            self._answer = status, [(b"content-type", b"application/json")], write({"code": code, "message": what})


async def answer(send: Send, status: int, headers: list[fields.Field], body: bytes, *, bodyless: bool = False) -> None:
    """Send a whole answer."""
    silent = bodyless or status in _NO_BODY
    sized = headers if silent else [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": b"" if silent else body})


async def say(send: Send, status: int, code: str, text: str, more: list[fields.Field] | None = None) -> None:
    """Send a code and what it means."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *(more or ())]
    await answer(send, status, headers, write({"code": code, "message": text}))
