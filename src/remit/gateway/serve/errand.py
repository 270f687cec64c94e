"""One statement on its way: all its calls are decided, it is forwarded once, and how it ended is noted on each of them.

Each call goes through `enforce.step` by a `Run` of its own. They meet twice: when all are permitted and what each needs
is lent, and when the database has answered.
"""

import asyncio
from collections.abc import Mapping, Sequence

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.permit import Entry, Fault, Lent, Permit
from remit.core.resource import Upstream
from remit.gateway.authority import Authority
from remit.gateway.enforce import Answer, Ended, Event, Expired, Refuse
from remit.gateway.serve.drive import Run

_SENT_NOT = {"result": "not_sent"}


class Errand:
    """Owned by the session that the statement came in on. `bare`: it borrows nothing, its session has logged in."""

    def __init__(
        self,
        authority: Authority,
        entry: Entry,
        calls: Sequence[Call],
        loop: asyncio.AbstractEventLoop,
        *,
        bare: bool = False,
    ) -> None:
        self._authority = authority
        self._bare = bare
        self._loop = loop
        self._open = len(calls)
        self._ready: asyncio.Future[Deny | Fault | None] = loop.create_future()
        self._over: asyncio.Future[Mapping[str, Json] | None] = loop.create_future()
        self._permits: list[Permit] = []
        self.lent: list[Lent] = []
        self._runs = [loop.create_task(self._govern(call, entry)) for call in calls]

    async def permitted(self) -> Deny | Fault | None:
        """Wait until all calls are permitted, or one is not: then nothing is sent, and that is noted on the rest."""
        try:
            while True:
                why = await asyncio.shield(self._ready)
                if why is None and not self.fresh:
                    self._again()
                    continue
                if why is not None:
                    self._settle(_SENT_NOT)
                    await asyncio.gather(*self._runs, return_exceptions=True)
                return why
        except asyncio.CancelledError:
            self._settle(_SENT_NOT)
            raise

    @property
    def fresh(self) -> bool:
        """Whether every permit still holds."""
        return all(self._authority.fresh(one) for one in self._permits)

    def at(self, place: Upstream) -> bool:
        """Whether every permit is for the resource at this place."""
        return all(one.at(place) for one in self._permits)

    async def ended(self, result: Mapping[str, Json]) -> Fault | None:
        """Note how it ended on every call; a Fault when that could not be recorded, and then no answer may leave."""
        self._settle(result)
        for one in await asyncio.gather(*self._runs):
            if isinstance(one, Refuse):
                return one.why if isinstance(one.why, Fault) else Fault(one.why.code, one.why.what)
        return None

    def leave(self, result: Mapping[str, Json]) -> None:
        """Note how it ended, with nobody left to wait for that."""
        self._settle(result)

    def _settle(self, result: Mapping[str, Json]) -> None:
        if not self._over.done():
            self._over.set_result(result)

    def _again(self) -> None:
        """A permit has become too old before the first octet: every call is decided once more."""
        self._open = len(self._runs)
        self._permits.clear()
        self.lent.clear()
        over, self._over = self._over, self._loop.create_future()
        self._ready = self._loop.create_future()
        over.set_result(None)

    async def _govern(self, call: Call, entry: Entry) -> Answer | Refuse | None:
        verdict = await Run(self._authority, self._carry, self._loop, bare=self._bare).start(call, entry)
        if isinstance(verdict, Refuse) and not self._ready.done():
            self._ready.set_result(verdict.why)
        return verdict

    async def _carry(self, permit: Permit, lent: Lent) -> Event | None:
        self._permits.append(permit)
        self.lent.append(lent)
        self._open -= 1
        over = self._over
        if self._open == 0 and not self._ready.done():
            self._ready.set_result(None)
        result = await over
        return Expired() if result is None else Ended(result)
