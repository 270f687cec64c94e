"""Change: one open transaction, its instant, what was read in it and the receipts that it will leave."""

from collections.abc import Callable
from typing import Final, TypeVar

from remit.control.authority import Authority
from remit.core.canonical import Json
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.policy import PolicySet
from remit.core.receipt import DECIDED, change, encode
from remit.core.record import Record
from remit.core.trust import TrustPath
from remit.store.apply import acted, apply, paths, version_leaf
from remit.store.db import Database
from remit.store.record import Reader

R = TypeVar("R", bound=Record)
T = TypeVar("T")
LISTED: Final = {
    "approval": "remit approvals",
    "lease": "remit lease show --all",
    "proposal": "remit rightsize list",
    "review": "remit review list",
    "task": "remit task list --all",
} | {one: f"remit {one} show" for one in ("agent", "brief", "person", "resource", "service")}
"""Where the command line lists the records of a kind."""
_CALLED: Final = {"rightsize": "proposal"}


class Change:
    """What a control function works in. Owned by the batch; it ends with the transaction.

    `now` is the batch's instant, never before the last receipt. `record` and `receipt` are the only ways to write: both
    put the receipt into the ledger and let `store.apply` make what it says true. What no receipt speaks of (a spent
    value, a sealed secret) is committed only if its writer calls `keep`.
    """

    __slots__ = ("authority", "base", "bodies", "db", "kept", "moved", "now", "reader", "sets", "versions", "wrote")

    def __init__(self, authority: Authority, base: int, now: Instant) -> None:
        self.authority = authority
        self.db: Database = authority.db
        self.reader = Reader(authority.db)
        if authority.db.remote:
            self.reader.foresight = authority.foresight
        self.versions: dict[str, int] = {}
        self.base = base
        self.now = now
        self.bodies: list[bytes] = []
        self.sets: dict[TrustPath, PolicySet | None] = {}
        self.kept = False
        self.moved = False
        self.wrote = 0

    def record(self, tag: str, record: Record, by: str, because: str = "") -> int:
        """Write a noun's new record with its receipt; return the leaf's number."""
        return self.receipt(change(tag, record, self.now, by, because))

    def receipt(self, receipt: dict[str, Json]) -> int:
        """Put a receipt into the ledger and make what it says true; return the leaf's number."""
        leaf = self.base + len(self.bodies)
        body = encode(receipt)
        self.wrote += 1
        record = apply(self.db, leaf, receipt)
        self.bodies.append(body)
        if receipt["kind"] == DECIDED and "task" in receipt:
            self._remember(receipt, leaf)
        if record is not None:
            self.moved = True
            self.reader.forget(record)
            self.sets.clear()
            self.versions.clear()
        return leaf

    def _remember(self, receipt: dict[str, Json], leaf: int) -> None:
        active, used = self.reader.active, paths(receipt)
        before = active.get(receipt["task"])
        if before is not None:
            active[receipt["task"]] = (acted(receipt) or before[0], leaf, before[2] | used)
        first = receipt["above"][-1] if "above" in receipt else ""
        if first in active:
            active[first] = (*active[first][:2], active[first][2] | used)

    def version(self, name: str) -> int:
        """The leaf of the latest change of this name (see `store.apply.version_leaf`), read once a transaction."""
        if name not in self.versions:
            self.versions[name] = version_leaf(self.db, name)
        return self.versions[name]

    def part(self, work: Callable[["Change"], T]) -> T | RemitError:
        """Do a part of this transaction that is undone by itself when it faults; the fault is returned."""
        before = len(self.bodies)
        self.db.mark()
        try:
            result: T | RemitError = work(self)
        except RemitError as fault:
            result = fault
        except Exception as fault:  # noqa: BLE001 - whatever breaks in one part refuses that part alone
            result = _broken(fault)
        if not isinstance(result, RemitError):
            self.db.release()
            return result
        self.db.undo()
        self.authority.undone()
        del self.bodies[before:]
        self.reader.clear()
        self.sets.clear()
        self.versions.clear()
        return result

    def last(self, work: Callable[["Change"], T]) -> T | RemitError:
        """Do a part that writes by `receipt` alone, when nothing can refuse it any more: it needs no savepoint.

        A fault before it wrote is returned. A fault after that is raised: the whole transaction must be undone.
        """
        before = self.wrote
        try:
            return work(self)
        except RemitError as fault:
            if self.wrote != before:
                raise
            return fault
        except Exception as fault:
            if self.wrote != before:
                raise
            return _broken(fault)

    def keep(self) -> None:
        """Commit this transaction even if it leaves no receipt."""
        self.kept = True

    def need(self, kind: type[R], identity: str) -> R:
        """Read a record that must be there (`not_found`)."""
        found = self.reader.get(kind, identity)
        if found is None:
            raise missing(kind, identity)
        return found


def missing(kind: type[Record], identity: str) -> RemitError:
    """What is said of a record that is not there, with where to look for it (`not_found`)."""
    word = _CALLED.get(kind.__name__.lower(), kind.__name__.lower())
    where = LISTED.get(word, "")
    remedy = f"List what there is: {where}." if where else "Check how it is written."
    return RemitError("not_found", f"There is no {word} {identity}.", remedy)


def _broken(fault: Exception) -> RemitError:
    return RemitError("internal", f"Remit failed ({type(fault).__name__}).", "Nothing was done; report this.")
