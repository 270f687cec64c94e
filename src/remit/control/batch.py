"""The one writer: all waiting work in one transaction, one signed head, one commit, and only then the answers (law 1).

Each piece of work is a savepoint of its own, or writes last of all; one that faults is undone and answered with its
fault, and the others go on. When the transaction itself fails before its commit, its pieces run again one by one. A
commit that may or may not have happened yields faults, never a Permit, and drops the connection. A piece that waited
past its deadline is left undone.

The body of a turn runs where `turn` is called; only what blocks (taking a busy lock, the commit's fsync) goes through
`offload`, so that one thread's work is not sliced among many. Where commits are quick, whoever attached the batch may
have them made in place (`_sync`).
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from remit.control.authority import Authority, in_order
from remit.control.change import Change
from remit.control.queue import MOST, Item, Queue
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.ledger import LedgerFault
from remit.store.foresight import Ahead, Foreseen, Hint

T = TypeVar("T")
Work = Callable[[Change], T]
Job = Callable[[], None]
Offload = Callable[[Job, Job], None]
"""Run the first job where it may block, then the second one where `turn` runs."""

PATIENCE_MS: Final = 5_000
CHECKPOINT_PAGES: Final = 2_000


def _nothing() -> None:
    """Do nothing: nobody listens."""
    return


def inline(job: Job, after: Job) -> None:
    """Do both here and now."""
    job()
    after()


class Batch:
    """Owned by one Authority; everything is called on one thread, but for the jobs that `offload` may run elsewhere."""

    def __init__(self, authority: Authority, offload: Offload = inline) -> None:
        self._authority = authority
        self._offload = self._sync = offload
        self.wake: Job = self.turn
        self._queue = Queue()
        self._busy = False
        self._failure: RemitError | None = None
        self._late: list[Item] = []
        self._over: list[Item] = []
        self.broken = 0
        self.unswept = 0
        self._room = MOST
        self.largest = 0
        self.moved: Job = _nothing
        """Called where `turn` runs, after a commit that ended or changed something: not after mere calls."""
        self._moved = False
        self._between: list[Job] = []
        self.moves = 0
        self.commits = 0
        self.taken = 0
        """How many pieces of work are in the turn that is under way, or were in the last one."""
        self.commit_ms = 0
        self.usual_ms = 0.0
        """What the latest commits took, by a mean that forgets: of each, a sixteenth."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._busy and not self._queue

    @property
    def waiting(self) -> int:
        """How many pieces of work wait."""
        return len(self._queue)

    def submit(
        self,
        who: str,
        work: Work[T],
        done: Callable[[T | RemitError], None],
        patience: int = PATIENCE_MS,
        hint: Hint | None = None,
        *,
        last: bool = False,
    ) -> None:
        """Queue work for `who`. Answers `queue_full` at once when too much waits already. Call `turn` soon after.

        `hint` says what the work will read, for a store across a network; `last` that it writes only by receipts, and
        only when nothing can refuse it any more.
        """
        item = Item(who, work, done, self._authority.clock.steady() + patience, hint, last)
        if not self._queue.put(item):
            done(
                RemitError(
                    "queue_full", "Too many calls wait to be decided.", "Try again in a moment, with fewer at once."
                )
            )

    def between(self, job: Job) -> None:
        """Do a job while no transaction is under way: at once, or after this one and before the next takes its work."""
        if self._busy:
            self._between.append(job)
        else:
            job()

    def act(self, work: Work[T]) -> T:
        """Do one piece of work now and return its result or raise its fault; for those who may block."""
        found: list[Any] = []
        self.submit("", work, found.append)
        self.turn()
        if not found:
            raise RemitError("store_busy", "The store is busy.", "Try again in a moment.")
        if isinstance(found[0], RemitError):
            raise found[0]
        result: T = found[0]
        return result

    def turn(self) -> None:
        """Take what waits into one transaction. Does nothing while one is under way."""
        if self._busy or not self._queue:
            return
        self._busy = True
        if self._authority.db.remote:
            items: list[Item] = []
            ahead = self._authority.foresight.ahead(self._queue.hints())
            self._offload(lambda: self._through(items, ahead), lambda: self._finish(items))
            return
        try:
            locked = self._authority.db.try_begin()
        except RemitError as fault:
            self._reopen(fault)
            return
        if locked:
            self._body()
        else:
            self._offload(self._wait, self._begun)

    def _through(self, items: list[Item], ahead: Ahead) -> None:
        """A turn on a store across a network: the whole of it in one job, since each statement waits.

        What is taken is what waits when the lock is held: other nodes may have kept it for a while.
        """
        try:
            self._one_by_wire(items, ahead)
        except Exception as fault:  # noqa: BLE001 - the thread has nobody to raise to
            self._renew(_translated(fault, "commit_unknown"), items)

    def _one_by_wire(self, items: list[Item], ahead: Ahead) -> None:
        try:
            rows = self._authority.db.begin(reads=ahead.reads)
        except RemitError as fault:
            items.extend(self._take())
            self._renew(fault, items)
            return
        items.extend(self._take())
        try:
            change = self._fill(items, self._start(ahead.understood(rows[0])))
        except Exception as fault:  # noqa: BLE001 - see _body
            self._again(items, _translated(fault))
            return
        if change is None:
            self._authority.db.rollback()
            return
        self._commit()
        if self._failure is not None:
            self._renew(self._failure, items)
            return
        self._authority.log.committed()
        self.commits += 1

    def _wait(self) -> None:
        try:
            self._failure = None
            self._authority.db.begin()
        except RemitError as fault:
            self._failure = fault

    def _begun(self) -> None:
        if self._failure is not None:
            self._reopen(self._failure)
        else:
            self._body()

    def _body(self) -> None:
        items = self._take()
        self.taken = len(items)
        try:
            change = self._fill(items, self._start())
        except Exception as fault:  # noqa: BLE001 - a transaction that breaks must be undone, whatever broke it
            self._abandon(items, _translated(fault))
            return
        if change is None:
            self._authority.db.rollback()
            self._finish(items)
            return
        self._sync(self._commit, lambda: self._committed(items))

    def _start(self, found: Foreseen | None = None) -> Change:
        authority = self._authority
        authority.clock.hear(authority.db.at)
        head = authority.log.begin(found.head if found else None)
        now = authority.clock.now()
        in_order(head.at, now)
        authority.freshen(found.versions.get("key", -1) if found else None)
        change = Change(authority, head.size, Instant(max(now, head.at)))
        if found:
            change.reader.take(found)
            change.versions.update(found.versions)
        return change

    def _fill(self, items: list[Item], change: Change) -> Change | None:
        """Do each item in its own savepoint, then append, sign and store the head. None when nothing was written."""
        authority = self._authority
        end = authority.clock.steady() + authority.db.held_ms
        self._room = min(MOST, 2 * self._room)
        for place, item in enumerate(items):
            item.result = change.last(item.work) if item.last else change.part(item.work)
            if authority.clock.steady() >= end and place + 1 < len(items):
                # Taking what is put back again costs time under the lock: take no more next time than could be done.
                self._room = place + 9
                self._over = items[place + 1 :]
                del items[place + 1 :]
                break
        if not change.bodies:
            authority.db.flush()
            return change if change.kept else None
        authority.log.append(change.bodies, change.now, authority.sign_head)
        authority.db.flush()
        self.largest = max(self.largest, len(change.bodies))
        self._moved = self._moved or change.moved
        return change

    def _commit(self) -> None:
        start = self._authority.clock.steady()
        # In doubt until it has returned: whatever else happens here must never read as a commit.
        self._failure = _IN_DOUBT
        try:
            try:
                self._authority.db.commit()
            finally:
                self.commit_ms = self._authority.clock.steady() - start
                self.usual_ms += (self.commit_ms - self.usual_ms) / 16
        except RemitError as fault:
            self._failure = fault
        except Exception as fault:  # noqa: BLE001 - whoever runs the job has nobody to raise to
            self._failure = _translated(fault, "commit_unknown")
        else:
            self._failure = None

    def _committed(self, items: list[Item]) -> None:
        if self._failure is not None:
            self._reopen(self._failure, items)
            return
        self._authority.log.committed()
        self.commits += 1
        if self._authority.db.wal_pages > CHECKPOINT_PAGES:
            self._offload(self._checkpoint, lambda: self._finish(items))
        else:
            self._finish(items)

    def _checkpoint(self) -> None:
        try:
            self._authority.db.checkpoint()
        except RemitError:
            # What was committed stays so; the next transaction meets the store's own fault.
            self.unswept += 1

    def _abandon(self, items: list[Item], fault: RemitError) -> None:
        self._again(items, fault)
        self._finish(items)

    def _again(self, items: list[Item], fault: RemitError) -> None:
        """The transaction failed before its commit: undo it, and run its items again one by one.

        A connection that was lost with it is opened anew first: what was never committed may be run again.
        """
        authority = self._authority
        authority.log.dropped()
        for item in items:
            item.result = fault
        try:
            if authority.db.usable:
                authority.db.rollback()
            else:
                authority.db.reopen()
            authority.undone()
            for item in items:
                self._alone(item)
        except RemitError as worse:
            self._renew(worse, items)

    def _alone(self, item: Item) -> None:
        authority = self._authority
        authority.db.begin()
        try:
            if self._fill([item], self._start()) is None:
                authority.db.rollback()
                return
        except Exception as fault:  # noqa: BLE001 - see _body
            authority.log.dropped()
            authority.db.rollback()
            authority.undone()
            item.result = _translated(fault)
            return
        authority.db.commit()
        authority.log.committed()

    def _reopen(self, fault: RemitError, items: list[Item] | None = None) -> None:
        """The connection is in doubt: nobody gets a result, all that was taken or waits is told the fault."""
        items = items if items is not None else self._take()
        self._renew(fault, items)
        self._finish(items)

    def _renew(self, fault: RemitError, items: list[Item]) -> None:
        self._authority.log.dropped()
        for item in items:
            item.result = fault
        try:
            self._authority.db.reopen()
            self._authority.undone()
        except RemitError as still:
            # It stays in doubt: each following turn tries again, and answers with the fault that it meets.
            self._failure = still

    def _finish(self, items: list[Item]) -> None:
        late, self._late = self._late, []
        moved, self._moved = self._moved, False
        over, self._over = self._over, []
        self._queue.back(over)
        self._busy = False
        for item in (*late, *items):
            try:
                item.done(item.result)
            except Exception:  # noqa: BLE001 - one listener that breaks must not leave the others without their answer
                self.broken += 1
        if moved:
            self.moves += 1
            self.moved()
        between, self._between = self._between, []
        for job in between:
            try:
                job()
            except Exception:  # noqa: BLE001 - as above
                self.broken += 1
        if self._queue:
            self.wake()

    def _take(self) -> list[Item]:
        items, late = self._queue.take(self._authority.clock.steady(), min(MOST, self._room))
        self._late += late
        return items


_IN_DOUBT: Final = RemitError(
    "commit_unknown",
    "The store did not answer the commit; the change may or may not have been kept.",
    "Look at what the ledger says before doing it again.",
)


def _translated(fault: Exception, code: str = "internal") -> RemitError:
    """Turn whatever broke a transaction into a fault that can be shown."""
    if isinstance(fault, RemitError):
        return fault
    if isinstance(fault, LedgerFault):
        return RemitError(fault.code, fault.message, fault.remedy)
    return RemitError(code, f"Remit failed ({type(fault).__name__}).", "Look at what the ledger says, and report this.")
