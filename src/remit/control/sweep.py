"""What time does: end tasks that are over, close calls that nobody told of, retire keys, forget spent values."""

from typing import Final

from remit.control import access, key, lease, run, task, withdrawal
from remit.control.change import Change
from remit.core.moment import Instant
from remit.core.task import Task
from remit.store import forgotten, payload, reply
from remit.store.facts import resting
from remit.store.log import newest

NONCES_EVERY = 60_000
FORGET_EVERY: Final = 60_000
FORGOTTEN: Final = 1000
"""Rows of one table that one sweep forgets."""
PART: Final = 500
"""How many open tasks one sweep looks at for idleness: with more, it goes round, and each decision looks for itself."""


def sweep(change: Change, most: int = 200) -> int:
    """End up to `most` tasks whose time is over; returns how many. Called every second by whoever serves."""
    over = 0
    for one in list(change.reader.where(Task, "state != 'ended' AND deadline <= ?", (change.now,)))[:most]:
        over += len(task.end(change, one.id, "deadline", "sweep"))
    over += _idle(change, most - over)
    withdrawal.proceed(change)
    access.close_overdue(change)
    lease.reap(change)
    key.sweep(change)
    _forget(change)
    # By the newest receipt, not by the clock: no clock that goes back behind it can make a spent value young again.
    if payload.expire_nonces(change.db, Instant(newest(change.db).at - NONCES_EVERY)):
        change.keep()
    return over


def _forget(change: Change) -> None:
    """Forget sessions, codes, refresh tokens and kept answers that are past, once a minute; many of them, at once."""
    if change.now - change.authority.forgot < FORGET_EVERY:
        return
    at = newest(change.db).at
    lost = max(forgotten.forget(change.db, at, FORGOTTEN), reply.expire(change.db, at, FORGOTTEN))
    if lost:
        change.keep()
    if lost < FORGOTTEN:
        change.authority.forgot = change.now


def _idle(change: Change, most: int) -> int:
    """End what was idle for too long among the next part of the open tasks; one with open children waits for them."""
    over, authority = 0, change.authority
    found = resting(change.reader, authority.swept, PART)
    for one, acted in found:
        if over >= most:
            break
        authority.swept = one.deadline, one.id
        unwatched = one.watched and run.left(change, one)
        if change.now - acted < one.idle and not unwatched:
            continue
        if unwatched or not any(True for _ in change.reader.where(Task, "parent = ? AND state = 'open'", (one.id,), 1)):
            over += len(task.end(change, one.id, "unwatched" if unwatched else "idle", "sweep"))
    else:
        if len(found) < PART:
            authority.swept = 0, ""
    return over
