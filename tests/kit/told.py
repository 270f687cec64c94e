"""What a world's ledger says so far, and a clock that stands until it is moved."""

from typing import Any

from remit.core.receipt import decode
from remit.store.log import entries, newest
from tests.kit.hours import Still
from tests.kit.nouns import NOON, code
from tests.kit.world import World


class Time:
    """Nanoseconds, as the clock of the machine gives them, but moved by hand, in milliseconds."""

    def __init__(self) -> None:
        self.ms = NOON

    def __call__(self) -> int:
        return self.ms * 1_000_000

    def on(self, ms: int) -> None:
        """Let time pass."""
        self.ms += ms


class ByHand(Still):
    """A clock that stands until its time is moved."""

    def __init__(self, time: Time) -> None:
        super().__init__(time, time)


def size(world: World) -> int:
    """How many entries the ledger has, read by the second connection."""
    return newest(world.authority.view).size


def told(world: World, since: int = 0) -> list[dict[str, Any]]:
    """The receipts from entry `since` on, read by the second connection."""
    return [decode(body) for body in entries(world.authority.view, since, size(world))]


def kinds(world: World, since: int = 0) -> list[str]:
    """What happened since an entry."""
    return [one["kind"] for one in told(world, since)]


def refused(world: World, work: Any) -> str:
    """The code with which a piece of control work is refused; it must leave nothing behind."""
    before = size(world)
    found = code(world.act, work)
    assert size(world) == before
    return found


def moved_elsewhere(world: World, name: str, was: bytes, now: bytes) -> None:
    """Register a resource at another place as another node would: in the store alone, behind this one's back."""
    db = world.authority.db
    ((body,),) = db.all("SELECT body FROM resource WHERE id = ?", (name,))
    db.begin()
    db.run("UPDATE resource SET body = ? WHERE id = ?", (body.replace(was, now), name))
    db.commit()
