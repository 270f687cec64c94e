"""Parting: a connection that ended here ends at its provider too, retried until the provider says that it did.

Owned by the lessor of a node, and works as it does: target I/O in the target's pool, all else on the batch's thread.
Any node may part: doing it twice is as good as once.
"""

from collections.abc import Callable
from typing import Final

from remit.control import connection as connections
from remit.control.authority import Authority
from remit.control.change import Change
from remit.control.target import Job, Target
from remit.core.connection import Connection
from remit.core.errors import RemitError
from remit.core.lease import Lease
from remit.custody.secret import Secret
from remit.custody.source import Gone, Parts

Submit = Callable[[Callable[[Change], object], Callable[[object], None]], None]

QUIET_MS: Final = 2_000
"""How long it may take before it counts as an incident."""
FIRST_MS: Final = 100
LONGEST_MS: Final = 60_000


class Partings:
    """What is to be taken back at providers. `target` opens one, `submit` has work done in the next transaction."""

    def __init__(
        self,
        authority: Authority,
        target: Callable[[str], Target],
        submit: Submit,
        post: Callable[[Job], object],
    ) -> None:
        self._authority, self._target, self._submit, self._post = authority, target, submit, post
        self._out: set[str] = set()
        self._tries: dict[str, tuple[int, int]] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._out

    def look(self, leaving: list[Connection], ending: list[Lease]) -> None:
        """Begin each that is due. Its token may be exchanged for another by a mint that is under way: that is first."""
        found = [one for one in leaving if one.id not in self._out]
        if not found:
            return
        now, steady = self._authority.clock.now(), self._authority.clock.steady()
        minting = {(one.person, one.resource) for one in ending if not one.lent and now < one.mint_by}
        for one in found:
            if steady >= self._tries.get(one.id, (0, 0))[1] and (one.person, one.resource) not in minting:
                self._begin(one)

    def _begin(self, one: Connection) -> None:
        vault = self._authority.lending
        self._out.add(one.id)
        if not vault.holds(connections.SECRETS, one.id):
            self._submit(lambda change: connections.gone(change, one.id, "forgotten"), lambda _: self._let_go(one))
            return
        try:
            target, held = self._target(one.resource), vault.get(connections.SECRETS, one.id)
        except RemitError as fault:
            self._came(one, Gone.UNKNOWN, fault.message)
            return
        target.pool.submit(self._part, target, one, held)

    def _part(self, target: Target, one: Connection, held: Secret) -> None:
        """On a thread of the target: have the provider take it back, and ask whether it did."""
        found, trouble = Gone.UNKNOWN, "The provider still takes it."
        try:
            if isinstance(target.source, Parts):
                found = target.source.part(held)
        except RemitError as fault:
            trouble = fault.message
        except Exception as fault:  # noqa: BLE001 - the thread has nobody to raise to
            trouble = f"The provider failed ({type(fault).__name__})."
        self._post(lambda: self._came(one, found, trouble))

    def _came(self, one: Connection, found: Gone, trouble: str) -> None:
        if found is Gone.GONE:
            self._tries.pop(one.id, None)
            self._submit(lambda change: connections.gone(change, one.id, "revoked"), lambda _: self._let_go(one))
            return
        tries = self._tries.get(one.id, (0, 0))[0] + 1
        wait = min(LONGEST_MS, FIRST_MS * 2 ** min(tries - 1, 12))
        self._tries[one.id] = tries, self._authority.clock.steady() + wait
        if one.state == "ended" and self._late(one):
            self._submit(lambda change: connections.stuck(change, one.id, trouble), lambda _: self._let_go(one))
        else:
            self._let_go(one)

    def _late(self, one: Connection) -> bool:
        """Whether it has taken too long; on a clock that jumped nothing is said of that."""
        try:
            return self._authority.clock.now() - one.ended >= QUIET_MS
        except RemitError:
            return False

    def _let_go(self, one: Connection) -> None:
        self._out.discard(one.id)
