"""One agent's session: what it sends is understood and decided before it goes on.

Every frame that goes on has an entry in the queue of what is expected back. A refused message is replaced by one that
the database itself must fail: its transaction is then failed, and the rest of a pipeline skipped, just as PostgreSQL
does; only the error's text is ours.
"""

import asyncio
import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from remit.core.call import Call
from remit.core.errors import RemitError
from remit.core.permit import Entry, Fault
from remit.core.resource import Upstream
from remit.gateway.authority import Authority
from remit.gateway.postgres import fault
from remit.gateway.postgres.catalogue import Catalogue
from remit.gateway.postgres.fault import Why
from remit.gateway.postgres.frame import Body, frame, invalid, text
from remit.gateway.postgres.names import Names, Portal, Prepared, Resolved, joins, many, no_portal, no_statement
from remit.gateway.postgres.statement import Kind, Statement, read
from remit.gateway.postgres.value import Bound
from remit.gateway.serve.errand import Errand
from remit.gateway.serve.postgres.answers import Answers, Waiting, left
from remit.gateway.serve.postgres.target import Target
from remit.gateway.serve.postgres.wire import Wire

KEPT: Final = 512
"""How many texts a session keeps understood."""
MOST_WAITING: Final = 1000
"""How many frames may be on their way before the agent is made to wait."""
MOVED: Final = Fault("resource_moved", "The database was registered anew, and what was prepared means something else.")
FAILS: Final = "refused"
"""A text that no PostgreSQL takes for SQL."""


