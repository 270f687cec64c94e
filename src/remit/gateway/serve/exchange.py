"""One governed exchange: a message on its way to the target, and what comes back on its way to the client."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json, write
from remit.core.permit import Entry, Fault, Lent, Permit
from remit.gateway.enforce import Answer, Ended, Event, Refuse
from remit.gateway.mcp import answer, bridge, lists, reverse
from remit.gateway.mcp import message as messages
from remit.gateway.mcp.headers import annotated
from remit.gateway.mcp.message import Message, Wrong
from remit.gateway.mcp.method import LISTS
from remit.gateway.serve.asgi import Outlet, Receive
from remit.gateway.serve.cleaning import cleaned
from remit.gateway.serve.drive import Run, decided, release, setter
from remit.gateway.serve.host import Host
from remit.gateway.serve.session import Contact, Session
from remit.gateway.upstream import sse

SAME, TO_LEGACY, TO_MODERN = "same", "to_legacy", "to_modern"
CUT: Final = Deny("cut", "What allowed this has ended, so it was cut.", "Stop; ask for a new task or credential.")
Carrier = Callable[["Exchange"], Awaitable[Event | None]]
Back = Callable[[dict[str, Json]], Awaitable[None]]


class Exchange:
    """One message with its entry, its leg and its outlet. Owned by the request that it answers, or by a parked stream.

    `out` is where the client is told; without one the response is kept in `value`, for what the gate asks by itself.
    """

    def __init__(
        self,
        gate: Host,
        entry: Entry,
        message: Message,
        carrier: Carrier,
        *,
        modern: bool,
        mode: str = SAME,
        contact: Contact,
        session: Session | None = None,
        out: Outlet | None = None,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self.gate = gate
        self.entry = entry
        self.message = message
        self.modern = modern
        self.mode = mode
        self.contact = contact
        self.session = session
        self.out = out
        self.headers = headers or []
        self.permit: Permit | None = None
        self.lent = Lent()
        self.value: dict[str, Json] | None = None
        self.data = b""
        self.status = 200
        self.last: sse.Event | None = None
        self.stopped = ""
        self.began = 0.0
        self.sent = False
        self.upstream_session = ""
        self.watch: asyncio.Task[None] | None = None
        self.receive: Receive | None = None
        self.page = ""
        self._carrier = carrier
        self._task: asyncio.Task[Any] | None = None
        self._run = Run(gate.authority, self._carry, gate.loop)

    async def govern(self, call: Call, origin: str = "") -> Answer | Refuse | None:
        """Have it decided, forwarded and noted; None when its response will come on another stream."""
        try:
            return await self._run.start(call, self.entry, origin)
        finally:
            if self.watch is not None:
                self.watch.cancel()

    async def resume(self, response: Message, last: sse.Event | None) -> bool:
        """Settle a parked call with the response that came on another stream; say whether it may leave."""
        self.last = last
        return isinstance(await self._run.go(await self.settle(response)), Answer)

    async def lose(self) -> None:
        """End a parked call whose response never came."""
        await self._run.go(Ended({"result": "unknown"}))

    def outgoing(self) -> bytes:
        """What goes upstream: written from what was decided, never the bytes that came in."""
        if self.mode == TO_LEGACY:
            return write(bridge.to_legacy(self.message))
        if self.mode == TO_MODERN:
            return write(bridge.to_modern(self.message))
        return write(self.message.body)

    def stop(self, why: str) -> None:
        """Stop what is under way with the target: the client left, or what allowed it has ended."""
        if self._task is not None and not self.stopped:
            self.stopped = why
            self._task.cancel()

    async def _carry(self, permit: Permit, lent: Lent) -> Event | None:
        self.permit, self.lent = permit, lent
        self.began = self.gate.loop.time()
        self.gate.running.add(self)
        self._task = task = asyncio.current_task()
        try:
            return await self._carrier(self)
        except asyncio.CancelledError:
            if not self.stopped or task is None:
                raise
            task.uncancel()
            self.fail(CUT if self.stopped == "cut" else Fault("client_left", "The client left."))
            return Ended(self._timed({"result": "cut" if self.sent else "not_sent"}))
        finally:
            self._task = None
            self.gate.running.discard(self)

    # What comes back.

    def fail(self, why: Deny | Fault) -> None:
        """Answer with an error instead."""
        body = answer.refused(self.message, why, modern=self.modern)
        self.value, self.status = body, answer.status(body, modern=self.modern)
        self.data = self.gate.redactor(self.lent.hidden).redact(write(body)) if self.lent.hidden else write(body)

    def broken(self, code: str, what: str, result: str) -> Ended:
        """The target gave no usable answer."""
        self.fail(Fault(code, what, unsure=result != "not_sent"))
        return Ended(self._timed({"result": result}))

    async def settle(self, response: Message, status: int = 200) -> Ended:
        """Take the target's response: filter, redact, and say what will be noted. It leaves only after that."""
        body = {**response.body, "id": self.message.id}
        if self.mode == TO_MODERN:
            plain = bridge.from_modern(body)
            if plain is None:
                self.fail(Deny("input_unbridged", "The server asks for input that this client cannot be asked for."))
                return Ended(self._timed({"result": "withheld"}))
            body = plain
        elif self.mode == TO_LEGACY:
            body = bridge.from_legacy(self.message.method, body)
        method, value = self.message.method, body.get("result")
        if method in LISTS and type(value) is dict:
            body["result"] = await self._list(method, value)
        elif self.modern and type(value) is dict and value.get("resultType") == "input_required":
            refusal = await self._inputs(value)
            if refusal is not None:
                self.fail(refusal)
                return Ended(self._timed({"result": "withheld"}))
        if self.modern or status == 200:
            status = answer.status(body, modern=self.modern)
        self.value, self.status = body, status
        self.data = await self.redacted(write(body))
        noted = answer.outcome(body, len(self.data))
        if self.permit is not None and (self.permit.heed or self.permit.carry) is not None:
            noted["answer"] = answer.plain(body.get("result"))
        return Ended(self._timed(noted))

    async def heard(self, event: sse.Event, back: Back) -> Ended | None:
        """Take one event of the target's stream; the end is a response."""
        event = self._named(event)
        if not event.data:
            await self._emit(event)
            return None
        found = self.gate.read(event.data)
        if isinstance(found, Wrong):
            return self.broken("upstream_garbage", "The server sent what is no message.", "error")
        if not found.method:
            return await self._response(found, event)
        if found.id is not None:
            await self.asked(found, event, back)
            return None
        if found.method == "notifications/tools/list_changed":
            self.contact.stale()
        await self._emit(event, found.body)
        return None

    def _named(self, event: sse.Event) -> sse.Event:
        """The event without a lent secret in its name or id; its data is cleaned when it is written."""
        if not self.lent.hidden or (event.name == "message" and not event.id):
            return event
        redactor = self.gate.redactor(self.lent.hidden)
        name, mark = (redactor.redact((text or "").encode()).decode() for text in (event.name, event.id))
        return replace(event, name=name, id=None if event.id is None else mark)

    async def _response(self, found: Message, event: sse.Event) -> Ended | None:
        if self.message.id is not None and found.id == self.message.id:
            self.last = event
            return await self.settle(found)
        parked = self.session.parked.pop(found.id, None) if self.session is not None else None
        if parked is not None:
            left = await parked.resume(found, event)
            if self.out is not None and left:
                await self.out.event(sse.Event(parked.data, id=event.id))
        return None

    async def _emit(self, event: sse.Event, body: dict[str, Json] | None = None) -> None:
        if self.out is None or self.message.method == "initialize":
            return  # the answer to initialize carries our session's header, so it is told in one piece
        data = await self.redacted(write(body)) if body is not None else event.data
        if not self.out.streaming:
            self.gate.observe(self)
        await self.out.event(sse.Event(data, event.name, event.id, event.retry))

    async def notify(self, body: dict[str, Json]) -> None:
        """Pass on a notification that came without an event."""
        await self._emit(sse.Event(b"x"), body)

    async def asked(self, found: Message, event: sse.Event, back: Back) -> None:
        """A request from server to client: a call in reverse, bound to this open one."""
        session, call = self.session, reverse.call(self.entry.resource, found.body)
        why: Permit | Deny | Fault = Fault("reverse_refused", "This client cannot be asked.")
        if isinstance(call, Deny):
            why = call
        elif self.out is not None and session is not None and self.permit is not None and self.mode == SAME:
            why = await decided(self.gate.authority, call, self.entry, self.permit.call, self.gate.loop)
        if isinstance(why, Permit) and session is not None:
            if self.gate.authority.fresh(why) and found.id not in session.asked and len(session.asked) < 64:
                session.asked[found.id] = (why, found.method)
                await self._emit(event, found.body)
                return
            release(self.gate.authority, why)
            why = Fault("permit_expired", "It could not be passed on in time.")
        text = why.told() if isinstance(why, Deny) else "Refused."
        await back(messages.error(found.id, messages.REFUSED, text, {"code": getattr(why, "code", "")}))

    async def _inputs(self, value: dict[str, Json]) -> Deny | Fault | None:
        """Decide each request that a multi-round-trip result puts to the client; None when all may pass."""
        allowed: list[Permit] = []
        refusal: Deny | Fault | None = None
        for request in reverse.wanted(value):
            call = reverse.call(self.entry.resource, request)
            if isinstance(call, Deny) or self.permit is None:
                refusal = call if isinstance(call, Deny) else CUT
                break
            found = await decided(self.gate.authority, call, self.entry, self.permit.call, self.gate.loop)
            if not isinstance(found, Permit):
                refusal = found
                break
            allowed.append(found)
        for permit in allowed:
            noted: asyncio.Future[Fault | None] = self.gate.loop.create_future()
            self.gate.authority.note(permit, {"result": "not_sent" if refusal else "ok"}, setter(noted))
            refusal = await noted or refusal
        return refusal

    async def _list(self, method: str, value: dict[str, Json]) -> dict[str, Json]:
        visible = self.permit.visible if self.permit is not None else frozenset()
        if method == "tools/list":
            await self._compare(value)
        return lists.filtered(method, value, visible, self.contact.hidden, modern=self.modern)

    async def _compare(self, value: dict[str, Json]) -> None:
        """Hold the definitions that came against the pins; those that differ are hidden from now on."""
        offered = lists.definitions(value)
        differ: asyncio.Future[frozenset[str]] = self.gate.loop.create_future()
        self.gate.authority.seen(self.entry.resource, offered, setter(differ))
        hidden = await differ
        contact = self.contact
        contact.hidden = (contact.hidden - offered.keys()) | hidden
        contact.repeated |= {
            name: annotated(one.get("inputSchema")) for name, one in offered.items() if type(one) is dict
        }
        if "cursor" not in self.message.params and "nextCursor" not in value:
            contact.checked = self.gate.loop.time()

    async def redacted(self, data: bytes) -> bytes:
        """Take the lent secrets out of what goes to the client."""
        return await cleaned(self.gate.redactor(self.lent.hidden), data) if self.lent.hidden else data

    def _timed(self, result: dict[str, Json]) -> dict[str, Json]:
        result["ms"] = int((self.gate.loop.time() - self.began) * 1000)
        return result
