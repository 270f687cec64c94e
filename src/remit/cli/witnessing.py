"""Sending heads to witnesses while a node serves: a bounded pool beside the loop, the newest head only.

Owned by the composition root. The witnesses are those of the store, so every node sends to all of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from remit.cli.output import say
from remit.control import witness
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.control.change import Change
from remit.control.courier import Courier, Outcome, Refused, Took
from remit.core.errors import RemitError
from remit.core.shown import shown
from remit.core.witness import MOST, RULE, Witness, WitnessRule
from remit.store import cosignature, log
from remit.store.record import Reader

AT_ONCE: Final = 4
REFRESH_MS: Final = 60_000
"""How old a cosignature of an unchanged head may be before the witness is asked to say it again."""
AGAIN_MS: Final = 2_000
"""How long after an answer that was no cosignature the next courier goes."""


class Witnessing:
    """The couriers of one node. Everything but `Courier.push` runs on the loop's thread."""

    def __init__(self, authority: Authority, batch: Batch, place: Path | str, loop: asyncio.AbstractEventLoop) -> None:
        self._authority, self._batch, self._place, self._loop = authority, batch, place, loop
        self._pool = ThreadPoolExecutor(AT_ONCE, "remit-witness")
        self._couriers: dict[str, Courier] = {}
        self._out: set[str] = set()
        self._said: dict[str, str] = {}
        self._next: dict[str, int] = {}
        self._over = False

    def tick(self) -> None:
        """Send a courier to each witness that has not cosigned the newest head, or not lately. Called each second."""
        try:
            reader = Reader(self._authority.reading())
            rule = reader.get(WitnessRule, RULE)
            due = list(self._due(reader, rule)) if rule is not None and not self._over else []
        except RemitError as fault:
            self._tell("", fault.message)
            return
        for one in due:
            self._out.add(one.id)
            self._pool.submit(self._go, one.id, self._courier(one))

    def _due(self, reader: Reader, rule: WitnessRule) -> list[Witness]:
        newest, heard = log.newest(reader.db), cosignature.heard(reader.db)
        refresh = min(REFRESH_MS, rule.max_age // 3 or REFRESH_MS)
        now, steady, found = self._authority.clock.now(), self._authority.clock.steady(), []
        for one in reader.where(Witness, "state != 'removed'", (), MOST):
            size, at = heard.get(one.id, (0, 0))
            fresh = size == newest.size and now - at < refresh and at // 1000 >= one.since // 1000
            waits = one.id in self._out or steady < self._next.get(one.id, 0)
            if newest.size and not waits and not (fresh and one.state == "in_order"):
                found.append(one)
        return found

    def _courier(self, one: Witness) -> Courier:
        held = self._couriers.get(one.id)
        if held is None or held.url != one.url:
            if held is not None:
                held.close()
            held = self._couriers[one.id] = Courier(self._place, one.vkey, one.url)
        return held

    def _go(self, name: str, courier: Courier) -> None:
        outcome = courier.push()
        if not self._over:
            self._loop.call_soon_threadsafe(self._came, name, outcome)

    def _came(self, name: str, outcome: Outcome) -> None:
        work: Callable[[Change], object]
        if not isinstance(outcome, Took):
            self._next[name] = self._authority.clock.steady() + AGAIN_MS
        if isinstance(outcome, Took):
            line, size = outcome.line, outcome.size
            work = lambda change: witness.took(change, name, size, line)  # noqa: E731 - one of two
            self._said.pop(name, None)
        elif isinstance(outcome, Refused):
            what, size = outcome.what, outcome.size
            work = lambda change: witness.refused(change, name, size, what)  # noqa: E731 - the other
            self._tell(name, f"refuses this ledger's head: {what}")
        else:
            self._tell(name, outcome.what)
            self._out.discard(name)
            return
        self._batch.submit("witness", work, lambda _: self._out.discard(name))
        self._batch.wake()

    def _tell(self, name: str, what: str) -> None:
        """Say a trouble once, until it is another one."""
        if self._said.get(name) != what:
            self._said[name] = what
            say(f"Witness {shown(name)}: {shown(what, 300)}")

    def close(self) -> None:
        """Let no courier go out any more, and wait for those that are out."""
        self._over = True
        for one in self._couriers.values():
            one.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for one in self._couriers.values():
            one.close()