class Session:
    """Owned by the gate's listener; ends when either side does, or when what allowed it has ended.

    `place` is where it logged in: what is decided for the database at another one is not sent there.
    """

    def __init__(
        self,
        authority: Authority,
        entry: Entry,
        client: Wire,
        target: Target,
        catalogue: Catalogue,
        hidden: tuple[bytes, ...],
        place: Upstream,
    ) -> None:
        self.entry = entry
        self.client = client
        self.target = target
        self.catalogue = catalogue
        self._place = place
        self._authority = authority
        self._loop = asyncio.get_running_loop()
        self._names = Names(entry.resource)
        self._answers = Answers(client, target.wire, hidden, self._names.rest)
        self._read: OrderedDict[str, tuple[Statement, ...]] = OrderedDict()
        self._out: list[bytes] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False

    async def run(self) -> None:
        """Serve until it is over."""
        self._tasks = [self._loop.create_task(self._ask()), self._loop.create_task(self._answers.run())]
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        try:
            for one in done:
                error = one.exception() if not one.cancelled() else None
                if isinstance(error, RemitError):
                    self.client.write(fault.response(error, "FATAL"))
                elif error is not None and not isinstance(error, ConnectionResetError):
                    # Whatever it is ends this session alone, and says nothing of what was sent.
                    self.client.write(fault.response(Fault("internal", "The gate ends this session."), "FATAL"))
        finally:
            await self._end()

    def stop(self, why: Why) -> None:
        """Cut it: what allowed it has ended, or the gate closes."""
        if self._stopped:
            return
        self._stopped = True
        self._answers.leave("cut")
        self.client.write(fault.response(why, "FATAL"))
        for one in self._tasks:
            one.cancel()

    def moved(self, catalogue: Catalogue) -> None:
        """The database was registered anew: what was read under the old registration is read again.

        What was prepared stands at the database as it was: where it means other calls now, the session ends.
        """
        self.catalogue = catalogue
        self._read.clear()
        if self._names.stale(catalogue):
            self.stop(MOVED)

    async def _end(self) -> None:
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        running = self._answers.leave("unknown")
        self.client.close()
        if running or self._stopped:
            self.target.wire.abort()
            await self.target.cancel()
        else:
            self.target.end()

    # What the agent sends.

    async def _ask(self) -> None:
        while True:
            found = self.client.frame_now()
            if found is None:
                # What came together goes on together, in one piece.
                await self._flush()
                found = await self.client.frame()
            kind, body = found
            if kind == b"X":
                raise ConnectionResetError
            if kind in (b"d", b"c", b"f"):
                self._copied(kind, body)
            else:
                await self._one(kind, body)

    async def _one(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"Q":
                await self._simple(body)
            case b"P":
                self._parse(body)
            case b"B":
                self._bind(body)
            case b"D":
                self._describe(body)
            case b"E":
                await self._execute(body)
            case b"C":
                self._close(body)
            case b"H":
                self._out.append(frame(b"H"))
            case b"S":
                self._sync()
            case b"F":
                why = RemitError("statement_refused", "Calling functions by the fast path is refused.", "Send SQL.")
                self._send(frame(b"Q", text(FAILS)), Waiting("query", why=why))
            case _:
                raise invalid("This message is not spoken here.")

    async def _simple(self, body: bytes) -> None:
        parts = Body(body)
        said = parts.text()
        parts.end()
        if self._answers.skipping:
            return
        self._forget("", self._names.portals)
        try:
            found = self._understood(said)
            if len(found) > 1 and not all(joins(one) for one in found):
                raise many("Several statements in one text are queries and settings only.")
            for one in found:
                if one.kind is Kind.PREPARE:
                    self._forget(one.name, self._names.statements)
                elif one.kind is Kind.DECLARE:
                    self._forget(one.name, self._names.portals)
            resolved = [self._names.resolve(one) for one in found]
        except RemitError as refusal:
            self._send(frame(b"Q", text(FAILS)), Waiting("query", why=refusal))
            return
        errands = [self._errand(self._names.calls(one, ())) for one in resolved]
        why = await self._permitted(errands)
        if why is None:
            waiting = Waiting("query", errands=errands, copying=any(one.takes_rows for one in found))
            self._send(frame(b"Q", text("; ".join(one.text for one in resolved))), waiting)
        else:
            left(errands, "not_sent")
            self._send(frame(b"Q", text(FAILS)), Waiting("query", why=why))

    def _errand(self, calls: list[Call]) -> Errand | None:
        return Errand(self._authority, self.entry, calls, self._loop, bare=True) if calls else None

    async def _permitted(self, errands: Sequence[Errand | None]) -> Why | None:
        """Wait until all are permitted, and that still holds; say why not."""
        held = [one for one in errands if one is not None]
        await self._flush()
        try:
            for _ in range(2):
                for one in held:
                    if (why := await one.permitted()) is not None:
                        return why
                if not all(one.at(self._place) for one in held):
                    left(held, "not_sent")
                    raise RemitError("resource_moved", "The database was registered anew meanwhile.", "Connect again.")
                if all(one.fresh for one in held):
                    return None
        except asyncio.CancelledError:
            left(held, "not_sent")
            raise
        return RemitError("permit_expired", "It could not be forwarded in time; nothing was sent.", "Try again.")

    def _parse(self, body: bytes) -> None:
        parts = Body(body)
        name, said = parts.text(), parts.text()
        types = tuple(parts.long() & 0xFFFFFFFF for _ in range(parts.short()))
        parts.end()
        if self._answers.skipping:
            return
        self._forget(name, self._names.statements)
        own = self._names.fresh()
        try:
            held = self._preparable(said)
        except RemitError as why:
            self._send(frame(b"P", text(own) + text(FAILS) + b"\0\0"), Waiting("parse", why=why))
            return
        statement = held.statement if held is not None else None
        self._names.statements[name] = Prepared(statement, own, types, held.refers if held is not None else None)
        count = struct.pack(f"!h{len(types)}I", len(types), *types)
        sent = held.text if held is not None else ""
        self._send(frame(b"P", text(own) + text(sent) + count), Waiting("parse"))

    def _preparable(self, said: str) -> Resolved | None:
        self._names.place()
        found = self._understood(said)
        if len(found) > 1:
            raise many("A prepared statement is one statement.")
        if found and found[0].kind is Kind.PREPARE:
            raise many("PREPARE is sent as a simple query.")
        return self._names.resolve(found[0]) if found else None

    def _bind(self, body: bytes) -> None:
        parts = Body(body)
        name, source = parts.text(), parts.text()
        formats = [parts.short() for _ in range(parts.short())]
        prepared = self._names.statements.get(source)
        types = prepared.types if prepared is not None else ()
        bound = []
        for place in range(parts.short()):
            size = parts.long()
            data = None if size < 0 else parts.octets(size)
            if len(formats) > 1 and place >= len(formats):
                raise invalid("A parameter has no format.")
            form = formats[place if len(formats) > 1 else 0] if formats else 0
            bound.append(Bound(data, form == 1, types[place] if place < len(types) else 0))
        rest = parts.rest()
        if self._answers.skipping:
            return
        self._forget(name, self._names.portals)
        own = self._names.fresh()
        size = sum(len(one.data) for one in bound if one.data is not None)
        why: RemitError | None = None
        try:
            if prepared is None:
                raise no_statement()
            self._names.room(size)
            self._names.portals[name] = Portal(prepared, own, tuple(bound), size=size)
            at_target = prepared.own
        except RemitError as refusal:
            why, at_target = refusal, self._names.fresh()
        heads = struct.pack(f"!{len(formats) + 2}h", len(formats), *formats, len(bound))
        values = b"".join(
            b"\xff\xff\xff\xff" if one.data is None else len(one.data).to_bytes(4) + one.data for one in bound
        )
        self._send(frame(b"B", text(own) + text(at_target) + heads + values + rest), Waiting("bind", why=why))

    def _describe(self, body: bytes) -> None:
        kind, name = body[:1], Body(body[1:]).text()
        if kind == b"S":
            prepared = self._names.statements.get(name)
            own = prepared.own if prepared is not None else self._names.fresh()
            why = None if prepared is not None else no_statement()
            waiting = Waiting("describe_statement", why=why, prepared=prepared)
        elif kind == b"P":
            portal = self._names.portals.get(name)
            own = portal.own if portal is not None else self._names.fresh()
            waiting = Waiting("describe", why=None if portal is not None else no_portal())
        else:
            raise invalid("Only a statement or a portal is described.")
        self._send(frame(b"D", kind + text(own)), waiting)

    async def _execute(self, body: bytes) -> None:
        parts = Body(body)
        portal = self._names.portals.get(parts.text())
        most = parts.long()
        parts.end()
        if self._answers.skipping:
            return
        errand: Errand | None = None
        why: Why | None = no_portal() if portal is None else None
        if portal is not None and portal.prepared.statement is not None:
            errand = self._errand(self._running(portal, portal.prepared.statement))
            why = await self._permitted([errand])
        own = portal.own if portal is not None and why is None else self._names.fresh()
        waiting = Waiting("execute", why=why, errands=[errand] if why is None else [])
        statement = portal.prepared.statement if portal is not None else None
        waiting.copying = why is None and statement is not None and statement.takes_rows
        self._send(frame(b"E", text(own) + most.to_bytes(4, signed=True)), waiting)

    def _running(self, portal: Portal, statement: Statement) -> list[Call]:
        if portal.declared:
            return self._names.of_cursor(portal)
        return self._names.calls(Resolved(statement, "", portal.prepared.refers), portal.bound)

    def _close(self, body: bytes) -> None:
        kind, name = body[:1], Body(body[1:]).text()
        if kind not in (b"S", b"P"):
            raise invalid("Only a statement or a portal is closed.")
        if self._answers.skipping:
            return
        held = (self._names.statements if kind == b"S" else self._names.portals).pop(name, None)
        own = held.own if held is not None else self._names.fresh()
        self._send(frame(b"C", kind + text(own)), Waiting("close"))

    def _copied(self, kind: bytes, body: bytes) -> None:
        """Pass rows on for a COPY that was permitted and is not over; what comes late is dropped, as by PostgreSQL."""
        head = next((one for one in self._answers.expected if one.copying), None)
        if head is not None:
            self._out.append(frame(kind, body))
            head.copying, head.sent = kind == b"d", kind != b"d"

    def _sync(self) -> None:
        """Pass a Sync on; one in the middle of a COPY is for clients' convenience, and answered by nothing."""
        copying = next((one for one in self._answers.expected if one.copying), None)
        if copying is None or not copying.begun:
            self._send(frame(b"S"), Waiting("sync", within=copying))

    def _understood(self, said: str) -> tuple[Statement, ...]:
        held = self._read.get(said)
        if held is None:
            held = self._read[said] = read(said, self.catalogue)
            if len(self._read) > KEPT:
                self._read.popitem(last=False)
        return held

    def _forget(self, name: str, held: dict[str, Prepared] | dict[str, Portal]) -> None:
        """Close at the database what a name stood for that means something else now."""
        old = held.pop(name, None)
        if old is not None:
            kind = b"P" if isinstance(old, Portal) else b"S"
            self._send(frame(b"C", kind + text(old.own)), Waiting("close", hidden=True))

    def _send(self, data: bytes, waiting: Waiting) -> None:
        """Send a frame on with what came beside it, and expect its answer."""
        if self._answers.skipping and waiting.what != "sync":
            left(waiting.errands, "not_sent")
            return
        self._answers.skipping = False
        self._answers.expected.append(waiting)
        self._out.append(data)

    async def _flush(self) -> None:
        """Send what waits: before anything is waited for, so that what is permitted is fresh when it goes."""
        if self._out:
            self.target.wire.write(b"".join(self._out))
            self._out.clear()
            await self.target.wire.drain()
            await self._answers.room(MOST_WAITING)
