"""What the database answers, on its way back: each answer meets its statement, and is noted before it leaves."""

import asyncio
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.gateway.postgres import fault
from remit.gateway.postgres.fault import Why
from remit.gateway.postgres.frame import frame, invalid
from remit.gateway.postgres.names import Prepared
from remit.gateway.serve.errand import Errand
from remit.gateway.serve.postgres.wire import Wire

ANSWER: Final = 32 * 1024 * 1024
"""How many octets one statement's answer may have: it waits for its outcome's receipt."""
_ONE: Final = {
    "parse": frozenset({b"1"}),
    "bind": frozenset({b"2"}),
    "close": frozenset({b"3"}),
    "describe": frozenset({b"T", b"n"}),
    "describe_statement": frozenset({b"T", b"n"}),
    "sync": frozenset({b"Z"}),
}
"""What ends the wait for each kind of frame; a query's and an execution's end is more than one frame."""
_LAST: Final = frozenset({b"C", b"s", b"I"})


@dataclass(slots=True)
class Waiting:
    """What is expected back for one frame that went on.

    `why` is told instead of the database's error, for a frame that it was made to fail; `part` is the statement of a
    text that is answered now; `copying`: the agent may send rows, `begun`: the database takes them, `sent`: all have
    gone. `within` is the COPY that a Sync came in the middle of: the database passes over that one.
    """

    what: str
    hidden: bool = False
    why: Why | None = None
    errands: list[Errand | None] = field(default_factory=list)
    part: int = 0
    rows: int = 0
    held: list[bytes] = field(default_factory=list)
    size: int = 0
    copying: bool = False
    begun: bool = False
    sent: bool = False
    within: "Waiting | None" = None
    prepared: Prepared | None = None


class Answers:
    """The queue of what is expected back. Owned by one session.

    After an error in a pipeline the database skips everything up to the next Sync: what was on its way is noted as not
    done, and `skipping` says that what comes now is not to be sent.
    """

    def __init__(self, client: Wire, target: Wire, hidden: tuple[bytes, ...], rest: Callable[[], None]) -> None:
        self.expected: deque[Waiting] = deque()
        self.skipping = False
        self._client = client
        self._target = target
        self._hidden = hidden
        self._rest = rest
        self._room = asyncio.Event()
        self._room.set()

    async def run(self) -> None:
        """Pass answers on until the database closes (`upstream_closed`)."""
        back = bytearray()
        while True:
            found = self._target.frame_now()
            if found is None:
                if back:
                    self._client.write(bytes(back))
                    back.clear()
                    await self._client.drain()
                try:
                    found = await self._target.frame()
                except ConnectionResetError:
                    raise RemitError(
                        "upstream_closed", "The database closed the connection.", "Connect again."
                    ) from None
            back += await self._take(*found)
            self._room.set()

    async def room(self, most: int) -> None:
        """Wait until fewer frames than this are on their way."""
        while len(self.expected) > most:
            self._room.clear()
            await self._room.wait()

    def leave(self, result: str) -> bool:
        """Note on what is under way that it was stopped; say whether anything was."""
        found = False
        for waiting in self.expected:
            found = left(waiting.errands[waiting.part :], result) or found
            waiting.errands.clear()
        return found

    async def _take(self, kind: bytes, body: bytes) -> bytes:
        """Take one message; returns what may leave now."""
        head = self.expected[0] if self.expected else None
        if kind == b"A":
            return b""
        if kind == b"S":
            return frame(kind, body)
        if kind == b"N":
            if head is None or head.what not in ("query", "execute"):
                return frame(kind, body)
            head.held.append(frame(kind, body))
            return b""
        if head is None:
            if kind == b"E":
                state = fault.fields(body).get("C", "")
                raise RemitError("upstream_closed", f"The database ended the session ({state[:5]}).", "Connect again.")
            raise invalid("The database said what nothing had asked for.")
        if kind == b"E":
            return await self._failed(head, body)
        if head.why is not None and kind != b"Z":
            raise invalid("The database did what was refused.")
        return await self._answered(head, kind, body)

    async def _answered(self, head: Waiting, kind: bytes, body: bytes) -> bytes:
        if head.what in ("query", "execute") and kind != b"Z":
            found = await self._result(head, kind, body)
            if head.what == "execute" and kind in _LAST:
                self.expected.popleft()
            return found
        if head.what == "describe_statement" and kind == b"t":
            if head.prepared is not None:
                count = struct.unpack_from("!h", body)[0]
                head.prepared.types = struct.unpack_from(f"!{count}I", body, 2)
            return frame(kind, body)
        if head.what == "execute" or kind not in _ONE.get(head.what, (b"Z",)):
            raise invalid("The database answered out of turn.")
        self.expected.popleft()
        if kind == b"Z" and body == b"I" and not self.expected:
            self._rest()
        return b"" if head.hidden else frame(kind, body)

    async def _result(self, head: Waiting, kind: bytes, body: bytes) -> bytes:
        whole = frame(kind, body)
        if kind == b"W":
            raise invalid("Replication is not spoken here.")
        if kind == b"G":
            head.copying, head.begun = not head.sent, True
            kept = [one for one in self.expected if one.within is not head]
            self.expected.clear()
            self.expected.extend(kept)
            return whole
        head.held.append(whole)
        head.size += len(whole)
        if head.size > ANSWER:
            raise RemitError("answer_large", "The answer is too large.", "Ask for less at a time, or use a cursor.")
        if kind in (b"D", b"d"):
            head.rows += 1
        if kind not in _LAST:
            return b""
        rows, head.rows, head.size = head.rows, 0, 0
        await self._noted(head, {"result": "ok", "rows": rows})
        data = b"".join(head.held)
        head.held.clear()
        if any(one in data for one in self._hidden):
            raise RemitError("answer_withheld", "The answer held a secret of the gate.", "Do not ask for it.")
        return data

    async def _failed(self, head: Waiting, body: bytes) -> bytes:
        """An error: of what was refused, or of the database's own. What follows in the pipeline is skipped there."""
        state = fault.fields(body).get("C", "")
        kept = b"".join(one for one in head.held if one[:1] == b"N")
        head.held.clear()
        await self._noted(head, {"result": "error", "rows": head.rows, "error": f"sqlstate {state[:5]}"})
        await _not_sent(head.errands[head.part :])
        head.errands.clear()
        head.copying = False
        said = frame(b"E", body) if head.why is None else fault.response(head.why)
        head.why = None
        if head.what != "query":
            while self.expected and self.expected[0].what != "sync":
                await _not_sent(self.expected.popleft().errands)
            self.skipping = not self.expected
        return kept + said

    async def _noted(self, head: Waiting, result: dict[str, Json]) -> None:
        """Note how the statement that is answered now ended; without that no answer leaves, and the session ends."""
        if head.part >= len(head.errands):
            return
        errand = head.errands[head.part]
        head.part += 1
        if errand is not None and (trouble := await errand.ended(result)) is not None:
            raise RemitError(trouble.code, trouble.what, "The session ends here.")


async def _not_sent(errands: Iterable[Errand | None]) -> None:
    for one in errands:
        if one is not None:
            await one.ended({"result": "not_sent"})


def left(errands: Iterable[Errand | None], result: str) -> bool:
    """Note how these ended, with nobody left to wait for it; say whether there were any."""
    found = False
    for one in errands:
        if one is not None:
            found = True
            one.leave({"result": result})
    return found
